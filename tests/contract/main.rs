//! What every backend must do, run on each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod blobs;
mod bus;
mod parked;
mod schedules;
mod store;
mod timers;
mod topology;
mod words;
