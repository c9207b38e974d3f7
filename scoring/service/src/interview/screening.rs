//! Screening: a résumé of an application that waits is looked through for the words that the job's model asks for. Whoever has
//! them goes on by the flow; anybody else is held, with the reason, until a person has looked. Nobody is turned down.

use super::InterviewScoring;
use crate::records::{to_json, typed, write};
use hub_flow::journey::Went;
use hub_flow::records::Target;
use hub_flow::rules::{document, documents_by};
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_interview::{Model, Screened, applies, screen, screened_text};
use hub_model::Enum;
use hub_model::entities::assessment::{
    ASSESSMENT_ORDER, AutomationLevel, DECISION, Decider, DeciderKind, Decision, DecisionKind, DecisionLabel,
};
use hub_model::entities::hiring::{RESUME, Resume};
use hub_model::entities::recruiting::{APPLICATION, Application, Outcome};
use hub_model::entities::requisition::Requisition;
use hub_model::scalars::{DateTime, Localized, Ref, to};
use std::sync::Arc;

/// Screens what an event of a résumé or an application makes ready.
pub(super) async fn screen_applications(
    hub: &Arc<Hub>,
    event: &EventMessage,
    scoring: &InterviewScoring,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    for (id, application) in applications(hub, event).await? {
        let waits = application.outcome.as_ref().is_none_or(|outcome| outcome.value == Outcome::Pending);
        if !waits {
            continue;
        }
        let Some(title) = title(hub, event, &application).await? else { continue };
        let Some(model) = model_for(scoring, &title) else { continue };
        let Some((resume_id, resume)) = resume(hub, event, &application).await? else { continue };
        let Some(found) = screen(model, &screened_text(&resume)) else { continue };
        let decision = decision(model, &id, &resume_id, &found, event);
        if !is_news(hub, event, &id, &decision).await? {
            continue;
        }
        let decision_id = event.id_of(&format!("interview/screen/{id}"));
        let rule = format!("screen of competency model {}", model.version());
        let subject = format!("decision/{decision_id}");
        effects.steps.add(&hub.ids, hub.clock.micros(), ("screen", Went::Ok), "hub", &subject, rule.clone());
        let calculation = to_json(&found.explain)?;
        effects.writes.push(write(
            &DECISION,
            Target::New(decision_id.clone()),
            &decision,
            &[("calculation", &calculation)],
            &rule,
        )?);
    }
    Ok(effects)
}

/// The applications whom the event is about: one, or all of the résumé's candidate.
async fn applications(hub: &Arc<Hub>, event: &EventMessage) -> Result<Vec<(String, Application)>, Failure> {
    if event.entity == "application" {
        let application = document(hub, &event.tenant, "application", &event.record, None).await?;
        return application.map(|text| Ok((event.record.clone(), typed(&text)?))).into_iter().collect();
    }
    let resume = document(hub, &event.tenant, "resume", &event.record, None).await?;
    let resume: Option<Resume> = resume.map(|text| typed(&text)).transpose()?;
    let Some(candidate) = resume.and_then(|resume| resume.candidate?.id) else { return Ok(Vec::new()) };
    let all = documents_by(hub, &event.tenant, &APPLICATION, "candidate", &candidate).await?;
    all.into_iter().map(|(id, text)| Ok((id, typed(&text)?))).collect()
}

/// What the job is called: by the requisition, or as the application shows it.
async fn title(hub: &Arc<Hub>, event: &EventMessage, application: &Application) -> Result<Option<String>, Failure> {
    let Some(requisition) = &application.requisition else { return Ok(None) };
    let known = match &requisition.id {
        Some(id) => document(hub, &event.tenant, "requisition", id, None).await?,
        None => None,
    };
    let known: Option<Requisition> = known.map(|text| typed(&text)).transpose()?;
    Ok(known.and_then(|requisition| requisition.title).or_else(|| requisition.display.clone()))
}

/// The model whose longest word is in the title; the first by name of several.
fn model_for<'s>(scoring: &'s InterviewScoring, title: &str) -> Option<&'s Model> {
    let mut best: Option<(usize, &Model)> = None;
    for model in scoring.models.values() {
        if let Some(length) = applies(model, title)
            && best.is_none_or(|(longest, _)| length > longest)
        {
            best = Some((length, model.as_ref()));
        }
    }
    best.map(|(_, model)| model)
}

