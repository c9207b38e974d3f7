//! Names that both ends of a message agree on.

/// XML Schema's attributes in documents: `xsi:nil`, `xsi:type`.
pub const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// WS-Security: the header block and what is in it.
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// WS-Security: times and ids.
pub const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// WS-Security: the password stands as it is.
pub const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
/// WS-Security: a digest of nonce, time and password stands instead of it.
pub const PASSWORD_DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
/// WS-Security: a nonce is written as Base64.
pub const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
/// WS-Addressing 1.0.
pub const WSA: &str = "http://www.w3.org/2005/08/addressing";
/// WS-Addressing as it was drafted in August 2004.
pub const WSA_2004: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// WS-Addressing 1.0: the answer goes back the way the request came.
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// Binary parts that stand beside the envelope.
pub const XOP: &str = "http://www.w3.org/2004/08/xop/include";
/// The encoding of SOAP 1.1.
pub const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";

/// A version of SOAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// SOAP 1.1.
    V11,
    /// SOAP 1.2.
    V12,
}

impl Version {
    /// The namespace of its envelope.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// The version whose envelope has this namespace.
    #[must_use]
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        [Self::V11, Self::V12].into_iter().find(|version| version.namespace() == namespace)
    }

    /// How it is written: `1.1`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }

    /// The media type of its messages.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml",
            Self::V12 => "application/soap+xml",
        }
    }

    /// The version that a content type belongs to, where nothing better tells.
    #[must_use]
    pub fn of_content_type(content_type: Option<&str>) -> Self {
        let soap12 = |text: &str| text.to_ascii_lowercase().contains("application/soap+xml");
        if content_type.is_some_and(soap12) { Self::V12 } else { Self::V11 }
    }
}
