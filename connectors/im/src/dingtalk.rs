//! `driver: dingtalk`: callbacks of DingTalk (钉钉) in the shared envelope, and calls to both its API families.

use crate::callback::{Lock, Proof, Unlocked, check_settings, random16, read_message, sealed_part};
use crate::{dingtalk_stream, driver_proves, envelope, made};
use async_trait::async_trait;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::manifest::ErrorVerdict;
use hub_kit::stream::Frame;
use hub_kit::{
    CallContext, CallError, Connection, Driver, HookAnswer, InboundRequest, Manifest, Opened, Operation, Reply,
    WebhookError,
};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Findings, Value, json, random};

/// The driver.
#[derive(Debug, Default)]
pub struct Dingtalk;

/// Whom callbacks are for, unless `receiver_id` says it: the app's key where the console set the address, the corp where
/// the older API did.
const RECEIVERS: &[&str] = &["app_key", "corp_id"];

/// Events that only check the address.
const CHECKS: &[&str] = &["check_url", "check_create_suite_url", "check_update_suite_url"];

#[async_trait]
impl Driver for Dingtalk {
    fn name(&self) -> &'static str {
        "dingtalk"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        driver_proves(manifest, findings);
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        check_settings(connection, RECEIVERS, true, findings);
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        classify(answer)
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn read_frame(&self, frame: &str) -> Frame {
        dingtalk_stream::read(frame)
    }

    fn answer_frame(&self, id: &str, taken: bool) -> String {
        dingtalk_stream::event_answer(id, taken)
    }

    fn make_webhook(&self, connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        made::enveloped(connection, RECEIVERS, body, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        if request.method != "POST" {
            return Err(WebhookError::Unsupported);
        }
        let lock = Lock::of(connection, RECEIVERS);
        // Both names occur, for the same value.
        let proof = Proof::of(request, &["msg_signature", "signature"]);
        let opened = lock.open(&proof, &sealed_part(&request.body)?, request)?;
        if opened.text == SUCCESS.as_bytes() {
            // An answer that somebody sends back: in order, and nothing to keep.
            return Ok(Opened::check(sealed_answer(&opened, SUCCESS, request)));
        }
        let arena = Arena::new();
        let message = read_message(&arena, &opened.text)?;
        let event = message.get("EventType").as_text().or_else(|| message.get("eventType").as_text());
        let check = event.is_some_and(|event| CHECKS.contains(&event));
        let random = message.get("Random").as_text();
        // A remark of the vendor's has suites send the value of `Random` back; its page asks for `success`.
        let wants_random = check && connection.setting("check_answer").as_deref() == Some("random");
        let said = random.filter(|_| wants_random).unwrap_or(SUCCESS);
        let answer = sealed_answer(&opened, said, request);
        if check {
            return Ok(Opened::check(answer));
        }
        Ok(Opened::kept(opened.text.clone()).answered(answer))
    }
}

/// The word that says that an event was taken.
const SUCCESS: &str = "success";

/// The answer that counts: a sealed and signed word. A plain one is a failed delivery to this platform.
fn sealed_answer(opened: &Unlocked, said: &str, request: &InboundRequest) -> HookAnswer {
    let sealed = envelope::seal(&opened.key, random16(), said.as_bytes(), &opened.receiver);
    let (timestamp, nonce) = (request.now.as_millisecond().to_string(), random::token(8));
    let signature = hex::encode(envelope::signature(&[&opened.token, &timestamp, &nonce, &sealed]));
    let arena = Arena::new();
    let answer = arena.map(&[
        ("msg_signature", Value::Text(&signature)),
        ("timeStamp", Value::Text(&timestamp)),
        ("nonce", Value::Text(&nonce)),
        ("encrypt", Value::Text(&sealed)),
    ]);
    HookAnswer::json(json::to_string(&answer).into_bytes())
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
    let banned = answer.unreadable.is_some() || text(answer.payload.get("status")).as_deref() == Some("1111");
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
        let unreadable = parsed.is_err().then(String::new);
        classify(&Answer { status, payload: parsed.unwrap_or_default(), unreadable, headers: &[] })
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
