//! The setting `dsn`: which database, and how its connection is protected.
//!
//! Only what is named here can be said in it: a parameter that leads to another host, or to a file of this machine that
//! is no certificate, would go past the guard of outgoing connections.

use hub_tree::Private;
use std::path::PathBuf;
use url::Url;

/// The databases that this driver speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not at all.
    Disabled,
    /// If the server can.
    Prefer,
    /// Encrypted, whoever it is.
    Require,
    /// Encrypted, and the server's certificate is of a known authority.
    VerifyCa,
    /// The certificate names the host, too.
    VerifyFull,
}

impl Protection {
    const WORDS: [(&str, Self); 8] = [
        ("disable", Self::Disabled),
        ("disabled", Self::Disabled),
        ("prefer", Self::Prefer),
        ("preferred", Self::Prefer),
        ("require", Self::Require),
        ("required", Self::Require),
        ("verify_ca", Self::VerifyCa),
        ("verify_full", Self::VerifyFull),
    ];

    fn of(word: &str) -> Option<Self> {
        let word = word.to_lowercase().replace('-', "_");
        let word = if word == "verify_identity" { "verify_full" } else { word.as_str() };
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, found)| *found)
    }
}

/// Which database, and how to get in.
#[derive(Clone, Debug)]
pub(crate) struct Dsn {
    pub(crate) kind: Kind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Private<String>,
    pub(crate) database: String,
    /// As it says; if nothing is said, it depends on where the host lies.
    pub(crate) protection: Option<Protection>,
    /// A file with certificates of authorities.
    pub(crate) authorities: Option<PathBuf>,
}

impl Dsn {
    /// Reads one; `Err` says what is wrong without quoting it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| {
            "`dsn` is no address such as postgres://user:password@host:5432/database or mysql://…; special characters \
             of a password are written as %XX"
                .to_owned()
        })?;
        let kind = match url.scheme() {
            "postgres" | "postgresql" => Kind::Postgres,
            "mysql" | "mariadb" => Kind::MySql,
            other => return Err(format!("`dsn` begins with `{other}:`; known are postgres: and mysql:")),
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
        if host.is_empty() || host.starts_with('/') || host.contains('%') {
            return Err("`dsn` names no host".to_owned());
        }
        let decoded = |text: &str, what: &str| {
            let read = percent_encoding::percent_decode_str(text).decode_utf8();
            read.map(|text| text.into_owned()).map_err(|_| format!("the {what} of `dsn` is no UTF-8"))
        };
        let mut dsn = Self {
            kind,
            host,
            port: url.port().unwrap_or(if kind == Kind::Postgres { 5432 } else { 3306 }),
            user: decoded(url.username(), "user")?,
            password: Private::new(decoded(url.password().unwrap_or_default(), "password")?),
            database: decoded(url.path().trim_start_matches('/'), "database")?,
            protection: None,
            authorities: None,
        };
        for (what, value) in [("user", &dsn.user), ("database", &dsn.database)] {
            if value.is_empty() {
                return Err(format!("`dsn` names no {what}"));
            }
        }
        for (key, value) in url.query_pairs() {
            match key.replace('-', "").to_lowercase().as_str() {
                "sslmode" => {
                    let known = "disable, prefer, require, verify-ca and verify-full";
                    let found = Protection::of(&value);
                    dsn.protection = Some(found.ok_or_else(|| format!("`sslmode` of `dsn` is one of {known}"))?);
                }
                "sslrootcert" | "sslca" => dsn.authorities = Some(PathBuf::from(value.as_ref())),
                _ => return Err(format!("`dsn` has the unknown parameter `{key}`; known are sslmode and sslrootcert")),
            }
        }
        if dsn.authorities.is_some() && !matches!(dsn.protection, Some(Protection::VerifyCa | Protection::VerifyFull)) {
            return Err("`sslrootcert` of `dsn` counts only with sslmode=verify-ca or verify-full".to_owned());
        }
        Ok(dsn)
    }

    /// How the connection is protected: on the way through a public network the server proves who it is, unless
    /// somebody has decided otherwise.
    pub(crate) fn protection(&self, private: bool) -> Protection {
        self.protection.unwrap_or(if private { Protection::Prefer } else { Protection::VerifyFull })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_database_and_protection_and_never_shows_its_password() {
        let dsn =
            Dsn::parse("mysql://erp:p%40ss%E5%AF%86@DB.example.com/hr?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/ca.pem");
        let dsn = dsn.unwrap();
        assert_eq!((dsn.kind, dsn.host.as_str(), dsn.port), (Kind::MySql, "db.example.com", 3306));
        assert_eq!((dsn.password.expose().as_str(), dsn.database.as_str()), ("p@ss密", "hr"));
        assert_eq!(dsn.protection(true), Protection::VerifyFull);
        assert!(!format!("{dsn:?}").contains("p@ss"));
        let plain = Dsn::parse("postgres://hub@127.0.0.1:5433/erp").unwrap();
        assert_eq!((plain.port, plain.protection(true)), (5433, Protection::Prefer));
        assert_eq!(plain.protection(false), Protection::VerifyFull);
        assert_eq!(Dsn::parse("postgres://hub@[::1]/erp").unwrap().host, "::1");
    }

    #[test]
    fn nothing_leads_past_the_host_and_no_message_quotes_a_secret() {
        for (text, wanted) in [
            ("postgres://u:s3cret@h/d?host=10.0.0.1", "unknown parameter `host`"),
            ("postgres://u:s3cret@h/d?hostaddr=10.0.0.1", "unknown parameter `hostaddr`"),
            ("mysql://u:s3cret@h/d?socket=/run/x", "unknown parameter `socket`"),
            ("postgres://u:s3cret@h/d?options=-c%20x", "unknown parameter `options`"),
            ("postgres://u:s3cret@%2Frun%2Fpg/d", "names no host"),
            ("postgres://u:s3cret@/d", "`dsn` "),
            ("oracle://u:s3cret@h/d", "begins with `oracle:`"),
            ("u:s3cret@h", "`dsn` "),
            ("postgres://u:s3cret@h", "names no database"),
            ("postgres://h/d", "names no user"),
            ("postgres://u:s3cret@h/d?sslmode=maybe", "`sslmode` of `dsn` is one of"),
            ("postgres://u:s3cret@h/d?sslmode=require&sslrootcert=/ca", "counts only with"),
        ] {
            let error = Dsn::parse(text).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
