//! What callers may do: scopes, finer grants of one collection, and roles, which stand for scopes.

use crate::access::Denied;
use hub_model::{Class, EntityType};
use hub_tree::finding::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read records, without personal fields.
    ReadStructure,
    /// Read records with personal fields.
    Read,
    /// Read restricted fields too.
    ReadRestricted,
    /// Make records and have them sent to systems.
    Write,
    /// Call operations of connections as they are.
    Passthrough,
    /// Bring files in, have them applied and undone.
    Import,
    /// Agree to imports of others.
    ImportApprove,
    /// Agree to payroll runs of others.
    PayApprove,
    /// Read the audit log.
    Audit,
    /// Journeys, parked messages, connections.
    Ops,
    /// Everything.
    Admin,
}

impl Scope {
    /// All scopes and how they are written.
    pub const ALL: [(&'static str, Self); 11] = [
        ("read:structure", Self::ReadStructure),
        ("read", Self::Read),
        ("read:restricted", Self::ReadRestricted),
        ("write", Self::Write),
        ("passthrough", Self::Passthrough),
        ("import", Self::Import),
        ("import:approve", Self::ImportApprove),
        ("pay:approve", Self::PayApprove),
        ("audit", Self::Audit),
        ("ops", Self::Ops),
        ("admin", Self::Admin),
    ];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scope)| *scope == self).map_or("", |(name, _)| name)
    }

    /// Whether it is about records one by one, so that it means something within org units.
    pub(crate) const fn is_of_records(self) -> bool {
        matches!(self, Self::ReadStructure | Self::Read | Self::ReadRestricted | Self::Write)
    }
}

/// Roles, and the scopes that each stands for. The role `admin` is the scope of that name.
pub const ROLES: [(&str, &[Scope]); 6] = [
    ("admin", &[Scope::Admin]),
    ("mapping_editor", &[Scope::ReadStructure, Scope::Import]),
    ("approver", &[Scope::Read, Scope::ImportApprove, Scope::PayApprove]),
    ("operator", &[Scope::ReadStructure, Scope::Import, Scope::Ops]),
    ("auditor", &[Scope::ReadStructure, Scope::Audit]),
    ("app", &[Scope::Read, Scope::Write]),
];

/// What may be done with records of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Finer {
    reads: Option<Class>,
    writes: bool,
}

/// What a caller may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    scopes: BTreeSet<Scope>,
    finer: BTreeMap<&'static str, Finer>,
}

