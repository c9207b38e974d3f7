//! What is known of an employee at work: the ability baseline, reviews, appraisals and courses.

use super::sight::{Sight, id_of, on_ten, place};
use hub_flow::Failure;
use hub_flow::reading::Known;
use hub_insight::portrait::{Fact, Kind, Why};
use hub_model::entities::employment::Employee;
use hub_model::entities::learning::{Course, Enrolment, EnrolmentStatus, LearningResult};
use hub_model::entities::performance::{Appraisal, Competency, Review, ReviewCycle, ReviewKind, ReviewStatus};
use hub_model::entities::recruiting::Candidate;
use std::collections::{BTreeMap, BTreeSet};

/// Finds the facts of an employee (hub id); the answer are the candidates (hub ids) that the employee was.
pub(super) async fn facts(sight: &mut Sight<'_>, id: &str) -> Result<Vec<String>, Failure> {
    let mut found: BTreeMap<String, Known<Employee>> = sight.these("employee", BTreeSet::from([id.to_owned()])).await?;
    let Some(employee) = found.remove(id) else { return Ok(Vec::new()) };
    if sight.may("employee", "baseline") {
        baseline(sight, &employee).await?;
    }
    reviews(sight, id).await?;
    appraisals(sight, id).await?;
    courses(sight, id).await?;
    let record = &employee.record;
    if let Some(candidate) = id_of(record.candidate.as_ref()) {
        return Ok(vec![candidate.to_owned()]);
    }
    let Some(person) = id_of(record.person.as_ref()) else { return Ok(Vec::new()) };
    let known: Vec<Known<Candidate>> =
        sight.by(("candidate", "competencies"), "person", vec![person.to_owned()]).await?;
    Ok(known.into_iter().map(|known| known.id).collect())
}

/// The names of competencies by hub id.
async fn names(sight: &Sight<'_>, wanted: BTreeSet<String>) -> Result<BTreeMap<String, String>, Failure> {
    let found: BTreeMap<String, Known<Competency>> = sight.these("competency", wanted).await?;
    Ok(found.into_iter().filter_map(|(id, known)| Some((id, known.record.name?))).collect())
}

async fn baseline(sight: &mut Sight<'_>, employee: &Known<Employee>) -> Result<(), Failure> {
    let Some(baseline) = &employee.record.ability_baseline else { return Ok(()) };
    let on = baseline.as_of.as_ref().and_then(|day| day.0.parse().ok());
    let all = || baseline.dimensions.iter().flatten();
    let wanted = all().filter_map(|one| id_of(one.competency.as_ref()).map(str::to_owned)).collect();
    let names = names(sight, wanted).await?;
    for (at, dimension) in all().enumerate() {
        let competency = id_of(dimension.competency.as_ref());
        let name = competency.and_then(|id| names.get(id).cloned()).or_else(|| dimension.name.clone());
        let (Some(score), Some(name)) = (&dimension.score, name) else { continue };
        let place = place("employee", &employee.id, format!("/ability_baseline/dimensions/{at}/score"));
        let Some(value) = sight.ten("baseline", score, &place) else { continue };
        let gap = baseline.gaps.iter().flatten().find(|gap| gap.name.is_some() && gap.name == dimension.name);
        let required = gap.and_then(|gap| on_ten(gap.required?, score));
        sight.facts.push(Fact {
            kind: Kind::Baseline,
            name,
            value: Some(value),
            required,
            on,
            supported: dimension.evidence.as_ref().is_some_and(|evidence| !evidence.is_empty()),
            taken_from: id_of(dimension.source_ref.as_ref()).map(str::to_owned),
            label: None,
            place,
        });
    }
    Ok(())
}

