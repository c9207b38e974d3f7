//! `GET /v1/decisions/{id}/ledger`: all that is stored about a decision in one answer, for an auditor or the person's
//! lawyer. It shows what the caller may read of each record, as it was known when the decision was made; what the hub
//! has no record of is null and named in `missing`, what the caller may not read in `withheld`.

use super::{entries, versions};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records::{self, Known};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::access::Principal;
use hub_flow::reading;
use hub_flow::records::sealed_as;
use hub_flow::trust::consent;
use hub_model::Class;
use hub_model::entities::assessment::{DECISION, DeciderKind, Decision, DecisionLabel, Scorecard};
use hub_model::entities::governance::Consent;
use hub_model::entities::recruiting::{Application, Candidate};
use hub_model::entities::shared::Message;
use hub_model::enums::EnumOf;
use hub_model::envelope;
use hub_service::decisions::{self, Agreement, agreement, machine_label};
use hub_store::{AuditEntry, RecordId, RecordRow, StoreError, StoredVersion, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, json};
use serde_json::{Map, Value, json as object};
use std::collections::{BTreeMap, BTreeSet};

/// What a decision rests on and what became of it.
pub(crate) async fn ledger(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    if collection != DECISION.collection {
        return Err(Problem::not_found("only decisions have a ledger"));
    }
    let allowed = who.reads(DECISION.name)?;
    parameters(query.as_deref()).finish(&[])?;
    let row = records::find(&api, &who, &DECISION, &id).await?;
    let versions = versions(&api, &who.tenant, &row).await?;
    let entries = entries(&api, &who.tenant, &row).await?;
    let typed: Vec<Decision> =
        versions.iter().map(|(_, document)| serde_json::from_str(document).unwrap_or_default()).collect();
    let decision = typed.last().cloned().unwrap_or_default();
    let shown = shown(&api, &Known { entity: &DECISION, row: row.clone(), allowed })?;
    let made_at = versions.first().map_or(row.created_at, |(first, _)| first.at);
    let mut page = Page { api: &api, who: &who, made_at, missing: Vec::new(), withheld: BTreeSet::new() };

    let inputs = page.inputs(&decision).await?;
    let machine =
        typed.iter().zip(&versions).rev().find_map(|(of, (version, _))| Some((machine_label(of)?, of, version)));
    // A label that the caller may not read is not told by what was made of it either.
    let readable = records::class_of(&DECISION, "/label") <= allowed;
    let label = machine.map(|(label, ..)| label).filter(|_| readable);
    let steps = page.steps(&typed, &versions, &entries, (label, allowed));
    let others = page.others(&row, &decision, label).await?;
    let about = page.about(&decision).await?;
    let told = page.told(&row, &decision, &about).await?;
    let consents = page.consents(about.person.as_deref()).await?;
    let thresholds = page.or_missing("/basis/thresholds", thresholds(&inputs));
    let model = page.or_missing("/basis/model", model(&inputs));
    let mut of_decision = |name: &str| page.or_missing(&format!("/basis/{name}"), shown[name].clone());
    let (switched_off, reasons, calculation) =
        (of_decision("switched_off"), of_decision("reasons"), of_decision("calculation"));
    let mut outcomes = steps.iter().chain(&others).filter_map(|step| step["agreement"].as_str().map(ToOwned::to_owned));
    let upheld = || machine.filter(|_| decisions::is_upheld(&decision)).map(|_| Agreement::Agreed.as_str().to_owned());
    let outcome = outcomes.next_back().or_else(upheld).filter(|_| readable);
    let machine = machine.map(|(label, of, version)| {
        object!({
            "label": readable.then(|| label.as_str()),
            "rule_id": of.made_by.as_ref().and_then(|by| by.rule_id.clone()),
            "at": rfc3339_micros(version.at),
            "version": version.version,
        })
    });
    let journeys = journeys(&versions);
    let answer = object!({
        "decision": shown,
        "about": { "application": about.application, "candidate": about.candidate, "person": about.person },
        "inputs": inputs,
        "basis": {
            "model": model,
            "switched_off": switched_off,
            "thresholds": thresholds,
            "reasons": reasons,
            "calculation": calculation,
        },
        "machine": machine,
        "human": { "steps": steps, "later_decisions": others, "agreement": outcome },
        "told": told,
        "requests": shown["requests"].as_array().cloned().unwrap_or_default(),
        "consents": consents,
        "journeys": journeys,
        "missing": page.missing,
        "withheld": page.withheld,
    });
    Ok(Json(answer))
}

