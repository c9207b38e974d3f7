//! A trial beside the records that it was tried for: how many, what money sums up to, and where they differ.

use super::{Refused, SOURCE, bind::known_by, find, trial_of};
use crate::hub::Hub;
use crate::records::sealed_as;
use hub_model::{Class, EntityType, Field, Type};
use hub_store::{Page, RecordFilter, RecordRow, StoreError, job};
use hub_tree::{Arena, Decimal, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Records that are read at once.
const PAGE: i64 = 500;
/// Records that differ and are shown.
const SAMPLES: usize = 20;

/// How one entity compares.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Which.
    pub entity: &'static EntityType,
    /// How many the trial has.
    pub trial: i64,
    /// How many the tenant has.
    pub target: i64,
    /// How many of the trial's the tenant has, too.
    pub matched: i64,
    /// How many of those say something else.
    pub differing: i64,
    /// Sums of money by field and currency: the trial's, and those of the tenant's records that match.
    pub sums: BTreeMap<(String, String), (Decimal, Decimal)>,
    /// Records that say something else, the first of them.
    pub samples: Vec<Sample>,
}

/// A record that says something else.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its id in the trial.
    pub trial: String,
    /// Its id in the tenant.
    pub target: String,
    /// What people know it by.
    pub known_as: String,
    /// The fields: name, the trial's value and the tenant's as JSON; `None` for one that the reader may not see.
    pub fields: Vec<(String, Option<(String, String)>)>,
}

/// Compares the trial that an import was applied to with its tenant. Values above `allowed` are left out.
///
/// # Errors
/// The import was not applied to a trial, or the store fails.
pub async fn compare(hub: &Arc<Hub>, tenant: &str, id: &str, allowed: Class) -> Result<Vec<Compared>, Refused> {
    let import = find(hub, tenant, id).await?.import;
    if !import.is_trial() {
        return Err(Refused::State(format!(
            "the import was not applied to {}: there is nothing to compare",
            trial_of(tenant)
        )));
    }
    let trial = import.into;
    let (owner, of) = (tenant.to_owned(), trial.clone());
    let written = hub.store.read(job!(|tx| {
        let mut entities = BTreeSet::new();
        for import in tx.imports_into(&owner, &of).await? {
            entities.extend(tx.written_counts(&import).await?.into_iter().map(|(entity, ..)| entity));
        }
        Ok(entities)
    }));
    let written = written.await?;
    let entities: Vec<&'static EntityType> =
        hub_model::ENTITIES.iter().copied().filter(|entity| written.contains(entity.name)).collect();
    let mut same = BTreeMap::new();
    for entity in &entities {
        same.extend(matches(hub, tenant, &trial, entity).await?);
    }
    let mut compared = Vec::new();
    for entity in entities {
        compared.push(one(hub, (tenant, &trial), entity, &same, allowed).await?);
    }
    Ok(compared)
}

/// Which record of the tenant each of the trial means: the one that an import made of the same row, else the one that
/// people know by the same number or code.
async fn matches(
    hub: &Arc<Hub>,
    tenant: &str,
    trial: &str,
    entity: &'static EntityType,
) -> Result<BTreeMap<String, String>, StoreError> {
    let tried = identities(hub, trial, entity).await?;
    let known = identities(hub, tenant, entity).await?;
    let mut same: BTreeMap<String, String> =
        tried.iter().filter_map(|(remote, id)| Some((id.clone(), known.get(remote)?.clone()))).collect();
    let Some(field) = known_by(entity.name) else { return Ok(same) };
    let (one, other) = (tenant.to_owned(), trial.to_owned());
    let values = hub.store.read(job!(|tx| {
        let own = tx.index_values((&one, entity.name, field)).await?;
        Ok((own, tx.index_values((&other, entity.name, field)).await?))
    }));
    let (own, tried) = values.await?;
    for (value, ids) in tried {
        if let ([id], Some([target])) = (ids.as_slice(), own.get(&value).map(Vec::as_slice)) {
            same.entry(id.clone()).or_insert_with(|| target.clone());
        }
    }
    Ok(same)
}