impl Grants {
    /// Reads words separated by commas or spaces: scopes, roles, and `read:<collection>`,
    /// `read:<collection>:structure`, `read:<collection>:restricted`, `write:<collection>`.
    ///
    /// # Errors
    /// The word that means nothing, with what could be meant; or there is no word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut grants = Self::default();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            grants.add(word)?;
        }
        if grants == Self::default() { Err("name at least one scope or role".to_owned()) } else { Ok(grants) }
    }

    fn add(&mut self, word: &str) -> Result<(), String> {
        if let Some((_, scope)) = Scope::ALL.iter().find(|(name, _)| *name == word) {
            self.scopes.insert(*scope);
            return Ok(());
        }
        if let Some((_, scopes)) = ROLES.iter().find(|(name, _)| *name == word) {
            self.scopes.extend(*scopes);
            return Ok(());
        }
        let mut parts = word.split(':');
        let (verb, collection, class) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let class = match (verb, class, parts.next()) {
            ("read", None, None) => Some(Class::S2),
            ("read", Some("structure"), None) => Some(Class::S1),
            ("read", Some("restricted"), None) => Some(Class::S3),
            ("write", None, None) => None,
            _ => return Err(unknown(word)),
        };
        let entity = hub_model::collection(collection.unwrap_or_default()).ok_or_else(|| unknown(word))?;
        let finer = self.finer.entry(entity.name).or_default();
        finer.reads = finer.reads.max(class);
        finer.writes |= class.is_none();
        Ok(())
    }

    /// One scope.
    #[must_use]
    pub fn of(scope: Scope) -> Self {
        Self { scopes: BTreeSet::from([scope]), finer: BTreeMap::new() }
    }

    /// The same and others.
    pub fn extend(&mut self, other: Self) {
        self.scopes.extend(other.scopes);
        for (entity, other) in other.finer {
            let finer = self.finer.entry(entity).or_default();
            finer.reads = finer.reads.max(other.reads);
            finer.writes |= other.writes;
        }
    }

    /// The words that mean the same, in one order.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.scopes.iter().map(|scope| scope.name().to_owned()).collect();
        for (entity, finer) in &self.finer {
            let Some(entity) = hub_model::entity(entity) else { continue };
            words.extend(finer.reads.map(|class| read_word(entity, class)));
            words.extend(finer.writes.then(|| write_word(entity)));
        }
        words
    }

    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// The most sensitive class that the scopes open of every entity.
    pub(crate) fn everywhere(&self) -> Option<Class> {
        if self.has(Scope::ReadRestricted) {
            Some(Class::S3)
        } else if self.has(Scope::Read) {
            Some(Class::S2)
        } else {
            self.has(Scope::ReadStructure).then_some(Class::S1)
        }
    }

    /// The most sensitive class that they open of any entity.
    pub(crate) fn readable(&self) -> Option<Class> {
        self.everywhere().max(self.finer.values().filter_map(|finer| finer.reads).max())
    }

    pub(crate) fn reads(&self, entity: &str) -> Result<Class, Denied> {
        let class = self.everywhere().max(self.finer.get(entity).and_then(|finer| finer.reads));
        class.ok_or_else(|| {
            Denied::lacks(hub_model::entity(entity).map_or("read".to_owned(), |of| read_word(of, Class::S2)))
        })
    }

    pub(crate) fn writes(&self, entity: &str) -> Result<(), Denied> {
        if self.has(Scope::Write) || self.finer.get(entity).is_some_and(|finer| finer.writes) {
            return Ok(());
        }
        Err(Denied::lacks(hub_model::entity(entity).map_or("write".to_owned(), write_word)))
    }

    /// The first word of other grants that these do not hold.
    #[must_use]
    pub fn lacking(&self, other: &Self) -> Option<String> {
        let reading = |class| self.everywhere() >= Some(class);
        let held = |scope: &Scope| match scope {
            Scope::ReadStructure => reading(Class::S1),
            Scope::Read => reading(Class::S2),
            scope => self.has(*scope),
        };
        if let Some(scope) = other.scopes.iter().find(|scope| !held(scope)) {
            return Some(scope.name().to_owned());
        }
        other.finer.iter().find_map(|(name, finer)| {
            let entity = hub_model::entity(name)?;
            let read = finer.reads.filter(|class| self.reads(name).ok() < Some(*class));
            let write = finer.writes && self.writes(name).is_err();
            read.map(|class| read_word(entity, class)).or_else(|| write.then(|| write_word(entity)))
        })
    }
}

fn read_word(entity: &EntityType, class: Class) -> String {
    let class = match class {
        Class::S0 | Class::S1 => ":structure",
        Class::S2 => "",
        Class::S3 => ":restricted",
    };
    format!("read:{}{class}", entity.collection)
}

fn write_word(entity: &EntityType) -> String {
    format!("write:{}", entity.collection)
}

