//! What can be asked: reads requests, calls the subjects, says why.

mod attrition;
mod bonus;
mod courses;
mod goal;
mod grade;
mod kpi;
mod pay;
mod talent;
mod training;

use hub_calc::{Calculation, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use std::collections::BTreeMap;

/// What this service calculates.
pub const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "kpi_score",
        about: "The score of an indicator against its target",
        fields: &["actual", "target", "direction", "cap"],
        run: kpi::kpi_score,
    },
    Calculation {
        name: "appraisal",
        about: "Indicators and behaviour as one total and its grade",
        fields: &[
            "kpi_weight",
            "behaviour_weight",
            "kpis",
            "behaviours",
            "cap",
            "cuts",
            "below",
            "ratings",
            "final_score",
            "author",
            "reason",
        ],
        run: kpi::appraisal,
    },
    Calculation {
        name: "grade_absolute",
        about: "The grade of a score by cuts",
        fields: &["score", "cuts", "below"],
        run: grade::grade_absolute,
    },
    Calculation {
        name: "forced_distribution",
        about: "Grades of a group by quotas",
        fields: &["scores", "quota", "tie_policy", "min_group", "cuts", "below"],
        run: grade::forced_distribution,
    },
    Calculation {
        name: "performance_bonus",
        about: "A bonus by the coefficient of a grade",
        fields: &["bonus_base", "grade", "coefficients"],
        run: bonus::performance_bonus,
    },
    Calculation {
        name: "bonus_pool",
        about: "Bonuses of many people that share a pool to the fen",
        fields: &["people", "coefficients", "pool"],
        run: bonus::bonus_pool,
    },
    Calculation {
        name: "probation",
        about: "The score of a probation from training and work",
        fields: &["training", "work", "weights", "pass_line"],
        run: training::probation,
    },
    Calculation {
        name: "training_effect",
        about: "The effect of a training from exam, completion and mentor",
        fields: &["completion", "exam", "mentor", "weights"],
        run: training::training_effect,
    },
    Calculation {
        name: "training_alert",
        about: "Whether a training goes badly, and what to add",
        fields: &["completion", "exam", "min_completion", "min_exam"],
        run: training::training_alert,
    },
    Calculation {
        name: "goal_from_gap",
        about: "The next goal and its course from a score below the required one",
        fields: &["dim", "score", "required", "kpi", "catalogue"],
        run: goal::goal_from_gap,
    },
    Calculation {
        name: "growth_report",
        about: "Targets reached, behaviour against the baseline, and courses for what fell",
        fields: &["kpis", "behaviours", "courses", "noise_band"],
        run: goal::growth_report,
    },
    Calculation {
        name: "recommend_courses",
        about: "Courses for all gaps, the largest first",
        fields: &["required", "scores", "catalogue"],
        run: goal::recommend_courses,
    },
    Calculation {
        name: "goal_ladder_check",
        about: "Which goals of a ladder are met",
        fields: &["goals", "actuals"],
        run: goal::goal_ladder_check,
    },
    Calculation {
        name: "attrition",
        about: "The risk that somebody leaves, with what drives it",
        fields: &["coefficients", "features", "alert_at"],
        run: attrition::attrition,
    },
    Calculation {
        name: "attrition_fit",
        about: "An attrition model learnt from records, with its errors",
        fields: &["rows", "columns", "l2", "period", "later_rows"],
        run: attrition::attrition_fit,
    },
    Calculation {
        name: "talent_inventory",
        about: "Skills that roles lack, and who is near",
        fields: &["required", "people", "catalogue"],
        run: talent::talent_inventory,
    },
    Calculation {
        name: "nine_box",
        about: "The box of a performance and a potential",
        fields: &["performance", "potential", "cuts"],
        run: talent::nine_box,
    },
    Calculation {
        name: "portrait",
        about: "What a person is good at, with evidence",
        fields: &["skills", "dims", "roles", "strong_at"],
        run: talent::portrait,
    },
    Calculation {
        name: "pay_by_grade",
        about: "What grades earn and who leaves",
        fields: &["rows"],
        run: pay::pay_by_grade,
    },
    Calculation {
        name: "pay_structure",
        about: "What part of pay is the performance bonus",
        fields: &["components", "warn_below_share"],
        run: pay::pay_structure,
    },
];

