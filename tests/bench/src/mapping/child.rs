//! Peers in processes of their own: a program is told `show` or `run SECONDS` on its standard input and answers with
//! one line, the document that it makes or the documents and the seconds of processor time.

use anyhow::{Context as _, bail};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A peer that may be installed.
pub struct Peer {
    pub name: &'static str,
    program: &'static str,
    /// Its script below `peers/`, and what the script is told.
    arguments: &'static [&'static str],
    /// What installs it into the folder that follows; empty when the program is all.
    installer: &'static [&'static str],
    folder: &'static str,
}

pub const PEERS: &[Peer] = &[
    Peer {
        name: "jsonata",
        program: "node",
        arguments: &["jsonata.cjs"],
        installer: &["npm", "install", "jsonata@2.2.2", "--no-save", "--prefix"],
        folder: "jsonata",
    },
    Peer {
        name: "python",
        program: "python3",
        arguments: &["application.py", "library"],
        installer: &["python3", "-m", "pip", "install", "phonenumbers==9.0.43", "--target"],
        folder: "phonenumbers",
    },
    Peer {
        name: "python, fixed phones",
        program: "python3",
        arguments: &["application.py", "fixed"],
        installer: &[],
        folder: "",
    },
];

/// A running peer; it ends when dropped.
pub struct Child {
    process: std::process::Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers")
}

impl Peer {
    /// How to install it, as a command.
    pub fn install(&self) -> String {
        match self.installer {
            [] => format!("install `{}`", self.program),
            words => format!("install it with: {} {}", words.join(" "), target().join(self.folder).display()),
        }
    }

    /// Starts the peer.
    ///
    /// # Errors
    /// It is not installed, or it does not come up.
    pub fn start(&self) -> anyhow::Result<Child> {
        let input = target().join("application.json");
        fs::create_dir_all(target())?;
        fs::write(&input, super::compact(super::INPUT))?;
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let folder = target().join(self.folder);
        let (script, rest) = self.arguments.split_first().context("no script")?;
        let mut process = Command::new(self.program)
            .arg(scripts.join(script))
            .args(rest)
            .arg(&input)
            .env("NODE_PATH", folder.join("node_modules"))
            .env("PYTHONPATH", &folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("`{}` does not start", self.program))?;
        let requests = process.stdin.take().context("no standard input")?;
        let answers = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut child = Child { process, requests, answers };
        match child.ask("hello") {
            Ok(word) if word == b"ready" => Ok(child),
            _ => bail!("it is not installed"),
        }
    }
}

impl Child {
    fn ask(&mut self, request: &str) -> anyhow::Result<Vec<u8>> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut answer = Vec::new();
        self.answers.read_until(b'\n', &mut answer)?;
        if answer.pop() == Some(b'\n') { Ok(answer) } else { bail!("the peer died") }
    }

    /// What it makes of the document.
    pub fn show(&mut self) -> anyhow::Result<Vec<u8>> {
        self.ask("show")
    }

    /// Documents per second of processor time, those of its collector of garbage included.
    pub fn rate(&mut self, time: Duration) -> anyhow::Result<f64> {
        let answer = String::from_utf8(self.ask(&format!("run {}", time.as_secs_f64()))?)?;
        let (documents, seconds) = answer.split_once(' ').context("no rate")?;
        Ok(documents.parse::<f64>()? / seconds.parse::<f64>()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
