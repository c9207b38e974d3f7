//! Programs that once broke something, or that are easy to get wrong: `corpus/*.txt`, one per line.

use super::generate::Choices;
use super::{properties, world};
use crate::Expr;
use std::path::Path;

/// Inputs: the simplest one, and two with a bit of everything.
const INPUTS: [&[u16]; 3] =
    [&[], &[30_000; 120], &[9_000, 52_000, 17_000, 41_000, 28_000, 60_000, 3_000, 33_000, 48_000, 12_000, 55_000]];

#[test]
fn every_program_of_the_corpus_keeps_its_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut ran = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "txt")) {
        let refused = file.file_stem().is_some_and(|stem| stem == "refused");
        for (index, line) in std::fs::read_to_string(file).unwrap().lines().enumerate() {
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            let place = format!("{}:{}", file.display(), index + 1);
            ran += 1;
            if refused {
                let problems = Expr::compile(line, &world::scope()).expect_err(&place);
                let count = line.chars().count();
                assert!(problems.iter().all(|p| p.len > 0 && p.start <= count), "{place}: a problem without a place");
                continue;
            }
            for input in INPUTS {
                properties::check(line, input).unwrap_or_else(|error| panic!("{place}: {error}"));
            }
        }
    }
    assert!(ran > 40, "only {ran} programs ran: the path is wrong");
    // The inputs are not all alike.
    let arena = hub_tree::Arena::new();
    let first = world::slots(&mut Choices::new(INPUTS[0]), &arena);
    assert_ne!(first, world::slots(&mut Choices::new(INPUTS[1]), &arena));
}
