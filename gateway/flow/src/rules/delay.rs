//! Actions that are done later: `after: 3d` or `at: <an instant>`, and `unless: <a condition>`.
//!
//! A delayed action is a timer. It holds the event and the ids of what its rule has created, never values: when it is
//! due, the action is evaluated over the records as they are then. It is not done when `unless` holds, or when the
//! record is gone.

use super::act::{Doing, evaluation, load};
use super::{Action, Rule, What, document};
use crate::effects::{Effects, Failure};
use crate::evaluation::Evaluation;
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::schedule::FLOW;
use hub_expr::{Located, Scope, Type};
use hub_store::{NewTimer, StoreError, Timer, Tx};
use hub_tree::clock::rfc3339_micros;
use hub_tree::duration;
use hub_tree::jiff::Timestamp;
use hub_tree::yaml::{Context, Fields};
use hub_tree::{Arena, Limits, TraceContext, Value, json};

/// When an action is done later.
#[derive(Debug)]
pub(super) struct Delay {
    /// The name by which the action is found again when it is due, whatever else was changed in its rule.
    pub(super) id: String,
    due: Due,
    unless: Option<Located>,
}

#[derive(Debug)]
enum Due {
    /// So long behind the event, µs.
    After(i64),
    At(Located),
}

/// Longest time ahead, µs: ten years.
const FARTHEST: i64 = 3_653 * 86_400 * 1_000_000;

/// Reads the keys of a delayed action; `None` when it is done at once, or when they are wrong.
pub(super) fn read(fields: &mut Fields<'_, '_>, scope: &Scope, cx: &Context<'_>) -> Option<Delay> {
    let place = fields.span;
    let (after, at) = (fields.optional("after"), fields.optional("at"));
    let unless_node = fields.optional("unless");
    let unless = unless_node.and_then(|node| Located::condition(node, scope, cx));
    let id = fields.text("id");
    let due = match (after, at) {
        (Some(node), None) => Due::After(duration::read(node, cx)?),
        (None, Some(node)) => {
            let located = Located::compile(node, scope, cx)?;
            let ty = located.expr.ty();
            if !ty.may_be(&Type::DateTime) && !ty.may_be(&Type::Text) {
                let help = "such as datetime(\"2026-03-01 09:00:00\", \"Asia/Shanghai\")".to_owned();
                cx.error_with(node.span, format!("`at` is an instant, this is {ty}"), Some(help));
            }
            Due::At(located)
        }
        (Some(_), Some(node)) => {
            cx.error(node.span, "an action has either `after` or `at`");
            return None;
        }
        (None, None) => {
            if let Some(node) = unless_node {
                let help = "an action that is done at once has `when`".to_owned();
                cx.error_with(node.span, "`unless` belongs to `after` or `at`", Some(help));
            }
            return None;
        }
    };
    if id.is_none() {
        let help = "such as `id: remind`; by it the action is found again when it is due".to_owned();
        cx.error_with(place, "an action that is done later needs an `id`", Some(help));
    }
    Some(Delay { id: id?, due, unless })
}

