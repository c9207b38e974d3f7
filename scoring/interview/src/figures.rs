//! Figures in what somebody says: a result that can be counted, such as `解决率提升30%` or `from 60 to 90 percent`.

use crate::text::plain;

/// What makes a figure of the number before it.
const UNITS: [&str; 31] = [
    "%",
    "‰",
    "倍",
    "万",
    "亿",
    "千",
    "成",
    "人",
    "名",
    "单",
    "次",
    "件",
    "个百分点",
    "元",
    "块",
    "天",
    "周",
    "个月",
    "小时",
    "分钟",
    "秒",
    "percent",
    "times",
    "people",
    "customers",
    "orders",
    "days",
    "weeks",
    "hours",
    "minutes",
    "million",
];
/// Numbers in words, as far as results are told with them.
const HAN: &str = "一二两三四五六七八九十百千";
/// Units that stand behind numbers in words: behind others, such numbers are mostly no measure (一个人, 三次).
const HAN_UNITS: [&str; 4] = ["倍", "成", "万", "亿"];

/// Whether a text holds a figure: a number with a unit, or one number that became another (`60 → 90`).
#[must_use]
pub fn has_figures(text: &str) -> bool {
    let text = plain(text);
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit() || HAN.contains(c)) {
        let found = &rest[at..];
        let digits = found.starts_with(|c: char| c.is_ascii_digit());
        let is_part = |c: char| if digits { c.is_ascii_digit() || c == '.' || c == ',' } else { HAN.contains(c) };
        let end = found.find(|c| !is_part(c)).unwrap_or(found.len());
        let after = found[end..].trim_start_matches([' ', '+', '多', '余']);
        let units: &[&str] = if digits { &UNITS } else { &HAN_UNITS };
        let became = digits && ["->", "→", "到", "to "].iter().any(|arrow| is_number_behind(after, arrow));
        if became || units.iter().any(|unit| after.starts_with(unit)) || is_percent(&rest[..at]) {
            return true;
        }
        rest = &found[end..];
    }
    false
}

fn is_number_behind(text: &str, arrow: &str) -> bool {
    text.strip_prefix(arrow).is_some_and(|after| after.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// 百分之 stands before its number.
fn is_percent(before: &str) -> bool {
    before.ends_with("百分之") || before.ends_with("分之")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_numbers_with_a_unit_or_that_became_others() {
        for told in [
            "解决率提升30%",
            "人工转接率下降２０％",
            "带领 8 人团队",
            "处理过1000+用户投诉，每天 1,200 单",
            "满意度从60到90",
            "from 60 to 90",
            "提升了百分之三十",
            "业绩翻了三倍",
            "saved 12 hours a week",
        ] {
            assert!(has_figures(told), "{told}");
        }
        for told in ["我一个人完成了项目", "第 3 题我没有准备", "那是 2019", "", "十分努力"] {
            assert!(!has_figures(told), "{told}");
        }
    }
}
