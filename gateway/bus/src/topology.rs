//! What must stand at the broker, as one value: the program declares it, `hrhub topology` compares it with the broker.
//!
//! Publishers send to the fanout `<prefix>.publish`. ONE binding, the gate, leads from there to the topic exchange
//! `<prefix>.topic`, and from there to the queues `<prefix>.<consumer>.<partition>`. Without the gate every message
//! finds no queue and comes back to its publisher, which is how queues can be moved. A message in `<prefix>.gate` says
//! that a move is under way. What a queue gives up on goes to `<prefix>.dead`.
//!
//! Only arguments that RabbitMQ 3.10 and 4.x document alike are used.

use crate::message::Consumer;
use std::fmt;

/// A backstop only: tries are counted in the store.
const DELIVERY_LIMIT: i32 = 100;
/// For queues that people look into: looking must never be what removes a message. 4.x has a limit of 20 by default.
const NO_LIMIT: i32 = 1_000_000;

/// Exchanges, queues and bindings under one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    prefix: String,
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
    /// The queues; those that consumers read have bindings.
    pub queues: Vec<Queue>,
}

/// A durable exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// `topic` or `fanout`.
    pub kind: &'static str,
}

/// A durable queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<(&'static str, Argument)>,
    /// From which exchange, by which keys.
    pub bindings: Vec<(String, String)>,
}

/// The value of a queue's argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i32),
    /// Yes or no.
    Flag(bool),
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

impl Topology {
    /// The topology of these consumers, with so many queues for each.
    #[must_use]
    pub fn new(prefix: &str, consumers: &[Consumer], partitions: u16) -> Self {
        let exchanges = [("publish", "fanout"), ("topic", "topic"), ("dead", "fanout")]
            .map(|(name, kind)| Exchange { name: format!("{prefix}.{name}"), kind });
        let dead = format!("{prefix}.dead");
        let mut queues =
            vec![keeping(dead.clone(), vec![(dead.clone(), String::new())]), keeping(format!("{prefix}.gate"), vec![])];
        for consumer in consumers {
            for partition in 0..partitions {
                let binding = |pattern: &String| (format!("{prefix}.topic"), format!("{partition}.{pattern}"));
                queues.push(Queue {
                    name: queue_name(prefix, &consumer.name, partition),
                    arguments: vec![
                        ("x-queue-type", Argument::Text("quorum".to_owned())),
                        // Order per key: one consumer at a time, wherever it runs.
                        ("x-single-active-consumer", Argument::Flag(true)),
                        ("x-delivery-limit", Argument::Number(DELIVERY_LIMIT)),
                        ("x-dead-letter-exchange", Argument::Text(dead.clone())),
                        // Dead-lettering itself must not lose messages.
                        ("x-dead-letter-strategy", Argument::Text("at-least-once".to_owned())),
                        ("x-overflow", Argument::Text("reject-publish".to_owned())),
                        // Leaders spread over the nodes of a cluster.
                        ("x-queue-leader-locator", Argument::Text("balanced".to_owned())),
                    ],
                    bindings: consumer.topics.iter().map(binding).collect(),
                });
            }
        }
        Self { prefix: prefix.to_owned(), exchanges: exchanges.to_vec(), queues }
    }

    /// Where publishers send to.
    #[must_use]
    pub fn entrance(&self) -> String {
        format!("{}.publish", self.prefix)
    }

    /// Where the gate leads to.
    #[must_use]
    pub fn hall(&self) -> String {
        format!("{}.topic", self.prefix)
    }

    /// The queue that holds a message while a move is under way.
    #[must_use]
    pub fn gate(&self) -> String {
        format!("{}.gate", self.prefix)
    }

    /// The queue of what other queues gave up on.
    #[must_use]
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The name that only one `apply` at a time can hold.
    #[must_use]
    pub(crate) fn lock(&self) -> String {
        format!("{}.apply", self.prefix)
    }
}

/// A queue for messages that nobody consumes.
pub(crate) fn keeping(name: String, bindings: Vec<(String, String)>) -> Queue {
    let arguments =
        vec![("x-queue-type", Argument::Text("quorum".to_owned())), ("x-delivery-limit", Argument::Number(NO_LIMIT))];
    Queue { name, arguments, bindings }
}

impl Queue {
    /// The queue that holds its messages while it is made anew.
    pub(crate) fn aside(&self) -> Self {
        keeping(format!("{}.moving", self.name), Vec::new())
    }
}

