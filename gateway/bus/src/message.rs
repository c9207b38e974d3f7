//! What travels, and to whom.

use crate::error::BusError;
use serde::{Deserialize, Serialize};

/// A message. The body is sealed where it is personal; the rest may be seen by operators of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Hub id, for consumers to know a repetition by.
    pub id: String,
    /// `raw.greenhouse-main`, `hr.application.stage_changed`.
    pub topic: String,
    /// Tenant.
    pub tenant: String,
    /// Messages of one tenant and key keep their order.
    pub key: String,
    /// `traceparent`.
    pub trace: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Somebody who gets messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name; each consumer has queues of its own.
    pub name: String,
    /// Topic patterns: `*` stands for one word, `#` for any number of words.
    pub topics: Vec<String>,
}

impl Consumer {
    /// A consumer of some topics.
    #[must_use]
    pub fn new(name: &str, topics: &[&str]) -> Self {
        Self { name: name.to_owned(), topics: topics.iter().map(|topic| (*topic).to_owned()).collect() }
    }

    /// Whether it gets messages of a topic.
    #[must_use]
    pub fn wants(&self, topic: &str) -> bool {
        self.topics.iter().any(|pattern| topic_matches(pattern, topic))
    }
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Whether it may have been delivered before.
    pub again: bool,
}

/// Whether an AMQP topic pattern covers a topic.
#[must_use]
pub fn topic_matches(pattern: &str, topic: &str) -> bool {
    fn words(pattern: &[&str], topic: &[&str]) -> bool {
        match pattern.split_first() {
            None => topic.is_empty(),
            Some((&"#", rest)) => (0..=topic.len()).any(|skip| words(rest, &topic[skip..])),
            Some((&"*", rest)) => !topic.is_empty() && words(rest, &topic[1..]),
            Some((word, rest)) => topic.first() == Some(word) && words(rest, &topic[1..]),
        }
    }
    words(&pattern.split('.').collect::<Vec<_>>(), &topic.split('.').collect::<Vec<_>>())
}

/// The partition of a key; the same on every node.
#[must_use]
pub fn partition_of(tenant: &str, key: &str, partitions: u16) -> u16 {
    let hash = crc32c::crc32c_append(crc32c::crc32c(tenant.as_bytes()), format!("\0{key}").as_bytes());
    u16::try_from(hash % u32::from(partitions.max(1))).unwrap_or(0)
}

/// Everything but the body, as the log and AMQP headers carry it.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    id: std::borrow::Cow<'a, str>,
    topic: std::borrow::Cow<'a, str>,
    tenant: std::borrow::Cow<'a, str>,
    key: std::borrow::Cow<'a, str>,
    trace: std::borrow::Cow<'a, str>,
}

impl Message {
    /// The message as one run of bytes: length of the head, head as JSON, body.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = self.head();
        let mut out = Vec::with_capacity(4 + head.len() + self.body.len());
        out.extend_from_slice(&u32::try_from(head.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.body);
        out
    }

    /// How long the encoded message is.
    pub(crate) fn encoded_len(&self) -> usize {
        4 + self.head().len() + self.body.len()
    }

    fn head(&self) -> Vec<u8> {
        let head = Head {
            id: self.id.as_str().into(),
            topic: self.topic.as_str().into(),
            tenant: self.tenant.as_str().into(),
            key: self.key.as_str().into(),
            trace: self.trace.as_str().into(),
        };
        // A struct of texts always serialises.
        serde_json::to_vec(&head).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BusError> {
        let bad = || BusError::Log("a message in the log is not in a form this program knows".to_owned());
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(bad)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| bad())?;
        let (head, body) = rest.split_at_checked(length).ok_or_else(bad)?;
        let head: Head<'_> = serde_json::from_slice(head).map_err(|_| bad())?;
        Ok(Self {
            id: head.id.into_owned(),
            topic: head.topic.into_owned(),
            tenant: head.tenant.into_owned(),
            key: head.key.into_owned(),
            trace: head.trace.into_owned(),
            body: body.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_match_like_amqp() {
        for (pattern, topic, wanted) in [
            ("hr.#", "hr.application.stage_changed", true),
            ("hr.#", "hr", true),
            ("hr.*", "hr.application.stage_changed", false),
            ("hr.*.completed", "hr.assessment.completed", true),
            ("raw.#", "hr.application.created", false),
            ("#", "anything.at.all", true),
            ("hr.application.*", "hr.application", false),
        ] {
            assert_eq!(topic_matches(pattern, topic), wanted, "{pattern} {topic}");
        }
    }

    #[test]
    fn a_message_survives_encoding_and_damage_is_an_error() {
        let message = Message {
            id: "1".into(),
            topic: "raw.x".into(),
            tenant: "default".into(),
            key: "键".into(),
            trace: "t".into(),
            body: vec![0, 1, 255],
        };
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes).unwrap(), message);
        for cut in [0, 3, 10] {
            assert!(Message::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn partitions_are_stable() {
        assert_eq!(partition_of("default", "greenhouse-main", 4), partition_of("default", "greenhouse-main", 4));
        let spread: std::collections::BTreeSet<u16> = (0..50).map(|n| partition_of("t", &n.to_string(), 4)).collect();
        assert_eq!(spread.len(), 4);
    }
}
