//! Links between records, and where each of them stands: proposed, confirmed, rejected, undone, withdrawn.

use crate::event::EventMessage;
use crate::hub::Hub;
use crate::identity::Judged;
use crate::records::{self, Became, Target, Write, index_entry, sealed_as};
use hub_model::{EntityType, entities::identity::IDENTITY_LINK};
use hub_store::{RecordId, RecordRow, StoreError, Tx, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Decimal, Id, Limits, TraceContext, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Somebody, or an identity number, says that both records are about one human.
pub const CONFIRMED: &str = "CONFIRMED";
const PROPOSED: &str = "PROPOSED";
const REJECTED: &str = "REJECTED";
const UNDONE: &str = "UNDONE";
const WITHDRAWN: &str = "WITHDRAWN";
/// The method of a link that a person made.
const MANUAL: &str = "MANUAL";
/// Who decides when no person does.
const HUB: &str = "hub";

/// A link as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its hub id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// The strongest reason.
    pub method: String,
    /// How much that says.
    pub score: Option<String>,
    evidence: Vec<String>,
    contradictions: Vec<String>,
    refused: BTreeSet<String>,
    automatic: bool,
    ends: Option<(RecordId, RecordId)>,
}

impl Link {
    fn read(id: &str, document: Value<'_>) -> Self {
        let text = |value: Value<'_>| value.as_text().unwrap_or_default().to_owned();
        let end = |value: Value<'_>| Some((value.get("type").as_text()?.to_owned(), text(value.get("id"))));
        Self {
            id: id.to_owned(),
            status: text(document.get("status").get("value")),
            method: text(document.get("method")),
            score: document.get("score").as_text().map(str::to_owned),
            evidence: document.get("evidence").items().iter().map(|one| text(one.get("method"))).collect(),
            contradictions: document.get("contradictions").items().iter().map(|name| text(*name)).collect(),
            refused: document.get("refused").items().iter().map(|name| text(*name)).collect(),
            automatic: matches!(document.get("automatic"), Value::Bool(true)),
            ends: end(document.get("a")).zip(end(document.get("b"))),
        }
    }

    fn other_than(&self, record: &RecordId) -> Option<RecordId> {
        let (a, b) = self.ends.clone()?;
        Some(if a == *record { b } else { a })
    }
}

fn open(hub: &Hub, row: &RecordRow) -> Result<Link, StoreError> {
    let opened = hub.open(&row.tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
    let arena = Arena::new();
    let document = json::read(&arena, &opened, Limits::default()).unwrap_or_default();
    Ok(Link::read(&row.id, document))
}

/// The links of a record, by the record at the other end.
///
/// # Errors
/// The store fails.
pub(crate) async fn of(hub: &Hub, tenant: &str, record: &RecordId) -> Result<BTreeMap<RecordId, Link>, StoreError> {
    let Some(field) = IDENTITY_LINK.fields.iter().find(|field| field.name == "record") else {
        return Ok(BTreeMap::new());
    };
    let (owner, value) = (tenant.to_owned(), index_entry(hub, tenant, field, &record.1)?.value);
    let rows = hub
        .store
        .read(job!(|tx| { tx.records_by(&owner, IDENTITY_LINK.name, field.name, vec![value], false).await }))
        .await?;
    let mut found = BTreeMap::new();
    for (_, row) in rows {
        let link = open(hub, &row)?;
        if let Some(other) = link.other_than(record) {
            found.insert(other, link);
        }
    }
    Ok(found)
}

/// The id of the link between two records: the same from both ends, and whoever finds it. It is as old as the younger
/// record, so that ids keep their order by time.
fn id_of(tenant: &str, a: &RecordId, b: &RecordId) -> String {
    let mut hash = [0; 16];
    let text = format!("{tenant}\0identity\0{}/{}\0{}/{}", a.0, a.1, b.0, b.1);
    hash.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    if let Ok(younger) = a.1.as_str().max(b.1.as_str()).parse::<Id>() {
        hash[..6].copy_from_slice(&younger.as_bytes()[..6]);
    }
    hash[6] = 0x70 | (hash[6] & 0x0F);
    hash[8] = 0x80 | (hash[8] & 0x3F);
    Id::from_bytes(hash).to_string()
}

/// Where a link stands after its records were put side by side; `None` when it stays as it is.
fn next(known: Option<&Link>, found: Option<&Judged>) -> Option<&'static str> {
    let Some(known) = known else {
        return found.map(|found| if found.automatic { CONFIRMED } else { PROPOSED });
    };
    let automatic = found.is_some_and(|found| found.automatic) && known.refused.is_empty();
    // Whether something speaks for it that nobody has turned down.
    let news = found.is_some_and(|found| found.evidence.iter().any(|(method, _)| !known.refused.contains(method)));
    match known.status.as_str() {
        // A person's word stands, and what a person has made. What an identity number has linked is asked again when
        // the number changes.
        CONFIRMED if known.automatic && !automatic => Some(PROPOSED),
        PROPOSED if automatic => Some(CONFIRMED),
        PROPOSED if found.is_none() && known.method != MANUAL => Some(WITHDRAWN),
        PROPOSED => found.filter(|found| differs(known, found)).map(|_| PROPOSED),
        WITHDRAWN => found.map(|_| if automatic { CONFIRMED } else { PROPOSED }),
        REJECTED | UNDONE if news => Some(PROPOSED),
        _ => None,
    }
}

