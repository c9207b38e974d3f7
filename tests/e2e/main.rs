//! The program as its users use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod browser;
mod callbacks;
mod chat;
mod circuit;
mod cli;
mod collector;
mod connection_test;
mod demo;
mod doctor;
mod feishu;
mod files;
mod hooks;
mod large_answers;
mod layers;
mod maps;
mod outgoing;
mod parked;
mod passthrough;
mod polls;
mod privacy;
mod road;
mod schedules;
mod sign_in;
mod stream;
mod subscriptions;
