//! Distributions, by a well-kept library; the one place of binary floats. What leaves is text with stated places.

use statrs::distribution::{ContinuousCDF, Normal};

/// The standard normal distribution function.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// Its inverse; `None` outside 0 to 1, both ends left out.
#[must_use]
pub fn normal_quantile(p: f64) -> Option<f64> {
    (p > 0.0 && p < 1.0).then(|| Normal::standard().inverse_cdf(p))
}

/// A float with exactly so many decimal places; `None` for what is no number. Never `-0`.
#[must_use]
pub fn to_places(number: f64, places: usize) -> Option<String> {
    let text = number.is_finite().then(|| format!("{number:.places$}"))?;
    let zero = text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    Some(if zero { text.trim_start_matches('-').to_owned() } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        assert_eq!(to_places(normal_cdf(1.959_963_984_540_054), 10).as_deref(), Some("0.9750000000"));
        assert_eq!(normal_quantile(0.975).and_then(|z| to_places(z, 6)).as_deref(), Some("1.959964"));
        assert_eq!(normal_quantile(1.0), None);
        assert_eq!(to_places(-0.000_01, 2).as_deref(), Some("0.00"));
        assert_eq!(to_places(f64::NAN, 2), None);
    }
}
