//! What every backend must do, run on each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bus;
mod parked;
mod store;
mod timers;
