//! `driver: dingtalk`: calls to DingTalk (钉钉), both API families. Callbacks are not taken in here yet.

use crate::dingtalk_stream;
use async_trait::async_trait;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::manifest::ErrorVerdict;
use hub_kit::stream::Frame;
use hub_kit::{
    CallContext, CallError, Connection, Driver, InboundRequest, Manifest, Opened, Operation, Reply, WebhookError,
};
use hub_tree::{Findings, Span, Value};

/// The driver.
#[derive(Debug, Default)]
pub struct Dingtalk;

#[async_trait]
impl Driver for Dingtalk {
    fn name(&self) -> &'static str {
        "dingtalk"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        if manifest.webhook.is_some() {
            findings.error(&manifest.source, Span::default(), "the driver `dingtalk` takes no callbacks in yet", None);
        }
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, &classify).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        classify(answer)
    }

    fn read_frame(&self, frame: &str) -> Frame {
        dingtalk_stream::read(frame)
    }

    fn answer_frame(&self, id: &str, taken: bool) -> String {
        dingtalk_stream::event_answer(id, taken)
    }

    fn open_webhook(&self, _: &Connection, _: &InboundRequest) -> Result<Opened, WebhookError> {
        Err(WebhookError::Unsupported)
    }
}

/// `errcode` of the legacy family: a token that is wrong, superseded or expired.
const TOKEN_CODES: &[&str] = &["40001", "40014", "42001", "33001"];
/// Too fast: this API, this app or this address; the block lasts a second.
const WAIT_CODES: &[&str] = &["90002", "90018"];
/// Behind `errcode` 88 the `sub_code` tells what it was.
const GATEWAY_CODE: &str = "88";
/// Busy.
const BUSY_CODE: &str = "-1";

/// Reads an answer. The legacy family answers HTTP 200 with `errcode`; the v1.0 family answers 4xx with `code`. An
/// address that called too often gets an HTML page or `{"status": 1111}` with HTTP 200: a ban, never a success.
fn classify(answer: &Answer<'_>) -> Option<Verdict> {
    let text = |value: Value<'_>| match value {
        Value::Number(text) | Value::Text(text) => Some(text.to_owned()),
        _ => None,
    };
    let banned = !answer.readable || text(answer.payload.get("status")).as_deref() == Some("1111");
    if banned && answer.status < 500 {
        return Some(Verdict::Bad(ErrorVerdict::Wait, Some("banned".to_owned())));
    }
    if let Some(code) = text(answer.payload.get("errcode")) {
        let sub_code = text(answer.payload.get("sub_code"));
        let telling = if code == GATEWAY_CODE { sub_code.unwrap_or_else(|| code.clone()) } else { code.clone() };
        let verdict = match telling.as_str() {
            "0" => return Some(Verdict::Good),
            known if TOKEN_CODES.contains(&known) => ErrorVerdict::Token,
            known if WAIT_CODES.contains(&known) || known == GATEWAY_CODE => ErrorVerdict::Wait,
            BUSY_CODE => ErrorVerdict::Retry,
            // Everything else is a no: quotas, rights, unknown people, wrong arguments.
            _ => ErrorVerdict::Refused,
        };
        return Some(Verdict::Bad(verdict, Some(telling)));
    }
    let code = text(answer.payload.get("code"))?;
    let verdict = match (answer.status, code.as_str()) {
        (200..=299, _) => return None,
        (_, "InvalidAuthentication") => ErrorVerdict::Token,
        (_, limited) if limited.contains("QpsLimit") || limited.contains("QpmLimit") => ErrorVerdict::Wait,
        (500.., _) => ErrorVerdict::Retry,
        _ => ErrorVerdict::Refused,
    };
    Some(Verdict::Bad(verdict, Some(code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Arena, Limits, json};

    fn read(status: u16, body: &str) -> Option<Verdict> {
        let arena = Arena::new();
        let parsed = json::read(&arena, body.as_bytes(), Limits::default());
        let readable = parsed.is_ok();
        classify(&Answer { status, payload: parsed.unwrap_or_default(), readable, headers: &[] })
    }

    #[test]
    fn success_is_errcode_zero_and_nothing_else() {
        use ErrorVerdict as E;
        let bad = |verdict, code: &str| Some(Verdict::Bad(verdict, Some(code.to_owned())));
        for (status, body, wanted) in [
            (200, r#"{"errcode":0,"errmsg":"ok","task_id":256271667526}"#, Some(Verdict::Good)),
            (200, r#"{"errcode":40014,"errmsg":"不合法的access_token"}"#, bad(E::Token, "40014")),
            (200, r#"{"errcode":88,"sub_code":"40014"}"#, bad(E::Token, "40014")),
            (200, r#"{"errcode":88,"sub_code":"90018"}"#, bad(E::Wait, "90018")),
            (200, r#"{"errcode":90020}"#, bad(E::Refused, "90020")),
            (200, r#"{"errcode":60011}"#, bad(E::Refused, "60011")),
            (200, r#"{"errcode":-1}"#, bad(E::Retry, "-1")),
            (200, "<html>punish</html>", bad(E::Wait, "banned")),
            (200, r#"{"status":1111,"wait":5,"punish":"deny"}"#, bad(E::Wait, "banned")),
            (400, r#"{"code":"InvalidAuthentication","message":"x"}"#, bad(E::Token, "InvalidAuthentication")),
            (
                403,
                r#"{"code":"Forbidden.AccessDenied.QpsLimitForApi"}"#,
                bad(E::Wait, "Forbidden.AccessDenied.QpsLimitForApi"),
            ),
            (400, r#"{"code":"processCodeError"}"#, bad(E::Refused, "processCodeError")),
            (503, r#"{"code":"ServiceUnavailable"}"#, bad(E::Retry, "ServiceUnavailable")),
            (200, r#"{"instanceId":"x"}"#, None),
        ] {
            assert_eq!(read(status, body), wanted, "{body}");
        }
    }
}
