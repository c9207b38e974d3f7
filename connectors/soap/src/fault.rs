//! Faults: what they say in either version, and whom they are for.

use crate::names::Version;
use crate::read::Reason;
use hub_kit::Party;
use hub_tree::xml::{self, Element, Piece, Pull};
use hub_tree::{Arena, Value};

/// The codes of faults that both versions know, by their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// `Client`, `Sender`: the message is at fault.
    Sender,
    /// `Server`, `Receiver`: whoever handles it is.
    Receiver,
    /// The version of the envelope is not known.
    VersionMismatch,
    /// A header block must be understood, and is not.
    MustUnderstand,
    /// The encoding of data is not known; of SOAP 1.2 only.
    DataEncodingUnknown,
}

impl FaultCode {
    /// Its local name in a version.
    #[must_use]
    pub const fn name(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Sender, Version::V11) => "Client",
            (Self::Sender, Version::V12) => "Sender",
            (Self::Receiver, Version::V11) => "Server",
            (Self::Receiver, Version::V12) => "Receiver",
            (Self::VersionMismatch, _) => "VersionMismatch",
            (Self::MustUnderstand, _) => "MustUnderstand",
            (Self::DataEncodingUnknown, Version::V11) => "Client",
            (Self::DataEncodingUnknown, Version::V12) => "DataEncodingUnknown",
        }
    }

    /// The HTTP status of an answer with this fault.
    #[must_use]
    pub const fn status(self, version: Version) -> u16 {
        match (self, version) {
            (Self::Sender, Version::V12) => 400,
            _ => 500,
        }
    }

    /// The code that a name means, whichever version it is from.
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "client" | "sender" => Some(Self::Sender),
            "server" | "receiver" => Some(Self::Receiver),
            "versionmismatch" => Some(Self::VersionMismatch),
            "mustunderstand" => Some(Self::MustUnderstand),
            "dataencodingunknown" => Some(Self::DataEncodingUnknown),
            _ => None,
        }
    }
}

/// What a fault says.
#[derive(Clone, Debug)]
pub struct Fault<'a> {
    /// The local name of its code up to a dot: `Client`, `Receiver`, `FailedAuthentication`.
    pub code: String,
    /// What stands behind the dot, and the local names of subcodes, from the general to the special.
    pub subcodes: Vec<String>,
    /// What people are told: in Chinese if it is there, else in English, else the first.
    pub reason: String,
    /// Who says it.
    pub actor: Option<String>,
    /// What more is said, as a tree; absent if there is nothing.
    pub detail: Value<'a>,
    /// The same as it was written, for the audit: may hold what no user should see.
    pub source: &'a str,
}

/// Whom a fault is for and whether a repetition can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Who must act.
    pub party: Party,
    /// Whether the same message may go through later.
    pub retryable: bool,
    /// Whether the session is lost: sign in and repeat once.
    pub session: bool,
    /// Seconds to wait, if it says so.
    pub retry_after: Option<u32>,
}

impl Fault<'_> {
    /// The code of the vendor's own: that of the detail, else the most special subcode.
    #[must_use]
    pub fn vendor_code(&self) -> Option<String> {
        own_code(&self.detail, 0).or_else(|| self.subcodes.last().cloned())
    }

    /// Whom it is for.
    #[must_use]
    pub fn class(&self) -> Class {
        let vendor = self.vendor_code();
        let words: Vec<&str> =
            self.subcodes.iter().map(String::as_str).chain([self.code.as_str()]).chain(vendor.as_deref()).collect();
        let says = |hints: &[&str]| words.iter().any(|word| contains(word, hints));
        let told = |hints: &[&str]| contains(&self.reason, hints);
        let retryable = said(&self.detail, "retryable", 0);
        let retry_after = said(&self.detail, "retryAfterSeconds", 0).and_then(|text| text.trim().parse().ok());
        let class = |party: Party, retryable: bool, session: bool| Class { party, retryable, session, retry_after };
        let known = FaultCode::of(&self.code);
        let mut class = if matches!(
            known,
            Some(FaultCode::VersionMismatch | FaultCode::MustUnderstand | FaultCode::DataEncodingUnknown)
        ) {
            class(Party::Config, false, false)
        } else if says(SESSION) || told(SESSION_TOLD) {
            class(Party::Credential, false, true)
        } else if says(LOCKED) || told(LOCKED_TOLD) {
            class(Party::Remote, true, false)
        } else if says(CREDENTIAL) {
            class(Party::Credential, false, false)
        } else if says(UNKNOWN_OPERATION) || told(UNKNOWN_OPERATION_TOLD) {
            class(Party::Config, false, false)
        } else if known == Some(FaultCode::Sender) {
            class(if told(CREDENTIAL_TOLD) { Party::Credential } else { Party::Caller }, false, false)
        } else {
            class(Party::Remote, true, false)
        };
        match retryable.as_deref().map(str::trim) {
            Some("false" | "0") => class.retryable = false,
            Some("true" | "1") => class.retryable = true,
            _ => {}
        }
        class
    }
}

