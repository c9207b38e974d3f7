//! Names taken apart into words, and how alike two names are.
//!
//! A name becomes words in small letters: separators, camel case and runs of Chinese are split, short forms written
//! out, plurals made singular. Chinese runs are cut by the longest known word.

use crate::synonyms::Vocabulary;
use std::collections::BTreeSet;

/// A name as words.
pub(crate) type Words = Vec<String>;

/// Whether a character belongs to a script that writes without spaces.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Splits a name at separators, camel case and the edges of Chinese, without looking at any vocabulary.
pub(crate) fn split(name: &str) -> Words {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Lower,
        Upper,
        Digit,
        Han,
        Break,
    }
    let class = |c: char| match c {
        c if is_han(c) => Class::Han,
        c if c.is_numeric() => Class::Digit,
        c if c.is_uppercase() => Class::Upper,
        c if c.is_alphabetic() => Class::Lower,
        _ => Class::Break,
    };
    let chars: Vec<char> = name.chars().collect();
    let mut words = Words::new();
    let mut word = String::new();
    let mut before = Class::Break;
    for (at, c) in chars.iter().enumerate() {
        let now = class(*c);
        let next = chars.get(at + 1).map_or(Class::Break, |c| class(*c));
        let starts = match (before, now) {
            (_, Class::Break) => true,
            // `HRName`: the last capital of a run begins the next word.
            (Class::Upper, Class::Upper) => next == Class::Lower,
            (Class::Upper, Class::Lower) => false,
            (one, other) => one != other,
        };
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if now != Class::Break {
            word.extend(c.to_lowercase());
        }
        before = now;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// One of the word, where it looks like several.
pub(crate) fn singular(word: &str) -> String {
    let ascii = word.bytes().all(|b| b.is_ascii_lowercase());
    if !ascii || word.len() < 4 {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if word.ends_with("sses") {
        return word.trim_end_matches("es").to_owned();
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Runs the words together.
pub(crate) fn joined(words: &[String]) -> String {
    words.concat()
}

/// Whether two names are equal when run together.
fn same_text(one: &[String], other: &[String]) -> bool {
    one.iter().flat_map(|word| word.bytes()).eq(other.iter().flat_map(|word| word.bytes()))
}

/// Whether names without a word in common could still be one, run together or misspelt by a letter.
fn near_length(phrase: &[String], name: &[String], own: &BTreeSet<String>, vocabulary: &Vocabulary) -> bool {
    let length = |words: &mut dyn Iterator<Item = &String>| words.map(String::len).sum::<usize>();
    let wanted = length(&mut phrase.iter());
    let bare = length(&mut name.iter().filter(|word| !vocabulary.noise.contains(*word) && !own.contains(*word)));
    wanted.abs_diff(bare) <= 1 || wanted.abs_diff(length(&mut name.iter())) <= 1
}

/// How alike a source's name is to a phrase, 0 to 100. `own` are words that name the entity itself: they add nothing
/// inside it. One word that the phrase does not know is enough to fail, because it mostly names somebody else.
pub(crate) fn alike(phrase: &[String], name: &[String], own: &BTreeSet<String>, vocabulary: &Vocabulary) -> u32 {
    if phrase.is_empty() || name.is_empty() {
        return 0;
    }
    if same_text(phrase, name) {
        return 100;
    }
    if !phrase.iter().any(|word| name.contains(word)) && !near_length(phrase, name, own, vocabulary) {
        return 0;
    }
    let whole = joined(phrase);
    let plain = |words: &[String], keep: &[String]| -> Words {
        let less: Words = words
            .iter()
            .filter(|word| keep.contains(word) || !(vocabulary.noise.contains(*word) || own.contains(*word)))
            .cloned()
            .collect();
        if less.is_empty() { words.to_vec() } else { less }
    };
    let name = plain(name, phrase);
    if joined(&name) == whole {
        return 96;
    }
    let bare = plain(phrase, &name);
    if joined(&name) == joined(&bare) {
        return 94;
    }
    let (has, wants): (BTreeSet<&String>, BTreeSet<&String>) = (name.iter().collect(), bare.iter().collect());
    if has == wants {
        return 92;
    }
    if has.is_superset(&wants) {
        let extra = u32::try_from(has.len() - wants.len()).unwrap_or(u32::MAX);
        return 92_u32.saturating_sub(extra.saturating_mul(30));
    }
    let (one, other) = (joined(&name), whole);
    let ascii =
        one.is_ascii() && other.is_ascii() && one.len().min(other.len()) >= 7 && one.len().max(other.len()) <= 64;
    if ascii && strsim::osa_distance(&one, &other) == 1 { 85 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synonyms::Vocabulary;

    #[test]
    fn names_of_every_habit_become_the_same_words() {
        let vocabulary = Vocabulary::embedded();
        for name in ["first_name", "firstName", "FirstName", "first-name", "FIRST_NAME", "fname", "First Names"] {
            assert_eq!(vocabulary.words(name), ["first", "name"], "{name}");
        }
        assert_eq!(split("HRName2"), ["hr", "name", "2"]);
        assert_eq!(split("候选人name"), ["候选人", "name"]);
        assert_eq!(vocabulary.words("候选人姓名"), ["候选人", "姓名"]);
        assert_eq!(singular("addresses"), "address");
        assert_eq!(singular("status"), "status");
        assert_eq!(singular("companies"), "company");
    }

    #[test]
    fn a_word_that_names_somebody_else_spoils_a_name() {
        let vocabulary = Vocabulary::embedded();
        let own = BTreeSet::from(["candidate".to_owned()]);
        let score =
            |phrase: &str, name: &str| alike(&vocabulary.words(phrase), &vocabulary.words(name), &own, vocabulary);
        assert_eq!(score("email", "email"), 100);
        assert!(score("email", "candidate_email") >= 94);
        assert!(score("email", "manager_email") < 75);
        assert!(score("ruzhi riqi", "ruzhiriqi") == 100);
        assert_eq!(score("email", "phone"), 0);
    }
}
