use super::write::luhn;
use super::*;
use crate::out::Problem;
use crate::out::transfer::Transfer;
use crate::out::transfer::tests::transfer;
use hub_model::scalars::Currency;
use hub_tree::jiff::civil::date;

const GBK: &str = include_str!("../../../../models/bank/cn-transfer.yaml");
const CENTS: &str = include_str!("../../../../models/bank/cn-same-bank.yaml");
const PAIN: &str = include_str!("../../../../models/bank/pain.001.yaml");

const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn read(path: &str, text: &str) -> Result<Profile, String> {
    let findings = Findings::new();
    let profile = Profile::read(&Source::new(path, text), &findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    profile.filter(|_| found.is_empty()).ok_or_else(|| found.join("\n"))
}

fn shipped(name: &str, text: &str) -> Profile {
    read(&format!("models/bank/{name}.yaml"), text).unwrap()
}

fn paying() -> Paying {
    Paying {
        run: RUN.to_owned(),
        period_start: date(2026, 1, 1),
        locked_at: "2026-01-30T08:00:00Z".parse().unwrap(),
        pay_on: date(2026, 1, 31),
        currency: "CNY".to_owned(),
        confirmed: Default::default(),
    }
}

fn people() -> Vec<Transfer> {
    let mut two = [
        transfer("HX0001", "林夏", "18337.50", "6222 0210 0100 0000 005"),
        transfer("HX0002", "Petra Osei", "0.07", "6222021001000000013"),
    ];
    for (one, last) in two.iter_mut().zip(["1", "2"]) {
        one.payslip = format!("01890a5d-ac96-774b-bcce-b302099a805{last}");
        one.account.account_no = Some(checked(&format!("622202100100000000{last}")));
        one.account.bank_name = Some("=cmd|' /C calc'!A0".to_owned());
    }
    two.to_vec()
}

/// A number with the check digit that makes it right.
fn checked(digits: &str) -> String {
    (0..10).map(|digit| format!("{digits}{digit}")).find(|number| luhn(number)).unwrap()
}

fn fields(problems: &[Problem]) -> Vec<(&str, &str)> {
    problems.iter().map(|one| (one.employee_no.as_deref().unwrap_or_default(), one.field)).collect()
}

#[test]
fn a_file_has_its_totals_above_and_a_row_for_each_payment() {
    let profile = shipped("cn-transfer", GBK);
    let made = make(&profile, &paying(), &people()).unwrap();
    assert_eq!((made.payments, made.total.to_string()), (2, "18337.57".to_owned()));
    let (text, _, wrong) = encoding_rs::GBK.decode(&made.bytes);
    let (one, two) = (checked("6222021001000000001"), checked("6222021001000000002"));
    let wanted = format!(
        "批次号,付款日期,币种,总笔数,总金额\r\n\
         01890a5dac96774bbcceb302099a8057,20260131,CNY,2,18337.57\r\n\
         序号,业务参考号,工号,收款人姓名,收款账号,开户行联行号,开户行名称,金额,用途\r\n\
         1,01890a5dac96774bbcceb302099a8051,HX0001,林夏,{one},102100099996,'=cmd|' /C calc'!A0,18337.50,2026年1月工资\r\n\
         2,01890a5dac96774bbcceb302099a8052,HX0002,Petra Osei,{two},102100099996,'=cmd|' /C calc'!A0,0.07,2026年1月工资\r\n"
    );
    assert_eq!((text.as_ref(), wrong), (wanted.as_str(), false));
    // The same run is the same file.
    assert_eq!(make(&profile, &paying(), &people()).unwrap(), made);

    let cents = make(&shipped("cn-same-bank", CENTS), &paying(), &people()).unwrap();
    let text = String::from_utf8(cents.bytes).unwrap();
    assert!(text.starts_with("\u{feff}账号,户名,金额（分）,备注\r\n"), "{text}");
    assert!(text.contains(",林夏,1833750,工资\r\n") && text.contains(",Petra Osei,7,工资\r\n"), "{text}");
}

#[test]
fn everything_wrong_is_told_and_no_file_is_made() {
    let profile = shipped("cn-transfer", GBK);
    let mut all = people();
    let mut third = all[0].clone();
    third.employee_no = "HX0003".to_owned();
    third.payslip = "p3".to_owned();
    third.amount = "-3.00".parse().unwrap();
    third.account.cnaps = None;
    let mut fourth = transfer("HX0004", "𠮷田\n", "0.001", "6222021001000000010");
    fourth.account.currency = Some(Currency("USD".to_owned()));
    let mut fifth = transfer("HX0005", "陈一鸣", "79228162514264337593543950335", "62+1");
    fifth.amount = "1".parse().unwrap();
    all.extend([third, fourth, fifth]);
    let problems = make(&profile, &paying(), &all).unwrap_err();
    let wanted = [
        ("HX0003", "amount"),
        ("HX0003", "account_no"),
        ("HX0004", "amount"),
        ("HX0004", "currency"),
        ("HX0003", "cnaps"),
        ("HX0004", "account_no"),
        ("HX0004", "holder"),
        ("HX0005", "account_no"),
        ("HX0005", "account_no"),
    ];
    assert_eq!(fields(&problems), wanted, "{problems:#?}");
    let mut huge = people();
    for one in &mut huge {
        one.amount = "79228162514264337593543950335".parse().unwrap();
    }
    assert_eq!(fields(&make(&profile, &paying(), &huge).unwrap_err()), [("", "amount")]);
}

#[test]
fn a_standard_message_needs_a_payer() {
    let bare = shipped("pain.001", PAIN);
    assert_eq!(fields(&make(&bare, &paying(), &people()).unwrap_err()), [("", "payer")]);
    let payer = format!("{PAIN}payer: {{ name: Example Ltd, account: \"0200001\", cnaps: \"102100099996\" }}\n");
    let mut plain = people();
    for one in &mut plain {
        one.account.bank_name = None;
    }
    let made = make(&shipped("pain.001", &payer), &paying(), &plain).unwrap();
    let text = String::from_utf8(made.bytes).unwrap();
    assert!(text.contains("<CtrlSum>18337.57</CtrlSum>") && text.contains("<Nm>Example Ltd</Nm>"), "{text}");
    assert!(text.contains("<MsgId>01890a5dac96774bbcceb302099a8057</MsgId>"), "{text}");
    assert!(text.contains("<Ustrd>Salary 2026-01</Ustrd>"), "{text}");
}

#[test]
fn a_profile_that_makes_no_sense_is_refused() {
    for (change, by, wanted) in [
        ("bank_file: cn-transfer", "bank_file: other", "they are the same"),
        ("value: amount }", "value: purpose }", "no column has the amount"),
        ("value: cnaps }", "value: cnap }", "did you mean `cnaps`"),
        ("{ name: 工号, value: employee_number }", "{ name: 工号 }", "either `text` or `value`"),
        ("{ name: 工号,", "{ name: 序号,", "two columns `序号`"),
        ("encoding: gbk", "encoding: gbq", "gbk"),
        ("[cnaps, luhn]", "[cnaps, lun]", "luhn"),
        ("currency: CNY", "currency: RMB", "no ISO 4217"),
        ("失败, 交易失败", "成功, 交易失败", "`成功` is in `paid` and in `failed`"),
        ("{ value: run }", "{ value: payer }", "add `payer`"),
    ] {
        assert!(GBK.contains(change), "{change}");
        let found = read("models/bank/cn-transfer.yaml", &GBK.replacen(change, by, 1)).unwrap_err();
        assert!(found.contains(wanted), "{by}: {found}");
    }
}

fn expected() -> Vec<Expected> {
    let of = |one: Transfer| Expected {
        account: one.account.account_no.clone(),
        payslip: one.payslip,
        employee_no: one.employee_no,
        amount: one.amount,
    };
    people().into_iter().map(of).collect()
}

#[test]
fn a_result_says_what_became_of_each_payment() {
    let form = shipped("cn-transfer", GBK).result.unwrap();
    let text = "业务参考号,金额,处理结果,失败原因,银行流水号\r\n\
                01890A5DAC96774BBCCEB302099A8051,\"18,337.50\",成功,,B-1\r\n\
                01890a5dac96774bbcceb302099a8052,0.07,失败,户名不符,\r\n";
    let bytes = encoding_rs::GBK.encode(text).0;
    let found = outcomes(&form, &bytes, RUN, &expected()).unwrap();
    let of = |one: &Outcome| (one.employee_no.clone(), one.paid, one.reason.clone(), one.reference.clone());
    let wanted = [
        ("HX0001".to_owned(), Paid::Paid, None, Some("B-1".to_owned())),
        ("HX0002".to_owned(), Paid::Failed, Some("户名不符".to_owned()), None),
    ];
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), wanted);

    // Another bank names payments by the account, in hundredths.
    let form = shipped("cn-same-bank", CENTS).result.unwrap();
    let account = checked("6222021001000000002");
    let text = format!("账号,金额（分）,状态,原因\n{account},7,成功,\n");
    let found = outcomes(&form, text.as_bytes(), RUN, &expected()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].employee_no.as_str(), found[0].paid), ("HX0002", Paid::Paid));
}

