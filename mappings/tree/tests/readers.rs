//! The readers against files and against damage.
//!
//! `corpus/xml/<name>.xml` stands beside `<name>.json`, the tree that it must give or `{"error": "line:column what"}`.
//! `BLESS=1` rewrites the expectations; read the diff before committing it. `PROPTEST_CASES` sets how much damage is
//! tried.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hub_tree::reader::{self, Kind};
use hub_tree::{Arena, Limits, ReadError, Value, csv, env, json, xml};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents of the corpus.
fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/xml");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "xml"));
    found.sort();
    assert!(found.len() >= 25, "the corpus was not found");
    found
}

fn as_json(result: &Result<Value<'_>, ReadError>) -> String {
    match result {
        Ok(tree) => json::to_pretty(tree),
        Err(error) => {
            let arena = Arena::new();
            let shown = format!("{}:{} {}", error.line, error.column, error.message);
            json::to_pretty(&arena.map(&[("error", Value::Text(&shown))]))
        }
    }
}

#[test]
fn every_document_gives_the_tree_or_the_error_beside_it() {
    let bless = env::read("BLESS").is_some();
    let mut wrong = Vec::new();
    for path in corpus() {
        let arena = Arena::new();
        let bytes = fs::read(&path).unwrap();
        let found = as_json(&xml::read(&arena, &bytes, Limits::default()));
        let expected = path.with_extension("json");
        if bless {
            fs::write(&expected, &found).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_tree_of_the_corpus_can_be_written_and_streamed() {
    let mut read = 0;
    for path in corpus() {
        let arena = Arena::new();
        let bytes = fs::read(&path).unwrap();
        let Ok(tree) = xml::read(&arena, &bytes, Limits::default()) else {
            continue;
        };
        check_written(&tree);
        let [(root, value)] = tree.entries() else { panic!("{}: not one root", path.display()) };
        let mut records = xml::records(bytes.as_slice(), root, Limits::default()).unwrap();
        let record = records.next_record().unwrap().map(|record| json::to_string(&record.value));
        assert_eq!(record, Some(json::to_string(value)), "{}", path.display());
        assert!(records.next_record().unwrap().is_none());
        read += 1;
    }
    assert!(read >= 15, "{read}");
}

/// Whatever the reader gives can be written and read again.
fn check_written(tree: &Value<'_>) {
    let arena = Arena::new();
    // Attributes of one local name in two namespaces are a list, which no attribute can hold.
    let Ok(text) = xml::write(tree, true) else {
        assert!(json::to_string(tree).contains("\":["), "cannot be written: {}", json::to_string(tree));
        return;
    };
    let again = xml::read(&arena, text.as_bytes(), Limits::default()).unwrap();
    assert_eq!(json::to_string(&again), json::to_string(tree), "{text}");
}

/// How many values a tree has, and how deep they lie.
fn size(value: &Value<'_>) -> (usize, usize) {
    let parts = value.items().iter().chain(value.entries().iter().map(|(_, value)| value));
    parts.map(size).fold((1, 1), |(count, depth), (more, below)| (count + more, depth.max(below + 1)))
}

/// One way to damage a document.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let pieces =
        ["<", ">", "&", "\"", "]]>", "<!--", "<a>", "</a>", "\u{0}", "李", "%", "=", ",", "\n", "{", "[", "1e9"];
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(a, b)| Damage::Remove(a, b)),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(a, b)| Damage::Repeat(a, b)),
        any::<(prop::sample::Index, u8)>().prop_map(|(at, mask)| Damage::Flip(at, mask)),
        (any::<prop::sample::Index>(), prop::sample::select(pieces.to_vec()))
            .prop_map(|(at, piece)| Damage::Insert(at, piece)),
    ]
}

fn damage(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let range = |a: &prop::sample::Index, b: &prop::sample::Index| {
        let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
        a.min(b)..a.max(b)
    };
    match damage {
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Remove(a, b) => drop(bytes.drain(range(a, b))),
        Damage::Repeat(a, b) => {
            let range = range(a, b);
            let piece = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, piece);
        }
        Damage::Flip(at, mask) => {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        Damage::Insert(at, piece) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, piece.bytes());
        }
    }
}

/// Documents of every kind to be damaged: the corpus, and one of each other kind.
fn documents() -> Vec<(Kind, Vec<u8>)> {
    let mut documents: Vec<_> = corpus().iter().map(|path| (Kind::Xml, fs::read(path).unwrap())).collect();
    let mut add = |kind: Kind, text: &str| documents.push((kind, text.as_bytes().to_vec()));
    add(Kind::Json, r#"{"name":"李娜 \u674e\n","list":[1,-2.50,1e9,true,null,{"a":[[]]}],"b":{}}"#);
    add(Kind::Form, "name=%E6%9D%8E+%e5%a8%9c&tag=a&tag=b&empty=&bare&a[b]=1");
    add(Kind::Csv, "name,note,id\r\n李娜,\"a \"\"b\"\"\nc\",007\r\n\r\nWang,,1\r\n");
    documents
}

const SMALL: Limits = Limits { max_bytes: 4096, max_depth: 12, max_nodes: 60 };

proptest! {
    #[test]
    fn damaged_documents_are_refused_or_read_within_limits(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec(any_damage(), 0..6),
    ) {
        let (kind, mut bytes) = which.get(&documents()).clone();
        for one in &damages {
            damage(&mut bytes, one);
        }
        let arena = Arena::new();
        match reader::read(kind, &arena, &bytes, SMALL) {
            Ok(tree) => {
                let (count, depth) = size(&tree);
                // Repeated elements and fields, rows and the object around the root are not counted by themselves.
                prop_assert!(count <= 2 * SMALL.max_nodes + 2, "{} values", count);
                prop_assert!(depth <= 2 * SMALL.max_depth + 2, "{} levels", depth);
                prop_assert!(arena.allocated_bytes() <= 1 << 20);
                if kind == Kind::Xml {
                    check_written(&tree);
                }
            }
            Err(error) => {
                let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
                prop_assert!(error.line >= 1 && error.line <= lines && error.column >= 1);
                prop_assert!(error.column <= bytes.len() + 1);
                prop_assert!(error.message.len() < 400, "{}", error.message);
            }
        }
        // The same bytes as a stream.
        match kind {
            Kind::Xml => if let Ok(mut records) = xml::records(bytes.as_slice(), "a", SMALL) {
                while let Ok(Some(_)) = records.next_record() {}
            },
            Kind::Csv => if let Ok(mut rows) = csv::rows(bytes.as_slice(), csv::Options::default(), SMALL) {
                while let Ok(Some(_)) = rows.next_row() {}
            },
            Kind::Json | Kind::Form => {}
        }
    }

    #[test]
    fn any_bytes_end_in_every_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for kind in [Kind::Json, Kind::Xml, Kind::Form, Kind::Csv] {
            let arena = Arena::new();
            let _ = reader::read(kind, &arena, &bytes, SMALL);
        }
    }
}
