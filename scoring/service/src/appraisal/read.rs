//! What is read to appraise a review.

use crate::records::typed;
use hub_appraisal::appraise::{Item, Learnt, Work};
use hub_appraisal::scheme::Scheme;
use hub_calc::Exact;
use hub_flow::rules::{document, documents_by};
use hub_flow::{EventMessage, Failure, Hub};
use hub_model::entities::employment::Employee;
use hub_model::entities::learning::{COURSE, ENROLMENT, Enrolment, EnrolmentStatus, LEARNING_RESULT, LearningResult};
use hub_model::entities::performance::{
    APPRAISAL, Appraisal, Competency, Goal, REVIEW, REVIEW_CYCLE, Review, ReviewCycle, ReviewItem, ReviewKind,
    ReviewStatus,
};
use hub_model::enums::EnumOf as _;
use hub_model::scalars::Score;
use hub_tree::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The manager's review of an event and its cycle; `None` when it is somebody else's, or of no cycle.
pub(super) async fn review(hub: &Hub, event: &EventMessage) -> Result<Option<(Review, String, ReviewCycle)>, Failure> {
    let review = document(hub, &event.tenant, REVIEW.name, &event.record, Some(event.version)).await?;
    let Some(review) = review else { return Ok(None) };
    let review: Review = typed(&review)?;
    if review.kind.as_ref().map(|kind| kind.value) != Some(ReviewKind::Manager) {
        return Ok(None);
    }
    let Some(cycle_id) = review.cycle.as_ref().and_then(|cycle| cycle.id.clone()) else { return Ok(None) };
    let cycle: Option<ReviewCycle> = record(hub, event, REVIEW_CYCLE.name, &cycle_id).await?;
    let cycle = cycle.ok_or_else(|| {
        Failure::park(
            "CYCLE_MISSING",
            "the review's cycle is not in the store; write it, then hand the review out again",
        )
    })?;
    Ok(Some((review, cycle_id, cycle)))
}

/// A record as it is now.
pub(super) async fn record<T: DeserializeOwned>(
    hub: &Hub,
    event: &EventMessage,
    entity: &str,
    id: &str,
) -> Result<Option<T>, Failure> {
    let found = document(hub, &event.tenant, entity, id, None).await?;
    found.map(|document| typed(&document)).transpose()
}

/// An appraisal that is there already.
pub(super) struct Existing {
    pub(super) id: String,
    pub(super) is_final: bool,
}

/// Scores from 0 to 100 by who gave them; they stay beside each other and are not mixed.
#[derive(Debug, Default, Serialize)]
pub(super) struct Ratings {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) manager: BTreeMap<String, Decimal>,
    #[serde(rename = "self", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) own: BTreeMap<String, Decimal>,
    /// Each peer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) peers: Vec<BTreeMap<String, Decimal>>,
}

/// All that an appraisal rests on.
pub(super) struct Seen {
    pub(super) review: Review,
    pub(super) employee_id: String,
    pub(super) cycle_id: String,
    /// The next cycle by the same scheme, where there is one.
    pub(super) next_cycle: Option<(String, ReviewCycle)>,
    pub(super) work: Work,
    pub(super) baseline: Vec<(String, Exact)>,
    pub(super) ratings: Ratings,
    pub(super) existing: Option<Existing>,
    /// Courses of the store by their codes.
    pub(super) courses: BTreeMap<String, String>,
}

impl Seen {
    pub(super) async fn read(
        hub: &Hub,
        event: &EventMessage,
        scheme: &Scheme,
        review: Review,
        (cycle_id, cycle): (String, ReviewCycle),
    ) -> Result<Self, Failure> {
        let employee_id = review.employee.as_ref().and_then(|employee| employee.id.clone());
        let employee_id = employee_id.ok_or_else(|| {
            Failure::park("EMPLOYEE_MISSING", "the review's employee is not known to the hub; write the employee first")
        })?;
        let employee: Option<Employee> = record(hub, event, "employee", &employee_id).await?;
        let baseline = baseline(&employee.unwrap_or_default());
        let mut work = work(hub, event, &review).await?;
        let (ratings, mentor) = ratings(hub, event, &review, &employee_id, &cycle_id).await?;
        if scheme.probation.is_some() {
            work.training = Some(Learnt { mentor, ..learnt(hub, event, &employee_id).await? });
        }
        let existing = existing(hub, event, &employee_id, &cycle_id).await?;
        let next_cycle = next_cycle(hub, event, &cycle).await?;
        let mut courses = BTreeMap::new();
        if scheme.also.enrolment {
            for code in scheme.courses.values().filter_map(|course| course.code.as_deref()) {
                let found = documents_by(hub, &event.tenant, &COURSE, "code", code).await?;
                courses.extend(found.into_iter().next().map(|(id, _)| (code.to_owned(), id)));
            }
        }
        Ok(Self { review, employee_id, cycle_id, next_cycle, work, baseline, ratings, existing, courses })
    }
}

