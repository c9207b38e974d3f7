//! Proposes a mapping file from sample payloads.
//!
//! Names (English, Chinese, pinyin, short forms), the place of a value and the shape of all its values are weighed
//! against the names and types of the model. Each line of the proposal carries its confidence and the reason; what is
//! below [`TAKE`], ambiguous, or needs knowledge that no sample holds (a time zone, a scale, a currency, which of two
//! parts of a date is the month) is commented out. A phone number without a prefix is taken without a region: it is
//! kept raw with a warning until somebody writes the region, so nothing is guessed and nothing is lost. A record key
//! that is not sure is written as `'null'`, which parks every payload until it is named.
//!
//! Invariants: pure, and deterministic whatever the order of the samples; the text always compiles; values of samples
//! are never quoted, except the repeated ones that an `enum` table needs.

mod anchor;
mod assign;
mod dates;
mod fit;
mod leaf;
mod observe;
mod plan;
mod synonyms;
mod targets;
#[cfg(test)]
mod tests;
mod text;
mod words;
mod write;

use hub_tree::Value;

/// From this confidence on a line is taken; below it is commented out.
pub const TAKE: u32 = 75;
/// Two pairs that lie nearer than this are ambiguous.
const MARGIN: u32 = 6;

/// A sample payload.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its name, for people; it does not change the proposal.
    pub name: &'a str,
    /// What it holds.
    pub value: Value<'a>,
}

/// What to propose a mapping for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The connector, as in `from: connector/object`.
    pub connector: &'a str,
    /// The object.
    pub object: &'a str,
    /// The samples; the more, the surer.
    pub samples: &'a [Sample<'a>],
    /// The entities to map to; chosen by what is found when absent.
    pub entities: Option<Vec<&'a str>>,
}

/// A proposed mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The mapping file `<object>.in.yaml`.
    pub text: String,
    /// Its lines, those that are commented out too.
    pub lines: Vec<Line>,
    /// What was chosen or left out, and why.
    pub notes: Vec<String>,
}

/// A line of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The entity and its field, such as `candidate.name.given`; `candidate.key` for the record's id.
    pub target: String,
    /// The path in the payload, with `[]` for the items of a list; empty where nothing was found.
    pub source: String,
    /// How sure it is, 0 to 100.
    pub confidence: u32,
    /// Why.
    pub reason: String,
    /// Whether the mapping uses it; else it is commented out.
    pub taken: bool,
}

/// Proposes a mapping.
#[must_use]
pub fn propose(request: &Request<'_>) -> Proposal {
    let vocabulary = synonyms::Vocabulary::embedded();
    let samples: Vec<Value<'_>> = request.samples.iter().map(|sample| sample.value).collect();
    let observed = observe::observe(&samples, vocabulary);
    let plan = plan::plan(request, &observed, vocabulary);
    write::write(request, &observed, plan)
}
