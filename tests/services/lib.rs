//! Tests of the calculations live in `main.rs`; this library is empty so that the package builds.
