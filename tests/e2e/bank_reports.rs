//! A run that is paid by ISO 20022: the order is as the standard's schema has it, and the bank's report settles the run.

use crate::callbacks::peers;
use crate::payout::{account, card, import, told};
use crate::payroll::{Desk, company, grade, run_of};
use hub_support::{Backends, Place, project_root};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

const PROFILE: &str = "pain.001";

/// What the bank says of payments: the payslip, the status and the reason.
fn report(run: &str, payments: &[(&Value, &str, &str)]) -> String {
    let run = run.replace('-', "");
    let payments = payments.iter().map(|(slip, status, reason)| {
        let id = slip["id"].as_str().unwrap().replace('-', "");
        let why = match *reason {
            "" => String::new(),
            code => format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>account closed</AddtlInf></StsRsnInf>"),
        };
        let amount = format!("<InstdAmt Ccy=\"CNY\">{}</InstdAmt>", slip["net"]["amount"].as_str().unwrap());
        format!(
            "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}\
             <AcctSvcrRef>B-{status}</AcctSvcrRef><OrgnlTxRef><Amt>{amount}</Amt></OrgnlTxRef></TxInfAndSts>"
        )
    });
    let payments: String = payments.collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.12\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>R-1</MsgId><CreDtTm>2026-02-02T08:00:00Z</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{run}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{run}</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
}

#[test]
fn a_run_is_ordered_as_pain_001_and_settled_by_the_banks_pain_002() {
    let place = Place::new(Backends::Embedded);
    let shipped = fs::read_to_string(project_root().join("scoring/models/bank/pain.001.yaml")).unwrap();
    let payer = "payer: { name: \"Kestrel & Sons\", iban: GB82WEST12345698765432, bic: WESTGB22 }\n";
    let own = place.config().join("models/bank");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("pain.001.yaml"), shipped + payer).unwrap();
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let hr = Desk::new(&place, "hr", "read,read:restricted,write");
    let head = Desk::new(&place, "head", "read,read:restricted,pay:approve");
    let company = company(&clerk);
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    account(&hr, &company.lin, "林夏", &card("622202100100000001"));
    account(&hr, &company.wu, "Petra Osei", &card("622202100100000002"));
    let run = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));
    assert_eq!(clerk.calculated(&run)["status"]["value"], "CALCULATED");
    for (who, step) in [(&clerk, "review"), (&head, "approve"), (&clerk, "lock")] {
        assert_eq!(who.step(&run, step).0, 200, "{step}");
    }
    let made = told(&head, &format!("/v1/payroll-runs/{run}/bank-file?profile={PROFILE}"));
    assert_eq!((made.status, made.header("content-type")), (200, "application/xml; charset=utf-8"), "{}", made.text());
    assert_eq!(clerk.step(&run, "pay").0, 200);

    let (lin, wu) = (clerk.payslip(&run, &company.lin), clerk.payslip(&run, &company.wu));
    let under_way = report(&run, &[(&lin, "ACCP", ""), (&wu, "ACSP", "")]);
    let refused = report(&run, &[(&lin, "ACSC", ""), (&wu, "RJCT", "AC04")]);
    let mut check = Command::new(peers::python());
    check.arg(project_root().join("tests/e2e/peers/iso20022.py"));
    for (message, name, text) in [
        ("pain.001.001.09", "order.xml", made.text()),
        ("pain.002.001.12", "under_way.xml", under_way.as_str()),
        ("pain.002.001.12", "refused.xml", refused.as_str()),
    ] {
        let file = place.folder().join(name);
        fs::write(&file, text).unwrap();
        check.arg(message).arg(file);
    }
    assert_eq!(peers::run(&mut check).lines().count(), 3);

    let import = |text: &str| import(&clerk, &run, PROFILE, text.as_bytes());
    let answer = import(&under_way);
    let wanted = json!({ "paid": 0, "failed": [], "changed": 0, "open": ["HX0001", "HX0002"] });
    assert_eq!((answer.status, answer.json()), (200, wanted));
    let strange = import(&refused.replace("<OrgnlMsgId>", "<OrgnlMsgId>X"));
    assert_eq!(strange.wrong(), ["/message"]);
    let wanted = json!({
        "paid": 1, "failed": [{ "employee_number": "HX0002", "reason": "AC04: account closed" }], "changed": 2, "open": ["HX0002"],
    });
    assert_eq!(import(&refused).json(), wanted);
    let (status, told) = clerk.step(&run, "settle");
    assert!(status == 409 && told["detail"].as_str().unwrap().contains("HX0002 (FAILED)"), "{told}");
    assert_eq!(import(&report(&run, &[(&wu, "ACCC", "")])).json()["open"], json!([]));
    let paid = clerk.payslip(&run, &company.wu)["payment"].clone();
    assert_eq!((&paid["status"], &paid["reference"]), (&json!("PAID"), &json!("B-ACCC")), "{paid:#}");
    assert_eq!(clerk.step(&run, "settle").0, 200);
}
