//! The ground floor: what every other crate of the hub speaks.
//!
//! - [`Value`]: a tree of JSON-like data that borrows from its input and keeps numbers exact;
//!   [`json`] and [`xml`] read and write it under [`Limits`], [`form`] and [`csv`] read it, and [`reader`] picks one.
//! - [`yaml`]: configuration read with the place of every node, decoded so that *all* problems of a file
//!   are reported in one run as [`Finding`]s.
//! - [`Clock`], [`Ids`], [`random`], [`env`]: the only places that read time, randomness and the environment.
//! - [`Private`]: a value that never shows itself in logs.
//!
//! Nothing here knows HR, a vendor, a file or the network.

pub mod arena;
pub mod clock;
pub mod csv;
pub mod duration;
pub mod encoding;
pub mod env;
pub mod finding;
pub mod form;
pub mod form_data;
pub mod id;
pub mod json;
pub mod private;
pub mod random;
pub mod reader;
mod repeated;
pub mod trace;
pub mod value;
pub mod xml;
pub mod yaml;

pub use arena::Arena;
pub use clock::Clock;
pub use encoding::Encoding;
pub use finding::{Finding, Findings, Position, Severity, Source, Span, nearest};
pub use id::{Id, Ids};
pub use private::Private;
pub use reader::{Limits, ReadError};
pub use trace::TraceContext;
pub use value::{Map, Value};

pub use jiff;
pub use rust_decimal::{self, Decimal};
