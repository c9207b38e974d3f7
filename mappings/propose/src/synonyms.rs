//! The words of `synonyms.yaml`, read with the place of every problem.

use crate::words::{Words, is_han, singular, split};
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Findings, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

const TEXT: &str = include_str!("../synonyms.yaml");

static EMBEDDED: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::read(&Source::new("synonyms.yaml", TEXT), &Findings::new()));

/// What is known about names.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Short forms and what they are written out.
    short: BTreeMap<String, Words>,
    /// Words that add nothing.
    pub(crate) noise: BTreeSet<String>,
    /// Names of objects that only wrap.
    containers: Vec<Words>,
    /// Names of objects that are something of their own.
    pub(crate) apart: Vec<Words>,
    /// By entity: what else it may be called inside names.
    also: BTreeMap<String, Vec<Words>>,
    /// Names of ids.
    ids: Vec<Words>,
    pub(crate) pair_names: Vec<Words>,
    pub(crate) pair_values: Vec<Words>,
    /// The entities in the order of a proposal, with their names.
    pub(crate) entities: Vec<(String, Vec<Words>)>,
    fields: BTreeMap<String, Vec<Words>>,
    /// By enum: a hub value and its words.
    values: BTreeMap<String, Vec<(String, Vec<Words>)>>,
    /// Enums whose values are named freely.
    free: BTreeSet<String>,
    booleans: Vec<(String, Vec<Words>)>,
    /// Every known Chinese word, for cutting runs.
    han: BTreeSet<String>,
    longest_han: usize,
}

impl Vocabulary {
    /// The words that ship with the program.
    pub(crate) fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads a file of words; problems go to `findings`, what is sound is kept.
    pub(crate) fn read(source: &Arc<Source>, findings: &Findings) -> Self {
        let mut vocabulary = Self::default();
        let cx = Context::new(source, findings);
        let Some(root) = yaml::read(source, findings) else { return vocabulary };
        vocabulary.learn_han(&root);
        let Some(mut file) = root.fields(&cx) else { return vocabulary };
        file.version(1);
        for (key, value) in map(&mut file, "words", &cx) {
            let Some(text) = value.text(&cx) else { continue };
            vocabulary.short.insert(key, split(&text).iter().map(|word| singular(word)).collect());
        }
        vocabulary.noise = vocabulary.list(&mut file, "noise", &cx).into_iter().flatten().collect();
        vocabulary.containers = vocabulary.list(&mut file, "containers", &cx);
        vocabulary.apart = vocabulary.list(&mut file, "apart", &cx);
        vocabulary.ids = vocabulary.list(&mut file, "ids", &cx);
        vocabulary.pair_names = vocabulary.list(&mut file, "pair_names", &cx);
        vocabulary.pair_values = vocabulary.list(&mut file, "pair_values", &cx);
        for (name, node) in map(&mut file, "entities", &cx) {
            let phrases = vocabulary.phrases(node, &cx);
            vocabulary.entities.push((name, phrases));
        }
        for (name, node) in map(&mut file, "also", &cx) {
            let phrases = vocabulary.phrases(node, &cx);
            vocabulary.also.insert(name, phrases);
        }
        for (name, node) in map(&mut file, "fields", &cx) {
            let phrases = vocabulary.phrases(node, &cx);
            vocabulary.fields.insert(name, phrases);
        }
        for (name, node) in map(&mut file, "values", &cx) {
            let values = vocabulary.by_value(node, &cx);
            vocabulary.values.insert(name, values);
        }
        vocabulary.free = file.optional("free").map(|node| texts(node, &cx)).unwrap_or_default().into_iter().collect();
        if let Some(node) = file.optional("booleans") {
            vocabulary.booleans = vocabulary.by_value(node, &cx);
        }
        file.finish();
        vocabulary
    }

    /// Collects the Chinese words of the whole file.
    fn learn_han(&mut self, node: &Node) {
        match &node.kind {
            Kind::Text(text) if !text.is_empty() && text.chars().all(is_han) => {
                self.longest_han = self.longest_han.max(text.chars().count());
                self.han.insert(text.clone());
            }
            Kind::List(items) => items.iter().for_each(|item| self.learn_han(item)),
            // Words of values are no words of names.
            Kind::Map(entries) => {
                entries.iter().filter(|(key, _)| key.name != "values").for_each(|(_, value)| self.learn_han(value));
            }
            _ => {}
        }
    }

