//! The envelope whose key is a hash: any text, and any message.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz hashed`
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_im::hashed::{open, seal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = open("key", &String::from_utf8_lossy(data));
    let _ = open("key", &STANDARD.encode(data));
    assert_eq!(open("key", &seal("key", [7; 16], data)).as_deref(), Ok(data));
});