/// A record as its reader may see it.
fn shown(api: &Api, known: &Known) -> Result<Value, StoreError> {
    let arena = Arena::new();
    let seen = records::seen(api, known.entity, &known.row, None, &arena, known.allowed)?;
    serde_json::from_str(&json::to_string(&seen)).map_err(|_| StoreError::Sealed("a record is no JSON"))
}

/// The trace ids of what made and changed the decision.
fn journeys(versions: &[(StoredVersion, String)]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for trace in versions.iter().filter_map(|(version, _)| trace_of(&version.trace)) {
        if !found.contains(&trace) {
            found.push(trace);
        }
    }
    found
}

/// The trace id of a `traceparent`.
fn trace_of(trace: &str) -> Option<&str> {
    trace.split('-').nth(1)
}

/// What each dimension asked for, from the scorecards as they were.
fn thresholds(inputs: &[Value]) -> Value {
    let of = |input: &Value| -> Vec<Value> {
        let dimensions = input["record"]["dimensions"].as_array().into_iter().flatten();
        let asked = dimensions.filter(|dimension| !dimension["required"].is_null());
        let told = asked.map(|dimension| {
            object!({
                "scorecard": input["id"],
                "dimension": dimension["id"],
                "required": dimension["required"],
                "score": dimension["score"],
                "weight": dimension["weight"],
            })
        });
        told.collect()
    };
    let found: Vec<Value> = inputs.iter().flat_map(of).collect();
    if found.is_empty() { Value::Null } else { Value::Array(found) }
}

/// The models that scored the inputs, with their versions.
fn model(inputs: &[Value]) -> Value {
    let models: Vec<&Value> = inputs.iter().map(|input| &input["record"]["rater"]["model"]).collect();
    let models: Vec<Value> = models.into_iter().filter(|model| !model.is_null()).cloned().collect();
    if models.is_empty() { Value::Null } else { Value::Array(models) }
}

/// Whom a decision is about.
#[derive(Default)]
struct About {
    application: Option<String>,
    candidate: Option<String>,
    person: Option<String>,
    /// Where the person is reached: addresses and numbers.
    addresses: BTreeSet<String>,
}

/// The answer while it is put together.
struct Page<'p> {
    api: &'p Api,
    who: &'p Principal,
    /// When the decision was made, µs.
    made_at: i64,
    missing: Vec<String>,
    withheld: BTreeSet<String>,
}

