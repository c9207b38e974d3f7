//! What differs between two versions of a file, and what that does to what was scored.

use crate::cli::Format;
use crate::say;
use hub_interview::Change;
use serde_json::{Value, json};

/// Two versions side by side.
pub(super) struct Differences {
    /// The older and the newer, such as `sales@2`.
    pub(super) versions: [String; 2],
    pub(super) changes: Vec<Change>,
    pub(super) moved: Vec<Moved>,
    /// What one of `moved` is called, such as `interview`.
    pub(super) what: &'static str,
}

/// One thing that was scored by both.
pub(super) struct Moved {
    name: String,
    /// Its label by the older and by the newer.
    label: [String; 2],
    /// What came out differently: name, before, after.
    results: Vec<[String; 3]>,
}

impl Moved {
    /// Compares results by their names; the first is the label.
    pub(super) fn between(name: String, before: &[(String, String)], after: &[(String, String)]) -> Self {
        const NONE: &str = "-";
        let value = |of: &[(String, String)], wanted: &str| {
            let found = of.iter().find(|(name, _)| name == wanted);
            found.map_or(NONE, |(_, value)| value).to_owned()
        };
        let is_new = |name: &str| before.iter().all(|(known, _)| known != name);
        let names = before.iter().chain(after.iter().filter(|(name, _)| is_new(name))).map(|(name, _)| name);
        let results = names.map(|name| [name.clone(), value(before, name), value(after, name)]);
        let label = [before, after].map(|of| of.first().map_or(NONE, |(_, label)| label).to_owned());
        Self { name, label, results: results.filter(|[_, before, after]| before != after).collect() }
    }

    fn as_json(&self, what: &str) -> Value {
        let changes =
            self.results.iter().map(|[name, before, after]| json!({"what": name, "before": before, "after": after}));
        json!({what: self.name, "changes": changes.collect::<Vec<_>>()})
    }
}

impl Differences {
    pub(super) fn tell(&self, format: Format) {
        match format {
            Format::Text => self.as_text(),
            Format::Json => say::out(format!("{:#}", self.as_json())),
        }
    }

    fn as_json(&self) -> Value {
        let changes =
            self.changes.iter().map(|one| json!({"place": one.place, "before": one.before, "after": one.after}));
        let moved = self.moved.iter().map(|one| one.as_json(self.what));
        json!({
            "older": self.versions[0],
            "newer": self.versions[1],
            "changes": changes.collect::<Vec<_>>(),
            format!("{}s", self.what): moved.collect::<Vec<_>>(),
        })
    }

    fn as_text(&self) {
        for Change { place, before, after } in &self.changes {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            say::out(format!("{place}: {} -> {}", shown(before), shown(after)));
        }
        if self.changes.is_empty() {
            say::out(format!("{} and {} are the same", self.versions[0], self.versions[1]));
        }
        if self.moved.is_empty() {
            return;
        }
        let mut labels: Vec<(&[String; 2], usize)> = Vec::new();
        for Moved { name, label, results } in &self.moved {
            let shown: Vec<String> =
                results.iter().map(|[name, before, after]| format!("{name} {before} -> {after}")).collect();
            say::out(format!("{name}: {}", if shown.is_empty() { "the same".to_owned() } else { shown.join(", ") }));
            match labels.iter_mut().find(|(known, _)| *known == label) {
                Some((_, count)) => *count += 1,
                None => labels.push((label, 1)),
            }
        }
        say::out(format!("{}:", say::number(self.moved.len(), self.what)));
        for ([before, after], count) in labels {
            say::out(format!("  {before} -> {after}: {count}"));
        }
    }
}