pub(crate) fn queue_name(prefix: &str, consumer: &str, partition: u16) -> String {
    format!("{prefix}.{consumer}.{partition}")
}

/// Why something at the broker is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there.
    Missing,
    /// It has other settings; the broker names the first that differs.
    Differs {
        /// The setting: `type` of an exchange, an argument of a queue.
        setting: String,
        /// What it must be.
        ours: String,
        /// What the broker has.
        theirs: String,
    },
    /// A move was broken off; so many messages wait aside.
    Unfinished(u32),
    /// The broker is well, and fails to declare it; what it said.
    Stuck(String),
}

/// Something at the broker that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// `exchange`, `queue` or `gate`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// Why.
    pub wrong: Wrong,
    /// Messages in it.
    pub messages: u32,
}

impl fmt::Display for Drift {
    /// What `apply` would do, and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, wrong, messages } = self;
        match wrong {
            Wrong::Missing => write!(f, "create {what} {name}: it is missing"),
            Wrong::Differs { setting, ours, theirs } if *what == "exchange" => {
                write!(f, "make exchange {name} anew: {setting} is {theirs}, must be {ours}")
            }
            Wrong::Differs { setting, ours, theirs } => {
                let count = if *messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") };
                write!(f, "make queue {name} anew and move its {count}: {setting} is {theirs}, must be {ours}")
            }
            Wrong::Unfinished(_) if *what == "gate" => {
                write!(f, "open the gate {name}: a move was broken off, or is under way")
            }
            Wrong::Stuck(why) => write!(
                f,
                "restart the broker's node that holds {what} {name} (`rabbitmqctl stop_app`, `rabbitmqctl start_app`): {why}"
            ),
            Wrong::Unfinished(left) => write!(f, "finish the move of queue {name}: {left} messages wait aside"),
        }
    }
}

/// Reads the broker's refusal of a declaration: `inequivalent arg 'x' for queue 'q' in vhost '/': received … but
/// current is …`. What cannot be read is given whole.
pub(crate) fn difference(refusal: &str) -> Wrong {
    let read = || {
        let (_, rest) = refusal.split_once("inequivalent arg '")?;
        let (setting, rest) = rest.split_once('\'')?;
        let (_, values) = rest.split_once("received ")?;
        let (ours, theirs) = values.split_once(" but current is ")?;
        Some(Wrong::Differs { setting: setting.to_owned(), ours: value(ours), theirs: value(theirs) })
    };
    read().unwrap_or_else(|| Wrong::Differs {
        setting: "something".to_owned(),
        ours: "as this program declares it".to_owned(),
        theirs: format!("other ({refusal})"),
    })
}

/// `the value '50' of type 'signedint'`, `'topic'` or `none`.
fn value(text: &str) -> String {
    let mut quoted = text.split('\'');
    match (quoted.next(), quoted.next()) {
        (Some(_), Some(value)) => value.to_owned(),
        _ => text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_setting_and_both_values() {
        let differs = |setting: &str, ours: &str, theirs: &str| Wrong::Differs {
            setting: setting.into(),
            ours: ours.into(),
            theirs: theirs.into(),
        };
        for (text, wanted) in [
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'a.b.0' in vhost '/': received \
                 the value '100' of type 'signedint' but current is the value '50' of type 'signedint'",
                differs("x-delivery-limit", "100", "50"),
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-overflow' for queue 'a.b.0' in vhost '/': received the \
                 value 'reject-publish' of type 'longstr' but current is none",
                differs("x-overflow", "reject-publish", "none"),
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'a.topic' in vhost '/': received 'topic' \
                 but current is 'direct'",
                differs("type", "topic", "direct"),
            ),
        ] {
            assert_eq!(difference(text), wanted);
        }
        assert!(matches!(difference("nonsense"), Wrong::Differs { theirs, .. } if theirs.contains("nonsense")));
    }

    #[test]
    fn every_consumer_has_its_queues_and_patterns() {
        let topology = Topology::new("p", &[Consumer::new("intake", &["raw.#"])], 2);
        let names: Vec<&str> = topology.queues.iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(names, ["p.dead", "p.gate", "p.intake.0", "p.intake.1"]);
        assert_eq!(topology.queues[3].bindings, [("p.topic".to_owned(), "1.raw.#".to_owned())]);
        assert!(topology.queues[3].arguments.contains(&("x-delivery-limit", Argument::Number(100))));
    }
}
