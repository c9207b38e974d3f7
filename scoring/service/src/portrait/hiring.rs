//! What recruiting knows: skills of résumés, scorecards of interviews and tests, and how well somebody fits a job.

use super::sight::{Sight, id_of, on_ten, place, told};
use hub_flow::Failure;
use hub_flow::reading::Known;
use hub_insight::portrait::{Fact, Kind, Why};
use hub_model::entities::assessment::{
    AssessmentOrder, AssessmentStatus, Dimension, PackageType, RaterKind, Scorecard, ScorecardStatus,
};
use hub_model::entities::hiring::Resume;
use hub_model::entities::performance::Competency;
use hub_model::entities::recruiting::Application;
use hub_model::entities::requisition::Requisition;
use std::collections::{BTreeMap, BTreeSet};

/// Finds the facts of these candidates (hub ids).
pub(super) async fn facts(sight: &mut Sight<'_>, candidates: Vec<String>) -> Result<(), Failure> {
    let resumes: Vec<Known<Resume>> = sight.by(("resume", "skills"), "candidate", candidates.clone()).await?;
    for resume in &resumes {
        skills(sight, resume);
    }
    let applications: Vec<Known<Application>> =
        sight.by(("application", "competencies"), "candidate", candidates).await?;
    let ids: Vec<String> = applications.iter().map(|known| known.id.clone()).collect();
    let scorecards: Vec<Known<Scorecard>> = sight.by(("scorecard", "competencies"), "application", ids.clone()).await?;
    let orders: Vec<Known<AssessmentOrder>> = sight.by(("assessment_order", "assessments"), "application", ids).await?;
    let scorecards = that_count(scorecards);
    let tests: BTreeSet<&str> = orders.iter().filter(|order| is_test(order)).map(|order| order.id.as_str()).collect();
    let dimensions = scorecards.iter().flat_map(|known| known.record.dimensions.iter().flatten());
    let wanted = dimensions.filter_map(|one| id_of(one.competency.as_ref()).map(str::to_owned)).collect();
    let names: BTreeMap<String, Known<Competency>> = sight.these("competency", wanted).await?;
    for known in &scorecards {
        let kind = match id_of(known.record.order.as_ref()) {
            Some(order) if tests.contains(order) => Kind::Assessment,
            _ => Kind::Scorecard,
        };
        for (at, dimension) in known.record.dimensions.iter().flatten().enumerate() {
            scored(sight, (known, kind), (at, dimension), &names);
        }
    }
    matches(sight, &applications, &scorecards).await?;
    for order in orders.iter().filter(|order| is_test(order)) {
        tested(sight, order, &scorecards);
    }
    Ok(())
}

fn skills(sight: &mut Sight<'_>, resume: &Known<Resume>) {
    for (at, skill) in resume.record.skills.iter().flatten().enumerate() {
        let Some(name) = skill.name.clone() else { continue };
        let place = place("resume", &resume.id, format!("/skills/{at}/level"));
        let value = skill.level.as_ref().and_then(|level| sight.ten("skills", level, &place));
        if skill.level.is_none() {
            sight.lacks("skills", Why::NoScale, Some(place.clone()));
        }
        let on = sight.day(resume.record.parsed_at);
        sight.facts.push(Fact {
            kind: Kind::Skill,
            name,
            value,
            required: None,
            on,
            supported: true,
            taken_from: None,
            label: None,
            place,
        });
    }
}

/// Scorecards that hold: not drafts, none that was withdrawn or corrected, and not the vendor's beside the hub's own.
fn that_count(mut all: Vec<Known<Scorecard>>) -> Vec<Known<Scorecard>> {
    let held = [ScorecardStatus::Submitted, ScorecardStatus::Amended];
    all.retain(|known| known.record.status.as_ref().is_some_and(|status| held.contains(&status.value)));
    let corrected: BTreeSet<String> =
        all.iter().filter_map(|known| id_of(known.record.amends.as_ref()).map(str::to_owned)).collect();
    all.retain(|known| !corrected.contains(&known.id));
    let about = |known: &Known<Scorecard>| {
        let record = &known.record;
        let ids = [id_of(record.interview.as_ref()), id_of(record.order.as_ref())];
        ids.map(|id| id.map(str::to_owned))
    };
    let own: Vec<_> = all.iter().filter(|known| rater(&known.record) == Some(RaterKind::Ai)).map(about).collect();
    all.retain(|known| {
        let of = about(known);
        let same = |own: &[Option<String>; 2]| own.iter().zip(&of).any(|(one, other)| one.is_some() && one == other);
        rater(&known.record) != Some(RaterKind::Vendor) || !own.iter().any(same)
    });
    all
}

fn rater(scorecard: &Scorecard) -> Option<RaterKind> {
    scorecard.rater.as_ref()?.kind.as_ref().map(|kind| kind.value)
}

/// Whether something was ordered that is known to be a test and no interview.
fn is_test(order: &Known<AssessmentOrder>) -> bool {
    let kind = order.record.package.as_ref().and_then(|package| package.kind.as_ref()).map(|kind| kind.value);
    let tests = [PackageType::SkillsTest, PackageType::Behavioral, PackageType::Cognitive, PackageType::Language];
    kind.is_some_and(|kind| tests.contains(&kind))
}

