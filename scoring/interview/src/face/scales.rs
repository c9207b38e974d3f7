//! Scales: one for all, and those of ranks.

use super::{check_within, listed, number, told};
use crate::numbers::{linear, shown};
use crate::statistics::{percentile_of_z, t_of_percentile};
use hub_calc::{Answer, Exact, Given, Wrong, stats};
use hub_tree::Value;

/// A scale as a request states it.
enum Scale {
    Linear {
        min: Exact,
        max: Exact,
        reverse: bool,
    },
    Letter(Vec<(String, Exact)>),
    Percentile {
        group: String,
    },
    /// Normal curves: mean and standard deviation, and the bounds of a raw score where there are any.
    Normal {
        name: &'static str,
        mean: Exact,
        deviation: Exact,
        bounds: Option<(i64, i64)>,
    },
    PassFail,
}

fn normal(kind: &str) -> Option<Scale> {
    let half = |tenths: i64| Exact::from(tenths).over(&Exact::from(10)).unwrap_or_else(Exact::zero);
    let (name, mean, deviation, bounds) = match kind {
        "z" | "zscore" => ("z", Exact::zero(), Exact::one(), None),
        "t" | "tscore" => ("T", Exact::from(50), Exact::from(10), None),
        "sten" => ("sten", half(55), Exact::from(2), Some((1, 10))),
        "stanine" => ("stanine", Exact::from(5), Exact::from(2), Some((1, 9))),
        _ => return None,
    };
    Some(Scale::Normal { name, mean, deviation, bounds })
}

fn scale(given: &Given<'_>) -> Result<Scale, Wrong> {
    let scale = given.map("scale")?;
    // `pass_fail` and `pass/fail`, `T` and `T-score` are one.
    let kind: String = scale.text("kind")?.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match kind.as_str() {
        "linear" => {
            let (min, max) = (scale.number("min")?, scale.number("max")?);
            if min >= max {
                return Err(
                    scale.wrong("max", &format!("the scale ends at {max} and begins at {min}: it has no range"))
                );
            }
            Ok(Scale::Linear { min, max, reverse: scale.flag_or("reverse", false)? })
        }
        "letter" => {
            let table = scale.numbers("table")?;
            let letters = scale.map("table")?;
            for (letter, score) in &table {
                check_within(&letters, letter, score, 0, 100)?;
            }
            Ok(Scale::Letter(table.into_iter().map(|(letter, score)| (letter.to_owned(), score)).collect()))
        }
        "percentile" => {
            let group =
                scale.text("norm_group").ok().map(str::trim).filter(|group| !group.is_empty()).ok_or_else(|| {
                    scale.wrong("norm_group", "a percentile is a rank within a norm group; `norm_group` is missing")
                })?;
            Ok(Scale::Percentile { group: group.to_owned() })
        }
        "passfail" => Ok(Scale::PassFail),
        _ => match normal(&kind) {
            Some(scale) => Ok(scale),
            None => {
                let (kind, known) = (scale.text("kind")?, "linear, letter, percentile, z, T, sten, stanine, pass_fail");
                Err(scale.wrong("kind", &format!("there is no scale of the kind `{kind}`; known: {known}")))
            }
        },
    }
}

