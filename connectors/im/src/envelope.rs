//! The AES envelope that three platforms share: AES-256-CBC under the 43-character key, whose first half is the IV, with
//! PKCS#7 to blocks of 32; inside, 16 random bytes, a big-endian length, the message and the receiver's id.
//!
//! No vendor's name stands here: what differs is where the sealed text and its signature travel. Nothing panics on what
//! comes from outside, and nothing of a message is shown in an error.

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

/// Characters of a key as the vendors write it.
pub const KEY_LENGTH: usize = 43;
/// The padding's block; the cipher's own is 16.
const BLOCK: usize = 32;
/// Random bytes and the length before the message.
const HEAD: usize = 20;
/// A length field beyond this was not sealed with the same key: no callback is nearly as long.
const PLAUSIBLE: usize = 1 << 20;

/// 43 characters are 258 bits; the two that are too many are rarely zero, and a strict decoder refuses them.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A key of the envelope.
#[derive(Clone)]
pub struct AesKey([u8; 32]);

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesKey(…)")
    }
}

impl AesKey {
    /// Reads the 43 characters of a key; `None` when they are not that.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != KEY_LENGTH {
            return None;
        }
        let bytes = LENIENT.decode(format!("{text}=")).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.0[..16]);
        iv
    }
}

/// What an envelope held.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The message.
    pub text: Vec<u8>,
    /// Whom it names as its receiver.
    pub receiver: Vec<u8>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.text.len())
    }
}

/// Why an envelope does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no base64, or no whole number of blocks.
    Ciphertext,
    /// The padding is not 1 to 32 equal bytes. `key_fits`: what stands before it was sealed with this key.
    Padding {
        /// Whether the head was sealed with this key.
        key_fits: bool,
    },
    /// The length field leads past the end.
    Length {
        /// Whether the head was sealed with this key.
        key_fits: bool,
    },
}

impl Fault {
    /// A stable word for it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Ciphertext => "bad_ciphertext",
            Self::Padding { .. } => "bad_padding",
            Self::Length { .. } => "bad_length",
        }
    }

    /// Whether the key is the one that it was sealed with, as far as can be told.
    #[must_use]
    pub const fn key_fits(self) -> bool {
        matches!(self, Self::Padding { key_fits: true } | Self::Length { key_fits: true })
    }
}

/// Opens sealed text.
///
/// # Errors
/// The first rule that it breaks.
pub fn open(key: &AesKey, sealed: &str) -> Result<Message, Fault> {
    let mut bytes = STANDARD.decode(sealed).map_err(|_| Fault::Ciphertext)?;
    let (blocks, rest) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
    if blocks.len() < 2 || !rest.is_empty() {
        return Err(Fault::Ciphertext);
    }
    cbc::Decryptor::<Aes256>::new(&key.0.into(), &key.iv().into()).decrypt_blocks(blocks);
    let length = length_field(&bytes);
    let key_fits = length.is_some_and(|length| length <= PLAUSIBLE);
    let end = unpadded(&bytes, BLOCK).ok_or(Fault::Padding { key_fits })?;
    let length = length.filter(|_| end >= HEAD).ok_or(Fault::Length { key_fits })?;
    let tail = HEAD.checked_add(length).filter(|tail| *tail <= end).ok_or(Fault::Length { key_fits })?;
    bytes.truncate(end);
    let receiver = bytes.split_off(tail);
    bytes.drain(..HEAD);
    Ok(Message { text: bytes, receiver })
}

/// Seals a message for a receiver behind 16 random bytes.
#[must_use]
pub fn seal(key: &AesKey, random: [u8; 16], message: &[u8], receiver: &str) -> String {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut bytes = [&random[..], &length.to_be_bytes(), message, receiver.as_bytes()].concat();
    pad(&mut bytes, BLOCK);
    let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
    cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into()).encrypt_blocks(blocks);
    STANDARD.encode(bytes)
}

