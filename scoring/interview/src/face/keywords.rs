//! What was said: rules over words and features, speech, words that are missing.

use super::{check_within, number, told};
use crate::model::{Dimension, Model, Origin};
use crate::numbers;
use crate::rules::Heard;
use crate::text::{is_keyword, occurs, plain};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_model::entities::assessment::FeatureClass;
use hub_tree::{Decimal, Findings, Source, Value};
use std::sync::LazyLock;

/// No feature is measured above this.
const LARGEST: i64 = 1_000_000;

/// The shipped models, whose dimensions with rules are the rule sets.
static SHIPPED: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let files = [
        ("customer-service.yaml", include_str!("../../../models/customer-service.yaml")),
        ("phone-interview.yaml", include_str!("../../../models/phone-interview.yaml")),
        ("retail-ai-service.yaml", include_str!("../../../models/retail-ai-service.yaml")),
        ("sales.yaml", include_str!("../../../models/sales.yaml")),
    ];
    let findings = Findings::new();
    files.into_iter().filter_map(|(name, text)| Model::compile(&Source::new(name, text), &findings)).collect()
});

/// The shipped model that a request names.
pub(super) fn shipped_model(given: &Given<'_>) -> Result<&'static Model, Wrong> {
    let wanted = given.text("model")?;
    SHIPPED.iter().find(|model| model.id == wanted).ok_or_else(|| {
        let known: Vec<&str> = SHIPPED.iter().map(|model| model.id.as_str()).collect();
        given.wrong("model", &format!("there is no model `{wanted}`; known: {}", known.join(", ")))
    })
}

/// The dimensions with rules, each as `<model>.<dimension>`.
fn rule_sets() -> impl Iterator<Item = (String, &'static Dimension)> {
    let of = |model: &'static Model| {
        let scored = model.dimensions.iter().filter(|dimension| matches!(dimension.origin, Origin::Rules { .. }));
        scored.map(move |dimension| (format!("{}.{}", model.id, dimension.id), dimension))
    };
    SHIPPED.iter().flat_map(of)
}

pub(super) fn feature_rules(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let wanted = given.text("rule_set")?;
    let found = rule_sets().find(|(name, _)| name == wanted);
    let Some((_, Dimension { origin: Origin::Rules { start, rules }, .. })) = found else {
        let known: Vec<String> = rule_sets().map(|(name, _)| name).collect();
        let detail = format!("there is no rule set `{wanted}`; known: {}", known.join(", "));
        return Err(given.wrong("rule_set", &detail));
    };
    let expressions = given.flag_or("expressions", true)?;
    let features = given.optional_map("features")?;
    let mut measured: Vec<(String, Decimal)> = Vec::new();
    let mut keywords = Vec::new();
    if let Some(features) = features {
        if features.has("keywords") {
            keywords = features.text_list("keywords")?;
        }
        let numbers = features.fields().filter(|(name, field)| *name != "keywords" && !field.value().is_absent());
        for (name, field) in numbers {
            let value = field.as_number().or_else(|_| features.number(name))?;
            check_within(&features, name, &value, 0, LARGEST)?;
            measured.extend(value.to_decimal().map(|value| (name.to_owned(), value)));
        }
    }
    let answer_text = given.optional_text("answer_text")?;
    if features.is_none() && answer_text.is_none() {
        return Err(given.wrong("features", "there is nothing to judge by: neither `features` nor `answer_text`"));
    }
    let heard = Heard::new(answer_text.into_iter(), keywords.into_iter(), measured.into_iter());
    let mut score = Exact::from(*start);
    let (mut fired, mut found) = (Vec::new(), Vec::new());
    let mut steps = vec![number("start", "rule_set", &score)];
    for rule in rules {
        if rule.class() == FeatureClass::Expression && !expressions {
            steps.push(Explain::leaf(format!("{}: expressions are switched off", rule.id), None, Value::Absent));
            continue;
        }
        let Some(one) = rule.fire(&heard) else { continue };
        let points = Exact::from(rule.points);
        let word = one.word();
        let text = one.value.map_or_else(|| word.clone(), |value| format!("{word}: measured {}", value.normalize()));
        steps.push(number(text, if one.value.is_some() { "features" } else { "answer_text" }, &points));
        if let Some(keyword) = word.strip_prefix("keyword:") {
            found.push(keyword.to_owned());
        }
        fired.push(word);
        score = score + points;
    }
    let held = score.max(Exact::zero()).min(Exact::hundred());
    let step = number("start + points of the rules that fired, within 0 to 100", "", &held).because(steps);
    let answer = Answer::new(given.arena()).text("score", &held.to_string());
    Ok(answer.texts("fired", &fired).texts("keywords", &found).because(step))
}

pub(super) fn speech_rate(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let text = given.text("text")?;
    let seconds = given.number("seconds")?;
    let pauses = given.number_or("pause_seconds", 0)?;
    if !seconds.is_positive() {
        return Err(given.wrong("seconds", &format!("the duration {seconds} is outside the range: above 0 seconds")));
    }
    if pauses.is_negative() || pauses >= seconds {
        let detail = format!("the pauses {pauses} are outside the range 0 to {seconds} seconds, the duration left out");
        return Err(given.wrong("pause_seconds", &detail));
    }
    let characters = numbers::characters(text);
    let spoken = &seconds - &pauses;
    let rate = Exact::from(characters).over(&spoken).unwrap_or_else(Exact::zero);
    let counted = number("letters, ideographs and digits", "text", &Exact::from(characters));
    let step = number(format!("{characters} ÷ ({seconds} − {pauses})"), "seconds", &rate).because(vec![counted]);
    Ok(Answer::new(given.arena()).count("characters", characters).number("rate", &rate, 6).because(step))
}

pub(super) fn keyword_gap(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let (keyword, companion) = (plain(given.text("keyword")?), plain(given.text("companion")?));
    let flag_from = given.optional_number("flag_if_share_at_least")?;
    if let Some(share) = &flag_from {
        check_within(&given, "flag_if_share_at_least", share, 0, 1)?;
    }
    let (mut with, mut both) = (0_usize, 0_usize);
    for answer in given.list("answers")? {
        let (has_keyword, has_companion) = match answer.value() {
            Value::Text(text) => {
                let text = plain(text);
                (occurs(&keyword, &text), occurs(&companion, &text))
            }
            Value::List(_) => {
                let words: Vec<String> =
                    answer.items().map(|word| word.as_text().map(plain)).collect::<Result<_, _>>()?;
                let holds = |wanted: &str| words.iter().any(|word| is_keyword(wanted, word));
                (holds(&keyword), holds(&companion))
            }
            _ => return Err(answer.wrong_here("an answer is a list of its keywords, or its text")),
        };
        with += usize::from(has_keyword);
        both += usize::from(has_keyword && has_companion);
    }
    let answer = Answer::new(given.arena()).count("with_keyword", with).count("with_both", both);
    let Some(share) = Exact::from(with - both).over(&Exact::from(with)) else {
        let step = told(format!("no answer has `{keyword}`"), "answers", "undefined");
        return Ok(answer.text("result", "undefined").flag("flag", false).because(step));
    };
    let flag = flag_from.is_some_and(|from| share >= from);
    let step = number(format!("({with} − {both}) ÷ {with}"), "answers", &share);
    Ok(answer.number("share_without_companion", &share, 6).flag("flag", flag).because(step))
}
