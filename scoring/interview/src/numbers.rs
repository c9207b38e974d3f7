//! Scales and measures.

use hub_calc::Exact;
use hub_tree::Decimal;

/// Why a raw score has no place on its scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaleError {
    /// The bounds are equal or swapped.
    #[error("the scale's lowest value is not below its highest")]
    NoScale,
    /// It lies outside the bounds; it is not clamped.
    #[error("the score lies outside its scale")]
    OutOfRange,
}

/// A raw score on a linear scale, from 0 to 100: `100 × (raw − min) ÷ (max − min)`.
///
/// # Errors
/// No scale, or a score outside it.
pub fn normalise(raw: Decimal, min: Decimal, max: Decimal) -> Result<Decimal, ScaleError> {
    if min >= max {
        return Err(ScaleError::NoScale);
    }
    if raw < min || raw > max {
        return Err(ScaleError::OutOfRange);
    }
    let score = linear(&raw.into(), &min.into(), &max.into()).and_then(|score| score.to_decimal());
    score.ok_or(ScaleError::NoScale)
}

/// The same, exactly; `None` outside the scale.
pub(crate) fn linear(raw: &Exact, min: &Exact, max: &Exact) -> Option<Exact> {
    let share = (raw - min).over(&(max - min))?;
    (!share.is_negative() && share <= Exact::one()).then(|| &share * &Exact::hundred())
}

/// A number for people: without trailing zeros; more than six digits after the point are cut with an ellipsis, never
/// rounded, because a rounded number can lie on the other side of a threshold.
#[must_use]
pub fn shown(number: Decimal) -> String {
    let number = number.normalize();
    if number.scale() > 6 { format!("{}…", number.trunc_with_scale(6)) } else { number.to_string() }
}

/// Letters, ideographs and digits of a text.
pub(crate) fn characters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// How fast somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech {
    /// Letters, ideographs and digits; no punctuation, no spaces.
    pub characters: u32,
    /// Characters a second.
    pub rate: Option<Decimal>,
}

/// Measures speech: characters divided by the time without pauses. No rate when no time is left.
#[must_use]
pub fn speech(text: &str, seconds: Decimal, pause_seconds: Decimal) -> Speech {
    let characters = u32::try_from(characters(text)).unwrap_or(u32::MAX);
    let spoken = seconds - pause_seconds;
    let rate = (spoken > Decimal::ZERO).then(|| Decimal::from(characters).checked_div(spoken)).flatten();
    Speech { characters, rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn scales_are_linear_exact_and_never_clamped() {
        for (raw, min, max, wanted) in [
            ("7.5", "0", "10", "75"),
            ("3", "1", "5", "50"),
            ("4", "1", "5", "75"),
            ("8.4", "0", "10", "84"),
            ("41", "0", "50", "82"),
            ("4.8", "1", "5", "95"),
            ("4.5", "0.5", "5", "88.88888888888888888888888889"),
            ("0", "0", "10", "0"),
        ] {
            assert_eq!(normalise(d(raw), d(min), d(max)), Ok(d(wanted)), "{raw} of {min}..{max}");
        }
        assert_eq!(normalise(d("10.01"), d("0"), d("10")), Err(ScaleError::OutOfRange));
        assert_eq!(normalise(d("5"), d("10"), d("10")), Err(ScaleError::NoScale));
    }

    #[test]
    fn shown_numbers_never_cross_a_threshold() {
        assert_eq!(shown(d("84.990")), "84.99");
        assert_eq!(shown(d("84.99999999")), "84.999999…");
        assert_eq!(shown(d("90.0")), "90");
    }

    #[test]
    fn speech_counts_what_is_spoken() {
        let speech = speech("您好，我是 A1！", d("4"), d("1"));
        assert_eq!((speech.characters, speech.rate), (6, Some(d("2"))));
        assert_eq!(super::speech("您好", d("1"), d("1")).rate, None);
    }
}
