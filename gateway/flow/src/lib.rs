//! The one road for data.
//!
//! [`receive`] takes a verified payload in and makes it durable; [`intake`] moves it into the store; [`map_in`] turns
//! it into records and events in one transaction; [`relay`] publishes the events; [`react`] hands them to consumers
//! (flows, services), whose effects commit together with the mark that they were done; [`send`] makes the outgoing
//! calls. Every step adds to the journey.
//!
//! This crate is the only caller of drivers.

pub mod access;
pub mod admission;
mod alone;
pub mod approvals;
pub mod audit;
mod blobs;
pub mod bulk;
pub mod change;
mod claims;
mod commit;
mod document;
pub mod effects;
mod evaluation;
pub mod event;
pub mod explain;
mod fault;
pub mod feed;
pub mod hub;
pub mod identity;
pub mod imports;
pub mod intake;
pub mod journey;
pub mod keeps;
mod kept_mappings;
pub mod links;
pub mod map_in;
pub mod parked;
pub mod payload;
pub mod people;
mod poll;
pub mod probe;
pub mod raws;
pub mod react;
pub mod reading;
pub mod receive;
pub mod records;
pub mod redrive;
mod references;
pub mod refusals;
pub mod registry;
pub mod relay;
pub mod replay;
pub mod requests;
pub mod restricted;
pub mod retention;
pub mod rules;
pub mod schedule;
pub mod send;
pub mod serve;
pub mod shape;
mod shared;
pub mod staging;
pub mod streams;
pub mod subscriptions;
mod tokens;
pub mod trial;
pub mod trust;

pub use admission::Admission;
pub use effects::{CallRequest, Effects, Failure};
pub use event::EventMessage;
pub use hub::{Hub, HubOptions, Role, queues};
pub use hub_bus::Delivery;
pub use react::Consumer;
pub use receive::{Accepted, Refused};
pub use registry::{Registry, Sources};
pub use retention::Retention;
pub use tokens::kept_tokens;
