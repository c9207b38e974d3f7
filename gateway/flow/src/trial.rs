//! What the hub would do with a payload or an answer, without doing it: nothing is verified, kept or sent.

use crate::effects::Failure;
use crate::hub::Hub;
use crate::payload::Received;
use crate::poll;
use hub_engine::{Input, Level, Mapping};
use hub_kit::call::{Answer, Verdict, error_rule, verdict};
use hub_kit::manifest::{ErrorVerdict, Table};
use hub_kit::{CallError, Connection, Driver, FollowCall, Idempotency, Operation, Retry};
use hub_tree::{Arena, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A payload or an answer, and whom it comes from.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// Whose it is.
    pub connection: &'a Connection,
    /// Speaks its wire; reads answers whose status does not say it all.
    pub driver: &'a dyn Driver,
    /// Finds the connection's in mappings by their object.
    pub mappings: &'a dyn Fn(&str) -> Option<Arc<Mapping>>,
    /// Where values live.
    pub arena: &'a Arena,
    /// The body as received.
    pub body: &'a [u8],
    /// The body as a tree.
    pub payload: Value<'a>,
    /// The headers that the manifest keeps.
    pub headers: Value<'a>,
    /// All headers by lower-case name, for answers.
    pub all_headers: &'a [(String, String)],
    /// The status of an answer.
    pub status: u16,
    /// Why the body cannot be read, if it cannot; the payload is its text then.
    pub unreadable: Option<&'a str>,
}

/// What would become of it.
pub struct Would<'a> {
    /// The event, or the operation whose answer it is; `None` when that makes no difference.
    pub event: Option<&'a str>,
    /// What reads it; `None` when nothing is mapped.
    pub mapping: Option<Arc<Mapping>>,
    /// What the mapping would read.
    pub input: Input<'a>,
    /// What tells a repeated delivery: the vendor's id, else `sha256:` and the hash of the body, to which the hub adds
    /// the window of time; `None` for answers.
    pub dedupe_id: Option<String>,
    /// For an answer that is an error: whether the call would be made again.
    pub retryable: Option<bool>,
    /// The calls that would fetch what the payload leaves out.
    pub fetch: Vec<FollowCall>,
    /// What the hub would have to say about it.
    pub notes: Vec<Note>,
}

/// What the hub would have to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// An error needs a person.
    pub level: Level,
    /// A stable code, such as `event_missing`.
    pub code: String,
    /// What it is.
    pub message: String,
    /// `file:line:column`, where one is to blame.
    pub place: String,
}

impl From<Failure> for Note {
    fn from(failure: Failure) -> Self {
        let (code, message, place) = match failure {
            Failure::Park { code, reason, place } => (code.to_lowercase(), reason, place),
            Failure::Retry(reason) => ("retry".to_owned(), reason, String::new()),
        };
        Self { level: Level::Error, code, message, place }
    }
}

/// Why it cannot be told what something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// Neither an event nor an operation of this connector has the name.
    NoSuchName,
    /// It could be an answer of each of these operations.
    OneOf(Vec<String>),
    /// It is no payload of a web hook, as there is none, and no operation knows it.
    Nothing,
}

/// How surely something is an operation's answer.
#[derive(PartialEq, Eq)]
enum Fit {
    /// The wire says that it is an answer, not of what.
    Weak,
    /// The operation's own rules or its mapping know it.
    Strong,
}

