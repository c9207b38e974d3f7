//! Calculations: published examples to the letter, cases worked out by hand from the rules, and peers that know nothing
//! of ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod peers;

use hub_calc::{Given, Wrong, answer};
use hub_service::Service;
use hub_tree::{Arena, Limits, Value, json};

fn read<'a>(arena: &'a Arena, text: &'a str) -> Value<'a> {
    json::read(arena, text.as_bytes(), Limits::default()).unwrap()
}

fn run<'a>(service: &str, arena: &'a Arena, given: Value<'a>) -> Result<Value<'a>, Wrong> {
    let service = Service::find(service).unwrap();
    answer((service.calculations)(), Given::new(arena, given))
}
