//! Golden cases: files in, whole results out. `BLESS=1` rewrites expectations; read the diff before committing it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod exchanges;
mod payloads;
mod requests;
mod schemas;
mod soap;
mod vectors;
