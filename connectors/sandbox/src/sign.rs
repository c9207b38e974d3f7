//! How a web hook is signed: `sign: { kind, … }` of a profile.

use crate::sealed::{KINDS, Seal};
use hub_kit::verify::Encoding;
use hub_tree::yaml::{Context, Node};

/// How a webhook is signed; the secret is the setting of that name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Sign {
    StandardWebhooks { secret: String },
    HmacSha256 { secret: String, header: String, prefix: String, base64: bool },
    Sealed(Seal),
}

/// Reads `sign: { kind, … }`.
pub(crate) fn sign(node: &Node, cx: &Context<'_>) -> Option<Sign> {
    let mut fields = node.fields(cx)?;
    let kind = fields.required_text("kind")?;
    if KINDS.contains(&kind.as_str()) {
        let seal = Seal::read(&kind, &mut fields, cx);
        fields.finish();
        return seal.map(Sign::Sealed);
    }
    let secret = fields.text("secret").unwrap_or_else(|| "webhook_secret".to_owned());
    let header = fields.text("header");
    let prefix = fields.text("prefix").unwrap_or_default();
    let encoding = fields.word("encoding", &[("hex", Encoding::Hex), ("base64", Encoding::Base64)]);
    fields.finish();
    match (kind.as_str(), header) {
        ("standard_webhooks", None) => Some(Sign::StandardWebhooks { secret }),
        ("hmac_sha256", Some(header)) => {
            let base64 = encoding == Some(Encoding::Base64);
            Some(Sign::HmacSha256 { secret, header, prefix, base64 })
        }
        _ => {
            let kinds = KINDS.join("`, `kind: ");
            let message = format!("`kind: standard_webhooks`, `kind: hmac_sha256` with a `header`, `kind: {kinds}`");
            cx.error(node.span, message);
            None
        }
    }
}
