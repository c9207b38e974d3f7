//! Why a message is not taken.

use crate::fault::FaultCode;
use crate::names::Version;
use hub_kit::Party;
use hub_tree::xml;

/// Why a message is not taken, in a word that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// There are no bytes.
    Empty,
    /// The bytes do not begin like XML: JSON, plain text.
    NotXml,
    /// What the XML reader says.
    Xml(xml::Reason),
    /// The root element is no envelope.
    NotEnvelope,
    /// The envelope has a namespace that no version of SOAP has.
    Version,
    /// Parts of the envelope are missing, twice or in the wrong order.
    Structure,
    /// The body is empty.
    EmptyBody,
    /// The body holds more than one element.
    ManyElements,
    /// There are too many header blocks.
    HeaderBlocks,
    /// A header block must be understood, and is not.
    MustUnderstand,
    /// The body is compressed in a way that is not known, or not as it says.
    Compression,
    /// What is compressed grows too much.
    Ratio,
    /// The parts of the message cannot be told apart.
    Multipart,
    /// A part that the envelope refers to is not there.
    Attachment,
    /// References inside the message do not end, lead nowhere or grow too much.
    Reference,
}

impl Reason {
    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotXml => "not_xml",
            Self::Xml(reason) => match reason {
                xml::Reason::Malformed => "malformed",
                xml::Reason::Truncated => "truncated",
                xml::Reason::Encoding => "encoding",
                xml::Reason::Doctype => "doctype",
                xml::Reason::Entity => "entity",
                xml::Reason::Character => "character",
                xml::Reason::Prefix => "namespace",
                xml::Reason::Depth => "depth",
                xml::Reason::Attributes => "attributes",
                xml::Reason::Length => "length",
                xml::Reason::Values => "values",
                xml::Reason::Size => "size",
            },
            Self::NotEnvelope => "not_envelope",
            Self::Version => "version",
            Self::Structure => "structure",
            Self::EmptyBody => "empty_body",
            Self::ManyElements => "many_elements",
            Self::HeaderBlocks => "header_blocks",
            Self::MustUnderstand => "must_understand",
            Self::Compression => "compression",
            Self::Ratio => "ratio",
            Self::Multipart => "multipart",
            Self::Attachment => "attachment",
            Self::Reference => "reference",
        }
    }
}

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// In a word.
    pub reason: Reason,
    /// The version that the message is of, as far as it could be told.
    pub version: Version,
    /// In a sentence, with the place; quotes names but no value.
    pub message: String,
}

impl Refusal {
    /// The code of the fault that a server answers with.
    #[must_use]
    pub const fn fault_code(&self) -> FaultCode {
        match self.reason {
            Reason::Version => FaultCode::VersionMismatch,
            Reason::MustUnderstand => FaultCode::MustUnderstand,
            _ => FaultCode::Sender,
        }
    }

    /// Who must act when a request is refused.
    #[must_use]
    pub const fn party_of_request(&self) -> Party {
        match self.reason {
            Reason::Version | Reason::MustUnderstand => Party::Config,
            _ => Party::Caller,
        }
    }

    /// Who must act when an answer is refused.
    #[must_use]
    pub const fn party_of_answer(&self) -> Party {
        match self.reason {
            Reason::Version | Reason::MustUnderstand => Party::Config,
            Reason::Empty | Reason::Xml(xml::Reason::Truncated) => Party::Network,
            _ => Party::Remote,
        }
    }
}
