//! ERPs that speak SOAP and XML, by their shipped connectors and simulators: histories over pages, a session that is lost
//! in the middle, IDocs twice and out of order, writes that are carried out once, and failures with HTTP 200.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn place(vendor: &str, polls: &str, settings: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let path = place.config().join("connections");
    fs::create_dir_all(&path).unwrap();
    let connection = format!(
        "id: erp\nconnector: {vendor}\npolls: [{polls}]\nsettings: {{ {settings}, base_url: \
         \"http://127.0.0.1:{}/{vendor}\" }}\nretry: {{ first_ms: 50, tries: 3 }}\n",
        place.sandbox_port
    );
    fs::write(path.join("erp.yaml"), connection).unwrap();
    place
}

fn records(place: &Place, collection: &str) -> Vec<Value> {
    place.get(&format!("/v1/{collection}?connection=erp&limit=100"))["data"].as_array().unwrap().clone()
}

/// The record that the ERP knows under this id.
fn by_key(place: &Place, collection: &str, key: &str) -> Value {
    wait_until(LIMIT, || {
        let all = records(place, collection);
        let found = all.iter().find(|record| {
            record["sources"].as_array().is_some_and(|sources| sources.iter().any(|source| source["remote_id"] == key))
        });
        found.cloned().ok_or_else(|| format!("no {collection} {key}: {all:#?}"))
    })
}

/// Waits until so many rounds of the poll have ended, and gives the last one.
fn ended(place: &Place, poll: &str, count: usize) -> Value {
    wait_until(LIMIT, || {
        let polls = place.get("/v1/connections/erp/polls");
        let known = polls["data"].as_array().unwrap().iter().find(|known| known["name"] == poll).cloned().unwrap();
        let rounds = known["rounds"].as_array().unwrap().clone();
        let open = rounds.iter().any(|round| round["state"] == "open");
        if rounds.len() == count && !open { Ok(rounds[0].clone()) } else { Err(format!("{count} rounds: {rounds:#?}")) }
    })
}

fn run(place: &Place, poll: &str) {
    let url = place.url(&format!("/v1/connections/erp/polls/{poll}:run"));
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(answer.status(), 202, "{:?}", answer.text());
}

fn act(place: &Place, vendor: &str, action: &str, body: &Value) {
    let url = place.sandbox_url(&format!("/_sandbox/{vendor}/{action}"));
    let answer = place.http().post(url).body(body.to_string()).send().unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text());
}

fn pass(place: &Place, operation: &str, args: &Value) -> (u16, Value) {
    let url = place.url(&format!("/v1/passthrough/erp/{operation}"));
    let answer =
        place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).body(args.to_string()).send().unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().unwrap()).unwrap())
}

const SUCCESSFACTORS: &str = r#"company_id: acmeCN, username: API_HUB, password: "p&ss<word""#;

#[test]
fn a_session_lost_between_two_pages_begins_the_read_anew_and_all_have_their_histories() {
    let place = place("sap-successfactors", "all_employees", SUCCESSFACTORS);
    let sandbox = place.sandbox();
    act(&place, "sap-successfactors", "lose_session", &json!({}));
    let _hub = place.serve();
    let round = ended(&place, "all_employees", 1);
    assert_eq!((&round["state"], &round["failed_calls"]), (&json!("complete"), &json!(0)), "{round:#}");
    let logins =
        place.effects().iter().filter(|(name, _)| name.contains("login")).map(|(_, count)| *count).sum::<u64>();
    assert_eq!(logins, 2, "{:?}", place.effects());

    let employees = records(&place, "employees");
    assert_eq!(employees.len(), 3, "{employees:#?}");
    let left = by_key(&place, "employees", "20002");
    assert_eq!((&left["status"]["value"], &left["terminated_on"]), (&json!("TERMINATED"), &json!("2025-10-31")));
    let jobs = records(&place, "job-assignments");
    let mut held: Vec<(String, String)> = jobs
        .iter()
        .filter(|job| job["sources"][0]["remote_id"].as_str().is_some_and(|key| key.starts_with("20001/")))
        .map(|job| (job["valid_from"].as_str().unwrap().to_owned(), job["job"]["display"].as_str().unwrap().to_owned()))
        .collect();
    held.sort();
    let wanted = [("2020-03-15", "Engineer"), ("2022-01-01", "高级工程师"), ("2025-07-01", "技术专家")];
    assert_eq!(held, wanted.map(|(day, title)| (day.to_owned(), title.to_owned())));
    drop(sandbox);
}

