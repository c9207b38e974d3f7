//! SOAP messages: any bytes with any content type and coding, to whichever end; and parts beside an envelope.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz soap`
#![no_main]

use hub_soap::{Message, Rules, read};
use hub_tree::{Arena, json};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 8] = [
    "text/xml",
    "text/xml; charset=utf-16",
    "text/xml; charset=gb18030",
    "application/soap+xml; charset=utf-8; action=\"a\"",
    "multipart/related; boundary=b",
    "multipart/related; boundary=\"b\"; start=\"<r>\"; type=\"application/xop+xml\"",
    "text/xml; charset=ISO-8859-1",
    "application/json",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let coding = match first >> 6 {
        0 => Some("gzip"),
        1 => Some("deflate"),
        _ => None,
    };
    let content_type = TYPES.get(usize::from(first & 7)).copied();
    let message = Message { body, content_type, content_encoding: coding };
    for rules in [Rules::server(), Rules { empty_body: true, ..Rules::client() }] {
        let arena = Arena::new();
        if let Ok(envelope) = read(&arena, &message, &rules) {
            let _ = json::to_string(&envelope.payload);
            if let Some(fault) = &envelope.fault {
                let _ = (fault.class(), fault.vendor_code());
            }
        }
    }
});
