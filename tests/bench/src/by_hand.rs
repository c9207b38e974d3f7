//! The same durable work by hand: what the machine allows.

mod appender;
mod confirms;

pub use appender::appended;
pub use confirms::confirmed;
