//! `probation`, `training_effect` and `training_alert`.

use super::{check_weights, score, shown, step};
use crate::kpi::weighted;
use crate::training::{EffectWeights, effect, too_low};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;

pub(super) fn probation<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (training, work) = (score(given, "training")?, score(given, "work")?);
    let (for_training, for_work) = match given.optional_map("weights")? {
        Some(weights) => (weights.number("training")?, weights.number("work")?),
        None => (Exact::from(30), Exact::from(70)),
    };
    check_weights(given, "weights", [&for_training, &for_work].into_iter())?;
    let text = format!("({for_training} × {training} + {for_work} × {work}) ÷ 100");
    let total = weighted(&[(for_training, training), (for_work, work)])
        .ok_or_else(|| given.wrong("weights", "the weights must total exactly 100"))?;
    let because = step(format!("{text} = {total}"), "training", &total);
    let answer = Answer::new(given.arena()).number("score", &total, 4).because(because);
    let Some(line) = given.optional_number("pass_line")? else { return Ok(answer) };
    let passed = total >= line;
    let text = format!("{total} {} {line}", if passed { "≥" } else { "<" });
    let because = Explain::leaf(text, Some("pass_line".to_owned()), Value::Bool(passed));
    Ok(answer.flag("passed", passed).because(because))
}

pub(super) fn training_effect<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (exam, completion) = (score(given, "exam")?, score(given, "completion")?);
    let mentor = if given.has("mentor") { Some(score(given, "mentor")?) } else { None };
    let weights = match given.optional_map("weights")? {
        Some(weights) => EffectWeights {
            exam: weights.number("exam")?,
            completion: weights.number("completion")?,
            mentor: weights.number("mentor")?,
        },
        None => EffectWeights::house(),
    };
    check_weights(given, "weights", [&weights.exam, &weights.completion, &weights.mentor].into_iter())?;
    let points = effect(&exam, &completion, mentor.as_ref(), &weights).ok_or_else(|| {
        given.wrong("weights", "the weights leave nothing for exam and completion, and there is no score of the mentor")
    })?;
    let result = shown(&points);
    let of_two = format!("{} × {exam} + {} × {completion}", weights.exam, weights.completion);
    let text = match mentor {
        Some(mentor) => format!("({of_two} + {} × {mentor}) ÷ 100 = {result}", weights.mentor),
        None => format!("({of_two}) ÷ ({} + {}) without a mentor = {result}", weights.exam, weights.completion),
    };
    Ok(Answer::new(given.arena()).number("score", &points, 4).because(step(text, "exam", &points)))
}

pub(super) fn training_alert<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let part = |field: &str| if given.has(field) { score(given, field).map(Some) } else { Ok(None) };
    let (completion, exam) = (part("completion")?, part("exam")?);
    if completion.is_none() && exam.is_none() {
        return Err(given.wrong("completion", "neither `completion` nor `exam` is given; one of them is needed"));
    }
    let limits = (given.number_or("min_completion", 80)?, given.number_or("min_exam", 70)?);
    let parts = [("completion", completion.as_ref(), &limits.0), ("exam", exam.as_ref(), &limits.1)];
    let reasons = too_low(&parts);
    let suggest: &[&str] = if reasons.is_empty() { &[] } else { &["offline_tutoring", "extra_materials"] };
    let alert = !reasons.is_empty();
    let mut answer =
        Answer::new(given.arena()).flag("alert", alert).texts("reasons", &reasons).texts("suggest", suggest);
    for (field, found, limit) in parts {
        let Some(found) = found else {
            answer.warn(&given.pointer_of(field), &format!("`{field}` is not given and was not looked at"));
            continue;
        };
        let low = found < limit;
        let text = format!("{found} {} {limit}", if low { "<" } else { "≥" });
        answer = answer.because(Explain::leaf(text, Some(field.to_owned()), Value::Bool(low)));
    }
    Ok(answer)
}
