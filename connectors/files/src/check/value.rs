//! One cell against the rules of its field.

use super::Context;
use super::day::{self, Day};
use crate::clean;
use crate::grid::{Cell, CellKind};
use crate::number::serial_day;
use crate::problem::Said;
use crate::target::{Field, FieldKind};
use hub_standards::chinese::{grouped, to_half_width};
use hub_standards::contact::{parse_email, parse_phone};
use hub_tree::Decimal;
use hub_tree::rust_decimal::RoundingStrategy;

/// What is wrong with a cell: its code and its words.
pub(super) type Problem = (&'static str, Said);

/// A cell that was understood.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// The value; `None` where the cell says that there is none.
    pub(super) value: Option<String>,
    /// What should be looked at nevertheless.
    pub(super) warning: Option<Problem>,
}

impl Clean {
    fn of(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), warning: None }
    }
}

fn problem<T>(
    code: &'static str,
    en: impl Into<std::borrow::Cow<'static, str>>,
    zh: impl Into<std::borrow::Cow<'static, str>>,
) -> Result<T, Problem> {
    Err((code, Said::new(en, zh)))
}

/// The errors of cells in sheets; in a CSV file they are text.
const ERRORS: &[&str] =
    &["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"];

/// What makes a cell unusable whatever it is for.
fn unusable(cell: &Cell) -> Result<(), Problem> {
    let text = cell.text().trim();
    if cell.kind == CellKind::Error || ERRORS.contains(&text.to_ascii_uppercase().as_str()) {
        return problem(
            "CELL_ERROR",
            "the cell shows an error of the sheet; put the value in its place",
            "单元格是错误值；请改为实际的值",
        );
    }
    // A report writes an apostrophe before what is no text; that does not make it one.
    let formula = cell.kind == CellKind::Text
        && match text.strip_prefix('\'').unwrap_or(text).as_bytes() {
            [b'=' | b'@', ..] => true,
            [b'+', rest @ ..] => !rest.first().is_some_and(u8::is_ascii_digit),
            _ => false,
        };
    if formula || cell.kind == CellKind::Formula {
        return problem(
            "FORMULA",
            "the cell is a formula without a trusted result; copy it and paste the value",
            "单元格是公式且没有可信的结果；请复制后“粘贴为数值”",
        );
    }
    if cell.text().chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return problem(
            "CONTROL_CHARACTER",
            "the cell has characters that cannot be seen; type it anew",
            "单元格含有不可见的控制字符；请重新输入",
        );
    }
    Ok(())
}

/// Checks and cleans a cell. What other cells of the row decide (identity numbers) or other rows is left to the caller.
pub(super) fn clean(field: &Field, cell: &Cell, from_1904: bool, cx: &Context<'_>) -> Result<Clean, Problem> {
    if cell.is_blank() {
        return Ok(Clean::default());
    }
    // What cannot be short enough however it is tidied is not tidied.
    if cell.text().len() > field.max.saturating_mul(4).saturating_add(4_096) {
        return too_long(field);
    }
    unusable(cell)?;
    if clean::means_nothing(cell.text()) {
        return Ok(Clean::default());
    }
    let made = by_kind(field, cell, from_1904, cx)?;
    if made.value.as_ref().is_some_and(|value| value.chars().count() > field.max) {
        return too_long(field);
    }
    Ok(made)
}

fn too_long(field: &Field) -> Result<Clean, Problem> {
    problem(
        "TOO_LONG",
        format!("the text is longer than {} characters", field.max),
        format!("内容超过 {} 个字", field.max),
    )
}

fn by_kind(field: &Field, cell: &Cell, from_1904: bool, cx: &Context<'_>) -> Result<Clean, Problem> {
    let text = cell.text();
    Ok(match field.kind {
        FieldKind::Text => Clean::of(clean::trimmed(&text.replace("\r\n", "\n").replace('\r', "\n"))),
        FieldKind::Line
        | FieldKind::Department
        | FieldKind::Level
        | FieldKind::Position
        | FieldKind::Parent
        | FieldKind::Manager => Clean::of(clean::on_one_line(text)),
        FieldKind::Code | FieldKind::Person => Clean::of(clean::plain(text)),
        FieldKind::Name => Clean::of(clean::name(text)),
        FieldKind::Identity | FieldKind::Account => return number(field.kind, cell),
        FieldKind::Date | FieldKind::EndDate | FieldKind::Moment => return date(field.kind, cell, from_1904, cx),
        FieldKind::Amount => return amount(cell),
        FieldKind::Enum => return choice(field, text),
        FieldKind::Phone => return phone(text),
        FieldKind::Email => match parse_email(&clean::plain(text)) {
            Ok(address) => Clean::of(address),
            Err(_) => {
                return problem(
                    "EMAIL",
                    "this is no e-mail address: one @, and a dot behind it",
                    "邮箱格式不正确：应有一个 @，且其后有点号",
                );
            }
        },
        FieldKind::Months => return months(text),
        FieldKind::Count => return count(text),
        FieldKind::Ignored => Clean::default(),
    })
}

