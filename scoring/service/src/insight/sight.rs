//! What a caller may see of the records that reports rest on.

use super::{Ask, Groups};
use hub_calc::Exact;
use hub_flow::access::{Denied, Principal, Scope, units};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub, restricted};
use hub_model::Class;
use hub_model::entities::performance::Appraisal;
use hub_model::entities::person::{Person, Sex};
use hub_model::entities::recruiting::{Application, Candidate};
use hub_model::entities::requisition::Requisition;
use hub_model::scalars::{DateTime, Ref, Score};
use hub_store::Within;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records of one entity that a report reads at most.
const MOST: usize = 200_000;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// Nothing is called so.
    #[error("there is no report of this name")]
    Unknown,
    /// The caller may not read what it rests on.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There are too many records.
    #[error("there are more than {MOST} records of `{0}`")]
    TooMany(&'static str),
    /// A parameter means nothing: its name, and what is wrong.
    #[error("`{0}`: {1}")]
    Parameter(&'static str, String),
    /// The store fails, or a record cannot be read.
    #[error("the records cannot be read")]
    Failed(Failure),
}

impl From<Failure> for NotMade {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The records of a tenant as far as a caller sees them.
pub(super) struct Sight<'s> {
    hub: &'s Arc<Hub>,
    pub(super) who: &'s Principal,
    zone: &'s TimeZone,
    within: Option<Within>,
    /// Whether what comes out are counts for an audit: then the scope `audit` stands for reading records.
    counts_only: bool,
}

/// Records by hub id.
pub(super) type ById<T> = BTreeMap<String, Known<T>>;

impl<'s> Sight<'s> {
    pub(super) fn of(hub: &'s Arc<Hub>, who: &'s Principal, zone: &'s TimeZone) -> Self {
        Self { hub, who, zone, within: units::within(hub, who, zone), counts_only: false }
    }

    /// The same for an auditor, who sees counts of people without reading any of them.
    pub(super) fn of_auditor(hub: &'s Arc<Hub>, who: &'s Principal, zone: &'s TimeZone) -> Result<Self, NotMade> {
        who.need(Scope::Audit)?;
        Ok(Self { counts_only: true, ..Self::of(hub, who, zone) })
    }

    pub(super) fn today(&self) -> Date {
        self.hub.clock.now().to_zoned(self.zone.clone()).date()
    }

    /// The day of an instant.
    pub(super) fn day(&self, at: DateTime) -> Date {
        let at: Timestamp = at.0;
        at.to_zoned(self.zone.clone()).date()
    }

    /// Whether a day lies in the period that is asked for.
    pub(super) fn holds(ask: &Ask, day: Date) -> bool {
        ask.since.is_none_or(|since| since <= day) && ask.until.is_none_or(|until| day <= until)
    }

    /// Refuses who may not read personal fields of an entity.
    fn need(&self, entity: &'static str) -> Result<(), NotMade> {
        if self.counts_only || self.who.reads(entity)? >= Class::S2 {
            return Ok(());
        }
        let collection = hub_model::entity(entity).map_or(entity, |entity| entity.collection);
        Err(NotMade::Denied(Denied::Lacks(format!("read:{collection}"))))
    }

    /// All records of an entity that the caller sees.
    pub(super) async fn all<T: DeserializeOwned>(&self, entity: &'static str) -> Result<Vec<Known<T>>, NotMade> {
        self.need(entity)?;
        let found = reading::all(self.hub, &self.who.tenant, entity, self.within.as_ref(), MOST).await?;
        found.ok_or(NotMade::TooMany(entity))
    }

    /// All versions of a record that the caller sees, oldest first.
    pub(super) async fn versions<T: DeserializeOwned>(
        &self,
        entity: &'static str,
        id: &str,
    ) -> Result<Vec<T>, NotMade> {
        self.need(entity)?;
        Ok(reading::versions(self.hub, &self.who.tenant, entity, id)
            .await?
            .into_iter()
            .map(|known| known.record)
            .collect())
    }

    /// The same, by hub id.
    pub(super) async fn by_id<T: DeserializeOwned>(&self, entity: &'static str) -> Result<ById<T>, NotMade> {
        Ok(self.all(entity).await?.into_iter().map(|known| (known.id.clone(), known)).collect())
    }

    /// The applications that are asked for, by hub id.
    pub(super) async fn applications(&self, ask: &Ask) -> Result<Applications, NotMade> {
        let requisitions: ById<Requisition> = self.by_id("requisition").await?;
        let mut all: ById<Application> = self.by_id("application").await?;
        all.retain(|_, application| {
            let wanted = id_of(application.record.requisition.as_ref());
            let of_requisition = ask.requisition.as_deref().is_none_or(|id| wanted == Some(id));
            let department =
                wanted.and_then(|id| requisitions.get(id)).and_then(|of| id_of(of.record.department.as_ref()));
            of_requisition && ask.department.as_deref().is_none_or(|id| department == Some(id))
        });
        Ok(Applications { all, requisitions })
    }

    /// Final appraisals of employees (hub ids): the day, the total from 0 to 100, the grade; in the order of days.
    pub(super) async fn appraisals(&self) -> Result<BTreeMap<String, Vec<Appraised>>, NotMade> {
        let mut found: BTreeMap<String, Vec<Appraised>> = BTreeMap::new();
        for known in self.all::<Appraisal>("appraisal").await? {
            let Appraisal { employee, finalised_at, calibrated_total, raw_total, grade, .. } = known.record;
            let (Some(employee), Some(at)) = (employee.and_then(|employee| employee.id), finalised_at) else {
                continue;
            };
            let total = calibrated_total.as_ref().or(raw_total.as_ref()).and_then(on_hundred);
            found.entry(employee).or_default().push(Appraised { on: self.day(at), total, grade });
        }
        for of_employee in found.values_mut() {
            of_employee.sort_by_key(|one| one.on);
        }
        Ok(found)
    }

    /// The group of each candidate (hub ids) who told it.
    pub(super) async fn groups(&self, groups: Groups) -> Result<BTreeMap<String, String>, NotMade> {
        self.need("person")?;
        let is_restricted = groups == Groups::Ethnicity;
        if is_restricted && self.who.reads("person")? < Class::S3 {
            return Err(NotMade::Denied(Denied::Lacks("read:people:restricted".to_owned())));
        }
        let persons: ById<Person> = self.by_id("person").await?;
        let told = |person: &Known<Person>| match groups {
            Groups::Sex => sex(&person.record).map(str::to_owned),
            Groups::Ethnicity => {
                restricted::note("person", &person.id, ["/ethnicity"]);
                person.record.ethnicity.clone()
            }
        };
        let mut found = BTreeMap::new();
        for candidate in self.all::<Candidate>("candidate").await? {
            let person = id_of(candidate.record.person.as_ref()).and_then(|id| persons.get(id));
            if let Some(group) = person.and_then(told) {
                found.insert(candidate.id, group);
            }
        }
        Ok(found)
    }
}

/// The sex that a person told, as reports name it.
pub(super) fn sex(person: &Person) -> Option<&'static str> {
    match person.sex.as_ref()?.value {
        Sex::Male => Some("Male"),
        Sex::Female => Some("Female"),
        Sex::NonBinary | Sex::Intersex => Some("Other"),
        _ => None,
    }
}

/// A final appraisal.
pub(super) struct Appraised {
    pub(super) on: Date,
    pub(super) total: Option<Exact>,
    pub(super) grade: Option<String>,
}

/// Applications, and the requisitions that they are for.
pub(super) struct Applications {
    pub(super) all: ById<Application>,
    requisitions: ById<Requisition>,
}

impl Applications {
    /// The title of what somebody applies for.
    pub(super) fn role(&self, application: &Application) -> Option<&str> {
        self.requisitions.get(id_of(application.requisition.as_ref())?)?.record.title.as_deref()
    }
}

/// The id of a reference.
pub(super) fn id_of<T>(reference: Option<&Ref<T>>) -> Option<&str> {
    reference.and_then(|reference| reference.id.as_deref())
}

/// A score from 0 to 100; `None` where it has no place on its scale.
pub(super) fn on_hundred(score: &Score) -> Option<Exact> {
    let (min, max) = (score.min.unwrap_or_default(), score.max?);
    hub_interview::normalise(score.value?, min, max).ok().map(Exact::from)
}
