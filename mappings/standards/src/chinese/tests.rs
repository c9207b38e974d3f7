//! Numerals and amounts as people write them, and what they must not be taken for.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Option<String> {
    number(text).map(|number| number.normalize().to_string())
}

#[test]
fn numerals_are_read_as_people_mean_them() {
    for (text, wanted) in [
        ("一万二千五百", "12500"),
        ("贰拾叁", "23"),
        ("〇", "0"),
        ("零", "0"),
        ("三点五", "3.5"),
        ("三點一四", "3.14"),
        ("两", "2"),
        ("两万", "20000"),
        ("十", "10"),
        ("十五", "15"),
        ("一百零五", "105"),
        ("一百五", "150"),
        ("一百一十", "110"),
        ("三千零五十", "3050"),
        ("一万二", "12000"),
        ("一万零二", "10002"),
        ("一万零五百", "10500"),
        ("十二万三千四百五十六", "123456"),
        ("一亿", "100000000"),
        ("三亿五", "350000000"),
        ("一亿零五万", "100050000"),
        ("一万亿", "1000000000000"),
        ("二〇二六", "2026"),
        ("廿三", "23"),
        ("卅", "30"),
        ("1.2万", "12000"),
        ("１．２万", "12000"),
        ("3万5000", "35000"),
        ("1万500", "10500"),
        ("3亿5000万", "350000000"),
        ("5千", "5000"),
        ("12,000", "12000"),
        ("负三点五万", "-35000"),
        ("-2", "-2"),
        ("壹萬貳仟", "12000"),
    ] {
        assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
    }
}

#[test]
fn what_is_no_numeral_is_refused() {
    for text in [
        "",
        "万",
        "百",
        "一百零",
        "一零十",
        "十百",
        "一万一万",
        "万万",
        "1万5",
        "1.2万5000",
        "一二三百",
        "abc",
        "一个",
        "三点",
        "点五",
        "三点五点六",
        "1,2万",
        "零万五千",
        "负",
        "一千万百",
        "１２,３",
        "--1",
        "一百零零五",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&"一".repeat(1_000)), None);
}

#[test]
fn amounts_are_read_from_words_and_digits() {
    let money = |text| money(text).map(|amount| amount.normalize().to_string());
    for (text, wanted) in [
        ("1.2万元", "12000"),
        ("壹万贰仟元整", "12000"),
        ("人民币壹佰元整", "100"),
        ("三元五角", "3.5"),
        ("三元零五分", "3.05"),
        ("伍角", "0.5"),
        ("伍分", "0.05"),
        ("¥12,000.50", "12000.5"),
        ("￥8000", "8000"),
        ("12000", "12000"),
        ("一万二块", "12000"),
        ("负壹元", "-1"),
    ] {
        assert_eq!(money(text).as_deref(), Some(wanted), "{text}");
    }
    for bad in ["元", "", "三元五", "3.5元2角", "三角五元", "面议", "8000-12000元", "8k"] {
        assert_eq!(money(bad), None, "{bad}");
    }
}

#[test]
fn numbers_and_amounts_are_written_in_words() {
    let words = |text: &str, capital| numerals(parse_decimal(text).unwrap(), capital);
    for (number, wanted) in [
        ("0", "零"),
        ("10", "十"),
        ("15", "十五"),
        ("110", "一百一十"),
        ("1005", "一千零五"),
        ("10500", "一万零五百"),
        ("12500", "一万二千五百"),
        ("100000", "十万"),
        ("100050000", "一亿零五万"),
        ("1000000000000", "一万亿"),
        ("3.50", "三点五"),
        ("-2", "负二"),
    ] {
        assert_eq!(words(number, false).as_deref(), Some(wanted), "{number}");
    }
    assert_eq!(words("23", true).as_deref(), Some("贰拾叁"));
    assert_eq!(words("10000000000000000", false), None);
    let money = |text: &str| money_in_words(parse_decimal(text).unwrap());
    for (amount, wanted) in [
        ("12000", "壹万贰仟元整"),
        ("0", "零元整"),
        ("10", "壹拾元整"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("3.05", "叁元零伍分"),
        ("0.05", "伍分"),
        ("0.5", "伍角整"),
        ("-1.23", "负壹元贰角叁分"),
        ("20260301", "贰仟零贰拾陆万零叁佰零壹元整"),
    ] {
        assert_eq!(money(amount).as_deref(), Some(wanted), "{amount}");
    }
    assert_eq!(money("0.005"), None);
}

#[test]
fn round_numbers_may_have_a_fraction() {
    for (text, wanted) in [("三万点五", "30000.5"), ("一千九百六十九万九千亿点零一", "1969900000000000.01")]
    {
        assert_eq!(number(text), parse_decimal(wanted), "{text}");
    }
}

proptest! {
    #[test]
    fn numerals_come_back(whole in 0..=MAX_WORDS, cents in 0_u32..100, capital: bool, short in 0_u32..17) {
        let whole = whole / 10_u64.pow(short.min(16));
        let value = Decimal::from(whole) + Decimal::new(i64::from(cents), 2);
        let words = numerals(value, capital).unwrap();
        prop_assert_eq!(number(&words), Some(value), "{}", words);
        let words = money_in_words(value).unwrap();
        prop_assert_eq!(money(&words), Some(value), "{}", words);
    }

    #[test]
    fn widths_come_back(text in "[ -~李娜]{0,40}") {
        let wide = to_full_width(&text);
        prop_assert!(!wide.contains(|c: char| c.is_ascii()));
        prop_assert_eq!(to_half_width(&wide), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[零一二两三四五六七八九十百千万亿点元角分整负0-9.,]{0,14}") {
        let _ = (number(&text), money(&text));
    }
}