    /// A name as words of this vocabulary.
    pub(crate) fn words(&self, name: &str) -> Words {
        let mut words = Words::new();
        for word in split(name) {
            if word.chars().all(is_han) {
                self.cut(&word, &mut words);
                continue;
            }
            let one = singular(&word);
            match self.short.get(&word).or_else(|| self.short.get(&one)) {
                Some(long) => words.extend(long.iter().cloned()),
                None => words.push(one),
            }
        }
        words
    }

    /// Cuts a Chinese run by the longest known word at each place; what is not known stays together.
    fn cut(&self, run: &str, words: &mut Words) {
        let chars: Vec<char> = run.chars().collect();
        let (mut at, mut unknown) = (0, String::new());
        while let Some(first) = chars.get(at) {
            let known = (1..=self.longest_han.min(chars.len() - at)).rev().find_map(|length| {
                let word: String = chars.iter().skip(at).take(length).collect();
                self.han.contains(&word).then_some((word, length))
            });
            if let Some((word, length)) = known {
                if !unknown.is_empty() {
                    words.push(std::mem::take(&mut unknown));
                }
                words.push(word);
                at += length;
            } else {
                unknown.push(*first);
                at += 1;
            }
        }
        if !unknown.is_empty() {
            words.push(unknown);
        }
    }

    fn list(&self, file: &mut Fields<'_, '_>, key: &'static str, cx: &Context<'_>) -> Vec<Words> {
        file.required(key).map(|node| self.phrases(node, cx)).unwrap_or_default()
    }

    fn phrases(&self, node: &Node, cx: &Context<'_>) -> Vec<Words> {
        texts(node, cx).iter().map(|text| self.words(text)).collect()
    }

    fn by_value(&self, node: &Node, cx: &Context<'_>) -> Vec<(String, Vec<Words>)> {
        node.entries(cx).iter().map(|(key, node)| (key.name.clone(), self.phrases(node, cx))).collect()
    }

    /// The names of a field beside its own: of `owner.dotted`, else of `dotted`.
    pub(crate) fn field(&self, owner: &str, dotted: &str) -> &[Words] {
        let specific = self.fields.get(&format!("{owner}.{dotted}"));
        specific.or_else(|| self.fields.get(dotted)).map_or(&[], Vec::as_slice)
    }

    /// What an entity is called, its own name included.
    pub(crate) fn entity(&self, name: &str) -> Vec<Words> {
        let mut all = vec![self.words(name)];
        all.extend(self.entities.iter().filter(|(known, _)| known == name).flat_map(|(_, phrases)| phrases.clone()));
        all
    }

    /// What else the entity is called inside the names of its fields.
    pub(crate) fn also(&self, name: &str) -> &[Words] {
        self.also.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where an entity stands in a proposal.
    pub(crate) fn rank(&self, entity: &str) -> usize {
        self.entities.iter().position(|(name, _)| name == entity).unwrap_or(self.entities.len())
    }

    /// Whether the name says only that something is wrapped.
    pub(crate) fn wraps(&self, words: &[String]) -> bool {
        words.is_empty()
            || self.containers.iter().any(|known| known == words)
            || words.iter().all(|word| self.noise.contains(word))
    }

    /// What an id is an id of: the words before the last, where the last says id. Empty for a bare `id`.
    pub(crate) fn id_of<'w>(&self, words: &'w [String]) -> Option<&'w [String]> {
        self.ids.iter().find_map(|id| words.strip_suffix(id.as_slice()))
    }

    /// The hub's value for a vendor's, where exactly one fits.
    pub(crate) fn value<'v>(&'v self, of: &'v hub_model::EnumType, raw: &str) -> Option<&'v str> {
        let words = self.words(raw);
        if words.is_empty() {
            return None;
        }
        let none = Vec::new();
        let known = self.values.get(of.name).unwrap_or(&none);
        let own = of.values.iter().find(|value| **value != "OTHER" && self.words(value) == words);
        if let Some(value) = own {
            return Some(value);
        }
        let exact = |phrase: &Words| *phrase == words || phrase.concat() == words.concat();
        let mut fits = known.iter().filter(|(_, phrases)| phrases.iter().any(exact));
        match (fits.next(), fits.next()) {
            (Some((value, _)), None) => return of.values.iter().find(|known| **known == value).copied(),
            (Some(_), Some(_)) => return None,
            _ if !self.free.contains(of.name) => return None,
            _ => {}
        }
        self.free_value(of, known, &words)
    }

    /// A freely named value: the one hub value of which it holds the most words of a phrase.
    fn free_value<'v>(
        &self,
        of: &'v hub_model::EnumType,
        known: &[(String, Vec<Words>)],
        words: &[String],
    ) -> Option<&'v str> {
        let text = words.concat();
        let holds = |phrase: &Words| {
            let han = phrase.iter().all(|word| word.chars().all(is_han));
            if han { text.contains(&phrase.concat()) } else { phrase.iter().all(|word| words.contains(word)) }
        };
        let weigh = |phrases: &[Words]| {
            phrases.iter().filter(|phrase| holds(phrase)).map(|phrase| phrase.len()).max().unwrap_or(0)
        };
        let mut scores: Vec<(usize, &str)> =
            known.iter().map(|(value, phrases)| (weigh(phrases), value.as_str())).collect();
        scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let best = scores.first().filter(|(score, _)| *score > 0)?;
        // A second meaning in one name is for a person to decide.
        if scores.get(1).is_some_and(|(score, _)| *score > 0 && (*score == best.0 || best.0 < 2)) {
            return None;
        }
        of.values.iter().find(|value| **value == best.1).copied()
    }

    /// True or false for a word that says so.
    pub(crate) fn boolean(&self, raw: &str) -> Option<&str> {
        let words = self.words(raw);
        self.booleans.iter().find(|(_, phrases)| phrases.contains(&words)).map(|(value, _)| value.as_str())
    }
}

