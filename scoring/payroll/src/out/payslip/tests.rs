//! The PDF, read back by another program: `pdftotext` of poppler. The font is that of the Debian package
//! `fonts-wqy-microhei`.

use super::{Face, GROUPS, Language, Printed, Refused, amount, pdf};
use hub_model::entities::pay::{PayLineKind, PayrollRun, Payslip};
use hub_model::enums::EnumOf;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const FONT: &str = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";

fn face() -> Face {
    Face::new(std::fs::read(FONT).expect(FONT), 0).unwrap()
}

fn line(code: &str, (name, kind, side): (&str, &str, &str), amount: &str, how: &str) -> Value {
    json!({ "code": code, "name": name, "kind": { "value": kind }, "side": { "value": side },
        "amount": { "amount": amount, "currency": "CNY" }, "formula": { "text": how } })
}

fn slip(lines: &[Value]) -> Payslip {
    let slip = json!({
        "currency": "CNY", "gross": { "amount": "23250.00", "currency": "CNY" },
        "net": { "amount": "18210.55", "currency": "CNY" }, "lines": lines,
        "ytd": { "gross": "46500.00", "tax": "1203.1", "net": "36421.10" },
    });
    serde_json::from_value(slip).unwrap()
}

fn usual() -> Vec<Value> {
    vec![
        line("BASE", ("基本工资", "EARNING_BASE", "EMPLOYEE"), "20000", "基本工资 = 20000.00"),
        line("BONUS", ("绩效奖金", "EARNING_BONUS", "EMPLOYEE"), "3250", "绩效奖金 = 1500 × 1.5（S）+ 1000 = 3250.00"),
        line("PENSION", ("养老保险", "SOCIAL_PENSION", "EMPLOYEE"), "-1600", "养老保险 = 20000 × 8% = 1600.00"),
        line("PENSION_ER", ("养老保险（单位）", "SOCIAL_PENSION", "EMPLOYER"), "3200", "20000 × 16% = 3200.00"),
        line("TAX", ("个人所得税", "TAX_INCOME", "EMPLOYEE"), "-1203.10", "累计预扣 = 1203.10"),
        line("UNION", ("工会会费", "DEDUCTION_LOAN", "EMPLOYEE"), "-20", "工会会费 = 20.00"),
    ]
}

fn run() -> PayrollRun {
    serde_json::from_value(json!({ "period_start": "2026-02-01", "period_end": "2026-02-28", "pay_on": "2026-02-28" }))
        .unwrap()
}

fn made(slip: &Payslip, name: &str, language: Language) -> Result<Vec<u8>, Refused> {
    let run = run();
    let printed = Printed {
        payslip: slip,
        run: Some(&run),
        company: Some("禾木（上海）科技有限公司"),
        name: Some(name),
        number: Some("HX0001"),
        language,
    };
    pdf(&printed, &face())
}