async fn identities(
    hub: &Arc<Hub>,
    tenant: &str,
    entity: &'static EntityType,
) -> Result<BTreeMap<String, String>, StoreError> {
    let (mut all, mut after) = (BTreeMap::new(), String::new());
    loop {
        let (owner, place) = (tenant.to_owned(), after.clone());
        let page = hub.store.read(job!(|tx| { tx.identities_of((&owner, SOURCE, entity.name), &place, PAGE).await }));
        let page = page.await?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after.clone_from(last);
        all.extend(page);
    }
}

async fn one(
    hub: &Arc<Hub>,
    (tenant, trial): (&str, &str),
    entity: &'static EntityType,
    same: &BTreeMap<String, String>,
    allowed: Class,
) -> Result<Compared, StoreError> {
    let (owner, other) = (tenant.to_owned(), trial.to_owned());
    let counts = hub.store.read(job!(|tx| {
        let own = tx.count_records(&owner, entity.name).await?;
        Ok((tx.count_records(&other, entity.name).await?, own))
    }));
    let (tried, own) = counts.await?;
    let mut compared = Compared {
        entity,
        trial: tried,
        target: own,
        matched: 0,
        differing: 0,
        sums: BTreeMap::new(),
        samples: Vec::new(),
    };
    let mut after = String::new();
    loop {
        let (owner, other, page) = (tenant.to_owned(), trial.to_owned(), Page { after: after.clone(), limit: PAGE });
        let ids = same.clone();
        let read = hub.store.read(job!(|tx| {
            let rows = tx.records(&other, entity.name, RecordFilter::default(), page).await?;
            let wanted = rows.iter().filter_map(|row| Some((entity.name.to_owned(), ids.get(&row.id)?.clone())));
            let own = tx.stored_records(&owner, wanted.collect()).await?;
            Ok((rows, own))
        }));
        let (rows, own) = read.await?;
        let Some(last) = rows.last() else { return Ok(compared) };
        after.clone_from(&last.id);
        for row in &rows {
            let target = same.get(&row.id).and_then(|id| own.get(&(entity.name.to_owned(), id.clone())));
            add(hub, &mut compared, row, target.filter(|target| target.deleted_at.is_none()), same, allowed)?;
        }
    }
}

