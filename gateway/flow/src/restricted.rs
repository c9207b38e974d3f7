//! Restricted fields (class S3) are read for a purpose: who names none sees them masked, and who reads them leaves an
//! entry in the audit log that says which fields of which records, before the answer leaves.
//!
//! A request runs [`within`] a note of its own. Whoever shows records notes what is restricted in them; what does not
//! belong to a request of somebody, such as mapping, is not concerned.

use crate::access::Principal;
use crate::audit::Entry;
use hub_model::Class;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Records that an entry names at most; of more, it says how many there were.
const MOST: usize = 500;
/// Fields that an entry names at most.
const MOST_FIELDS: usize = 100;

/// What a request has shown so far.
#[derive(Clone, Debug, Default)]
struct Note {
    purpose: Option<String>,
    who: Option<Principal>,
    /// Records, as entity and id.
    records: BTreeSet<(String, String)>,
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Records that are not named any more.
    more: u64,
    lacks_purpose: bool,
}

/// What a request has shown.
#[derive(Debug)]
pub struct Shown {
    /// What the audit log must say of it before the answer leaves.
    pub entry: Option<Entry>,
    /// Whether something was masked only because no purpose was named.
    pub lacks_purpose: bool,
}

tokio::task_local! {
    static NOTE: RefCell<Note>;
}

/// Runs a request that names this purpose.
pub async fn within<T>(purpose: Option<String>, request: impl Future<Output = T>) -> (T, Shown) {
    let note = RefCell::new(Note { purpose, ..Note::default() });
    NOTE.scope(note, async move {
        let answer = request.await;
        let note = NOTE.with(RefCell::take);
        let lacks_purpose = note.lacks_purpose;
        (answer, Shown { entry: entry(note), lacks_purpose })
    })
    .await
}

fn entry(note: Note) -> Option<Entry> {
    let who = note.who.filter(|_| !note.records.is_empty())?;
    let mut entry = Entry::by(&who, "restricted.read").purpose(note.purpose.as_deref());
    for (entity, id) in &note.records {
        entry = entry.about(entity, id);
    }
    for (entity, fields) in note.fields {
        entry = entry.detail(&entity, fields.into_iter().collect::<Vec<_>>());
    }
    Some(if note.more > 0 { entry.detail("more_records", note.more) } else { entry })
}

/// Who asks.
pub fn asks(who: &Principal) {
    let _ = NOTE.try_with(|note| note.borrow_mut().who = Some(who.clone()));
}

/// What for, as the request says.
#[must_use]
pub fn purpose() -> Option<String> {
    NOTE.try_with(|note| note.borrow().purpose.clone()).ok().flatten()
}

/// The class that may be read now by who may read `class`.
#[must_use]
pub fn capped(class: Class) -> Class {
    if class < Class::S3 {
        return class;
    }
    let named = NOTE.try_with(|note| {
        let mut note = note.borrow_mut();
        note.lacks_purpose |= note.purpose.is_none();
        note.purpose.is_some()
    });
    if named.unwrap_or(true) { class } else { Class::S2 }
}

/// Notes restricted fields of a record that are shown, as JSON pointers.
pub fn note<'f>(entity: &str, id: &str, fields: impl IntoIterator<Item = &'f str>) {
    let _ = NOTE.try_with(|note| {
        let mut note = note.borrow_mut();
        let mut fields = fields.into_iter().map(without_places).peekable();
        if fields.peek().is_none() {
            return;
        }
        let named = note.fields.entry(entity.to_owned()).or_default();
        for field in fields {
            if named.len() < MOST_FIELDS {
                named.insert(field);
            }
        }
        let record = (entity.to_owned(), id.to_owned());
        if note.records.len() < MOST {
            note.records.insert(record);
        } else if !note.records.contains(&record) {
            note.more += 1;
        }
    });
}

/// A pointer without the places in lists.
fn without_places(pointer: &str) -> String {
    let parts = pointer.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(purpose: Option<&str>) -> (Class, Shown) {
        let who = Principal::for_tests("read:restricted");
        let asked = within(purpose.map(str::to_owned), async {
            asks(&who);
            let class = capped(Class::S3);
            if class == Class::S3 {
                note("employee", "1", ["/bank/0/account", "/bank/1/account"]);
            }
            class
        });
        futures::executor::block_on(asked)
    }

    #[test]
    fn restricted_fields_are_masked_without_a_purpose_and_told_with_one() {
        let (class, shown) = request(None);
        assert_eq!(class, Class::S2);
        assert!(shown.entry.is_none() && shown.lacks_purpose);
        let (class, shown) = request(Some("payroll run"));
        assert_eq!(class, Class::S3);
        let entry = format!("{:?}", shown.entry.unwrap());
        assert!(entry.contains("payroll run") && entry.contains("employee/1") && entry.contains("/bank/*/account"));
        assert!(!shown.lacks_purpose);
        assert_eq!(capped(Class::S3), Class::S3, "outside of requests nobody is asked");
    }
}
