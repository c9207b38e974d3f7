//! Org units: over random enterprises, a limited caller gets exactly the records that belong to their units. What
//! belongs there is told a second time here, by walking through the records one by one.

use crate::backend::{Backend, record};
use hub_flow::access::units::belongings;
use hub_store::{IndexEntry, NewVersion, Page, RecordFilter, Within, job};
use std::collections::{BTreeMap, BTreeSet};

const TODAY: &str = "2026-03-01";
const NEVER: &str = "9999-12-31";

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &'a [String]) -> Option<&'a String> {
        let place = self.roll(from.len() + 1);
        from.get(place)
    }
}

type Fields = BTreeMap<&'static str, String>;

/// The records of a tenant: by entity and id, whether it is gone and what its fields refer to or say.
#[derive(Default)]
struct World {
    records: BTreeMap<&'static str, BTreeMap<String, (bool, Fields)>>,
}

impl World {
    fn random(dice: &mut Dice) -> Self {
        let mut world = Self::default();
        for _ in 0..dice.roll(8) + 1 {
            let above = world.ids("department");
            world.add(dice, "department", &[("parent", &above)], &[]);
        }
        if dice.roll(4) == 0 {
            // Departments in a circle are an error of the enterprise, not of ours.
            let ids = world.ids("department");
            let (first, last) = (ids[0].clone(), ids[ids.len() - 1].clone());
            world.records.get_mut("department").unwrap().get_mut(&first).unwrap().1.insert("parent", last);
        }
        let departments = world.ids("department");
        world.several(dice, "requisition", 5, |_| vec![("department", departments.clone())]);
        world.several(dice, "location", 2, |_| Vec::new());
        world.several(dice, "payroll_run", 2, |_| Vec::new());
        world.several(dice, "person", 6, |_| Vec::new());
        world.several(dice, "candidate", 5, |world| vec![("person", world.ids("person"))]);
        world.several(dice, "employee", 5, |world| vec![("person", world.ids("person"))]);
        world.several(dice, "application", 8, |world| {
            vec![("candidate", world.ids("candidate")), ("requisition", world.ids("requisition"))]
        });
        world.several(dice, "resume", 4, |world| vec![("candidate", world.ids("candidate"))]);
        world.several(dice, "offer", 3, |world| vec![("application", world.ids("application"))]);
        let days = ["2025-12-31", "2026-02-28", TODAY, "2026-03-31"];
        for _ in 0..dice.roll(7) + 1 {
            let employees = world.ids("employee");
            let end = (dice.roll(3) == 0).then(|| ("end_on", days[dice.roll(4)]));
            world.add(dice, "employment", &[("employee", &employees)], end.as_slice());
        }
        for _ in 0..dice.roll(14) {
            let (employments, departments) = (world.ids("employment"), world.ids("department"));
            let end = (dice.roll(2) == 0).then(|| ("valid_to", days[dice.roll(4)]));
            let refers = [("employment", &employments), ("department", &departments)];
            world.add(dice, "job_assignment", &refers, end.as_slice());
        }
        world.several(dice, "payslip", 6, |world| vec![("employee", world.ids("employee"))]);
        world.several(dice, "background_check", 6, |world| {
            vec![("employee", world.ids("employee")), ("application", world.ids("application"))]
        });
        world.several(dice, "consent", 5, |world| vec![("person", world.ids("person"))]);
        world.several(dice, "goal", 6, |world| {
            let all = ["employee", "department", "application", "location"].iter().flat_map(|of| world.ids(of));
            vec![("owner", all.collect())]
        });
        world
    }

    fn ids(&self, entity: &str) -> Vec<String> {
        self.records.get(entity).map(|records| records.keys().cloned().collect()).unwrap_or_default()
    }

