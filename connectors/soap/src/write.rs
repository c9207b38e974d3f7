//! Writes messages: envelopes, header blocks, faults.

use crate::fault::FaultCode;
use crate::names::Version;

/// Text or the value of an attribute, escaped; characters that XML cannot hold are left out.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => out.push(c),
            _ => {}
        }
    }
    out
}

/// An envelope around header blocks and the body's element, which are XML with all namespaces that they use. The
/// envelope's own namespace has the prefix `soapenv`.
#[must_use]
pub fn envelope(version: Version, headers: &[String], body: &str) -> String {
    let length = body.len() + headers.iter().map(String::len).sum::<usize>() + 300;
    let mut out = String::with_capacity(length);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"");
    out.push_str(version.namespace());
    out.push_str("\">");
    if !headers.is_empty() {
        out.push_str("<soapenv:Header>");
        headers.iter().for_each(|header| out.push_str(header));
        out.push_str("</soapenv:Header>");
    }
    out.push_str("<soapenv:Body>");
    out.push_str(body);
    out.push_str("</soapenv:Body></soapenv:Envelope>");
    out
}

/// The content type of a message; of SOAP 1.2 it carries the action.
#[must_use]
pub fn content_type(version: Version, action: Option<&str>) -> String {
    let media_type = version.media_type();
    match (version, action.filter(|action| !action.is_empty())) {
        (Version::V12, Some(action)) => format!("{media_type}; charset=utf-8; action={}", quoted(action)),
        _ => format!("{media_type}; charset=utf-8"),
    }
}

/// A text in double quotes, as headers have them.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A name that a fault gives beside its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subcode {
    /// Its namespace.
    pub namespace: String,
    /// The prefix to write it with.
    pub prefix: String,
    /// Its local name.
    pub name: String,
}

/// A fault to answer with.
#[derive(Clone, Debug)]
pub struct FaultAnswer {
    /// Its code.
    pub code: FaultCode,
    /// A closer one: in SOAP 1.1 it stands in the code's place.
    pub subcode: Option<Subcode>,
    /// What people are told.
    pub reason: String,
    /// The content of the detail, as XML.
    pub detail: Option<String>,
}

/// Longest reason; the sender's words are cut.
const MAX_REASON: usize = 500;

impl FaultAnswer {
    /// A fault with nothing but a code and a reason.
    #[must_use]
    pub fn new(code: FaultCode, reason: &str) -> Self {
        Self { code, subcode: None, reason: reason.to_owned(), detail: None }
    }

    /// The HTTP status to answer with.
    #[must_use]
    pub const fn status(&self, version: Version) -> u16 {
        self.code.status(version)
    }

    /// The whole message, with the header blocks in `headers`.
    #[must_use]
    pub fn write(&self, version: Version, headers: &[String]) -> String {
        let reason = escape(&self.reason.chars().take(MAX_REASON).collect::<String>());
        let detail = |name: &str| match &self.detail {
            Some(detail) => format!("<{name}>{detail}</{name}>"),
            None => String::new(),
        };
        let code = self.code.name(version);
        let own = self.subcode.as_ref().map(|subcode| {
            let Subcode { namespace, prefix, name } = subcode;
            (format!(" xmlns:{prefix}=\"{}\"", escape(namespace)), format!("{prefix}:{name}"))
        });
        let fault = match version {
            Version::V11 => {
                let (binding, code) = own.unwrap_or_else(|| (String::new(), format!("soapenv:{code}")));
                format!(
                    "<soapenv:Fault><faultcode{binding}>{code}</faultcode><faultstring>{reason}</faultstring>{}</soapenv:Fault>",
                    detail("detail")
                )
            }
            Version::V12 => {
                let subcode = own.map_or(String::new(), |(binding, name)| {
                    format!("<soapenv:Subcode><soapenv:Value{binding}>{name}</soapenv:Value></soapenv:Subcode>")
                });
                let language = if reason.is_ascii() { "en" } else { "zh" };
                format!(
                    "<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:{code}</soapenv:Value>{subcode}</soapenv:Code>\
                     <soapenv:Reason><soapenv:Text xml:lang=\"{language}\">{reason}</soapenv:Text></soapenv:Reason>{}</soapenv:Fault>",
                    detail("soapenv:Detail")
                )
            }
        };
        if self.code == FaultCode::VersionMismatch && version == Version::V12 {
            let mut headers = headers.to_vec();
            headers.push(upgrade());
            return envelope(version, &headers, &fault);
        }
        envelope(version, headers, &fault)
    }
}

/// The versions that are taken (SOAP 1.2 part 1, section 5.4.7).
fn upgrade() -> String {
    let supported = [Version::V12, Version::V11].map(|version| {
        format!("<soapenv:SupportedEnvelope qname=\"v:Envelope\" xmlns:v=\"{}\"/>", version.namespace())
    });
    format!("<soapenv:Upgrade>{}</soapenv:Upgrade>", supported.concat())
}

