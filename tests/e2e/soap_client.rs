//! The hub calls an ERP of an independent SOAP library, which checks each message against its schema.

use crate::callbacks::python;
use hub_support::{Backends, Place, free_port, project_root, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const MANIFEST: &str = r#"version: 1
vendor: heron-soap
name: Heron SOAP
family: erp
driver: soap
base_url: http://127.0.0.1:1
egress: [127.0.0.1]
namespaces: { t: "urn:heron:hr" }
types:
  GetEmployee: { fields: { employeeNo: string } }
  GetEmployeeResponse: { fields: { GetEmployeeResult: Employee? } }
  AddEmployee: { fields: { employee: Employee } }
  AddEmployeeResponse: { fields: { AddEmployeeResult: Employee? } }
  Employee:
    fields:
      employeeNo: string
      legalName: string
      hireDate: date?
      leftOn: date nil
      baseSalary: decimal?
      tag: string*
operations:
  get_employee:
    soap: { action: "GetEmployee", type: GetEmployee, reply_type: GetEmployeeResponse }
    body: 'object("employeeNo", args.no)'
    reads: true
    errors: [{ when: payload.Fault.vendor_code == "EMP_NOT_FOUND", means: absent, code: payload.Fault.vendor_code }]
  add_employee:
    soap: { action: "AddEmployee", type: AddEmployee, reply_type: AddEmployeeResponse }
    body: 'object("employee", args)'
    idempotency: none
  other_answer:
    soap: { action: "GetEmployee", type: GetEmployee, reply_type: AddEmployeeResponse }
    body: 'object("employeeNo", args.no)'
    reads: true
"#;

const LIMIT: Duration = Duration::from_secs(240);

/// A process that ends when it is dropped.
struct Erp(Child);

impl Drop for Erp {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn erp(port: u16) -> Erp {
    let script = project_root().join("tests/e2e/peers/soap_erp.py");
    let mut command = Command::new(python());
    let child = command.arg(script).arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let http = reqwest::blocking::Client::new();
    wait_for("the ERP to answer", LIMIT, || http.get(format!("http://127.0.0.1:{port}/")).send().ok());
    Erp(child)
}

fn place(port: u16) -> Place {
    let place = Place::new(Backends::Embedded);
    let write = |file: &str, text: &str| {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("connectors/heron-soap/manifest.yaml", MANIFEST);
    let digest = "auth: wsse_digest, username: hub, password: \"hub<secret>\"";
    for (id, path, more) in [
        ("erp11", "11", format!("soap_version: \"1.1\", {digest}")),
        ("erp12", "12", format!("soap_version: \"1.2\", {digest}")),
        ("wrong11", "11", "auth: wsse_digest, username: hub, password: other".to_owned()),
        ("wrong12", "12", "soap_version: \"1.2\", auth: wsse_text, username: hub, password: other".to_owned()),
        ("none", "11", "auth: none".to_owned()),
        ("legacy", "legacy", digest.to_owned()),
        ("gateway", "gateway", digest.to_owned()),
    ] {
        let settings = format!("{{ base_url: \"http://127.0.0.1:{port}/{path}\", {more} }}");
        write(&format!("connections/{id}.yaml"), &format!("id: {id}\nconnector: heron-soap\nsettings: {settings}\n"));
    }
    place
}

fn call(place: &Place, connection: &str, operation: &str, args: &Value) -> (u16, Value) {
    let url = place.url(&format!("/v1/passthrough/{connection}/{operation}"));
    let request = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).body(args.to_string());
    let answer = request.send().unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

fn told(answer: &(u16, Value)) -> (u16, &str, &Value, &Value, &Value) {
    let body = &answer.1;
    (answer.0, body["code"].as_str().unwrap_or_default(), &body["vendor_code"], &body["party"], &body["retryable"])
}

#[test]
fn an_independent_server_takes_our_messages_in_both_versions_and_we_read_its_answers_and_faults() {
    let port = free_port();
    let _erp = erp(port);
    let place = place(port);
    let _hub = place.serve();
    for connection in ["erp11", "erp12"] {
        let found = call(&place, connection, "get_employee", &json!({ "no": "E00001" }));
        let wanted = json!({ "employeeNo": "E00001", "legalName": "张伟<>&\"𠮷", "hireDate": "2020-03-15",
            "leftOn": null, "baseSalary": "15000.50", "tag": "one" });
        assert_eq!((found.0, &found.1["GetEmployeeResult"]), (200, &wanted), "{connection}: {}", found.1);
        // The order and the namespaces are those of the schema, whatever order the arguments have.
        let hired = json!({ "tag": ["a", "b"], "leftOn": null, "baseSalary": "120.50", "legalName": "李<娜>", "employeeNo": connection });
        let added = call(&place, connection, "add_employee", &hired);
        let wanted = json!({ "employeeNo": connection, "legalName": "李<娜>", "leftOn": null, "baseSalary": "120.50", "tag": ["a", "b"] });
        assert_eq!((added.0, &added.1["AddEmployeeResult"]), (200, &wanted), "{connection}: {}", added.1);
        let nobody = call(&place, connection, "get_employee", &json!({ "no": "E9" }));
        let wanted = (404, "vendor_absent", &json!("EMP_NOT_FOUND"), &json!("CALLER"), &json!(false));
        assert_eq!(told(&nobody), wanted, "{connection}: {}", nobody.1);
        let busy = call(&place, connection, "get_employee", &json!({ "no": "BUSY" }));
        let wanted = (502, "vendor_trouble", &json!("BUSY"), &json!("REMOTE"), &json!(true));
        assert_eq!(told(&busy), wanted, "{connection}: {}", busy.1);
        // What the schema does not allow does not leave the house.
        let unfit = call(
            &place,
            connection,
            "add_employee",
            &json!({ "employeeNo": "1", "legalName": "x", "leftOn": null, "hireDate": "15.3.2020" }),
        );
        assert_eq!((unfit.0, &unfit.1["party"]), (502, &json!("CONFIG")), "{}", unfit.1);
        let detail = unfit.1["detail"].as_str().unwrap();
        assert!(
            detail.contains("manifest.yaml:") && detail.contains("`employee.hireDate` is no value of the type date"),
            "{detail}"
        );
        let other = call(&place, connection, "other_answer", &json!({ "no": "E00001" }));
        assert_eq!(
            (other.0, &other.1["code"], &other.1["party"]),
            (502, &json!("vendor_trouble"), &json!("REMOTE")),
            "{}",
            other.1
        );
    }
    for connection in ["wrong11", "wrong12", "none"] {
        let refused = call(&place, connection, "get_employee", &json!({ "no": "E00001" }));
        let party = (&refused.1["party"], &refused.1["retryable"]);
        assert_eq!((refused.0, party), (502, (&json!("CREDENTIAL"), &json!(false))), "{connection}: {}", refused.1);
    }
    let legacy = call(&place, "legacy", "get_employee", &json!({ "no": "E7" }));
    assert_eq!((legacy.0, &legacy.1["GetEmployeeResult"]["legalName"]), (200, &json!("李镕")), "{}", legacy.1);
    let gateway = call(&place, "gateway", "get_employee", &json!({ "no": "E7" }));
    assert_eq!((gateway.0, &gateway.1["code"], &gateway.1["party"]), (502, &json!("vendor_trouble"), &json!("REMOTE")));
}
