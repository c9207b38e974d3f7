//! Files that ship inside the program.

use hub_kit::Catalog;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../connectors/vendors"]
#[include = "*.yaml"]
struct Vendors;

#[derive(RustEmbed)]
#[folder = "../../mappings"]
#[include = "*.in.yaml"]
#[include = "*.out.yaml"]
#[include = "*/lists/*.yaml"]
struct Mappings;

#[derive(RustEmbed)]
#[folder = "../../scoring/models"]
#[include = "*.yaml"]
struct Models;

#[derive(RustEmbed)]
#[folder = "../flow/flows"]
#[include = "*.yaml"]
struct Flows;

#[derive(RustEmbed)]
#[folder = "../flow/calendars"]
#[include = "*.yaml"]
struct Calendars;

/// What `hrhub init` writes.
#[derive(RustEmbed)]
#[folder = "init"]
pub(crate) struct Init;

/// What `hrhub demo` plays.
pub(crate) const DEMO: &str = include_str!("../demo.yaml");

/// The vendors, mappings, models, flows and calendars that ship with the program.
pub(crate) fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    add::<Vendors>(&mut catalog, "connectors/vendors");
    add::<Mappings>(&mut catalog, "mappings");
    add::<Models>(&mut catalog, "scoring/models");
    add::<Flows>(&mut catalog, "gateway/flow/flows");
    add::<Calendars>(&mut catalog, "gateway/flow/calendars");
    catalog
}

fn add<E: RustEmbed>(catalog: &mut Catalog, folder: &str) {
    for path in E::iter() {
        if let Some(file) = E::get(&path)
            && let Ok(text) = std::str::from_utf8(&file.data)
        {
            catalog.add_built_in(&format!("{folder}/{path}"), text);
        }
    }
}
