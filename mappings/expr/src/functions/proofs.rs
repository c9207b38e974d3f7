//! Hashes and keyed proofs, as vendors want requests signed. Values of the language hold no raw bytes: bytes are hex
//! digits, small ones when they are made here, and functions that take bytes say so.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use hub_tree::Value;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// Both alphabets are read, with or without padding: senders agree on neither.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

const NO_HEX: &str = "The bytes are not written as hex digits.";
const NO_ALGORITHM: &str = "The algorithm is not 'sha1', 'sha256' or 'sha512'.";
const NO_HASH: &str = "The algorithm is not 'md5', 'sha1', 'sha256' or 'sha512'.";
const NO_KEY: &str = "The key has not 16, 24 or 32 bytes, or the vector not 16.";
const NO_FORM: &str = "The form is neither 'text' nor 'hex'.";

const BASE: Function = Function { topic: "Bytes and proofs", parameters: &[], returns: |_| Type::Text, ..FUNCTION };

pub(super) const ALL: &[Function] = &[
    Function {
        name: "hex_encode",
        parameters: &[required("text", Kind::Text)],
        doc: "The UTF-8 bytes of the text as hex digits.",
        example: ("hex_encode('李a')", "\"e69d8e61\""),
        errors: &["The result is longer than 1 MiB."],
        run: |call| {
            call.room_for(call.text(0)?.len() * 2)?;
            Ok(call.new_text(&hex::encode(call.text(0)?)))
        },
        ..BASE
    },
    Function {
        name: "hex_decode",
        parameters: &[required("hex", Kind::Text)],
        doc: "The UTF-8 text whose bytes are written as hex digits.",
        example: ("hex_decode('e69d8e61')", "\"李a\""),
        errors: &[NO_HEX, "The bytes are no UTF-8 text."],
        run: |call| match std::str::from_utf8(&bytes(call, 0)?) {
            Ok(text) => Ok(call.new_text(text)),
            Err(_) => call.refuse(0, "it does not stand for UTF-8 text"),
        },
        ..BASE
    },
    Function {
        name: "base64_of_hex",
        parameters: &[required("hex", Kind::Text)],
        doc: "Bytes that are written as hex digits, in base64.",
        example: ("base64_of_hex('00ff10')", "\"AP8Q\""),
        errors: &[NO_HEX],
        run: |call| Ok(call.new_text(&STANDARD.encode(bytes(call, 0)?))),
        ..BASE
    },
    Function {
        name: "base64_url",
        parameters: &[required("base64", Kind::Text)],
        doc: "Base64 in the alphabet of URLs, without padding (RFC 4648, section 5; tokens such as JWT have it).",
        example: ("base64_url('+/8=')", "\"-_8\""),
        errors: &[],
        run: |call| {
            let url = |letter: char| match letter {
                '+' => '-',
                '/' => '_',
                other => other,
            };
            let text: String = call.text(0)?.trim_end_matches('=').chars().map(url).collect();
            Ok(call.new_text(&text))
        },
        ..BASE
    },
    Function {
        name: "hex_of_base64",
        parameters: &[required("base64", Kind::Text)],
        doc: "The bytes that base64 stands for as hex digits; the alphabet of URLs is read too, padded or not.",
        example: ("hex_of_base64('AP8Q')", "\"00ff10\""),
        errors: &["The text is no base64.", "The result is longer than 1 MiB."],
        run: |call| {
            let encoded = call.text(0)?;
            call.room_for(encoded.len() / 2 * 3)?;
            let bytes = PLAIN.decode(encoded).or_else(|_| URL_SAFE.decode(encoded));
            let Ok(bytes) = bytes else { return call.refuse(0, "the text is no base64") };
            Ok(call.new_text(&hex::encode(bytes)))
        },
        ..BASE
    },
    Function {
        name: "hex_xor",
        parameters: &[required("hex", Kind::Text), required("with", Kind::Text)],
        doc: "Bytes combined one by one with other bytes by exclusive or; both are written as hex digits, and the other ones begin again when they end.",
        example: ("hex_xor('0f0f0f', 'ff00')", "\"f00ff0\""),
        errors: &[NO_HEX, "There are no other bytes."],
        run: |call| {
            let (bytes, with) = (bytes(call, 0)?, bytes(call, 1)?);
            if with.is_empty() {
                return call.refuse(1, "it holds no bytes");
            }
            let mixed: Vec<u8> = bytes.iter().zip(with.iter().cycle()).map(|(a, b)| a ^ b).collect();
            Ok(call.new_text(&hex::encode(mixed)))
        },
        ..BASE
    },
    Function {
        name: "hash",
        parameters: &[required("algorithm", Kind::Text), required("text", Kind::Text), optional("form", Kind::Text)],
        doc: "The hash of a text's UTF-8 bytes as hex digits, by 'sha1', 'sha256' or 'sha512', or by 'md5' where a vendor asks for it: that one proves nothing. With the form 'hex', of the bytes that the text writes as hex digits.",
        example: ("hash('sha1', 'abc')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
        errors: &[NO_HASH, NO_FORM, NO_HEX],
        run: |call| {
            let bytes = formed(call, 1, 2)?;
            call.spend(bytes.len() / 16);
            let digest = match call.text(0)? {
                "md5" => Md5::digest(&bytes).to_vec(),
                "sha1" => Sha1::digest(&bytes).to_vec(),
                "sha256" => Sha256::digest(&bytes).to_vec(),
                "sha512" => Sha512::digest(&bytes).to_vec(),
                _ => return call.refuse(0, "write 'md5', 'sha1', 'sha256' or 'sha512'"),
            };
            Ok(call.new_text(&hex::encode(digest)))
        },
        ..BASE
    },
    Function {
        name: "hmac",
        parameters: &[
            required("algorithm", Kind::Text),
            required("text", Kind::Text),
            required("key", Kind::Text),
            optional("key_form", Kind::Text),
        ],
        doc: "The keyed hash (HMAC) of a text's UTF-8 bytes as hex digits, by 'sha1', 'sha256' or 'sha512'. The key is the UTF-8 bytes of a text; with the form 'hex', the bytes that it writes as hex digits, such as another hmac.",
        example: (
            "hmac('sha256', 'what do ya want for nothing?', 'Jefe')",
            "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"",
        ),
        errors: &[NO_ALGORITHM, NO_FORM, NO_HEX],
        run: |call| {
            let (text, key) = (call.text(1)?.as_bytes(), formed(call, 2, 3)?);
            call.spend(text.len() / 16);
            let proof = match call.text(0)? {
                "sha1" => keyed::<Hmac<Sha1>>(&key, text),
                "sha256" => keyed::<Hmac<Sha256>>(&key, text),
                "sha512" => keyed::<Hmac<Sha512>>(&key, text),
                _ => return no_algorithm(call),
            };
            match proof {
                Some(proof) => Ok(call.new_text(&hex::encode(proof))),
                None => call.refuse(2, "it cannot be a key"),
            }
        },
        ..BASE
    },
    Function {
        name: "aes_cbc_seal",
        parameters: &[required("text", Kind::Text), required("key", Kind::Text), required("vector", Kind::Text)],
        doc: "Text under AES in CBC mode with PKCS#7 padding, in base64. Key and vector are the UTF-8 bytes of their texts; the length of the key tells which AES.",
        example: (
            "aes_cbc_seal('hello', '0123456789abcdef0123456789abcdef', '0123456789abcdef')",
            "\"UQdw44JDqzsxYpkSCwXDIA==\"",
        ),
        errors: &[NO_KEY, "The result is longer than 1 MiB."],
        run: |call| {
            let text = call.text(0)?;
            call.room_for(text.len() * 2)?;
            call.spend(text.len() / 16);
            let pad = 16 - text.len() % 16;
            let mut bytes = text.as_bytes().to_vec();
            bytes.extend(std::iter::repeat_n(u8::try_from(pad).unwrap_or_default(), pad));
            match cbc(call.text(1)?, call.text(2)?, &mut bytes, Way::Seal) {
                Some(()) => Ok(call.new_text(&STANDARD.encode(bytes))),
                None => call.refuse(1, "key and vector do not fit AES"),
            }
        },
        ..BASE
    },
    Function {
        name: "aes_cbc_open",
        parameters: &[required("base64", Kind::Text), required("key", Kind::Text), required("vector", Kind::Text)],
        doc: "What aes_cbc_seal has sealed.",
        example: (
            "aes_cbc_open('UQdw44JDqzsxYpkSCwXDIA==', '0123456789abcdef0123456789abcdef', '0123456789abcdef')",
            "\"hello\"",
        ),
        errors: &[NO_KEY, "The text does not open with this key.", "The result is longer than 1 MiB."],
        run: |call| {
            let sealed = call.text(0)?;
            call.room_for(sealed.len() / 4 * 3)?;
            call.spend(sealed.len() / 16);
            let opened = STANDARD.decode(sealed).ok().and_then(|mut bytes| {
                cbc(call.text(1).ok()?, call.text(2).ok()?, &mut bytes, Way::Open)?;
                let pad = usize::from(*bytes.last()?);
                let end = bytes.len().checked_sub(pad).filter(|_| (1..=16).contains(&pad))?;
                let padded = bytes.get(end..)?.iter().all(|byte| usize::from(*byte) == pad);
                bytes.truncate(end);
                String::from_utf8(bytes).ok().filter(|_| padded)
            });
            match opened {
                Some(text) => Ok(call.new_text(&text)),
                None => call.refuse(0, "it does not open with this key"),
            }
        },
        ..BASE
    },
];

/// Which way a cipher is run.
#[derive(Clone, Copy)]
enum Way {
    Seal,
    Open,
}

/// Runs AES in CBC mode over whole blocks; `None` when key, vector or length do not fit.
fn cbc(key: &str, vector: &str, bytes: &mut [u8], way: Way) -> Option<()> {
    let (blocks, rest) = Array::<u8, U16>::slice_as_chunks_mut(bytes);
    if blocks.is_empty() || !rest.is_empty() {
        return None;
    }
    let (key, vector) = (key.as_bytes(), vector.as_bytes());
    match (key.len(), way) {
        (16, Way::Seal) => cbc::Encryptor::<Aes128>::new_from_slices(key, vector).ok()?.encrypt_blocks(blocks),
        (24, Way::Seal) => cbc::Encryptor::<Aes192>::new_from_slices(key, vector).ok()?.encrypt_blocks(blocks),
        (_, Way::Seal) => cbc::Encryptor::<Aes256>::new_from_slices(key, vector).ok()?.encrypt_blocks(blocks),
        (16, Way::Open) => cbc::Decryptor::<Aes128>::new_from_slices(key, vector).ok()?.decrypt_blocks(blocks),
        (24, Way::Open) => cbc::Decryptor::<Aes192>::new_from_slices(key, vector).ok()?.decrypt_blocks(blocks),
        (_, Way::Open) => cbc::Decryptor::<Aes256>::new_from_slices(key, vector).ok()?.decrypt_blocks(blocks),
    }
    Some(())
}

fn keyed<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().to_vec())
}