#[test]
fn text_that_would_become_part_of_a_query_is_refused_before_anything_is_sent() {
    let settings = format!("{SUCCESSFACTORS}, companies: [\"1000') OR company IN ('2000\"]");
    let place = place("sap-successfactors", "", &settings);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (status, problem) = pass(&place, "list_employees", &json!({}));
    assert!(status >= 400, "{problem:#}");
    let (status, problem) = pass(&place, "get_employee", &json!({ "employee_id": "1' OR '1' = '1" }));
    assert!(status >= 400, "{problem:#}");
    assert!(!place.effects().iter().any(|(name, _)| name.contains("login")), "{:?}", place.effects());
}

#[test]
fn a_refused_login_is_http_200_and_no_session() {
    let place = place("sap-successfactors", "", r#"company_id: acmeCN, username: API_HUB, password: wrong"#);
    // The simulator takes the password of the vendor's first connection.
    let right = format!(
        "id: a\nconnector: sap-successfactors\nsettings: {{ {SUCCESSFACTORS}, base_url: http://127.0.0.1:1 }}\n"
    );
    fs::write(place.config().join("connections/a.yaml"), right).unwrap();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (status, problem) = pass(&place, "get_employee", &json!({ "employee_id": "20001" }));
    assert!(status >= 400, "{problem:#}");
    assert_eq!(problem["party"], "CREDENTIAL", "{problem:#}");
}

const WORKDAY: &str = r#"tenant: acme_cn1, username: ISU_HUB, password: "p&ss""#;

#[test]
fn workers_come_page_by_page_at_one_moment_and_a_hire_happens_once() {
    let place = place("workday", "employees", WORKDAY);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let round = ended(&place, "employees", 1);
    assert_eq!((&round["state"], &round["calls"]), (&json!("complete"), &json!(2)), "{round:#}");
    let employees = records(&place, "employees");
    assert_eq!(employees.len(), 3, "{employees:#?}");
    let pages: Vec<String> =
        place.effects().into_iter().map(|(name, _)| name).filter(|name| name.contains("page")).collect();
    let moments: Vec<&str> = pages.iter().filter_map(|name| name.split_once('/').map(|(_, moment)| moment)).collect();
    assert_eq!(moments.len(), 2, "{pages:?}");
    assert_eq!(moments[0], moments[1], "{pages:?}");
    let pay = records(&place, "compensations");
    assert!(pay.iter().any(|pay| pay["lines"][0]["amount"]["amount"] == "85000.5"), "{pay:#?}");

    // An id that the tenant does not know is refused, and says whose fault it is.
    let hire = |profile: &str| {
        json!({
            "@xmlns:bsvc": "urn:com.workday/bsvc", "@bsvc:version": "v42.0",
            "bsvc:Hire_Employee_Data": {
                "bsvc:Applicant_Data": {
                    "bsvc:Personal_Data": { "bsvc:Name_Data": { "bsvc:Legal_Name_Data": { "bsvc:Name_Detail_Data": { "bsvc:First_Name": "Xue", "bsvc:Last_Name": "Zhao <&>" } } } },
                    "bsvc:External_Integration_ID_Data": { "bsvc:ID": { "@bsvc:System_ID": "HUB", "#text": "cand-7788" } }
                },
                "bsvc:Hire_Date": "2025-12-01",
                "bsvc:Hire_Employee_Event_Data": { "bsvc:Position_Details": { "bsvc:Job_Profile_Reference": { "bsvc:ID": { "@bsvc:type": "Job_Profile_ID", "#text": profile } } } }
            }
        })
    };
    let (status, problem) = pass(&place, "create_employee", &hire("ENG9"));
    assert!(status >= 400, "{problem:#}");
    assert_eq!((&problem["party"], &problem["retryable"]), (&json!("CALLER"), &json!(false)), "{problem:#}");
    let (status, answer) = pass(&place, "create_employee", &hire("ENG2"));
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["Employee_Reference"]["ID"][0]["@type"], "WID", "{answer:#}");
    let (_, found) = pass(&place, "find_hired", &json!({ "reference": "cand-7788" }));
    assert_eq!(found["Response_Results"]["Total_Results"], "1", "{found:#}");
}

