//! Events as they travel.

use hub_store::NewEvent;
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Id, Limits, TraceContext, Value, json};
use sha2::{Digest, Sha256};

/// An event as it travels: a CloudEvent. It names the record and what changed; consumers read the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// `application.stage_changed`.
    pub kind: String,
    /// Entity of the record.
    pub entity: String,
    /// Hub id of the record.
    pub record: String,
    /// Version of the record.
    pub version: i64,
    /// The connection whose payload caused it.
    pub connection: Option<String>,
    /// When, RFC 3339.
    pub at: String,
    /// The names of the fields that changed.
    pub changed: Vec<String>,
    /// The journey.
    pub trace: TraceContext,
    /// The replay that it is handed out by; `None` the first time.
    pub replay: Option<String>,
}

impl EventMessage {
    /// The message for an event of the outbox.
    #[must_use]
    pub fn of(event: &NewEvent, trace: TraceContext) -> Self {
        Self {
            id: event.id.clone(),
            tenant: event.tenant.clone(),
            kind: event.kind.clone(),
            entity: event.entity.clone(),
            record: event.record.clone(),
            version: event.version,
            connection: event.connection.clone(),
            at: rfc3339_micros(event.at),
            changed: event.changed.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            trace,
            replay: None,
        }
    }

    /// The id of what `maker` makes of this event: the same whenever it makes it, so that a repetition finds what the
    /// first time made. It is as old as the event, so that ids keep their order by time.
    #[must_use]
    pub fn id_of(&self, maker: &str) -> String {
        self.id_in(&self.id, maker)
    }

    /// The id of what `maker` makes for the record or event `of` of this tenant: the same whichever event leads to it.
    #[must_use]
    pub fn id_in(&self, of: &str, maker: &str) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(format!("{}\0{of}\0{maker}", self.tenant).as_bytes())[..16]);
        if let Ok(id) = of.parse::<Id>() {
            bytes[..6].copy_from_slice(&id.as_bytes()[..6]);
        }
        bytes[6] = 0x70 | (bytes[6] & 0x0F);
        bytes[8] = 0x80 | (bytes[8] & 0x3F);
        Id::from_bytes(bytes).to_string()
    }

    /// The type of the CloudEvent, `hr.<entity>.<verb>.v1`.
    #[must_use]
    pub fn full_type(&self) -> String {
        format!("hr.{}.v1", self.kind)
    }

    /// `entity/id`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}/{}", self.entity, self.record)
    }

    /// The message as a structured CloudEvent (<https://cloudevents.io>, 1.0).
    #[must_use]
    pub fn to_cloud_event(&self) -> String {
        self.written(None, None)
    }

    /// The message as one of a sequence, as subscribers get it: the extension `sequence` of CloudEvents is text that
    /// can be compared as text.
    #[must_use]
    pub fn to_cloud_event_in_sequence(&self, number: i64) -> String {
        self.written(Some(number), None)
    }

    /// The same with other `data`, given as JSON.
    #[must_use]
    pub fn to_cloud_event_with(&self, number: i64, data: &str) -> String {
        self.written(Some(number), Some(data))
    }

    /// What the event says of its record, without values: its `data`.
    pub(crate) fn data<'a>(&self, arena: &'a Arena) -> Value<'a> {
        let text = |text: &str| Value::Text(arena.text(text));
        let changed: Vec<Value<'_>> = self.changed.iter().map(|name| text(name)).collect();
        arena.map(&[
            ("entity", text(&self.entity)),
            ("id", text(&self.record)),
            ("version", Value::Number(arena.format(format_args!("{}", self.version)))),
            ("changed", arena.list(&changed)),
            ("connection", self.connection.as_deref().map_or(Value::Absent, text)),
        ])
    }

    fn written(&self, sequence: Option<i64>, data: Option<&str>) -> String {
        let arena = Arena::new();
        let text = |text: &str| Value::Text(arena.text(text));
        let connection = self.connection.as_deref().unwrap_or("hub");
        let given = data.and_then(|data| json::read(&arena, arena.bytes(data.as_bytes()), Limits::default()).ok());
        let data = given.unwrap_or_else(|| self.data(&arena));
        json::to_string(&arena.map(&[
            ("specversion", Value::Text("1.0")),
            ("id", text(&self.id)),
            ("type", text(&self.full_type())),
            ("source", text(&format!("/tenants/{}/connections/{connection}", self.tenant))),
            ("subject", text(&self.subject())),
            ("time", text(&self.at)),
            ("traceparent", text(&self.trace.to_string())),
            ("replay", self.replay.as_deref().map_or(Value::Absent, text)),
            ("sequence", sequence.map_or(Value::Absent, |number| text(&format!("{number:019}")))),
            ("datacontenttype", Value::Text("application/json")),
            ("data", data),
        ]))
    }

    /// Reads what [`EventMessage::to_cloud_event`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_cloud_event(text: &[u8]) -> Option<Self> {
        let arena = Arena::new();
        let value = json::read(&arena, text, Limits::default()).ok()?;
        let of = |value: Value<'_>| value.as_text().map(str::to_owned);
        let data = value.get("data");
        let kind = value.get("type").as_text()?.strip_prefix("hr.")?.strip_suffix(".v1")?.to_owned();
        let source = value.get("source").as_text()?;
        let tenant = source.strip_prefix("/tenants/")?.split('/').next()?.to_owned();
        Some(Self {
            id: of(value.get("id"))?,
            tenant,
            kind,
            entity: of(data.get("entity"))?,
            record: of(data.get("id"))?,
            version: i64::try_from(data.get("version").as_decimal()?).ok()?,
            connection: of(data.get("connection")),
            at: of(value.get("time"))?,
            changed: data.get("changed").items().iter().filter_map(|name| of(*name)).collect(),
            trace: value.get("traceparent").as_text()?.parse().ok()?,
            replay: of(value.get("replay")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_an_event_has_the_same_id_every_time() {
        let event = EventMessage {
            id: "0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a".into(),
            tenant: "default".into(),
            kind: "application.created".into(),
            entity: "application".into(),
            record: "r".into(),
            version: 1,
            connection: None,
            at: "2026-03-01T09:30:00.000Z".into(),
            changed: vec![],
            trace: TraceContext::begin(),
            replay: None,
        };
        let again = EventMessage { replay: Some("x".into()), ..event.clone() };
        let id = event.id_of("flow hire/invite");
        assert_eq!(id, again.id_of("flow hire/invite"));
        assert_ne!(id, event.id_of("flow hire/tell"));
        assert!(id.starts_with("0197c1d0-5f0e-7") && id.parse::<Id>().is_ok(), "{id}");
        let read = EventMessage::from_cloud_event(again.to_cloud_event().as_bytes()).unwrap();
        assert_eq!(read.replay.as_deref(), Some("x"));
    }
}
