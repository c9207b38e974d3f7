//! A local end of outgoing calls: takes every request, answers at once, and notes when which candidate's arrived.

use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// When the call about each number arrived, and how many came more than once.
#[derive(Default)]
pub struct Arrived {
    pub at: BTreeMap<u64, Instant>,
    pub again: u64,
}

/// The sink; it ends with the process.
pub struct Sink {
    pub address: String,
    arrived: Arc<Mutex<Arrived>>,
}

impl Sink {
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = Self { address: listener.local_addr()?.to_string(), arrived: Arc::default() };
        let arrived = Arc::clone(&sink.arrived);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrived = Arc::clone(&arrived);
                thread::spawn(move || answer(&stream, &arrived));
            }
        });
        Ok(sink)
    }

    /// Waits until calls about so many numbers have arrived, or nothing new has for a minute.
    pub fn wait_for(&self, count: usize) -> anyhow::Result<()> {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let now = self.with(|arrived| arrived.at.len());
            if now >= count {
                return Ok(());
            }
            if now > seen {
                (seen, since) = (now, Instant::now());
            }
            anyhow::ensure!(since.elapsed() < Duration::from_secs(60), "{now} of {count} calls arrived");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn with<T>(&self, look: impl FnOnce(&Arrived) -> T) -> T {
        look(&self.arrived.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn answer(stream: &TcpStream, arrived: &Mutex<Arrived>) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    let mut answers = stream;
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).ok()?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if let Some(number) = number_in(&body) {
            let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
            if arrived.at.insert(number, Instant::now()).is_some() {
                arrived.again += 1;
            }
        }
        let text = json!({ "interview_id": body.len().to_string(), "status": "open" }).to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        answers.write_all(answer.as_bytes()).ok()?;
    }
}

/// The number of the application, which stands in the candidate's name.
fn number_in(body: &str) -> Option<u64> {
    let rest = body.split("Marisol ").nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