fn idoc(person: &str, document: u32, seat: &str) -> String {
    format!(
        "<HRMD_A09><IDOC BEGIN=\"1\"><EDI_DC40 SEGMENT=\"1\"><MANDT>800</MANDT><DOCNUM>{document:016}</DOCNUM><SNDPRN>HRD</SNDPRN>\
         <CREDAT>20251101</CREDAT><CRETIM>020000</CRETIM></EDI_DC40><E1PLOGI><OTYPE>P</OTYPE><OBJID>{person}</OBJID><OPERA>U</OPERA>\
         <E1PITYP><INFTY>0000</INFTY><E1P0000><BEGDA>20200315</BEGDA><ENDDA>99991231</ENDDA><STAT2>3</STAT2></E1P0000></E1PITYP>\
         <E1PITYP><INFTY>0001</INFTY><E1P0001><BEGDA>20200315</BEGDA><ENDDA>99991231</ENDDA><ORGEH>50000101</ORGEH>\
         <PLANS>{seat}</PLANS><ENAME>张伟</ENAME></E1P0001></E1PITYP></E1PLOGI></IDOC></HRMD_A09>"
    )
}

#[test]
fn idocs_twice_and_out_of_order_over_both_doors_give_one_state() {
    let place = place("sap-s4", "", r#"auth: basic, username: SAP, password: sap-secret, webhook_secret: "sap:idoc""#);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let plain = |body: String, proof: &str| {
        let request = place.http().post(place.url("/hooks/erp")).header("content-type", "text/xml; charset=utf-8");
        let (user, word) = proof.split_once(':').unwrap();
        request.basic_auth(user, Some(word)).body(body).send().unwrap().status().as_u16()
    };
    let soap = |body: &str| {
        let inner =
            body.replace("<HRMD_A09>", "<n0:HRMD_A09 xmlns:n0=\"urn:sap-com:document:sap:idoc:soap:messages\">");
        let inner = inner.replace("</HRMD_A09>", "</n0:HRMD_A09>");
        let text = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header/><e:Body>{inner}</e:Body></e:Envelope>"
        );
        let request = place.http().post(place.url("/soap/erp")).header("content-type", "text/xml; charset=utf-8");
        let answer =
            request.basic_auth("SAP", Some("sap-secret")).header("soapaction", "\"\"").body(text).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    };
    assert_eq!(plain(idoc("00020001", 1005, "50001005"), "sap:wrong"), 401);
    // The newer one first, by SOAP; then the older one, and both again.
    let (status, text) = soap(&idoc("00020001", 1005, "50001005"));
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("0000000000001005"), "{text}");
    assert_eq!(plain(idoc("00020001", 1004, "50001004"), "sap:idoc"), 200);
    assert_eq!(plain(idoc("00020001", 1004, "50001004"), "sap:idoc"), 200);
    assert_eq!(soap(&idoc("00020001", 1005, "50001005")).0, 200);
    // One of somebody else: once it is there, those before it are, too.
    assert_eq!(plain(idoc("00020002", 1006, "50001006"), "sap:idoc"), 200);
    by_key(&place, "employees", "00020002");
    by_key(&place, "employees", "00020001");
    let jobs = records(&place, "job-assignments");
    assert_eq!(jobs.len(), 2, "{jobs:#?}");
    let seat = by_key(&place, "job-assignments", "00020001/2020-03-15");
    assert_eq!(seat["position"]["source"]["remote_id"], "50001005", "{seat:#}");
    assert_eq!(records(&place, "employees").len(), 2);
}

