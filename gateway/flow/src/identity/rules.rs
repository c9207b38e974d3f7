//! The table of `identity.yaml`: what has to be the same for two records to be about one human, and what follows.

use hub_tree::yaml::{self, Context, Node};
use hub_tree::{Decimal, Findings, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../identity.yaml");

static EMBEDDED: LazyLock<Rules> = LazyLock::new(|| Rules::read(TEXT, &Findings::new()).unwrap_or_default());

/// What can be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trait {
    NationalId,
    WorkEmail,
    Email,
    Phone,
    Number,
    Name,
    SimilarName,
    BirthDate,
}

const TRAITS: [(&str, Trait); 8] = [
    ("national_id", Trait::NationalId),
    ("work_email", Trait::WorkEmail),
    ("email", Trait::Email),
    ("phone", Trait::Phone),
    ("number", Trait::Number),
    ("name", Trait::Name),
    ("similar_name", Trait::SimilarName),
    ("birth_date", Trait::BirthDate),
];

/// One way to know a human again.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) same: BTreeSet<Trait>,
    /// From 0 to 1.
    pub(crate) score: Decimal,
    /// Whether the hub links without asking.
    pub(crate) automatic: bool,
    /// Whether it stands although something speaks against it.
    pub(crate) despite: bool,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// The strongest first.
    pub(crate) methods: Vec<Method>,
    /// Kinds of identity numbers that are kept for life.
    pub(crate) lasting: BTreeSet<String>,
    /// By entity: by role, the field that plays it.
    pub(crate) records: BTreeMap<String, BTreeMap<String, String>>,
    /// More different humans than this make a value worthless.
    pub(crate) most_humans: usize,
    /// More records than this do, too.
    pub(crate) most_records: usize,
}

impl Rules {
    /// The table that ships with the program.
    pub(crate) fn embedded() -> &'static Self {
        &EMBEDDED
    }

    fn read(text: &str, findings: &Findings) -> Option<Self> {
        let source = Source::new("identity.yaml", text);
        let cx = Context::new(&source, findings);
        let root = yaml::read(&source, findings)?;
        let mut file = root.fields(&cx)?;
        file.version(1);
        let mut rules = Self::default();
        if let Some(mut shared) = file.required("shared").and_then(|node| node.fields(&cx)) {
            let mut count = |key| shared.integer(key, 1, 1000).and_then(|most| usize::try_from(most).ok());
            rules.most_humans = count("humans").unwrap_or(1);
            rules.most_records = count("records").unwrap_or(1);
            shared.finish();
        }
        rules.lasting = file.texts("lasting").into_iter().collect();
        for (entity, node) in file.required("records").map_or(&[][..], |node| node.entries(&cx)) {
            if hub_model::entity(&entity.name).is_none() {
                cx.error(entity.span, format!("there is no entity `{}`", entity.name));
            }
            let roles = node.entries(&cx).iter();
            let roles = roles.filter_map(|(role, field)| Some((role.name.clone(), field.text(&cx)?)));
            rules.records.insert(entity.name.clone(), roles.collect());
        }
        for (name, node) in file.required("methods").map_or(&[][..], |node| node.entries(&cx)) {
            rules.methods.extend(method(&name.name, node, &cx));
        }
        rules.methods.sort_by_key(|method| std::cmp::Reverse(method.score));
        file.finish();
        Some(rules)
    }

    /// The field of an entity that plays a role.
    pub(crate) fn field(&self, entity: &str, role: &str) -> Option<&str> {
        self.records.get(entity)?.get(role).map(String::as_str)
    }

    /// Whether a change of these fields can make an entity's record known again by others.
    pub(crate) fn concerns(&self, entity: &str, changed: &[String]) -> bool {
        let Some(fields) = self.records.get(entity) else { return false };
        // An event that names no fields is about the whole record.
        changed.is_empty() || changed.iter().any(|name| fields.values().any(|field| field == name))
    }
}

fn method(name: &str, node: &Node, cx: &Context<'_>) -> Option<Method> {
    let mut fields = node.fields(cx)?;
    let mut same = BTreeSet::new();
    for node in fields.required("same")?.items(cx) {
        let word = node.text(cx)?;
        match TRAITS.iter().find(|(known, _)| *known == word) {
            Some((_, found)) => {
                same.insert(*found);
            }
            None => cx.error(node.span, format!("`{word}` is nothing that can be the same")),
        }
    }
    let score = fields.required_text("score").and_then(|text| text.parse().ok());
    let (automatic, despite) = (fields.bool("automatic"), fields.bool("despite"));
    fields.finish();
    Some(Method {
        name: name.to_owned(),
        same,
        score: score.filter(|score| (Decimal::ZERO..=Decimal::ONE).contains(score))?,
        automatic: automatic.unwrap_or(false),
        despite: despite.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound_and_only_an_identity_number_links_by_itself() {
        let findings = Findings::new();
        let rules = Rules::read(TEXT, &findings).unwrap();
        assert_eq!(findings.error_count(), 0);
        assert_eq!(rules.methods.len(), 11);
        let automatic: Vec<&str> = rules.methods.iter().filter(|m| m.automatic).map(|m| m.name.as_str()).collect();
        assert_eq!(automatic, ["NATIONAL_ID"]);
        for (entity, roles) in &rules.records {
            let known = hub_model::entity(entity).unwrap();
            for field in roles.values() {
                assert!(known.fields.iter().any(|f| f.name == field), "{entity} has no {field}");
            }
        }
    }
}
