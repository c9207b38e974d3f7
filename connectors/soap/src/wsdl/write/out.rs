//! Elements, each on a line of its own.

use std::fmt::Write as _;

/// Indented elements.
pub(super) struct Out {
    pub(super) text: String,
    depth: usize,
}

impl Out {
    pub(super) fn new() -> Self {
        Self { text: String::with_capacity(8 << 10), depth: 0 }
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, String)], end: &str) {
        let _ = write!(self.text, "{:indent$}<{name}", "", indent = self.depth * 2);
        for (name, value) in attributes {
            let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let _ = write!(self.text, " {name}=\"{value}\"");
        }
        self.text.push_str(end);
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, String)]) {
        self.tag(name, attributes, ">\n");
        self.depth += 1;
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, String)]) {
        self.tag(name, attributes, "/>\n");
    }

    pub(super) fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        let _ = writeln!(self.text, "{:indent$}</{name}>", "", indent = self.depth * 2);
    }
}
