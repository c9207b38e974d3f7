//! What stands on a payslip, as rows from top to bottom; where they break is the sheet's business.

use super::{Language, Printed};
use hub_model::entities::pay::{PayLineItem, PayLineKind, PaySide};
use hub_model::enums::EnumOf;
use hub_model::scalars::{Date, Money};
use hub_tree::Decimal;
use serde_json::Value;

/// A group of lines: its name in English and in Chinese, and which kinds belong there.
pub type Group = (&'static str, &'static str, fn(PayLineKind) -> bool);

/// The groups of the employee's lines, in their order; every kind belongs to one.
pub const GROUPS: [Group; 4] = [
    ("Pay", "应发", is_earning),
    ("Social insurance and housing fund", "社保与公积金", is_social),
    ("Tax", "税款", is_tax),
    ("Other deductions and payments", "其他", |kind| !is_earning(kind) && !is_social(kind) && !is_tax(kind)),
];

fn is_earning(kind: PayLineKind) -> bool {
    kind.as_str().starts_with("EARNING_")
}

fn is_social(kind: PayLineKind) -> bool {
    kind.as_str().starts_with("SOCIAL_")
        || matches!(kind, PayLineKind::HousingFund | PayLineKind::ContributionRetirement)
}

fn is_tax(kind: PayLineKind) -> bool {
    kind.as_str().starts_with("TAX_")
}

/// An amount with thousands apart and a real minus: `−1,234.50`.
#[must_use]
pub fn amount(amount: Decimal) -> String {
    let mut rounded = amount;
    rounded.rescale(2);
    let text = rounded.abs().to_string();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, "00"));
    let mut shown = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    let sign = if rounded.is_sign_negative() && !rounded.is_zero() { "−" } else { "" };
    format!("{sign}{shown}.{rest}")
}

/// How a row looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The name of the sheet.
    Title,
    /// A fact of the head: name and value, at two stops.
    Fact,
    /// The name of a group; never the last on a page.
    Heading,
    /// A line of pay: name and amount.
    Line,
    /// How the line above came to its amount; stays with it.
    How,
    /// The sum that counts.
    Net,
}

/// A row: what stands at the left, and at the right or the second stop.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) look: Look,
    pub(super) left: String,
    pub(super) right: String,
}

fn row(look: Look, left: impl Into<String>, right: impl Into<String>) -> Row {
    Row { look, left: plain(&left.into()), right: plain(&right.into()) }
}

/// Text as one line: whatever is blank or steers a terminal is a space.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn day(date: Option<&Date>) -> String {
    date.map(|date| date.0.clone()).unwrap_or_default()
}

fn sum(money: Option<&Money>) -> Option<Decimal> {
    money.and_then(|money| money.amount)
}

/// The rows of a payslip.
pub(super) fn rows(printed: &Printed<'_>) -> Vec<Row> {
    let (slip, lang) = (printed.payslip, printed.language);
    let mut rows = vec![row(Look::Title, lang.say("Payslip", "工资单"), "")];
    let period =
        printed.run.map(|run| format!("{} – {}", day(run.period_start.as_ref()), day(run.period_end.as_ref())));
    let currency = slip.currency.as_ref().map(|currency| currency.0.clone());
    let facts = [
        (lang.say("Company", "公司"), printed.company.map(ToOwned::to_owned)),
        (lang.say("Name", "姓名"), printed.name.map(ToOwned::to_owned)),
        (lang.say("Employee number", "工号"), printed.number.map(ToOwned::to_owned)),
        (lang.say("Period", "期间"), period),
        (lang.say("Paid on", "发薪日"), printed.run.map(|run| day(run.pay_on.as_ref()))),
        (lang.say("Currency", "币种"), currency.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push(row(Look::Fact, name, value));
        }
    }
    let net = sum(slip.net.as_ref()).map(amount).unwrap_or_else(|| "–".to_owned());
    let net = format!("{net} {}", currency.unwrap_or_default());
    rows.push(row(Look::Net, lang.say("Net pay", "实发工资"), net));
    let of_employer = |line: &&PayLineItem| line.side.as_ref().is_some_and(|side| side.value == PaySide::Employer);
    let own: Vec<&PayLineItem> = slip.lines.iter().flatten().filter(|line| !of_employer(line)).collect();
    for (english, chinese, belongs) in GROUPS {
        // A line without a kind must not get lost: it stands with the others.
        let is_last = english == GROUPS[GROUPS.len() - 1].0;
        let in_it = |line: &&&PayLineItem| line.kind.as_ref().map_or(is_last, |kind| belongs(kind.value));
        lines(&mut rows, lang.say(english, chinese), own.iter().filter(in_it).copied());
    }
    lines(&mut rows, lang.say("Paid by the employer", "单位承担"), slip.lines.iter().flatten().filter(of_employer));
    let sums = [
        (lang.say("Gross", "应发合计"), sum(slip.gross.as_ref())),
        (lang.say("Taxable", "应税收入"), sum(slip.taxable.as_ref())),
        (
            lang.say("Carried to the next payslip", "结转至下期"),
            sum(slip.carried_forward.as_ref()).filter(|sum| !sum.is_zero()),
        ),
    ];
    listed(&mut rows, lang.say("Sums", "合计"), &sums);
    if let Some(Value::Object(ytd)) = &slip.ytd {
        let of = |name: &str| ytd.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Decimal>().ok());
        let sums = [
            (lang.say("Gross", "应发"), of("gross")),
            (lang.say("Tax withheld", "已预扣税额"), of("tax")),
            (lang.say("Net", "实发"), of("net")),
        ];
        listed(&mut rows, lang.say("This year so far", "本年累计"), &sums);
    }
    rows
}

fn lines<'l>(rows: &mut Vec<Row>, heading: &str, lines: impl Iterator<Item = &'l PayLineItem>) {
    let begun = rows.len();
    for line in lines {
        let name = line.name.clone().or_else(|| line.code.clone()).unwrap_or_default();
        let figure = sum(line.amount.as_ref()).map(amount).unwrap_or_else(|| "–".to_owned());
        rows.push(row(Look::Line, name, figure));
        if let Some(how) = line.formula.as_ref().and_then(|formula| formula.text.as_ref()) {
            rows.push(row(Look::How, how, ""));
        }
    }
    if rows.len() > begun {
        rows.insert(begun, row(Look::Heading, heading, ""));
    }
}

fn listed(rows: &mut Vec<Row>, heading: &str, sums: &[(&'static str, Option<Decimal>)]) {
    let begun = rows.len();
    for (name, sum) in sums {
        if let Some(sum) = sum {
            rows.push(row(Look::Line, *name, amount(*sum)));
        }
    }
    if rows.len() > begun {
        rows.insert(begun, row(Look::Heading, heading, ""));
    }
}

/// What stands at the foot of each page, so that a sheet alone says whose it is.
pub(super) fn foot(printed: &Printed<'_>) -> String {
    let last = printed.run.map(|run| day(run.period_end.as_ref()));
    let parts = [printed.name, printed.number, last.as_deref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(plain).filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// The number of a page.
pub(super) fn numbered(language: Language, page: usize, of: usize) -> String {
    match language {
        Language::English => format!("Page {page} of {of}"),
        Language::Chinese => format!("第 {page} 页，共 {of} 页"),
    }
}