/// The résumé that the application was made with; else the candidate's newest.
async fn resume(
    hub: &Arc<Hub>,
    event: &EventMessage,
    application: &Application,
) -> Result<Option<(String, Resume)>, Failure> {
    if let Some(id) = application.resume.as_ref().and_then(|resume| resume.id.as_ref())
        && let Some(text) = document(hub, &event.tenant, "resume", id, None).await?
    {
        return Ok(Some((id.clone(), typed(&text)?)));
    }
    let candidate = application.candidate.as_ref().and_then(|candidate| candidate.id.as_ref());
    let Some(candidate) = candidate else { return Ok(None) };
    let mut newest: Option<(String, Resume)> = None;
    for (id, text) in documents_by(hub, &event.tenant, &RESUME, "candidate", candidate).await? {
        let resume: Resume = typed(&text)?;
        if newest.as_ref().is_none_or(|(known, old)| (old.parsed_at, known) < (resume.parsed_at, &id)) {
            newest = Some((id, resume));
        }
    }
    Ok(newest)
}

/// Whether screening still has something to say: not once an interview was ordered or a person has decided, and not the
/// same again.
async fn is_news(hub: &Arc<Hub>, event: &EventMessage, application: &str, made: &Decision) -> Result<bool, Failure> {
    if !documents_by(hub, &event.tenant, &ASSESSMENT_ORDER, "application", application).await?.is_empty() {
        return Ok(false);
    }
    let mut last: Option<(String, Decision)> = None;
    for (id, text) in documents_by(hub, &event.tenant, &DECISION, "application", application).await? {
        let decision: Decision = typed(&text)?;
        let by = decision.made_by.as_ref().and_then(|by| by.kind.as_ref()).map(|kind| kind.value);
        if by == Some(DeciderKind::Human) {
            return Ok(false);
        }
        if last.as_ref().is_none_or(|(known, old)| (old.at, known) < (decision.at, &id)) {
            last = Some((id, decision));
        }
    }
    let same = |(_, old): (String, Decision)| {
        let kinds = [&old, made].map(|decision| decision.kind.as_ref().map(|kind| kind.value));
        kinds[0] == kinds[1] && old.reasons == made.reasons && old.made_by == made.made_by
    };
    Ok(!last.is_some_and(same))
}

fn decision(model: &Model, application: &str, resume: &str, found: &Screened, event: &EventMessage) -> Decision {
    let mut input = Ref::<to::Any>::new(resume);
    "resume".clone_into(&mut input.entity);
    let (kind, label, word) = if found.passed {
        (DecisionKind::Screen, DecisionLabel::Recommended, "初筛通过")
    } else {
        (DecisionKind::Hold, DecisionLabel::Consider, "待人工查看")
    };
    Decision {
        application: Some(Ref::new(application)),
        kind: Some(Enum::of(kind)),
        label: Some(Enum::labelled(label, word)),
        human_review_required: Some(!found.passed),
        made_by: Some(Decider {
            kind: Some(Enum::of(DeciderKind::Rule)),
            user: None,
            rule_id: Some(format!("screen:{}", model.version())),
        }),
        at: event.at.parse().ok().map(DateTime),
        reasons: Some(found.reasons.clone()),
        inputs: Some(vec![input]),
        automation_level: Some(Enum::of(AutomationLevel::Assisted)),
        explanation: Some(explanation(model, found)),
        ..Decision::default()
    }
}

/// What the candidate is told on request.
fn explanation(model: &Model, found: &Screened) -> Localized {
    let name = |lang: &str| model.name.get(lang).cloned().unwrap_or_else(|| model.id.clone());
    let words: Vec<&str> = found.matched.iter().flat_map(|(_, words)| words).map(String::as_str).collect();
    let (chinese, english) = if found.passed {
        ("进入面试", "the application goes on to the interview")
    } else {
        ("由招聘人员人工查看，未作淘汰", "a person looks at the application; it was not turned down")
    };
    let none = |words: String, none: &str| if words.is_empty() { none.to_owned() } else { words };
    let chinese =
        format!("按“{}”岗位初筛：简历中匹配到的词：{}。{chinese}。", name("zh-CN"), none(words.join("、"), "无"));
    let english = format!(
        "Screened for \"{}\": words found in the résumé: {}; {english}.",
        name("en"),
        none(words.join(", "), "none")
    );
    Localized::ByLang([("zh-CN".to_owned(), chinese), ("en".to_owned(), english)].into())
}