#[test]
fn a_result_with_anything_wrong_says_nothing() {
    let Some(ResultForm::Table(table)) = shipped("cn-transfer", GBK).result else { panic!("no table") };
    let form = ResultForm::Table(ResultTable { encoding: Encoding::UTF_8, skip: 1, ..table });
    let text = "批次汇总\n业务参考号,金额,处理结果,失败原因,银行流水号\n\
                01890a5dac96774bbcceb302099a8051,18337.05,成功,,\n\
                01890a5dac96774bbcceb302099a8051,18337.50,成功,,\n\
                other,1.00,成功,,\n\
                01890a5dac96774bbcceb302099a8052,x,处理中,,\n";
    let problems = outcomes(&form, text.as_bytes(), RUN, &expected()).unwrap_err();
    let wanted =
        [("HX0001", "amount"), ("HX0001", "payment"), ("", "payment"), ("HX0002", "amount"), ("HX0002", "status")];
    assert_eq!(fields(&problems), wanted, "{problems:#?}");
    assert!(problems[4].message.contains("处理中"), "{problems:#?}");
    for (text, wanted) in [
        ("x\n业务参考号,金额\n1,2\n", 3),
        ("x\n", 1),
        ("", 1),
        ("x\n业务参考号,金额,处理结果,失败原因,银行流水号\n", 1),
        ("x\n业务参考号,金额\n1\n", 1),
    ] {
        let problems = outcomes(&form, text.as_bytes(), RUN, &expected()).unwrap_err();
        assert_eq!(problems.len(), wanted, "{text}: {problems:#?}");
        assert!(problems.iter().all(|one| one.field == "file"), "{problems:#?}");
    }
}

