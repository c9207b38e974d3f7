//! Flow files and their settings: which flows there are, and which of them are switched on.

use super::read::compile;
use super::{Flow, Setting, SettingKind};
use crate::registry::{Registry, Sources};
use hub_tree::yaml::{Context, Kind, Node};
use hub_tree::{Arena, Findings, Value, json};
use std::sync::Arc;

/// Reads all flow files, and switches on those that `hub.yaml` gives settings to.
pub(crate) fn load(sources: &Sources<'_>, registry: &Registry, findings: &Findings) -> Vec<Arc<Flow>> {
    let mut flows = Vec::new();
    let mut known = Vec::new();
    for (place, source) in sources.catalog.below("flows/") {
        let Some(name) = place.strip_prefix("flows/").and_then(|file| file.strip_suffix(".yaml")) else { continue };
        known.push(name);
        let Some((settings, rules)) = compile(name, source, findings) else { continue };
        if let Some(settings) = configure(name, &settings, sources, registry, findings) {
            let source = Arc::clone(source);
            flows.push(Arc::new(Flow { name: name.to_owned(), settings, rules, source }));
        }
    }
    if let Some((node, source)) = &sources.flows {
        let cx = Context::new(source, findings);
        for (key, _) in node.entries(&cx) {
            if !known.contains(&key.name.as_str()) {
                cx.unknown(key.span, "flow", &key.name, known.iter().copied());
            }
        }
    }
    flows
}

/// The settings of a flow as JSON; `None` when it is off. Being off is no error: a hub may serve without any flow.
fn configure(
    name: &str,
    declared: &[Setting],
    sources: &Sources<'_>,
    registry: &Registry,
    findings: &Findings,
) -> Option<String> {
    let (node, source) = sources.flows.as_ref()?;
    let cx = Context::new(source, findings);
    let (key, own) = node.entries(&cx).iter().find(|(key, _)| key.name == name)?;
    let arena = Arena::new();
    let mut entries = Vec::new();
    let mut off = Vec::new();
    let given = own.entries(&cx);
    for (key, value) in given {
        let Some(setting) = declared.iter().find(|setting| setting.name == key.name) else {
            cx.unknown(key.span, &format!("setting of {name}"), &key.name, declared.iter().map(|s| s.name.as_str()));
            continue;
        };
        match (setting.kind, &value.kind) {
            (SettingKind::Texts, Kind::List(_)) => entries.push((setting.name.as_str(), value.to_value(&arena))),
            (SettingKind::Texts, _) => match value.scalar() {
                Some(text) => entries.push((setting.name.as_str(), arena.list(&[Value::Text(arena.text(text))]))),
                None => value.expected("text, or a list of texts", &cx),
            },
            (kind, _) => match value.scalar() {
                Some(text) => {
                    if kind == SettingKind::Connection && !registry.connections.contains_key(text) {
                        off.push(format!("there is no working connection `{text}`"));
                    }
                    entries.push((setting.name.as_str(), Value::Text(arena.text(text))));
                }
                None => value.expected("text", &cx),
            },
        }
    }
    for setting in declared.iter().filter(|setting| !given.iter().any(|(key, _)| key.name == setting.name)) {
        match &setting.default {
            Some(default) => entries.push((setting.name.as_str(), Value::Text(default))),
            None if setting.required => {
                off.push(format!("its setting `{}` is missing ({})", setting.name, setting.doc));
            }
            None => {}
        }
    }
    if off.is_empty() {
        return Some(json::to_string(&arena.map(&entries)));
    }
    cx.warning(key.span, format!("the flow `{name}` is off: {}", off.join("; ")), None);
    None
}

pub(super) fn settings(node: &Node, cx: &Context<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (key, value) in node.entries(cx) {
        let Some(mut fields) = value.fields(cx) else { continue };
        let kinds =
            [("connection", SettingKind::Connection), ("text", SettingKind::Text), ("texts", SettingKind::Texts)];
        settings.push(Setting {
            name: key.name.clone(),
            kind: fields.word("type", &kinds).unwrap_or(SettingKind::Text),
            required: fields.bool("required").unwrap_or(false),
            default: fields.scalar("default"),
            doc: fields.text("doc").unwrap_or_default(),
        });
        fields.finish();
    }
    settings
}
