//! What a description says: operations, messages, addresses.

use super::Problem;
use super::dom::QName;
use hub_kit::types::Types;

/// What a description offers.
#[derive(Debug)]
pub struct Service {
    /// Its name; of several, the names with blanks between them.
    pub name: String,
    /// Where it says that it listens; often an internal name.
    pub endpoints: Vec<Endpoint>,
    /// What can be asked, in the order of the description.
    pub operations: Vec<Operation>,
    /// What messages hold.
    pub types: Types,
    /// What a person should know before relying on this.
    pub notes: Vec<Problem>,
}

/// An address and what is spoken there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The port's name.
    pub port: String,
    /// `1.1` or `1.2`.
    pub version: &'static str,
    /// The address.
    pub address: String,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One element that the schema describes.
    Document,
    /// An element named like the operation, with one child for each part.
    Rpc,
    /// The same with the type at each value.
    Encoded,
}

impl Style {
    /// How manifests write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Rpc => "rpc",
            Self::Encoded => "encoded",
        }
    }
}

/// Something that can be asked.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The action; empty for none.
    pub action: String,
    /// How its bodies are written.
    pub style: Style,
    /// Versions of SOAP that it is offered in.
    pub versions: Vec<&'static str>,
    /// What is sent.
    pub input: Message,
    /// What comes back; none where nothing does.
    pub output: Option<Message>,
    /// Header blocks that it wants.
    pub headers: Vec<Message>,
    /// What stands in the detail of its faults.
    pub faults: Vec<Message>,
    /// The file and line of its binding.
    pub place: (String, usize),
}

/// An element of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The element.
    pub element: QName,
    /// The type of its content.
    pub type_key: String,
}
