use super::*;
use crate::json;
use proptest::prelude::*;
use proptest::strategy::Union;
use std::io::Read;

fn tree(text: &str) -> Result<String, String> {
    let arena = Arena::new();
    read(&arena, text.as_bytes(), Limits::default()).map(|v| json::to_string(&v)).map_err(|e| e.to_string())
}

#[test]
fn elements_attributes_and_text_become_the_tree_of_json() {
    for (text, wanted) in [
        ("<a/>", r#"{"a":""}"#),
        ("<a></a>", r#"{"a":""}"#),
        ("<a> 007 </a>", r#"{"a":" 007 "}"#),
        ("<a>\n <b>1</b>\n</a>\n", r#"{"a":{"b":"1"}}"#),
        ("<a x='1' y=\"2\"/>", r#"{"a":{"@x":"1","@y":"2"}}"#),
        ("<a x='1'>t</a>", r##"{"a":{"@x":"1","#text":"t"}}"##),
        ("<a>t<b/> u</a>", r##"{"a":{"#text":"t u","b":""}}"##),
        ("<a><b>1</b><c/><b>2</b></a>", r#"{"a":{"b":["1","2"],"c":""}}"#),
        ("<a><b>x&amp;<![CDATA[<y>&]]>&#x674e;<!-- c -->z</b></a>", r#"{"a":{"b":"x&<y>&李z"}}"#),
        ("<a>1\r\n2\r3</a>", r#"{"a":"1\n2\n3"}"#),
        ("<a> <![CDATA[ ]]> <b/></a>", r##"{"a":{"#text":"   ","b":""}}"##),
        ("<n:a xmlns:n='u'><n:b/><b/></n:a>", r#"{"a":{"b":["",""]}}"#),
        ("<a xmlns='u' xml:lang='zh'>t</a>", r##"{"a":{"@lang":"zh","#text":"t"}}"##),
        ("<?xml version='1.0'?><?p x?><a/><!-- end -->", r#"{"a":""}"#),
        ("<姓名>李娜</姓名>", r#"{"姓名":"李娜"}"#),
    ] {
        assert_eq!(tree(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn nil_is_known_by_its_namespace_and_never_loses_what_stands_beside_it() {
    let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
    for (text, wanted) in [
        (format!("<a {xsi}><b i:nil='true'/><c i:nil=' 1 '> </c></a>"), Ok(r#"{"a":{"b":null,"c":null}}"#)),
        (format!("<a {xsi}><b i:nil='false'>x</b></a>"), Ok(r#"{"a":{"b":"x"}}"#)),
        (format!("<a {xsi}><b id='1' i:nil='true'/></a>"), Ok(r##"{"a":{"b":{"@id":"1","#text":null}}}"##)),
        ("<a xmlns:xsi='other'><b xsi:nil='true'/></a>".to_owned(), Ok(r#"{"a":{"b":{"@nil":"true"}}}"#)),
        ("<a nil='true'/>".to_owned(), Ok(r#"{"a":{"@nil":"true"}}"#)),
        (format!("<a {xsi} i:nil='true'>x</a>"), Err("an element with xsi:nil=\"true\" must be empty")),
        (format!("<a {xsi} i:nil='yes'/>"), Err("xsi:nil must be true or false")),
    ] {
        match wanted {
            Ok(wanted) => assert_eq!(tree(&text).as_deref(), Ok(wanted), "{text}"),
            Err(wanted) => assert!(tree(&text).unwrap_err().contains(wanted), "{text}"),
        }
    }
}

#[test]
fn what_is_no_xml_is_refused_with_its_place() {
    for (text, wanted) in [
        ("", "there is no root element at line 1, column 1"),
        ("<a>\n<b>\n</a>", "expected `</b>` but found `</a>` at line 3, column 1"),
        ("<a>", "the document ends too early: 1 element(s) are still open at line 1, column 4"),
        ("<a/>\n<b/>", "a second root element at line 2, column 1"),
        ("<a/> x", "text after the root element at line 1, column 6"),
        ("x<a/>", "text before the root element at line 1, column 1"),
        ("&amp;<a/>", "text outside the root element"),
        ("<a/></a>", "`</a>` ends an element that was not begun at line 1, column 5"),
        ("<a>李<n:b/></a>", "the prefix `n` is bound to no namespace at line 1, column 6"),
        ("<a n:b=''/>", "the prefix `n` is bound to no namespace at line 1, column 4"),
        ("<a><b xmlns:n='u'/><n:c/></a>", "the prefix `n` is bound to no namespace at line 1, column 21"),
        ("<a xmlns:n=''/>", "must be bound to a name"),
        ("<a>&nbsp;</a>", "an entity that XML does not define"),
        ("<a>a & b</a>", "`&` must be written `&amp;`"),
        ("<a>]]></a>", "must be written `]]&gt;`"),
        ("<a>\u{1}</a>", "the character U+0001 is forbidden in XML at line 1, column 4"),
        ("<a>\u{FFFE}</a>", "the character U+FFFE is forbidden"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "a DOCTYPE is refused"),
        ("<!DOCTYPE a [", "a DOCTYPE is refused"),
        ("<!DOCTYPE", "a DOCTYPE is refused"),
        ("<a><!-- a -- b --></a>", "`--` inside a comment"),
        ("<a><!-- a", "a comment without `-->`"),
        ("<a><![CDATA[ a", "a CDATA section without `]]>`"),
        ("<a b='1", "has no closing quote"),
        (" <?xml version='1.0'?><a/>", "an XML declaration anywhere but at the very start"),
        ("<?xml encoding='utf-8'?><a/>", "must begin with version"),
        ("<?xml version='1.0' encoding='klingon'?><a/>", "the encoding `klingon` is not known at line 1, column 21"),
        ("\u{FEFF}\u{FEFF}<a/>", "text before the root element"),
        ("<a></a b='1'>", "expected `</a>` but found"),
    ] {
        let error = tree(text).unwrap_err();
        assert!(error.contains(wanted), "{text:?}: {error}");
    }
}

#[test]
fn encodings_are_found_by_mark_then_by_what_was_told_then_by_declaration() {
    let arena = Arena::new();
    let read = |bytes: &[u8], told: Option<&str>| {
        let bytes = arena.bytes(bytes);
        read_as(&arena, bytes, told.and_then(Encoding::of_label), Limits::default()).map(|v| json::to_string(&v))
    };
    let wanted = Ok(r#"{"a":"李"}"#.to_owned());
    let wide = |text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
    };
    let declared = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>李</a>";
    assert_eq!(read(&wide(declared, b"\xFF\xFE", u16::to_le_bytes), None), wanted);
    assert_eq!(read(&wide(declared, b"\xFE\xFF", u16::to_be_bytes), Some("utf-8")), wanted);
    assert_eq!(read(&wide(declared, b"", u16::to_le_bytes), None), wanted);
    assert_eq!(read(&wide(declared, b"", u16::to_be_bytes), None), wanted);
    assert_eq!(read(declared.as_bytes(), None), wanted);
    let gb = b"<?xml version=\"1.0\" encoding=\"GB2312\"?><a>\xC0\xEE</a>";
    assert_eq!(read(gb, None), wanted);
    assert_eq!(read(b"<a>\xC0\xEE</a>", Some("gbk")), wanted);
    assert!(read(gb, Some("utf-8")).unwrap_err().message.contains("not UTF-8"));
    assert!(read(b"<a>\xC0\xEE</a>", None).unwrap_err().message.contains("not UTF-8"));
}

#[test]
fn limits_hold() {
    let arena = Arena::new();
    let limits = Limits { max_bytes: 60, max_depth: 3, max_nodes: 5 };
    let read = |text: &'static str| read(&arena, text.as_bytes(), limits).map_err(|e| e.message);
    assert!(read("<a><b><c/></b></a>").is_ok());
    assert!(read("<a><b><c><d/></c></b></a>").unwrap_err().contains("deeper than 3"));
    assert!(read("<a b=''><c/><c/><c/></a>").is_ok());
    assert!(read("<a b=''><c/><c/><c/>t</a>").unwrap_err().contains("more than 5"));
    assert!(
        read("<a>0123456789012345678901234567890123456789012345678901234</a>").unwrap_err().contains("longer than 60")
    );
    let prefixes: String = (0..200).map(|i| format!(" xmlns:p{i}='u'")).collect();
    assert!(tree(&format!("<a{prefixes}/>")).unwrap_err().contains("more than 128 namespace prefixes"));
    assert!(tree(&"<a>".repeat(100_000)).is_err());
}

/// The records of a document and the error that ended it.
fn streamed(bytes: &[u8], element: &str) -> (Vec<String>, Option<String>) {
    let mut found = Vec::new();
    let mut records = match records(bytes, element, Limits::default()) {
        Ok(records) => records,
        Err(error) => return (found, Some(error.to_string())),
    };
    loop {
        match records.next_record() {
            Ok(Some(record)) => found.push(json::to_string(&record.value)),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error.to_string())),
        }
    }
}

#[test]
fn records_are_found_by_name_or_by_path() {
    let text = b"<e:E xmlns:e='u'><w>0</w><B><w i='1'>x</w>\n<o><w>2</w></o><w/><w><w>3</w></w></B></e:E>";
    let all = vec![r#""0""#, r##"{"@i":"1","#text":"x"}"##, r#""2""#, r#""""#, r#"{"w":"3"}"#];
    assert_eq!(streamed(text, "w").0, all);
    assert_eq!(streamed(text, "E.B.w").0, [all[1], all[3], all[4]]);
    assert_eq!(streamed(text, "E.B.o.w").0, [all[2]]);
    assert_eq!(streamed(text, "B.w"), (vec![], None));
    let mut records = records(&text[..], "E.B.w", Limits::default()).unwrap();
    assert_eq!(records.next_record().unwrap().map(|r| (r.number, r.line)), Some((1, 1)));
    assert_eq!(records.next_record().unwrap().map(|r| (r.number, r.line)), Some((2, 2)));
}

#[test]
fn a_stream_ends_with_the_error_of_the_document() {
    let (found, error) = streamed(b"<a><b>1</b>\n<b>2</c></a>", "b");
    assert_eq!((found.len(), error.as_deref()), (1, Some("expected `</b>` but found `</c>` at line 2, column 5")));
    let (found, error) = streamed(b"<a><b>1</b>\n\xFF</a>", "b");
    assert_eq!((found.len(), error.as_deref()), (1, Some("the bytes are not UTF-8 at line 2, column 1")));
    let (found, error) = streamed(b"<a><b>1</b></a><a/>", "b");
    assert_eq!((found.len(), error.as_deref()), (1, Some("a second root element at line 1, column 16")));
    let limits = Limits { max_bytes: 50, ..Limits::default() };
    let long = format!("<a>{}<b>{}</b></a>", "<c>x</c>".repeat(100), "y".repeat(60));
    let mut records = records(long.as_bytes(), "b", limits).unwrap();
    assert!(records.next_record().unwrap_err().message.contains("one record is longer than 50 bytes"));
    assert!(records.next_record().unwrap().is_none());
}

/// A document of any length that is made while it is read.
pub(super) struct Made {
    pub(super) records: usize,
    pub(super) at: usize,
    pub(super) left: Vec<u8>,
}

impl Read for Made {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.left.is_empty() && self.at <= self.records + 1 {
            let text = match self.at {
                0 => "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><Workers>\n".to_owned(),
                at if at <= self.records => format!(
                    "<Worker id='{at}'><Name>Worker {at}</Name><Pay>{at}.10</Pay><Tag>a</Tag><Tag>&lt;b&gt;</Tag></Worker>\n"
                ),
                _ => "</Workers></s:Body></s:Envelope>".to_owned(),
            };
            self.left = text.into_bytes();
            self.at += 1;
        }
        let read = out.len().min(self.left.len());
        out[..read].copy_from_slice(&self.left[..read]);
        self.left.drain(..read);
        Ok(read)
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_records() {
    let largest = |count: usize| {
        let made = Made { records: count, at: 0, left: Vec::new() };
        let mut records = records(made, "Envelope.Body.Workers.Worker", Limits::default()).unwrap();
        let (mut seen, mut largest) = (0, 0);
        while let Some(record) = records.next_record().unwrap() {
            seen += 1;
            assert_eq!(record.value.get("Pay").as_text(), Some(format!("{seen}.10").as_str()));
            largest = largest.max(records.allocated_bytes());
        }
        assert_eq!(seen, count);
        largest
    };
    let few = largest(100);
    assert!(few < 16 << 10, "{few}");
    assert!(largest(20_000) <= few * 2);
}

/// Names with which a generated document has lists, deep paths and Chinese.
const NAMES: [&str; 5] = ["a", "b", "Worker", "姓名", "x-1.y"];

/// Trees of the shape that the reader gives.
#[derive(Clone, Debug)]
enum Shape {
    Null,
    Text(String),
    Parts { attributes: Vec<(usize, String)>, text: Option<Option<String>>, children: Vec<(usize, Vec<Shape>)> },
}

impl Shape {
    fn value<'a>(&self, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(arena.text(text)),
            Self::Parts { attributes, text, children } => {
                let mut entries = Vec::new();
                for (name, value) in attributes {
                    entries.push((arena.format(format_args!("@{}", NAMES[*name])), Value::Text(arena.text(value))));
                }
                match text {
                    Some(Some(text)) if !text.is_empty() => entries.push(("#text", Value::Text(arena.text(text)))),
                    Some(None) if children.is_empty() && !attributes.is_empty() => entries.push(("#text", Value::Null)),
                    _ => {}
                }
                for (name, items) in children {
                    let items: Vec<Value<'a>> = items.iter().map(|item| item.value(arena)).collect();
                    let value = if let [one] = items.as_slice() { *one } else { arena.list(&items) };
                    entries.push((NAMES[*name], value));
                }
                match entries.as_slice() {
                    [] => Value::Text(""),
                    [("#text", value)] => *value,
                    _ => arena.map(&entries),
                }
            }
        }
    }
}

/// Text of any characters that XML has, with many of the awkward ones.
fn any_text() -> impl Strategy<Value = String> {
    let letters = Union::new([
        proptest::char::any().prop_filter("XML has it", |c| tag::is_allowed(*c)).boxed(),
        proptest::sample::select(vec!['<', '>', '&', '"', '\'', '\r', '\n', '\t', ' ', ']', '李', '\u{85}']).boxed(),
    ]);
    proptest::collection::vec(letters, 0..8).prop_map(|letters| letters.into_iter().collect())
}

fn distinct<T: Clone>(named: Vec<(usize, T)>) -> Vec<(usize, T)> {
    let mut seen = std::collections::BTreeSet::new();
    named.into_iter().filter(|(name, _)| seen.insert(*name)).collect()
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let leaf = Union::new([Just(Shape::Null).boxed(), any_text().prop_map(Shape::Text).boxed()]);
    leaf.prop_recursive(4, 40, 4, |inner| {
        let attributes = proptest::collection::vec((0..NAMES.len(), any_text()), 0..3).prop_map(distinct);
        let text = proptest::option::of(proptest::option::of(any_text()));
        let items = proptest::collection::vec(inner, 1..4);
        let children = proptest::collection::vec((0..NAMES.len(), items), 0..4).prop_map(distinct);
        (attributes, text, children).prop_map(|(attributes, text, children)| Shape::Parts {
            attributes,
            text,
            children,
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(shape in any_shape(), declaration: bool) {
        let arena = Arena::new();
        let wanted = arena.map(&[("根", shape.value(&arena))]);
        let text = write(&wanted, declaration).unwrap();
        let found = read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap();
        prop_assert_eq!(json::to_string(&found), json::to_string(&wanted), "{}", text);
        prop_assert_eq!(write(&found, declaration).unwrap(), text);
    }

    /// The items of a stream are those of the tree of the whole document.
    #[test]
    fn a_stream_gives_what_the_whole_gives(shapes in proptest::collection::vec(any_shape(), 2..5)) {
        let arena = Arena::new();
        let items: Vec<Value<'_>> = shapes.iter().map(|shape| shape.value(&arena)).collect();
        let text = write(&arena.map(&[("根", arena.map(&[("item", arena.list(&items))]))]), true).unwrap();
        let wanted: Vec<String> = items.iter().map(json::to_string).collect();
        prop_assert_eq!(streamed(text.as_bytes(), "根.item"), (wanted, None));
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let arena = Arena::new();
        let whole = read(&arena, &bytes, Limits::default());
        prop_assert_eq!(streamed(&bytes, "absent").1.is_some(), whole.is_err());
    }

    #[test]
    fn any_markup_ends_and_a_stream_ends_with_the_same_error(pieces in proptest::collection::vec(
        proptest::sample::select(MARKUP.to_vec()), 0..16,
    )) {
        let text = pieces.concat();
        let arena = Arena::new();
        let whole = read(&arena, text.as_bytes(), Limits::default()).err().map(|e| e.to_string());
        prop_assert_eq!(streamed(text.as_bytes(), "absent").1, whole.clone(), "{}", text);
        // Inside a record nothing else is accepted than in the whole.
        prop_assert_eq!(streamed(text.as_bytes(), "a").1, whole, "{}", text);
    }
}

/// Pieces that make and break documents.
const MARKUP: [&str; 34] = [
    "<a>",
    "<a>",
    "</a>",
    "</a>",
    "<b>",
    "</b>",
    "<b/>",
    "<a x='1'>",
    "<a x=\"1\" x=\"2\"/>",
    "<n:a xmlns:n='u'>",
    "</n:a>",
    "<n:b/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<?xml version='1.0'?>",
    "<!",
    "<!DOCTYPE a",
    "&amp;",
    "&#65;",
    "&#",
    ";",
    "&",
    "<",
    ">",
    "'",
    "\r\n",
    " ",
    "李",
    "x",
    "=",
];
