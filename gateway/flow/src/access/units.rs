//! Org units: callers may be limited to departments, and see only records that belong there. What a record belongs to
//! follows from the model's references; what belongs nowhere is not shown to them.

use crate::access::{Denied, Principal};
use crate::hub::Hub;
use hub_model::{Class, EntityType, Field, Type};
use hub_store::{Belongings, StoreError, Way, Within, job};
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Arena, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The org units that a caller is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    /// Departments, by hub id.
    pub departments: Vec<String>,
    /// Those below them, too: a head office sees its branches, a branch itself.
    pub below: bool,
}

/// Entities without a place that say nothing about anybody: the words in which everything else is written.
pub const OPEN: [&str; 12] = [
    "benefit_plan",
    "competency",
    "course",
    "job",
    "job_family",
    "job_level",
    "legal_entity",
    "location",
    "organization",
    "review_cycle",
    "stage",
    "time_off_type",
];

/// Fields that lead to where a record belongs, the deciding one first. The model says which of them an entity has and
/// what they refer to.
const UP: [&str; 13] = [
    "department",
    "employee",
    "employment",
    "application",
    "requisition",
    "candidate",
    "person",
    "enrolment",
    "to",
    "owner",
    "subject",
    "about",
    "related",
];

/// Entities to which nothing leads up, and those whose records lead to them.
const DOWN: [(&str, &[(&str, &str)]); 2] = [
    ("candidate", &[("application", "candidate")]),
    // Who works here belongs where they work, wherever they once applied.
    ("person", &[("employee", "person"), ("candidate", "person")]),
];

/// Fields that lead to what leads back here.
const BACK: [(&str, &str); 1] = [("application", "candidate")];

/// What references to anything are followed to.
const ANY: [&str; 8] =
    ["department", "employee", "employment", "application", "requisition", "offer", "candidate", "person"];

static BELONGINGS: LazyLock<Belongings> = LazyLock::new(|| {
    let ways = hub_model::ENTITIES.iter().map(|entity| (entity.name, ways(entity)));
    let ways: BTreeMap<_, _> = ways.filter(|(_, ways)| !ways.is_empty()).collect();
    Belongings { ways, open: BTreeSet::from(OPEN) }
});

/// How records of the model's entities hang on org units.
#[must_use]
pub fn belongings() -> &'static Belongings {
    &BELONGINGS
}

fn ways(entity: &EntityType) -> Vec<Way> {
    match entity.name {
        "department" => return vec![Way::Unit],
        "employee" => return vec![Way::Work],
        _ => {}
    }
    if let Some((_, below)) = DOWN.iter().find(|(name, _)| *name == entity.name) {
        return below.iter().map(|(entity, field)| Way::From { entity, field }).collect();
    }
    if OPEN.contains(&entity.name) {
        return Vec::new();
    }
    let fields = UP.iter().filter_map(|name| entity.fields.iter().find(|field| field.name == *name));
    fields.filter(|field| !BACK.contains(&(entity.name, field.name))).filter_map(way_up).collect()
}

/// The way that a field leads, where the index can be asked for it.
fn way_up(field: &Field) -> Option<Way> {
    let Type::Ref(to) = field.ty else { return None };
    let to = if to.is_empty() { ANY.to_vec() } else { vec![*to] };
    (field.indexed && field.class < Class::S2).then_some(Way::Up { field: field.name, to })
}

/// What a list is limited to for this caller; `None` where they see all of their tenant. `zone` is whose day counts as
/// today.
#[must_use]
pub fn within(hub: &Hub, who: &Principal, zone: &TimeZone) -> Option<Within> {
    let units = who.units()?;
    let today = hub.clock.now().to_zoned(zone.clone()).date().to_string();
    Some(Within { units: units.departments.clone(), below: units.below, today, how: &BELONGINGS })
}

/// Those of the records of an entity that this caller may know of by where they belong. Whether they may read the
/// entity at all is [`Principal::reads`]'s to say.
///
/// # Errors
/// The store fails.
pub async fn visible(
    hub: &Hub,
    who: &Principal,
    zone: &TimeZone,
    entity: &'static str,
    ids: BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let Some(within) = within(hub, who, zone) else { return Ok(ids) };
    let tenant = who.tenant.clone();
    hub.store.read(job!(|tx| { tx.records_within(&tenant, entity, &within, ids).await })).await
}

/// Refuses what a limited caller would write elsewhere, or bring into their sight by referring to it: every reference
/// must lead to what they see already, and a new record must have one that decides where it belongs. `fields` is JSON;
/// references by a vendor's id are not taken, as nobody knows yet where they lead.
///
/// # Errors
/// What is not allowed, or the store fails.
pub async fn may_place(
    hub: &Hub,
    who: &Principal,
    zone: &TimeZone,
    entity: &'static EntityType,
    fields: &[u8],
    new: bool,
) -> Result<(), Denied> {
    if who.units().is_none() {
        return Ok(());
    }
    let referred = referred(entity, fields).ok_or(Denied::Limited)?;
    let decides = |field: &str| {
        let ways = BELONGINGS.ways.get(entity.name).map(Vec::as_slice).unwrap_or_default();
        ways.iter().any(|way| matches!(way, Way::Up { field: own, .. } if *own == field))
    };
    if new && !referred.iter().any(|(field, _, _)| decides(field)) {
        return Err(Denied::Limited);
    }
    for (_, to, id) in referred {
        if visible(hub, who, zone, to, BTreeSet::from([id])).await?.is_empty() {
            return Err(Denied::Limited);
        }
    }
    Ok(())
}