/// A report on the file of the run, with what stands in it after the message's own id.
fn report(group: &str, orders: &str) -> String {
    let id = RUN.replace('-', "");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{id}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{orders}</CstmrPmtStsRpt></Document>"
    )
}

fn order(inside: &str) -> String {
    format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>{}</OrgnlPmtInfId>{inside}</OrgnlPmtInfAndSts>", RUN.replace('-', ""))
}

fn payment(last: u8, status: &str, more: &str) -> String {
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>01890a5dac96774bbcceb302099a805{last}</OrgnlEndToEndId>\
         <TxSts>{status}</TxSts>{more}</TxInfAndSts>"
    )
}

#[test]
fn a_status_report_says_what_is_final_and_no_more() {
    let form = shipped("pain.001", PAIN).result.unwrap();
    let told = |text: &str| {
        let found = outcomes(&form, text.as_bytes(), RUN, &expected()).unwrap();
        let of =
            |one: &Outcome| format!("{} {} {:?} {:?}", one.employee_no, one.paid.word(), one.reason, one.reference);
        found.iter().map(of).collect::<Vec<_>>()
    };
    let why = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>account</AddtlInf><AddtlInf>closed</AddtlInf></StsRsnInf>";
    let amount =
        "<AcctSvcrRef>B-7</AcctSvcrRef><OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">18337.5</InstdAmt></Amt></OrgnlTxRef>";
    let both = payment(1, "ACSC", amount) + &payment(2, "RJCT", why);
    let wanted = ["HX0001 PAID None Some(\"B-7\")", "HX0002 FAILED Some(\"AC04: account closed\") None"];
    assert_eq!(told(&report("<GrpSts>PART</GrpSts>", &order(&both))), wanted);
    // The others stand as the whole order does, if that is final.
    let refused = order(&payment(2, "RJCT", why));
    assert_eq!(told(&report("", &refused)), [wanted[1]]);
    assert_eq!(told(&report("<GrpSts>ACSC</GrpSts>", &refused)), [wanted[1], "HX0001 PAID None None"]);
    let all = format!("<GrpSts>RJCT</GrpSts>{why}");
    assert_eq!(told(&report(&all, "")).len(), 2);
    assert!(told(&report(&all, "")).iter().all(|one| one.contains("FAILED Some(\"AC04: account closed\")")));
    for open in ["ACCP", "ACSP", "PDNG", "RCVD"] {
        assert!(told(&report("", &order(&payment(1, open, "")))).is_empty(), "{open}");
        assert!(told(&report(&format!("<GrpSts>{open}</GrpSts>"), "")).is_empty(), "{open}");
    }
    // A bank whose last word is another one.
    let text = PAIN.replace("{ format: pain.002 }", "{ format: pain.002, paid: [ACSP] }");
    let form = shipped("pain.001", &text).result.unwrap();
    let found = outcomes(&form, report("<GrpSts>ACSP</GrpSts>", "").as_bytes(), RUN, &expected()).unwrap();
    assert!(found.len() == 2 && found.iter().all(|one| one.paid == Paid::Paid), "{found:?}");
}