/// Pages of text, as somebody copies it.
fn text(pdf: &[u8]) -> Vec<String> {
    let mut command = Command::new("pdftotext");
    command.args(["-layout", "-enc", "UTF-8", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("poppler-utils is installed");
    let mut stdin = child.stdin.take().unwrap();
    let bytes = pdf.to_vec();
    let writing = std::thread::spawn(move || stdin.write_all(&bytes));
    let out = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).unwrap();
    text.trim_end_matches('\u{c}').split('\u{c}').map(ToOwned::to_owned).collect()
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_line_can_be_read_and_searched() {
    let slip = slip(&usual());
    let bytes = made(&slip, "林夏", Language::Chinese).unwrap();
    let pages = text(&bytes);
    assert_eq!(pages.len(), 1);
    let said = without_spaces(&pages[0]);
    let expected = [
        "工资单",
        "公司禾木（上海）科技有限公司",
        "姓名林夏",
        "工号HX0001",
        "期间2026-02-01–2026-02-28",
        "发薪日2026-02-28",
        "实发工资18,210.55CNY",
        "应发",
        "基本工资20,000.00",
        "基本工资=20000.00",
        "绩效奖金3,250.00",
        "绩效奖金=1500×1.5（S）+1000=3250.00",
        "社保与公积金",
        "养老保险−1,600.00",
        "税款",
        "个人所得税−1,203.10",
        "其他",
        "工会会费−20.00",
        "单位承担",
        "养老保险（单位）3,200.00",
        "应发合计23,250.00",
        "本年累计",
        "已预扣税额1,203.10",
        "第1页，共1页",
    ];
    for words in expected {
        assert!(said.contains(words), "{words} is missing in {said}");
    }
    let english = without_spaces(&text(&made(&slip, "Petra Osei", Language::English).unwrap())[0]);
    for words in
        ["Payslip", "NamePetraOsei", "Netpay18,210.55CNY", "基本工资20,000.00", "Paidbytheemployer", "Page1of1"]
    {
        assert!(english.contains(words), "{words} is missing in {english}");
    }
    // A subset of the font: the file is far smaller than the font.
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
}

#[test]
fn the_same_payslip_gives_the_same_bytes() {
    let slip = slip(&usual());
    assert_eq!(made(&slip, "林夏", Language::Chinese), made(&slip, "林夏", Language::Chinese));
}

#[test]
fn long_payslips_go_over_pages_and_lose_nothing() {
    let mut lines = usual();
    for index in 0..70 {
        let how = format!("第{index}项 = {}", "工作日加班工资按小时工资的一点五倍计算，".repeat(index % 7 + 1));
        lines.push(line(
            &format!("L{index}"),
            (&format!("津贴{index}号"), "EARNING_ALLOWANCE", "EMPLOYEE"),
            "12.5",
            &how,
        ));
    }
    let pages = text(&made(&slip(&lines), "林夏", Language::Chinese).unwrap());
    assert!(pages.len() > 2, "{}", pages.len());
    for (index, page) in pages.iter().enumerate() {
        let number = format!("第{}页，共{}页", index + 1, pages.len());
        assert!(without_spaces(page).ends_with(&format!("林夏·HX0001·2026-02-28{number}")), "{page}");
        let first = without_spaces(page.lines().find(|line| !line.trim().is_empty()).unwrap());
        assert!(index == 0 || !first.ends_with('，'), "a line and its explanation were torn apart: {first}");
    }
    let whole = without_spaces(&pages.concat());
    assert_eq!(whole.matches("工资单").count(), 1);
    for index in 0..70 {
        assert!(whole.contains(&format!("津贴{index}号12.50第{index}项=工作日加班工资")), "{index}");
    }
    let phrases = whole.matches("一点五倍计算，").count();
    assert_eq!(phrases, (0..70).map(|index| index % 7 + 1).sum::<usize>());
}

#[test]
fn an_explanation_longer_than_a_page_is_cut_between_lines() {
    let how = "甲乙丙丁".repeat(2_000);
    let lines = [line("BASE", ("基本工资", "EARNING_BASE", "EMPLOYEE"), "1", &how)];
    let pages = text(&made(&slip(&lines), "林夏", Language::English).unwrap());
    assert!(pages.len() > 2);
    assert_eq!(pages.concat().matches(['甲', '乙', '丙', '丁']).count(), 8_000);
}

#[test]
fn characters_that_cannot_be_set_are_all_named() {
    let refused = made(&slip(&usual()), "林\u{10348}夏 \u{0633}", Language::Chinese).unwrap_err();
    let Refused::Lacks(lacking) = &refused else { panic!("{refused}") };
    assert_eq!(lacking.iter().copied().collect::<Vec<_>>(), ['\u{0633}', '\u{10348}']);
    assert!(refused.to_string().contains("U+10348"), "{refused}");
}

#[test]
fn what_is_no_font_is_refused() {
    Face::new(b"%PDF-1.7".to_vec(), 0).unwrap_err();
    Face::new(std::fs::read(FONT).unwrap(), 9).unwrap_err();
}

#[test]
fn every_kind_belongs_to_one_group() {
    for word in PayLineKind::ENUM.values {
        let kind = PayLineKind::from_wire(word).unwrap();
        let groups = GROUPS.iter().filter(|(_, _, belongs)| belongs(kind)).count();
        assert_eq!(groups, 1, "{word}");
    }
    assert_eq!(amount("-1234567.5".parse().unwrap()), "−1,234,567.50");
}