/// The signature over parts in the order of their bytes, one behind the other.
#[must_use]
pub fn signature(parts: &[&str]) -> [u8; 20] {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let mut digest = Sha1::new();
    for part in parts {
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

/// Where the text ends before PKCS#7 padding to `block`; `None` when the padding is not right.
pub(crate) fn unpadded(bytes: &[u8], block: usize) -> Option<usize> {
    let count = usize::from(*bytes.last()?);
    let end = bytes.len().checked_sub(count).filter(|_| (1..=block).contains(&count))?;
    bytes.get(end..)?.iter().all(|byte| usize::from(*byte) == count).then_some(end)
}

/// Appends PKCS#7 padding to a multiple of `block`, a whole block if it is one already.
pub(crate) fn pad(bytes: &mut Vec<u8>, block: usize) {
    let count = block - bytes.len() % block;
    bytes.resize(bytes.len() + count, u8::try_from(count).unwrap_or(0));
}

/// The length that stands behind the random bytes.
fn length_field(bytes: &[u8]) -> Option<usize> {
    let field: [u8; 4] = bytes.get(16..HEAD)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(field)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: [u8; 32]) -> AesKey {
        AesKey::read(STANDARD.encode(seed).trim_end_matches('=')).unwrap()
    }

    /// Seals bytes as they are.
    fn seal_raw(key: &AesKey, mut bytes: Vec<u8>) -> String {
        let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
        cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into()).encrypt_blocks(blocks);
        STANDARD.encode(bytes)
    }

    #[test]
    fn a_key_has_43_characters_whose_last_two_bits_do_not_count() {
        let published = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
        assert!(STANDARD.decode(format!("{published}=")).is_err(), "a strict decoder refuses it");
        assert!(AesKey::read(published).is_some());
        for wrong in ["", "4g5j", &published[1..], &format!("{published}="), &"李".repeat(43), &"-".repeat(43)] {
            assert!(AesKey::read(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{:?}", AesKey::read(published)).contains("4g5j"));
    }

    #[test]
    fn signatures_sort_by_bytes() {
        let wanted = hex::encode(Sha1::digest(b"+/09AZaz"));
        assert_eq!(hex::encode(signature(&["az", "AZ", "09", "+/"])), wanted);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_with_the_same_key_only(
            seed: [u8; 32], other: [u8; 32], random: [u8; 16], message: Vec<u8>, receiver in ".{0,40}",
        ) {
            let sealed = seal(&key(seed), random, &message, &receiver);
            prop_assert_eq!(STANDARD.decode(&sealed).unwrap().len() % BLOCK, 0);
            let opened = open(&key(seed), &sealed);
            prop_assert_eq!(opened, Ok(Message { text: message, receiver: receiver.clone().into_bytes() }));
            if seed != other {
                let opened = open(&key(other), &sealed);
                prop_assert!(opened.is_err() || opened.unwrap().receiver != receiver.as_bytes());
            }
        }

        #[test]
        fn a_cut_a_wrong_pad_and_a_wrong_length_are_refused(
            seed: [u8; 32], random: [u8; 16], message in proptest::collection::vec(any::<u8>(), 0..200), cut in 1_usize..400, pad in 0_u8..=255,
        ) {
            let key = key(seed);
            let sealed = STANDARD.decode(seal(&key, random, &message, "corp")).unwrap();
            let left = &sealed[..sealed.len().saturating_sub(cut)];
            let opened = open(&key, &STANDARD.encode(left));
            if !left.len().is_multiple_of(16) || left.len() < 32 {
                prop_assert_eq!(opened, Err(Fault::Ciphertext));
            } else {
                // The message itself may look like padding, but the length never fits.
                prop_assert!(opened.unwrap_err().key_fits());
            }
            let mut plain = [&random[..], &0_u32.to_be_bytes(), b"corp"].concat();
            plain.resize(31, 7);
            plain.push(pad);
            let opened = open(&key, &seal_raw(&key, plain.clone()));
            // Seven sevens are padding, and so is a single one.
            let wanted = if matches!(pad, 1 | 7) { None } else { Some(Fault::Padding { key_fits: true }) };
            prop_assert_eq!(opened.err(), wanted);
            let mut plain = [&random[..], &u32::from(pad).saturating_add(5).to_be_bytes(), b"corp"].concat();
            super::pad(&mut plain, BLOCK);
            prop_assert_eq!(open(&key, &seal_raw(&key, plain)), Err(Fault::Length { key_fits: true }));
        }

        #[test]
        fn no_text_ends_the_process(seed: [u8; 32], text in ".{0,300}", bytes: Vec<u8>) {
            let _ = open(&key(seed), &text);
            let _ = open(&key(seed), &STANDARD.encode(&bytes));
            let whole = &bytes[..bytes.len() / 16 * 16];
            let _ = open(&key(seed), &seal_raw(&key(seed), whole.to_vec()));
        }
    }
}
