//! Staging tables.
