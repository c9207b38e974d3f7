//! What every connector is made of.
//!
//! A vendor is data: `connectors/<vendor>/manifest.yaml` ([`Manifest`]), found by looking into the [`Catalog`]. A
//! tenant's configured instance of it is a [`Connection`]. A [`Driver`] speaks one wire for every vendor that uses it;
//! it knows wires, not HR. All outgoing HTTP goes through the [`Client`] here.

pub mod auth;
pub mod call;
pub mod catalog;
pub mod client;
pub mod connection;
pub mod driver;
pub mod ed25519;
mod failure;
pub mod follow;
pub mod hook;
pub mod inbound;
pub mod manifest;
pub mod pace;
pub mod parts;
pub mod probe;
mod rate;
pub mod serves;
pub mod sign_in;
pub mod signed;
pub mod stream;
pub mod tables;
pub mod types;
pub mod verify;

pub use auth::{TokenStore, Tokens};
pub use catalog::Catalog;
pub use client::{AllowPrivate, Client};
pub use connection::Connection;
pub use driver::{CallContext, Driver, Leave, Reply};
pub use failure::{Blame, CallError, Party, Retry};
pub use follow::{FollowCall, FollowUp, KnownIds, NoCalls, Poll};
pub use hook::{HookAnswer, Opened};
pub use inbound::{InboundRequest, RawEnvelope};
pub use manifest::{Idempotency, Manifest, Operation};
pub use pace::Pace;
pub use rate::Rate;
pub use types::Types;
pub use verify::WebhookError;