impl Page<'_> {
    fn or_missing(&mut self, pointer: &str, value: Value) -> Value {
        if value.is_null() {
            self.missing.push(pointer.to_owned());
        }
        value
    }

    /// Records as their reader may see them, by entity and id; those of entities that they may not read are withheld.
    async fn records(
        &mut self,
        ids: BTreeSet<RecordId>,
        known_at: Option<i64>,
    ) -> Result<BTreeMap<RecordId, (i64, Value)>, Problem> {
        let closed = ids.iter().filter(|(entity, _)| self.who.reads(entity).is_err());
        self.withheld.extend(closed.map(|(entity, id)| format!("{entity}/{id}")));
        let known = records::known_to(self.api, self.who, ids, known_at).await?;
        let mut found = BTreeMap::new();
        for (id, known) in known {
            found.insert(id, (known.row.version, shown(self.api, &known)?));
        }
        Ok(found)
    }

    /// What the decision names as its inputs, as they were when it was made.
    async fn inputs(&mut self, decision: &Decision) -> Result<Vec<Value>, Problem> {
        let named = decision.inputs.iter().flatten();
        let named = named.filter_map(|input| Some((input.entity.clone(), input.id.clone()?)));
        let named: Vec<RecordId> = named.collect();
        if named.is_empty() {
            self.missing.push("/inputs".to_owned());
        }
        let ids: BTreeSet<RecordId> = named.iter().cloned().collect();
        let then = self.records(ids.clone(), Some(self.made_at)).await?;
        let now = self.records(ids, None).await?;
        let mut inputs = Vec::with_capacity(named.len());
        for (index, id) in named.into_iter().enumerate() {
            let version_now = now.get(&id).map(|(version, _)| *version);
            let (version, record) = match then.get(&id) {
                Some((version, record)) => (Some(*version), record.clone()),
                None => (None, Value::Null),
            };
            if record.is_null() && !self.withheld.contains(&format!("{}/{}", id.0, id.1)) {
                self.missing.push(format!("/inputs/{index}/record"));
            }
            inputs.push(object!({
                "type": id.0, "id": id.1, "version": version, "version_now": version_now, "record": record,
            }));
        }
        Ok(inputs)
    }

    /// Who wrote each version, when, and what it changed.
    fn steps(
        &mut self,
        typed: &[Decision],
        versions: &[(StoredVersion, String)],
        entries: &[AuditEntry],
        (machine, allowed): (Option<DecisionLabel>, Class),
    ) -> Vec<Value> {
        let readable = records::class_of(&DECISION, "/label") <= allowed;
        let mut steps = Vec::with_capacity(versions.len());
        let mut before = Map::new();
        for (index, ((version, document), decision)) in versions.iter().zip(typed).enumerate() {
            let trace = trace_of(&version.trace);
            let entry = entries.iter().find(|entry| entry.trace.as_deref() == trace && entry.outcome == "ok");
            let by = entry
                .map(|entry| object!({ "handle": entry.who.handle, "name": entry.who.name, "kind": entry.who.kind }));
            let human = decision.made_by.as_ref().and_then(|by| by.kind.as_ref()).map(|kind| kind.value)
                == Some(DeciderKind::Human);
            if by.is_none() && human && version.raw.is_none() {
                self.missing.push(format!("/human/steps/{index}/by"));
            }
            let fields: Map<String, Value> = serde_json::from_str(document).unwrap_or_default();
            let changed: Vec<&String> = fields
                .keys()
                .chain(before.keys().filter(|name| !fields.contains_key(*name)))
                .filter(|name| !envelope::NAMES.contains(&name.as_str()) && before.get(*name) != fields.get(*name))
                .collect();
            let decided = ["kind", "label", "made_by"].iter().any(|name| changed.iter().any(|known| known == name));
            let agrees = machine.filter(|_| decided).and_then(|machine| agreement(machine, decision));
            steps.push(object!({
                "version": version.version,
                "at": rfc3339_micros(version.at),
                "action": entry.map(|entry| entry.action.as_str()),
                "by": by,
                "made_by": decision.made_by,
                "changed": changed,
                "label": decision.label.as_ref().filter(|_| readable).map(|label| label.value.as_str()),
                "kind": decision.kind.as_ref().map(|kind| kind.value.as_str()),
                "agreement": agrees.map(Agreement::as_str),
                "trace_id": trace,
                "payload": version.raw,
            }));
            before = fields;
        }
        steps
    }

    /// Decisions that people made about the same application since then.
    async fn others(
        &mut self,
        row: &RecordRow,
        decision: &Decision,
        machine: Option<DecisionLabel>,
    ) -> Result<Vec<Value>, Problem> {
        let Some(application) = decision.application.as_ref().and_then(|of| of.id.clone()) else {
            return Ok(Vec::new());
        };
        let found: Vec<reading::Known<Decision>> =
            reading::by(&self.api.hub, &self.who.tenant, DECISION.name, "application", vec![application]).await?;
        let ids = found.iter().filter(|other| other.id != row.id && other.id > row.id);
        let visible =
            self.records(ids.map(|other| (DECISION.name.to_owned(), other.id.clone())).collect(), None).await?;
        let mut others = Vec::new();
        for other in found {
            let by = other.record.made_by.as_ref().and_then(|by| by.kind.as_ref()).map(|kind| kind.value);
            let Some((_, shown)) = visible.get(&(DECISION.name.to_owned(), other.id.clone())) else { continue };
            if by != Some(DeciderKind::Human) {
                continue;
            }
            let agrees = machine.and_then(|machine| agreement(machine, &other.record));
            others.push((
                other.id,
                object!({
                    "decision": shown,
                    "agreement": agrees.map(Agreement::as_str),
                }),
            ));
        }
        others.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(others.into_iter().map(|(_, other)| other).collect())
    }

    /// The application, the candidate and the person, as far as they are known.
    async fn about(&mut self, decision: &Decision) -> Result<About, Problem> {
        let (hub, tenant) = (&self.api.hub, &self.who.tenant);
        let mut about =
            About { application: decision.application.as_ref().and_then(|of| of.id.clone()), ..About::default() };
        let Some(application) = about.application.clone() else {
            self.missing.push("/about/application".to_owned());
            return Ok(about);
        };
        let applications: Vec<reading::Known<Application>> =
            reading::these(hub, tenant, "application", [application.clone()]).await?;
        let candidate = applications.first().and_then(|known| known.record.candidate.as_ref()?.id.clone());
        let candidates: Vec<reading::Known<Candidate>> =
            reading::these(hub, tenant, "candidate", candidate.clone()).await?;
        if let Some(known) = candidates.first() {
            let mails = known.record.emails.iter().flatten().filter_map(|mail| mail.address.clone());
            let phones = known.record.phones.iter().flatten().filter_map(|phone| phone.e164.clone());
            about.addresses = mails.map(|mail| mail.to_lowercase()).chain(phones).collect();
        }
        about.candidate = candidate;
        about.person = consent::person_of(hub, tenant, "application", &application).await?;
        for (name, known) in [("candidate", &about.candidate), ("person", &about.person)] {
            if known.is_none() {
                self.missing.push(format!("/about/{name}"));
            }
        }
        Ok(about)
    }

    /// Messages to the person about the decision, its application and its inputs.
    async fn told(&mut self, row: &RecordRow, decision: &Decision, about: &About) -> Result<Vec<Value>, Problem> {
        let (hub, tenant) = (&self.api.hub, &self.who.tenant);
        let inputs: Vec<String> = decision.inputs.iter().flatten().filter_map(|input| input.id.clone()).collect();
        let scorecards: Vec<reading::Known<Scorecard>> =
            reading::these(hub, tenant, "scorecard", inputs.iter().cloned()).await?;
        let mut subjects: BTreeSet<String> = [row.id.clone()].into_iter().chain(inputs).collect();
        subjects.extend(about.application.clone());
        subjects.extend(decision.offer.as_ref().and_then(|offer| offer.id.clone()));
        for scorecard in &scorecards {
            subjects.extend(scorecard.record.order.as_ref().and_then(|order| order.id.clone()));
            subjects.extend(scorecard.record.interview.as_ref().and_then(|interview| interview.id.clone()));
        }
        let messages: Vec<reading::Known<Message>> =
            reading::by(hub, tenant, "message", "about", subjects.into_iter().collect()).await?;
        let theirs = messages.into_iter().filter(|message| {
            message.record.to.iter().flatten().any(|recipient| {
                let person = recipient.person.as_ref().and_then(|person| person.id.as_ref());
                let address = recipient.address.as_ref().map(|address| address.to_lowercase());
                (person.is_some() && person == about.person.as_ref())
                    || address.is_some_and(|address| about.addresses.contains(&address))
            })
        });
        let ids: BTreeSet<RecordId> = theirs.map(|message| ("message".to_owned(), message.id)).collect();
        let found = self.records(ids, None).await?;
        let mut told = Vec::with_capacity(found.len());
        for (_, message) in found.into_values() {
            if message["sent_at"].is_null() {
                self.missing.push(format!("/told/{}/sent_at", told.len()));
            }
            told.push(object!({
                "about": message["about"],
                "channel": message["channel"]["value"],
                "status": message["status"]["value"],
                "sent_at": message["sent_at"],
                "message": message,
            }));
        }
        if told.is_empty() {
            self.missing.push("/told".to_owned());
        }
        Ok(told)
    }

    /// The person's consents that were in force when the decision was made: as the hub knew then, or as it knows now.
    async fn consents(&mut self, person: Option<&str>) -> Result<Value, Problem> {
        let Some(person) = person else {
            self.missing.push("/consents".to_owned());
            return Ok(Value::Null);
        };
        let (hub, tenant) = (&self.api.hub, self.who.tenant.clone());
        let consents = consent::of_person(hub, &tenant, person).await?;
        let ids: Vec<RecordId> = consents.iter().map(|known| ("consent".to_owned(), known.id.clone())).collect();
        let (owner, at) = (tenant.clone(), self.made_at);
        let then = hub.store.read(job!(|tx| { tx.known_records(&owner, at, ids).await })).await?;
        let now = hub.clock.micros();
        // What is known of a time changes: a consent is written down late, or its withdrawal is.
        let mut live: BTreeMap<RecordId, (bool, bool, bool)> = BTreeMap::new();
        for known in &consents {
            let id = ("consent".to_owned(), known.id.clone());
            let as_known_then = match then.get(&id) {
                Some(row) => {
                    let opened = hub.open(&tenant, &sealed_as("consent", &known.id), &row.body.0)?;
                    let consent: Consent = serde_json::from_slice(&opened).unwrap_or_default();
                    row.deleted_at.is_none() && consent::is_live(&consent, at)
                }
                None => false,
            };
            let as_known_now = consent::is_live(&known.record, at);
            if as_known_then || as_known_now {
                live.insert(id, (as_known_then, as_known_now, consent::is_live(&known.record, now)));
            }
        }
        let found = self.records(live.keys().cloned().collect(), None).await?;
        let told = found.into_iter().map(|(id, (_, consent))| {
            let (as_known_then, as_known_now, live_now) = live.get(&id).copied().unwrap_or_default();
            object!({
                "purpose": consent["purpose"]["value"],
                "as_known_then": as_known_then,
                "as_known_now": as_known_now,
                "live_now": live_now,
                "consent": consent,
            })
        });
        Ok(Value::Array(told.collect()))
    }
}
