//! What differs between two versions of a model.

use crate::model::{Dimension, Model, Origin};
use crate::rules::{Matcher, Rule};
use hub_model::enums::EnumOf;
use hub_tree::Decimal;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What differs, such as `dimensions/沟通能力/min`.
    pub place: String,
    /// What it was; `None` when it is new.
    pub before: Option<String>,
    /// What it is; `None` when it is gone.
    pub after: Option<String>,
}

/// What differs, in the order of the older model; what is new comes last.
#[must_use]
pub fn changes(older: &Model, newer: &Model) -> Vec<Change> {
    compared(&facts(older), &facts(newer))
}

/// Every fact of a model as a place and a text.
fn facts(model: &Model) -> Vec<(String, String)> {
    let mut facts = vec![
        ("revision".to_owned(), model.revision.to_string()),
        ("owner".to_owned(), model.owner.clone()),
        ("min_coverage".to_owned(), model.min_coverage.normalize().to_string()),
    ];
    facts.extend(model.match_min.map(|min| ("match_min".to_owned(), shown(min))));
    facts.extend(model.name.iter().map(|(language, name)| (format!("name/{language}"), name.clone())));
    model.dimensions.iter().for_each(|dimension| of_dimension(dimension, &mut facts));
    facts.extend(model.caps.rules.iter().map(|cap| {
        let text = format!("at most {} when {}", cap.label.as_str(), cap.when.expr.text());
        (format!("caps/{}", cap.id), text)
    }));
    if let Some(screen) = &model.screen {
        let mut add = |name: &str, value: String| facts.push((format!("screen/{name}"), value));
        add("titles", screen.titles.join(", "));
        add("needed", screen.needed.to_string());
        add("compounds", screen.compounds.join(", "));
        for (dimension, words) in &screen.words {
            add(&format!("words/{dimension}"), words.join(", "));
        }
    }
    facts
}

fn of_dimension(dimension: &Dimension, facts: &mut Vec<(String, String)>) {
    let mut add = |name: &str, value: String| facts.push((format!("dimensions/{}/{name}", dimension.id), value));
    add("english", dimension.english.clone());
    add("weight", shown(dimension.weight));
    for (name, bound) in [("min", dimension.min), ("floor", dimension.floor)] {
        if let Some(bound) = bound {
            add(name, shown(bound));
        }
    }
    for (language, text) in &dimension.improve {
        add(&format!("improve/{language}"), text.clone());
    }
    match &dimension.origin {
        Origin::Vendor(names) => add("vendor", names.join(", ")),
        Origin::Rules { start, rules } => {
            add("start", shown(*start));
            for rule in rules {
                add(&format!("rules/{}", rule.id), in_words(rule));
                for (language, text) in &rule.improve {
                    add(&format!("rules/{}/improve/{language}", rule.id), text.clone());
                }
            }
        }
    }
}

fn shown(number: Decimal) -> String {
    number.normalize().to_string()
}

/// A rule on one line, as its file has it.
fn in_words(rule: &Rule) -> String {
    let points = if rule.points.is_sign_negative() { shown(rule.points) } else { format!("+{}", shown(rule.points)) };
    let when = match &rule.matcher {
        Matcher::Phrases(phrases) => format!("said {}", phrases.join(", ")),
        Matcher::NoPhrase(phrases) => format!("not said {}", phrases.join(", ")),
        Matcher::Feature { name, at_least, at_most, .. } => {
            let least = at_least.map(|least| format!(" ≥ {}", shown(least))).unwrap_or_default();
            let most = at_most.map(|most| format!(" ≤ {}", shown(most))).unwrap_or_default();
            format!("{name}{least}{most}")
        }
    };
    format!("{points} if {when}")
}

/// What differs between facts, each a place and a text, in the order of the older; what is new comes last.
#[must_use]
pub fn compared(older: &[(String, String)], newer: &[(String, String)]) -> Vec<Change> {
    let value = |facts: &[(String, String)], place: &str| {
        facts.iter().find(|(known, _)| known == place).map(|(_, value)| value.clone())
    };
    let gone_or_changed = older.iter().filter_map(|(place, before)| {
        let after = value(newer, place);
        let change = Change { place: place.clone(), before: Some(before.clone()), after };
        (change.before != change.after).then_some(change)
    });
    let new = newer.iter().filter(|(place, _)| value(older, place).is_none());
    let new = new.map(|(place, after)| Change { place: place.clone(), before: None, after: Some(after.clone()) });
    gone_or_changed.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Findings, Source};

    fn model(text: &str) -> Model {
        let findings = Findings::new();
        Model::compile(&Source::new("calls.yaml", text), &findings)
            .unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
    }

    #[test]
    fn what_was_changed_added_and_removed_is_told_by_place() {
        let older = "version: 1\nmodel: calls\nrevision: 1\nname: {en: Calls}\nowner: HR\ndimensions:\n\
            - {id: calm, weight: 60, min: 80, floor: 70}\n\
            - {id: clear, weight: 40, start: 50, rules: [{id: greets, said: [hello], points: 10}]}\n";
        let newer = older
            .replace("revision: 1", "revision: 2")
            .replace("owner: HR", "owner: HR\nmatch_min: 8")
            .replace("min: 80, floor: 70", "min: 85")
            .replace(
                "points: 10}",
                "points: 15}, {id: slow, feature: speech_rate, class: speech, at_most: 2, points: -5}",
            );
        let found = changes(&model(older), &model(&newer));
        let lines: Vec<(&str, Option<&str>, Option<&str>)> =
            found.iter().map(|c| (c.place.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
        assert_eq!(
            lines,
            [
                ("revision", Some("1"), Some("2")),
                ("dimensions/calm/min", Some("80"), Some("85")),
                ("dimensions/calm/floor", Some("70"), None),
                ("dimensions/clear/rules/greets", Some("+10 if said hello"), Some("+15 if said hello")),
                ("match_min", None, Some("8")),
                ("dimensions/clear/rules/slow", None, Some("-5 if speech_rate ≤ 2")),
            ]
        );
        assert_eq!(changes(&model(older), &model(older)), []);
    }
}