fn map<'n>(file: &mut Fields<'n, '_>, key: &'static str, cx: &Context<'_>) -> Vec<(String, &'n Node)> {
    let Some(node) = file.required(key) else { return Vec::new() };
    if let Kind::Map(entries) = &node.kind {
        return entries.iter().map(|(key, value)| (key.name.clone(), value)).collect();
    }
    node.expected("a map", cx);
    Vec::new()
}

fn texts(node: &Node, cx: &Context<'_>) -> Vec<String> {
    node.items(cx).iter().filter_map(|item| item.text(cx)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_words_have_no_problem_and_name_only_what_the_model_has() {
        let findings = Findings::new();
        let vocabulary = Vocabulary::read(&Source::new("synonyms.yaml", TEXT), &findings);
        let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        for (entity, _) in &vocabulary.entities {
            assert!(hub_model::entity(entity).is_some(), "{entity}");
        }
        let targets = crate::targets::all_targets();
        for name in vocabulary.fields.keys() {
            assert!(targets.contains(name), "no target is called {name}");
        }
        for (name, values) in &vocabulary.values {
            let known = crate::targets::enum_type(name).unwrap_or_else(|| panic!("no enum is called {name}"));
            for (value, _) in values {
                assert!(known.values.contains(&value.as_str()), "{name} has no {value}");
            }
        }
        assert!(vocabulary.free.iter().all(|name| vocabulary.values.contains_key(name)));
    }

    #[test]
    fn a_problem_in_the_words_has_its_place() {
        let findings = Findings::new();
        let text = TEXT.replace("pair_values:", "pair_valus:");
        let _ = Vocabulary::read(&Source::new("synonyms.yaml", text), &findings);
        let text: String = findings.into_sorted().iter().map(ToString::to_string).collect();
        assert!(text.contains("synonyms.yaml:") && text.contains("pair_valu"), "{text}");
    }

    #[test]
    fn values_are_understood_or_left_to_a_person() {
        let vocabulary = Vocabulary::embedded();
        let stage = crate::targets::enum_type("StageKind").unwrap();
        let value = |raw| vocabulary.value(stage, raw);
        assert_eq!(value("Phone Screen"), Some("SCREENING"));
        assert_eq!(value("Phone Interview"), Some("INTERVIEW"));
        assert_eq!(value("Second interview (Berlin)"), Some("INTERVIEW"));
        assert_eq!(value("部门面试"), Some("INTERVIEW"));
        assert_eq!(value("Offer rejected"), None);
        assert_eq!(value("7"), None);
        let outcome = crate::targets::enum_type("Outcome").unwrap();
        assert_eq!(vocabulary.value(outcome, "REJECTED"), Some("REJECTED"));
        assert_eq!(vocabulary.value(outcome, "not rejected"), None);
        assert_eq!(vocabulary.boolean("Y"), Some("true"));
        assert_eq!(vocabulary.boolean("否"), Some("false"));
    }
}
