//! What is wrong with a value that came in, by its type.

use super::{Builtin, Field, Kind, Shape, Types};
use hub_tree::{Arena, Value};

/// Something wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The names that lead to it, such as `department.code` or `@change`.
    pub path: String,
    /// What kind of flaw it is: `REQUIRED`, `DATE`, `AMOUNT`, `NUMBER`, `BOOLEAN`, `ENUM`, `TOO_LONG`, `TYPE`.
    pub code: &'static str,
    /// What is wrong with it, without the value.
    pub message: String,
}

/// Elements below each other that are judged; what lies deeper is taken as it is.
const MAX_DEPTH: usize = 32;
/// Flaws of one value that are told.
const MAX_FLAWS: usize = 16;

impl Types {
    /// What is wrong with a value of the type `key`; what the type does not describe is passed over.
    #[must_use]
    pub fn judge(&self, key: &str, value: &Value<'_>) -> Vec<Flaw> {
        self.judge_without(key, value, None)
    }

    /// The same without the field `left_out`, whose values are judged one by one.
    #[must_use]
    pub fn judge_without(&self, key: &str, value: &Value<'_>, left_out: Option<&str>) -> Vec<Flaw> {
        let mut judge = Judge { types: self, flaws: Vec::new(), path: Vec::new(), left_out };
        judge.named(key, value);
        judge.flaws
    }

    /// The elements of a field: a single one stands for a list of one, nothing and an empty text for none.
    #[must_use]
    pub fn rows<'a>(value: &Value<'a>) -> Vec<Value<'a>> {
        match value {
            Value::Absent => Vec::new(),
            Value::List(items) => items.to_vec(),
            other => vec![*other],
        }
    }
}

struct Judge<'j> {
    types: &'j Types,
    flaws: Vec<Flaw>,
    path: Vec<String>,
    left_out: Option<&'j str>,
}

impl Judge<'_> {
    fn flaw(&mut self, code: &'static str, message: impl Into<String>) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push(Flaw { path: self.path.join("."), code, message: message.into() });
        }
    }

    fn named(&mut self, key: &str, value: &Value<'_>) {
        let Some(one) = self.types.get(key) else { return };
        match &one.shape {
            Shape::Simple(_) => self.kind(&Kind::Named(key.to_owned()), value, false),
            Shape::Array(items) => {
                for item in value.entries().iter().flat_map(|(_, value)| Types::rows(value)) {
                    self.kind(items, &item, true);
                }
            }
            Shape::Complex(_) => self.complex(key, value),
        }
    }

    fn complex(&mut self, key: &str, value: &Value<'_>) {
        if self.path.len() >= MAX_DEPTH {
            return;
        }
        if matches!(value, Value::List(_)) {
            return self.flaw("TYPE", "stands more than once, and may only once");
        }
        if let Some(kind) = self.types.text(key) {
            let text = match value {
                Value::Map(map) => map.get("#text"),
                scalar => *scalar,
            };
            self.kind(kind, &text, false);
        } else if !value.is_absent() && !matches!(value, Value::Map(_)) && !is_blank(value) {
            self.flaw("TYPE", "holds text where elements are wanted");
        }
        for attribute in self.types.attributes(key) {
            let found = value.get(&format!("@{}", attribute.name));
            self.path.push(format!("@{}", attribute.name));
            match found {
                Value::Absent if !attribute.optional => self.flaw("REQUIRED", "is missing"),
                Value::Absent => {}
                found => self.kind(&attribute.kind, &found, false),
            }
            self.path.pop();
        }
        let left_out = if self.path.is_empty() { self.left_out } else { None };
        for field in self.types.fields(key) {
            if left_out == Some(field.name.as_str()) {
                continue;
            }
            self.path.push(field.name.clone());
            self.field(field, &value.get(&field.name));
            self.path.pop();
        }
    }

    fn field(&mut self, field: &Field, value: &Value<'_>) {
        let rows = Types::rows(value);
        match rows.as_slice() {
            [] if !field.optional => self.flaw("REQUIRED", "is missing"),
            [] => {}
            [_, _, ..] if !field.list => self.flaw("TYPE", "stands more than once, and may only once"),
            rows => {
                for row in rows {
                    self.one(field, row);
                }
            }
        }
    }

    fn one(&mut self, field: &Field, value: &Value<'_>) {
        let nil = match value {
            Value::Map(map) => matches!(map.get("#text"), Value::Null),
            scalar => matches!(scalar, Value::Null),
        };
        if nil {
            if !field.nil {
                self.flaw("REQUIRED", "is nil, and may not be");
            }
            return;
        }
        self.kind(&field.kind, value, field.optional || field.nil);
    }

    /// Judges a value of a kind. An empty text is no value; it is a flaw unless there `may_be_none`.
    fn kind(&mut self, kind: &Kind, value: &Value<'_>, may_be_none: bool) {
        let Some(builtin) = self.types.builtin(kind) else {
            if let Kind::Named(key) = kind {
                self.named(key, value);
            }
            return;
        };
        if builtin == Builtin::Any {
            return;
        }
        let value = match value {
            // Attributes that no type describes, `xsi:type` among them, may stand beside a text.
            Value::Map(map) if map.entries().iter().all(|(key, _)| key.starts_with(['@', '#'])) => {
                if matches!(map.get("#text"), Value::Absent) { Value::Text("") } else { map.get("#text") }
            }
            other => *other,
        };
        let arena = Arena::new();
        let Some(text) = value.scalar_text(&arena) else {
            if !value.is_absent() {
                self.flaw("TYPE", "holds elements where one value is wanted");
            }
            return;
        };
        if text.trim().is_empty() {
            if !may_be_none {
                self.flaw("REQUIRED", "is empty");
            }
            return;
        }
        let lists = self.narrowed(kind, text);
        let fits = if lists { text.split_whitespace().all(|part| builtin.takes(part)) } else { builtin.takes(text) };
        if !fits {
            let (code, message) = complaint(builtin);
            self.flaw(code, message);
        }
    }

    /// Judges a text by the types that narrow its kind; whether one of them is a list.
    fn narrowed(&mut self, kind: &Kind, text: &str) -> bool {
        let (mut kind, mut lists) = (kind, false);
        for _ in 0..super::MAX_BASES {
            let Kind::Named(key) = kind else { break };
            let Some(Shape::Simple(simple)) = self.types.get(key).map(|one| &one.shape) else { break };
            lists |= simple.list;
            let mut parts = if lists { text.split_whitespace().collect() } else { vec![text.trim()] };
            parts.retain(|part| !simple.one_of.is_empty() && !simple.one_of.iter().any(|known| known == part));
            if !parts.is_empty() {
                let known: Vec<&str> = simple.one_of.iter().take(24).map(String::as_str).collect();
                self.flaw("ENUM", format!("is none of: {}", known.join(", ")));
            }
            if let Some(most) = simple.max_length.filter(|most| text.chars().count() > *most) {
                self.flaw("TOO_LONG", format!("has more than {most} characters"));
            }
            kind = &simple.base;
        }
        lists
    }
}