/// `None` of no numbers.
fn mean(numbers: &[Exact]) -> Option<Exact> {
    Exact::total(numbers).over(&Exact::from(numbers.len()))
}

/// A score on the scale from 0 to 100; `None` when it has no value or no scale.
fn points(score: &Score) -> Option<Exact> {
    let (value, min, max) = (Exact::from(score.value?), Exact::from(score.min?), Exact::from(score.max?));
    (Exact::hundred() * (value - &min)).over(&(max - &min))
}

fn baseline(employee: &Employee) -> Vec<(String, Exact)> {
    let dimensions = employee.ability_baseline.iter().flat_map(|baseline| baseline.dimensions.iter().flatten());
    let scored = dimensions.filter_map(|dimension| {
        let competency = dimension.competency.as_ref().and_then(|competency| competency.display.clone());
        let share = dimension.normalised.map(|share| Exact::hundred() * Exact::from(share.0));
        Some((dimension.name.clone().or(competency)?, dimension.score.as_ref().and_then(points).or(share)?))
    });
    scored.collect()
}

async fn work(hub: &Hub, event: &EventMessage, review: &Review) -> Result<Work, Failure> {
    let mut work = Work::default();
    for (index, item) in review.items.iter().flatten().enumerate() {
        let place = format!("/items/{index}");
        let (weight, score) = weight_and_score(item);
        if let Some(goal) = &item.goal {
            let known: Option<Goal> = match &goal.id {
                Some(id) => record(hub, event, "goal", id).await?,
                None => None,
            };
            let known = known.unwrap_or_default();
            let metric = known.metric.unwrap_or_default();
            let name = named(known.title.or_else(|| goal.display.clone()), &place, "goal")?;
            let (actual, target) = (metric.current.map(Exact::from), metric.target.map(Exact::from));
            work.kpis.push(Item { place, name, weight, actual, target, score });
        } else if let Some(competency) = &item.competency {
            let known: Option<Competency> = match &competency.id {
                Some(id) => record(hub, event, "competency", id).await?,
                None => None,
            };
            let name = known.and_then(|known| known.name).or_else(|| competency.display.clone());
            let name = named(name, &place, "competency")?;
            work.behaviours.push(Item { place, name, weight, actual: None, target: None, score });
        } else {
            let text = format!("{place} names neither a `goal` nor a `competency`; one of them says what was reviewed");
            return Err(Failure::park("ITEM_UNNAMED", text));
        }
    }
    Ok(work)
}

fn named(name: Option<String>, place: &str, what: &str) -> Result<String, Failure> {
    name.ok_or_else(|| {
        let text = format!("{place}: the {what} is not in the store and has no name; write it, or its `display`");
        Failure::park("ITEM_UNNAMED", text)
    })
}

/// The weight in percent and the points of an item.
fn weight_and_score(item: &ReviewItem) -> (Option<Exact>, Option<Exact>) {
    let weight = item.weight.map(|share| Exact::hundred() * Exact::from(share.0));
    (weight, item.score.as_ref().and_then(points))
}

