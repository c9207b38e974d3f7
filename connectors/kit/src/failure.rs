//! Why a call did not succeed: what left the house, whose fault it is, who must act, and whether to try again.

use crate::client::SendError;
use crate::manifest::ErrorVerdict;
use std::time::Duration;

/// Why a call did not succeed: what left the house, whose fault it is, and whether to try again. The text holds codes
/// and places, never what the vendor wrote, because that may quote people.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing left the hub: the request cannot be made.
    #[error("HUB-C101 cannot build `{operation}`: {reason}")]
    Build {
        /// The operation.
        operation: String,
        /// Why, with the manifest's place.
        reason: String,
    },
    /// Nothing left the hub, or only a request for a token.
    #[error("HUB-C102 no access token: {0}")]
    Token(Box<CallError>),
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(SendError),
    /// It may or may not have arrived.
    #[error(transparent)]
    NoAnswer(SendError),
    /// It arrived, and was turned down without being carried out.
    #[error("HUB-C202 refused{}{}", with_http(*status), code.as_deref().map(|code| format!(", code {code}")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: u16,
        /// The vendor's code.
        code: Option<String>,
        /// Who can make it go through.
        party: Party,
    },
    /// It arrived, and what it asked for is not there.
    #[error("HUB-C206 not there (HTTP {status}){}", code.as_deref().map(|code| format!(", code {code}")).unwrap_or_default())]
    Absent {
        /// HTTP status.
        status: u16,
        /// The vendor's code.
        code: Option<String>,
    },
    /// Too fast; nothing was carried out.
    #[error("HUB-C204 asked to wait (HTTP {status})")]
    Wait {
        /// HTTP status.
        status: u16,
        /// For how long, if it said so.
        retry_after: Option<Duration>,
    },
    /// The vendor had trouble, or answered something that cannot be understood; it may have been carried out.
    #[error("HUB-C205 the vendor had trouble{}{}", in_brackets(*status), code.as_deref().map(|code| format!(", code {code}")).unwrap_or_default())]
    Trouble {
        /// HTTP status.
        status: u16,
        /// The vendor's code.
        code: Option<String>,
    },
    /// The driver has no such operation.
    #[error("HUB-C103 the connector has no operation `{0}`")]
    NoOperation(String),
}

/// A status in words; none on wires without HTTP, whose status is 0.
fn with_http(status: u16) -> String {
    if status == 0 { String::new() } else { format!(" with HTTP {status}") }
}

fn in_brackets(status: u16) -> String {
    if status == 0 { String::new() } else { format!(" (HTTP {status})") }
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No: it will not get better by itself.
    Never,
    /// Yes: it was certainly not carried out.
    Safe,
    /// Only if a repetition does no harm: it may have been carried out.
    IfIdempotent,
}

/// Who must act before a failed call can go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whoever made the data that was sent.
    Caller,
    /// Whoever keeps the credentials.
    Credential,
    /// Whoever set the connection up, or its manifest.
    Config,
    /// The vendor.
    Remote,
    /// Whoever runs the network between.
    Network,
}

impl Party {
    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Caller => "CALLER",
            Self::Credential => "CREDENTIAL",
            Self::Config => "CONFIG",
            Self::Remote => "REMOTE",
            Self::Network => "NETWORK",
        }
    }

    /// Whom a refusal with an HTTP status and no better word is for.
    const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Credential,
            300..=399 | 404 | 405 | 406 | 415 => Self::Config,
            _ => Self::Caller,
        }
    }
}

/// Whose trouble a failed attempt was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The vendor's: no answer, or one that says so.
    Vendor,
    /// The call's own: the vendor is well and said no.
    Call,
    /// It says nothing about the vendor's health: nothing was sent, or the vendor asked to wait.
    Nobody,
}

