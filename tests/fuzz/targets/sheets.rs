//! Spreadsheets and CSV files: any bytes are rows or a reason.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz sheets tests/golden/files`
#![no_main]

use hub_files::{Choice, Context, Limits, Mode, Nothing, Target, check, open, table};
use hub_tree::jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { max_unpacked: 4 << 20, max_rows: 5_000, max_cells: 100_000, ..Limits::default() };
    let target = Target::built_in("employee").expect("it ships");
    let Ok(mut book) = open(data, "x.xls", limits) else { return };
    for sheet in 0..book.sheets().len().min(5) {
        let _ = book.grid(sheet);
    }
    if let Ok(table) = table(&mut book, Some(target), &Choice::default()) {
        let checked = check(&table, target, &Context::new(date(2026, 1, 15), Mode::Insert, &Nothing));
        for row in &checked.rows {
            checked.json(row);
        }
    }
});
