//! Text inside text: URLs, HTML, base64, JSON, and hashes.

use super::{FUNCTION, Function, Kind, MAX_TEXT, required};
use crate::html;
use crate::types::Type;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hub_tree::{Limits, json};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Both alphabets are read, with or without padding: senders agree on neither.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

const JSON_LIMITS: Limits = Limits { max_bytes: MAX_TEXT, max_depth: 64, max_nodes: 100_000 };

const BASE: Function =
    Function { topic: "Encodings", parameters: &[required("text", Kind::Text)], returns: |_| Type::Text, ..FUNCTION };

pub(super) const ALL: &[Function] = &[
    Function {
        name: "url_encode",
        doc: "As a part of a URL: all but letters, digits and - . _ ~ as % and two digits.",
        example: ("url_encode('李 娜')", "\"%E6%9D%8E%20%E5%A8%9C\""),
        errors: &["The result is longer than 1 MiB."],
        run: |call| {
            call.room_for(call.text(0)?.len())?;
            Ok(call.new_text(&utf8_percent_encode(call.text(0)?, RESERVED).to_string()))
        },
        ..BASE
    },
    Function {
        name: "url_decode",
        doc: "A part of a URL as text: % and two digits as what they stand for; + stays.",
        example: ("url_decode('%E6%9D%8E%20a+b')", "\"李 a+b\""),
        errors: &["The result is no UTF-8 text."],
        run: |call| match percent_decode_str(call.text(0)?).decode_utf8() {
            Ok(text) => Ok(call.new_text(&text)),
            Err(_) => call.refuse(0, "it does not stand for UTF-8 text"),
        },
        ..BASE
    },
    Function {
        name: "html_text",
        doc: "The text of HTML: without tags, comments, scripts and styles, entities as what they stand for, a line for each block.",
        example: ("html_text('<p>R&amp;D<br>Shanghai</p>')", "\"R&D\\nShanghai\""),
        run: |call| Ok(call.new_text(&html::text(call.text(0)?))),
        ..BASE
    },
    Function {
        name: "base64_encode",
        doc: "The UTF-8 bytes of the text in base64.",
        example: ("base64_encode('李娜')", "\"5p2O5aic\""),
        errors: &["The result is longer than 1 MiB."],
        run: |call| {
            call.room_for(call.text(0)?.len() / 3 * 4)?;
            Ok(call.new_text(&STANDARD.encode(call.text(0)?)))
        },
        ..BASE
    },
    Function {
        name: "base64_decode",
        doc: "The UTF-8 text that base64 stands for; in the alphabet of URLs too, padded or not.",
        example: ("base64_decode('5p2O5aic')", "\"李娜\""),
        errors: &["The text is no base64.", "The bytes are no UTF-8 text."],
        run: |call| {
            let encoded = call.text(0)?;
            let bytes = PLAIN.decode(encoded).or_else(|_| URL_SAFE.decode(encoded));
            let Ok(bytes) = bytes else { return call.refuse(0, "the text is no base64") };
            match std::str::from_utf8(&bytes) {
                Ok(text) => Ok(call.new_text(text)),
                Err(_) => call.refuse(0, "it does not stand for UTF-8 text"),
            }
        },
        ..BASE
    },
    Function {
        name: "parse_json",
        returns: |_| Type::Any,
        doc: "The value that JSON text stands for.",
        example: ("parse_json('{\"id\": 7}').id", "7"),
        errors: &["The text is no JSON.", "It is longer than 1 MiB, or has more than 100,000 values."],
        run: |call| {
            let text = call.text(0)?;
            call.spend(text.len() / 4);
            let value = json::read(call.arena, text.as_bytes(), JSON_LIMITS);
            value.or_else(|error| call.refuse(0, format!("the text is no JSON: {error}")))
        },
        ..BASE
    },
    Function {
        name: "to_json",
        parameters: &[required("value", Kind::Any)],
        doc: "A value as JSON text.",
        example: ("to_json(['a', 1.50])", "\"[\\\"a\\\",1.50]\""),
        errors: &["The result is longer than 1 MiB."],
        run: |call| {
            call.weigh(call.value(0))?;
            let text = json::to_string(&call.value(0));
            call.room_for(text.len())?;
            Ok(call.new_text(&text))
        },
        ..BASE
    },
    Function {
        name: "sha256",
        doc: "The SHA-256 of the text's UTF-8 bytes, 64 hex digits: equal texts have equal ones, in every run.",
        example: ("left(sha256('HX0311'), 8)", "\"a14550fb\""),
        run: |call| Ok(call.new_text(&hex::encode(Sha256::digest(call.text(0)?)))),
        ..BASE
    },
];
