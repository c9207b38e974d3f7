//! All records of one human: those that refer to each other, and those that confirmed links join.

use crate::hub::Hub;
use crate::identity::links;
use crate::records::{index_entry, sealed_as};
use hub_model::Type;
use hub_store::{RecordId, RecordRow, StoreError, job};
use hub_tree::{Arena, Limits, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Fields by which a record refers to another one of the same human.
const REFERENCES: [(&str, &str); 5] = [
    ("candidate", "person"),
    ("employee", "candidate"),
    ("employee", "person"),
    ("pre_hire", "person"),
    ("user", "person"),
];
/// How a record that refers to another is joined to it.
pub const REFERENCE: &str = "REFERENCE";
/// More records than this are no human's.
const MOST: usize = 200;

/// One record of a human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The record.
    pub record: RecordId,
    /// How it is joined to the rest; `None` for the one that was asked for.
    pub joined: Option<Joined>,
}

/// How a record is joined to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The record nearer to the one that was asked for.
    pub to: RecordId,
    /// [`REFERENCE`], or the link's method.
    pub method: String,
    /// The link.
    pub link: Option<String>,
    /// The link's score.
    pub score: Option<String>,
}

/// The records of the human that a record is about, the nearest first.
///
/// # Errors
/// The store fails.
pub async fn members(hub: &Hub, tenant: &str, of: &RecordId) -> Result<Vec<Member>, StoreError> {
    let mut seen = BTreeSet::from([of.clone()]);
    let mut found = vec![Member { record: of.clone(), joined: None }];
    let mut ahead = VecDeque::from([of.clone()]);
    while let Some(record) = ahead.pop_front() {
        for (next, joined) in neighbours(hub, tenant, &record).await? {
            if found.len() < MOST && seen.insert(next.clone()) {
                found.push(Member { record: next.clone(), joined: Some(joined) });
                ahead.push_back(next);
            }
        }
    }
    Ok(found)
}

/// The same as a set.
pub(crate) async fn all(hub: &Hub, tenant: &str, of: &RecordId) -> Result<BTreeSet<RecordId>, StoreError> {
    Ok(members(hub, tenant, of).await?.into_iter().map(|member| member.record).collect())
}

async fn neighbours(hub: &Hub, tenant: &str, of: &RecordId) -> Result<BTreeMap<RecordId, Joined>, StoreError> {
    let mut found = BTreeMap::new();
    let refers = || Joined { to: of.clone(), method: REFERENCE.to_owned(), link: None, score: None };
    for record in referred(hub, tenant, of).await?.into_iter().chain(referring(hub, tenant, of).await?) {
        found.insert(record, refers());
    }
    for (other, link) in links::of(hub, tenant, of).await? {
        if link.status == links::CONFIRMED {
            let (method, link, score) = (link.method, Some(link.id), link.score);
            found.entry(other).or_insert(Joined { to: of.clone(), method, link, score });
        }
    }
    Ok(found)
}

/// The records that this one refers to.
async fn referred(hub: &Hub, tenant: &str, (entity, id): &RecordId) -> Result<Vec<RecordId>, StoreError> {
    let fields: Vec<&str> = REFERENCES.iter().filter(|(of, _)| of == entity).map(|(_, field)| *field).collect();
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let (owner, kind, wanted) = (tenant.to_owned(), entity.clone(), id.clone());
    let row = hub.store.read(job!(|tx| { tx.record(&owner, &kind, &wanted).await })).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let opened = hub.open(tenant, &sealed_as(entity, id), &row.body.0)?;
    let arena = Arena::new();
    let document = json::read(&arena, &opened, Limits::default()).unwrap_or_default();
    let named = |field: &str| {
        let reference = document.get(field);
        Some((reference.get("type").as_text()?.to_owned(), reference.get("id").as_text()?.to_owned()))
    };
    Ok(fields.into_iter().filter_map(named).collect())
}

/// The records that refer to this one.
async fn referring(hub: &Hub, tenant: &str, (entity, id): &RecordId) -> Result<Vec<RecordId>, StoreError> {
    let mut found = Vec::new();
    for (from, name) in REFERENCES {
        let field = hub_model::entity(from).and_then(|of| of.fields.iter().find(|field| field.name == name));
        let Some(field) = field.filter(|field| matches!(field.ty, Type::Ref(to) if *to == entity.as_str())) else {
            continue;
        };
        let (owner, value) = (tenant.to_owned(), index_entry(hub, tenant, field, id)?.value);
        let rows = hub.store.read(job!(|tx| { tx.records_by(&owner, from, name, vec![value], false).await })).await?;
        found.extend(rows.into_iter().map(|(_, RecordRow { id, .. })| (from.to_owned(), id)));
    }
    Ok(found)
}
