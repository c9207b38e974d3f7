//! Decimals against exact rational arithmetic: an oracle that shares no code with the evaluator.

use super::cases;
use crate::{Cx, Expr, Scope, Type};
use hub_tree::{Arena, Value, json};
use num_bigint::{BigInt, Sign};
use num_rational::BigRational;
use proptest::prelude::*;

/// The largest whole number that a decimal's digits may spell: 2^96 - 1, of 29 digits.
fn most() -> BigInt {
    (BigInt::from(1) << 96) - 1
}

fn ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// The value that a number's text stands for.
fn exact(text: &str) -> BigRational {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
    let shift = exponent - i32::try_from(fraction.len()).unwrap();
    let scale = ten(shift.unsigned_abs());
    if shift < 0 { BigRational::new(digits, scale) } else { BigRational::from_integer(digits * scale) }
}

/// Rounds to a whole number. `halves` says where a half goes, given the floor: up, or not.
fn rounded(value: &BigRational, halves: impl Fn(&BigInt) -> bool) -> BigInt {
    let floor = value.floor().to_integer();
    let rest = value - BigRational::from_integer(floor.clone());
    let half = BigRational::new(BigInt::from(1), BigInt::from(2));
    if rest > half || (rest == half && halves(&floor)) { floor + 1 } else { floor }
}

fn is_odd(number: &BigInt) -> bool {
    number.bit(0)
}

/// The nearest decimal: with as many digits behind the point as its 96 bits hold, at most 28; halves to even.
/// `None` when it is too large.
fn nearest(value: &BigRational) -> Option<BigRational> {
    (0..=28).rev().find_map(|digits| {
        let scaled = rounded(&(value * ten(digits)), is_odd);
        let (_, magnitude) = scaled.clone().into_parts();
        (BigInt::from_biguint(Sign::Plus, magnitude) <= most()).then(|| BigRational::new(scaled, ten(digits)))
    })
}

/// Runs a program over `a` and `b` as numbers of a payload.
fn eval(program: &str, a: &str, b: &str) -> Result<String, String> {
    let arena = Arena::new();
    let scope = Scope::new([("a", Type::Number), ("b", Type::Number)]);
    let expr = Expr::compile(program, &scope).map_err(|problems| problems[0].message.clone())?;
    let slots = vec![Value::Number(arena.text(a)), Value::Number(arena.text(b))];
    expr.eval(&mut Cx::new(&arena, slots)).map(|value| json::to_string(&value)).map_err(|error| error.message)
}

/// Numbers as text: few digits or many, near the limits, with zeros at the end, in exponents.
fn number() -> impl Strategy<Value = String> {
    let digits = prop_oneof![
        "[0-9]{1,4}",
        "[0-9]{1,14}",
        "[0-9]{20,27}",
        Just("79228162514264337593543950335".to_owned()),
        Just("39614081257132168796771975168".to_owned()),
        "[1-9]0{1,20}",
        "9{1,28}"
    ];
    (digits, 0_usize..30, any::<bool>(), 0_u8..8).prop_map(|(digits, point, negative, style)| {
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        let sign = if negative { "-" } else { "" };
        if style == 0 && digits.len() < 10 {
            return format!("{sign}{digits}e-{}", point / 2);
        }
        if style == 1 && digits.len() < 10 {
            return format!("{sign}{digits}E{}", point / 2);
        }
        let point = point.min(28);
        if point == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = point + 1);
        let (whole, fraction) = padded.split_at(padded.len() - point);
        format!("{sign}{whole}.{fraction}")
    })
}

