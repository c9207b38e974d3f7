//! What an error of a database means: whether anything was done, who must act, and whether to try again. Messages of
//! servers quote values; only their codes are handed on.

use hub_kit::CallError;
use hub_kit::Party;
use hub_kit::client::SendError;
use sqlx::mysql::MySqlDatabaseError;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was sent yet.
    Connecting,
    /// A statement was under way.
    Working,
}

/// What an error means.
pub(crate) fn classify(error: &sqlx::Error, phase: Phase) -> CallError {
    match error {
        sqlx::Error::Database(database) => {
            let (code, number) = match database.try_downcast_ref::<MySqlDatabaseError>() {
                Some(mysql) => (mysql.code().unwrap_or_default().to_owned(), Some(mysql.number())),
                None => (database.code().unwrap_or_default().into_owned(), None),
            };
            of_code(&code, number)
        }
        sqlx::Error::Tls(_) => refused("TLS", Party::Config),
        sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => refused("CONFIGURATION", Party::Config),
        sqlx::Error::Io(io) => lost(phase, io.to_string()),
        // A value that is no text in the end: the driver's own affair, and not better the next time.
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => refused("UNREADABLE_VALUE", Party::Config),
        sqlx::Error::Protocol(_) => lost(phase, "the server does not speak the protocol".to_owned()),
        _ => lost(phase, "the connection broke off".to_owned()),
    }
}

fn lost(phase: Phase, what: String) -> CallError {
    match phase {
        Phase::Connecting => CallError::NotSent(SendError::NotSent(what)),
        Phase::Working => CallError::NoAnswer(SendError::NoAnswer(what)),
    }
}

fn refused(code: &str, party: Party) -> CallError {
    CallError::Refused { status: 0, code: Some(code.to_owned()), party }
}

/// By SQLSTATE, and by the number where MySQL has no state of its own for it.
fn of_code(state: &str, number: Option<u16>) -> CallError {
    let code = number.map_or_else(|| state.to_owned(), |number| number.to_string());
    let trouble = || CallError::Trouble { status: 0, code: Some(code.clone()) };
    match number {
        // Who we are, and what we may see.
        Some(1044 | 1045 | 1130 | 1698 | 3118 | 4151) => return refused(&code, Party::Credential),
        Some(1142 | 1143 | 1227 | 1370) => return refused(&code, Party::Config),
        // Locks, dead locks, limits of time, a server that is going or too busy.
        Some(1040 | 1053 | 1203 | 1205 | 1213 | 1290 | 1317 | 1836 | 1969 | 3024 | 3572) => return trouble(),
        // Values that a column does not take.
        Some(1048 | 1062 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 1451 | 1452 | 1644 | 3819 | 4025) => {
            return refused(&code, Party::Caller);
        }
        _ => {}
    }
    match state.get(..2).unwrap_or_default() {
        "28" => refused(&code, Party::Credential),
        "22" | "23" | "44" | "P0" => refused(&code, Party::Caller),
        "40" | "53" | "55" | "57" | "58" | "XX" | "08" => trouble(),
        _ => refused(&code, Party::Config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_kit::Retry;

    #[test]
    fn a_code_says_who_must_act_and_whether_it_is_tried_again() {
        let of = |state: &str, number: Option<u16>| {
            let error = of_code(state, number);
            (error.party(), error.retry())
        };
        for (state, number, wanted) in [
            ("23505", None, (Party::Caller, Retry::Never)),
            ("22007", None, (Party::Caller, Retry::Never)),
            ("28P01", None, (Party::Credential, Retry::Never)),
            ("42703", None, (Party::Config, Retry::Never)),
            ("42501", None, (Party::Config, Retry::Never)),
            ("40P01", None, (Party::Remote, Retry::IfIdempotent)),
            ("55P03", None, (Party::Remote, Retry::IfIdempotent)),
            ("57014", None, (Party::Remote, Retry::IfIdempotent)),
            ("P0001", None, (Party::Caller, Retry::Never)),
            ("23000", Some(1062), (Party::Caller, Retry::Never)),
            ("HY000", Some(1366), (Party::Caller, Retry::Never)),
            ("HY000", Some(1205), (Party::Remote, Retry::IfIdempotent)),
            ("28000", Some(1045), (Party::Credential, Retry::Never)),
            ("42S22", Some(1054), (Party::Config, Retry::Never)),
        ] {
            assert_eq!(of(state, number), wanted, "{state} {number:?}");
        }
        assert_eq!(of_code("23000", Some(1062)).to_string(), "HUB-C202 refused, code 1062");
    }

    #[test]
    fn a_connection_that_breaks_says_whether_anything_may_have_been_done() {
        let io = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(classify(&io(), Phase::Connecting), CallError::NotSent(_)));
        assert!(matches!(classify(&io(), Phase::Working), CallError::NoAnswer(_)));
    }
}
