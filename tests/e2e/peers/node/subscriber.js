// Checks deliveries with the library of Standard Webhooks for JavaScript; ed25519, which it does not know, with Node.
//
// subscriber.js FILE: a list of {secret, public, got: {headers, body in base64}}; says how many of each were checked.
const { createPublicKey, verify } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

const counts = { hmac: 0, ed25519: 0 };

function fail(why) {
  console.error(why);
  process.exit(1);
}

function refuses(webhook, body, headers) {
  try {
    webhook.verify(body, headers);
    return false;
  } catch (error) {
    return error instanceof WebhookVerificationError;
  }
}

for (const { secret, public: shown, got } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const { headers } = got;
  const body = Buffer.from(got.body, "base64").toString("utf8");
  if (secret) {
    const webhook = new Webhook(secret);
    const event = webhook.verify(body, headers);
    if (event.id !== headers["webhook-id"] || event.type !== "hr.subscription.tested.v1") fail(JSON.stringify(event));
    if (!refuses(webhook, `${body} `, headers)) fail("a changed body was believed");
    if (!refuses(webhook, body, { ...headers, "webhook-id": "another" })) fail("another id was believed");
    const old = String(Number(headers["webhook-timestamp"]) - 3600);
    if (!refuses(webhook, body, { ...headers, "webhook-timestamp": old })) fail("an old time was believed");
    counts.hmac += 1;
  }
  if (shown) {
    const x = Buffer.from(shown.replace(/^whpk_/, ""), "base64").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const given = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
    const fits = (text) => given.some((one) => verify(null, Buffer.from(text), key, Buffer.from(one.slice(4), "base64")));
    if (!fits(signed)) fail("no signature of this key");
    if (fits(`${signed} `)) fail("a changed body was believed");
    counts.ed25519 += 1;
  }
}
console.log(Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", "));
