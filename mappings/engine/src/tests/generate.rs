//! Random mapping files as text: all kinds of rules, for fields of all types, in one file or in layers.

use hub_model::{ENTITIES, Field, Type};
use hub_tree::Source;
use std::fmt::Write as _;

use super::payloads::KEYS;
use crate::Parts;

/// Decisions taken from a row of random numbers; when they run out every decision is the simplest one, so a failing
/// row shrinks to a small file.
pub(super) struct Choices<'r> {
    row: &'r [u16],
    next: usize,
}

impl<'r> Choices<'r> {
    pub(super) fn new(row: &'r [u16]) -> Self {
        Self { row, next: 0 }
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let drawn = self.row.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::from(drawn) * limit / 65_536
    }

    pub(super) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == chance - 1
    }

    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.below(from.len())]
    }
}

/// A code list that holds on all days, and one that does not.
const LISTS: [(&str, &str); 2] = [
    ("lists/codes.yaml", "version: 1\nentries: { a: Alpha, b: Beta, '1': One, work: Work }\n"),
    (
        "lists/dated.yaml",
        "version: 1\nentries:\n  a: { to: Old, until: 2025-12-31 }\n  b: [{ to: B1, until: 2025-06-30 }, { to: B2, from: 2025-07-01 }]\n",
    ),
];

/// The parts of a mapping whose layers have these texts.
pub(super) fn parts_of(texts: &[String]) -> Parts {
    let out = texts.first().is_some_and(|text| text.lines().any(|line| line.starts_with("to:")));
    let name = if out { "thing.out.yaml" } else { "thing.in.yaml" };
    let file = |(index, text): (usize, &String)| Source::new(format!("layer{index}/{name}"), text.as_str());
    Parts {
        files: texts.iter().enumerate().map(file).collect(),
        lists: LISTS.iter().map(|(path, text)| Source::new(*path, *text)).collect(),
    }
}

/// The layers of a mapping; most compile.
pub(super) fn files(choices: &mut Choices<'_>) -> Vec<String> {
    let mut writer = Writer { choices, bases: vec!["payload".to_owned()], lists: Vec::new(), items: 0 };
    if writer.choices.one_in(5) {
        return vec![writer.out_file()];
    }
    let mut files = vec![writer.in_file()];
    if writer.choices.one_in(4) {
        let layer = writer.layer(&files[0]);
        files.push(layer);
    }
    files
}

struct Writer<'c, 'r> {
    choices: &'c mut Choices<'r>,
    /// What paths may begin with.
    bases: Vec<String>,
    lists: Vec<String>,
    items: usize,
}

