//! YAML configuration, read with the place of every node and decoded so that one run reports every problem.
//!
//! The subset is what people should write: one document, maps, lists and scalars. Anchors, aliases, tags, equal keys
//! and non-text keys are refused. Plain scalars follow the YAML 1.2 core schema, so `no` and `on` are text; numbers
//! keep the text they were written with.
//!
//! ```
//! use hub_tree::{Findings, Source, yaml};
//! let source = Source::new("hub.yaml", "listen: 127.0.0.1:8080\nlimts: {}\n");
//! let findings = Findings::new();
//! let root = yaml::read(&source, &findings).unwrap();
//! let mut fields = root.fields(&yaml::Context::new(&source, &findings)).unwrap();
//! assert_eq!(fields.text("listen").as_deref(), Some("127.0.0.1:8080"));
//! let _ = fields.optional("limits");
//! fields.finish();
//! assert!(findings.into_sorted()[0].to_string().contains("did you mean `limits`?"));
//! ```

use crate::arena::Arena;
use crate::finding::{Findings, Position, Source, Span, suggest};
use crate::value::Value;
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::sync::Arc;

const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 48;

/// A node of a YAML document and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map in source order.
    Map(Vec<(Key, Node)>),
}

/// A key of a map and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// The file that is being decoded and where its problems go.
#[derive(Clone)]
pub struct Context<'f> {
    /// The file.
    pub source: Arc<Source>,
    findings: &'f Findings,
}

impl<'f> Context<'f> {
    /// A context for one file.
    #[must_use]
    pub fn new(source: &Arc<Source>, findings: &'f Findings) -> Self {
        Self { source: Arc::clone(source), findings }
    }

    /// Reports an error.
    pub fn error(&self, span: Span, message: impl Into<String>) {
        self.findings.error(&self.source, span, message, None);
    }

    /// Reports an error with what to do about it.
    pub fn error_with(&self, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        self.findings.error(&self.source, span, message, suggestion);
    }

    /// Reports a warning with what to do about it.
    pub fn warning(&self, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        self.findings.warning(&self.source, span, message, suggestion);
    }

    /// Reports that a word is none of the known ones.
    pub fn unknown<'a>(&self, span: Span, what: &str, word: &str, known: impl IntoIterator<Item = &'a str> + Clone) {
        self.error_with(span, format!("unknown {what} `{word}`"), suggest(word, known));
    }

    /// The collection behind this context.
    #[must_use]
    pub const fn findings(&self) -> &'f Findings {
        self.findings
    }
}

/// Reads a document; problems go to `findings`, and `None` means that there is nothing to decode.
#[must_use]
pub fn read(source: &Arc<Source>, findings: &Findings) -> Option<Node> {
    let cx = Context::new(source, findings);
    if source.text.len() > MAX_BYTES {
        cx.error(Span::default(), format!("the file is longer than {MAX_BYTES} bytes"));
        return None;
    }
    let mut reader = Reader { parser: Parser::new_from_str(&source.text), cx };
    let document = reader.document().ok()?;
    if document.is_none() {
        reader.cx.error(Span::default(), "the file is empty");
    }
    document
}

/// Something was reported; reading cannot go on.
struct Stop;

struct Reader<'s, 'f> {
    parser: Parser<'s, saphyr_parser::StrInput<'s>>,
    cx: Context<'f>,
}

