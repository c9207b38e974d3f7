//! Tidy tests live in `main.rs`; this library is empty so that the package builds.
