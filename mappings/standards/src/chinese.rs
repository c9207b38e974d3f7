//! Chinese numerals and amounts, and the wide forms of letters and digits.

use hub_tree::Decimal;
use hub_tree::value::parse_decimal;

/// Longest numeral that is read, in bytes: all digits that a decimal has, each with its unit.
const MAX_NUMERAL: usize = 256;

/// Wide letters, digits, signs and spaces as ASCII.
#[must_use]
pub fn to_half_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '￥' => '¥',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// ASCII letters, digits, signs and spaces in their wide form.
#[must_use]
pub fn to_full_width(text: &str) -> String {
    let wide = |c: char| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        c => c,
    };
    text.chars().map(wide).collect()
}

fn digit(c: char) -> Option<u32> {
    Some(match c {
        '零' | '〇' | '○' => 0,
        '一' | '壹' | '壱' => 1,
        '二' | '贰' | '貳' | '弐' | '两' | '兩' => 2,
        '三' | '叁' | '參' | '叄' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn unit(c: char) -> Option<u32> {
    Some(match c {
        '十' | '拾' => 10,
        '百' | '佰' => 100,
        '千' | '仟' => 1000,
        _ => return None,
    })
}

fn narrowed(text: &str) -> Option<String> {
    if text.len() > MAX_NUMERAL {
        return None;
    }
    let same = |c: char| match c {
        '萬' => '万',
        '億' => '亿',
        '點' => '点',
        c => c,
    };
    Some(to_half_width(text).chars().filter(|c| !c.is_whitespace()).map(same).collect())
}

/// A number in Chinese or Arabic digits, with the units 十 百 千 万 亿: `一万二千五百`, `贰拾叁`, `二〇二六`, `三点五`,
/// `1.2万`, `负二`. As in speech, 一万二 is 12000 and 一万零二 is 10002. `None` when it is no number.
#[must_use]
pub fn number(text: &str) -> Option<Decimal> {
    signed(&narrowed(text)?, large)
}

/// An amount of money in words or digits, in its major unit: `壹万贰仟元整`, `1.2万元`, `三元五角`, `¥12,000.50`.
/// `None` when it is none.
#[must_use]
pub fn money(text: &str) -> Option<Decimal> {
    let text = narrowed(text)?;
    let text = ["人民币", "人民幣", "RMB", "CNY", "¥"].iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(&text);
    signed(text, |text| {
        let text = text.strip_suffix(['整', '正']).unwrap_or(text);
        let split = text.split_once(['元', '圆', '圓', '块', '塊']);
        let (whole, rest) = match split {
            Some((whole, rest)) => (Some(large(whole)?), rest),
            None if text.ends_with(['角', '毛', '分']) => (None, text),
            None => return large(text),
        };
        let (tenths, rest) = match rest.split_once(['角', '毛']) {
            Some((tenths, rest)) => (Some(one_digit(tenths)?), rest),
            None => (None, rest),
        };
        let hundredths = match rest.strip_suffix('分') {
            Some(hundredths) => Some(one_digit(hundredths)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        let cents = Decimal::new(i64::from(tenths.unwrap_or(0) * 10 + hundredths.unwrap_or(0)), 2);
        match (whole, tenths.or(hundredths)) {
            (Some(whole), None) => Some(whole),
            (Some(whole), Some(_)) if whole.fract().is_zero() => whole.checked_add(cents),
            (None, Some(_)) => Some(cents),
            _ => None,
        }
    })
}

fn signed(text: &str, read: impl Fn(&str) -> Option<Decimal>) -> Option<Decimal> {
    match text.strip_prefix(['负', '負', '-']) {
        Some(rest) => read(rest).map(|number| -number),
        None => read(text.strip_prefix('+').unwrap_or(text)),
    }
}

/// One digit of either script, a zero before it allowed.
fn one_digit(text: &str) -> Option<u32> {
    let text = if text.chars().count() > 1 { text.strip_prefix('零')? } else { text };
    let mut chars = text.chars();
    let only = chars.next().filter(|_| chars.next().is_none())?;
    only.to_digit(10).or_else(|| digit(only))
}

/// A number with 亿 and 万.
fn large(text: &str) -> Option<Decimal> {
    for (sign, unit) in [('亿', 100_000_000_u32), ('万', 10_000)] {
        if let Some((many, rest)) = text.rsplit_once(sign) {
            let many = if unit == 10_000 { small(many)? } else { large(many)? };
            return with_tail(many, unit, rest);
        }
    }
    small(text)
}

/// `many` times `unit`, and what stands behind the unit.
fn with_tail(many: Decimal, unit: u32, rest: &str) -> Option<Decimal> {
    let high = many.checked_mul(unit.into())?.normalize();
    if rest.is_empty() {
        return Some(high);
    }
    if !many.fract().is_zero() || many.is_zero() {
        return None;
    }
    let digits = rest.trim_start_matches(['零', '〇']);
    let mut chars = rest.chars();
    let low = match (chars.next().and_then(digit), chars.next()) {
        // 一万二: the digit counts the next smaller unit.
        (Some(digit), None) if digits == rest => Decimal::from(digit * (unit / 10)),
        // The same in Arabic digits could mean either.
        _ if rest.len() == 1 => return None,
        // 三万点五: only a fraction is left.
        _ if rest.starts_with('点') => small(&format!("零{rest}"))?,
        _ => large(digits)?,
    };
    if low >= unit.into() { None } else { high.checked_add(low) }
}

/// A number below 万: Arabic digits, or Chinese ones with 十 百 千 and digits behind 点.
fn small(text: &str) -> Option<Decimal> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let number = grouped(digits)?;
        let mut chars = rest.chars();
        return match chars.next() {
            None => Some(number),
            Some(c) => with_tail(number, unit(c)?, chars.as_str()),
        };
    }
    match text.split_once('点') {
        None => whole(text),
        Some((int, fraction)) => {
            let digits: Option<String> =
                fraction.chars().map(|c| char::from_digit(c.to_digit(10).or_else(|| digit(c))?, 10)).collect();
            let digits = digits.filter(|digits| !digits.is_empty())?;
            parse_decimal(&format!("{}.{digits}", whole(int)?))
        }
    }
}

/// Arabic digits; commas only between groups of three.
#[must_use]
pub fn grouped(text: &str) -> Option<Decimal> {
    if !text.contains(',') {
        return parse_decimal(text);
    }
    let (int, fraction) = text.split_once('.').map_or((text, None), |(int, fraction)| (int, Some(fraction)));
    let mut groups = int.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let well_grouped = (1..=3).contains(&first.len())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()))
        && fraction.is_none_or(|fraction| !fraction.contains(','));
    well_grouped.then(|| parse_decimal(&text.replace(',', "")))?
}

/// A whole number in Chinese digits.
fn whole(text: &str) -> Option<Decimal> {
    if text.is_empty() {
        return None;
    }
    if text.chars().all(|c| digit(c).is_some()) {
        // Digit by digit, as years are written.
        let digits: Option<String> = text.chars().map(|c| char::from_digit(digit(c)?, 10)).collect();
        return parse_decimal(&digits?);
    }
    let (mut total, mut last_unit, mut pending, mut zero) = (0_u32, 10_000, None, false);
    for c in text.chars() {
        match (digit(c), unit(c), c) {
            (Some(0), ..) if pending.is_none() && !zero => zero = true,
            (Some(digit), ..) if digit > 0 && pending.is_none() => pending = Some(digit),
            (_, Some(unit), _) if unit < last_unit => {
                let many = match pending.take() {
                    Some(many) => many,
                    None if unit == 10 && !zero => 1,
                    None => return None,
                };
                total += many * unit;
                (last_unit, zero) = (unit, false);
            }
            (_, _, '廿' | '卅') if last_unit > 10 && pending.is_none() => {
                total += if c == '廿' { 20 } else { 30 };
                (last_unit, zero) = (10, false);
            }
            _ => return None,
        }
    }
    match pending {
        // 三百五 is 350, 三百零五 is 305.
        Some(digit) if !zero && last_unit < 10_000 => total += digit * (last_unit / 10),
        Some(digit) => total += digit,
        None if zero => return None,
        None => {}
    }
    Some(total.into())
}

const PLAIN: ([char; 10], [&str; 4]) =
    (['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'], ["", "十", "百", "千"]);
const CAPITAL: ([char; 10], [&str; 4]) =
    (['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'], ["", "拾", "佰", "仟"]);

/// The largest whole number that is written in words: below 万亿亿, where the units are no longer agreed on.
const MAX_WORDS: u64 = 9_999_999_999_999_999;

/// A number in Chinese numerals, in the capital forms of cheques when asked. `None` from ten quadrillion on.
#[must_use]
pub fn numerals(number: Decimal, capital: bool) -> Option<String> {
    let style = if capital { &CAPITAL } else { &PLAIN };
    let number = number.normalize();
    let mut out = String::new();
    if number.is_sign_negative() && !number.is_zero() {
        out.push('负');
    }
    let number = number.abs();
    let whole = u64::try_from(number.trunc()).ok().filter(|whole| *whole <= MAX_WORDS)?;
    let words = whole_words(whole, style);
    out.push_str(match words.strip_prefix("一十") {
        Some(_) if !capital => words.trim_start_matches('一'),
        _ => &words,
    });
    if let Some((_, digits)) = number.to_string().split_once('.') {
        out.push('点');
        out.extend(digits.chars().filter_map(|c| style.0.get(c.to_digit(10)? as usize)));
    }
    Some(out)
}

/// A whole number in words; zero is 零.
fn whole_words(number: u64, style: &([char; 10], [&str; 4])) -> String {
    if number == 0 {
        return style.0[0].to_string();
    }
    let mut out = String::new();
    // 亿 counts what stands before it, 万亿 included; each of the four groups has at most four digits.
    let groups = [(1_000_000_000_000_u64, "万"), (100_000_000, "亿"), (10_000, "万"), (1, "")];
    for (size, name) in groups {
        let group = number / size % 10_000;
        if group > 0 {
            if !out.is_empty() && (group < 1_000 || number / size % 100_000 / 10_000 == 0) {
                out.push(style.0[0]);
            }
            group_words(group, style, &mut out);
            out.push_str(name);
        }
        if size == 100_000_000 && group == 0 && !out.is_empty() {
            out.push('亿');
        }
    }
    out
}

fn group_words(group: u64, (digits, units): &([char; 10], [&str; 4]), out: &mut String) {
    let mut gap = false;
    let mut begun = false;
    for (size, unit) in [(1_000, units[3]), (100, units[2]), (10, units[1]), (1, units[0])] {
        let digit = group / size % 10;
        if digit == 0 {
            gap = begun;
            continue;
        }
        if gap {
            out.push(digits[0]);
        }
        out.extend(usize::try_from(digit).ok().and_then(|digit| digits.get(digit)));
        out.push_str(unit);
        (gap, begun) = (false, true);
    }
}

/// An amount of yuan in capitals, as cheques and contracts write it: `壹万贰仟元整`, `叁元零伍分`. `None` for more than
/// two digits after the point and from ten quadrillion on.
#[must_use]
pub fn money_in_words(amount: Decimal) -> Option<String> {
    let cents = amount.abs().checked_mul(Decimal::ONE_HUNDRED).filter(|cents| cents.fract().is_zero())?;
    let cents = u64::try_from(cents).ok()?;
    let (whole, tenths, hundredths) = (cents / 100, cents / 10 % 10, cents % 10);
    if whole > MAX_WORDS {
        return None;
    }
    let digit =
        |digit: u64| usize::try_from(digit).ok().and_then(|digit| CAPITAL.0.get(digit)).copied().unwrap_or('零');
    let mut out = String::new();
    if amount.is_sign_negative() && cents > 0 {
        out.push('负');
    }
    if whole > 0 || cents == 0 {
        out.push_str(&whole_words(whole, &CAPITAL));
        out.push('元');
    }
    if tenths > 0 {
        out.push(digit(tenths));
        out.push('角');
    } else if hundredths > 0 && whole > 0 {
        out.push('零');
    }
    if hundredths > 0 {
        out.push(digit(hundredths));
        out.push('分');
    } else {
        out.push('整');
    }
    Some(out)
}

#[cfg(test)]
mod tests;
