//! The shape of a payload: its names, and of each value what kind of value it is. Never a value.

use hub_kit::hook::read_opened;
use hub_tree::{Arena, Value, json};

/// Items of a list that are shown; the others are counted.
const ITEMS: usize = 20;
/// A longer name, or one with these letters in it, may be somebody's.
const LONGEST_NAME: usize = 60;

/// The shape of a body, JSON or XML, as JSON. A body that is neither is told in one line.
#[must_use]
pub fn of(body: &[u8]) -> String {
    let arena = Arena::new();
    let shape = match read_opened(&arena, body) {
        Ok(value) => shape(&arena, value),
        Err(_) => Value::Text(arena.text(&unread(body))),
    };
    json::to_string(&shape)
}

/// The shape of a text.
#[must_use]
pub fn text(text: &str) -> String {
    format!("text({})", text.chars().count())
}

fn unread(body: &[u8]) -> String {
    let (kind, begins) = match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return "no text at all".to_owned(),
        Some(b'<') => ("XML", "as XML does"),
        Some(b'{' | b'[') => ("JSON", "as JSON does"),
        Some(_) => ("JSON", "as neither JSON nor XML does"),
    };
    format!("{} bytes that are no {kind} and begin {begins}", body.len())
}

fn shape<'a>(arena: &'a Arena, value: Value<'a>) -> Value<'a> {
    match value {
        Value::Map(map) => {
            let entries: Vec<(&'a str, Value<'a>)> =
                map.entries().iter().map(|(name, value)| (shown_name(arena, name), shape(arena, *value))).collect();
            arena.map(&entries)
        }
        Value::List(items) => {
            let mut shapes: Vec<Value<'a>> = items.iter().take(ITEMS).map(|item| shape(arena, *item)).collect();
            if items.len() > ITEMS {
                shapes.push(Value::Text(arena.text(&format!("and {} more", items.len() - ITEMS))));
            }
            arena.list(&shapes)
        }
        Value::Text(value) => Value::Text(arena.text(&text(value))),
        Value::Null => Value::Null,
        Value::Bool(_) => Value::Text("true or false"),
        Value::Absent => Value::Absent,
        _ => Value::Text("number"),
    }
}

/// A field's name; what looks like a value in the place of a name is masked, too.
fn shown_name<'a>(arena: &'a Arena, name: &'a str) -> &'a str {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let odd = name.contains('@') || digits > 5 || name.chars().count() > LONGEST_NAME;
    if odd { arena.text(&format!("name({})", name.chars().count())) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_values_go() {
        let body = r#"{"name":"李娜","age":34,"tags":["a","bc"],"ok":true,"none":null,"li.na@example.com":{"手机":"+86 138"}}"#;
        assert_eq!(
            of(body.as_bytes()),
            r#"{"name":"text(2)","age":"number","tags":["text(1)","text(2)"],"ok":"true or false","none":null,"name(17)":{"手机":"text(7)"}}"#
        );
    }

    #[test]
    fn what_is_neither_json_nor_xml_is_told_without_a_word_of_it() {
        assert_eq!(of(b"<a>Li Na</b>"), r#""12 bytes that are no XML and begin as XML does""#);
        assert_eq!(of(b"{\"name\": \"Li"), r#""12 bytes that are no JSON and begin as JSON does""#);
        assert_eq!(of(b"\xff\xfe"), r#""2 bytes that are no JSON and begin as neither JSON nor XML does""#);
    }

    #[test]
    fn xml_is_shown_below_its_root() {
        assert_eq!(of("<xml><Name>李娜</Name><Id>7</Id></xml>".as_bytes()), r#"{"Name":"text(2)","Id":"text(1)"}"#);
    }

    #[test]
    fn a_long_list_is_counted() {
        let body = format!("[{}]", vec!["1"; 25].join(","));
        assert!(of(body.as_bytes()).ends_with(r#""number","and 5 more"]"#));
    }
}
