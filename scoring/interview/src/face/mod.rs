//! What can be asked: reads requests, calls the subjects, says why.

mod decide;
mod feedback;
mod keywords;
mod models;
mod outcomes;
#[cfg(test)]
mod properties;
mod ratings;
mod scales;
mod screen;

use hub_calc::{Calculation, Exact, Explain, Given, Wrong};
use hub_tree::Value;

/// What this service calculates.
pub(crate) const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "normalise",
        about: "A vendor's score on the one scale from 0 to 100",
        fields: &["raw", "scale"],
        run: scales::normalise,
    },
    Calculation {
        name: "to_percentile",
        about: "The percentile of a z, T, sten or stanine",
        fields: &["raw", "scale"],
        run: scales::to_percentile,
    },
    Calculation {
        name: "percentile_to_t",
        about: "The T score of a percentile",
        fields: &["raw"],
        run: scales::percentile_to_t,
    },
    Calculation {
        name: "composite",
        about: "The weighted mean of dimensions, if enough of the weight has a score",
        fields: &["dims", "min_coverage"],
        run: models::composite,
    },
    Calculation {
        name: "model_check",
        about: "Whether the weights of a model are sound",
        fields: &["weights"],
        run: models::model_check,
    },
    Calculation {
        name: "reweight",
        about: "The other weights when one is changed",
        fields: &["weights", "dim", "new_weight"],
        run: models::reweight,
    },
    Calculation {
        name: "decision",
        about: "推荐, 待考虑 or 不推荐, with each rule's value and threshold",
        fields: &["rules", "scores", "display_digits"],
        run: decide::decision,
    },
    Calculation {
        name: "match_gate",
        about: "Whether a match score passes the first screen",
        fields: &["scale", "threshold", "score"],
        run: decide::match_gate,
    },
    Calculation {
        name: "feature_rules",
        about: "The score of a dimension from what was said and measured, by the rules of a model",
        fields: &["rule_set", "features", "answer_text", "expressions"],
        run: keywords::feature_rules,
    },
    Calculation {
        name: "speech_rate",
        about: "Characters a second, pauses left out",
        fields: &["text", "seconds", "pause_seconds"],
        run: keywords::speech_rate,
    },
    Calculation {
        name: "offer",
        about: "The base pay proposed for a score within the range of finance",
        fields: &["score", "range", "eligible_from", "cap_at"],
        run: decide::offer,
    },
    Calculation {
        name: "feedback_report",
        about: "What a candidate is told: each dimension in a word, strengths and suggestions, as text and as a page",
        fields: &["model", "scores", "answer_text"],
        run: feedback::feedback_report,
    },
    Calculation {
        name: "resume_screen",
        about: "Whether a résumé has the words that a model asks for, and which",
        fields: &["model", "text"],
        run: screen::resume_screen,
    },
    Calculation {
        name: "threshold_analysis",
        about: "What a threshold tells of later outcomes, with intervals",
        fields: &["threshold", "scores", "outcomes", "min_group"],
        run: outcomes::threshold_analysis,
    },
    Calculation {
        name: "gate_precision",
        about: "How many of those at or above a threshold were hired",
        fields: &["threshold", "scores", "hired"],
        run: outcomes::gate_precision,
    },
    Calculation {
        name: "correlation",
        about: "Pearson's r with its interval, and Spearman's as a check",
        fields: &["x", "y"],
        run: outcomes::correlation,
    },
    Calculation {
        name: "range_restriction",
        about: "An estimate of the correlation among all applicants from that among those hired",
        fields: &["r_observed", "sd_applicants", "sd_hired"],
        run: outcomes::range_restriction,
    },
    Calculation {
        name: "distribution",
        about: "Mean, spread and quartiles of scores, and the share below a mark",
        fields: &["scores", "flag_below"],
        run: ratings::distribution,
    },
    Calculation {
        name: "keyword_gap",
        about: "How often a keyword stands without its companion",
        fields: &["answers", "keyword", "companion", "flag_if_share_at_least"],
        run: keywords::keyword_gap,
    },
    Calculation {
        name: "cronbach_alpha",
        about: "How far the items of a scale measure one thing",
        fields: &["matrix"],
        run: ratings::cronbach_alpha,
    },
    Calculation {
        name: "icc",
        about: "How far raters agree on scores: ICC(2,1) and ICC(2,k)",
        fields: &["matrix"],
        run: ratings::icc,
    },
    Calculation {
        name: "kappa",
        about: "How far two raters agree on labels beyond chance",
        fields: &["rater_a", "rater_b", "categories"],
        run: ratings::kappa,
    },
    Calculation {
        name: "baseline_compare",
        about: "A later score against the ability baseline",
        fields: &["baseline", "current", "noise_band"],
        run: ratings::baseline_compare,
    },
];

/// A step with a text as its value.
fn told(text: impl Into<String>, path: &str, value: &str) -> Explain {
    Explain::leaf(text, (!path.is_empty()).then(|| path.to_owned()), Value::Text(value))
}

/// A step with a number, unrounded as far as it can be written.
fn number(text: impl Into<String>, path: &str, value: &Exact) -> Explain {
    told(text, path, &value.to_string())
}

/// A number that must lie from `least` to `most`.
fn within(given: &Given<'_>, field: &str, least: i64, most: i64) -> Result<Exact, Wrong> {
    let found = given.number(field)?;
    check_within(given, field, &found, least, most)?;
    Ok(found)
}

fn check_within(given: &Given<'_>, field: &str, found: &Exact, least: i64, most: i64) -> Result<(), Wrong> {
    if *found < Exact::from(least) || *found > Exact::from(most) {
        return Err(given.wrong(field, &format!("`{field}` {found} is outside the range {least} to {most}")));
    }
    Ok(())
}

/// Names in a sentence; of many only the first.
fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let few: Vec<&str> = names.iter().take(20).map(AsRef::as_ref).collect();
    let more = names.len() - few.len();
    if more == 0 { few.join(", ") } else { format!("{} and {more} more", few.join(", ")) }
}

/// Scores by name, each from 0 to 100; those that are null are left out.
fn scores<'a>(map: &Given<'a>) -> Result<Vec<(&'a str, Exact)>, Wrong> {
    let there = map.fields().filter(|(_, field)| !field.value().is_absent());
    let read = |(name, field): (&'a str, Given<'a>)| {
        // Looking a name up takes time with the number of names; it is done for the message alone.
        let score = field.as_number().or_else(|_| map.number(name))?;
        check_within(map, name, &score, 0, 100)?;
        Ok((name, score))
    };
    there.map(read).collect()
}

/// Two lists that speak of the same people.
fn check_pairs(given: &Given<'_>, field: &str, length: usize, other: &str, of_other: usize) -> Result<(), Wrong> {
    if length == of_other {
        return Ok(());
    }
    let detail = format!("`{field}` has {length} values and `{other}` {of_other}: they go in pairs");
    Err(given.wrong(field, &detail))
}

/// Yes or no of each person: 1 and 0, or true and false.
fn yes_or_no<'a>(given: &Given<'a>, field: &'a str) -> Result<Vec<bool>, Wrong> {
    let read = |item: Given<'a>| match item.value() {
        Value::Bool(flag) => Ok(flag),
        _ => match item.as_number()?.to_whole() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(item.wrong_here("an outcome is 1 or 0: met or not")),
        },
    };
    given.list(field)?.map(read).collect()
}
