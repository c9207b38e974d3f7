//! Signatures that anybody can check and only we can make: ed25519 as Standard Webhooks writes it (`v1a`).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_tree::Private;

/// A new private key: 32 random bytes as base64 behind `whsk_`.
#[must_use]
pub fn make_private_key() -> Private<String> {
    Private::new(format!("whsk_{}", STANDARD.encode(hub_tree::random::bytes::<32>())))
}

fn pair(private: &str) -> Option<Ed25519KeyPair> {
    let seed = STANDARD.decode(private.strip_prefix("whsk_")?).ok()?;
    Ed25519KeyPair::from_seed_unchecked(&seed).ok()
}

/// The public key of a private one, as base64 behind `whpk_`. `None` when it is none.
#[must_use]
pub fn public_key(private: &str) -> Option<String> {
    Some(format!("whpk_{}", STANDARD.encode(pair(private)?.public_key())))
}

/// Signs a body by Standard Webhooks: a value of `webhook-signature`. `None` when the key is none.
#[must_use]
pub fn sign_standard_webhooks(private: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let signed = [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body].concat();
    Some(format!("v1a,{}", STANDARD.encode(pair(private)?.sign(&signed))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn what_is_signed_can_be_checked_with_the_public_key_and_with_no_other() {
        let (own, other) = (make_private_key(), make_private_key());
        let signature = sign_standard_webhooks(own.expose(), "msg-1", 7, b"{}").unwrap();
        let bytes = STANDARD.decode(signature.strip_prefix("v1a,").unwrap()).unwrap();
        let check = |private: &str, signed: &[u8]| {
            let public = public_key(private).unwrap();
            let public = STANDARD.decode(public.strip_prefix("whpk_").unwrap()).unwrap();
            UnparsedPublicKey::new(&ED25519, public).verify(signed, &bytes).is_ok()
        };
        assert!(check(own.expose(), b"msg-1.7.{}"));
        assert!(!check(own.expose(), b"msg-1.8.{}"), "another time");
        assert!(!check(other.expose(), b"msg-1.7.{}"), "another key");
        assert_eq!(sign_standard_webhooks("whsec_AAAA", "msg-1", 7, b"{}"), None);
        assert_eq!(public_key("whsk_AAAA"), None);
    }
}
