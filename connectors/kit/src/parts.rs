//! Answers that are longer than memory should be. The answer lies in a file without a name; it is read through once, so
//! that a broken one is none at all, and gives what is beside its records: a small answer, which is judged like any
//! other. Then its records are read one by one, some of them at a time: each part looks like an answer that holds no
//! others.

use crate::client::Response;
use crate::manifest::Split;
use hub_tree::reader::charset_of;
use hub_tree::xml::{self, Records};
use hub_tree::{Arena, Encoding, Limits, ReadError, Value, json};
use std::fs::File;
use std::io::{BufReader, Seek};
use std::sync::Arc;

/// Answers up to this length are read at once, bytes.
pub(crate) const IN_MEMORY: usize = 1 << 20;
/// What may stand beside the records, bytes.
const MAX_REST: usize = 1 << 20;
/// A part is closed when its text is as long as this, bytes.
const PART_BYTES: usize = 192 << 10;
/// One record, and one piece between records.
const RECORD: Limits = Limits { max_bytes: 8 << 20, max_depth: 128, max_nodes: 200_000 };
/// What stands behind the name of an operation whose answer a part belongs to.
const SUFFIX: &str = "/part";

/// The name of the call that reads a part of an operation's answer.
#[must_use]
pub fn name(operation: &str) -> String {
    format!("{operation}{SUFFIX}")
}

/// The operation whose answer, or part of an answer, a call is about.
#[must_use]
pub fn whole(name: &str) -> &str {
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

/// Whether a call reads a part of an answer that is there.
#[must_use]
pub fn is_part(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// The arguments of a call that reads a part: those of the call that was answered, and the part. Both are JSON text.
#[must_use]
pub fn pack(args: &[u8], part: &str) -> String {
    format!(r#"{{"args":{},"part":{part}}}"#, String::from_utf8_lossy(args))
}

/// The arguments of the call that was answered, and the part; `None` when it is neither.
#[must_use]
pub fn unpack(packed: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let arena = Arena::new();
    let packed = json::read(&arena, packed, Limits::default()).ok()?;
    let text = |name: &str| (!packed.get(name).is_absent()).then(|| json::to_string(&packed.get(name)).into_bytes());
    Some((text("args")?, text("part")?))
}

/// An answer in a file.
#[derive(Clone, Debug)]
pub struct Spool {
    file: Arc<File>,
    encoding: Option<Encoding>,
    /// The way to the records, from the root of the document.
    path: String,
    split: Split,
}

impl Spool {
    /// An answer that has arrived whole, and what is beside its records.
    ///
    /// # Errors
    /// The first place where it is not well-formed, or too much beside its records.
    pub(crate) async fn open(
        way_to_payload: &[&str],
        split: &Split,
        response: &Response,
        file: File,
    ) -> Result<(Self, Vec<u8>), String> {
        let content_type = response.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value);
        let told = content_type.and_then(|value| charset_of(value)).and_then(Encoding::of_label);
        let steps = way_to_payload.iter().copied().chain(split.list.iter().map(String::as_str));
        let path = steps.collect::<Vec<_>>().join(".");
        let spool = Self { file: Arc::new(file), encoding: None, path, split: split.clone() };
        // A hundred megabytes take a second.
        let read = tokio::task::spawn_blocking(move || spool.read_through(told)).await;
        read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    fn read_through(mut self, told: Option<Encoding>) -> Result<(Self, Vec<u8>), ReadError> {
        // What a document declares is right more often than what a server says of all its documents.
        let mut rest = self.rest();
        if rest.is_err() && told.is_some() {
            self.encoding = told;
            rest = self.rest();
        }
        rest.map(|rest| (self, rest))
    }

    fn records(&self) -> Result<Records<BufReader<Arc<File>>>, ReadError> {
        // A file that cannot be read from its beginning gives no document.
        let _ = (&*self.file).rewind();
        xml::records_as(BufReader::with_capacity(64 << 10, Arc::clone(&self.file)), self.encoding, &self.path, RECORD)
    }

    /// Reads the whole document; what is beside the records.
    fn rest(&self) -> Result<Vec<u8>, ReadError> {
        let mut records = self.records()?;
        records.keep_rest(MAX_REST);
        while records.next_record()?.is_some() {}
        Ok(records.take_rest())
    }

    /// The parts of the answer, in its order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn parts(&self) -> Result<Parts, ReadError> {
        Ok(Parts { records: self.records()?, split: self.split.clone() })
    }
}

/// The parts of an answer, one after the other.
pub struct Parts {
    records: Records<BufReader<Arc<File>>>,
    split: Split,
}

impl Parts {
    /// The next part as JSON text; `None` after the last one.
    ///
    /// # Errors
    /// The document is not well-formed, which it was before.
    pub fn next_part(&mut self) -> Result<Option<String>, ReadError> {
        let mut items = String::new();
        let mut count = 0;
        while count < self.split.size && items.len() < PART_BYTES {
            let Some(record) = self.records.next_record()? else { break };
            if count > 0 {
                items.push(',');
            }
            items.push_str(&json::to_string(&record.value));
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        let mut part = String::with_capacity(items.len() + 64);
        for name in &self.split.list {
            part.push('{');
            part.push_str(&json::to_string(&Value::Text(name)));
            part.push(':');
        }
        part.push('[');
        part.push_str(&items);
        part.push(']');
        part.extend(self.split.list.iter().map(|_| '}'));
        Ok(Some(part))
    }
}
