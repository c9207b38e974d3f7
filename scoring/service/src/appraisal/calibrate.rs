//! A person changes a grade: with a name and a reason.

use super::AppraisalScoring;
use super::make::{decimal, known, reason};
use super::read::record;
use crate::records::write;
use hub_appraisal::scheme::Scheme;
use hub_flow::journey::Went;
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_model::entities::performance::{APPRAISAL, Appraisal, Calibration};
use hub_model::scalars::{DateTime, Rate};
use std::sync::Arc;

impl AppraisalScoring {
    /// The last entry of the calibration decides. What it changes is written beside it: the coefficient of the new grade,
    /// why, and, when the grade was final, that it is final anew, so that payroll is told.
    pub(super) async fn calibrated(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        if !event.changed.iter().any(|field| field == "calibration") {
            return Ok(effects);
        }
        // As it is now: of two changes that follow each other, the later one holds, whichever is looked at last.
        let Some(appraisal) = record::<Appraisal>(hub, event, APPRAISAL.name, &event.record).await? else {
            return Ok(effects);
        };
        let Some(last) = appraisal.calibration.as_ref().and_then(|all| all.last()) else { return Ok(effects) };
        // Another system's appraisals are its own business.
        let Some(named) = appraisal.scheme.as_deref() else { return Ok(effects) };
        let scheme = self.scheme(named.split('@').next().unwrap_or(named))?;
        let grade = checked(scheme, last)?;
        let factor = scheme.coefficient(grade).ok_or_else(|| unknown(scheme, grade))?;
        if appraisal.grade.as_deref() == Some(grade) && appraisal.bonus_factor == Some(Rate(decimal(factor)?)) {
            return Ok(effects);
        }
        let mut reasons = appraisal.reasons.clone().unwrap_or_default();
        reasons.retain(|reason| reason.code.as_deref() != Some("calibrated"));
        let before = appraisal.grade.as_deref().unwrap_or("-");
        let why = last.reason.as_deref().unwrap_or_default();
        reasons.push(reason("calibrated", None, format!("等级由 {before} 校准为 {grade}：{why}")));
        let at = event.at.parse().ok().map(DateTime);
        let change = Appraisal {
            scheme: appraisal.scheme.clone(),
            grade: Some(grade.to_owned()),
            bonus_factor: Some(Rate(decimal(factor)?)),
            reasons: Some(reasons),
            finalised_at: appraisal.finalised_at.and(at),
            ..Appraisal::default()
        };
        let rule = format!("appraisal scheme {}", scheme.version());
        effects.steps.add(
            &hub.ids,
            hub.clock.micros(),
            ("calibrate", Went::Ok),
            "hub",
            &event.subject(),
            scheme.version(),
        );
        effects.writes.push(write(&APPRAISAL, known(&event.record), &change, &[], &rule)?);
        Ok(effects)
    }
}

/// The grade of an entry that says who, what and why.
fn checked<'c>(scheme: &Scheme, entry: &'c Calibration) -> Result<&'c str, Failure> {
    let incomplete = |field: &str, what: &str| {
        let text = format!("the last entry of `calibration` has no `{field}`: {what}; add it to change the grade");
        Failure::park("CALIBRATION_INCOMPLETE", text)
    };
    if entry.by.as_ref().is_none_or(|by| by.id.is_none() && by.source.is_none()) {
        return Err(incomplete("by", "the employee who answers for the change"));
    }
    if entry.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(incomplete("reason", "why the grade of the formula does not stand"));
    }
    let grade = entry.to.as_deref().ok_or_else(|| incomplete("to", "the new grade"))?;
    if scheme.coefficient(grade).is_none() {
        return Err(unknown(scheme, grade));
    }
    Ok(grade)
}

fn unknown(scheme: &Scheme, grade: &str) -> Failure {
    let known: Vec<&str> = scheme.grades().collect();
    let text = format!("the scheme {} has no grade `{grade}`; known: {}", scheme.version(), known.join(", "));
    Failure::park("GRADE_UNKNOWN", text)
}
