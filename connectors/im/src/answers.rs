//! What answers mean that are HTTP 200 whatever happened.

use hub_kit::call::{Answer, Verdict};
use hub_kit::manifest::ErrorVerdict;
use hub_tree::Value;

/// The codes of a wire that are more than a no.
pub(crate) struct Codes {
    /// The token is not accepted.
    pub(crate) token: &'static [&'static str],
    /// Too fast.
    pub(crate) wait: &'static [&'static str],
    /// The vendor had trouble.
    pub(crate) retry: &'static [&'static str],
}

impl Codes {
    /// What a code other than success means.
    pub(crate) fn verdict(&self, code: &str) -> ErrorVerdict {
        if self.token.contains(&code) {
            ErrorVerdict::Token
        } else if self.wait.contains(&code) {
            ErrorVerdict::Wait
        } else if self.retry.contains(&code) {
            ErrorVerdict::Retry
        } else {
            // Everything else is a no: quotas, rights, unknown people, wrong arguments.
            ErrorVerdict::Refused
        }
    }
}

/// A code, which vendors write as number or text.
pub(crate) fn code(value: Value<'_>) -> Option<String> {
    match value {
        Value::Number(text) | Value::Text(text) => Some(text.to_owned()),
        _ => None,
    }
}

/// Reads an answer by its `errcode`; without one, its status says it all.
pub(crate) fn by_errcode(answer: &Answer<'_>, codes: &Codes) -> Option<Verdict> {
    let code = code(answer.payload.get("errcode"))?;
    if code == "0" {
        return Some(Verdict::Good);
    }
    Some(Verdict::Bad(codes.verdict(&code), Some(code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_kit::Driver;
    use hub_tree::{Arena, Limits, json};

    fn read(driver: &dyn Driver, status: u16, body: &str) -> Option<Verdict> {
        let arena = Arena::new();
        let payload = json::read(&arena, body.as_bytes(), Limits::default()).unwrap();
        driver.read_answer(&Answer { status, payload, unreadable: None, headers: &[] })
    }

    #[test]
    fn one_code_means_different_things_to_different_platforms() {
        use ErrorVerdict as E;
        let (wecom, wechat, feishu) = (crate::Wecom, crate::WechatOa::default(), crate::Feishu);
        let bad = |verdict, code: &str| Some(Verdict::Bad(verdict, Some(code.to_owned())));
        assert_eq!(read(&wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#), Some(Verdict::Good));
        assert_eq!(read(&wecom, 200, r#"{"errcode":40001}"#), bad(E::Refused, "40001"));
        assert_eq!(read(&wechat, 200, r#"{"errcode":40001}"#), bad(E::Token, "40001"));
        assert_eq!(read(&wechat, 200, r#"{"subscribe":1}"#), None);
        assert_eq!(read(&wecom, 200, r#"{"errcode":45009}"#), bad(E::Wait, "45009"));
        assert_eq!(read(&wechat, 200, r#"{"errcode":45009}"#), bad(E::Refused, "45009"));
        assert_eq!(read(&wecom, 200, r#"{"errcode":-1}"#), bad(E::Retry, "-1"));
        assert_eq!(read(&wecom, 200, r#"{"errcode":60111}"#), bad(E::Refused, "60111"));
        assert_eq!(read(&feishu, 200, r#"{"code":0,"msg":"success","data":{}}"#), Some(Verdict::Good));
        assert_eq!(read(&feishu, 400, r#"{"code":99991663}"#), bad(E::Token, "99991663"));
        assert_eq!(read(&feishu, 400, r#"{"code":99991400}"#), bad(E::Wait, "99991400"));
        assert_eq!(read(&feishu, 429, r#"{"code":1}"#), bad(E::Wait, "1"));
        assert_eq!(read(&feishu, 500, r#"{"code":1663}"#), bad(E::Retry, "1663"));
        assert_eq!(read(&feishu, 400, r#"{"code":230002}"#), bad(E::Refused, "230002"));
        assert_eq!(read(&feishu, 502, "{}"), None);
    }
}