fn position(marker: saphyr_parser::Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn span_of(span: saphyr_parser::Span) -> Span {
    Span { start: position(span.start), end: position(span.end) }
}

impl<'s> Reader<'s, '_> {
    fn next(&mut self) -> Result<(Event<'s>, Span), Stop> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Nothing, _))) => {}
                Some(Ok((event, span))) => return Ok((event, span_of(span))),
                Some(Err(error)) => {
                    let at = self.cx.source.last().min(position(*error.marker()));
                    let help = "inside {…} and […], text that holds a comma, brace or bracket must stand in quotes";
                    let message = format!("this is not YAML: {}", error.info());
                    self.cx.error_with(Span { start: at, end: at }, message, Some(help.to_owned()));
                    return Err(Stop);
                }
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    self.cx.error(span, "only one document may stand in a file");
                    return Err(Stop);
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'s>, span: Span, depth: usize) -> Result<Node, Stop> {
        if depth > MAX_DEPTH {
            self.cx.error(span, format!("nested deeper than {MAX_DEPTH} levels"));
            return Err(Stop);
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let kind = if style == ScalarStyle::Plain { plain(&text) } else { Kind::Text(text.into_owned()) };
                Ok(Node { span, kind })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let mut items = Vec::new();
                loop {
                    let (event, item_span) = self.next()?;
                    if let Event::SequenceEnd = event {
                        return Ok(Node { span: join(span, item_span), kind: Kind::List(items) });
                    }
                    items.push(self.node(event, item_span, depth + 1)?);
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                self.map(span, depth)
            }
            Event::Alias(_) => {
                self.cx.error(span, "aliases (`*name`) are not supported; write the value out");
                Ok(Node { span, kind: Kind::Null })
            }
            _ => {
                self.cx.error(span, "this is not YAML: a value is missing");
                Err(Stop)
            }
        }
    }

    fn map(&mut self, span: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, key_span) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(Node { span: join(span, key_span), kind: Kind::Map(entries) }),
                Event::Scalar(text, _, anchor, tag) => {
                    self.refuse_extras(key_span, anchor, tag.is_some());
                    text.into_owned()
                }
                other => {
                    self.cx.error_with(
                        key_span,
                        "a key must be text",
                        Some("an expression that holds a brace must stand in quotes".to_owned()),
                    );
                    self.node(other, key_span, depth + 1)?;
                    String::new()
                }
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if entries.iter().any(|(key, _)| key.name == name) {
                self.cx.error(key_span, format!("the key `{name}` stands twice"));
            } else if name == "<<" {
                self.cx.error(key_span, "merge keys (`<<`) are not supported");
            } else {
                entries.push((Key { name, span: key_span }, value));
            }
        }
    }

    fn refuse_extras(&self, span: Span, anchor: usize, tagged: bool) {
        if anchor > 0 {
            self.cx.error_with(
                span,
                "anchors (`&name`) are not supported",
                Some("an expression that begins with `&` must stand in quotes".to_owned()),
            );
        }
        if tagged {
            self.cx.error(span, "tags (`!name`) are not supported");
        }
    }
}

fn join(start: Span, end: Span) -> Span {
    Span { start: start.start, end: end.end }
}

/// The YAML 1.2 core schema, with numbers limited to decimal notation.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    if is_number(text) { Kind::Number(text.to_owned()) } else { Kind::Text(text.to_owned()) }
}

/// JSON's notation of a number: so that `007`, `+86` and `1.` stay text.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|e| all_digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

impl Node {
    /// The node as a part of a stack of files in which `lines` lines stand before its own; see [`Source::stacked`].
    #[must_use]
    pub fn moved_down(mut self, lines: usize) -> Self {
        fn down(span: &mut Span, lines: usize) {
            span.start.line += lines;
            span.end.line += lines;
        }
        fn all(node: &mut Node, lines: usize) {
            down(&mut node.span, lines);
            match &mut node.kind {
                Kind::List(items) => items.iter_mut().for_each(|item| all(item, lines)),
                Kind::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                    down(&mut key.span, lines);
                    all(value, lines);
                }),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
            }
        }
        if lines > 0 {
            all(&mut self, lines);
        }
        self
    }

    /// The value under `key` of a map, for those who look before decoding.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What kind of node this is, in the words of error messages.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true/false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The text of a scalar as it was written: text, numbers and true/false alike.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Bool(value) => Some(if *value { "true" } else { "false" }),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Text, or an error.
    #[must_use]
    pub fn text(&self, cx: &Context<'_>) -> Option<String> {
        if let Kind::Text(text) = &self.kind {
            return Some(text.clone());
        }
        self.expected("text", cx);
        None
    }

    /// Reports that this node should have been something else.
    pub fn expected(&self, what: &str, cx: &Context<'_>) {
        cx.error(self.span, format!("expected {what}, found {}", self.kind_name()));
    }

    /// The entries of a map for decoding, or an error.
    #[must_use]
    pub fn fields<'n, 'f>(&'n self, cx: &Context<'f>) -> Option<Fields<'n, 'f>> {
        if let Kind::Map(entries) = &self.kind {
            return Some(Fields { cx: cx.clone(), span: self.span, entries, asked: Vec::new() });
        }
        self.expected("a map", cx);
        None
    }

    /// The items of a list, or an error and no items.
    pub fn items(&self, cx: &Context<'_>) -> &[Node] {
        if let Kind::List(items) = &self.kind {
            return items;
        }
        self.expected("a list", cx);
        &[]
    }

    /// The entries of a map whose keys are names that the user chooses, or an error and no entries.
    pub fn entries(&self, cx: &Context<'_>) -> &[(Key, Node)] {
        if let Kind::Map(entries) = &self.kind {
            return entries;
        }
        self.expected("a map", cx);
        &[]
    }

    /// The same tree as a value.
    pub fn to_value<'a>(&self, arena: &'a Arena) -> Value<'a> {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(text) => Value::Number(arena.text(text)),
            Kind::Text(text) => Value::Text(arena.text(text)),
            Kind::List(items) => {
                let items: Vec<Value<'a>> = items.iter().map(|item| item.to_value(arena)).collect();
                arena.list(&items)
            }
            Kind::Map(entries) => {
                let entries: Vec<(&'a str, Value<'a>)> =
                    entries.iter().map(|(key, value)| (arena.text(&key.name), value.to_value(arena))).collect();
                arena.map(&entries)
            }
        }
    }

    /// The place of the character `offset` (in characters) of a scalar's text, for errors inside expressions.
    /// Exact where the text stands in the file as it is; else the place of the scalar.
    #[must_use]
    pub fn locate(&self, source: &Source, offset: usize, length: usize) -> Span {
        let Some(text) = self.scalar() else { return self.span };
        let start = self.span.start;
        let Some(line) = source.text.lines().nth(start.line - 1) else { return self.span };
        let rest: String = line.chars().skip(start.column - 1).collect();
        let quote = usize::from(rest.starts_with(['"', '\'']));
        let written: String = rest.chars().skip(quote).take(text.chars().count()).collect();
        if written != text {
            return self.span;
        }
        let column = start.column + quote + offset;
        Span {
            start: Position { line: start.line, column },
            end: Position { line: start.line, column: column + length.max(1) },
        }
    }
}