/// Field, entity and id of every reference in a document; `None` where one cannot be followed.
fn referred(entity: &EntityType, fields: &[u8]) -> Option<Vec<(&'static str, &'static str, String)>> {
    let arena = Arena::new();
    let document = json::read(&arena, fields, Limits::default()).ok()?;
    let mut found = Vec::new();
    for (name, said) in document.entries() {
        let Some(field) = entity.fields.iter().find(|field| field.name == *name) else { continue };
        let (to, single) = match field.ty {
            Type::Ref(to) | Type::List(Type::Ref(to)) => (*to, [*said]),
            _ => continue,
        };
        let items = if let Value::List(items) = *said { items } else { single.as_slice() };
        for item in items {
            let kind = item.get("type").as_text().or((!to.is_empty()).then_some(to))?;
            let kind = hub_model::entity(kind).filter(|kind| to.is_empty() || kind.name == to)?;
            found.push((field.name, kind.name, item.get("id").as_text()?.to_owned()));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(entity: &str) -> Vec<&'static str> {
        let ways = BELONGINGS.ways.get(entity).map(Vec::as_slice).unwrap_or_default();
        let name = |way: &Way| match way {
            Way::Unit => "itself",
            Way::Work => "work",
            Way::Up { field, .. } => *field,
            Way::From { entity, .. } => *entity,
        };
        ways.iter().map(name).collect()
    }

    #[test]
    fn the_models_references_say_where_records_belong() {
        assert_eq!(leads("department"), ["itself"]);
        assert_eq!(leads("employee"), ["work"]);
        assert_eq!(leads("job_assignment"), ["department", "employment"]);
        assert_eq!(leads("application"), ["requisition"]);
        assert_eq!(leads("requisition"), ["department"]);
        assert_eq!(leads("payslip"), ["employee"]);
        assert_eq!(leads("background_check"), ["employee", "application"]);
        assert_eq!(leads("offer"), ["application"]);
        assert_eq!(leads("resume"), ["candidate"]);
        assert_eq!(leads("candidate"), ["application"]);
        assert_eq!(leads("person"), ["employee", "candidate"]);
        assert_eq!(leads("learning_result"), ["enrolment"]);
        assert_eq!(leads("feedback"), ["to"]);
        assert_eq!(leads("signature_envelope"), ["subject"]);
    }

    /// A new entity of the model is looked at by a person before callers with limits see it.
    #[test]
    fn what_belongs_nowhere_is_a_reviewed_list() {
        let nowhere: Vec<&str> = hub_model::ENTITIES.iter().map(|entity| entity.name).collect();
        let nowhere: Vec<&str> =
            nowhere.into_iter().filter(|name| leads(name).is_empty() && !OPEN.contains(name)).collect();
        assert_eq!(
            nowhere,
            [
                "cost_center",
                "identity_link",
                "job_grade",
                "learning_session",
                "payroll_run",
                "pay_group",
                "training_plan"
            ]
        );
        assert!(OPEN.iter().all(|name| hub_model::entity(name).is_some_and(|_| leads(name).is_empty())));
    }

    #[test]
    fn ways_lead_round_in_no_circle() {
        fn walk(entity: &'static str, above: &mut Vec<&'static str>) {
            assert!(!above.contains(&entity), "{above:?} leads back to {entity}");
            above.push(entity);
            for way in BELONGINGS.ways.get(entity).map(Vec::as_slice).unwrap_or_default() {
                match way {
                    Way::Up { to, .. } => to.iter().for_each(|to| walk(to, above)),
                    Way::From { entity, .. } => walk(entity, above),
                    Way::Unit | Way::Work => {}
                }
            }
            above.pop();
        }
        hub_model::ENTITIES.iter().for_each(|entity| walk(entity.name, &mut Vec::new()));
    }

    #[test]
    fn a_document_names_all_that_it_refers_to() {
        let application = hub_model::entity("application").unwrap();
        let found = |text: &str| referred(application, text.as_bytes());
        let one = |field, entity, id: &str| (field, entity, id.to_owned());
        assert_eq!(
            found(r#"{"candidate": {"type": "candidate", "id": "1"}, "interviews": [{"id": "2"}]}"#),
            Some(vec![one("candidate", "candidate", "1"), one("interviews", "interview", "2")])
        );
        assert_eq!(found(r#"{"source_detail": "x"}"#), Some(vec![]));
        for bad in [
            r#"{"candidate": {"type": "candidate", "source": {"connection_id": "a", "remote_id": "1"}}}"#,
            r#"{"candidate": {"type": "location", "id": "1"}}"#,
            r#"{"candidate": null}"#,
            r#"{"candidate": "1"}"#,
            r#"{"candidate": {"id": "1"}, "candidate": {"id": "2"}}"#,
        ] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }
}
