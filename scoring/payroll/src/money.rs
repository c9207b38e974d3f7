//! Rounding of money: to 分 (0.01), 角 (0.1) or 元 (1) yuan, by the modes that Chinese contribution rules name.
//!
//! Up and half-up work on the magnitude, so that a line and its reversal cancel. House rule: a pay line is rounded once,
//! by [`cents`]; totals are sums of rounded lines.

use hub_calc::Exact;

/// How the last kept digit is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 四舍五入: halves away from zero.
    HalfUp,
    /// 进位: away from zero as soon as anything is left.
    Up,
    /// 舍去: towards zero.
    Down,
}

/// Rounds to decimal places.
#[must_use]
pub fn round(amount: &Exact, places: u32, mode: Mode) -> Exact {
    match mode {
        Mode::HalfUp => amount.rounded(places),
        Mode::Down => amount.cut(places),
        Mode::Up => {
            let kept = amount.cut(places);
            if kept == *amount {
                return kept;
            }
            let unit = unit(places);
            if amount.is_negative() { kept - unit } else { kept + unit }
        }
    }
}

/// One of the last kept digit: `10^-places`.
fn unit(places: u32) -> Exact {
    // A quotient by a power of ten; it is never divided by nothing.
    let ten = Exact::from(10);
    (0..places).fold(Exact::one(), |unit, _| unit.over(&ten).unwrap_or_else(Exact::zero))
}

/// To the cent, halves away from zero: how a pay line is rounded unless its rule says otherwise.
#[must_use]
pub fn cents(amount: &Exact) -> Exact {
    amount.rounded(2)
}

/// A rounding as contribution rules state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Decimal places that are cut to before all else, as in 舍厘见分进角.
    pub cut_first: Option<u32>,
    /// Decimal places that are kept.
    pub places: u32,
    /// How the last one is chosen.
    pub mode: Mode,
    /// Whether an odd last digit is raised (in magnitude) to the even one above it.
    pub even_last_digit: bool,
}

const fn rounding(places: u32, mode: Mode) -> Rounding {
    Rounding { cut_first: None, places, mode, even_last_digit: false }
}

/// The named roundings: their word in requests and packs, the name in the trade, and what they do.
pub const ROUNDINGS: [(&str, &str, Rounding); 10] = [
    ("fen_half_up", "四舍五入到分", rounding(2, Mode::HalfUp)),
    ("jiao_half_up", "四舍五入到角", rounding(1, Mode::HalfUp)),
    ("yuan_half_up", "四舍五入到元", rounding(0, Mode::HalfUp)),
    ("li_to_fen_up", "见厘进分", rounding(2, Mode::Up)),
    ("fen_to_jiao_up", "见分进角", rounding(1, Mode::Up)),
    ("drop_li_fen_to_jiao_up", "舍厘见分进角", Rounding { cut_first: Some(2), ..rounding(1, Mode::Up) }),
    ("jiao_to_yuan_up", "见角进元", rounding(0, Mode::Up)),
    ("fen_down", "舍去到分", rounding(2, Mode::Down)),
    ("jiao_down", "舍去到角", rounding(1, Mode::Down)),
    ("yuan_down", "舍去到元", rounding(0, Mode::Down)),
];

impl Rounding {
    /// To the fen, half up: the default of a contribution.
    pub const FEN: Self = rounding(2, Mode::HalfUp);

    /// The rounding of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        ROUNDINGS.iter().find(|(name, ..)| *name == word).map(|(.., rounding)| *rounding)
    }

    /// Rounds an amount.
    #[must_use]
    pub fn apply(&self, amount: &Exact) -> Exact {
        let cut = self.cut_first.map(|places| amount.cut(places));
        let rounded = round(cut.as_ref().unwrap_or(amount), self.places, self.mode);
        if !self.even_last_digit {
            return rounded;
        }
        let unit = unit(self.places);
        let half = rounded.over(&(&unit + &unit)).unwrap_or_else(Exact::zero);
        let odd = half.floor() != half;
        if !odd {
            rounded
        } else if rounded.is_negative() {
            rounded - unit
        } else {
            rounded + unit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    /// The words in their order, each amount rounded by hand.
    #[test]
    fn each_mode_rounds_as_its_name_says() {
        let table = [
            ("188.655", ["188.66", "188.7", "189", "188.66", "188.7", "188.7", "189", "188.65", "188.6", "188"]),
            ("31.204", ["31.20", "31.2", "31", "31.21", "31.3", "31.2", "32", "31.20", "31.2", "31"]),
            ("31.2", ["31.20", "31.2", "31", "31.20", "31.2", "31.2", "32", "31.20", "31.2", "31"]),
            ("0.001", ["0.00", "0.0", "0", "0.01", "0.1", "0.0", "1", "0.00", "0.0", "0"]),
            ("0", ["0.00", "0.0", "0", "0.00", "0.0", "0.0", "0", "0.00", "0.0", "0"]),
            ("1.45", ["1.45", "1.5", "1", "1.45", "1.5", "1.5", "2", "1.45", "1.4", "1"]),
            ("-0.005", ["-0.01", "0.0", "0", "-0.01", "-0.1", "0.0", "-1", "0.00", "0.0", "0"]),
            ("99.999", ["100.00", "100.0", "100", "100.00", "100.0", "100.0", "100", "99.99", "99.9", "99"]),
        ];
        for (amount, wanted) in table {
            let found = ROUNDINGS.map(|(_, _, rounding)| rounding.apply(&d(amount)).to_places(rounding.places));
            assert_eq!(found, wanted, "{amount}");
        }
        assert_eq!(Rounding::named("fen_half_up"), Some(Rounding::FEN));
        assert_eq!(Rounding::named("half_up"), None);
    }

    #[test]
    fn an_even_last_digit_is_the_next_one_in_magnitude() {
        let even = Rounding { even_last_digit: true, ..Rounding::FEN };
        for (amount, wanted) in [("0.125", "0.14"), ("0.124", "0.12"), ("-0.125", "-0.14"), ("0", "0.00")] {
            assert_eq!(even.apply(&d(amount)).to_places(2), wanted, "{amount}");
        }
    }

    proptest! {
        #[test]
        fn down_is_never_above_half_up_nor_half_up_above_up(thousandths in 0_i64..10_000_000, places in 0_u32..4) {
            let amount = Exact::from(thousandths).over(&Exact::from(1000)).unwrap();
            let [down, half, up] = [Mode::Down, Mode::HalfUp, Mode::Up].map(|mode| round(&amount, places, mode));
            prop_assert!(down <= half && half <= up && down <= amount && amount <= up);
            prop_assert!(&up - &down <= unit(places));
            // A line and its reversal cancel.
            for mode in [Mode::Down, Mode::HalfUp, Mode::Up] {
                prop_assert_eq!(-round(&amount, places, mode), round(&-amount.clone(), places, mode));
            }
        }
    }
}
