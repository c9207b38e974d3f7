//! `expand=candidate,application.job`: the records that others refer to, embedded in the references as `record`.
//! Each level is asked for at once.

use super::{Known, known_to, seen};
use crate::Api;
use crate::problem::Problem;
use hub_flow::access::Principal;
use hub_model::{Class, EntityType, Field, Type};
use hub_store::{RecordId, RecordRow, StoreError};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Value};
use std::collections::{BTreeMap, BTreeSet};

/// References that may lie behind one another.
const LEVELS: usize = 2;

/// What to expand below a place: by the names of fields; an object's own, or those of the record referred to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expand(BTreeMap<&'static str, Expand>);

/// Records that are embedded, and what employees among them do.
#[derive(Default)]
pub(crate) struct Embedded {
    records: BTreeMap<RecordId, Known>,
    currents: BTreeMap<String, String>,
}

fn refuse(detail: String, next: Option<String>) -> Problem {
    Problem::bad_parameter("expand", detail, next)
}

fn item(mut ty: &'static Type) -> &'static Type {
    while let Type::List(inner) = ty {
        ty = inner;
    }
    ty
}

/// Whether a type is a reference, or has one somewhere.
fn leads_on(ty: &'static Type) -> bool {
    match item(ty) {
        Type::Ref(_) => true,
        Type::Struct(of) => of.fields.iter().any(|field| leads_on(field.ty)),
        _ => false,
    }
}

impl Expand {
    /// Reads ways to references, separated by commas.
    pub(crate) fn read(entity: &'static EntityType, text: &str) -> Result<Self, Problem> {
        let mut all = Self::default();
        for way in text.split(',').map(str::trim).filter(|way| !way.is_empty()) {
            all.add(entity, way)?;
        }
        if all.0.is_empty() {
            return Err(refuse("`expand` names no field".to_owned(), None));
        }
        Ok(all)
    }

    fn add(&mut self, entity: &'static EntityType, way: &str) -> Result<(), Problem> {
        let (mut fields, mut node, mut levels, mut ends) = (entity.fields, self, 0, false);
        for name in way.split('.') {
            let Some(field) = fields.iter().find(|field| field.name == name && leads_on(field.ty)) else {
                let known: Vec<&str> = fields.iter().filter(|f| leads_on(f.ty)).map(|field| field.name).collect();
                let detail = format!("`{way}`: there is no reference `{name}`");
                return Err(refuse(detail, suggest(name, known.iter().copied())));
            };
            node = node.0.entry(field.name).or_default();
            let ty = item(field.ty);
            ends = false;
            fields = ty.fields();
            if let Type::Ref(target) = ty {
                (levels, ends) = (levels + 1, true);
                fields = hub_model::entity(target).map_or(&[], |entity| entity.fields);
            }
        }
        if levels > LEVELS {
            return Err(refuse(format!("`{way}`: at most {LEVELS} references behind one another"), None));
        }
        if !ends {
            return Err(refuse(format!("`{way}` is no reference"), Some("name one that lies in it".to_owned())));
        }
        Ok(())
    }

    /// Fetches what is embedded in records that are shown: with each level, all of it at once.
    pub(crate) async fn gather(
        &self,
        api: &Api,
        who: &Principal,
        (entity, allowed): (&'static EntityType, Class),
        rows: &[RecordRow],
        times: super::Times,
    ) -> Result<Embedded, Problem> {
        let mut all = Embedded::default();
        let mut wanted: Vec<(RecordId, &Self)> = Vec::new();
        for row in rows {
            self.referred(api, entity, row, allowed, &mut wanted)?;
        }
        while !wanted.is_empty() {
            let ids: BTreeSet<RecordId> = wanted.iter().map(|(id, _)| id.clone()).collect();
            let new = ids.into_iter().filter(|id| !all.records.contains_key(id)).collect();
            all.records.extend(known_to(api, who, new, times.known_at).await?);
            let mut next = Vec::new();
            for (id, below) in wanted {
                if let Some(known) = all.records.get(&id) {
                    below.referred(api, known.entity, &known.row, known.allowed, &mut next)?;
                }
            }
            wanted = next;
        }
        if let Some(employee) = hub_model::entity("employee") {
            let rows: Vec<RecordRow> = all
                .records
                .values()
                .filter(|known| known.entity.name == employee.name)
                .map(|k| k.row.clone())
                .collect();
            all.currents = crate::current::jobs(api, employee, &rows, times).await?;
        }
        Ok(all)
    }

    /// The records that a record refers to where it is expanded, and what is expanded in each.
    fn referred<'e>(
        &'e self,
        api: &Api,
        entity: &'static EntityType,
        row: &RecordRow,
        allowed: Class,
        found: &mut Vec<(RecordId, &'e Self)>,
    ) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let arena = Arena::new();
        let document = seen(api, entity, row, None, &arena, allowed)?;
        self.refs(document, entity.fields, found);
        Ok(())
    }

    fn refs<'e>(&'e self, value: Value<'_>, fields: &[Field], found: &mut Vec<(RecordId, &'e Self)>) {
        for (name, below) in &self.0 {
            let Some(field) = fields.iter().find(|field| field.name == *name) else { continue };
            below.refs_at(value.get(name), item(field.ty), found);
        }
    }

    fn refs_at<'e>(&'e self, value: Value<'_>, ty: &Type, found: &mut Vec<(RecordId, &'e Self)>) {
        match (value, ty) {
            (Value::List(items), ty) => items.iter().for_each(|item| self.refs_at(*item, ty, found)),
            (value, Type::Struct(of)) => self.refs(value, of.fields, found),
            (value, Type::Ref(_)) => found.extend(referred_by(value).map(|id| (id, self))),
            _ => {}
        }
    }

    /// A record's document with what is embedded in it; `left` names the references that stay as they are.
    pub(crate) fn embed<'a>(
        &self,
        cx: &Embedding<'a, '_>,
        document: Value<'a>,
        fields: &'static [Field],
        pointer: &str,
        left: &mut Vec<String>,
    ) -> Result<Value<'a>, StoreError> {
        let mut entries = Vec::with_capacity(document.entries().len());
        for (name, value) in document.entries() {
            let field = fields.iter().find(|field| field.name == *name);
            let value = match (self.0.get(name), field) {
                (Some(below), Some(field)) => {
                    below.embed_at(cx, *value, item(field.ty), &format!("{pointer}/{name}"), left)?
                }
                _ => *value,
            };
            entries.push((*name, value));
        }
        Ok(cx.arena.map(&entries))
    }

    fn embed_at<'a>(
        &self,
        cx: &Embedding<'a, '_>,
        value: Value<'a>,
        ty: &'static Type,
        pointer: &str,
        left: &mut Vec<String>,
    ) -> Result<Value<'a>, StoreError> {
        match (value, ty) {
            (Value::List(items), ty) => {
                let mut all = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    all.push(self.embed_at(cx, *item, ty, &format!("{pointer}/{index}"), left)?);
                }
                Ok(cx.arena.list(&all))
            }
            (Value::Map(_), Type::Struct(of)) => self.embed(cx, value, of.fields, pointer, left),
            (Value::Map(map), Type::Ref(_)) => {
                let Some(known) = referred_by(value).and_then(|id| cx.embedded.records.get(&id)) else {
                    left.push(pointer.to_owned());
                    return Ok(value);
                };
                let current = cx.embedded.currents.get(&known.row.id).map(String::as_str);
                let record = seen(cx.api, known.entity, &known.row, current, cx.arena, known.allowed)?;
                let record = self.embed(cx, record, known.entity.fields, &format!("{pointer}/record"), left)?;
                Ok(cx.arena.map(&[map.entries(), &[("record", record)]].concat()))
            }
            (value, _) => Ok(value),
        }
    }
}

/// What embedding needs.
pub(crate) struct Embedding<'a, 'e> {
    pub(crate) api: &'e Api,
    pub(crate) arena: &'a Arena,
    pub(crate) embedded: &'e Embedded,
}

/// The record that a reference points at.
fn referred_by(reference: Value<'_>) -> Option<RecordId> {
    Some((reference.get("type").as_text()?.to_owned(), reference.get("id").as_text()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_to_references_and_over_two_at_most() {
        let read = |way: &str| Expand::read(hub_model::entity("scorecard").unwrap(), way);
        assert!(read("application,application.candidate").is_ok(), "{:?}", read("application"));
        let refused = |way: &str| serde_json::to_string(&read(way).unwrap_err()).unwrap();
        assert!(refused("aplication").contains("did you mean `application`?"));
        assert!(refused("application.candidate.person").contains("at most 2 references"));
        assert!(refused("").contains("names no field"));
        assert!(refused("application.status").contains("there is no reference `status`"));
    }
}
