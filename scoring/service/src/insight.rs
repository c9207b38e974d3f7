//! Reports over the records of the hub: what the caller may see of them becomes the rows of [`hub_insight`].
//!
//! A caller needs to read each entity that a report rests on with its personal fields; who is limited to org units gets
//! the report of those. Groups such as sex are read only where they are asked for. Nothing is written.

mod bias;
mod hiring;
mod leaving;
mod oversight;
mod people;
mod sight;

pub use bias::{Audited, BIAS_AUDIT, as_json, audited};
pub use sight::NotMade;

use hub_calc::Exact;
use hub_flow::Hub;
use hub_flow::access::Principal;
use hub_insight::{Asked, Report, ReportKind, Text, find};
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use sight::Sight;
use std::sync::Arc;

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// From this day on.
    pub since: Option<Date>,
    /// Up to this day.
    pub until: Option<Date>,
    /// Only applications for this requisition, by hub id.
    pub requisition: Option<String>,
    /// Only this department, by hub id.
    pub department: Option<String>,
    /// A score to compare with, 0 to 100.
    pub mark: Option<Exact>,
    /// The appraisal from which on a hire counts as a success, 0 to 100; 80 if absent.
    pub target: Option<Exact>,
    /// Words that should stand together.
    pub pairs: Vec<(String, String)>,
    /// Which groups the fairness check is made for.
    pub groups: Option<Groups>,
    /// Of `bias-audit`: the stage whose outcome is audited; else what the hub's own decisions said.
    pub stage: Option<String>,
}

/// A characteristic that people are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Sex, a personal field.
    Sex,
    /// Ethnicity, a restricted field: it is read for a purpose.
    Ethnicity,
}

impl Groups {
    /// By its name in requests.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sex" => Some(Self::Sex),
            "ethnicity" => Some(Self::Ethnicity),
            _ => None,
        }
    }
}

/// A report of which the rows are read: what is left is arithmetic, which takes its time and is done where nobody waits
/// for other things.
pub struct Prepared(Box<dyn FnOnce() -> Report + Send>);

impl Prepared {
    fn of(make: impl FnOnce() -> Report + Send + 'static) -> Self {
        Self(Box::new(make))
    }

    /// Makes it.
    #[must_use]
    pub fn make(self) -> Report {
        (self.0)()
    }
}

/// Reads the rows of a report for a caller. `zone` is whose days count.
///
/// # Errors
/// There is no report of this name, the caller may not read what it rests on, there are too many records, or the store
/// fails.
pub async fn prepare(
    hub: &Arc<Hub>,
    who: &Principal,
    zone: &TimeZone,
    name: &str,
    ask: &Ask,
) -> Result<Prepared, NotMade> {
    let kind: &ReportKind = find(name).ok_or(NotMade::Unknown)?;
    let sight = Sight::of(hub, who, zone);
    let asked = Asked {
        window: (ask.since, ask.until),
        source: source(who),
        made: sight.today(),
        mark: ask.mark.clone(),
        pairs: ask.pairs.clone(),
    };
    let prepared = match kind.name {
        "distribution" => {
            let rows = hiring::scores(&sight, ask).await?;
            Prepared::of(move || hub_insight::distribution::report(&rows, &asked))
        }
        "thresholds" => {
            let rows = hiring::outcomes(&sight, ask).await?;
            Prepared::of(move || hub_insight::thresholds::report(&rows, &asked))
        }
        "programme" => {
            let rows = hiring::programme(&sight, ask).await?;
            Prepared::of(move || hub_insight::programme::report(&rows, &asked))
        }
        "weak-dimension" => {
            let rows = hiring::weak(&sight, ask).await?;
            Prepared::of(move || hub_insight::weak::report(&rows, &asked))
        }
        "keyword-gaps" => {
            let rows = hiring::keywords(&sight, ask).await?;
            Prepared::of(move || hub_insight::keywords::report(&rows, &asked))
        }
        "oversight" => {
            let rows = oversight::rows(&sight, ask).await?;
            Prepared::of(move || hub_insight::oversight::report(&rows, &asked))
        }
        "course-effect" => {
            let rows = people::courses(&sight, ask).await?;
            Prepared::of(move || hub_insight::courses::report(&rows, &asked))
        }
        "attrition" => {
            let (features, rows) = leaving::rows(&sight, ask).await?;
            Prepared::of(move || hub_insight::attrition::report(&features, &rows, &asked))
        }
        "talent" => {
            let rows = people::talent(&sight, ask).await?;
            Prepared::of(move || hub_insight::talent::report(&rows, &asked))
        }
        "pay" => {
            let (rows, currency) = people::pay(&sight, ask).await?;
            let Text { zh, en } = asked.source;
            let source = Text::new(format!("{zh}（{currency}）"), format!("{en} ({currency})"));
            let asked = Asked { source, ..asked };
            Prepared::of(move || hub_insight::pay::report(&rows, &asked))
        }
        _ => return Err(NotMade::Unknown),
    };
    Ok(prepared)
}

fn source(who: &Principal) -> Text {
    if who.units().is_some() {
        return Text::new("HR Hub 记录（限调用者所属部门）", "records of HR Hub, of the caller's org units");
    }
    Text::new("HR Hub 记录", "records of HR Hub")
}