#[test]
fn a_status_report_with_anything_wrong_says_nothing() {
    let form = shipped("pain.001", PAIN).result.unwrap();
    let wrong = |text: &str| {
        let problems = outcomes(&form, text.as_bytes(), RUN, &expected()).unwrap_err();
        fields(&problems).into_iter().map(|(who, field)| format!("{who}/{field}")).collect::<Vec<_>>()
    };
    let amount = "<OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">1</InstdAmt></Amt></OrgnlTxRef>";
    let rows = payment(1, "ACSC", amount) + &payment(1, "ACSC", "") + &payment(2, "DONE", "") + &payment(9, "ACSC", "");
    let all = ["HX0001/amount", "HX0001/payment", "HX0002/status", "/payment"];
    assert_eq!(wrong(&report("", &order(&rows))), all);
    assert_eq!(wrong(&report("<GrpSts>WELL</GrpSts>", "")), ["/status"]);
    assert_eq!(wrong(&report("", "").replace(&RUN.replace('-', ""), "another")), ["/message"]);
    let order = order("").replace(&RUN.replace('-', ""), "another");
    assert_eq!(wrong(&report("", &order)), ["/message"]);
    for text in ["", "status;paid", "<Document/>", "<!DOCTYPE x><Document/>", "<Document><CstmrPmtStsRpt>"] {
        assert_eq!(wrong(text), ["/file"], "{text}");
    }
    let found = read("models/bank/cn-transfer.yaml", &GBK.replace("result:", "result: { format: pain.002 }\nx:"));
    assert!(found.unwrap_err().contains("a `pain.002` answers a file of `format: pain.001`"));
}