#[test]
fn what_eai_refuses_with_http_200_is_refused_and_what_it_takes_is_there_once() {
    let place = place("yonyou-u8", "directory", r#"sender: "001""#);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let round = ended(&place, "directory", 1);
    assert_eq!(round["state"], "complete", "{round:#}");
    // The answer is GBK with letters that GB 2312 lacks.
    let left = by_key(&place, "employees", "ls002");
    assert_eq!((&left["display_name"], &left["terminated_on"]), (&json!("李镕"), &json!("2025-10-31")), "{left:#}");
    assert_eq!(by_key(&place, "departments", "0101")["name"], "研发&测试部");

    let person = |code: &str, unit: &str| json!({ "reference": "r-1", "person": { "code": code, "name": "赵雪", "departmentcode": unit } });
    let (status, problem) = pass(&place, "create_employee", &person("zs001", "0101"));
    assert!(status >= 400, "{problem:#}");
    assert_eq!((&problem["party"], &problem["vendor_code"]), (&json!("CALLER"), &json!("succeed 1")), "{problem:#}");
    let (status, answer) = pass(&place, "create_employee", &person("zx003", "0101"));
    assert_eq!((status, &answer["item"]["@succeed"]), (200, &json!("0")), "{answer:#}");
    let line = |side: &str, amount: &str| json!({ "entry_id": "1", "account_code": "2211", "natural_debit_currency": if side == "d" { amount } else { "0" }, "natural_credit_currency": if side == "c" { amount } else { "0" } });
    let voucher = |debit: &str| json!({ "reference": "PR-1", "voucher": { "@id": "PR-1", "voucher_body": { "entry": [line("d", debit), line("c", "10.50")] } } });
    assert!(pass(&place, "post_journal", &voucher("10.51")).0 >= 400);
    assert_eq!(pass(&place, "post_journal", &voucher("10.50")).0, 200);
}

#[test]
fn a_login_that_fails_without_a_fault_is_no_session_and_a_lost_session_is_renewed() {
    let settings = r#"username: hub, password: "p&ss", data_center: db01, page_size: "1""#;
    let place = place("kingdee-shr", "all_employees", settings);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let round = ended(&place, "all_employees", 1);
    assert_eq!((&round["state"], &round["calls"]), (&json!("complete"), &json!(2)), "{round:#}");
    assert_eq!(by_key(&place, "employees", "E0002")["terminated_on"], "2025-10-31");
    act(&place, "kingdee-shr", "lose_sessions", &json!({}));
    run(&place, "all_employees");
    assert_eq!(ended(&place, "all_employees", 2)["state"], "complete");
}

#[test]
fn a_bill_that_xchange_refuses_is_refused_and_the_same_bill_again_is_the_same_person() {
    let place = place("yonyou-nc", "", r#"account: ncdata01, sender: HRHUB, org: "1000", webhook_secret: "nc:secret""#);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let bill = |unit: &str| json!({ "reference": "r-1", "bill": { "@id": "HUB-r-1", "billhead": { "code": "20031", "name": "赵雪", "psnjobs": { "item": { "pk_dept": unit } } } } });
    let (status, problem) = pass(&place, "create_employee", &bill("D999"));
    assert!(status >= 400, "{problem:#}");
    assert_eq!(problem["vendor_code"], "resultcode -32000", "{problem:#}");
    let (_, first) = pass(&place, "create_employee", &bill("D001"));
    let (_, second) = pass(&place, "create_employee", &bill("D002"));
    assert_eq!(
        (&first["@successful"], &first["sendresult"]["content"]),
        (&json!("Y"), &second["sendresult"]["content"])
    );
    act(&place, "yonyou-nc", "push", &json!({}));
    assert_eq!(by_key(&place, "employees", "20001")["display_name"], "张伟");
}