/// A long number, from which a number cell has lost digits.
fn number(kind: FieldKind, cell: &Cell) -> Result<Clean, Problem> {
    let plain = clean::plain(cell.text());
    let scientific = || {
        let (mantissa, exponent) = plain.split_once(['E', 'e'])?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        (digits(mantissa) && digits(exponent)).then_some(())
    };
    if cell.kind == CellKind::Number || scientific().is_some() {
        return problem(
            "ID_LOST_DIGITS",
            "the cell is a number, of which sheets keep 15 digits only; make the column text and enter it anew",
            "单元格为数字格式，超过 15 位的部分已丢失；请把该列设为文本后重新录入",
        );
    }
    let bare: String = plain.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if kind == FieldKind::Account {
        if !bare.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return problem("ACCOUNT", "an account number has digits and letters only", "账号只能由数字和字母组成");
        }
        return Ok(Clean::of(bare));
    }
    Ok(Clean::of(bare.to_uppercase()))
}

fn date(kind: FieldKind, cell: &Cell, from_1904: bool, cx: &Context<'_>) -> Result<Clean, Problem> {
    let mut warning = None;
    let at = match day::read(cell.text()) {
        Day::At(at) => at,
        Day::Zero => return Ok(Clean::default()),
        Day::Serial(days) => match serial_day(days, from_1904) {
            Some(day) => {
                let said = Said::new(
                    format!("the cell is the bare number of a day; it was taken for {day}"),
                    format!("单元格是日期序列号，已按 {day} 处理"),
                );
                warning = Some(("DATE_SERIAL", said));
                day.to_datetime(hub_tree::jiff::civil::Time::midnight())
            }
            None => return no_date(),
        },
        Day::None => return no_date(),
    };
    if cx.open_ends.contains(&at.date()) {
        return Ok(Clean::default());
    }
    let value = if kind == FieldKind::Moment { at.to_string() } else { at.date().to_string() };
    Ok(Clean { value: Some(value), warning })
}

fn no_date<T>() -> Result<T, Problem> {
    problem(
        "DATE",
        "this is no day of the calendar; write it like 2024-03-05",
        "不是有效的日期；请写成 2024-03-05 的形式",
    )
}

fn amount(cell: &Cell) -> Result<Clean, Problem> {
    let refuse = || {
        problem(
            "AMOUNT",
            "this is no amount; write digits alone, such as 12000.50",
            "不是有效的金额；请只写数字，例如 12000.50",
        )
    };
    if !matches!(cell.kind, CellKind::Number | CellKind::Text) {
        return refuse();
    }
    let plain = to_half_width(&clean::on_one_line(cell.text()));
    let bare: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_start_matches(['¥', '￥']);
    let bare = bare.strip_suffix('元').unwrap_or(bare);
    let digits = bare.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'));
    let Some(amount) = Some(bare).filter(|_| digits).and_then(grouped) else { return refuse() };
    if amount >= Decimal::from(1_000_000_000_000_i64) {
        return refuse();
    }
    let mut amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    amount.rescale(2);
    Ok(Clean::of(amount.to_string()))
}

fn choice(field: &Field, text: &str) -> Result<Clean, Problem> {
    match field.value_of(text) {
        Some(value) => Ok(Clean::of(value)),
        None => {
            let known: Vec<&str> = field.codes.iter().map(String::as_str).take(20).collect();
            problem(
                "ENUM",
                format!("the value is none of those known: {}", known.join(", ")),
                format!("取值不在可选范围内：{}", known.join("、")),
            )
        }
    }
}

fn phone(text: &str) -> Result<Clean, Problem> {
    let plain = clean::plain(text);
    let bare: String = plain.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '–' | '—')).collect();
    let local = ["+86", "0086", "(+86)", "(86)"].iter().find_map(|prefix| bare.strip_prefix(prefix));
    let local = local.or_else(|| bare.strip_prefix("86").filter(|rest| rest.len() == 11)).unwrap_or(&bare);
    let mobile = |number: &str| matches!(number.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit));
    if mobile(local) {
        return Ok(Clean::of(format!("+86{local}")));
    }
    // Another country says so itself.
    if bare.starts_with('+')
        && !bare.starts_with("+86")
        && let Ok(number) = parse_phone(&bare, None)
    {
        return Ok(Clean::of(number.e164));
    }
    problem(
        "PHONE",
        "this is no mobile number: eleven digits that begin with 13 to 19, or a country's prefix with +",
        "手机号不正确：应为 13–19 开头的 11 位数字，境外号码请加 + 和国家代码；一格只填一个号码",
    )
}

/// A whole number of at most four digits.
fn whole(text: &str) -> Option<u32> {
    (text.len() <= 4).then(|| text.parse::<u32>().ok()).flatten().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn months(text: &str) -> Result<Clean, Problem> {
    let plain = clean::plain(text);
    let bare: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_end_matches("months").trim_end_matches("month");
    let bare = bare.strip_suffix("个月").or_else(|| bare.strip_suffix('月')).unwrap_or(bare);
    match whole(bare).filter(|months| *months <= 600) {
        Some(months) => Ok(Clean::of(months.to_string())),
        None => problem("NUMBER", "this is no number of whole months", "不是整数的月数"),
    }
}

fn count(text: &str) -> Result<Clean, Problem> {
    match whole(&clean::plain(text)) {
        Some(count) => Ok(Clean::of(count.to_string())),
        None => problem("NUMBER", "this is no whole number", "不是整数"),
    }
}