fn scored(
    sight: &mut Sight<'_>,
    (known, kind): (&Known<Scorecard>, Kind),
    (at, dimension): (usize, &Dimension),
    names: &BTreeMap<String, Known<Competency>>,
) {
    let Some(score) = &dimension.score else { return };
    let id = dimension.id.clone();
    let place = place("scorecard", &known.id, format!("/dimensions/{at}/score"));
    let Some(value) = sight.ten("competencies", score, &place) else { return };
    let competency = id_of(dimension.competency.as_ref()).and_then(|id| names.get(id));
    let name = competency.and_then(|known| known.record.name.clone());
    let name = name.or_else(|| id.clone()).or_else(|| dimension.name.as_ref().and_then(told));
    let Some(name) = name else { return };
    // Of a dimension with rules that none has fired is what it rests on: the scorecard has judged that already.
    let judged = [&known.record.strengths, &known.record.risks];
    let judged = judged.into_iter().flatten().flatten().any(|one| Some(one) == id.as_ref());
    let evidence = dimension.evidence.as_ref().is_some_and(|evidence| !evidence.is_empty());
    let supported = evidence || judged || rater(&known.record) == Some(RaterKind::Human);
    let required = dimension.required.and_then(|required| on_ten(required, score));
    let on = sight.day(known.record.submitted_at);
    sight.facts.push(Fact {
        kind,
        name,
        value: Some(value),
        required,
        on,
        supported,
        taken_from: None,
        label: None,
        place,
    });
}

/// How well somebody fits the job of each requisition.
async fn matches(
    sight: &mut Sight<'_>,
    applications: &[Known<Application>],
    scorecards: &[Known<Scorecard>],
) -> Result<(), Failure> {
    let requisition = |application: &str| {
        let known = applications.iter().find(|known| known.id == application)?;
        id_of(known.record.requisition.as_ref()).map(str::to_owned)
    };
    let wanted = applications.iter().filter_map(|known| requisition(&known.id)).collect();
    let jobs: BTreeMap<String, Known<Requisition>> = sight.these("requisition", wanted).await?;
    for known in scorecards {
        let Some(score) = &known.record.match_score else { continue };
        let place = place("scorecard", &known.id, "/match_score");
        let Some(value) = sight.ten("matches", score, &place) else { continue };
        let job = id_of(known.record.application.as_ref()).and_then(requisition);
        let Some(title) = job.and_then(|id| jobs.get(&id)?.record.title.clone()) else {
            sight.lacks("matches", Why::NotReadable, Some(place));
            continue;
        };
        let on = sight.day(known.record.submitted_at);
        let supported = rater(&known.record).is_some_and(|kind| kind != RaterKind::Vendor);
        sight.facts.push(Fact {
            kind: Kind::Match,
            name: title,
            value: Some(value),
            required: None,
            on,
            supported,
            taken_from: None,
            label: None,
            place,
        });
    }
    Ok(())
}

/// A test as a whole, by the scorecard that came of it.
fn tested(sight: &mut Sight<'_>, order: &Known<AssessmentOrder>, scorecards: &[Known<Scorecard>]) {
    let completed = order.record.status.as_ref().is_some_and(|status| status.value == AssessmentStatus::Completed);
    if !completed {
        return;
    }
    let own = scorecards.iter().rev().find(|known| id_of(known.record.order.as_ref()) == Some(order.id.as_str()));
    let package = order.record.package.as_ref();
    let name = package.and_then(|package| package.name.clone().or_else(|| package.id.clone()));
    let (Some(own), Some(name)) = (own, name) else {
        return sight.lacks("assessments", Why::NoRecord, Some(place("assessment_order", &order.id, "/result")));
    };
    let place = place("scorecard", &own.id, "/total");
    let value = own.record.total.as_ref().and_then(|total| sight.ten("assessments", total, &place));
    let Some(value) = value else { return sight.lacks("assessments", Why::NoScale, Some(place)) };
    let on = sight.day(order.record.completed_at.or(own.record.submitted_at));
    sight.facts.push(Fact {
        kind: Kind::Test,
        name,
        value: Some(value),
        required: None,
        on,
        supported: true,
        taken_from: None,
        label: None,
        place,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str, rater: &str, status: &str, more: &str) -> Known<Scorecard> {
        let document = format!(
            r#"{{"application":{{"type":"application","id":"a"}},"rater":{{"kind":{{"value":"{rater}"}}}},"status":{{"value":"{status}"}}{more}}}"#
        );
        Known { id: id.to_owned(), version: 1, record: serde_json::from_str(&document).unwrap(), document }
    }

    #[test]
    fn drafts_corrected_scorecards_and_the_vendor_beside_the_hub_do_not_count() {
        let of = |interview: &str| format!(r#","interview":{{"type":"interview","id":"{interview}"}}"#);
        let all = vec![
            card("vendor-1", "VENDOR", "SUBMITTED", &of("i1")),
            card("vendor-2", "VENDOR", "SUBMITTED", &of("i2")),
            card("vendor-loose", "VENDOR", "SUBMITTED", ""),
            card("hub-1", "AI", "SUBMITTED", &of("i1")),
            card("hub-loose", "AI", "SUBMITTED", ""),
            card("hub-2-draft", "AI", "DRAFT", &of("i2")),
            card("human-1", "HUMAN", "SUBMITTED", &of("i1")),
            card("void", "HUMAN", "VOID", ""),
            card("wrong", "HUMAN", "AMENDED", ""),
            card("right", "HUMAN", "SUBMITTED", r#","amends":{"type":"scorecard","id":"wrong"}"#),
        ];
        let kept: Vec<String> = that_count(all).into_iter().map(|known| known.id).collect();
        assert_eq!(kept, ["vendor-2", "vendor-loose", "hub-1", "hub-loose", "human-1", "right"]);
    }
}
