//! Which events a subscription wants: patterns of CloudEvents types, `*` for any text in them.

use hub_model::{ENTITIES, EntityType};

/// Most patterns of a subscription, and the most letters of one.
const MOST: usize = 50;
const LONGEST: usize = 100;
/// What every record can do, beside the verbs of its entity.
const COMMON: [&str; 3] = ["created", "updated", "deleted"];
/// What subscriptions themselves can do.
const OWN: [&str; 4] = ["tested", "failing", "disabled", "recovered"];

/// Whether one of the patterns (separated by spaces) fits a type such as `hr.application.stage_changed.v1`.
#[must_use]
pub fn wants(patterns: &str, kind: &str) -> bool {
    patterns.split(' ').any(|pattern| fits(pattern.as_bytes(), kind.as_bytes()))
}

/// Goes back to the last `*` only, so that no pattern takes longer than its length times that of the text.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read, mut star) = (0, 0, None);
    while let Some(letter) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if wanted == letter => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((behind, from)) => {
                    star = Some((behind, from + 1));
                    at = behind + 1;
                    read = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|left| *left == b'*')
}

/// The types that records of an entity cause.
fn types_of(entity: &EntityType) -> impl Iterator<Item = String> {
    let own = entity.verbs.iter().map(|verb| verb.verb);
    COMMON.into_iter().chain(own).map(|verb| format!("hr.{}.{verb}.v1", entity.event))
}

/// Checks patterns; gives notes on those that fit nothing the hub knows today.
///
/// # Errors
/// The index of the pattern that can never fit a type (of none, when there are none or too many), and why.
pub fn check(patterns: &[String]) -> Result<Vec<String>, (Option<usize>, String)> {
    if patterns.is_empty() || patterns.len() > MOST {
        return Err((None, format!("a subscription has 1 to {MOST} types; `*` stands for all")));
    }
    let own = OWN.iter().map(|verb| format!("hr.subscription.{verb}.v1"));
    let known: Vec<String> = ENTITIES.iter().flat_map(|entity| types_of(entity)).chain(own).collect();
    let mut notes = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let letters = pattern.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.*".contains(&b));
        let begins = pattern.starts_with("hr.") || pattern.starts_with('*');
        let ends = pattern.ends_with(".v1") || pattern.ends_with('*');
        let whole = pattern.contains('*') || pattern.split('.').count() == 4;
        if pattern.len() > LONGEST || !letters || !begins || !ends || !whole {
            let form = "a type is `hr.<entity>.<verb>.v1`, such as `hr.application.stage_changed.v1`; `*` in it \
                        stands for any text, as in `hr.application.*`";
            return Err((Some(index), form.to_owned()));
        }
        if !known.iter().any(|kind| fits(pattern.as_bytes(), kind.as_bytes())) {
            let near = hub_tree::nearest(pattern, known.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            notes.push(format!("`{pattern}` fits no type that this hub has today{near}"));
        }
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        let kind = "hr.application.stage_changed.v1";
        for pattern in
            ["*", "hr.*", "hr.application.*", "hr.*.stage_changed.v1", kind, "hr.candidate.* hr.application.*"]
        {
            assert!(wants(pattern, kind), "{pattern}");
        }
        for pattern in
            ["", "hr.candidate.*", "hr.application", "hr.application.stage", "application.*", "hr.app.*", "**x"]
        {
            assert!(!wants(pattern, kind), "{pattern}");
        }
        assert!(!wants(&"*a".repeat(50), &"b".repeat(2_000)));
    }

    #[test]
    fn a_pattern_that_can_never_fit_is_refused_and_one_that_fits_nothing_yet_is_noted() {
        let check = |patterns: &[&str]| check(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(check(&["*", "hr.application.*", "hr.assessment.created.v1"]), Ok(Vec::new()));
        for wrong in ["application.created", "hr.application.created", "hr.*.created", "HR.*", "", "hr.a b.*", "hr.v1"]
        {
            assert_eq!(check(&["*", wrong]).unwrap_err().0, Some(1), "{wrong}");
        }
        assert_eq!(check(&[]).unwrap_err().0, None);
        let notes = check(&["hr.aplication.created.v1"]).unwrap();
        assert!(notes[0].contains("did you mean `hr.application.created.v1`"), "{notes:?}");
    }
}