impl CallError {
    /// What an answer that is an error comes to.
    #[must_use]
    pub fn answered(verdict: ErrorVerdict, code: Option<String>, status: u16, retry_after: Option<Duration>) -> Self {
        match verdict {
            ErrorVerdict::Wait => Self::Wait { status, retry_after },
            ErrorVerdict::Retry => Self::Trouble { status, code },
            ErrorVerdict::Absent => Self::Absent { status, code },
            ErrorVerdict::Token | ErrorVerdict::Credentials => Self::Refused { status, code, party: Party::Credential },
            ErrorVerdict::Config => Self::Refused { status, code, party: Party::Config },
            ErrorVerdict::Refused => Self::refused(status, code),
        }
    }

    /// A refusal of which nothing but the status tells whom it is for.
    #[must_use]
    pub const fn refused(status: u16, code: Option<String>) -> Self {
        Self::Refused { status, code, party: Party::of_status(status) }
    }

    /// Who must act before the call can go through.
    #[must_use]
    pub fn party(&self) -> Party {
        match self {
            Self::Refused { party, .. } => *party,
            Self::Token(cause) => match cause.party() {
                Party::Caller => Party::Credential,
                party => party,
            },
            Self::NotSent(SendError::NotSent(_) | SendError::NoTime | SendError::ClaimLost) | Self::NoAnswer(_) => {
                Party::Network
            }
            Self::NotSent(_) | Self::Build { .. } | Self::NoOperation(_) => Party::Config,
            Self::Absent { .. } => Party::Caller,
            Self::Wait { .. } | Self::Trouble { .. } => Party::Remote,
        }
    }

    /// The vendor's own code.
    #[must_use]
    pub fn vendor_code(&self) -> Option<&str> {
        match self {
            Self::Token(cause) => cause.vendor_code(),
            Self::Refused { code, .. } | Self::Trouble { code, .. } | Self::Absent { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Whether to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::NotSent(SendError::NotSent(_) | SendError::NoTime | SendError::ClaimLost) | Self::Wait { .. } => {
                Retry::Safe
            }
            Self::Token(cause) => match cause.retry() {
                Retry::Never => Retry::Never,
                // Asking for a token again harms nobody.
                Retry::Safe | Retry::IfIdempotent => Retry::Safe,
            },
            Self::NoAnswer(_) | Self::Trouble { .. } => Retry::IfIdempotent,
            Self::Build { .. }
            | Self::NotSent(_)
            | Self::Refused { .. }
            | Self::Absent { .. }
            | Self::NoOperation(_) => Retry::Never,
        }
    }

    /// Whether the vendor said that it is asked too much.
    #[must_use]
    pub fn asks_to_wait(&self) -> bool {
        match self {
            Self::Wait { .. } => true,
            Self::Token(cause) => cause.asks_to_wait(),
            _ => false,
        }
    }

    /// How long the vendor asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Wait { retry_after, .. } => *retry_after,
            Self::Token(cause) => cause.retry_after(),
            _ => None,
        }
    }

    /// What the failure says about the vendor's health, for its circuit.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotSent(SendError::NotSent(_) | SendError::NoTime)
            | Self::NoAnswer(_)
            | Self::Trouble { .. }
            | Self::Wait { status: 500.., .. } => Blame::Vendor,
            Self::Token(cause) => cause.blame(),
            Self::Refused { .. } | Self::Absent { .. } => Blame::Call,
            Self::Wait { .. } | Self::Build { .. } | Self::NotSent(_) | Self::NoOperation(_) => Blame::Nobody,
        }
    }

    /// A stable code to group by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Build { .. } => "CALL_NOT_BUILT",
            Self::Token(_) => "NO_TOKEN",
            Self::NotSent(_) => "NOT_SENT",
            Self::NoAnswer(_) => "NO_ANSWER",
            Self::Refused { .. } => "REFUSED",
            Self::Absent { .. } => "ABSENT",
            Self::Wait { .. } => "ASKED_TO_WAIT",
            Self::Trouble { .. } => "VENDOR_TROUBLE",
            Self::NoOperation(_) => "NO_OPERATION",
        }
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NoAnswer(_) | SendError::TooLarge(_) => Self::NoAnswer(error),
            _ => Self::NotSent(error),
        }
    }
}
