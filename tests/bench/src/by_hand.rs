//! The same durable work by hand: what the machine allows.

mod appender;
mod confirms;
mod server;

pub use appender::appended;
pub use confirms::confirmed;
pub use server::served;
