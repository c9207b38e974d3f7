//! The mapping that reads the rows of an import: the target's own, one of the tenant's by its name, or one that came with
//! the file.

use super::{About, Brought, Refused, SOURCE};
use crate::hub::Hub;
use hub_engine::{Mapping, Parts};
use hub_tree::{Findings, Source};
use std::sync::Arc;

/// The text of a mapping that came with the file, checked.
pub(super) fn mapping_text(hub: &Hub, brought: &Brought) -> Result<Option<String>, Refused> {
    if let Some(text) = &brought.mapping_text {
        compile(text).map_err(|why| Refused::Asked("mapping", why))?;
        return Ok(Some(text.clone()));
    }
    let name = &brought.mapping;
    if !name.is_empty() && !hub.registry().mappings.contains_key(&format!("{SOURCE}/{name}.in")) {
        let why = format!("there is no mapping `{SOURCE}/{name}.in` without errors: `hrhub check` names them");
        return Err(Refused::Asked("mapping", why));
    }
    Ok(None)
}

/// Reads a mapping file that came with an import. Its first error, with its place, where it is none.
fn compile(text: &str) -> Result<Arc<Mapping>, String> {
    let findings = Findings::new();
    let source = Source::new(format!("mappings/{SOURCE}/own.in.yaml"), text);
    // A file says in `from` what it is; whatever it says, it is this one here.
    let mapping = Mapping::assemble(SOURCE, &Parts::of(&source), &findings);
    match mapping {
        Some(mapping) if !findings.has_errors() => Ok(Arc::new(mapping)),
        _ => Err(findings.into_sorted().first().map_or_else(|| "it is no mapping".to_owned(), ToString::to_string)),
    }
}

/// The mapping that reads the rows of an import.
pub(super) fn mapping_of(hub: &Hub, target: &str, about: &About) -> Result<Arc<Mapping>, String> {
    if let Some(text) = &about.mapping_text {
        return compile(text);
    }
    let name = if about.mapping.is_empty() { target } else { &about.mapping };
    let id = format!("{SOURCE}/{name}.in");
    hub.registry().mappings.get(&id).cloned().ok_or_else(|| format!("there is no mapping `{id}` without errors"))
}
