//! The envelope whose key is the hash of a text: AES-256-CBC under SHA-256 of the key, the IV before the sealed text,
//! PKCS#7 to 16; signed by a plain SHA-256 over time, nonce, key and the raw body.

use crate::envelope::{pad, unpadded};
use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The block of the cipher, and of the padding.
const BLOCK: usize = 16;

/// Why an envelope does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no base64, or no IV and whole blocks.
    Ciphertext,
    /// The padding is not 1 to 16 equal bytes.
    Padding,
}

impl Fault {
    /// A stable word for it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Ciphertext => "bad_ciphertext",
            Self::Padding => "bad_padding",
        }
    }
}

/// Opens sealed text.
///
/// # Errors
/// The first rule that it breaks.
pub fn open(key: &str, sealed: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = STANDARD.decode(sealed).map_err(|_| Fault::Ciphertext)?;
    let (blocks, rest) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
    let Some((iv, blocks)) = blocks.split_first_mut() else { return Err(Fault::Ciphertext) };
    if blocks.is_empty() || !rest.is_empty() {
        return Err(Fault::Ciphertext);
    }
    cbc::Decryptor::<Aes256>::new(&Sha256::digest(key.as_bytes()), iv).decrypt_blocks(blocks);
    bytes.drain(..BLOCK);
    let end = unpadded(&bytes, BLOCK).ok_or(Fault::Padding)?;
    bytes.truncate(end);
    Ok(bytes)
}

/// Seals a text behind an IV.
#[must_use]
pub fn seal(key: &str, iv: [u8; 16], text: &[u8]) -> String {
    let mut bytes = [&iv[..], text].concat();
    pad(&mut bytes, BLOCK);
    let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
    if let Some((iv, blocks)) = blocks.split_first_mut() {
        cbc::Encryptor::<Aes256>::new(&Sha256::digest(key.as_bytes()), iv).encrypt_blocks(blocks);
    }
    STANDARD.encode(bytes)
}

/// The signature of a body, exactly as it travels.
#[must_use]
pub fn signature(key: &str, timestamp: &str, nonce: &str, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [timestamp.as_bytes(), nonce.as_bytes(), key.as_bytes(), body] {
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_text_opens() {
        let sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=";
        assert_eq!(open("test key", sealed).as_deref(), Ok(&b"hello world"[..]));
        assert!(open("test keys", sealed).as_deref() != Ok(&b"hello world"[..]));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_what_is_cut_does_not(
            key in ".{0,40}", iv: [u8; 16], text in proptest::collection::vec(32_u8..127, 0..200), cut in 1_usize..300,
        ) {
            let sealed = seal(&key, iv, &text);
            prop_assert_eq!(open(&key, &sealed), Ok(text.clone()));
            let bytes = STANDARD.decode(&sealed).unwrap();
            let left = &bytes[..bytes.len().saturating_sub(cut)];
            let wanted = if !left.len().is_multiple_of(16) || left.len() < 32 { Fault::Ciphertext } else { Fault::Padding };
            // Printable text is no padding.
            prop_assert_eq!(open(&key, &STANDARD.encode(left)), Err(wanted));
        }

        #[test]
        fn no_text_ends_the_process(key in ".{0,40}", text in ".{0,200}", bytes: Vec<u8>) {
            let _ = open(&key, &text);
            let _ = open(&key, &STANDARD.encode(bytes));
        }
    }
}
