//! Broken on purpose. `HRHUB_LONG=1` (set by `tests/run --long`) breaks more often.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod batches;
mod broker;
mod imports;
mod invariants;
mod kill;
mod late;
mod noisy;
mod overload;
mod poison;
mod roles;
mod staging;
mod store;