fn no_algorithm<'a>(call: &Call<'a, '_>) -> Result<Value<'a>, String> {
    call.refuse(0, "write 'sha1', 'sha256' or 'sha512'")
}

/// The bytes that an argument writes as hex digits. The message holds none of it: it may be a key.
fn bytes(call: &Call<'_, '_>, index: usize) -> Result<Vec<u8>, String> {
    hex::decode(call.text(index)?).or_else(|_| call.refuse(index, "it is not written as hex digits, two for each byte"))
}

/// The bytes of an argument, by the form that another one names: `text` when it is left out.
fn formed(call: &Call<'_, '_>, index: usize, form: usize) -> Result<Vec<u8>, String> {
    match if call.has(form) { call.text(form)? } else { "text" } {
        "text" => Ok(call.text(index)?.as_bytes().to_vec()),
        "hex" => bytes(call, index),
        _ => call.refuse(form, "write 'text' or 'hex'"),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::behaviour::eval;

    fn hold(cases: &[(&str, &str)]) {
        for (text, wanted) in cases {
            assert_eq!(eval(text), *wanted, "{text}");
        }
    }

    fn fail(cases: &[(&str, &str)]) {
        for (text, words) in cases {
            let found = eval(text);
            assert!(found.contains(words), "{text}: {found}");
        }
    }

    #[test]
    fn proofs_are_made_of_bytes_that_are_written_as_hex_digits() {
        hold(&[
            ("hash('sha256', '')", "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""),
            // RFC 4231, test case 1: a key that is no text.
            (
                "hmac('sha256', 'Hi There', '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 'hex')",
                "\"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7\"",
            ),
            // RFC 2202, test case 2.
            ("hmac('sha1', 'what do ya want for nothing?', 'Jefe')", "\"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79\""),
            ("hash('sha1', hex_encode('abc'), 'hex') == hash('sha1', 'abc')", "true"),
            ("hex_of_base64('-_8')", "\"fbff\""),
            ("base64_of_hex('FBFF')", "\"+/8=\""),
            // Made with the cryptography package for Python, and with OpenSSL.
            (
                "aes_cbc_open('pYKUt7/TUIogL2rzcjjAjw==', '0123456789abcdefFEDCBA9876543210', '0123456789abcdef')",
                "\"{\\\"MsgId\\\":\\\"签\\\"}\"",
            ),
            ("base64_of_hex(hash('md5', 'a'))", "\"DMF1ucDxtqgxw5niaXcmYQ==\""),
            ("hex_xor('', 'ff')", "\"\""),
            ("hash('sha256', payload.missing)", "absent"),
        ]);
        fail(&[
            ("hash('md4', 'a')", "argument 1 (`algorithm`): write 'md5', 'sha1', 'sha256' or 'sha512'"),
            ("hmac('md5', 'a', 'b')", "argument 1 (`algorithm`): write 'sha1', 'sha256' or 'sha512'"),
            ("aes_cbc_seal('a', 'short', '0123456789abcdef')", "key and vector do not fit AES"),
            ("aes_cbc_seal('a', '0123456789abcdef', 'short')", "key and vector do not fit AES"),
            (
                "aes_cbc_open('pYKUt7/TUIogL2rzcjjAjw==', '0123456789abcdefFEDCBA9876543211', '0123456789abcdef')",
                "does not open",
            ),
            ("aes_cbc_open('pYKU', '0123456789abcdefFEDCBA9876543210', '0123456789abcdef')", "does not open"),
            ("aes_cbc_open('no base64', '0123456789abcdefFEDCBA9876543210', '0123456789abcdef')", "does not open"),
            ("hmac('sha256', 'a', 'no hex', 'hex')", "argument 3 (`key`): it is not written as hex digits"),
            ("hmac('sha256', 'a', 'k', 'bytes')", "argument 4 (`key_form`): write 'text' or 'hex'"),
            ("hex_decode('ff')", "it does not stand for UTF-8 text"),
            ("hex_xor('ff', '')", "it holds no bytes"),
        ]);
    }

    #[test]
    fn requests_are_signed_as_the_vendors_sign_them() {
        // Signed headers of a WebAPI: the key is masked, and proofs are hex text in base64.
        hold(&[
            (
                "hex_decode(hex_encode('x')) & base64_of_hex(hex_xor(hex_of_base64('AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY'), hex_encode('0054f397c6234378b09ca7d3e5debce7')))",
                "\"xMTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr\"",
            ),
            (
                "base64_encode(hmac('sha256', 'POST\\n' & replace('/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc', '/', '%2F') & '\\n\\nx-api-nonce:1761955200\\nx-api-timestamp:1761955200\\n', 'MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr'))",
                "\"NzU0NDk0ZTQzODVkMDYzOWY4OTVhMTc4Y2U5ZGU2MmNkZGY3M2ExZmI5ZjdhMmE5Zjc0NTFlNGIzNmI5MjczOA==\"",
            ),
            (
                "base64_encode(hmac('sha256', '229973_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY20250101acct,hub,2052,100', '1f0e2d3c4b5a69788796a5b4c3d2e1f0'))",
                "\"MDNmM2ZiNTUzMTQ2OTJkYzFkZmNiYjIzZDY3OThkMDRlYThiMWNkY2EwZmE5MjdmOTkzNjI2ODA3ZmQwOTAzMA==\"",
            ),
            // A token's request: text of names and values, proof in base64.
            (
                "base64_of_hex(hmac('sha256', 'appKey41832a3d2df94989b500da6a22268747timestamp1761955200000', 'ba8d6a1e8ce74d5e9f2b3c4d5e6f7a8b'))",
                "\"XA4qA5+JfozwA8zOY8Gp+kBuaVJ50v36WBRV+3zqgTQ=\"",
            ),
            // A salt out of a public key's text, and the hash that it goes into.
            (
                "base64_of_hex(left(hash('sha1', hash('sha1', 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBEXAMPLE'), 'hex'), 32))",
                "\"9P92XkbL+kcFsauYtPQqAw==\"",
            ),
            (
                "sha256('hubapp' & 'S3cret-hub' & 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBEXAMPLE' & '9P92XkbL+kcFsauYtPQqAw==')",
                "\"410034db4725483677b9765ba0b97ec51c3a80f438d44ef61e939fafb85fe4df\"",
            ),
        ]);
    }
}
