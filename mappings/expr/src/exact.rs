//! Compares numbers as their sources wrote them, however long they are.

use hub_tree::Value;
use std::cmp::Ordering;

/// The order of two numbers; `None` when one is no number, or its exponent is beyond all use.
pub(crate) fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    if let (Some(l), Some(r)) = (left.as_decimal(), right.as_decimal()) {
        return Some(l.cmp(&r));
    }
    let (l, r) = (Written::of(left)?, Written::of(right)?);
    Some(match (l.sign, r.sign) {
        (0, 0) => Ordering::Equal,
        (a, b) if a != b => a.cmp(&b),
        (sign, _) => {
            let size = (l.top, &l.digits).cmp(&(r.top, &r.digits));
            if sign < 0 { size.reverse() } else { size }
        }
    })
}

/// `sign × 0.digits × 10^top`; the digits begin and end with none that is zero.
struct Written {
    sign: i8,
    top: i64,
    digits: Vec<u8>,
}

impl Written {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Number(text) => Self::parse(text),
            Value::Decimal(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        let trailing = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        digits.truncate(digits.len() - trailing);
        let sign = match (digits.is_empty(), mantissa.starts_with('-')) {
            (true, _) => 0,
            (_, true) => -1,
            _ => 1,
        };
        let above = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(leading).ok()?)?;
        Some(Self { sign, top: above.checked_add(exponent)?, digits })
    }
}
