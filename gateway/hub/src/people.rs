//! The `console` section of `hub.yaml`: who signs in to the console with an account at a vendor, and what they may do.

use crate::config::Config;
use hub_flow::Registry;
use hub_flow::access::Grants;
use hub_flow::people::{Members, People};
use hub_tree::Findings;
use hub_tree::yaml::{Context, Fields, Kind, Node};
use std::collections::BTreeMap;

/// Reads `console.sign_in`; problems go to `findings`. What has errors lets nobody in.
pub(crate) fn read(config: &Config, registry: &Registry, findings: &Findings) -> People {
    let mut people = People::default();
    let Some((node, source)) = &config.console else { return people };
    let cx = Context::new(source, findings);
    let Some(mut fields) = node.fields(&cx) else { return people };
    for item in fields.optional("sign_in").map(|node| node.items(&cx)).unwrap_or_default() {
        let Some(mut own) = item.fields(&cx) else { continue };
        let found = entry(&mut own, registry, &cx);
        own.finish();
        let Some((connection, members)) = found else { continue };
        if people.knows(&connection) {
            cx.error(item.span, format!("`{connection}` stands here twice"));
        }
        people.add(&connection, members);
    }
    fields.finish();
    people
}

fn entry(own: &mut Fields<'_, '_>, registry: &Registry, cx: &Context<'_>) -> Option<(String, Members)> {
    let node = own.required("connection")?;
    let name = node.text(cx)?;
    let tenant = own.text("tenant");
    let users = own.required("users").map(|node| users(node, cx)).unwrap_or_default();
    let can_sign_in = || registry.connections.values().filter(|known| known.manifest.sign_in.is_some());
    let Some(connection) = registry.connections.get(&name) else {
        cx.unknown(node.span, "connection", &name, can_sign_in().map(|known| known.id.as_str()).collect::<Vec<_>>());
        return None;
    };
    if connection.manifest.sign_in.is_none() {
        let message = format!("`{name}` is a connection of {}, which signs nobody in", connection.manifest.vendor);
        let known: Vec<&str> = can_sign_in().map(|known| known.id.as_str()).collect();
        let help = (!known.is_empty()).then(|| format!("these do: {}", known.join(", ")));
        cx.error_with(node.span, message, help);
        return None;
    }
    let tenant = tenant.unwrap_or_else(|| connection.tenant.clone());
    Some((name, Members { tenant, users }))
}

/// `USER: SCOPE` or `USER: [SCOPE, …]`.
fn users(node: &Node, cx: &Context<'_>) -> BTreeMap<String, Grants> {
    let mut users = BTreeMap::new();
    for (key, value) in node.entries(cx) {
        let single = std::slice::from_ref(value);
        let words = if let Kind::List(items) = &value.kind { items.as_slice() } else { single };
        let mut scopes = Grants::default();
        for word in words {
            let Some(text) = word.text(cx) else { continue };
            match Grants::parse(&text) {
                Ok(found) => scopes.extend(found),
                Err(wrong) => cx.error(word.span, wrong),
            }
        }
        if key.name.trim().is_empty() {
            cx.error(key.span, "a user id is not empty");
        } else if scopes != Grants::default() {
            users.insert(key.name.clone(), scopes);
        } else if words.is_empty() {
            cx.error(value.span, format!("`{}` may do nothing: name a scope, or leave it out", key.name));
        }
    }
    users
}