/// A part that stands beside the envelope.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its id, without brackets.
    pub id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A message in parts (MTOM): content type and bytes. `boundary` must not occur in the bytes.
#[must_use]
pub fn multipart(
    version: Version,
    action: Option<&str>,
    envelope: &str,
    attachments: &[Attachment],
    boundary: &str,
) -> (String, Vec<u8>) {
    let kind = version.media_type();
    let action = match (version, action.filter(|action| !action.is_empty())) {
        (Version::V12, Some(action)) => format!("; action={}", quoted(action)),
        _ => String::new(),
    };
    let content_type = format!(
        "multipart/related; type=\"application/xop+xml\"; start=\"<envelope>\"; start-info=\"{kind}\"; \
         boundary=\"{boundary}\"{action}"
    );
    let mut out = format!(
        "--{boundary}\r\nContent-Type: application/xop+xml; charset=utf-8; type=\"{kind}\"\r\n\
         Content-Transfer-Encoding: 8bit\r\nContent-ID: <envelope>\r\n\r\n{envelope}"
    )
    .into_bytes();
    for Attachment { id, bytes } in attachments {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <{id}>\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (content_type, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Message, Rules, read};
    use hub_kit::Party;
    use hub_tree::Arena;
    use proptest::prelude::*;

    #[test]
    fn faults_are_of_the_version_that_was_asked_in() {
        let subcode = Subcode { namespace: "urn:w".to_owned(), prefix: "w".to_owned(), name: "Bad".to_owned() };
        let answer = FaultAnswer { subcode: Some(subcode), ..FaultAnswer::new(FaultCode::Sender, "<no> & 不\u{b}") };
        let old = answer.write(Version::V11, &[]);
        assert!(
            old.contains(
                "<faultcode xmlns:w=\"urn:w\">w:Bad</faultcode><faultstring>&lt;no&gt; &amp; 不</faultstring>"
            ),
            "{old}"
        );
        assert_eq!((answer.status(Version::V11), answer.status(Version::V12)), (500, 400));
        let new = answer.write(Version::V12, &[]);
        assert!(
            new.contains(
                "<soapenv:Value>soapenv:Sender</soapenv:Value><soapenv:Subcode><soapenv:Value xmlns:w=\"urn:w\">w:Bad<"
            ),
            "{new}"
        );
        let mismatch = FaultAnswer::new(FaultCode::VersionMismatch, "no").write(Version::V12, &[]);
        assert!(
            mismatch.contains("<soapenv:Header><soapenv:Upgrade><soapenv:SupportedEnvelope qname=\"v:Envelope\""),
            "{mismatch}"
        );
        assert_eq!(
            content_type(Version::V12, Some("urn:\"x\"")),
            "application/soap+xml; charset=utf-8; action=\"urn:\\\"x\\\"\""
        );
        assert_eq!(content_type(Version::V11, Some("urn:x")), "text/xml; charset=utf-8");
    }

    proptest! {
        #[test]
        fn a_fault_that_is_written_is_read_back(reason in "\\PC{0,80}", code in 0_usize..4, new: bool) {
            let version = if new { Version::V12 } else { Version::V11 };
            let code = [FaultCode::Sender, FaultCode::Receiver, FaultCode::VersionMismatch, FaultCode::MustUnderstand][code];
            let detail = Some(format!("<f><code>OWN</code><message>{}</message></f>", escape(&reason)));
            let text = FaultAnswer { detail, ..FaultAnswer::new(code, &reason) }.write(version, &[]);
            let arena = Arena::new();
            let message = Message { body: text.as_bytes(), ..Message::default() };
            let envelope = read(&arena, &message, &Rules::client()).unwrap();
            let fault = envelope.fault.unwrap();
            prop_assert_eq!(fault.code.as_str(), code.name(version));
            prop_assert_eq!(&fault.reason, &reason);
            let vendor_code = fault.vendor_code();
            prop_assert_eq!(vendor_code.as_deref(), Some("OWN"));
            let wanted = match code { FaultCode::Sender => Party::Caller, FaultCode::Receiver => Party::Remote, _ => Party::Config };
            prop_assert!(fault.class().party == wanted || reason.len() > 4);
        }

        #[test]
        fn a_message_in_parts_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let inner = "<a><f><x:Include xmlns:x=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:1@x\"/></f></a>";
            let attachments = [Attachment { id: "1@x".to_owned(), bytes: bytes.clone() }];
            let text = envelope(Version::V12, &[], inner);
            let (content_type, body) = multipart(Version::V12, None, &text, &attachments, "boundary-of-a-test");
            let arena = Arena::new();
            let message = Message { body: &body, content_type: Some(&content_type), content_encoding: None };
            let envelope = read(&arena, &message, &Rules::client()).unwrap();
            use base64::Engine as _;
            let wanted = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(envelope.payload.get("f").as_text(), Some(wanted.as_str()));
        }
    }
}