/// Sets the timer of a delayed action. `made` are the records that the rule has created, by name.
pub(super) fn set<'a>(
    doing: &Doing<'a>,
    delay: &'a Delay,
    made: &[(&str, String)],
    eval: &mut Evaluation<'a>,
    effects: &mut Effects,
) -> Result<(), Failure> {
    let Doing { hub, flow, rule, event, .. } = doing;
    let now = hub.clock.micros();
    let due_at = match &delay.due {
        // From the event on, not from now: the same event leads to the same time, however late it comes.
        Due::After(micros) => event.at.parse().map_or(now, |at: Timestamp| at.as_microsecond()).saturating_add(*micros),
        Due::At(at) => {
            let due_at = eval.instant(at, "the time of the action")?.as_microsecond();
            if due_at > now.saturating_add(FARTHEST) {
                return Err(eval.fail(at.span, "the time of the action is more than ten years ahead"));
            }
            due_at
        }
    };
    let name = format!("{}/{}/{}", flow.name, rule.id, delay.id);
    let body = {
        let arena = Arena::new();
        let text = |text: &str| Value::Text(arena.text(text));
        let made: Vec<(&str, Value<'_>)> = made.iter().map(|(name, id)| (*name, text(id))).collect();
        json::to_string(&arena.map(&[
            ("flow", text(&flow.name)),
            ("rule", text(&rule.id)),
            ("action", text(&delay.id)),
            ("event", text(&event.to_cloud_event())),
            ("made", arena.map(&made)),
        ]))
    };
    let detail = format!("{name} waits until {}", rfc3339_micros(due_at));
    effects.steps.add(&hub.ids, now, ("wait", Went::Ok), "hub", &event.subject(), detail);
    effects.timers.push(NewTimer {
        tenant: event.tenant.clone(),
        name: format!("flow/{name}/{}", event.id),
        kind: FLOW.to_owned(),
        subject: event.subject(),
        due_at,
        created_at: now,
        trace: event.trace.to_string(),
        body,
    });
    Ok(())
}

/// Cancels the delayed actions about a record that is gone, in the transaction that says so.
pub(crate) async fn cancel_about(hub: &Hub, tx: &mut Tx, tenant: &str, subject: &str) -> Result<(), StoreError> {
    let now = hub.clock.micros();
    for timer in tx.cancel_timers_about(tenant, FLOW, subject, now).await? {
        let context = timer.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
        let mut steps = Steps::of(&context, tenant);
        let detail = format!("{}: cancelled, the record was deleted", short_name(&timer));
        steps.add(&hub.ids, now, ("wait", Went::Ok), "hub", subject, detail);
        tx.add_steps(steps.into_vec()).await?;
        hub.metrics.timer(FLOW, "cancelled");
    }
    Ok(())
}

/// `flow/rule/action`, without the event.
pub(crate) fn short_name(timer: &Timer) -> &str {
    let name = timer.new.name.strip_prefix("flow/").unwrap_or(&timer.new.name);
    name.rsplit_once('/').map_or(name, |(name, _)| name)
}

/// What a delayed action that is due leads to.
pub(crate) enum Outcome {
    /// It is done.
    Done(Box<EventMessage>, Effects),
    /// It is not needed any more; why.
    NotNeeded(String),
}

/// What a timer of a delayed action holds.
struct Kept {
    flow: String,
    rule: String,
    action: String,
    event: EventMessage,
    made: Vec<(String, String)>,
}

fn kept(body: &str) -> Option<Kept> {
    let arena = Arena::new();
    let value = json::read(&arena, body.as_bytes(), Limits::default()).ok()?;
    let text = |key: &str| value.get(key).as_text().map(str::to_owned);
    let made = value.get("made").entries().iter();
    Some(Kept {
        flow: text("flow")?,
        rule: text("rule")?,
        action: text("action")?,
        event: EventMessage::from_cloud_event(text("event")?.as_bytes())?,
        made: made.filter_map(|(name, id)| Some(((*name).to_owned(), id.as_text()?.to_owned()))).collect(),
    })
}

/// Evaluates a delayed action that is due, over the records as they are now.
pub(crate) async fn fire(hub: &Hub, timer: &Timer) -> Result<Outcome, Failure> {
    let unreadable = || Failure::park("UNREADABLE_TIMER", "a timer is not in a form this program knows");
    let kept = kept(&timer.new.body).ok_or_else(unreadable)?;
    let event = kept.event;
    let registry = hub.registry();
    let Some(flow) = registry.flows.iter().find(|flow| flow.name == kept.flow) else {
        return Ok(Outcome::NotNeeded(format!("the flow `{}` is off", kept.flow)));
    };
    let rule = flow.rules.iter().find(|rule| rule.id == kept.rule);
    let at = rule.and_then(|rule| rule.actions.iter().position(|action| is(action, &kept.action)));
    let (Some(rule), Some(at)) = (rule, at) else {
        return Ok(Outcome::NotNeeded("the flow does not say so any more".to_owned()));
    };
    let Some(record) = document(hub, &event.tenant, rule.entity.name, &event.record, None).await? else {
        return Ok(Outcome::NotNeeded("there is no such record any more".to_owned()));
    };
    if is_deleted(&record) {
        return Ok(Outcome::NotNeeded("the record was deleted".to_owned()));
    }
    let mut documents = vec![record];
    load(hub, flow, rule, &event, &mut documents).await?;
    let created = created(hub, rule, at, &event, &kept.made).await?;
    let mut effects = Effects::of(&event);
    {
        let arena = Arena::new();
        let mut eval = evaluation(&arena, hub, flow, &event, &documents);
        let doing = Doing::begin(hub, flow, rule, &event, &mut eval)?;
        for document in &created {
            eval.cx.slots.push(json::read(&arena, document.as_bytes(), Limits::default()).unwrap_or_default());
        }
        let action = &rule.actions[at];
        let unless = action.delay.as_ref().and_then(|delay| delay.unless.as_ref());
        if unless.is_some() && eval.holds(unless)? {
            return Ok(Outcome::NotNeeded("not needed any more".to_owned()));
        }
        doing.perform(action, &mut eval, &mut effects)?;
    }
    Ok(Outcome::Done(Box::new(event), effects))
}

fn is(action: &Action, id: &str) -> bool {
    action.delay.as_ref().is_some_and(|delay| delay.id == id)
}

fn is_deleted(document: &str) -> bool {
    let arena = Arena::new();
    json::read(&arena, document.as_bytes(), Limits::default()).is_ok_and(|record| !record.get("deleted_at").is_absent())
}

/// The records that the actions before the `at`th have created, as they are now; `null` where none was.
async fn created(
    hub: &Hub,
    rule: &Rule,
    at: usize,
    event: &EventMessage,
    made: &[(String, String)],
) -> Result<Vec<String>, Failure> {
    let mut documents = Vec::new();
    for action in rule.actions.iter().take(at).filter(|action| action.delay.is_none()) {
        let What::Create { name: Some(name), draft } = &action.what else { continue };
        let found = match made.iter().find(|(known, _)| known == name) {
            Some((_, id)) => document(hub, &event.tenant, draft.entity.name, id, None).await?,
            None => None,
        };
        documents.push(found.unwrap_or_else(|| "null".to_owned()));
    }
    Ok(documents)
}
