//! The ground floor: what every other crate of the hub speaks.
//!
//! - [`Value`]: a tree of JSON-like data that borrows from its input and keeps numbers exact;
//!   [`json`] reads and writes it under [`Limits`].
//! - [`yaml`]: configuration read with the place of every node, decoded so that *all* problems of a file
//!   are reported in one run as [`Finding`]s.
//! - [`Clock`], [`Ids`], [`random`], [`env`]: the only places that read time, randomness and the environment.
//! - [`Private`]: a value that never shows itself in logs.
//!
//! Nothing here knows HR, a vendor, a file or the network.

pub mod arena;
pub mod clock;
pub mod env;
pub mod finding;
pub mod id;
pub mod json;
pub mod private;
pub mod random;
pub mod trace;
pub mod value;
pub mod yaml;

pub use arena::Arena;
pub use clock::Clock;
pub use finding::{Finding, Findings, Position, Severity, Source, Span, nearest};
pub use id::{Id, Ids};
pub use json::Limits;
pub use private::Private;
pub use trace::TraceContext;
pub use value::{Map, Value};

pub use jiff;
pub use rust_decimal::{self, Decimal};
