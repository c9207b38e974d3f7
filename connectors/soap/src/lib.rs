//! SOAP 1.1 and 1.2, from both ends.
//!
//! [`read()`] takes bytes as they came and gives an [`Envelope`], whose payload is the tree that mappings read, or a
//! [`Refusal`] with a reason that stays.

pub mod fault;
pub mod names;
pub mod read;

pub use fault::{Fault, FaultCode};
pub use names::Version;
pub use read::{Envelope, HeaderBlock, Message, Reason, Refusal, Rules, read};