/// Words of codes and sentences, in lower case and without what separates words.
const SESSION: &[&str] = &[
    "invalidsession",
    "sessioninvalid",
    "sessionexpired",
    "sessiontimeout",
    "sessionlost",
    "sessionnotfound",
    "nosession",
];
const SESSION_TOLD: &[&str] = &[
    "invalidsession",
    "sessionexpired",
    "sessiontimeout",
    "sessiontimedout",
    "sessionhasexpired",
    "sessionisinvalid",
    "sessionlost",
    "expiredsession",
    "会话已失效",
    "会话丢失",
    "会话失效",
    "会话超时",
    "会话过期",
    "会话已过期",
    "登录已失效",
    "登录超时",
    "重新登录",
];
const LOCKED: &[&str] = &["locked", "lockedby", "recordlock", "lockconflict"];
const LOCKED_TOLD: &[&str] = &["lockedby", "islocked", "业务锁", "正在被", "已被锁定", "被其他用户锁定"];
const CREDENTIAL: &[&str] = &[
    "authentication",
    "unauthenticated",
    "unauthorized",
    "unauthorised",
    "credential",
    "invalidpassword",
    "invaliduser",
    "invalidsecurity",
    "securitytoken",
    "failedcheck",
    "messageexpired",
    "loginfail",
    "accessdenied",
];
const CREDENTIAL_TOLD: &[&str] = &[
    "invalidusernameorpassword",
    "usernameorpassword",
    "wrongpassword",
    "authenticationfailed",
    "用户名或密码",
    "密码错误",
    "认证失败",
    "身份验证失败",
];
const UNKNOWN_OPERATION: &[&str] = &[
    "actionnotsupported",
    "nosuchoperation",
    "unknownoperation",
    "operationnotfound",
    "nosuchmethod",
    "resourcenotfound",
    "destinationunreachable",
    "proceduremissing",
];
const UNKNOWN_OPERATION_TOLD: &[&str] = &[
    "nosuchoperation",
    "nosuchmethod",
    "unknownoperation",
    "operationisnotdefined",
    "couldnotfindanappropriatetransport",
    "didnotrecognizethevalueofhttpheadersoapaction",
];

fn contains(text: &str, hints: &[&str]) -> bool {
    let plain: String = text.chars().take(2000).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    hints.iter().any(|hint| plain.contains(hint))
}

/// Deepest level at which a detail is searched.
const SEARCHED: usize = 8;

/// The first value under one of the names that vendors give their codes.
fn own_code(value: &Value<'_>, depth: usize) -> Option<String> {
    const NAMES: [&str; 6] = ["code", "errorcode", "error_code", "faultcode", "errcode", "name"];
    if depth > SEARCHED {
        return None;
    }
    for (key, value) in value.entries() {
        let plain = key.to_ascii_lowercase();
        if NAMES.contains(&plain.as_str())
            && let Some(text) = value.as_text().map(str::trim)
            && is_code(text)
        {
            return Some(text.to_owned());
        }
    }
    let below = value.entries().iter().map(|(_, value)| value).chain(value.items());
    below.take(100).find_map(|value| own_code(value, depth + 1))
}

/// Whether a text can be a code; what people are told is none.
fn is_code(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    !text.is_empty() && text.len() <= 80 && text.chars().all(good)
}

/// The first text under a name.
fn said(value: &Value<'_>, name: &str, depth: usize) -> Option<String> {
    if depth > SEARCHED {
        return None;
    }
    if let Some(text) = value.get(name).as_text() {
        return Some(text.to_owned());
    }
    let below = value.entries().iter().map(|(_, value)| value).chain(value.items());
    below.take(100).find_map(|value| said(value, name, depth + 1))
}

