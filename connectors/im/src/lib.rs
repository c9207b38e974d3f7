//! Drivers for chat and OA platforms. What is said here is what their wires have of their own: callbacks that are signed
//! and sealed, and answers that are HTTP 200 whatever happened. Operations, tokens and bodies are in the manifests, as
//! with every vendor.

mod answers;
mod callback;
mod dingtalk;
mod dingtalk_stream;
pub mod envelope;
mod feishu;
pub mod hashed;
mod made;
#[cfg(test)]
mod tests;
mod wechat;
mod wecom;

pub use dingtalk::Dingtalk;
pub use feishu::Feishu;
pub use wechat::WechatOa;
pub use wecom::Wecom;

use hub_kit::Manifest;
use hub_tree::Findings;

/// Callbacks of these platforms are proved and opened by their drivers, whatever else a manifest says.
fn driver_proves(manifest: &Manifest, findings: &Findings) {
    if let Some(webhook) = manifest.webhook.as_ref().filter(|webhook| !webhook.is_opened_by_driver()) {
        let message = format!("the driver `{}` proves callbacks itself: `verify: {{ kind: driver }}`", manifest.driver);
        findings.error(&manifest.source, webhook.span, message, None);
    }
}
