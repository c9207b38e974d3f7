//! A web hook's whole way by hand: a thread for each connection reads the request, checks the signature, hands the body
//! to the appender and answers when it is on disk. Nothing is sealed, counted, limited or told apart.

use super::appender::{Appender, Handle};
use crate::load::{Form, Target};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

/// Starts the server; it ends with the process.
pub fn served(folder: &Path, connections: usize) -> anyhow::Result<Target> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let target = Target {
        address: listener.local_addr()?.to_string(),
        secret: "secret of the bench".to_owned(),
        form: Form::Signed,
    };
    let secret = target.secret.clone();
    let (appender, _) = Appender::start(folder, connections);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (handle, secret) = (appender.handle(), secret.clone());
            thread::spawn(move || answer(&stream, &handle, secret.as_bytes()));
        }
    });
    Ok(target)
}

fn answer(stream: &TcpStream, appender: &Handle, secret: &[u8]) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    let mut answers = stream;
    loop {
        let (mut line, mut length, mut signature) = (String::new(), 0, String::new());
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            } else if let Some(value) = lower.strip_prefix("signature: sha256 ") {
                value.trim().clone_into(&mut signature);
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(&body);
        let good = mac.verify_slice(&hex::decode(signature).ok()?).is_ok() && appender.append(&body.into());
        let status = if good { "200 OK" } else { "500 Internal Server Error" };
        answers.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).ok()?;
    }
}