fn check(program: &str, a: &str, b: &str, wanted: Option<BigRational>) -> Result<(), TestCaseError> {
    match (eval(program, a, b), wanted) {
        (Ok(found), Some(wanted)) => {
            prop_assert_eq!(exact(&found), wanted, "{} of {} and {} is {}", program, a, b, &found);
            prop_assert!(!found.starts_with("-0") || found.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9']));
        }
        (Err(message), None) => prop_assert!(message.contains("28 digits"), "{message}"),
        (found, wanted) => prop_assert!(false, "{program} of {a} and {b}: {found:?}, not {wanted:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn the_four_operations_give_the_nearest_decimal(a in number(), b in number()) {
        let (x, y) = (exact(&a), exact(&b));
        if nearest(&x).as_ref() != Some(&x) || nearest(&y).as_ref() != Some(&y) {
            return Ok(());
        }
        check("a + b", &a, &b, nearest(&(&x + &y)))?;
        check("a - b", &a, &b, nearest(&(&x - &y)))?;
        check("a * b", &a, &b, nearest(&(&x * &y)))?;
        check("-a", &a, &b, Some(-&x))?;
        check("abs(a)", &a, &b, Some(if x < BigRational::from_integer(0.into()) { -&x } else { x.clone() }))?;
        check("sum([a, b])", &a, &b, nearest(&(&x + &y)))?;
        if y == BigRational::from_integer(0.into()) {
            prop_assert_eq!(eval("a / b", &a, &b), Err("division by zero".to_owned()));
        } else {
            check("a / b", &a, &b, nearest(&(&x / &y)))?;
        }
    }

    #[test]
    fn comparisons_are_exact(a in number(), b in number(), again in any::<bool>()) {
        // Half of the pairs are the same number, spelt with another zero where there is room.
        let b = if again && a.contains('.') && !a.contains(['e', 'E']) && a.len() < 25 { format!("{a}0") } else { b };
        let (x, y) = (exact(&a), exact(&b));
        for (program, wanted) in [
            ("a == b", x == y), ("a != b", x != y), ("a < b", x < y), ("a <= b", x <= y), ("a > b", x > y),
            ("a >= b", x >= y), ("a in [b]", x == y), ("a in [1, b, a]", true),
        ] {
            prop_assert_eq!(eval(program, &a, &b), Ok(wanted.to_string()), "{} of {} and {}", program, &a, &b);
        }
    }

    #[test]
    fn rounding_goes_where_its_name_says(a in number(), digits in 0_u32..=28) {
        let x = exact(&a);
        if nearest(&x).as_ref() != Some(&x) {
            return Ok(());
        }
        let scaled = &x * ten(digits);
        let zero = BigInt::from(0);
        for (name, whole) in [
            ("round", rounded(&scaled, |floor| *floor >= zero)),
            ("round_half_even", rounded(&scaled, is_odd)),
            ("floor", scaled.floor().to_integer()),
            ("ceil", scaled.ceil().to_integer()),
        ] {
            let wanted = BigRational::new(whole, ten(digits));
            match eval(&format!("{name}(a, b)"), &a, &digits.to_string()) {
                Ok(found) => prop_assert_eq!(exact(&found), wanted, "{} of {} to {} is {}", name, &a, digits, &found),
                // Rounded away from zero it may need one digit more than there are.
                Err(message) => prop_assert!(nearest(&wanted).is_none(), "{name} of {a} to {digits}: {message}"),
            }
        }
    }

    #[test]
    fn numbers_that_are_passed_on_keep_their_text(a in number()) {
        prop_assert_eq!(eval("a", &a, "0"), Ok(a.clone()));
        prop_assert_eq!(eval("if(true, a, b)", &a, "0"), Ok(a.clone()));
        prop_assert_eq!(eval("a & ''", &a, "0"), Ok(format!("\"{a}\"")));
    }
}

#[test]
fn spellings_of_one_number_are_one_number() {
    for (program, wanted) in [
        ("-0 == 0", "true"),
        ("-0", "0"),
        ("0 * -5", "0"),
        ("0 - 0.00", "0.00"),
        ("round(-0.4)", "0"),
        ("ceil(-0.5)", "0"),
        ("number('-0')", "0"),
        ("number('1e-7') == 0.0000001", "true"),
        ("number('1E3') == 1000", "true"),
        ("1.10 + 1.100", "2.200"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("1 / 3 * 3 == 1", "false"),
        ("2 / 4", "0.5"),
        ("10 / 4 * 4 == 10", "true"),
        ("5.00 / 2", "2.5"),
        ("79228162514264337593543950335 + 0", "79228162514264337593543950335"),
    ] {
        assert_eq!(eval(program, "0", "0").as_deref(), Ok(wanted), "{program}");
    }
}

#[test]
fn numbers_too_long_to_compute_with_still_compare_exactly() {
    let big = "123456789012345678901234567890";
    for (program, a, b, wanted) in [
        ("a == b", big, "123456789012345678901234567890.0", "true"),
        ("a < b", big, "123456789012345678901234567891", "true"),
        ("a > b", big, "5", "true"),
        ("a == b", "1e400", "10e399", "true"),
        ("a < b", "-1e400", "1e-400", "true"),
        ("a > b", "1e-400", "0", "true"),
        ("a == b", "1.00000000000000000000000000000000000", "1", "true"),
        ("a in [b]", "0.00000000000000000000000000000000010", "1e-34", "true"),
    ] {
        assert_eq!(eval(program, a, b).as_deref(), Ok(wanted), "{program} of {a} and {b}");
    }
    assert!(eval("a + b", big, "1").is_err_and(|message| message.contains("28 digits")));
}
