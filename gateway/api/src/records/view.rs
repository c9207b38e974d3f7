//! How records are shown: which parts of them, with what is embedded in them, and as of when.

use super::expand::{Embedded, Embedding, Expand};
use super::fields::Fields;
use super::seen;
use super::times::Times;
use crate::problem::Problem;
use crate::query::Parameters;
use crate::{Api, current};
use hub_flow::access::Principal;
use hub_model::{Class, EntityType};
use hub_store::{RecordRow, StoreError};
use hub_tree::{Arena, Value};
use std::collections::BTreeMap;

/// What a caller wants of records, and may see of them.
pub(crate) struct View {
    entity: &'static EntityType,
    allowed: Class,
    fields: Option<Fields>,
    expand: Option<Expand>,
    pub(crate) times: Times,
}

/// What belongs to records that are shown and is not in them.
pub(crate) struct Beside {
    currents: BTreeMap<String, String>,
    embedded: Embedded,
}

impl View {
    /// The parameters that say it.
    pub(crate) const NAMES: [&'static str; 4] = ["as_of", "expand", "fields", "known_at"];

    /// Takes its parameters.
    pub(crate) fn take(entity: &'static EntityType, allowed: Class, given: &mut Parameters) -> Result<Self, Problem> {
        let fields = given.take("fields").map(|text| Fields::read(entity, allowed, &text)).transpose()?;
        let expand = given.take("expand").map(|text| Expand::read(entity, &text)).transpose()?;
        Ok(Self { entity, allowed, fields, expand, times: Times::take(entity, allowed, given)? })
    }

    /// Whether what is shown of a record changes only when its version does.
    pub(crate) fn rests_on_versions(&self) -> bool {
        self.expand.is_none() && self.entity.field("current").is_none()
    }

    /// Fetches what is shown beside records.
    pub(crate) async fn beside(&self, api: &Api, who: &Principal, rows: &[RecordRow]) -> Result<Beside, Problem> {
        let currents = current::jobs(api, self.entity, rows, self.times).await?;
        let embedded = match &self.expand {
            Some(expand) => expand.gather(api, who, (self.entity, self.allowed), rows, self.times).await?,
            None => Embedded::default(),
        };
        Ok(Beside { currents, embedded })
    }

    /// A record as it is shown.
    pub(crate) fn shown<'a>(
        &self,
        api: &Api,
        row: &RecordRow,
        beside: &Beside,
        arena: &'a Arena,
    ) -> Result<Value<'a>, StoreError> {
        let current = beside.currents.get(&row.id).map(String::as_str);
        let mut document = seen(api, self.entity, row, current, arena, self.allowed)?;
        let mut left = Vec::new();
        if let Some(expand) = &self.expand {
            let cx = Embedding { api, arena, embedded: &beside.embedded };
            document = expand.embed(&cx, document, self.entity.fields, "", &mut left)?;
        }
        let masked = document.get("masked");
        if let Some(fields) = &self.fields {
            let wanted = masked.items().iter().filter(|pointer| fields.want(pointer.as_text().unwrap_or_default()));
            let wanted: Vec<Value<'a>> = wanted.copied().collect();
            document = fields.cut(arena, document);
            if !wanted.is_empty() {
                document = with(arena, document, "masked", arena.list(&wanted));
            }
            left.retain(|pointer| fields.want(pointer));
        }
        if !left.is_empty() {
            let left: Vec<Value<'a>> = left.iter().map(|pointer| Value::Text(arena.text(pointer))).collect();
            document = with(arena, document, "not_expanded", arena.list(&left));
        }
        Ok(document)
    }
}

fn with<'a>(arena: &'a Arena, document: Value<'a>, name: &'static str, value: Value<'a>) -> Value<'a> {
    arena.map(&[document.entries(), &[(name, value)]].concat())
}