fn differs(known: &Link, found: &Judged) -> bool {
    !known.evidence.iter().eq(found.evidence.iter().map(|(method, _)| method))
        || !known.contradictions.iter().eq(found.contradictions.iter())
}

/// Two records were put side by side; whether their link changed.
pub(crate) async fn found(
    hub: &Arc<Hub>,
    event: &EventMessage,
    (own, other): (&RecordId, &RecordId),
    found: Option<Judged>,
) -> Result<bool, StoreError> {
    let (a, b) = if own <= other { (own, other) } else { (other, own) };
    let (ends, id) = ((a.clone(), b.clone()), id_of(&event.tenant, a, b));
    let (inner, tenant, trace) = (Arc::clone(hub), event.tenant.clone(), event.trace);
    hub.store
        .write(job!(|tx| {
            let hub = inner;
            let row = tx.record(&tenant, IDENTITY_LINK.name, &id).await?;
            let known = row.as_ref().map(|row| open(&hub, row)).transpose()?;
            let Some(status) = next(known.as_ref(), found.as_ref()) else { return Ok(false) };
            let mut said = Said { status, ends: known.is_none().then_some(&ends), ..Said::default() };
            said.found = Some(found.as_ref());
            said.automatic = Some(status == CONFIRMED);
            if status == CONFIRMED {
                said.decided = Some((HUB, ""));
            }
            let at = hub.clock.micros();
            write(&hub, tx, &tenant, &trace, (&id, known.is_none()), said.fields(at))
                .await
                .map(|became| became.is_some())
        }))
        .await
}

/// What is said about a link.
#[derive(Default)]
struct Said<'s> {
    status: &'static str,
    ends: Option<&'s (RecordId, RecordId)>,
    /// What the hub has found, if it looked.
    found: Option<Option<&'s Judged>>,
    manual: bool,
    automatic: Option<bool>,
    refused: Option<&'s BTreeSet<String>>,
    /// Who decided, and why.
    decided: Option<(&'s str, &'s str)>,
}

impl Said<'_> {
    fn fields(&self, at: i64) -> String {
        let arena = Arena::new();
        let text = |text: &str| Value::Text(arena.text(text));
        let mut fields = vec![("status", arena.map(&[("value", text(self.status))]))];
        if let Some((a, b)) = self.ends {
            let end = |record: &RecordId| arena.map(&[("type", text(&record.0)), ("id", text(&record.1))]);
            fields.extend([("a", end(a)), ("b", end(b)), ("record", arena.list(&[end(a), end(b)]))]);
        }
        if let Some(found) = self.found {
            let evidence = found.map(|found| found.evidence.as_slice()).unwrap_or_default();
            let score = |score: &Decimal| text(&score.to_string());
            let one =
                |(method, value): &(String, Decimal)| arena.map(&[("method", text(method)), ("score", score(value))]);
            let all: Vec<Value<'_>> = evidence.iter().map(one).collect();
            // What nothing speaks for any more keeps the reason that it had.
            if let Some((method, value)) = evidence.first() {
                fields.extend([("method", text(method)), ("score", score(value))]);
            }
            let against = found.map(|found| found.contradictions.as_slice()).unwrap_or_default();
            let against: Vec<Value<'_>> = against.iter().map(|name| text(name)).collect();
            fields.extend([("evidence", arena.list(&all)), ("contradictions", arena.list(&against))]);
        }
        if self.manual {
            fields.extend([("method", text(MANUAL)), ("score", text("1"))]);
        }
        fields.extend(self.automatic.map(|automatic| ("automatic", Value::Bool(automatic))));
        if let Some(refused) = self.refused {
            let refused: Vec<Value<'_>> = refused.iter().map(|method| text(method)).collect();
            fields.push(("refused", arena.list(&refused)));
        }
        if let Some((by, reason)) = self.decided {
            let reason = if reason.is_empty() { Value::Null } else { text(reason) };
            fields.extend([("decided_by", text(by)), ("decided_at", text(&rfc3339_micros(at))), ("reason", reason)]);
        }
        json::to_string(&arena.map(&fields))
    }
}

