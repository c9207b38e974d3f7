//! Two records side by side: are they about one human, by what, and what speaks against it.

use crate::identity::facts::{Facts, NationalId};
use crate::identity::rules::{Method, Rules, Trait};
use hub_tree::Decimal;
use std::collections::BTreeSet;

/// What two records have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The reasons, the strongest first.
    pub(crate) evidence: Vec<(String, Decimal)>,
    /// The names of what speaks against it.
    pub(crate) contradictions: Vec<&'static str>,
    /// Whether nobody needs to be asked.
    pub(crate) automatic: bool,
}

/// Compares what two records say. `shared` are the values (kind, value) that too many have in common.
pub(crate) fn judge(rules: &Rules, a: &Facts, b: &Facts, shared: &BTreeSet<(&'static str, String)>) -> Option<Judged> {
    let both = Both { a, b, shared };
    let found: Vec<&Method> =
        rules.methods.iter().filter(|method| method.same.iter().all(|one| both.have(*one))).collect();
    let contradictions = both.contradictions(rules);
    let standing: Vec<&Method> =
        found.into_iter().filter(|method| contradictions.is_empty() || method.despite).collect();
    if standing.is_empty() {
        return None;
    }
    Some(Judged {
        automatic: contradictions.is_empty() && standing.iter().any(|method| method.automatic),
        evidence: standing.iter().map(|method| (method.name.clone(), method.score)).collect(),
        contradictions,
    })
}

struct Both<'f> {
    a: &'f Facts,
    b: &'f Facts,
    shared: &'f BTreeSet<(&'static str, String)>,
}

impl Both<'_> {
    fn have(&self, what: Trait) -> bool {
        let (a, b) = (self.a, self.b);
        let common = |kind: &'static str, one: &BTreeSet<String>, two: &BTreeSet<String>| {
            one.intersection(two).any(|value| !self.shared.contains(&(kind, value.clone())))
        };
        match what {
            Trait::NationalId => a.national_ids.intersection(&b.national_ids).any(|(kind, country, number)| {
                !self.shared.contains(&("national_id", format!("{kind}|{country}|{number}")))
            }),
            Trait::WorkEmail => common("email", &a.work_emails, &b.work_emails),
            Trait::Email => common("email", &a.emails, &b.emails),
            Trait::Phone => common("phone", &a.phones, &b.phones),
            Trait::Number => a.number.is_some() && a.number == b.number,
            Trait::Name => a.names.same(&b.names),
            Trait::SimilarName => a.names.similar(&b.names),
            Trait::BirthDate => a.birth_date.is_some() && a.birth_date == b.birth_date,
        }
    }

    fn contradictions(&self, rules: &Rules) -> Vec<&'static str> {
        let (a, b) = (self.a, self.b);
        let differ = |one: &Option<String>, two: &Option<String>| one.is_some() && two.is_some() && one != two;
        let mut found = Vec::new();
        if differ(&a.birth_date, &b.birth_date) {
            found.push("birth_date");
        }
        if differ(&a.sex, &b.sex) {
            found.push("sex");
        }
        // Numbers of one kind and country, of which none is the same.
        let lasting = |id: &&NationalId| rules.lasting.contains(&id.0);
        let other = |(kind, country, number): &NationalId| {
            let mut alike = b.national_ids.iter().filter(|id| id.0 == *kind && id.1 == *country).peekable();
            alike.peek().is_some() && alike.all(|id| id.2 != *number)
        };
        if a.national_ids.iter().filter(lasting).any(other) {
            found.push("national_ids");
        }
        if a.names.contradict(&b.names) {
            found.push("name");
        }
        found
    }
}