    fn several(
        &mut self,
        dice: &mut Dice,
        entity: &'static str,
        most: usize,
        refers: impl Fn(&Self) -> Vec<(&'static str, Vec<String>)>,
    ) {
        for _ in 0..dice.roll(most + 1) {
            let refers = refers(self);
            let refers: Vec<(&'static str, &Vec<String>)> = refers.iter().map(|(name, to)| (*name, to)).collect();
            self.add(dice, entity, &refers, &[]);
        }
    }

    fn add(
        &mut self,
        dice: &mut Dice,
        entity: &'static str,
        refers: &[(&'static str, &Vec<String>)],
        says: &[(&'static str, &str)],
    ) {
        let mut fields: Fields = says.iter().map(|(name, said)| (*name, (*said).to_owned())).collect();
        for (name, to) in refers {
            fields.extend(dice.pick(to).map(|id| (*name, id.clone())));
        }
        let gone = dice.roll(6) == 0;
        let of = self.records.entry(entity).or_default();
        of.insert(format!("{entity}-{:03}", of.len()), (gone, fields));
    }

    fn field(&self, entity: &str, id: &str, name: &str) -> Option<&String> {
        self.records.get(entity)?.get(id)?.1.get(name)
    }

    /// Those of an entity whose field has this value.
    fn with(&self, entity: &str, name: &str, value: &str) -> Vec<&String> {
        let all = self.records.get(entity).into_iter().flatten();
        all.filter(|(_, (_, fields))| fields.get(name).is_some_and(|own| own == value)).map(|(id, _)| id).collect()
    }

    fn units(&self, roots: &[String], below: bool) -> BTreeSet<String> {
        let mut units: BTreeSet<String> = roots.iter().cloned().collect();
        if !below {
            return units;
        }
        loop {
            let under: Vec<String> = self
                .ids("department")
                .into_iter()
                .filter(|id| self.field("department", id, "parent").is_some_and(|parent| units.contains(parent)))
                .filter(|id| !units.contains(id))
                .collect();
            if under.is_empty() {
                return units;
            }
            units.extend(under);
        }
    }

    /// When an assignment ends, and where it is to.
    fn assignments(&self, employee: &str) -> Vec<(String, Option<&String>)> {
        let mut all = Vec::new();
        for employment in self.with("employment", "employee", employee) {
            for assignment in self.with("job_assignment", "employment", employment) {
                if self.records["job_assignment"][assignment].0 {
                    continue;
                }
                let ends = [
                    self.field("job_assignment", assignment, "valid_to"),
                    self.field("employment", employment, "end_on"),
                ];
                let until = ends.into_iter().flatten().min().cloned().unwrap_or_else(|| NEVER.to_owned());
                all.push((until, self.field("job_assignment", assignment, "department")));
            }
        }
        all
    }

    fn belongs(&self, entity: &str, id: &str, units: &BTreeSet<String>) -> bool {
        let up = |name: &str, to: &str| self.field(entity, id, name).map(|id| self.belongs(to, id, units));
        match entity {
            "department" => units.contains(id),
            "location" => true,
            "payroll_run" => false,
            "employee" => {
                let all = self.assignments(id);
                let last = all.iter().map(|(until, _)| until).max();
                let counts = |until: &String| until.as_str() >= TODAY || Some(until) == last;
                all.iter().any(|(until, place)| counts(until) && place.is_some_and(|place| units.contains(place)))
            }
            "employment" | "payslip" => up("employee", "employee").unwrap_or(false),
            "job_assignment" => {
                up("department", "department").or_else(|| up("employment", "employment")).unwrap_or(false)
            }
            "requisition" => up("department", "department").unwrap_or(false),
            "application" => up("requisition", "requisition").unwrap_or(false),
            "candidate" => {
                self.with("application", "candidate", id).iter().any(|id| self.belongs("application", id, units))
            }
            "resume" => up("candidate", "candidate").unwrap_or(false),
            "offer" => up("application", "application").unwrap_or(false),
            "person" => {
                let (staff, others) = (self.with("employee", "person", id), self.with("candidate", "person", id));
                if staff.is_empty() {
                    others.iter().any(|id| self.belongs("candidate", id, units))
                } else {
                    staff.iter().any(|id| self.belongs("employee", id, units))
                }
            }
            "background_check" => {
                up("employee", "employee").or_else(|| up("application", "application")).unwrap_or(false)
            }
            "consent" => up("person", "person").unwrap_or(false),
            "goal" => {
                let owner = self.field(entity, id, "owner");
                owner.is_some_and(|owner| {
                    let kind = owner.split('-').next().unwrap();
                    kind != "location" && self.belongs(kind, owner, units)
                })
            }
            other => panic!("{other} is not told here"),
        }
    }

    async fn keep(&self, b: &Backend, tenant: &str) {
        let mut versions = Vec::new();
        for (entity, records) in &self.records {
            for (id, (gone, fields)) in records {
                let mut row = record(id, 1);
                row.tenant = tenant.to_owned();
                row.entity = (*entity).to_owned();
                row.deleted_at = gone.then_some(1);
                let entry = |(field, value): (&&'static str, &String)| IndexEntry {
                    field: (*field).to_owned(),
                    value: value.clone(),
                };
                versions.push(NewVersion { row, raw: None, index: Some(fields.iter().map(entry).collect()) });
            }
        }
        b.store.write(job!(|tx| { tx.put_records("t", versions).await })).await.unwrap();
    }
}

/// All pages of a list.
async fn list(b: &Backend, tenant: &str, entity: &'static str, within: &Within, gone: bool) -> BTreeSet<String> {
    let (mut found, mut after) = (BTreeSet::new(), String::new());
    loop {
        let filter = RecordFilter { within: Some(within.clone()), include_deleted: gone, ..RecordFilter::default() };
        let (owner, page) = (tenant.to_owned(), Page { after: after.clone(), limit: 3 });
        let rows = b.store.read(job!(|tx| { tx.records(&owner, entity, filter, page).await })).await.unwrap();
        let Some(last) = rows.last() else { return found };
        assert!(rows.iter().all(|row| row.tenant == tenant && row.entity == entity));
        after.clone_from(&last.id);
        let before = found.len();
        found.extend(rows.iter().map(|row| row.id.clone()));
        assert_eq!(found.len(), before + rows.len(), "nothing twice");
    }
}

mod contract {
    use super::*;

    pub(super) async fn a_limited_caller_gets_exactly_what_belongs_to_their_units(b: Backend) {
        let (mut asked, mut seen, mut hidden) = (0, 0, 0);
        for seed in 0..12 {
            let mut dice = Dice(seed);
            // Another tenant has other records under the same ids.
            let (tenant, other) = (format!("t{seed}"), format!("o{seed}"));
            let world = World::random(&mut dice);
            world.keep(&b, &tenant).await;
            World::random(&mut dice).keep(&b, &other).await;
            let departments = world.ids("department");
            for below in [true, false] {
                let mut roots: Vec<String> = dice.pick(&departments).into_iter().cloned().collect();
                roots.extend((dice.roll(3) == 0).then(|| departments[dice.roll(departments.len())].clone()));
                let units = world.units(&roots, below);
                let within = Within { units: roots, below, today: TODAY.to_owned(), how: belongings() };
                for (&entity, records) in &world.records {
                    let wanted = |gone_too: bool| -> BTreeSet<String> {
                        let there = records.iter().filter(|(_, (gone, _))| gone_too || !*gone);
                        there.map(|(id, _)| id.clone()).filter(|id| world.belongs(entity, id, &units)).collect()
                    };
                    for gone in [true, false] {
                        let got = list(&b, &tenant, entity, &within, gone).await;
                        assert_eq!(got, wanted(gone), "seed {seed}: {entity} within {units:?}");
                    }
                    let all: BTreeSet<String> = records.keys().cloned().collect();
                    let (owner, of, question) = (tenant.clone(), within.clone(), all.clone());
                    let got = b.store.read(job!(|tx| { tx.records_within(&owner, entity, &of, question).await }));
                    let got = got.await.unwrap();
                    assert_eq!(got, wanted(true), "seed {seed}: {entity} within {units:?}");
                    asked += 1;
                    seen += got.len();
                    hidden += all.len() - got.len();
                }
            }
        }
        assert!(asked > 200 && seen > 100 && hidden > 300, "{asked} questions, {seen} seen, {hidden} hidden");
    }

    pub(super) async fn every_entity_of_the_model_can_be_asked_for_and_nobodys_is_empty(b: Backend) {
        let within = Within { units: vec!["d1".into()], below: true, today: TODAY.to_owned(), how: belongings() };
        let nowhere = Within { units: Vec::new(), ..within.clone() };
        for entity in hub_model::ENTITIES {
            for within in [&within, &nowhere] {
                assert!(list(&b, "default", entity.name, within, true).await.is_empty(), "{}", entity.name);
            }
        }
    }
}

on_both_stores!(
    a_limited_caller_gets_exactly_what_belongs_to_their_units,
    every_entity_of_the_model_can_be_asked_for_and_nobodys_is_empty,
);
