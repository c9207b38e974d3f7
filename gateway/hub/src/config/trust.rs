//! The `trust` section of `hub.yaml`.

use hub_flow::trust::{Rules, consent};
use hub_kit::Catalog;
use hub_model::entities::governance::ConsentPurpose;
use hub_model::enums::EnumOf;
use hub_standards::codes::is_country;
use hub_tree::Findings;
use hub_tree::yaml::{self, Context, Fields, Node};
use std::collections::BTreeMap;

/// Days in which a question may be answered at the latest: a year.
const LONGEST: i64 = 366;

/// Reads the section; what it leaves out has its default.
pub(super) fn rules(own: &mut Fields<'_, '_>, catalog: &Catalog) -> Rules {
    let default = Rules::default();
    let cx = own.context().clone();
    let region = own.optional("region").and_then(|node| region(node, &cx));
    let days = own.integer("answer_days", 1, LONGEST).and_then(|days| u16::try_from(days).ok());
    let mut all = default.gates;
    all.extend(own.optional("gates").map(|node| gates(node, catalog, &cx)).unwrap_or_default());
    Rules { region: region.unwrap_or(default.region), answer_days: days.unwrap_or(default.answer_days), gates: all }
}

fn region(node: &Node, cx: &Context<'_>) -> Option<String> {
    let name = node.text(cx)?;
    if name == "EU" || is_country(&name) {
        return Some(name);
    }
    let help = Some("`EU`, or a country by its ISO 3166-1 code, such as CN or US".to_owned());
    cx.error_with(node.span, format!("`{name}` is no region"), help);
    None
}

/// What needs which consent. A gate that names nothing would stop nothing, so it is an error.
fn gates(node: &Node, catalog: &Catalog, cx: &Context<'_>) -> BTreeMap<String, ConsentPurpose> {
    let mut gates = BTreeMap::new();
    for (key, node) in node.entries(cx) {
        match key.name.split_once('/') {
            Some((connector, operation)) => match operations(catalog, connector) {
                Some(known) if known.iter().any(|known| known == operation) => {}
                Some(known) => cx.unknown(key.span, "operation", operation, known.iter().map(String::as_str)),
                None => cx.error(key.span, format!("there is no connector `{connector}`")),
            },
            None if hub_model::entity(&key.name).is_none() => {
                cx.unknown(key.span, "entity", &key.name, hub_model::ENTITIES.iter().map(|entity| entity.name));
            }
            None if !hub_model::entity(&key.name).is_some_and(consent::leads_to_person) => {
                cx.error(key.span, format!("no record of `{}` leads to a person", key.name));
            }
            None => {}
        }
        let Some(word) = node.text(cx) else { continue };
        match ConsentPurpose::from_wire(&word).filter(|purpose| *purpose != ConsentPurpose::Other) {
            Some(purpose) => {
                gates.insert(key.name.clone(), purpose);
            }
            None => {
                let known = ConsentPurpose::ENUM.values.iter().copied().filter(|known| *known != "OTHER");
                cx.unknown(node.span, "purpose", &word, known);
            }
        }
    }
    gates
}

/// The operations that a connector's manifest names; `None` when there is no such connector.
fn operations(catalog: &Catalog, connector: &str) -> Option<Vec<String>> {
    let place = format!("connectors/{connector}/manifest.yaml");
    let source = catalog.file(&place)?;
    // What is wrong in the manifest is told where it is read.
    let findings = Findings::new();
    let root = yaml::read(source, &findings);
    let cx = Context::new(source, &findings);
    let mut fields = root.as_ref()?.fields(&cx)?;
    let named = fields.optional("operations").map(|node| node.entries(&cx)).unwrap_or_default();
    Some(named.iter().map(|(key, _)| key.name.clone()).collect())
}