/// Where a raw score lies on its scale.
pub(super) fn normalise(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let answer = Answer::new(given.arena());
    match scale(&given)? {
        Scale::Linear { min, max, reverse } => {
            let raw = given.number("raw")?;
            let Some(upwards) = linear(&raw, &min, &max) else {
                return Err(given.wrong("raw", &format!("{raw} is outside the range {min} to {max} of its scale")));
            };
            let formula = format!("100 × ({raw} − {min}) ÷ ({max} − {min})");
            let step = number(formula.clone(), "raw", &upwards);
            if !reverse {
                return Ok(answer.number("score", &upwards, 6).because(step));
            }
            let score = Exact::hundred() - &upwards;
            let reversed = number(format!("100 − {formula}, because the scale is reversed"), "scale.reverse", &score);
            Ok(answer.number("score", &score, 6).because(reversed.because(vec![step])))
        }
        Scale::Letter(table) => {
            let raw = match given.value().get("raw") {
                Value::Number(digit) => digit,
                _ => given.text("raw")?,
            };
            let known = table.iter().find(|(letter, _)| letter == raw.trim());
            let (_, score) = known.ok_or_else(|| {
                let letters: Vec<&str> = table.iter().map(|(letter, _)| letter.as_str()).collect();
                given.wrong("raw", &format!("the scale has no grade `{raw}`; its grades: {}", listed(&letters)))
            })?;
            Ok(answer.number("score", score, 6).because(number(format!("`{raw}` by the vendor's table"), "raw", score)))
        }
        Scale::Percentile { group } => {
            let raw = given.number("raw")?;
            check_within(&given, "raw", &raw, 0, 100).map_err(|_| beyond(&given, &raw))?;
            let why = format!("a percentile is a rank in the group {group}, and no score");
            let answer = answer.text("result", "percentile").number("percentile", &raw, 2).text("norm_group", &group);
            Ok(answer.because(number(why, "raw", &raw)))
        }
        Scale::Normal { name, mean, deviation, bounds } => {
            let (percentile, step) = ranked(&given, name, &mean, &deviation, bounds)?;
            Ok(answer.text("result", "percentile").text("percentile", &percentile).because(step))
        }
        Scale::PassFail => {
            let raw = given.field("raw");
            if raw.value().is_absent() {
                return Err(given.wrong("raw", "`raw` is missing"));
            }
            let why = "passed or failed is evidence, and no score";
            Ok(answer.text("result", "evidence_only").because(told(why, "raw", "evidence_only")))
        }
    }
}

fn beyond(given: &Given<'_>, raw: &Exact) -> Wrong {
    given.wrong("raw", &format!("the percentile {raw} is outside the range 0 to 100"))
}

/// The percentile of a raw score on a normal curve, and why.
fn ranked(
    given: &Given<'_>,
    name: &str,
    mean: &Exact,
    deviation: &Exact,
    bounds: Option<(i64, i64)>,
) -> Result<(String, hub_calc::Explain), Wrong> {
    let raw = given.number("raw")?;
    if let Some((least, most)) = bounds
        && (raw < Exact::from(least) || raw > Exact::from(most))
    {
        return Err(given.wrong("raw", &format!("the {name} {raw} is outside the range {least} to {most}")));
    }
    let z = (&raw - mean).over(deviation).unwrap_or_else(Exact::zero);
    let percentile = stats::to_places(percentile_of_z(z.to_float()), 2).unwrap_or_default();
    let step = number(format!("z = ({raw} − {mean}) ÷ {deviation}"), "raw", &z);
    let text = format!("100 × Φ({}), Φ the standard normal distribution", short(&z));
    Ok((percentile.clone(), told(text, "", &percentile).because(vec![step])))
}

fn short(number: &Exact) -> String {
    number.to_decimal().map_or_else(|| number.to_string(), shown)
}

pub(super) fn to_percentile(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let Scale::Normal { name, mean, deviation, bounds } = scale(&given)? else {
        let detail = "only z, T, sten and stanine have a percentile by themselves: their scale is a normal curve";
        return Err(given.map("scale")?.wrong("kind", detail));
    };
    let (percentile, step) = ranked(&given, name, &mean, &deviation, bounds)?;
    Ok(Answer::new(given.arena()).text("percentile", &percentile).because(step))
}

pub(super) fn percentile_to_t(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let raw = given.number("raw")?;
    let t = t_of_percentile(&raw).filter(|_| raw.is_positive() && raw < Exact::hundred());
    let Some(t) = t.and_then(|t| stats::to_places(t, 2)) else {
        let detail =
            format!("the percentile {raw} has no T score: it must lie between 0 and 100, both left out of the range");
        return Err(given.wrong("raw", &detail));
    };
    let step = told(format!("50 + 10 × Φ⁻¹({raw} ÷ 100)"), "raw", &t);
    Ok(Answer::new(given.arena()).text("t_score", &t).because(step))
}
