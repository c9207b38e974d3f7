// An independent SOAP library calls the hub by nothing but its description: address, user, password.
const soap = require("soap");
const [url, user, password] = process.argv.slice(2);

async function call(version) {
  const client = await soap.createClientAsync(url, { forceSoap12Headers: version === 12, disableCache: true });
  client.setSecurity(new soap.WSSecurity(user, password, { passwordType: "PasswordDigest", hasTimeStamp: true, mustUnderstand: true }));
  const port = client.HubPushService[`HubPushSoap${version}Port`];
  const ask = (name, args) => new Promise((done, fail) => port[name](args, (error, result) => (error ? fail(error) : done(result))));
  const header = { sourceSystem: "NODE", batchId: `node-${version}`, sentAt: "2025-11-01T08:00:00Z" };
  const row = { employeeNo: `N<${version}>&`, legalName: "𠮷野", departmentCode: "D001", hireDate: "2020-03-15", baseSalary: "15000.50", currency: "CNY" };
  const bad = { ...row, employeeNo: "N-2", hireDate: "2021-02-30" };
  const { result } = await ask("PushEmployees", { header, employee: [row, bad] });
  if (result.accepted !== 1 || result.duplicate !== false) throw new Error(JSON.stringify(result));
  const rejected = [].concat(result.rejected);
  if (rejected.length !== 1 || rejected[0].code !== "DATE" || rejected[0].index !== 1) throw new Error(JSON.stringify(rejected));
  const { status } = await ask("GetPushStatus", { batchId: `node-${version}` });
  if (status.batchId !== `node-${version}` || status.accepted !== 1) throw new Error(JSON.stringify(status));
  try {
    await ask("GetPushStatus", { batchId: "no such batch" });
  } catch (error) {
    if (!JSON.stringify(error.root || error.message).includes("BATCH_UNKNOWN")) throw error;
    console.log(version);
    return;
  }
  throw new Error("an unknown batch has a status");
}

call(11).then(() => call(12)).catch((error) => {
  console.error(error.message, error.body || "");
  process.exit(1);
});
