//! The program itself: built once, run in folders of its own, killed when the test ends.

use crate::{free_port, postgres, project_root, rabbitmq, unique, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// How long the program may take to start or stop on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The path of `hrhub`: `HRHUB_TEST_PROGRAM`, which `tests/run` has just built with everything else, or built on first
/// use in the profile of this test.
///
/// # Panics
/// It does not build.
pub fn hrhub() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(built) = hub_tree::env::read("HRHUB_TEST_PROGRAM") {
            return project_root().join(built);
        }
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--package", "hub-hub", "--bin", "hrhub"]).current_dir(project_root());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "hrhub does not build");
        profile.join("hrhub")
    })
}

/// A command that the kernel kills together with the test that started it.
fn tied(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).env_remove("HRHUB_ADMIN_KEY").env("RUST_BACKTRACE", "0");
    command
}

/// Runs `hrhub` to its end.
pub fn run_hrhub<const N: usize>(args: [&str; N]) -> Output {
    tied(hrhub()).args(args).output().unwrap()
}

/// What a process wrote to standard output and error.
#[must_use]
pub fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// Where a hub keeps its things and where its messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backends {
    /// SQLite and the embedded bus.
    Embedded,
    /// PostgreSQL and RabbitMQ.
    Servers,
}

/// A configuration folder as `hrhub init` writes it, with ports of its own.
pub struct Place {
    folder: TempDir,
    /// Where the hub listens.
    pub port: u16,
    /// Where the simulated vendors listen.
    pub sandbox_port: u16,
    http: reqwest::blocking::Client,
}

impl Place {
    /// Writes one.
    #[must_use]
    pub fn new(backends: Backends) -> Self {
        let folder = tempfile::Builder::new().prefix("hrhub-test-").tempdir().unwrap();
        let http = reqwest::blocking::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(LONG);
        let place = Self { folder, port: free_port(), sandbox_port: free_port(), http: http.build().unwrap() };
        let output = run_hrhub(["init", place.config().to_str().unwrap()]);
        assert!(output.status.success(), "{:?}", said(&output));
        for file in ["greenhouse-main", "ai-interview-main", "dingtalk-main"] {
            let sandbox = place.sandbox_port.to_string();
            place.edit(&format!("connections/{file}.yaml"), |text| text.replace("8081", &sandbox));
        }
        place.edit("hub.yaml", |text| text.replace("8080", &place.port.to_string()));
        if backends == Backends::Servers {
            place.use_servers(&crate::RabbitMq::url(rabbitmq().port), &postgres().new_database());
        }
        place
    }

    /// Writes one for a broker and a database at these addresses.
    #[must_use]
    pub fn on_servers(broker: &str, database: &str) -> Self {
        let place = Self::new(Backends::Embedded);
        place.use_servers(broker, database);
        place
    }

    fn use_servers(&self, broker: &str, database: &str) {
        let bus = format!("bus: {{ kind: rabbitmq, url: \"{broker}\", prefix: {} }}", unique("hub"));
        let store = format!("store: {{ kind: postgres, url: \"{database}\" }}");
        self.edit("hub.yaml", |text| {
            text.replace("bus: { kind: embedded }", &bus).replace("store: { kind: sqlite }", &store)
        });
    }