fn is_blank(value: &Value<'_>) -> bool {
    value.as_text().is_some_and(|text| text.trim().is_empty())
}

/// The code of a text that is no value of its type, and what it should be.
fn complaint(builtin: Builtin) -> (&'static str, &'static str) {
    match builtin {
        Builtin::Date => ("DATE", "is no day such as 2024-03-05"),
        Builtin::DateTime => ("DATE", "is no instant such as 2024-03-05T08:00:00+08:00"),
        Builtin::Time => ("DATE", "is no time such as 08:00:00"),
        Builtin::Year | Builtin::YearMonth => ("DATE", "is no year or month such as 2024-03"),
        Builtin::Decimal => ("AMOUNT", "is no number such as 12000.00, without thousands marks"),
        Builtin::Integer | Builtin::Int | Builtin::Long | Builtin::Short => ("NUMBER", "is no whole number in range"),
        Builtin::Float | Builtin::Double => ("NUMBER", "is no number"),
        Builtin::Boolean => ("BOOLEAN", "is none of: true, false, 1, 0"),
        _ => ("TYPE", "has not the form of its type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Findings, Limits, Source, xml, yaml};

    fn types() -> Types {
        let text = "types:\n  \
            Change: { base: string, one_of: [UPSERT, TERMINATE], max_length: 9 }\n  \
            Codes: { base: int, list: true }\n  \
            Ref: { fields: { code: string, tags: Codes? } }\n  \
            Row:\n    fields: { no: string, since: date, pay: decimal? nil, ref: Ref?, part: Ref*, note: any? }\n    \
            attributes: { change: { type: Change, default: UPSERT } }\n";
        let source = Source::new("t.yaml", text);
        let findings = Findings::new();
        let root = yaml::read(&source, &findings).unwrap();
        let types = Types::read(None, root.get("types"), &yaml::Context::new(&source, &findings));
        assert!(!findings.has_errors());
        types
    }

    fn judge(body: &str) -> Vec<String> {
        let arena = Arena::new();
        let body = format!("<r xmlns:x='http://www.w3.org/2001/XMLSchema-instance'>{body}</r>");
        let tree = xml::read(&arena, arena.bytes(body.as_bytes()), Limits::default()).unwrap();
        let row = tree.get("r").get("row");
        types().judge("Row", &row).iter().map(|flaw| format!("{} {}", flaw.code, flaw.path)).collect()
    }

    #[test]
    fn a_row_is_judged_by_its_type() {
        for (row, wanted) in [
            ("<row><no>1</no><since>2024-01-01</since></row>", &[][..]),
            (
                "<row change='TERMINATE'><no>1</no><since> 2024-01-01 </since><pay x:nil='true'/><ref><code>a</code>\
                 <tags>1 2</tags></ref><part><code>a</code></part><part><code>b</code></part><note><b/></note><new/></row>",
                &[],
            ),
            ("<row/>", &["REQUIRED no", "REQUIRED since"]),
            (
                "<row><no> </no><since>2024-02-30</since><pay>12,000.00</pay></row>",
                &["REQUIRED no", "DATE since", "AMOUNT pay"],
            ),
            (
                "<row change='REMOVE_THEM'><no>1</no><no>2</no><since x:nil='1'/><ref>x</ref></row>",
                &["ENUM @change", "TOO_LONG @change", "TYPE no", "REQUIRED since", "TYPE ref", "REQUIRED ref.code"],
            ),
            (
                "<row><no><b/></no><since>2024-01-01</since><part><tags>1 x</tags></part></row>",
                &["TYPE no", "REQUIRED part.code", "NUMBER part.tags"],
            ),
            ("<row><no>1</no><since/><pay/></row>", &["REQUIRED since"]),
        ] {
            assert_eq!(judge(row), wanted, "{row}");
        }
    }

    #[test]
    fn a_flaw_does_not_repeat_the_value() {
        let arena = Arena::new();
        let row = arena.map(&[("no", Value::Text("1")), ("since", Value::Text("李小龙"))]);
        let flaws = types().judge("Row", &row);
        assert!(!flaws.is_empty() && flaws.iter().all(|flaw| !flaw.message.contains("李")), "{flaws:?}");
    }
}
