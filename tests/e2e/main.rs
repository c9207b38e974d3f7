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
mod erp_json;
mod erp_xml;
mod feishu;
mod files;
mod hooks;
mod import_wsdl;
mod imports;
mod large_answers;
mod layers;
mod mail;
mod maps;
mod outgoing;
mod parked;
mod passthrough;
mod polls;
mod privacy;
mod road;
mod schedules;
mod sign_in;
mod sms;
mod soap_client;
mod soap_server;
mod staging;
mod stream;
mod subscriptions;
