//! What a caller may see of the records that a portrait rests on.

use hub_flow::access::{Principal, units};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_insight::portrait::{Fact, Missing, Place, Why};
use hub_model::Class;
use hub_model::scalars::{DateTime, Localized, Ref, Score};
use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The records of a tenant as far as a caller sees them, and what was found in them.
pub(super) struct Sight<'s> {
    hub: &'s Arc<Hub>,
    who: &'s Principal,
    zone: &'s TimeZone,
    pub(super) facts: Vec<Fact>,
    pub(super) missing: Vec<Missing>,
}

impl<'s> Sight<'s> {
    pub(super) fn of(hub: &'s Arc<Hub>, who: &'s Principal, zone: &'s TimeZone) -> Self {
        Self { hub, who, zone, facts: Vec::new(), missing: Vec::new() }
    }

    /// Whether the key reads personal fields of an entity; if not, the section is noted as missing.
    pub(super) fn may(&mut self, entity: &'static str, section: &'static str) -> bool {
        let may = self.who.reads(entity).is_ok_and(|class| class >= Class::S2);
        if !may {
            self.lacks(section, Why::NotReadable, None);
        }
        may
    }

    /// Notes that something is missing, once.
    pub(super) fn lacks(&mut self, what: &'static str, why: Why, place: Option<Place>) {
        let missing = Missing { what, why, place };
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    /// The records that have one of these values in an indexed field, in the order of their ids; none where the key may
    /// not read them.
    pub(super) async fn by<T: DeserializeOwned>(
        &mut self,
        (entity, section): (&'static str, &'static str),
        field: &'static str,
        values: Vec<String>,
    ) -> Result<Vec<Known<T>>, Failure> {
        if !self.may(entity, section) {
            return Ok(Vec::new());
        }
        let mut found: Vec<Known<T>> = reading::by(self.hub, &self.who.tenant, entity, field, values).await?;
        let ids = found.iter().map(|known| known.id.clone()).collect();
        let visible = units::visible(self.hub, self.who, self.zone, entity, ids).await?;
        found.retain(|known| visible.contains(&known.id));
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found.dedup_by(|one, other| one.id == other.id);
        Ok(found)
    }

    /// Records by hub id; of words of the model that say nothing about anybody, such as titles.
    pub(super) async fn these<T: DeserializeOwned>(
        &self,
        entity: &'static str,
        ids: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Known<T>>, Failure> {
        if ids.is_empty() || self.who.reads(entity).is_err() {
            return Ok(BTreeMap::new());
        }
        let visible = units::visible(self.hub, self.who, self.zone, entity, ids).await?;
        let found: Vec<Known<T>> = reading::these(self.hub, &self.who.tenant, entity, visible).await?;
        Ok(found.into_iter().map(|known| (known.id.clone(), known)).collect())
    }

    /// The day of an instant.
    pub(super) fn day(&self, at: Option<DateTime>) -> Option<Date> {
        Some(at?.0.to_zoned(self.zone.clone()).date())
    }

    /// A score from 0 to 10. One that has no place on a scale is noted.
    pub(super) fn ten(&mut self, section: &'static str, score: &Score, place: &Place) -> Option<Decimal> {
        let found = score.value.and_then(|value| on_ten(value, score));
        if found.is_none() && score.value.is_some() {
            self.lacks(section, Why::NoScale, Some(place.clone()));
        }
        found
    }
}

/// A number on the scale of a score, from 0 to 10.
pub(super) fn on_ten(value: Decimal, scale: &Score) -> Option<Decimal> {
    let hundred = hub_interview::normalise(value, scale.min.unwrap_or_default(), scale.max?).ok()?;
    hundred.checked_div(Decimal::TEN)
}

/// The id of a reference.
pub(super) fn id_of<T>(reference: Option<&Ref<T>>) -> Option<&str> {
    reference.and_then(|reference| reference.id.as_deref())
}

/// A text in Chinese, or else in its first language.
pub(super) fn told(text: &Localized) -> Option<String> {
    match text {
        Localized::Plain(text) => Some(text.clone()),
        Localized::ByLang(texts) => texts.get("zh-CN").or_else(|| texts.values().next()).cloned(),
    }
}

pub(super) fn place(entity: &'static str, id: &str, pointer: impl Into<String>) -> Place {
    Place { entity, id: id.to_owned(), pointer: pointer.into() }
}
