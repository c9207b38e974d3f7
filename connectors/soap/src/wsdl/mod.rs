//! WSDL 1.1 and the schemas in it: read from files into operations and types, and written from them.
//!
//! Nothing here reads a file or the network: [`Documents`] says which documents it wants, the caller brings them.
//! Imports and includes may be relative, in a circle, the same twice, without a location; an included schema without a
//! namespace takes that of the one which includes it. A DOCTYPE is refused.

mod build;
mod dom;
mod load;
mod manifest;
mod model;
mod sample;
mod schema;
mod service;
#[cfg(test)]
mod tests;
mod write;

pub use dom::QName;
pub use load::{Allowed, Documents};
pub use manifest::Named;
pub use model::{Endpoint, Message, Operation, Service, Style};
pub use sample::sample;
pub use write::{Published, PublishedOperation, write};

/// Documents that one description may consist of.
pub const MAX_FILES: usize = 50;
/// Bytes of all of them.
pub const MAX_BYTES: usize = 20 << 20;

/// The namespace of WSDL 1.1.
pub(crate) const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// Its binding to SOAP 1.1.
pub(crate) const SOAP11: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
/// Its binding to SOAP 1.2.
pub(crate) const SOAP12: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// XML Schema.
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// The encoding of SOAP 1.1, whose arrays and texts old services use.
pub(crate) const SOAPENC: &str = "http://schemas.xmlsoap.org/soap/encoding/";

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct Problem {
    /// The document as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}