/// Competencies that others scored. What people say of themselves is no score of theirs.
async fn reviews(sight: &mut Sight<'_>, id: &str) -> Result<(), Failure> {
    let mut found: Vec<Known<Review>> = sight.by(("review", "reviews"), "employee", vec![id.to_owned()]).await?;
    let held = [ReviewStatus::Submitted, ReviewStatus::Shared, ReviewStatus::Acknowledged];
    found.retain(|known| {
        let by_others = known.record.kind.as_ref().is_some_and(|kind| kind.value != ReviewKind::SelfReview);
        by_others && known.record.status.as_ref().is_some_and(|status| held.contains(&status.value))
    });
    let items = found.iter().flat_map(|known| known.record.items.iter().flatten());
    let wanted = items.filter_map(|item| id_of(item.competency.as_ref()).map(str::to_owned)).collect();
    let names = names(sight, wanted).await?;
    for known in &found {
        for (at, item) in known.record.items.iter().flatten().enumerate() {
            let (Some(score), Some(competency)) = (&item.score, id_of(item.competency.as_ref())) else { continue };
            let place = place("review", &known.id, format!("/items/{at}/score"));
            let Some(name) = names.get(competency).cloned() else {
                sight.lacks("reviews", Why::NotReadable, Some(place));
                continue;
            };
            let Some(value) = sight.ten("reviews", score, &place) else { continue };
            let on = sight.day(known.record.submitted_at);
            sight.facts.push(Fact {
                kind: Kind::Review,
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
    }
    Ok(())
}

/// Appraisals that are final.
async fn appraisals(sight: &mut Sight<'_>, id: &str) -> Result<(), Failure> {
    let mut found: Vec<Known<Appraisal>> =
        sight.by(("appraisal", "appraisals"), "employee", vec![id.to_owned()]).await?;
    found.retain(|known| known.record.finalised_at.is_some());
    let wanted = found.iter().filter_map(|known| id_of(known.record.cycle.as_ref()).map(str::to_owned)).collect();
    let cycles: BTreeMap<String, Known<ReviewCycle>> = sight.these("review_cycle", wanted).await?;
    for known in found {
        let record = &known.record;
        let (total, pointer) = match &record.calibrated_total {
            Some(total) => (Some(total), "/calibrated_total"),
            None => (record.raw_total.as_ref(), "/raw_total"),
        };
        let place = place("appraisal", &known.id, pointer);
        let value = total.and_then(|total| sight.ten("appraisals", total, &place));
        let cycle = id_of(record.cycle.as_ref()).and_then(|id| cycles.get(id)?.record.name.clone());
        let on = sight.day(record.finalised_at);
        sight.facts.push(Fact {
            kind: Kind::Appraisal,
            name: cycle.or_else(|| record.scheme.clone()).unwrap_or_else(|| "appraisal".to_owned()),
            value,
            required: None,
            on,
            supported: true,
            taken_from: None,
            label: record.grade.clone(),
            place,
        });
    }
    Ok(())
}

/// Courses that were completed; on which day, where a result of learning says so.
async fn courses(sight: &mut Sight<'_>, id: &str) -> Result<(), Failure> {
    let mut found: Vec<Known<Enrolment>> = sight.by(("enrolment", "courses"), "employee", vec![id.to_owned()]).await?;
    let completed = EnrolmentStatus::Completed;
    found.retain(|known| known.record.status.as_ref().is_some_and(|status| status.value == completed));
    let wanted = found.iter().filter_map(|known| id_of(known.record.course.as_ref()).map(str::to_owned)).collect();
    let titles: BTreeMap<String, Known<Course>> = sight.these("course", wanted).await?;
    let ids = found.iter().map(|known| known.id.clone()).collect();
    let results: Vec<Known<LearningResult>> = sight.by(("learning_result", "course_days"), "enrolment", ids).await?;
    for known in found {
        let place = place("enrolment", &known.id, "/status");
        let title = id_of(known.record.course.as_ref()).and_then(|id| titles.get(id)?.record.title.clone());
        let Some(name) = title else {
            sight.lacks("courses", Why::NotReadable, Some(place));
            continue;
        };
        let result = results.iter().rev().find(|result| id_of(result.record.enrolment.as_ref()) == Some(&known.id));
        let on = sight.day(result.and_then(|result| result.record.completed_at));
        sight.facts.push(Fact {
            kind: Kind::Course,
            name,
            value: None,
            required: None,
            on,
            supported: true,
            taken_from: None,
            label: None,
            place,
        });
    }
    Ok(())
}
