//! Rows of what happened in recruiting.

use super::Ask;
use super::sight::{Applications, NotMade, Sight, id_of, on_hundred};
use hub_calc::Exact;
use hub_flow::reading::Known;
use hub_insight::{distribution, keywords, programme, thresholds, weak};
use hub_model::entities::assessment::{
    Attendance, Decision, DecisionKind, DecisionLabel, Interview, RaterKind, Scorecard, ScorecardStatus,
};
use hub_model::entities::employment::Employee;
use hub_model::entities::recruiting::{Application, Outcome, StageKind};
use hub_model::entities::requisition::{Offer, OfferStatus};
use hub_model::scalars::Score;
use std::collections::BTreeMap;

/// What the composite is called beside the dimensions.
const COMPOSITE: &str = "综合分 composite";
/// From this appraisal on a hire counts as a success (house rule: grade A).
const HOUSE_TARGET: i64 = 80;

/// The hub's own scorecard of each application that is asked for, the last of several, by application.
pub(super) async fn own_scorecards(
    sight: &Sight<'_>,
    ask: &Ask,
    applications: &Applications,
) -> Result<BTreeMap<String, Scorecard>, NotMade> {
    let mut found: BTreeMap<String, Scorecard> = BTreeMap::new();
    for Known { record, .. } in sight.all::<Scorecard>("scorecard").await? {
        let kind = record.rater.as_ref().and_then(|rater| rater.kind.as_ref()).map(|kind| kind.value);
        let submitted = record.status.as_ref().is_some_and(|status| status.value == ScorecardStatus::Submitted);
        let inside = record.submitted_at.is_some_and(|at| Sight::holds(ask, sight.day(at)));
        let Some(application) = id_of(record.application.as_ref()).filter(|id| applications.all.contains_key(*id))
        else {
            continue;
        };
        if kind != Some(RaterKind::Ai) || !submitted || !inside {
            continue;
        }
        let later = found.get(application).is_none_or(|known| known.submitted_at < record.submitted_at);
        if later {
            found.insert(application.to_owned(), record);
        }
    }
    Ok(found)
}

/// Dimensions of a scorecard with their scores from 0 to 100 and what is required.
fn dimensions(scorecard: &Scorecard) -> impl Iterator<Item = (String, Exact, Option<Exact>)> + '_ {
    scorecard.dimensions.iter().flatten().filter_map(|dimension| {
        let score = dimension.score.as_ref()?;
        let scale = |value| on_hundred(&Score { value: Some(value), ..score.clone() });
        Some((dimension.id.clone()?, on_hundred(score)?, dimension.required.and_then(scale)))
    })
}

fn role_of(applications: &Applications, application: &str, scorecard: &Scorecard) -> String {
    let known = applications.all.get(application).and_then(|known| applications.role(&known.record));
    let rubric = scorecard.rubric.as_ref().and_then(|rubric| rubric.id.as_deref());
    known.or(rubric).unwrap_or("–").to_owned()
}

pub(super) async fn scores(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<distribution::Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let mut rows = Vec::new();
    for (application, scorecard) in own_scorecards(sight, ask, &applications).await? {
        let role = role_of(&applications, &application, &scorecard);
        let composite = scorecard.total.as_ref().and_then(on_hundred).map(|total| (COMPOSITE.to_owned(), total, None));
        for (dimension, score, _) in dimensions(&scorecard).chain(composite) {
            rows.push(distribution::Row { role: role.clone(), dimension, score });
        }
    }
    Ok(rows)
}

/// Scores at hiring, and whether the first appraisal after it met the target.
pub(super) async fn outcomes(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<thresholds::Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let target = ask.target.clone().unwrap_or_else(|| Exact::from(HOUSE_TARGET));
    let appraisals = sight.appraisals().await?;
    let groups = match ask.groups {
        Some(groups) => sight.groups(groups).await?,
        None => BTreeMap::new(),
    };
    let employees = sight.all::<Employee>("employee").await?;
    let employees: BTreeMap<&str, &str> = employees
        .iter()
        .filter_map(|known| Some((id_of(known.record.candidate.as_ref())?, known.id.as_str())))
        .collect();
    let mut rows = Vec::new();
    for (application, scorecard) in own_scorecards(sight, ask, &applications).await? {
        let Some(known) = applications.all.get(&application) else { continue };
        let candidate = id_of(known.record.candidate.as_ref());
        let hired = known.record.outcome.as_ref().is_some_and(|outcome| outcome.value == Outcome::Hired);
        let scored = scorecard.submitted_at.map(|at| sight.day(at));
        let employee = candidate.filter(|_| hired).and_then(|id| employees.get(id));
        let first = employee.and_then(|id| appraisals.get(*id)?.iter().find(|one| Some(one.on) > scored));
        let met = first.and_then(|one| one.total.as_ref()).map(|total| *total >= target);
        let group = candidate.and_then(|id| groups.get(id)).cloned();
        for (dimension, score, _) in dimensions(&scorecard) {
            rows.push(thresholds::Row { dimension, score, met, group: group.clone() });
        }
    }
    Ok(rows)
}

