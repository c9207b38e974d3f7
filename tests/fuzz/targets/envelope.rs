//! The envelope with a receiver's id: any text, and any blocks that a holder of the key could have sealed.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz envelope`
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_im::envelope::{AesKey, open, seal};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = AesKey::read(text);
    }
    let Some(key) = AesKey::read(KEY) else { return };
    for text in [String::from_utf8_lossy(data).into_owned(), STANDARD.encode(data)] {
        if let Ok(message) = open(&key, &text) {
            let receiver = String::from_utf8_lossy(&message.receiver);
            let again = open(&key, &seal(&key, [7; 16], &message.text, &receiver)).expect("what is sealed opens");
            assert_eq!(again.text, message.text);
        }
    }
    let (random, message) = data.split_at(data.len().min(16));
    let mut first = [0; 16];
    first[..random.len()].copy_from_slice(random);
    let opened = open(&key, &seal(&key, first, message, "corp")).expect("what is sealed opens");
    assert_eq!((opened.text.as_slice(), opened.receiver.as_slice()), (message, &b"corp"[..]));
});
