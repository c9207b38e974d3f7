//! SOAP 1.1 and 1.2, from both ends.
//!
//! [`read()`] takes bytes as they came and gives an [`Envelope`], whose payload is the tree that mappings read, or a
//! [`Refusal`] with a reason that stays. [`write`] makes messages and faults, [`security`] shows and verifies
//! credentials, [`addressing`] tells which answer belongs to which question.

pub mod addressing;
pub mod compose;
pub mod driver;
pub mod fault;
pub mod judge;
pub mod names;
pub mod read;
pub mod security;
pub mod write;
pub mod wsdl;

pub use driver::Soap;
pub use fault::{Fault, FaultCode};
pub use names::Version;
pub use read::{Envelope, HeaderBlock, Message, Reason, Refusal, Rules, read};
