//! The language reference, `mappings/REFERENCE.md`.

use super::{EMIT, FILE_IN, FILE_OUT, Key, LIST, PARTS, RULE};
use hub_expr::Type;
use hub_expr::functions::{self, Function};
use hub_model::ENTITIES;
use hub_standards::dates::Form;
use std::fmt::Write as _;

/// The whole reference in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(
        "# Reference of the mapping language\n\nGenerated from the program; every example is run as a test. How to work with mappings stands in \
         [docs/mappings.md](../docs/mappings.md).\n\n",
    );
    out.push_str(
        "1. [Files](#1-files)\n2. [Records](#2-records)\n3. [Rules](#3-rules)\n4. [Code lists](#4-code-lists)\n\
         5. [Functions](#5-functions)\n6. [Entities](#6-entities)\n\n",
    );
    out.push_str("## 1. Files\n\n### `<object>.in.yaml`: vendor to hub\n\n");
    keys(&mut out, FILE_IN);
    out.push_str("### `<object>.out.yaml`: hub to vendor\n\n");
    keys(&mut out, FILE_OUT);
    out.push_str("## 2. Records\n\nThe keys of an item of `emit`.\n\n");
    keys(&mut out, EMIT);
    out.push_str(
        "## 3. Rules\n\nA rule says once where its value comes from; the rest shapes it and says when. The field's type \
         decides what the value becomes.\n\n",
    );
    for key in RULE {
        rule(&mut out, key);
    }
    out.push_str("### Forms of days and instants\n\n| Form | What it is |\n|---|---|\n");
    for (name, what) in Form::NAMES {
        let _ = writeln!(out, "| `{name}` | {} |", cell(what));
    }
    out.push_str(
        "| text with `%` | strftime, such as `%d/%m/%Y %H:%M` |\n\nIn an `.out` file the form says how the vendor's text \
         is written.\n\n",
    );
    out.push_str("## 4. Code lists\n\nThe keys of `lists/<name>.yaml`.\n\n");
    keys(&mut out, LIST);
    out.push_str("## 5. Functions\n\n`[x]` may be left out; `…` may be repeated. An absent argument makes the result absent, unless the text says otherwise.\n\n");
    let mut topics: Vec<(&str, Vec<&Function>)> = Vec::new();
    for function in functions::special().chain(functions::all()) {
        match topics.iter_mut().find(|(topic, _)| *topic == function.topic) {
            Some((_, functions)) => functions.push(function),
            None => topics.push((function.topic, vec![function])),
        }
    }
    for (topic, functions) in topics {
        let _ = writeln!(out, "### {topic}\n");
        functions.iter().for_each(|function| write_function(&mut out, function));
    }
    out.push_str("## 6. Entities\n\n| Entity | What it is | Fields |\n|---|---|---|\n");
    for entity in ENTITIES {
        let fields: Vec<String> =
            entity.fields.iter().map(|field| format!("`{}` {}", field.name, field.ty.name())).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", entity.name, cell(entity.doc), fields.join(", "));
    }
    out
}

fn keys(out: &mut String, keys: &[Key]) {
    out.push_str("| Key | Takes | What it does |\n|---|---|---|\n");
    for key in keys {
        let _ = writeln!(out, "| `{}` | {} | {} |", key.name, key.takes.words(), cell(key.doc));
    }
    out.push('\n');
}

fn rule(out: &mut String, key: &Key) {
    let _ = writeln!(out, "### `{}`\n\nTakes {}. {}\n", key.name, key.takes.words(), key.doc);
    if let Some((_, parts)) = PARTS.iter().find(|(name, _)| *name == key.name) {
        keys(out, parts);
    }
    if let Some(example) = &key.example {
        let field = example.field.split_once('.').map_or(example.field, |(_, field)| field);
        let gives = if example.gives.is_empty() { "nothing: the field is left out" } else { example.gives };
        let _ = writeln!(out, "```yaml\n{field}: {}\n# {}\n# -> {gives}\n```\n", example.rule, example.payload);
    }
    if !key.errors.is_empty() {
        let errors: Vec<String> = key.errors.iter().map(|code| format!("`{code}`")).collect();
        let _ = writeln!(out, "Findings: {}.\n", errors.join(", "));
    }
}

fn write_function(out: &mut String, function: &Function) {
    let types: Vec<Type> = function.parameters.iter().map(|parameter| parameter.ty.to_type()).collect();
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .zip(&types)
        .map(|(parameter, ty)| {
            let text = format!("{}: {ty}", parameter.name);
            if parameter.optional { format!("[{text}]") } else { text }
        })
        .collect();
    let more = if function.repeats { ", …" } else { "" };
    let result = (function.returns)(&types);
    let _ = writeln!(out, "#### `{}({}{more})` → {result}\n\n{}\n", function.name, parameters.join(", "), function.doc);
    let (example, value) = function.example;
    let _ = writeln!(out, "`{example}` gives `{value}`\n");
    if !function.errors.is_empty() {
        let _ = writeln!(out, "Fails: {}\n", function.errors.join(" "));
    }
}

/// Text that fits a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
