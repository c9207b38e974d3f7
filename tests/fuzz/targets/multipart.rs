//! Messages in parts: an envelope that refers to one, around any bytes; what is written is read back.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz multipart`
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_soap::write::{Attachment, envelope, multipart};
use hub_soap::{Message, Rules, Version, read};
use hub_tree::Arena;
use libfuzzer_sys::fuzz_target;

const BODY: &str = "<a><x:Include xmlns:x=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:p\"/></a>";

fuzz_target!(|data: &[u8]| {
    let arena = Arena::new();
    let split = [b"--b\r\nContent-ID: <r>\r\n\r\n".as_slice(), data, b"\r\n--b--"].concat();
    let content_type = Some("multipart/related; boundary=b; start=\"<r>\"");
    let _ = read(&arena, &Message { body: &split, content_type, content_encoding: None }, &Rules::server());

    // A boundary that the bytes do not hold.
    let boundary = "a-boundary-of-a-fuzz-target-0f1e2d3c";
    if data.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
        return;
    }
    let parts = [Attachment { id: "p".to_owned(), bytes: data.to_vec() }];
    let (content_type, body) = multipart(Version::V12, None, &envelope(Version::V12, &[], BODY), &parts, boundary);
    let message = Message { body: &body, content_type: Some(&content_type), content_encoding: None };
    let found = read(&arena, &message, &Rules::client()).map(|envelope| envelope.payload);
    let wanted = STANDARD.encode(data);
    assert_eq!(found.ok().and_then(|value| value.as_text()), Some(wanted.as_str()));
});