fn add(
    hub: &Hub,
    compared: &mut Compared,
    row: &RecordRow,
    target: Option<&RecordRow>,
    same: &BTreeMap<String, String>,
    allowed: Class,
) -> Result<(), StoreError> {
    let entity = compared.entity;
    let arena = Arena::new();
    let read = |row: &RecordRow| {
        let opened = hub.open(&row.tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
        let document = json::read(&arena, arena.bytes(&opened), Limits::default());
        document.map_err(|_| StoreError::Sealed("a record is no JSON"))
    };
    let tried = read(row)?;
    let own = target.map(read).transpose()?;
    for field in entity.fields.iter().filter(|field| class_of(field) <= allowed) {
        sum(tried.get(field.name), field.name, &mut |path, currency, amount| {
            let entry = compared.sums.entry((path, currency)).or_default();
            entry.0 = entry.0.saturating_add(amount);
        });
        sum(own.unwrap_or_default().get(field.name), field.name, &mut |path, currency, amount| {
            let entry = compared.sums.entry((path, currency)).or_default();
            entry.1 = entry.1.saturating_add(amount);
        });
    }
    let (Some(own), Some(target)) = (own, target) else { return Ok(()) };
    compared.matched += 1;
    let differs = |field: &&Field| {
        let value = tried.get(field.name);
        !value.is_absent() && !agrees(value, own.get(field.name), same)
    };
    let fields: Vec<&Field> = entity.fields.iter().filter(differs).collect();
    if fields.is_empty() {
        return Ok(());
    }
    compared.differing += 1;
    if compared.samples.len() < SAMPLES {
        let shown = |field: &Field| {
            let text = |value: Value<'_>| json::to_string(&value);
            let values =
                (class_of(field) <= allowed).then(|| (text(tried.get(field.name)), own_text(own.get(field.name))));
            (field.name.to_owned(), values)
        };
        let known_as = known_by(entity.name).and_then(|name| {
            let field = entity.field(name).filter(|field| field.class <= allowed)?;
            tried.get(field.name).as_text()
        });
        compared.samples.push(Sample {
            trial: row.id.clone(),
            target: target.id.clone(),
            known_as: known_as.unwrap_or_default().to_owned(),
            fields: fields.into_iter().map(shown).collect(),
        });
    }
    Ok(())
}

/// A value as JSON; null where there is none.
fn own_text(value: Value<'_>) -> String {
    if value.is_absent() { "null".to_owned() } else { json::to_string(&value) }
}

/// Finds amounts of money in a value: path, currency, amount.
fn sum(value: Value<'_>, path: &str, found: &mut dyn FnMut(String, String, Decimal)) {
    match value {
        Value::List(items) => items.iter().for_each(|item| sum(*item, path, found)),
        Value::Map(map) => {
            let amount = map.get("amount");
            let amount = amount.as_decimal().or_else(|| amount.as_text()?.parse().ok());
            if let (Some(amount), Some(currency)) = (amount, map.get("currency").as_text()) {
                return found(path.to_owned(), currency.to_owned(), amount);
            }
            for (name, value) in map.entries() {
                sum(*value, &format!("{path}.{name}"), found);
            }
        }
        _ => {}
    }
}

/// Whether the tenant's record says what the trial's says: what the trial leaves out does not count, and references
/// agree when they mean the same record.
fn agrees(tried: Value<'_>, own: Value<'_>, same: &BTreeMap<String, String>) -> bool {
    match (tried, own) {
        (Value::Map(one), Value::Map(_)) => {
            if let (Some(id), Some(other)) = (one.get("id").as_text(), own.get("id").as_text())
                && !one.get("type").is_absent()
            {
                return same.get(id).map_or(id, String::as_str) == other;
            }
            one.entries().iter().all(|(name, value)| agrees(*value, own.get(name), same))
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| agrees(*one, *other, same))
        }
        (one, other) => one == other,
    }
}

/// The highest class of a field and of all that lies in it.
fn class_of(field: &Field) -> Class {
    fn below(ty: &Type) -> Class {
        match ty {
            Type::List(item) => below(item),
            Type::Struct(of) => of.fields.iter().map(class_of).max().unwrap_or(Class::S0),
            _ => Class::S0,
        }
    }
    field.class.max(below(field.ty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(arena: &'a Arena, text: &'a str) -> Value<'a> {
        json::read(arena, text.as_bytes(), Limits::default()).unwrap()
    }

    #[test]
    fn what_a_trial_leaves_out_is_no_difference_and_references_mean_the_same_record() {
        let arena = Arena::new();
        let same = BTreeMap::from([("t1".to_owned(), "o1".to_owned())]);
        let agrees = |one: &str, other: &str| {
            let arena = Arena::new();
            agrees(read(&arena, one), read(&arena, other), &same)
        };
        assert!(agrees(r#"{"a":"1"}"#, r#"{"a":"1","b":"2"}"#));
        assert!(!agrees(r#"{"a":"1","b":"2"}"#, r#"{"a":"1"}"#));
        assert!(agrees(r#"[{"type":"person","id":"t1"}]"#, r#"[{"type":"person","id":"o1","display":"x"}]"#));
        assert!(!agrees(r#"{"type":"person","id":"t2"}"#, r#"{"type":"person","id":"o1"}"#));
        assert!(!agrees(r#"["1"]"#, r#"["1","2"]"#));
        let mut sums = Vec::new();
        let text = r#"{"base":{"amount":"10.50","currency":"CNY"},"items":[{"pay":{"amount":"1","currency":"CNY"}},{"pay":{"amount":"2","currency":"EUR"}}]}"#;
        sum(read(&arena, text), "pay", &mut |path, currency, amount| sums.push(format!("{path} {amount} {currency}")));
        assert_eq!(sums, ["pay.base 10.50 CNY", "pay.items.pay 1 CNY", "pay.items.pay 2 EUR"]);
    }
}
