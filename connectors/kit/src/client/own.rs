//! Certificates of a connection's own: an authority that it trusts beside the usual ones, and the certificate by which a
//! vendor knows who calls (mutual TLS). They are files in PEM, read when the connection first calls.

use super::{Client, SendError};
use crate::connection::Connection;
use reqwest::{Certificate, Identity};
use std::sync::{Arc, PoisonError};

/// The files that a connection's settings name: `ca_file`, `client_cert_file`, `client_key_file`.
pub(crate) type TlsFiles = [Option<String>; 3];

/// What is trusted and shown beside the usual.
#[derive(Default)]
pub(super) struct OwnTls {
    pub(super) authorities: Vec<Certificate>,
    pub(super) identity: Option<Identity>,
}

impl OwnTls {
    fn read([ca, cert, key]: &TlsFiles) -> Result<Self, SendError> {
        let file = |path: &str, wrong: &'static str| std::fs::read(path).map_err(|_| SendError::Invalid(wrong));
        let mut own = Self::default();
        if let Some(path) = ca {
            let bytes = file(path, "the file of `ca_file` cannot be read")?;
            let wrong = SendError::Invalid("the file of `ca_file` holds no certificate in PEM");
            own.authorities = Certificate::from_pem_bundle(&bytes).ok().filter(|all| !all.is_empty()).ok_or(wrong)?;
        }
        match (cert, key) {
            (Some(cert), Some(key)) => {
                let mut pem = file(cert, "the file of `client_cert_file` cannot be read")?;
                pem.push(b'\n');
                pem.extend(file(key, "the file of `client_key_file` cannot be read")?);
                let identity = Identity::from_pem(&pem);
                let wrong = "the files of `client_cert_file` and `client_key_file` hold no certificate and key in PEM";
                own.identity = Some(identity.map_err(|_| SendError::Invalid(wrong))?);
            }
            (None, None) => {}
            _ => return Err(SendError::Invalid("`client_cert_file` and `client_key_file` go together")),
        }
        Ok(own)
    }
}

impl Client {
    /// The client for a connection: this one, or one with the certificates that its settings name.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn of(&self, connection: &Connection) -> Result<Self, SendError> {
        let files = &connection.tls_files;
        if files.iter().all(Option::is_none) {
            return Ok(self.clone());
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = own.get(files) {
            return Ok(client.clone());
        }
        let client = Self::build(self.allow.clone(), Arc::clone(&self.names), &OwnTls::read(files)?)?;
        own.insert(files.clone(), client.clone());
        Ok(client)
    }
}