/// Text in single quotes, as YAML reads it back.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Writer<'_, '_> {
    fn in_file(&mut self) -> String {
        let mut out = "version: 1\nfrom: kestrel/thing\n".to_owned();
        self.lets(&mut out);
        out.push_str("emit:\n");
        let mut used: Vec<&str> = Vec::new();
        for _ in 0..=self.choices.below(3) {
            let entity = ENTITIES[self.choices.below(ENTITIES.len())];
            let _ = writeln!(out, "  - to: {}", entity.name);
            if used.contains(&entity.name) {
                let _ = writeln!(out, "    name: n{}", used.len());
            }
            used.push(entity.name);
            let bases = self.bases.clone();
            let each = self.choices.one_in(3);
            if each {
                let list = self.list();
                let _ = writeln!(out, "    each: {}", quoted(&list));
                self.bases.push("item".to_owned());
            }
            let base = self.bases.last().cloned().unwrap_or_default();
            match self.choices.below(8) {
                5 => {
                    let _ = writeln!(out, "    hub_id: '{base}.id'");
                }
                6 => {
                    let _ = writeln!(out, "    key: '{base}.id'\n    hub_id: '{base}.t'");
                }
                7 => {
                    let key = self.text_expr();
                    let _ = writeln!(out, "    key: {}", quoted(&key));
                }
                _ => {
                    let _ = writeln!(out, "    key: '{base}.id'");
                }
            }
            if self.choices.one_in(5) {
                let _ = writeln!(out, "    url: '{base}.t'");
            }
            if self.choices.one_in(5) {
                let condition = self.condition();
                let _ = writeln!(out, "    when: {}", quoted(&condition));
            }
            if self.choices.one_in(8) {
                let condition = self.condition();
                let _ = writeln!(out, "    deleted: {}", quoted(&condition));
            }
            out.push_str("    fields:\n");
            self.fields(entity.fields, &mut out);
            self.bases = bases;
        }
        if self.choices.one_in(3) {
            let key = self.key();
            let _ = writeln!(out, "ignore: ['payload{key}', 'payload.rows[].x']");
        }
        out
    }

    fn fields(&mut self, declared: &'static [Field], out: &mut String) {
        let mut set: Vec<&str> = Vec::new();
        for _ in 0..=self.choices.below(8) {
            let field = &declared[self.choices.below(declared.len())];
            if set.contains(&field.name) {
                continue;
            }
            set.push(field.name);
            let inner = field.ty.fields();
            if !inner.is_empty() && self.choices.one_in(3) {
                let first = self.choices.below(inner.len());
                let second = self.choices.below(inner.len());
                for index in if first == second { vec![first] } else { vec![first, second] } {
                    let rule = self.rule(inner[index].ty, 1);
                    let _ = writeln!(out, "      {}.{}: {rule}", field.name, inner[index].name);
                }
                continue;
            }
            let rule = self.rule(field.ty, 2);
            let _ = writeln!(out, "      {}: {rule}", field.name);
        }
        if self.choices.one_in(3) {
            let rule = self.rule(&Type::Json, 2);
            let _ = writeln!(out, "      custom.thing: {rule}");
        }
    }

    fn out_file(&mut self) -> String {
        let mut out = "version: 1\nto: kestrel/thing\n".to_owned();
        let xml = self.choices.one_in(4);
        if xml {
            out.push_str("format: xml\n");
        }
        self.lets(&mut out);
        out.push_str("fields:\n");
        let root = if xml { "root." } else { "" };
        for (index, name) in ["a", "b.c", "b.d", "e", "f.g.h"].iter().enumerate() {
            if index == 0 || !self.choices.one_in(2) {
                let rule = self.rule(&Type::Json, 2);
                let _ = writeln!(out, "  {root}{name}: {rule}");
            }
        }
        out
    }

    /// A layer that lies over a file: rules replaced, added, taken away.
    fn layer(&mut self, below: &str) -> String {
        let mut out = "version: 1\nextends: kestrel/thing\n".to_owned();
        let entity = below.lines().find_map(|line| line.strip_prefix("  - to: ")).unwrap_or_default();
        if self.choices.one_in(2) {
            out.push_str("let: { added: payload.deep }\n");
            self.bases.push("added".to_owned());
        }
        let Some(entity) = hub_model::entity(entity) else { return out };
        let _ = writeln!(out, "emit:\n  - to: {}", entity.name);
        if self.choices.one_in(3) {
            let mut fields = below.lines().filter_map(|line| line.strip_prefix("      ")?.split(':').next());
            let _ = writeln!(out, "    remove: [{}]", fields.next().unwrap_or("nothing"));
        }
        out.push_str("    fields:\n");
        self.fields(entity.fields, &mut out);
        if self.choices.one_in(3) {
            out.push_str("ignore: [payload.n]\n");
        }
        out
    }

    fn lets(&mut self, out: &mut String) {
        let count = self.choices.below(4);
        if count > 0 {
            out.push_str("let:\n");
        }
        for index in 0..count {
            let name = format!("v{index}");
            let text = match self.choices.below(6) {
                0 | 1 => self.path(),
                2 => format!("first({})", self.list()),
                3 => {
                    let list = self.list();
                    format!("first(where({list}, exists(item.id)))")
                }
                4 => {
                    let list = self.list();
                    self.lists.push(name.clone());
                    list
                }
                _ => self.expr(),
            };
            let _ = writeln!(out, "  {name}: {}", quoted(&text));
            if self.lists.last() != Some(&name) {
                self.bases.push(name);
            }
        }
    }

    fn key(&mut self) -> String {
        let key = KEYS[self.choices.below(KEYS.len())];
        if key.chars().all(char::is_alphabetic) { format!(".{key}") } else { format!("[\"{key}\"]") }
    }

    fn path(&mut self) -> String {
        // The nearest base is the likeliest.
        let back = self.choices.below(self.bases.len() * 2) % self.bases.len();
        let base = self.bases[self.bases.len() - 1 - back].clone();
        let key = self.key();
        match self.choices.below(8) {
            5 => format!("{base}.deep{key}"),
            6 => format!("{base}.rows[0]{key}"),
            7 => format!("{base}.list[1]"),
            _ => format!("{base}{key}"),
        }
    }

    fn list(&mut self) -> String {
        let base = self.bases[self.choices.below(self.bases.len())].clone();
        match self.choices.below(9) {
            0..=2 => format!("{base}.rows"),
            3 | 4 => format!("{base}.list"),
            5 if !self.lists.is_empty() => self.lists[self.choices.below(self.lists.len())].clone(),
            6 => format!("where({base}.rows, exists(item.id))"),
            7 => format!("map({base}.rows, item.one)"),
            _ => format!("{base}.deep.rows"),
        }
    }

    fn condition(&mut self) -> String {
        let path = self.path();
        match self.choices.below(5) {
            0 | 1 => format!("exists({path})"),
            2 => format!("not is_null({path})"),
            3 => format!("count({} ?? []) > 1", self.list()),
            _ => format!("({path} ?? true) == true"),
        }
    }

    fn text_expr(&mut self) -> String {
        let (path, other) = (self.path(), self.path());
        match self.choices.below(4) {
            0 => format!("{path} & \"-\" & {other}"),
            1 => format!("{path} ?? \"none\""),
            2 => format!("{path} | text"),
            _ => format!("if(exists({path}), {path}, {other})"),
        }
    }

    fn expr(&mut self) -> String {
        let (path, list) = (self.path(), self.list());
        match self.choices.below(9) {
            0..=2 => self.text_expr(),
            3 => format!("count({list})"),
            4 => format!("join(map({list}, item.id | text), \",\")"),
            5 => format!("last({list})"),
            6 => format!("[{path}, [{path}]]"),
            7 => format!("object(\"k\", {path}, \"l\", {list})"),
            _ => format!("first({list}).id ?? {path}"),
        }
    }

    /// A rule for a field of a type, in flow style.
    fn rule(&mut self, ty: &Type, depth: usize) -> String {
        let mut keys = self.source(ty, depth);
        if self.choices.one_in(8) {
            let condition = self.condition();
            keys.push(format!("when: {}", quoted(&condition)));
        }
        let fixed = keys.iter().any(|key| key.starts_with("value:"));
        if !fixed && self.choices.one_in(10) {
            keys.push("required: true".to_owned());
        } else if !fixed
            && self.choices.one_in(5)
            && let Some(value) = self.literal(ty)
        {
            keys.push(format!("default: {value}"));
        }
        format!("{{ {} }}", keys.join(", "))
    }

    fn literal(&mut self, ty: &Type) -> Option<String> {
        Some(match ty {
            Type::Text | Type::Localized => "fixed".to_owned(),
            Type::Bool => "true".to_owned(),
            Type::Integer | Type::Decimal => "7".to_owned(),
            Type::Rate => "0.5".to_owned(),
            Type::Date => "2026-01-31".to_owned(),
            Type::Enum(of) => of.values[self.choices.below(of.values.len())].to_owned(),
            Type::Json => "{ a: [1, x, null], b: true }".to_owned(),
            Type::Currency => "CNY".to_owned(),
            Type::Country => "CN".to_owned(),
            Type::List(item) => format!("[{}]", self.literal(item)?),
            _ => return None,
        })
    }

    /// `path`, or now and then several, or an expression.
    fn found(&mut self, ty: &Type) -> Vec<String> {
        match self.choices.below(6) {
            4 => {
                let (one, other) = (self.path(), self.path());
                vec![format!("path: [{}, {}]", quoted(&one), quoted(&other))]
            }
            5 if matches!(ty, Type::Text | Type::Json) => {
                let expr = self.expr();
                vec![format!("expr: {}", quoted(&expr))]
            }
            _ => {
                let path = self.path();
                vec![format!("path: {}", quoted(&path))]
            }
        }
    }

    fn source(&mut self, ty: &Type, depth: usize) -> Vec<String> {
        if self.choices.one_in(12)
            && let Some(value) = self.literal(ty)
        {
            return vec![format!("value: {value}")];
        }
        let mut keys = match ty {
            Type::List(_) | Type::Json if depth > 0 && self.choices.one_in(2) => {
                return self.each(if let Type::List(item) = ty { item } else { &Type::Json }, depth);
            }
            Type::Struct(of) if self.choices.below(5) > 0 => return self.composed(of.name, ty, depth),
            Type::Ref(entity) if self.choices.below(6) > 0 => {
                let entity = if entity.is_empty() { "person" } else { entity };
                let (key, display) = (self.path(), self.path());
                let by = self.choices.pick(&["key", "key", "hub_id"]);
                let mut keys = vec![format!("ref: {entity}"), format!("{by}: {}", quoted(&key))];
                if self.choices.one_in(2) {
                    keys.push(format!("display: {}", quoted(&display)));
                }
                return keys;
            }
            Type::Json if depth > 0 && self.choices.one_in(4) => {
                let (one, two) = (self.rule(&Type::Json, depth - 1), self.rule(&Type::Json, depth - 1));
                return vec![format!("fields: {{ p: {one}, 'q.r': {two} }}")];
            }
            _ => self.found(ty),
        };
        match ty {
            Type::Enum(of) if self.choices.below(4) > 0 => {
                let (one, two) = (self.choices.below(of.values.len()), self.choices.below(of.values.len()));
                keys.push(format!(
                    "enum: {{ a: {}, work: {}, '1': {} }}",
                    of.values[one], of.values[two], of.values[one]
                ));
                keys.extend(self.choices.one_in(3).then(|| "unknown: park".to_owned()));
            }
            Type::Date | Type::PartialDate => {
                let form = self.choices.pick(&["iso", "\"%d/%m/%Y\"", "iso"]);
                keys.extend(self.choices.one_in(2).then(|| format!("date: {form}")));
            }
            Type::DateTime => {
                let form = self.choices.pick(&[
                    "rfc3339",
                    "epoch_s",
                    "epoch_ms",
                    "\"%Y-%m-%d %H:%M:%S\", zone: Asia/Shanghai",
                ]);
                keys.extend(self.choices.one_in(2).then(|| format!("datetime: {form}")));
            }
            Type::Text => match self.choices.below(9) {
                4 => keys.push("join: ', '".to_owned()),
                5 => keys.push("lookup: codes".to_owned()),
                6 => keys.push("enum: { a: Alpha, b: Beta }".to_owned()),
                7 => keys.push("lookup: { list: dated, on: '\"2025-07-01\"' }, unknown: park".to_owned()),
                8 => keys.push("lookup: { list: codes, reverse: true }".to_owned()),
                _ => {}
            },
            Type::List(_) => keys.extend(self.choices.one_in(2).then(|| "split: ','".to_owned())),
            _ => {}
        }
        match self.choices.below(12) {
            8 => keys.push("trim: true".to_owned()),
            9 => keys.push("trim: true, lower: true".to_owned()),
            10 => keys.push("upper: true".to_owned()),
            11 => keys.push("clear: on_null".to_owned()),
            _ => {}
        }
        keys
    }

    fn each(&mut self, item: &Type, depth: usize) -> Vec<String> {
        let list = self.list();
        let mut keys = vec![format!("each: {}", quoted(&list))];
        self.bases.push("item".to_owned());
        self.items += 1;
        if self.choices.one_in(4) {
            let condition = self.condition();
            keys.push(format!("where: {}", quoted(&condition)));
        }
        if matches!(item, Type::List(_)) {
            // A rule has one `each`.
            keys.extend(self.found(item));
        } else {
            let inner = self.source(item, depth - 1);
            if inner.iter().any(|key| key.starts_with("each:")) {
                keys.extend(self.found(item));
            } else {
                keys.extend(inner);
            }
        }
        self.items -= 1;
        self.bases.pop();
        keys
    }

    fn composed(&mut self, name: &str, ty: &Type, depth: usize) -> Vec<String> {
        let (one, two) = (self.path(), self.path());
        let (one, two) = (quoted(&one), quoted(&two));
        match name {
            "Phone" => {
                vec![match self.choices.below(3) {
                    0 => format!("phone: {one}"),
                    1 => format!("phone: {{ path: {one}, region: CN }}"),
                    _ => format!("phone: {{ path: {{ path: {one}, trim: true }}, region: {two}, type: WORK }}"),
                }]
            }
            "Email" => {
                vec![match self.choices.below(2) {
                    0 => format!("email: {one}"),
                    _ => format!("email: {{ path: {one}, type: {{ path: {two}, enum: {{ work: WORK }} }} }}"),
                }]
            }
            "Money" => {
                let minor = if self.choices.one_in(3) { ", minor_units: true" } else { "" };
                let currency = if self.choices.one_in(3) { two } else { "CNY".to_owned() };
                vec![format!("money: {{ amount: {one}, currency: {currency}{minor} }}")]
            }
            "Score" => vec![format!("score: {{ path: {one}, min: 0, max: {{ path: {two}, default: 100 }} }}")],
            "PersonName" => vec![format!("person_name: {{ given: {one}, family: {two} }}")],
            _ if depth > 0 => {
                let declared = ty.fields();
                let (first, second) = (self.choices.below(declared.len()), self.choices.below(declared.len()));
                let mut parts = Vec::new();
                for index in if first == second { vec![first] } else { vec![first, second] } {
                    let rule = self.rule(declared[index].ty, depth - 1);
                    parts.push(format!("{}: {rule}", declared[index].name));
                }
                vec![format!("fields: {{ {} }}", parts.join(", "))]
            }
            _ => self.found(ty),
        }
    }
}

/// A text with something changed, cut off or put in: seldom still a mapping.
pub(super) fn damaged(text: &str, choices: &mut Choices<'_>) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=choices.below(3) {
        let at = choices.below(chars.len().max(1));
        match choices.below(6) {
            0 => chars.truncate(at),
            1 => {
                let end = (at + choices.below(40)).min(chars.len());
                chars.drain(at..end);
            }
            2 => {
                let end = (at + choices.below(60)).min(chars.len());
                let copied = chars[at..end].to_vec();
                chars.splice(at..at, copied);
            }
            _ => {
                let odd = [
                    "{", "}", "[", "]", ":", "\n", "\t", "'", "\"", "&a ", "*a", "!t ", "- ", "# ", "\u{feff}", "李",
                    "\0", "..", "emit:\n",
                ];
                let text = choices.pick(&odd);
                chars.splice(at..at, text.chars());
            }
        }
    }
    chars.into_iter().collect()
}
