use super::*;
use crate::out::transfer::tests::transfer;
use hub_tree::{Arena, Limits, xml};

fn order() -> Order {
    Order {
        message: "RUN-2026-03".to_owned(),
        created: "2026-03-24T09:30:00Z".parse().unwrap(),
        execute_on: "2026-03-25".parse().unwrap(),
        debtor: "Kestrel & Söhne <Budapest>".to_owned(),
        account: BankAccount {
            iban: Some("HU42 1177 3016 1111 1018 0000 0000".to_owned()),
            bic: Some("OTPVHUHB".to_owned()),
            ..BankAccount::default()
        },
        currency: "CNY".to_owned(),
        purpose: "2026-03 工资".to_owned(),
    }
}

fn people() -> [Transfer; 2] {
    let mut latin = transfer("E2", "Zoltán \"Z\" <Fekete> & Co", "0.1", "6222021000000002");
    latin.payslip = "0197a000-1111-7222-8333-444455556666".to_owned();
    latin.account.cnaps = None;
    [transfer("E1", "林晓雨", "12345.6", "6222 0210 0000 0001"), latin]
}

/// The whole file, written by hand from the message's definition.
#[test]
fn the_file_is_as_the_message_is_defined() {
    let debtor = "Kestrel &amp; Söhne &lt;Budapest&gt;";
    let wanted = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">",
        "<CstmrCdtTrfInitn><GrpHdr><MsgId>RUN-2026-03</MsgId><CreDtTm>2026-03-24T09:30:00Z</CreDtTm>",
        &format!("<NbOfTxs>2</NbOfTxs><CtrlSum>12345.70</CtrlSum><InitgPty><Nm>{debtor}</Nm></InitgPty></GrpHdr>"),
        "<PmtInf><PmtInfId>RUN-2026-03</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>2</NbOfTxs><CtrlSum>12345.70</CtrlSum>",
        "<PmtTpInf><CtgyPurp><Cd>SALA</Cd></CtgyPurp></PmtTpInf><ReqdExctnDt><Dt>2026-03-25</Dt></ReqdExctnDt>",
        &format!("<Dbtr><Nm>{debtor}</Nm></Dbtr>"),
        "<DbtrAcct><Id><IBAN>HU42117730161111101800000000</IBAN></Id><Ccy>CNY</Ccy></DbtrAcct>",
        "<DbtrAgt><FinInstnId><BICFI>OTPVHUHB</BICFI></FinInstnId></DbtrAgt>",
        "<CdtTrfTxInf><PmtId><EndToEndId>payslipE1</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"CNY\">12345.60</InstdAmt></Amt>",
        "<CdtrAgt><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>102100099996</MmbId></ClrSysMmbId>",
        "</FinInstnId></CdtrAgt><Cdtr><Nm>林晓雨</Nm></Cdtr>",
        "<CdtrAcct><Id><Othr><Id>6222021000000001</Id></Othr></Id></CdtrAcct><RmtInf><Ustrd>2026-03 工资</Ustrd></RmtInf>",
        "</CdtTrfTxInf><CdtTrfTxInf><PmtId><EndToEndId>0197a000111172228333444455556666</EndToEndId></PmtId>",
        "<Amt><InstdAmt Ccy=\"CNY\">0.10</InstdAmt></Amt>",
        "<CdtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></CdtrAgt>",
        "<Cdtr><Nm>Zoltán \"Z\" &lt;Fekete&gt; &amp; Co</Nm></Cdtr>",
        "<CdtrAcct><Id><Othr><Id>6222021000000002</Id></Othr></Id></CdtrAcct><RmtInf><Ustrd>2026-03 工资</Ustrd></RmtInf>",
        "</CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>\n",
    ]
    .concat();
    let found = pain001(&order(), &people(), &BTreeSet::new()).unwrap();
    assert_eq!(found, wanted);
    let arena = Arena::new();
    xml::read(&arena, found.as_bytes(), Limits::default()).expect("it is XML");
}

#[test]
fn what_the_message_has_no_room_for_is_refused_with_all_else() {
    let mut order = order();
    order.message = "x".repeat(36);
    order.purpose = "\u{1}".to_owned();
    order.account = BankAccount::default();
    let mut people = people();
    people[0].payslip = "p".repeat(36);
    people[0].account.account_no = Some("6".repeat(35));
    people[1].amount = Decimal::MAX;
    let problems = pain001(&order, &people, &BTreeSet::new()).unwrap_err();
    let found: Vec<_> = problems.iter().map(|one| (one.employee_no.as_deref().unwrap_or(""), one.field)).collect();
    let wanted =
        [("", "message"), ("", "purpose"), ("", "account"), ("E1", "payslip"), ("E1", "account_no"), ("", "amount")];
    assert_eq!(found, wanted);
}

#[test]
fn a_wrong_account_to_pay_from_is_refused() {
    let mut order = order();
    order.account.iban = Some("HU24 1177 3016 1111 1018 0000 0000".to_owned());
    let problems = pain001(&order, &people(), &BTreeSet::new()).unwrap_err();
    assert_eq!(problems.iter().map(|one| one.field).collect::<Vec<_>>(), ["iban"]);
}
