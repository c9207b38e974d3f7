//! The hub's own engine.

use super::{Contestant, Phones};
use anyhow::{Context as _, anyhow, bail};
use hub_engine::{Input, Level, Mapping};
use hub_tree::{Arena, Findings, Limits, Source, Value, json};

const MAPPING: &str = include_str!("../../data/application.in.yaml");

/// Bytes to records to bytes, as the hub does it for a web hook.
pub struct Hub {
    mapping: Mapping,
    arena: Arena,
    out: String,
}

impl Hub {
    pub fn new(phones: Phones) -> anyhow::Result<Self> {
        let text = match phones {
            Phones::Parsed => MAPPING.to_owned(),
            Phones::LeftOut => without_phones(MAPPING).context("the mapping has no rule for phones")?,
        };
        let findings = Findings::default();
        let mapping = Mapping::compile("bench", &Source::new("bench/application.in.yaml", text), &findings);
        let mapping = mapping.with_context(|| format!("the mapping does not compile:\n{findings:?}"))?;
        Ok(Self { mapping, arena: Arena::new(), out: String::new() })
    }
}

fn without_phones(text: &str) -> Option<String> {
    let start = text.find("      phones:\n")?;
    let end = start + text[start..].find("      headline:")?;
    Some(format!("{}{}", &text[..start], &text[end..]))
}

impl Contestant for Hub {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        self.arena.reset();
        let payload = json::read(&self.arena, input, Limits::default())?;
        let outcome = self.mapping.run_in(&self.arena, &Input::of(payload, super::CONNECTION));
        if let Some(issue) = outcome.issues.iter().find(|issue| issue.level == Level::Error) {
            bail!("{issue}");
        }
        let out = &mut self.out;
        out.clear();
        out.push('[');
        for record in &outcome.records {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str("{\"entity\":\"");
            out.push_str(record.entity.name);
            out.push_str("\",\"key\":");
            json::write(&record.key.map_or(Value::Null, Value::Text), out);
            out.push_str(",\"url\":");
            json::write(&record.url.map_or(Value::Null, Value::Text), out);
            out.push_str(",\"fields\":");
            json::write(&record.fields, out);
            out.push('}');
        }
        out.push(']');
        Ok(out.as_bytes())
    }
}

/// Only the reading: bytes to the tree that mappings read.
pub struct Reading(Arena);

impl Reading {
    pub fn new() -> Self {
        Self(Arena::new())
    }
}

impl Contestant for Reading {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        self.0.reset();
        let payload = json::read(&self.0, input, Limits::default())?;
        if payload.entries().is_empty() { Err(anyhow!("nothing was read")) } else { Ok(&[]) }
    }
}