    /// The configuration folder.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The folder around it, where everything that is written lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes a file of the configuration.
    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.config().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after, "nothing to change in {file}");
        fs::write(path, after).unwrap();
    }

    /// A secret of the configuration.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        let text = fs::read_to_string(self.config().join(".env")).unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no secret {name}"))
    }

    /// Starts the hub and waits until it answers.
    #[must_use]
    pub fn serve(&self) -> Running {
        self.serve_with(&[])
    }

    /// Starts the hub with environment variables and waits until it answers.
    #[must_use]
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Running {
        let running = self.begin_with(environment);
        wait_for("the hub to answer", LONG, || {
            assert!(!running.has_ended(), "the hub ended: {}", running.log());
            self.http.get(self.url("/healthz")).send().ok().filter(|answer| answer.status().is_success())
        });
        running
    }

    /// Starts one process of several with a role, its own data folder and port; the name is that of the folder. Waits
    /// until it answers.
    #[must_use]
    pub fn serve_as(&self, role: &str, name: &str, port: u16) -> Node {
        let mut command = tied(hrhub());
        command.args(["serve", "--role", role, "--listen", &format!("127.0.0.1:{port}"), "--config"]);
        command.arg(self.config()).arg("--data").arg(self.folder.path().join(name));
        let running = Running::start(command, &self.folder.path().join(format!("{name}.log")));
        let node = Node { running, port };
        wait_for("the process to answer", LONG, || {
            assert!(!node.running.has_ended(), "{name} ended: {}", node.running.log());
            self.http.get(node.url("/healthz")).send().ok().filter(|answer| answer.status().is_success())
        });
        node
    }

    /// Starts the hub with environment variables; it may end before it ever answers.
    #[must_use]
    pub fn begin_with(&self, environment: &[(&str, &str)]) -> Running {
        let mut command = tied(hrhub());
        command.args(["serve", "--config"]).arg(self.config()).envs(environment.iter().copied());
        Running::start(command, &self.folder.path().join("hub.log"))
    }

    /// Starts the simulated vendors and waits until they answer.
    #[must_use]
    pub fn sandbox(&self) -> Running {
        let mut command = tied(hrhub());
        command.args(["sandbox", "--listen", &format!("127.0.0.1:{}", self.sandbox_port), "--config"]);
        command.arg(self.config()).arg("--data").arg(self.folder.path().join("sandbox"));
        let running = Running::start(command, &self.folder.path().join("sandbox.log"));
        wait_for("the sandbox to answer", LONG, || {
            assert!(!running.has_ended(), "the sandbox ended: {}", running.log());
            self.http.get(self.sandbox_url("/_sandbox")).send().ok().filter(|answer| answer.status().is_success())
        });
        running
    }

    /// An address of the hub.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// An address of the sandbox.
    #[must_use]
    pub fn sandbox_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.sandbox_port)
    }

    /// The client, for requests of another kind. It follows no redirects.
    #[must_use]
    pub fn http(&self) -> &reqwest::blocking::Client {
        &self.http
    }

    /// Reads from the API as the bootstrap admin, as clients do: again while the hub asks for it.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let key = self.secret("HRHUB_ADMIN_KEY");
        crate::wait_until(Duration::from_secs(60), || match self.get_as(&key, path) {
            (503, body) => Err(format!("GET {path}: {body}")),
            (status, body) => {
                assert_eq!(status, 200, "GET {path}: {body}");
                Ok(body)
            }
        })
    }

    /// Reads from the API with a key: status and body.
    #[must_use]
    pub fn get_as(&self, key: &str, path: &str) -> (u16, Value) {
        let answer = self.http.get(self.url(path)).bearer_auth(key).send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    /// Sends a Greenhouse web hook with a valid signature.
    #[must_use]
    pub fn greenhouse_hook(&self, event_id: &str, body: &[u8]) -> reqwest::blocking::Response {
        self.greenhouse_hook_at(self.port, event_id, body).unwrap()
    }

    /// Sends one as Greenhouse does: again, under the same id, while the hub asks for it.
    pub fn greenhouse_sends(&self, event_id: &str, body: &[u8]) {
        crate::wait_until(Duration::from_secs(60), || match self.greenhouse_hook(event_id, body).status().as_u16() {
            503 => Err(format!("web hook {event_id} is put off")),
            status => {
                assert_eq!(status, 200, "{event_id}");
                Ok(())
            }
        });
    }

    /// Sends it to the process on a port.
    ///
    /// # Errors
    /// There was no answer.
    pub fn greenhouse_hook_at(
        &self,
        port: u16,
        event_id: &str,
        body: &[u8],
    ) -> Result<reqwest::blocking::Response, reqwest::Error> {
        let request = self.http.post(format!("http://127.0.0.1:{port}/hooks/greenhouse-main"));
        let request = request.header("content-type", "application/json").header("greenhouse-event-id", event_id);
        request.header("signature", self.greenhouse_signature(body)).body(body.to_vec()).send()
    }

    /// Sends a web hook of the interview vendor with a valid Standard Webhooks signature.
    #[must_use]
    pub fn interview_hook(&self, id: &str, body: &[u8]) -> reqwest::blocking::Response {
        let now = hub_tree::Clock::System.now().as_second();
        let secret = self.secret("AI_INTERVIEW_WEBHOOK_SECRET");
        let signature = hub_kit::verify::sign_standard_webhooks(&secret, id, now, body).unwrap();
        let request = self.http.post(self.url("/hooks/ai-interview-main")).header("content-type", "application/json");
        let request = request.header("webhook-id", id).header("webhook-timestamp", now);
        request.header("webhook-signature", signature).body(body.to_vec()).send().unwrap()
    }

    /// What Greenhouse would sign a body with.
    #[must_use]
    pub fn greenhouse_signature(&self, body: &[u8]) -> String {
        let secret = self.secret("GREENHOUSE_WEBHOOK_SECRET");
        let digest = hub_kit::verify::hmac_sha256(secret.as_bytes(), &[body]);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256 {hex}")
    }

    /// Has somebody move a candidate at the simulated Greenhouse to the interview stage.
    pub fn move_candidate(&self, candidate: &Candidate) {
        let with = json!({
            "application_id": candidate.number, "candidate_id": 900_000 + candidate.number,
            "first_name": candidate.first, "last_name": candidate.last, "email": candidate.email,
            "phone": candidate.phone, "stage_id": 71416,
        });
        let url = self.sandbox_url("/_sandbox/greenhouse/move_candidate");
        let answer = self.http.post(url).json(&with).send().unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    }

    /// Makes the simulated vendors slow, lossy or repetitive.
    pub fn turn(&self, dial: &Value) {
        let answer = self.http.put(self.sandbox_url("/_sandbox/dial")).json(dial).send().unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    }

    /// What the simulated vendors were asked to do, by `vendor effect reference`, and how often.
    #[must_use]
    pub fn effects(&self) -> Vec<(String, u64)> {
        let all: Value = self.http.get(self.sandbox_url("/_sandbox/effects")).send().unwrap().json().unwrap();
        let part = |effect: &Value, name: &str| effect[name].as_str().unwrap().to_owned();
        let one = |effect: &Value| {
            let name = ["vendor", "effect", "reference"].map(|name| part(effect, name)).join(" ");
            (name, effect["count"].as_u64().unwrap())
        };
        all["effects"].as_array().unwrap_or_else(|| panic!("{all}")).iter().map(one).collect()
    }
}

