//! Which records belong to org units: found by following references in the index of values, inside the statement that
//! reads. Nothing is kept beside the records, so that a department or an assignment that changes counts at once.

use crate::error::StoreError;
use crate::tx::{Tx, built, list_of};
use std::collections::{BTreeMap, BTreeSet};

/// How a record hangs on an org unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is an org unit.
    Unit,
    /// It is somebody who works there, or worked there last: by assignments and employments.
    Work,
    /// One of its fields refers to a record of one of these entities, and it belongs where that one does.
    Up {
        /// The field.
        field: &'static str,
        /// The entities that it may refer to.
        to: Vec<&'static str>,
    },
    /// A field of a record of another entity refers to it, and it belongs where that one does.
    From {
        /// The other entity.
        entity: &'static str,
        /// Its field.
        field: &'static str,
    },
}

/// How records of each entity hang on org units: by the first way that a record has. Ways lead round in no circle.
/// Entities that are missing belong nowhere; those of `open` are everybody's.
#[derive(Clone, Debug, Default)]
pub struct Belongings {
    /// The ways of each entity, the deciding one first.
    pub ways: BTreeMap<&'static str, Vec<Way>>,
    /// Entities without a place that everybody may see.
    pub open: BTreeSet<&'static str>,
}

/// Only records that belong to these org units.
#[derive(Clone, Debug)]
pub struct Within {
    /// The departments, by hub id.
    pub units: Vec<String>,
    /// Those below them, too.
    pub below: bool,
    /// Today, as `2026-03-01`: assignments that ended before it count only where none came after them.
    pub today: String,
    /// How records hang on units.
    pub how: &'static Belongings,
}

/// An assignment without an end ends on this day.
const NEVER: &str = "9999-12-31";

impl Within {
    /// The head of a statement that asks `SELECT id FROM inside`: the records of an entity that belong here. Its
    /// parameters are the tenant as `$1`, and [`Within::values`] from `$first` on. `None` where the entity is
    /// everybody's.
    pub(crate) fn head(&self, entity: &str, first: usize) -> Option<String> {
        if self.how.open.contains(entity) {
            return None;
        }
        let units: Vec<String> = (1..=self.units.len()).map(|n| format!("${}", first + n)).collect();
        // From the table, so that the ids compare as those of its columns do.
        let units = if units.is_empty() {
            "SELECT id FROM records WHERE 1 = 0".to_owned()
        } else {
            let known = "SELECT id FROM records WHERE tenant = $1 AND entity = 'department' AND id";
            format!("{known} IN ({})", units.join(", "))
        };
        let below = if self.below {
            " UNION SELECT b.id FROM record_index b JOIN units u ON b.value = u.id
              WHERE b.tenant = $1 AND b.entity = 'department' AND b.field = 'parent'"
        } else {
            ""
        };
        let mut parts = vec![format!("units(id) AS ({units}{below})")];
        let inside = self.define(entity, first, &mut BTreeSet::new(), &mut parts);
        parts.push(format!("inside(id) AS ({inside})"));
        Some(format!("WITH RECURSIVE {} ", parts.join(", ")))
    }

    /// Today and the units.
    pub(crate) fn values(&self) -> impl Iterator<Item = String> + '_ {
        [self.today.clone()].into_iter().chain(self.units.iter().cloned())
    }

    /// Defines `in_<entity>` behind what it needs; gives the question for its ids. Names are the model's, not a
    /// caller's.
    fn define(&self, entity: &str, today: usize, made: &mut BTreeSet<String>, parts: &mut Vec<String>) -> String {
        let Some(ways) = self.how.ways.get(entity) else {
            return "SELECT id FROM records WHERE 1 = 0".to_owned();
        };
        if made.insert(entity.to_owned()) {
            let mut questions: Vec<String> = Vec::new();
            // What a record has of the ways before decides alone.
            let mut before = String::new();
            for way in ways {
                match way {
                    Way::Unit => questions.push("SELECT id FROM units".to_owned()),
                    Way::Work => questions.push(at_work(today)),
                    Way::Up { field, to } => {
                        let there: Vec<String> = to.iter().map(|to| self.define(to, today, made, parts)).collect();
                        let own = format!("x.tenant = $1 AND x.entity = '{entity}' AND x.field = '{field}'");
                        questions.push(format!(
                            "SELECT x.id FROM record_index x WHERE {own} AND x.value IN ({}){before}",
                            there.join(" UNION ALL ")
                        ));
                        before.push_str(&format!(
                            " AND NOT EXISTS (SELECT 1 FROM record_index n WHERE n.tenant = $1
                                AND n.entity = '{entity}' AND n.id = x.id AND n.field = '{field}')"
                        ));
                    }
                    Way::From { entity: other, field } => {
                        let there = self.define(other, today, made, parts);
                        questions.push(format!(
                            "SELECT x.id FROM (SELECT f.value AS id FROM record_index f WHERE f.tenant = $1
                                AND f.entity = '{other}' AND f.field = '{field}' AND f.id IN ({there})) AS x
                             WHERE 1 = 1{before}"
                        ));
                        before.push_str(&format!(
                            " AND NOT EXISTS (SELECT 1 FROM record_index n WHERE n.tenant = $1
                                AND n.entity = '{other}' AND n.field = '{field}' AND n.value = x.id)"
                        ));
                    }
                }
            }
            parts.push(format!("in_{entity}(id) AS ({})", questions.join(" UNION ")));
        }
        format!("SELECT id FROM in_{entity}")
    }
}

