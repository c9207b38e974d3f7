//! Mappings that once broke something, or that are easy to get wrong: `corpus/<name>.yaml` with its payload in
//! `<name>.json`; what lies over it is `<name>.layer.yaml`.

use super::total::{check, on_small_stack};
use std::fs;
use std::path::Path;

#[test]
fn every_mapping_of_the_corpus_keeps_its_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut ran = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        let payload = fs::read_to_string(file).unwrap();
        let mut texts = vec![fs::read_to_string(file.with_extension("yaml")).unwrap()];
        texts.extend(fs::read_to_string(file.with_extension("layer.yaml")).ok());
        let place = file.display().to_string();
        on_small_stack(move || {
            let ran = check(&texts, &payload).unwrap_or_else(|error| panic!("{place}: {error}"));
            // A mapping that does not compile proves only that it is refused: its name says so.
            assert_eq!(ran, !place.contains("refused"), "{place}");
        });
        ran += 1;
    }
    assert!(ran > 5, "only {ran} mappings ran: the path is wrong");
}
