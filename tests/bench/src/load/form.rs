//! How a web hook proves itself.

use anyhow::{Context as _, ensure};
use hmac::{Hmac, KeyInit, Mac};
use hub_im::envelope::{self, AesKey};
use hub_im::hashed;
use sha2::Sha256;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a web hook proves itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A clear body with an HMAC of it.
    #[default]
    Signed,
    /// The envelope with a receiver's id; the answer is sealed, too.
    Envelope,
    /// The envelope whose key is a hash.
    Hashed,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signed => "signed only",
            Self::Envelope => "sealed envelope",
            Self::Hashed => "hashed envelope",
        })
    }
}

const KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
const RECEIVER: &str = "bench0corp";
const MANIFEST: &str = include_str!("../../../../connectors/vendors/greenhouse/manifest.yaml");
const PROOF: &str = "verify: { kind: hmac_sha256, header: signature, prefix: \"sha256 \", encoding: hex }";

impl Form {
    /// Lays a connector over the shipped one that differs in its proof alone.
    pub fn configure(self, config: &Path) -> anyhow::Result<()> {
        let (driver, settings) = match self {
            Self::Signed => return Ok(()),
            Self::Envelope => ("dingtalk", format!("token: bench, encoding_aes_key: {KEY}, receiver_id: {RECEIVER}")),
            Self::Hashed => ("feishu", "encrypt_key: bench".to_owned()),
        };
        ensure!(MANIFEST.contains(PROOF) && MANIFEST.contains("driver: http\n"), "the manifest has another form now");
        let own = "settings:\n  token: {}\n  encoding_aes_key: {}\n  receiver_id: {}\n";
        let manifest = MANIFEST.replace(PROOF, "verify: { kind: driver }").replacen("settings:\n", own, 1);
        let manifest = manifest.replacen("driver: http\n", &format!("driver: {driver}\n"), 1);
        let folder = config.join("connectors/greenhouse");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("manifest.yaml"), manifest)?;
        let path = config.join("connections/greenhouse-main.yaml");
        let text = fs::read_to_string(&path)?;
        let settings = settings.replace(", ", "\n  ");
        fs::write(&path, text.replacen("settings:\n", &format!("settings:\n  {settings}\n"), 1))?;
        Ok(())
    }

    /// The whole request with a body about the application of this number.
    pub fn request(self, number: u64, body: &str, secret: &str) -> anyhow::Result<String> {
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
        let nonce = number.to_string();
        let (query, headers, body) = match self {
            Self::Signed => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
                mac.update(body.as_bytes());
                let signature = hex::encode(mac.finalize().into_bytes());
                (String::new(), format!("signature: sha256 {signature}\r\n"), body.to_owned())
            }
            Self::Envelope => {
                let key = AesKey::read(KEY).context("no key")?;
                let sealed = envelope::seal(&key, *b"0123456789abcdef", body.as_bytes(), RECEIVER);
                let signature = hex::encode(envelope::signature(&["bench", &stamp, &nonce, &sealed]));
                let query = format!("?msg_signature={signature}&timestamp={stamp}&nonce={nonce}");
                (query, String::new(), format!("{{\"encrypt\":\"{sealed}\"}}"))
            }
            Self::Hashed => {
                let body = format!("{{\"encrypt\":\"{}\"}}", hashed::seal("bench", [7; 16], body.as_bytes()));
                let signature = hex::encode(hashed::signature("bench", &stamp, &nonce, body.as_bytes()));
                let headers = format!(
                    "x-lark-request-timestamp: {stamp}\r\nx-lark-request-nonce: {nonce}\r\nx-lark-signature: {signature}\r\n"
                );
                (String::new(), headers, body)
            }
        };
        Ok(format!(
            "POST /hooks/greenhouse-main{query} HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n\
             greenhouse-event-id: {number}\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}