/// Means over an employee's trainings: exams by their scores, completion by what is done of each enrolment.
async fn learnt(hub: &Hub, event: &EventMessage, employee: &str) -> Result<Learnt, Failure> {
    let (mut exams, mut shares) = (Vec::new(), Vec::new());
    for (id, text) in documents_by(hub, &event.tenant, &ENROLMENT, "employee", employee).await? {
        let enrolment: Enrolment = typed(&text)?;
        let status = enrolment.status.as_ref().map(|status| status.value);
        if matches!(status, Some(EnrolmentStatus::Cancelled | EnrolmentStatus::Waitlisted)) {
            continue;
        }
        let progress = enrolment.progress.map_or_else(Exact::zero, |share| Exact::hundred() * Exact::from(share.0));
        shares.push(if status == Some(EnrolmentStatus::Completed) { Exact::hundred() } else { progress });
        // Of several tries at one course, the best counts.
        let results = documents_by(hub, &event.tenant, &LEARNING_RESULT, "enrolment", &id).await?;
        let scores = results.iter().map(|(_, text)| typed::<LearningResult>(text));
        let scores = scores.collect::<Result<Vec<_>, Failure>>()?;
        exams.extend(scores.iter().filter_map(|result| points(result.score.as_ref()?)).max());
    }
    Ok(Learnt { exam: mean(&exams), completion: mean(&shares), mentor: None })
}

/// The scores of all who reviewed the employee in the cycle, and the mean of what mentors think of the training.
async fn ratings(
    hub: &Hub,
    event: &EventMessage,
    manager: &Review,
    employee: &str,
    cycle: &str,
) -> Result<(Ratings, Option<Exact>), Failure> {
    let mut ratings = Ratings { manager: scores(manager), ..Ratings::default() };
    let mut mentors = Vec::new();
    for (_, text) in documents_by(hub, &event.tenant, &REVIEW, "employee", employee).await? {
        let review: Review = typed(&text)?;
        let status = review.status.as_ref().map(|status| status.value);
        let said = !matches!(status, None | Some(ReviewStatus::Draft | ReviewStatus::InProgress));
        if !said || review.cycle.as_ref().and_then(|of| of.id.as_deref()) != Some(cycle) {
            continue;
        }
        match review.kind.as_ref().map(|kind| kind.value) {
            Some(ReviewKind::SelfReview) => ratings.own = scores(&review),
            Some(ReviewKind::Peer) => ratings.peers.push(scores(&review)),
            Some(ReviewKind::Mentor) => mentors.extend(review.total.as_ref().and_then(points)),
            _ => {}
        }
    }
    Ok((ratings, mean(&mentors)))
}

/// The scores of a review by the names of what was scored, and its total.
fn scores(review: &Review) -> BTreeMap<String, Decimal> {
    let as_decimal = |score: &Score| points(score)?.to_decimal();
    let items = review.items.iter().flatten().enumerate().filter_map(|(index, item)| {
        let goal = item.goal.as_ref().and_then(|goal| goal.display.clone());
        let name = goal.or_else(|| item.competency.as_ref()?.display.clone());
        Some((name.unwrap_or_else(|| format!("/items/{index}")), as_decimal(item.score.as_ref()?)?))
    });
    let total = review.total.as_ref().and_then(as_decimal).map(|total| ("total".to_owned(), total));
    items.chain(total).collect()
}

async fn existing(hub: &Hub, event: &EventMessage, employee: &str, cycle: &str) -> Result<Option<Existing>, Failure> {
    for (id, text) in documents_by(hub, &event.tenant, &APPRAISAL, "employee", employee).await? {
        let appraisal: Appraisal = typed(&text)?;
        // What this very event made is no other appraisal: a repetition writes the same.
        let ours = id == event.id_of(super::make::APPRAISED);
        if !ours && appraisal.cycle.as_ref().and_then(|of| of.id.as_deref()) == Some(cycle) {
            return Ok(Some(Existing { id, is_final: appraisal.finalised_at.is_some() }));
        }
    }
    Ok(None)
}

/// The first cycle of the same scheme that begins after this one.
async fn next_cycle(
    hub: &Hub,
    event: &EventMessage,
    cycle: &ReviewCycle,
) -> Result<Option<(String, ReviewCycle)>, Failure> {
    let (Some(kind), Some(end)) = (&cycle.kind, &cycle.period_end) else { return Ok(None) };
    let mut following: Option<(String, ReviewCycle)> = None;
    for (id, text) in documents_by(hub, &event.tenant, &REVIEW_CYCLE, "kind", kind.value.as_str()).await? {
        let one: ReviewCycle = typed(&text)?;
        let is_next = one.template == cycle.template && one.period_start.as_ref().is_some_and(|start| start > end);
        let earlier = following.as_ref().is_none_or(|(_, known)| one.period_start < known.period_start);
        if is_next && earlier {
            following = Some((id, one));
        }
    }
    Ok(following)
}
