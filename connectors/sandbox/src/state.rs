//! What the simulators remember: documents, effects, answers by idempotency key, webhooks to deliver.
//!
//! One JSON line per change, appended before anything is answered. A torn last line is a change that nobody was told
//! about; it is cut off on opening.

use crate::profile::Profile;
use crate::sign::Sign;
use crate::{Sandbox, SandboxError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

/// Something that would be felt in the real world, and how often it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The vendor.
    pub vendor: String,
    /// What happened: `invite`, `note`, `message` …
    pub effect: String,
    /// To what, in the words of the business.
    pub reference: String,
    /// How often.
    pub count: u64,
}

/// All that one request changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) vendor: String,
    pub(crate) serial: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) effects: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<Document>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deliveries: Vec<Delivery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answered: Option<(String, Answer)>,
    /// Ids of webhooks that were delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) delivered: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) collection: String,
    pub(crate) key: String,
    pub(crate) json: String,
    /// Forgotten from then on, µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

/// A webhook to deliver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) vendor: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) sign: Option<Sign>,
    /// The text of the answer that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wants: Option<String>,
    /// µs.
    pub(crate) due_at: i64,
    #[serde(default)]
    pub(crate) tries: u32,
    /// Kept when it is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<Document>,
}

impl Delivery {
    /// Whether it is one of every two in the order of their making, and not repeated yet.
    pub(crate) fn is_second(&self) -> bool {
        let numbers = self.id.split('_').skip(1).filter_map(|part| part.parse::<u64>().ok());
        self.tries == 0 && numbers.sum::<u64>() % 2 == 1
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

type Collections = BTreeMap<(String, String), BTreeMap<String, Document>>;

/// What the simulators remember.
#[derive(Debug, Default)]
pub(crate) struct State {
    documents: Collections,
    effects: BTreeMap<(String, String, String), u64>,
    answers: BTreeMap<(String, String), Answer>,
    pending: BTreeMap<String, Delivery>,
    serial: u64,
    file: Option<File>,
}

impl State {
    pub(crate) fn open(folder: Option<&Path>, profiles: &[Profile]) -> Result<Self, SandboxError> {
        let mut state = Self::default();
        for profile in profiles {
            for seed in &profile.seed {
                state.keep(
                    &profile.vendor,
                    Document {
                        collection: seed.collection.clone(),
                        key: seed.key.clone(),
                        json: seed.json.clone(),
                        expires_at: None,
                    },
                );
            }
        }
        let Some(folder) = folder else { return Ok(state) };
        let path = folder.join("sandbox.jsonl");
        let fail = |source| SandboxError::File { path: path.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(fail)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        let mut end = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(fail)? > 0 && line.ends_with(b"\n") {
            let Ok(change) = serde_json::from_slice(&line) else { break };
            state.apply(change);
            end += line.len() as u64;
            line.clear();
        }
        file.set_len(end).map_err(fail)?;
        file.seek(SeekFrom::Start(end)).map_err(fail)?;
        state.file = Some(file);
        Ok(state)
    }

    /// Keeps a change, first in the file.
    pub(crate) fn commit(&mut self, change: Change) -> Result<(), SandboxError> {
        if let Some(file) = &mut self.file {
            let fail = |source| SandboxError::File { path: "sandbox.jsonl".to_owned(), source };
            let mut line = serde_json::to_vec(&change).map_err(|error| fail(error.into()))?;
            line.push(b'\n');
            file.write_all(&line).map_err(fail)?;
        }
        self.apply(change);
        Ok(())
    }

    fn apply(&mut self, change: Change) {
        self.serial = self.serial.max(change.serial);
        for (effect, reference) in change.effects {
            *self.effects.entry((change.vendor.clone(), effect, reference)).or_default() += 1;
        }
        for document in change.documents {
            self.keep(&change.vendor, document);
        }
        for delivery in change.deliveries {
            self.pending.insert(delivery.id.clone(), delivery);
        }
        if let Some((key, answer)) = change.answered {
            self.answers.insert((change.vendor, key), answer);
        }
        for id in change.delivered {
            self.pending.remove(&id);
        }
    }

    fn keep(&mut self, vendor: &str, document: Document) {
        let collection = self.documents.entry((vendor.to_owned(), document.collection.clone())).or_default();
        collection.insert(document.key.clone(), document);
    }

    /// A number that no earlier request had.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial + 1
    }

    /// The documents of a collection whose keys begin with `prefix`, as JSON.
    pub(crate) fn documents<'s>(
        &'s self,
        vendor: &str,
        collection: &str,
        prefix: &'s str,
        now: i64,
    ) -> impl Iterator<Item = &'s str> {
        let found = self.documents.get(&(vendor.to_owned(), collection.to_owned()));
        found
            .into_iter()
            .flat_map(move |documents| documents.range(prefix.to_owned()..))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter(move |(_, document)| document.expires_at.is_none_or(|at| at > now))
            .map(|(_, document)| document.json.as_str())
    }

    pub(crate) fn document(&self, vendor: &str, collection: &str, key: &str, now: i64) -> Option<&str> {
        let found = self.documents.get(&(vendor.to_owned(), collection.to_owned()))?.get(key)?;
        found.expires_at.is_none_or(|at| at > now).then_some(found.json.as_str())
    }

    pub(crate) fn answered(&self, vendor: &str, key: &str) -> Option<&Answer> {
        self.answers.get(&(vendor.to_owned(), key.to_owned()))
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        let effect = |((vendor, effect, reference), count): (&(String, String, String), &u64)| Effect {
            vendor: vendor.clone(),
            effect: effect.clone(),
            reference: reference.clone(),
            count: *count,
        };
        self.effects.iter().map(effect).collect()
    }

    pub(crate) fn pending(&self) -> impl Iterator<Item = &Delivery> {
        self.pending.values()
    }

    /// Puts a failed delivery off. Only in memory: after a restart it is tried at once.
    pub(crate) fn put_off(&mut self, id: &str, due_at: i64) {
        if let Some(delivery) = self.pending.get_mut(id) {
            delivery.due_at = due_at;
            delivery.tries += 1;
        }
    }
}

impl Sandbox {
    pub(crate) fn delivered(&self, delivery: &Delivery) {
        self.done_with(delivery, Vec::new());
    }

    /// The vendor gives up; what it keeps of such web hooks is kept.
    pub(crate) fn given_up(&self, delivery: &Delivery) {
        tracing::info!(vendor.id = %delivery.vendor, tries = delivery.tries, "a webhook is given up");
        self.done_with(delivery, delivery.lost.iter().cloned().collect());
    }

    fn done_with(&self, delivery: &Delivery, documents: Vec<Document>) {
        let change = Change {
            vendor: delivery.vendor.clone(),
            documents,
            delivered: vec![delivery.id.clone()],
            ..Change::default()
        };
        if let Err(error) = self.state().commit(change) {
            tracing::error!(error = %error, "the sandbox cannot keep its state");
        }
    }
}