/// A step of an explanation that came to a number.
pub(crate) fn step(text: String, path: &str, number: &Exact) -> Explain {
    said(text, path, &shown(number))
}

/// A number for people: in full where it ends, else cut after twelve places, so that it never seems to reach what it
/// does not.
pub(crate) fn shown(number: &Exact) -> String {
    let full = number.to_string();
    if full.contains('/') { format!("{}…", number.cut(12).to_places(12)) } else { full }
}

/// A step of an explanation that came to a word.
pub(crate) fn said(text: String, path: &str, value: &str) -> Explain {
    Explain::leaf(text, Some(path.to_owned()), Value::Text(value))
}

/// The named values of an object, in their order; missing ones are left out.
fn values<'a>(map: Given<'a>) -> impl Iterator<Item = (&'a str, Given<'a>)> {
    map.fields().filter(|(_, field)| !field.value().is_absent())
}

/// A field of an object as a number; looks it up by its name for the message alone.
fn named_number(map: Given<'_>, name: &str, field: Given<'_>) -> Result<Exact, Wrong> {
    field.as_number().or_else(|_| map.number(name))
}

/// The named numbers of an object, in their order; nothing may be missing.
fn numbers<'a>(map: Given<'a>) -> Result<Vec<(&'a str, Exact)>, Wrong> {
    map.fields().map(|(name, field)| Ok((name, named_number(map, name, field)?))).collect()
}

/// The fields of an object by name, for those who look up many; missing ones are left out.
fn by_name<'a>(map: Given<'a>) -> BTreeMap<&'a str, Given<'a>> {
    values(map).collect()
}

/// A score: a number from 0 to 100.
fn score(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    within(given, field, given.number(field)?)
}

fn within(given: Given<'_>, field: &str, number: Exact) -> Result<Exact, Wrong> {
    let fits = !number.is_negative() && number <= Exact::hundred();
    let out = || given.wrong(field, &format!("`{field}` is {number}, out of the range 0 to 100"));
    if fits { Ok(number) } else { Err(out()) }
}

/// A number that is not below zero.
fn not_negative(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    let number = given.number(field)?;
    let out = || given.wrong(field, &format!("`{field}` is {number}, out of range: it may not be negative"));
    if number.is_negative() { Err(out()) } else { Ok(number) }
}

/// Refuses weights that do not total exactly 100, or of which one is negative.
fn check_weights<'n>(
    given: Given<'_>,
    field: &str,
    weights: impl Iterator<Item = &'n Exact> + Clone,
) -> Result<(), Wrong> {
    if let Some(negative) = weights.clone().find(|weight| weight.is_negative()) {
        return Err(given.wrong(field, &format!("the weights hold {negative}; no weight may be negative")));
    }
    let total: Exact = weights.sum();
    let out = || given.wrong(field, &format!("the weights add up to {total}; they must total exactly 100"));
    if total == Exact::hundred() { Ok(()) } else { Err(out()) }
}

/// Names as a list for people.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod testing {
    use hub_calc::Exact;
    use hub_tree::Decimal;

    pub(crate) fn d(text: &str) -> Exact {
        Exact::from(text.parse::<Decimal>().unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::d;

    #[test]
    fn what_does_not_end_is_cut_and_never_seems_to_reach_a_threshold() {
        let share = |of: i64| d("90").over(&Exact::from(of)).unwrap_or_else(Exact::zero);
        assert_eq!(shown(&share(7)), "12.857142857142…");
        assert_eq!(shown(&(d("85") - share(9_000_000_000_000_007))), "84.999999999999…");
        assert_eq!(shown(&d("84.99999999999999990")), "84.9999999999999999");
    }
}