/// Reads the content of a `Fault` that was opened, up to its end. Parts may be qualified or not, and of either version:
/// real ones mix them.
pub(crate) fn read<'a>(arena: &'a Arena, pull: &mut Pull<'a>) -> Result<Fault<'a>, (Reason, String)> {
    let mut fault = Fault {
        code: String::new(),
        subcodes: Vec::new(),
        reason: String::new(),
        actor: None,
        detail: Value::Absent,
        source: "",
    };
    while let Some(part) = child(pull)? {
        match part.name {
            "faultcode" => {
                let code = text(pull)?;
                fault.take_code(&code);
            }
            "faultstring" => fault.reason = text(pull)?,
            "faultactor" | "Node" | "Role" => {
                let actor = text(pull)?;
                if !actor.trim().is_empty() {
                    fault.actor = Some(actor.trim().to_owned());
                }
            }
            "Code" => code(pull, &mut fault, 0)?,
            "Reason" => fault.reason = reason(pull)?,
            "detail" | "Detail" => {
                let (value, source) = pull.value_and_source(part).map_err(of_xml)?;
                fault.detail = match value {
                    Value::Text(text) if text.trim().is_empty() => Value::Absent,
                    Value::Text(text) => arena.map(&[("#text", Value::Text(text))]),
                    other => other,
                };
                fault.source = source;
            }
            _ => {
                pull.value(part).map_err(of_xml)?;
            }
        }
    }
    Ok(fault)
}

impl Fault<'_> {
    /// A code of SOAP 1.1: a name with or without a prefix, that may go on behind a dot.
    fn take_code(&mut self, text: &str) {
        let text = text.trim();
        let local = text.rsplit_once(':').map_or(text, |(_, local)| local);
        let mut parts = local.split('.').filter(|part| !part.is_empty());
        self.code = parts.next().unwrap_or_default().to_owned();
        self.subcodes.extend(parts.map(ToOwned::to_owned));
    }
}

fn of_xml(xml::Refusal { reason, error }: xml::Refusal) -> (Reason, String) {
    (Reason::Xml(reason), error.to_string())
}

fn child<'a>(pull: &mut Pull<'a>) -> Result<Option<Element<'a>>, (Reason, String)> {
    loop {
        match pull.next_piece().map_err(of_xml)? {
            Piece::Open(element) => return Ok(Some(element)),
            Piece::Text(_) => {}
            Piece::Close | Piece::End => return Ok(None),
        }
    }
}

/// The text of the element that was opened last, up to its end.
fn text(pull: &mut Pull<'_>) -> Result<String, (Reason, String)> {
    let mut found = String::new();
    loop {
        match pull.next_piece().map_err(of_xml)? {
            Piece::Text(text) => found.push_str(&text),
            Piece::Open(element) => {
                pull.value(element).map_err(of_xml)?;
            }
            Piece::Close | Piece::End => return Ok(found),
        }
    }
}

/// `Code` and `Subcode` of SOAP 1.2, which nest.
fn code(pull: &mut Pull<'_>, fault: &mut Fault<'_>, depth: usize) -> Result<(), (Reason, String)> {
    while let Some(part) = child(pull)? {
        match part.name {
            "Value" => {
                let value = text(pull)?;
                if depth == 0 {
                    fault.take_code(&value);
                } else {
                    let value = value.trim();
                    let local = value.rsplit_once(':').map_or(value, |(_, local)| local);
                    fault.subcodes.push(local.to_owned());
                }
            }
            "Subcode" => code(pull, fault, depth + 1)?,
            _ => {
                pull.value(part).map_err(of_xml)?;
            }
        }
    }
    Ok(())
}

/// The texts of a reason: Chinese before English before the first.
fn reason(pull: &mut Pull<'_>) -> Result<String, (Reason, String)> {
    let mut best: Option<(u8, String)> = None;
    while let Some(part) = child(pull)? {
        let language = part.attribute("http://www.w3.org/XML/1998/namespace", "lang").unwrap_or_default();
        let language = language.to_ascii_lowercase();
        let rank = match language.split('-').next() {
            Some("zh") => 0,
            Some("en") => 1,
            _ => 2,
        };
        let found = text(pull)?;
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, found));
        }
    }
    Ok(best.map(|(_, text)| text).unwrap_or_default())
}
