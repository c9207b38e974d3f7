//! What people made of a machine's labels: on the machine's own decision, or by a decision of theirs after it.

use super::Ask;
use super::sight::{NotMade, Sight, id_of};
use crate::decisions::{Agreement, agreement, machine_label, maker_of};
use hub_flow::reading::Known;
use hub_insight::oversight::Row;
use hub_model::entities::assessment::{Decision, DecisionLabel, RequestKind, RequestOutcome};
use hub_model::entities::governance::User;
use std::collections::BTreeMap;

/// A label of a machine: the decision's id, the label, and the model.
type Labelled<'d> = (&'d str, DecisionLabel, String);

fn rule_of(decision: &Decision) -> Option<&str> {
    decision.made_by.as_ref()?.rule_id.as_deref()
}

pub(super) async fn rows(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let users: BTreeMap<String, Known<User>> = sight.by_id("user").await?;
    let name = |id: &str| {
        let known = users.get(id).and_then(|user| user.record.username.clone());
        known.unwrap_or_else(|| id.to_owned())
    };
    let all: Vec<Known<Decision>> = sight.all("decision").await?;
    let wanted: Vec<Known<Decision>> = all
        .into_iter()
        .filter(|known| {
            let of = id_of(known.record.application.as_ref());
            of.is_some_and(|id| applications.all.contains_key(id))
        })
        .collect();
    let labelled = labelled(&wanted);
    let mut rows = Vec::new();
    for known in wanted.iter().filter(|known| known.record.at.is_none_or(|at| Sight::holds(ask, sight.day(at)))) {
        let decision = &known.record;
        let row = |who: &str, model: String, agreement: Agreement| Row {
            recruiter: name(who),
            model,
            overturned: match agreement {
                Agreement::Agreed => Some(false),
                Agreement::Overturned => Some(true),
                Agreement::Decided => None,
            },
        };
        if let Some(label) = machine_label(decision) {
            let upheld = decision.requests.iter().flatten().filter(|request| {
                let kind = request.kind.as_ref().map(|kind| kind.value);
                let outcome = request.outcome.as_ref().map(|outcome| outcome.value);
                matches!(kind, Some(RequestKind::Review | RequestKind::Refusal))
                    && outcome == Some(RequestOutcome::Upheld)
                    && label != DecisionLabel::Consider
            });
            let model = rule_of(decision).unwrap_or("–");
            let by = upheld.filter_map(|request| id_of(request.answered_by.as_ref()));
            rows.extend(by.map(|who| row(who, model.to_owned(), Agreement::Agreed)));
            continue;
        }
        let Some(who) = maker_of(decision) else { continue };
        let seen = match rule_of(decision) {
            // It was the machine's own decision until this person changed it.
            Some(_) => before(sight, &known.id).await?,
            None => {
                let application = id_of(decision.application.as_ref()).unwrap_or_default();
                let earlier = labelled.get(application).into_iter().flatten();
                let last = earlier.filter(|(id, ..)| *id < known.id.as_str()).max_by_key(|(id, ..)| *id);
                last.map(|(_, label, model)| (*label, model.clone()))
            }
        };
        let found = seen.and_then(|(label, model)| Some((model, agreement(label, decision)?)));
        rows.extend(found.map(|(model, agreement)| row(who, model, agreement)));
    }
    Ok(rows)
}

/// The labels of machines, by application.
fn labelled(decisions: &[Known<Decision>]) -> BTreeMap<&str, Vec<Labelled<'_>>> {
    let mut found: BTreeMap<&str, Vec<Labelled<'_>>> = BTreeMap::new();
    for known in decisions {
        let of = id_of(known.record.application.as_ref()).zip(machine_label(&known.record));
        if let Some((application, label)) = of {
            let model = rule_of(&known.record).unwrap_or("–").to_owned();
            found.entry(application).or_default().push((&known.id, label, model));
        }
    }
    found
}

/// The label that a machine gave a decision before a person changed it, and the model.
async fn before(sight: &Sight<'_>, id: &str) -> Result<Option<(DecisionLabel, String)>, NotMade> {
    let versions: Vec<Decision> = sight.versions("decision", id).await?;
    let last = versions.iter().rev().find_map(|version| Some((machine_label(version)?, version)));
    Ok(last.map(|(label, version)| (label, rule_of(version).unwrap_or("–").to_owned())))
}