fn unknown(word: &str) -> String {
    let names = || Scope::ALL.iter().map(|(name, _)| *name).chain(ROLES.iter().map(|(name, _)| *name));
    let words = hub_model::ENTITIES.iter().flat_map(|of| [read_word(of, Class::S2), write_word(of)]);
    let all: Vec<String> = names().map(str::to_owned).chain(words).collect();
    let hint = nearest(word, all.iter().map(String::as_str));
    let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
    let scopes: Vec<&str> = names().collect();
    format!(
        "`{word}` is no scope{hint}; scopes and roles are {}, read:<collection>[:structure|:restricted] and \
         write:<collection>",
        scopes.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grants(text: &str) -> Grants {
        Grants::parse(text).unwrap()
    }

    #[test]
    fn scopes_are_words_and_unknown_ones_are_named() {
        assert_eq!(grants("read, ops").words(), ["read", "ops"]);
        assert!(Grants::parse("read,root").unwrap_err().contains("`root` is no scope"));
        assert!(Grants::parse("read:candidate").unwrap_err().contains("read:candidates"));
        for bad in
            [" ", "", "read:", "read:candidates:all", "write:candidates:restricted", "read:candidates:restricted:x"]
        {
            assert!(Grants::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_opens_its_classes_and_no_more() {
        assert_eq!(grants("read").readable(), Some(Class::S2));
        assert_eq!(grants("read:structure").readable(), Some(Class::S1));
        assert_eq!(grants("read:restricted").readable(), Some(Class::S3));
        assert_eq!(grants("admin").readable(), Some(Class::S3));
        assert_eq!(grants("ops").readable(), None);
    }

    #[test]
    fn a_finer_scope_opens_its_collection_only() {
        let own = grants("read:employees read:applications:restricted write:candidates");
        assert_eq!(own.reads("employee").unwrap(), Class::S2);
        assert_eq!(own.reads("application").unwrap(), Class::S3);
        assert_eq!(own.readable(), Some(Class::S3));
        let denied = own.reads("payslip").unwrap_err().to_string();
        assert!(denied.contains("`read:payslips`"), "{denied}");
        assert!(own.reads("candidate").is_err(), "who may write need not read");
        assert!(own.writes("candidate").is_ok() && own.writes("employee").is_err());
        let more = grants("read:structure read:payslips:restricted");
        assert_eq!((more.reads("payslip").unwrap(), more.reads("job").unwrap()), (Class::S3, Class::S1));
    }

    #[test]
    fn roles_stand_for_scopes() {
        assert_eq!(grants("app"), grants("read write"));
        assert_eq!(grants("operator").words(), ["read:structure", "import", "ops"]);
        for (role, scopes) in ROLES {
            assert_eq!(scopes.contains(&Scope::Admin), role == "admin", "{role}");
        }
    }

    fn word() -> impl Strategy<Value = String> {
        let finer = (0..hub_model::ENTITIES.len(), 0..4_usize).prop_map(|(entity, kind)| {
            let collection = hub_model::ENTITIES[entity].collection;
            ["read:C", "read:C:structure", "read:C:restricted", "write:C"][kind].replace('C', collection)
        });
        let scope = (0..Scope::ALL.len()).prop_map(|scope| Scope::ALL[scope].0.to_owned());
        let role = (0..ROLES.len()).prop_map(|role| ROLES[role].0.to_owned());
        prop_oneof![finer, scope, role]
    }

    proptest! {
        #[test]
        fn narrower_grants_never_open_more(wide in prop::collection::vec(word(), 1..5), wish in prop::collection::vec(word(), 1..4)) {
            let (wide, wish) = (grants(&wide.join(" ")), grants(&wish.join(",")));
            prop_assert_eq!(&grants(&wish.words().join(" ")), &wish);
            prop_assert_eq!(wide.lacking(&wide), None);
            if wide.lacking(&wish).is_none() {
                for entity in hub_model::ENTITIES {
                    prop_assert!(wish.reads(entity.name).ok() <= wide.reads(entity.name).ok());
                    prop_assert!(wish.writes(entity.name).is_err() || wide.writes(entity.name).is_ok());
                }
                for (_, scope) in Scope::ALL {
                    let reading = matches!(scope, Scope::Read | Scope::ReadStructure);
                    prop_assert!(reading || !wish.has(scope) || wide.has(scope), "{:?}", scope);
                }
            }
        }
    }
}
