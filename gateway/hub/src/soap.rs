//! `hrhub soap`: what the hub makes of a SOAP message as it came.

use crate::cli::SoapRead;
use crate::say;
use anyhow::Context as _;
use hub_soap::Message;
use hub_soap::judge::{Side, judge};
use hub_soap::security::Policy;
use hub_tree::jiff::SignedDuration;
use hub_tree::{Clock, Private};
use std::io::Read as _;
use std::process::ExitCode;

/// How far a sender's clock may be off.
const WINDOW: SignedDuration = SignedDuration::from_secs(300);

/// Prints one JSON object: what becomes of the message.
pub(crate) async fn read(args: SoapRead) -> anyhow::Result<ExitCode> {
    let bytes = bytes(&args)?;
    let message = Message {
        body: &bytes,
        content_type: args.content_type.as_deref(),
        content_encoding: args.content_encoding.as_deref(),
    };
    let policy = args.username.map(|username| Policy {
        username,
        password: Private::new(args.password.unwrap_or_default()),
        text: true,
        digest: true,
        window: WINDOW,
    });
    let side = if args.request {
        Side::Request { now: args.now.unwrap_or_else(|| Clock::System.now()), policy: policy.as_ref() }
    } else {
        Side::Answer
    };
    say::out(judge(&message, side).await);
    Ok(ExitCode::SUCCESS)
}

fn bytes(args: &SoapRead) -> anyhow::Result<Vec<u8>> {
    if args.file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("reading standard input")?;
        return Ok(bytes);
    }
    std::fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))
}
