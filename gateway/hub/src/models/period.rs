//! Interviews and appraisals of a past period, as a running hub keeps them.

use super::interview::Interview;
use super::scheme::Reviewed;
use crate::running::RunningHub;
use crate::say;
use anyhow::{Context as _, bail};
use hub_model::entities::assessment::{RaterKind, Scorecard};
use hub_model::entities::performance::Appraisal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use serde_json::Value;

/// Days in UTC, the last one left out.
pub(super) struct Period {
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Period {
    pub(super) fn of(since: &str, until: Option<&str>) -> anyhow::Result<Self> {
        let day = |text: &str| -> anyhow::Result<Timestamp> {
            let day: Date = text.parse().with_context(|| format!("`{text}` is no day, such as 2026-03-01"))?;
            Ok(day.to_zoned(TimeZone::UTC)?.timestamp())
        };
        let (since, until) = (day(since)?, until.map(day).transpose()?);
        if until.is_some_and(|until| until <= since) {
            bail!("the period ends before it begins");
        }
        Ok(Self { since, until })
    }

    fn holds(&self, at: Timestamp) -> bool {
        at >= self.since && self.until.is_none_or(|until| at < until)
    }
}

/// The interviews that the hub scored by a model in a period, oldest first.
pub(super) async fn interviews(hub: &RunningHub, model: &str, period: &Period) -> anyhow::Result<Vec<Interview>> {
    let mut found = Vec::new();
    for record in &hub.list("scorecards", &[("updated_after", &period.since.to_string())]).await? {
        found.extend(one(hub, record, model, period).await?);
        say::progress(&say::number(found.len(), "interview"));
    }
    say::progress("");
    found.sort_by_key(|interview| interview.scorecard.submitted_at);
    Ok(found)
}

/// What was reviewed of the appraisals that the hub made by a scheme and that became final in a period, oldest first.
pub(super) async fn appraisals(hub: &RunningHub, scheme: &str, period: &Period) -> anyhow::Result<Vec<Reviewed>> {
    let mut found = Vec::new();
    for record in hub.list("appraisals", &[("updated_after", &period.since.to_string())]).await? {
        let name = record["id"].as_str().unwrap_or_default().to_owned();
        let appraisal: Appraisal =
            serde_json::from_value(record).with_context(|| format!("appraisal {name} does not fit the model"))?;
        let by = appraisal.scheme.as_deref().and_then(|version| version.split_once('@')).map(|(id, _)| id);
        let at = appraisal.finalised_at.map(|at| at.0).filter(|at| period.holds(*at));
        let inputs = appraisal.calculation.as_ref().and_then(|calculation| calculation.get("inputs"));
        if let (Some(at), Some(inputs)) = (at.filter(|_| by == Some(scheme)), inputs) {
            let work = serde_json::from_value(inputs.clone())
                .with_context(|| format!("/calculation/inputs of appraisal {name} cannot be read"))?;
            found.push((at, Reviewed { name, work }));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, reviewed)| reviewed).collect())
}

/// The interview of a vendor's scorecard, if it is one that the model scores and lies in the period.
async fn one(hub: &RunningHub, record: &Value, model: &str, period: &Period) -> anyhow::Result<Option<Interview>> {
    let name = record["id"].as_str().unwrap_or_default().to_owned();
    let scorecard: Scorecard =
        serde_json::from_value(record.clone()).with_context(|| format!("scorecard {name} does not fit the model"))?;
    let rater = scorecard.rater.as_ref().and_then(|rater| rater.kind.as_ref()).map(|kind| kind.value);
    let inside = scorecard.submitted_at.is_some_and(|at| period.holds(at.0));
    if rater != Some(RaterKind::Vendor) || !inside {
        return Ok(None);
    }
    let Some(order) = scorecard.order.as_ref().and_then(|order| order.id.as_deref()) else { return Ok(None) };
    let order = hub.ask("GET", &format!("/v1/assessment-orders/{order}"), "", Vec::new()).await?;
    if order["package"]["id"].as_str() != Some(model) {
        return Ok(None);
    }
    let turns = match scorecard.interview.as_ref().and_then(|interview| interview.id.as_deref()) {
        Some(interview) => {
            let interview = hub.ask("GET", &format!("/v1/interviews/{interview}"), "", Vec::new()).await?;
            serde_json::from_value(interview["turns"].clone()).unwrap_or_default()
        }
        None => Vec::new(),
    };
    Ok(Some(Interview { name, scorecard, turns }))
}