/// Employees with an assignment to one of the units that has not ended, or that is their last one.
fn at_work(today: usize) -> String {
    let until = |assignment: &str, employment: &str| {
        format!(
            "COALESCE((SELECT MIN(t.value) FROM record_index t WHERE t.tenant = $1
                AND ((t.entity = 'job_assignment' AND t.id = {assignment} AND t.field = 'valid_to')
                  OR (t.entity = 'employment' AND t.id = {employment} AND t.field = 'end_on'))), '{NEVER}')"
        )
    };
    let there = |assignment: &str| {
        format!(
            "EXISTS (SELECT 1 FROM records r WHERE r.tenant = $1 AND r.entity = 'job_assignment'
                AND r.id = {assignment} AND r.deleted_at IS NULL)"
        )
    };
    format!(
        "SELECT e.value AS id FROM record_index d
         JOIN record_index a ON a.tenant = $1 AND a.entity = 'job_assignment' AND a.field = 'employment' AND a.id = d.id
         JOIN record_index e ON e.tenant = $1 AND e.entity = 'employment' AND e.field = 'employee' AND e.id = a.value
         WHERE d.tenant = $1 AND d.entity = 'job_assignment' AND d.field = 'department'
             AND d.value IN (SELECT id FROM units) AND {}
             AND ({} >= ${today} OR NOT EXISTS (
                 SELECT 1 FROM record_index f
                 JOIN record_index g ON g.tenant = $1 AND g.entity = 'job_assignment' AND g.field = 'employment'
                     AND g.value = f.id
                 WHERE f.tenant = $1 AND f.entity = 'employment' AND f.field = 'employee' AND f.value = e.value
                     AND {} AND {} > {}))",
        there("a.id"),
        until("a.id", "a.value"),
        there("g.id"),
        until("g.id", "f.id"),
        until("a.id", "a.value"),
    )
}

/// Ids that are looked for at once.
const MANY: usize = 100;

impl Tx {
    /// Those of the records of an entity that belong to org units; they need not be there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_within(
        &mut self,
        tenant: &str,
        entity: &str,
        within: &Within,
        ids: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let Some(head) = within.head(entity, 2) else { return Ok(ids) };
        let ids: Vec<String> = ids.into_iter().collect();
        let first = 3 + within.units.len();
        let mut found = BTreeSet::new();
        for ids in ids.chunks(MANY) {
            let text = format!("{head}SELECT id FROM inside WHERE id IN ({})", list_of(first, ids.len()));
            let values = [tenant.to_owned()].into_iter().chain(within.values()).chain(ids.iter().cloned());
            let statement = values.fold(built(text), |statement, value| statement.bind(value));
            found.extend(self.all(statement, |row| row.try_get::<String, _>("id")).await?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static HOW: LazyLock<Belongings> = LazyLock::new(|| Belongings {
        ways: BTreeMap::from([
            ("department", vec![Way::Unit]),
            ("requisition", vec![Way::Up { field: "department", to: vec!["department"] }]),
        ]),
        open: BTreeSet::from(["location"]),
    });

    #[test]
    fn what_an_entity_needs_is_defined_before_it_and_once() {
        let within = Within { units: vec!["a".into(), "b".into()], below: true, today: "2026-03-01".into(), how: &HOW };
        let head = within.head("requisition", 5).unwrap();
        let place = |text: &str| head.find(text).unwrap_or_else(|| panic!("{text} is missing in {head}"));
        assert!(place("IN ($6, $7) UNION") < place("in_department(id) AS"));
        assert!(place("in_department(id) AS") < place("in_requisition(id) AS"));
        assert_eq!(head.matches("in_department(id) AS").count(), 1);
        assert!(within.head("location", 5).is_none(), "everybody's");
        assert!(within.head("payroll_run", 5).unwrap().contains("WHERE 1 = 0"), "nobody's");
    }
}