async fn write(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    tenant: &str,
    trace: &TraceContext,
    (id, new): (&str, bool),
    fields: String,
) -> Result<Option<Became>, StoreError> {
    let entity: &'static EntityType = &IDENTITY_LINK;
    let target =
        if new { Target::New(id.to_owned()) } else { Target::Remote { key: None, hub_id: Some(id.to_owned()) } };
    let write = Write { entity, target, fields, ext: None, deleted: false, rules: Vec::new(), source: None };
    let applied = records::apply(hub, tx, tenant, trace, vec![write]).await?.unwrap_or_default();
    let became = applied.first().map(|one| one.became).filter(|one| matches!(one, Became::Created | Became::Updated));
    tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
    Ok(became)
}

/// What a person decides about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both records are about one human.
    Confirm,
    /// They are not.
    Reject,
    /// The last decision was wrong.
    Undo,
}

impl Decision {
    /// How decisions are written.
    pub const WORDS: [(&'static str, Self); 3] =
        [("confirm", Self::Confirm), ("reject", Self::Reject), ("undo", Self::Undo)];

    /// Where a link stands after it; `None` when it cannot be made there.
    fn after(self, status: &str) -> Option<&'static str> {
        match (self, status) {
            (Self::Confirm, _) => Some(CONFIRMED),
            (Self::Reject, PROPOSED | WITHDRAWN | REJECTED) => Some(REJECTED),
            (Self::Undo, CONFIRMED | UNDONE) => Some(UNDONE),
            (Self::Undo, REJECTED) => Some(PROPOSED),
            (Self::Reject | Self::Undo, _) => None,
        }
    }
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// There is no such link.
    #[error("there is no identity link with this id")]
    Unknown,
    /// It stands where this cannot be decided.
    #[error("the link is {0}")]
    Stands(String),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody (`by`) decides about a link, for a reason in their own words.
///
/// # Errors
/// The link is not there or stands where that cannot be decided; the store fails.
pub async fn decide(
    hub: &Arc<Hub>,
    tenant: &str,
    id: &str,
    decision: Decision,
    (by, reason): (&str, &str),
) -> Result<(), Undecided> {
    let (inner, tenant, id) = (Arc::clone(hub), tenant.to_owned(), id.to_owned());
    let (by, reason) = (by.to_owned(), reason.to_owned());
    let decided = hub.store.write(job!(|tx| {
        let hub = inner;
        let Some(row) = tx.record(&tenant, IDENTITY_LINK.name, &id).await? else { return Ok(Err(Undecided::Unknown)) };
        let known = open(&hub, &row)?;
        let Some(status) = decision.after(&known.status) else { return Ok(Err(Undecided::Stands(known.status))) };
        if status == known.status && !known.automatic {
            return Ok(Ok(()));
        }
        let mut refused = known.refused.clone();
        match status {
            CONFIRMED | PROPOSED => refused.clear(),
            _ => refused.extend(known.evidence.iter().cloned()),
        }
        let said = Said {
            status,
            automatic: Some(false),
            refused: Some(&refused),
            decided: Some((&by, &reason)),
            ..Said::default()
        };
        let (trace, fields) = (TraceContext::begin(), said.fields(hub.clock.micros()));
        write(&hub, tx, &tenant, &trace, (&id, false), fields).await.map(|_| Ok(()))
    }));
    decided.await??;
    hub.wake.events.notify_one();
    Ok(())
}

/// Somebody says that two records are about one human; the id of the link.
///
/// # Errors
/// The store fails.
pub async fn connect(
    hub: &Arc<Hub>,
    tenant: &str,
    (one, other): (&RecordId, &RecordId),
    (by, reason): (&str, &str),
) -> Result<String, StoreError> {
    let (a, b) = if one <= other { (one, other) } else { (other, one) };
    let (ends, id) = ((a.clone(), b.clone()), id_of(tenant, a, b));
    let (inner, tenant, made) = (Arc::clone(hub), tenant.to_owned(), id.clone());
    let (by, reason) = (by.to_owned(), reason.to_owned());
    hub.store
        .write(job!(|tx| {
            let hub = inner;
            let row = tx.record(&tenant, IDENTITY_LINK.name, &made).await?;
            let known = row.as_ref().map(|row| open(&hub, row)).transpose()?;
            if known.as_ref().is_some_and(|known| known.status == CONFIRMED && !known.automatic) {
                return Ok(());
            }
            let none = BTreeSet::new();
            let said = Said {
                status: CONFIRMED,
                ends: known.is_none().then_some(&ends),
                manual: known.is_none(),
                automatic: Some(false),
                refused: Some(&none),
                decided: Some((&by, &reason)),
                ..Said::default()
            };
            let (trace, fields) = (TraceContext::begin(), said.fields(hub.clock.micros()));
            write(&hub, tx, &tenant, &trace, (&made, known.is_none()), fields).await.map(drop)
        }))
        .await?;
    hub.wake.events.notify_one();
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(methods: &[&str], automatic: bool) -> Judged {
        let evidence = methods.iter().map(|method| ((*method).to_owned(), Decimal::ONE)).collect();
        Judged { evidence, contradictions: Vec::new(), automatic }
    }

    fn link(status: &str, evidence: &[&str], refused: &[&str], automatic: bool) -> Link {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (status, refused) = (status.to_owned(), names(refused).into_iter().collect());
        Link { status, evidence: names(evidence), refused, automatic, ..Link::default() }
    }

    #[test]
    fn what_was_turned_down_is_not_proposed_again_for_the_same_reasons() {
        for status in [REJECTED, UNDONE] {
            let refused = link(status, &["PHONE_AND_NAME"], &["PHONE_AND_NAME"], false);
            assert_eq!(next(Some(&refused), Some(&judged(&["PHONE_AND_NAME"], false))), None);
            let news = judged(&["EMAIL_AND_NAME", "PHONE_AND_NAME"], false);
            assert_eq!(next(Some(&refused), Some(&news)), Some(PROPOSED));
        }
        let undone = link(UNDONE, &["NATIONAL_ID"], &["NATIONAL_ID"], false);
        assert_eq!(next(Some(&undone), Some(&judged(&["NATIONAL_ID"], true))), None);
        let news = judged(&["NATIONAL_ID", "PHONE_AND_NAME"], true);
        assert_eq!(
            next(Some(&undone), Some(&news)),
            Some(PROPOSED),
            "a person is asked, nothing is automatic any more"
        );
    }

    #[test]
    fn a_persons_word_stands_and_the_hubs_own_is_asked_again() {
        let by_person = link(CONFIRMED, &["PHONE_AND_NAME"], &[], false);
        assert_eq!(next(Some(&by_person), None), None);
        let by_number = link(CONFIRMED, &["NATIONAL_ID"], &[], true);
        assert_eq!(next(Some(&by_number), Some(&judged(&["NATIONAL_ID"], true))), None);
        assert_eq!(next(Some(&by_number), None), Some(PROPOSED));
    }

    #[test]
    fn proposals_follow_what_the_records_say() {
        assert_eq!(next(None, Some(&judged(&["NATIONAL_ID"], true))), Some(CONFIRMED));
        assert_eq!(next(None, Some(&judged(&["EMAIL"], false))), Some(PROPOSED));
        assert_eq!(next(None, None), None);
        let proposed = link(PROPOSED, &["EMAIL"], &[], false);
        assert_eq!(next(Some(&proposed), Some(&judged(&["EMAIL"], false))), None);
        assert_eq!(next(Some(&proposed), Some(&judged(&["NATIONAL_ID"], true))), Some(CONFIRMED));
        assert_eq!(next(Some(&proposed), None), Some(WITHDRAWN));
        let withdrawn = link(WITHDRAWN, &[], &[], false);
        assert_eq!(next(Some(&withdrawn), Some(&judged(&["EMAIL"], false))), Some(PROPOSED));
    }

    #[test]
    fn decisions_can_be_taken_back() {
        assert_eq!(Decision::Undo.after(CONFIRMED), Some(UNDONE));
        assert_eq!(Decision::Undo.after(REJECTED), Some(PROPOSED));
        assert_eq!(Decision::Undo.after(PROPOSED), None);
        assert_eq!(Decision::Reject.after(CONFIRMED), None, "undo it");
        assert_eq!(Decision::Confirm.after(UNDONE), Some(CONFIRMED));
    }
}