/// Whether an application went on: its outcome, else the last decision about it, else nothing is known.
fn advanced(application: &Application, decisions: &[&Decision]) -> Option<bool> {
    match application.outcome.as_ref().map(|outcome| outcome.value) {
        Some(Outcome::Hired) => return Some(true),
        Some(Outcome::Rejected) => return Some(false),
        _ => {}
    }
    let last = decisions.iter().max_by_key(|decision| decision.at)?;
    let not_recommended = last.label.as_ref().is_some_and(|label| label.value == DecisionLabel::NotRecommended);
    match last.kind.as_ref()?.value {
        DecisionKind::Advance | DecisionKind::Hire => Some(true),
        DecisionKind::Reject => Some(false),
        DecisionKind::Hold if not_recommended => Some(false),
        _ => None,
    }
}

/// Records by the application that they name.
pub(super) fn by_application<'r, T>(
    records: &'r [Known<T>],
    application: impl Fn(&'r T) -> Option<&'r str>,
) -> BTreeMap<&'r str, Vec<&'r T>> {
    let mut found: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for known in records {
        if let Some(id) = application(&known.record) {
            found.entry(id).or_default().push(&known.record);
        }
    }
    found
}

pub(super) async fn weak(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<weak::Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let decisions = sight.all::<Decision>("decision").await?;
    let decisions = by_application(&decisions, |decision| id_of(decision.application.as_ref()));
    let mut rows = Vec::new();
    for (id, scorecard) in own_scorecards(sight, ask, &applications).await? {
        let Some(known) = applications.all.get(&id) else { continue };
        let of = decisions.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let Some(advanced) = advanced(&known.record, of) else { continue };
        for (dimension, score, required) in dimensions(&scorecard) {
            rows.push(weak::Row { dimension, score, required, advanced });
        }
    }
    Ok(rows)
}

/// Keywords as vendors and raters found them: one row for each scorecard that has some.
pub(super) async fn keywords(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<keywords::Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let scorecards = sight.all::<Scorecard>("scorecard").await?.into_iter().map(|known| known.record);
    let wanted = scorecards.filter(|scorecard| {
        id_of(scorecard.application.as_ref()).is_some_and(|id| applications.all.contains_key(id))
            && scorecard.submitted_at.is_some_and(|at| Sight::holds(ask, sight.day(at)))
    });
    Ok(wanted
        .filter_map(|scorecard| Some(keywords::Row { keywords: scorecard.keywords.filter(|words| !words.is_empty())? }))
        .collect())
}

pub(super) async fn programme(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<programme::Row>, NotMade> {
    let applications = sight.applications(ask).await?;
    let offers = sight.all::<Offer>("offer").await?;
    let offers = by_application(&offers, |offer| id_of(offer.application.as_ref()));
    let interviews = sight.all::<Interview>("interview").await?;
    let interviews = by_application(&interviews, |interview| id_of(interview.application.as_ref()));
    // Scores are those of the application, whenever they were given.
    let whenever = Ask { since: None, until: None, ..ask.clone() };
    let scorecards = own_scorecards(sight, &whenever, &applications).await?;
    let mut rows = Vec::new();
    for (id, known) in &applications.all {
        let application = &known.record;
        let applied_on = application.applied_at.map(|at| sight.day(at));
        if !applied_on.is_none_or(|day| Sight::holds(ask, day)) {
            continue;
        }
        let of = interviews.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let known_to = |wanted: Attendance| {
            of.iter().filter(|one| one.candidate_attendance.as_ref().is_some_and(|at| at.value == wanted)).count()
        };
        let (came, stayed_away) = (known_to(Attendance::Attended), known_to(Attendance::NoShow));
        let hired = application.outcome.as_ref().is_some_and(|outcome| outcome.value == Outcome::Hired)
            || application.stage_kind.as_ref().is_some_and(|stage| stage.value == StageKind::Onboarded);
        rows.push(programme::Row {
            applied_on,
            hired_on: application.hired_at.map(|at| sight.day(at)),
            hired,
            accepted: offers.get(id.as_str()).and_then(|offers| accepted(offers)),
            minutes: minutes(of),
            invited: came + stayed_away,
            came,
            match_score: scorecards.get(id).and_then(|one| one.match_score.as_ref()?.value).map(Exact::from),
            satisfaction: satisfaction(&known.document),
        });
    }
    Ok(rows)
}

/// Whether the offers of an application were accepted; nothing while none was answered.
fn accepted(offers: &[&Offer]) -> Option<bool> {
    let is = |wanted: OfferStatus| {
        offers.iter().any(|offer| offer.status.as_ref().is_some_and(|status| status.value == wanted))
    };
    if is(OfferStatus::Accepted) {
        return Some(true);
    }
    (is(OfferStatus::Declined) || is(OfferStatus::Expired)).then_some(false)
}

/// Minutes of all interviews that were held; nothing where none has both times.
fn minutes(interviews: &[&Interview]) -> Option<Exact> {
    let of = |interview: &&&Interview| {
        let (from, to) = (interview.starts_at?, interview.ends_at?);
        let missed = interview.candidate_attendance.as_ref().is_some_and(|at| at.value == Attendance::NoShow);
        let seconds = to.0.as_second() - from.0.as_second();
        (seconds > 0 && !missed).then(|| Exact::from(seconds).over(&Exact::from(60))).flatten()
    };
    let all: Vec<Exact> = interviews.iter().filter_map(|interview| of(&interview)).collect();
    (!all.is_empty()).then(|| Exact::total(&all))
}

/// What a candidate said in a survey: the house's own field `satisfaction`, as number or text.
fn satisfaction(document: &str) -> Option<Exact> {
    let document: serde_json::Value = serde_json::from_str(document).ok()?;
    let told = document.pointer("/custom/satisfaction")?;
    let text = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
    hub_tree::value::parse_decimal(&text).map(Exact::from)
}