impl<'a> Trial<'a> {
    /// What would become of it: as the event or the answer of the operation called `name`, or as what its shape says.
    ///
    /// # Errors
    /// It cannot be told what it is.
    pub fn would(&self, name: Option<&'a str>) -> Result<Would<'a>, Unclear> {
        let received = Received::new(self.connection, self.arena, self.payload, self.headers);
        if let Some(name) = name {
            let hook = received.filter(|received| received.rule(name).is_some() || received.ignores(name));
            let operation = self.connection.manifest.operation(name);
            if let Some(table) = self.connection.manifest.table(name) {
                return Ok(self.row(table));
            }
            return match (hook, operation) {
                (Some(received), _) => Ok(self.hook(&received, Ok(name))),
                (None, Some(operation)) => Ok(self.answer(operation)),
                (None, None) => Err(Unclear::NoSuchName),
            };
        }
        // A connector of one table reads nothing else.
        if let [table] = self.connection.manifest.tables.as_slice() {
            return Ok(self.row(table));
        }
        let event = received.map(|received| (received, received.event()));
        if let Some((received, Ok(event))) = &event
            && (received.rule(event).is_some() || received.ignores(event))
        {
            return Ok(self.hook(received, Ok(event)));
        }
        // Conditions such as `code != 0` hold of nearly everything: they say something only of what names no event.
        let names_event = matches!(event, Some((_, Ok(_))));
        let operations = self.connection.manifest.operations.iter();
        let fits: Vec<(Fit, &Operation)> =
            operations.filter_map(|operation| Some((self.fit(operation, !names_event)?, operation))).collect();
        let strong = fits.iter().filter(|(fit, _)| *fit == Fit::Strong);
        let mut best: Vec<&Operation> = strong.map(|(_, operation)| *operation).collect();
        if best.is_empty() {
            best = fits.iter().map(|(_, operation)| *operation).collect();
        }
        match (best.as_slice(), event) {
            ([operation], _) => Ok(self.answer(operation)),
            ([], Some((received, event))) => Ok(self.hook(&received, event)),
            ([], None) => Err(Unclear::Nothing),
            // Which of them it was makes no difference: one mapping reads the answers of all.
            ([one, others @ ..], _) if one.reply.is_some() && others.iter().all(|other| other.reply == one.reply) => {
                Ok(self.answer(one))
            }
            (several, _) => self.anonymous(several),
        }
    }

    /// As a row of a table.
    fn row(&self, table: &'a Table) -> Would<'a> {
        let manifest = &self.connection.manifest;
        let mapping = (self.mappings)(&table.mapping);
        let mut notes = Vec::new();
        if mapping.is_none() {
            let reason = format!("there is no mapping `{}/{}.in`", manifest.vendor, table.mapping);
            let place = manifest.place(table.span);
            notes.push(Failure::Park { code: "MAPPING_MISSING".to_owned(), reason, place }.into());
        }
        let input = Input {
            payload: self.payload,
            headers: Value::Absent,
            event: &table.name,
            connection: &self.connection.id,
            settings: Hub::public_settings(self.connection, self.arena),
            request: Value::Absent,
        };
        let (event, fetch) = (Some(table.name.as_str()), Vec::new());
        Would { event, mapping, input, dedupe_id: None, retryable: None, fetch, notes }
    }

    /// As the payload of a web hook.
    fn hook(&self, received: &Received<'a>, event: Result<&'a str, Failure>) -> Would<'a> {
        let name = event.as_ref().ok().copied();
        let (mut notes, mut fetch) = (Vec::new(), Vec::new());
        let mapping = event.and_then(|event| match received.rule(event) {
            Some(rule) => {
                match received.fetch(rule) {
                    Ok(calls) => fetch = calls,
                    Err(error) => notes.push(poll::no_calls(error).into()),
                }
                received.mapping(rule, self.mappings)
            }
            None => {
                if !received.ignores(event) {
                    let message = format!("the manifest does not know the event `{event}`: it is kept and not mapped");
                    let (level, code) = (Level::Warning, "event_unknown".to_owned());
                    notes.push(Note { level, code, message, place: String::new() });
                }
                Ok(None)
            }
        });
        let mapping = mapping.unwrap_or_else(|failure| {
            notes.push(failure.into());
            None
        });
        let input = received.input(name.unwrap_or_default());
        let dedupe_id = received.dedupe_id();
        let dedupe_id = dedupe_id.unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(self.body))));
        Would { event: name, mapping, input, dedupe_id: Some(dedupe_id), retryable: None, fetch, notes }
    }

    /// As the answer of an operation.
    fn answer(&self, operation: &'a Operation) -> Would<'a> {
        let manifest = &self.connection.manifest;
        let failure = self.failure(operation);
        let mut notes = Vec::new();
        let mut mapping = None;
        if let Some((_, failure)) = &failure {
            let (level, code) = (Level::Warning, failure.code().to_lowercase());
            notes.push(Note { level, code, message: failure.to_string(), place: manifest.place(operation.span) });
        } else if let Some(object) = &operation.reply {
            mapping = (self.mappings)(object);
            if mapping.is_none() {
                let place = manifest.place(operation.span);
                let reason = format!("there is no mapping `{}/{object}.in`", manifest.vendor);
                notes.push(Failure::Park { code: "MAPPING_MISSING".to_owned(), reason, place }.into());
            }
        }
        // A call whose token is refused is made once more with a new one.
        let renewed = |verdict| verdict == Some(ErrorVerdict::Token) && manifest.auth_of(operation).has_token();
        let retryable = failure.map(|(verdict, failure)| renewed(verdict) || retryable(&failure, operation));
        let (input, fetch) = (self.reply(operation), Vec::new());
        Would { event: Some(&operation.name), mapping, input, dedupe_id: None, retryable, fetch, notes }
    }

    /// An error that several operations would take in the same way. What the vendor says is worth another try, if it is for
    /// any of them: whether a repetition does harm is each operation's own.
    fn anonymous(&self, operations: &[&'a Operation]) -> Result<Would<'a>, Unclear> {
        let names = || operations.iter().map(|operation| operation.name.clone()).collect();
        let mut all = operations.iter().map(|operation| self.answer(operation));
        let first = all.next().ok_or(Unclear::Nothing)?;
        let mut retryable = first.retryable;
        for other in all {
            if other.retryable.is_none() || retryable.is_none() || codes(&other) != codes(&first) {
                return Err(Unclear::OneOf(names()));
            }
            retryable = retryable.max(other.retryable);
        }
        Ok(Would { event: None, retryable, ..first })
    }

    fn answered(&self) -> Answer<'a> {
        let unreadable = self.unreadable.map(ToOwned::to_owned);
        Answer { status: self.status, payload: self.payload, unreadable, headers: self.all_headers }
    }

    /// Why an answer is no success, and what the error means.
    fn failure(&self, operation: &'a Operation) -> Option<(Option<ErrorVerdict>, CallError)> {
        let (answer, args) = (self.answered(), Value::Absent);
        match verdict(self.connection, operation, self.arena, args, &answer, self.driver) {
            Ok(Verdict::Good) => None,
            Ok(Verdict::Bad(verdict, code)) => {
                Some((Some(verdict), CallError::answered(verdict, code, self.status, None)))
            }
            Err(error) => Some((None, error)),
        }
    }

    /// Whether something looks like an answer of an operation; `errors` says whether its error rules are asked.
    fn fit(&self, operation: &'a Operation, errors: bool) -> Option<Fit> {
        let answer = self.answered();
        let good = self.failure(operation).is_none();
        let ruled = errors && error_rule(self.connection, operation, self.arena, Value::Absent, &answer).is_some();
        if ruled || (good && (operation.success.is_some() || self.reads(operation))) {
            return Some(Fit::Strong);
        }
        let spoken = errors && (self.driver.read_answer(&answer).is_some() || !(200..=299).contains(&self.status));
        spoken.then_some(Fit::Weak)
    }

    /// Whether the mapping of an operation's answers makes records of it without an error.
    fn reads(&self, operation: &'a Operation) -> bool {
        let Some(object) = &operation.reply else { return false };
        let Some(mapping) = (self.mappings)(object) else { return false };
        let arena = Arena::new();
        let reply = self.reply(operation);
        let input = Input {
            payload: reply.payload.copy_into(&arena),
            settings: reply.settings.copy_into(&arena),
            ..Input::of(Value::Absent, reply.connection)
        };
        let outcome = mapping.run_in(&arena, &Input { event: &operation.name, ..input });
        outcome.first_error().is_none() && !outcome.records.is_empty()
    }

    /// What the mapping of an operation's answers reads. The arguments of the call are not known here.
    fn reply(&self, operation: &'a Operation) -> Input<'a> {
        Input {
            payload: self.payload,
            headers: Value::Absent,
            event: &operation.name,
            connection: &self.connection.id,
            settings: Hub::public_settings(self.connection, self.arena),
            request: Value::Absent,
        }
    }
}

fn codes(would: &Would<'_>) -> Vec<String> {
    would.notes.iter().map(|note| note.message.clone()).collect()
}

/// Whether the hub would make a call again after this answer.
fn retryable(error: &CallError, operation: &Operation) -> bool {
    match error.retry() {
        Retry::Never => false,
        Retry::Safe => true,
        Retry::IfIdempotent => !matches!(operation.idempotency, Idempotency::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use hub_kit::{CallContext, InboundRequest, Manifest, Opened, Reply, WebhookError};
    use hub_tree::{Findings, Limits, Source, json};

    const MANIFEST: &str = r#"version: 1
vendor: kestrel
name: Kestrel
family: ats
driver: plain
base_url: https://api.kestrel.example
webhook:
  verify: { kind: hmac_sha256, header: x-sign }
  event: payload.event
  dedupe: payload.id
  ignore: [ping]
  events: { hired: candidate }
operations:
  find: { get: /a, success: payload.found == true }
  seek: { get: /b, success: payload.found == true, errors: [{ when: (payload.code ?? 0) == 9, means: wait }] }
  add:
    post: /c
    reply: candidate
    idempotency: none
    errors: [{ when: (payload.code ?? 0) == 9, means: wait }, { when: (payload.code ?? 0) == 8, means: retry }]
"#;

    const MAPPING: &str = "version: 1\nfrom: kestrel/candidate\nemit: [{ to: candidate, key: payload.key, \
        fields: { name.full: { path: payload.title } } }]\n";

    struct Plain;

    #[async_trait]
    impl Driver for Plain {
        fn name(&self) -> &'static str {
            "plain"
        }

        fn check(&self, _: &Manifest, _: &Findings) {}

        async fn call(&self, _: &CallContext<'_>, _: &Operation, _: &[u8]) -> Result<Reply, CallError> {
            Err(CallError::NoOperation(String::new()))
        }

        fn open_webhook(&self, _: &Connection, _: &InboundRequest) -> Result<Opened, WebhookError> {
            Err(WebhookError::Unsupported)
        }
    }

    /// What it is taken for: event, mapping, whether it would be tried again, the codes of what there is to say.
    fn taken(body: &str, status: u16, name: Option<&str>) -> Result<String, Unclear> {
        let findings = Findings::new();
        let manifest = Manifest::compile("kestrel", &Source::new("m.yaml", MANIFEST), &findings);
        let mapping = Mapping::compile("kestrel", &Source::new("candidate.in.yaml", MAPPING), &findings);
        let (manifest, mapping) = (manifest.map(Arc::new), mapping.map(Arc::new));
        assert_eq!(findings.into_sorted(), []);
        let connection = Connection::without_settings("k", manifest.unwrap());
        let arena = Arena::new();
        let trial = Trial {
            connection: &connection,
            driver: &Plain,
            mappings: &|object| mapping.clone().filter(|mapping| mapping.id == format!("kestrel/{object}.in")),
            arena: &arena,
            body: body.as_bytes(),
            payload: json::read(&arena, body.as_bytes(), Limits::default()).unwrap(),
            headers: Value::Absent,
            all_headers: &[],
            status,
            unreadable: None,
        };
        trial.would(name).map(|would| {
            let mapping = would.mapping.map_or("-", |_| "mapped");
            let codes: Vec<String> = would.notes.into_iter().map(|note| note.code).collect();
            format!("{} {mapping} {:?} {codes:?}", would.event.unwrap_or("-"), would.retryable)
        })
    }

    fn shape(body: &str) -> String {
        taken(body, 200, None).unwrap_or_else(|unclear| format!("{unclear:?}"))
    }

    #[test]
    fn a_payload_is_what_its_event_says_and_an_answer_what_its_shape_says() {
        assert_eq!(shape(r#"{"event": "hired", "key": 1}"#), "hired mapped None []");
        assert_eq!(shape(r#"{"event": "ping"}"#), "ping - None []");
        assert_eq!(shape(r#"{"event": "moved"}"#), r#"moved - None ["event_unknown"]"#);
        assert_eq!(shape("{}"), r#"- - None ["event_missing"]"#);
        assert_eq!(shape(r#"{"key": 1}"#), "add mapped None []");
        assert_eq!(shape(r#"{"event": "moved", "key": 1}"#), "add mapped None []");
        assert_eq!(shape(r#"{"found": true}"#), r#"OneOf(["find", "seek"])"#);
        assert_eq!(shape(r#"{"code": 8}"#), r#"add - Some(false) ["vendor_trouble"]"#);
        // What they mean is the same, whoever was asked.
        assert_eq!(shape(r#"{"code": 9}"#), r#"- - Some(true) ["asked_to_wait"]"#);
        assert_eq!(shape(r#"{"event": "moved", "code": 9}"#), r#"moved - None ["event_unknown"]"#);
    }

    #[test]
    fn a_name_and_a_status_decide_where_they_are_given() {
        let named = |body: &str, status: u16, name: &str| {
            taken(body, status, Some(name)).unwrap_or_else(|unclear| format!("{unclear:?}"))
        };
        assert_eq!(named(r#"{"found": true}"#, 200, "seek"), "seek - None []");
        assert_eq!(named(r#"{"found": false}"#, 200, "seek"), r#"seek - Some(false) ["refused"]"#);
        assert_eq!(named("{}", 500, "find"), r#"find - Some(true) ["vendor_trouble"]"#);
        assert_eq!(named("{}", 500, "add"), r#"add - Some(false) ["vendor_trouble"]"#);
        assert_eq!(named(r#"{"key": 1}"#, 200, "hired"), "hired mapped None []");
        assert_eq!(named("{}", 200, "lost"), "NoSuchName");
    }
}
