//! What a manifest says for the live check of a connection: harmless questions to ask, and what the vendor's codes mean.

use crate::failure::CallError;
use crate::follow::FollowUp;
use crate::manifest::Compiler;
use hub_expr::Scope;
use hub_tree::yaml::{Context, Node};

/// What a refusal means for people: each asks somebody else for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A wrong id or secret.
    Credentials,
    /// The vendor lets only listed addresses call, and ours is not one.
    Address,
    /// A right that the app lacks.
    Permission,
    /// The quota of a month or day is used up.
    Quota,
    /// Too fast, or too many at once: it passes.
    Pace,
    /// What was asked for is not there: nobody's fault.
    Absent,
}

impl Meaning {
    /// How meanings are written.
    pub const WORDS: &[(&'static str, Self)] = &[
        ("credentials", Self::Credentials),
        ("address", Self::Address),
        ("permission", Self::Permission),
        ("quota", Self::Quota),
        ("pace", Self::Pace),
        ("absent", Self::Absent),
    ];

    /// How it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, meaning)| *meaning == self).map_or("", |(word, _)| word)
    }
}

/// What the vendor's codes mean: `credentials: [40089, invalid*]`. A `*` stands for anything at the end or beginning.
#[derive(Clone, Debug, Default)]
pub struct Codes(Vec<(Meaning, Vec<String>)>);

impl Codes {
    /// Reads `codes`.
    pub(crate) fn read(node: &Node, cx: &Context<'_>) -> Self {
        let mut codes = Vec::new();
        for (key, node) in node.entries(cx) {
            let Some((_, meaning)) = Meaning::WORDS.iter().find(|(word, _)| *word == key.name) else {
                cx.unknown(key.span, "meaning", &key.name, Meaning::WORDS.iter().map(|(word, _)| *word));
                continue;
            };
            let list = node.items(cx).iter().filter_map(|item| {
                let text = item.scalar().map(ToOwned::to_owned);
                if text.is_none() {
                    item.expected("a code", cx);
                }
                text
            });
            codes.push((*meaning, list.collect()));
        }
        Self(codes)
    }

    /// What a code means, if the manifest says it.
    #[must_use]
    pub fn meaning(&self, code: &str) -> Option<Meaning> {
        let fits = |pattern: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => code.ends_with(end),
            (None, Some(start)) => code.starts_with(start),
            (None, None) => code == pattern,
        };
        self.0.iter().find(|(_, codes)| codes.iter().any(|code| fits(code))).map(|(meaning, _)| *meaning)
    }

    /// What a failed call means: the vendor's code as the manifest reads it, else the HTTP status.
    #[must_use]
    pub fn of_error(&self, error: &CallError) -> Option<Meaning> {
        let (status, code) = match error {
            // A vendor that gives no token does not know who asks, if it says nothing else.
            CallError::Token(cause) => {
                let refused = matches!(**cause, CallError::Refused { .. });
                return self.of_error(cause).or(refused.then_some(Meaning::Credentials));
            }
            CallError::Wait { .. } => return Some(Meaning::Pace),
            CallError::Refused { status, code, .. } | CallError::Trouble { status, code } => (*status, code),
            CallError::Absent { status, code } => {
                let known = code.as_deref().and_then(|code| self.meaning(code));
                return known.or(Some(Meaning::Absent)).filter(|_| *status > 0);
            }
            _ => return None,
        };
        code.as_deref().and_then(|code| self.meaning(code)).or(match status {
            401 => Some(Meaning::Credentials),
            403 => Some(Meaning::Permission),
            _ if matches!(code.as_deref(), Some("invalid_client" | "unauthorized_client")) => {
                Some(Meaning::Credentials)
            }
            _ => None,
        })
    }
}

impl Compiler<'_, '_> {
    /// Reads `checks`: a list of `{ operation, with }`. Their expressions see `settings`.
    pub(crate) fn checks(&self, node: &Node) -> Vec<FollowUp> {
        let scope = Scope::new([("settings", self.settings.clone())]);
        FollowUp::compile(node, &scope, false, self.cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Codes {
        let list = |codes: &[&str]| codes.iter().map(ToString::to_string).collect();
        Codes(vec![
            (Meaning::Credentials, list(&["40089"])),
            (Meaning::Address, list(&["*IpNotInWhiteList"])),
            (Meaning::Permission, list(&["Forbidden.*"])),
        ])
    }

    #[test]
    fn a_code_means_what_the_manifest_says_and_a_status_what_http_says() {
        let refused = |status, code: &str| CallError::refused(status, Some(code.to_owned()));
        let none = |status| CallError::refused(status, None);
        for (error, wanted) in [
            (refused(200, "40089"), Some(Meaning::Credentials)),
            (refused(403, "Forbidden.AccessDenied.IpNotInWhiteList"), Some(Meaning::Address)),
            (refused(403, "Forbidden.Other"), Some(Meaning::Permission)),
            (refused(400, "invalid_client"), Some(Meaning::Credentials)),
            (refused(200, "400890"), None),
            (none(401), Some(Meaning::Credentials)),
            (none(403), Some(Meaning::Permission)),
            (none(404), None),
            (CallError::Wait { status: 429, retry_after: None }, Some(Meaning::Pace)),
            (CallError::Token(Box::new(refused(200, "40089"))), Some(Meaning::Credentials)),
            (CallError::Token(Box::new(refused(200, "1"))), Some(Meaning::Credentials)),
            (CallError::Token(Box::new(CallError::NoOperation("x".to_owned()))), None),
            (CallError::NoOperation("x".to_owned()), None),
        ] {
            assert_eq!(codes().of_error(&error), wanted, "{error}");
        }
    }
}