/// An invented candidate.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Number of the application.
    pub number: u32,
    /// Given name.
    pub first: String,
    /// Family name.
    pub last: String,
    /// The domain picks the outcome: `strong.example`, `weak.example`, any other is in between.
    pub email: String,
    /// Phone.
    pub phone: String,
}

impl Candidate {
    /// A candidate with a number and an e-mail domain.
    #[must_use]
    pub fn new(number: u32, domain: &str) -> Self {
        Self {
            number,
            first: format!("First{number}"),
            last: format!("Last{number}"),
            email: format!("c{number}@{domain}"),
            phone: format!("+86 138 {:04} {:04}", number / 10_000 % 10_000, number % 10_000),
        }
    }
}

/// A running `hrhub`; killed when dropped.
pub struct Running {
    child: std::sync::Mutex<Child>,
    log: PathBuf,
}

impl Running {
    fn start(mut command: Command, log: &Path) -> Self {
        let file = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: std::sync::Mutex::new(command.spawn().unwrap()), log: log.to_owned() }
    }

    /// All that it and its forerunners in the same folder printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_some()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// SIGTERM, without waiting for the end.
    pub fn ask_to_stop(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&self) -> ExitStatus {
        self.ask_to_stop();
        wait_for("the program to stop", LONG, || self.child.lock().unwrap().try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One process of several that make up a hub.
pub struct Node {
    /// The process.
    pub running: Running,
    /// Where it listens.
    pub port: u16,
}

impl Node {
    /// An address of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// A running `hrhub demo`.
pub struct Demo {
    child: Child,
    lines: Receiver<String>,
    /// The port of the hub.
    pub port: u16,
    /// The port of the simulated vendors.
    pub sandbox_port: u16,
}

impl Demo {
    /// Starts it with its data in `folder`.
    #[must_use]
    pub fn start(folder: &Path, (port, sandbox_port): (u16, u16), once: bool) -> Self {
        let mut command = tied(hrhub());
        command.args(["demo", "--listen", &format!("127.0.0.1:{port}"), "--sandbox-listen"]);
        command.arg(format!("127.0.0.1:{sandbox_port}")).arg("--data").arg(folder);
        if once {
            command.arg("--once");
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, port, sandbox_port }
    }

    /// The lines up to and with the first that holds `text`.
    pub fn until(&self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(LONG).unwrap_or_else(|_| panic!("no `{text}` in {seen:#?}"));
            let found = line.contains(text);
            seen.push(line);
            if found {
                return seen;
            }
        }
    }

    /// Waits for its end: whether it went well, and all lines not seen yet.
    pub fn end(&mut self) -> (bool, Vec<String>) {
        let status = wait_for("the demo to end", 2 * LONG, || self.child.try_wait().unwrap());
        (status.success(), self.lines.iter().collect())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.kill();
    }
}