/// Decodes the entries of one map; what nobody asked for is an error when [`Fields::finish`] is called.
pub struct Fields<'n, 'f> {
    cx: Context<'f>,
    /// Where the map stands.
    pub span: Span,
    entries: &'n [(Key, Node)],
    asked: Vec<&'static str>,
}

impl<'n, 'f> Fields<'n, 'f> {
    /// The context that errors go to.
    #[must_use]
    pub const fn context(&self) -> &Context<'f> {
        &self.cx
    }

    /// The node under `key`, if it is there and not null.
    pub fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, v)| v).filter(|v| v.kind != Kind::Null)
    }

    /// The node under `key`, or an error.
    pub fn required(&mut self, key: &'static str) -> Option<&'n Node> {
        let found = self.optional(key);
        if found.is_none() {
            self.missing(key);
        }
        found
    }

    fn missing(&self, key: &str) {
        let at = self.span.start;
        let span = Span { start: at, end: Position { line: at.line, column: at.column + 1 } };
        self.cx.error(span, format!("`{key}` is missing"));
    }

    /// Text under `key`, if it is there.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let cx = self.cx.clone();
        self.optional(key)?.text(&cx)
    }

    /// Text under `key`, or an error.
    pub fn required_text(&mut self, key: &'static str) -> Option<String> {
        let cx = self.cx.clone();
        self.required(key)?.text(&cx)
    }

    /// A scalar under `key` as it was written, so that ids may stand without quotes.
    pub fn scalar(&mut self, key: &'static str) -> Option<String> {
        let cx = self.cx.clone();
        let node = self.optional(key)?;
        let text = node.scalar().map(ToOwned::to_owned);
        if text.is_none() {
            node.expected("text", &cx);
        }
        text
    }

    /// True or false under `key`.
    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        let cx = self.cx.clone();
        let node = self.optional(key)?;
        if let Kind::Bool(value) = node.kind {
            return Some(value);
        }
        node.expected("true or false", &cx);
        None
    }

    /// A whole number from `min` to `max` under `key`.
    pub fn integer(&mut self, key: &'static str, min: i64, max: i64) -> Option<i64> {
        let cx = self.cx.clone();
        let node = self.optional(key)?;
        let number = match &node.kind {
            Kind::Number(text) => text.parse::<i64>().ok().filter(|n| (min..=max).contains(n)),
            _ => None,
        };
        if number.is_none() {
            cx.error(node.span, format!("expected a whole number from {min} to {max}"));
        }
        number
    }

    /// One of a closed set of words under `key`.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let cx = self.cx.clone();
        let node = self.optional(key)?;
        let text = node.scalar().unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            cx.unknown(node.span, &format!("{key} value"), text, words.iter().map(|(word, _)| *word));
        }
        found
    }

    /// A list of text under `key`; a single text counts as a list of one. Empty when it is not there.
    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        let cx = self.cx.clone();
        match self.optional(key) {
            Some(Node { kind: Kind::Text(text), .. }) => vec![text.clone()],
            Some(node) => node.items(&cx).iter().filter_map(|item| item.text(&cx)).collect(),
            None => Vec::new(),
        }
    }

    /// Reads and checks `version`: files say which form they have, and newer ones are refused.
    pub fn version(&mut self, known: i64) {
        let cx = self.cx.clone();
        let Some(node) = self.required("version") else { return };
        match &node.kind {
            Kind::Number(text) if text.parse() == Ok(known) => {}
            Kind::Number(text) => cx.error(node.span, format!("version {text} is not one this hub knows ({known})")),
            _ => node.expected("a version number", &cx),
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for (key, _) in self.entries {
            if !self.asked.contains(&key.name.as_str()) {
                self.cx.unknown(key.span, "key", &key.name, self.asked.iter().copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn parse(text: &str) -> (Option<Node>, Vec<String>) {
        let source = Source::new("t.yaml", text);
        let findings = Findings::new();
        let node = read(&source, &findings);
        let lines = findings.into_sorted().iter().map(|f| f.to_string().lines().next().unwrap().to_owned()).collect();
        (node, lines)
    }

    #[test]
    fn scalars_follow_the_core_schema_and_numbers_keep_their_text() {
        let (node, errors) = parse("a: 1.50\nb: no\nc: '1'\nd: ~\ne: true\nf: 007\ng: [1e3, -0.5]\nh: {x: y}\n");
        assert!(errors.is_empty(), "{errors:?}");
        let arena = Arena::new();
        assert_eq!(
            json::to_string(&node.unwrap().to_value(&arena)),
            r#"{"a":1.50,"b":"no","c":"1","d":null,"e":true,"f":"007","g":[1e3,-0.5],"h":{"x":"y"}}"#
        );
    }

    #[test]
    fn every_problem_of_a_file_is_reported_with_its_place() {
        let source = Source::new("t.yaml", "version: 2\nname: 5\nlimit: 99\nkind: quene\nextra: 1\nextra: 2\n");
        let findings = Findings::new();
        let root = read(&source, &findings).unwrap();
        let mut fields = root.fields(&Context::new(&source, &findings)).unwrap();
        fields.version(1);
        fields.required_text("name");
        fields.required_text("id");
        fields.integer("limit", 1, 50);
        fields.word("kind", &[("queue", 1), ("topic", 2)]);
        fields.finish();
        let all = findings.into_sorted();
        let lines: Vec<String> = all.iter().map(|f| f.to_string().lines().next().unwrap().to_owned()).collect();
        assert_eq!(
            lines,
            [
                "t.yaml:1:1: error: `id` is missing",
                "t.yaml:1:10: error: version 2 is not one this hub knows (1)",
                "t.yaml:2:7: error: expected text, found a number",
                "t.yaml:3:8: error: expected a whole number from 1 to 50",
                "t.yaml:4:7: error: unknown kind value `quene`",
                "t.yaml:5:1: error: unknown key `extra`",
                "t.yaml:6:1: error: the key `extra` stands twice",
            ]
        );
    }

    #[test]
    fn what_hides_meaning_is_refused() {
        for (text, wanted) in [
            ("a: &x 1\nb: *x\n", "aliases"),
            ("a: !!str 1\n", "tags"),
            ("a: 1\n---\nb: 2\n", "one document"),
            ("<<: {a: 1}\n", "merge keys"),
            ("a: [1\n", "not YAML"),
            ("{a: 1}: b\n", "a key must be text"),
        ] {
            let (_, errors) = parse(text);
            assert!(errors.iter().any(|e| e.contains(wanted)), "{text:?}: {errors:?}");
        }
    }

    #[test]
    fn places_inside_a_scalar_are_exact() {
        let text = "a: { expr: \"名 & x\" }\nb: plain & y\n";
        let source = Source::new("t.yaml", text);
        let (node, _) = parse(text);
        let node = node.unwrap();
        let Kind::Map(entries) = &node.kind else { panic!() };
        let Kind::Map(inner) = &entries[0].1.kind else { panic!() };
        assert_eq!(inner[0].1.locate(&source, 4, 1).start, Position { line: 1, column: 17 });
        assert_eq!(entries[1].1.locate(&source, 8, 1).start, Position { line: 2, column: 12 });
    }

    proptest! {
        #[test]
        fn any_text_ends_without_panic(text in "[\\[\\]{}:,\\-&*!|>'\"#%@a0 \\n]{0,60}") {
            let _ = parse(&text);
        }
    }
}
