//! PostgreSQL and RabbitMQ, one of each per test process.

use crate::{free_port, unique, wait_for};
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// Stops the server, by the signal that it takes for "at once", when standard input ends.
const UNTIL_STDIN_ENDS: &str = r#"
"$@" </dev/null & pid=$!
cat >/dev/null
kill -$STOP_SIGNAL $pid 2>/dev/null
( sleep 10; kill -KILL $pid 2>/dev/null ) & guard=$!
wait $pid
kill $guard 2>/dev/null
[ -z "$AFTER" ] || sh -c "$AFTER"
rm -rf "$FOLDER"
"#;

/// A running server; its shell ends with this process.
pub(crate) struct Guarded {
    /// Closing its standard input stops the server.
    shell: Child,
}

/// Runs a server whose end is tied to this process's; `folder` is removed then, and `log` gets what it prints.
pub(crate) fn guarded(command: &Command, folder: &Path, log: &Path, stop_signal: &str, after: &str) -> Guarded {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(UNTIL_STDIN_ENDS).arg("server").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell.env("FOLDER", folder).env("STOP_SIGNAL", stop_signal).env("AFTER", after);
    let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    shell.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
    Guarded { shell: shell.spawn().unwrap() }
}

pub(crate) fn temporary_folder(name: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("hrhub-{name}-")).tempdir().unwrap().keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

pub(crate) fn answers(port: u16) -> Option<()> {
    TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), Duration::from_millis(500)).ok().map(drop)
}

pub(crate) fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("server.log")).unwrap_or_default()
}

/// At most so many lines of a broker's log are shown.
const SHOWN_LINES: usize = 60;
/// At most so many lines of one message.
const LINES_OF_ONE: usize = 5;

/// The last warnings and errors of the RabbitMQ server in a folder. What a client provokes on purpose is among them.
pub(crate) fn complaints_of(folder: &Path) -> String {
    let log = log_of(folder);
    let is_one = |line: &&str| {
        let levels = ["[warning]", "[error]", "[critical]", "[alert]", "[emergency]"];
        // What happens before the log is open has no level.
        levels.iter().any(|level| line.contains(level)) || line.contains("BOOT FAILED") || line.contains("ERROR:")
    };
    let mut complaints: Vec<&str> = log.lines().filter(is_one).collect();
    // All lines of one message begin alike; a report of a crash has hundreds.
    let mut last = ("", 0);
    complaints.retain(|line| {
        let head = line.split_once("> ").map_or(*line, |(head, _)| head);
        last = if head == last.0 { (head, last.1 + 1) } else { (head, 1) };
        last.1 <= LINES_OF_ONE
    });
    let from = complaints.len().saturating_sub(SHOWN_LINES);
    complaints.get(from..).unwrap_or_default().join("\n")
}

fn run(command: &mut Command, what: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A PostgreSQL server.
pub struct Postgres {
    /// Its port on the loopback.
    pub port: u16,
    bin: PathBuf,
    folder: PathBuf,
    fsync: &'static str,
    guard: Mutex<Option<Guarded>>,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What was stopped left its folder to the next start.
        if self.guard.lock().unwrap().is_none() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The PostgreSQL server of this test process, started on first use.
///
/// # Panics
/// When it is not installed or does not start.
pub fn postgres() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// One that has every commit on disk before it answers, for benches.
///
/// # Panics
/// When it is not installed or does not start.
pub fn durable_postgres() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::with_fsync("on"))
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made.
fn unprivileged(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0).unwrap_or(false);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

impl Postgres {
    /// A server of a test's own, which it may stop and start.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with_fsync("off")
    }

    fn with_fsync(fsync: &'static str) -> Self {
        let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
            .unwrap_or_default();
        versions.retain(|bin| bin.join("postgres").exists());
        versions.sort();
        let bin =
            versions.pop().expect("PostgreSQL is not installed: run tests/run as root, or apt-get install postgresql");
        let folder = temporary_folder("postgres");
        run(
            unprivileged(&bin.join("initdb"))
                .args(["--no-sync", "--auth=trust", "--username=hub", "--encoding=UTF8", "--locale=C", "-D"])
                .arg(folder.join("data")),
            "initdb",
        );
        let server = Self { port: free_port(), bin, folder, fsync, guard: Mutex::default() };
        server.start_again();
        server
    }

    /// Starts a server that was stopped, on the same port with the same data.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&self) {
        let (port, folder) = (self.port, &self.folder);
        let mut command = unprivileged(&self.bin.join("postgres"));
        command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-k"]).arg(folder);
        for setting in ["listen_addresses=127.0.0.1", &format!("fsync={}", self.fsync), "max_connections=300"] {
            command.args(["-c", setting]);
        }
        // INT is a fast shutdown: connections are cut, nothing is left running.
        *self.guard.lock().unwrap() = Some(guarded(&command, folder, &folder.join("server.log"), "INT", ""));
        wait_for(&format!("PostgreSQL in {}:\n{}", folder.display(), log_of(folder)), Duration::from_secs(60), || {
            let ready = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "hub", "-d", "postgres"])
                .status();
            ready.ok().filter(std::process::ExitStatus::success).map(drop)
        });
    }

    /// Stops the server in peace: connections are cut, what was committed is there.
    pub fn stop(&self) {
        self.end("INT");
    }

    /// Stops it as a crash does.
    pub fn crash(&self) {
        self.end("QUIT");
    }

    fn end(&self, signal: &str) {
        let Some(mut guard) = self.guard.lock().unwrap().take() else { return };
        let lock = self.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(&lock).unwrap();
        let process = text.lines().next().unwrap().to_owned();
        run(Command::new("kill").args([&format!("-{signal}"), &process]), "kill");
        wait_for("PostgreSQL to stop", Duration::from_secs(60), || {
            // Its shell does not look after it yet: it stays as a zombie.
            let status = fs::read_to_string(Path::new("/proc").join(&process).join("status")).unwrap_or_default();
            (status.is_empty() || status.contains("State:\tZ")).then_some(())
        });
        // Its shell must not remove what the next start needs.
        let _ = guard.shell.kill();
        let _ = guard.shell.wait();
        let _ = fs::remove_file(lock);
    }

    /// A second server that follows this one: nothing counts as committed that it does not have, too.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = temporary_folder("standby");
        let mut copy = unprivileged(&self.bin.join("pg_basebackup"));
        copy.args(["--no-sync", "-h", "127.0.0.1", "-U", "hub", "-R", "-X", "stream", "-p", &self.port.to_string()]);
        run(copy.arg("-D").arg(folder.join("data")), "pg_basebackup");
        let standby =
            Self { port: free_port(), bin: self.bin.clone(), folder, fsync: self.fsync, guard: Mutex::default() };
        standby.start_again();
        for statement in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            self.sql(statement);
        }
        wait_for("the standby to follow", Duration::from_secs(60), || {
            let following = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
            (self.sql(following).trim() == "1").then_some(())
        });
        standby
    }

    /// Lets a standby take writes.
    ///
    /// # Panics
    /// It is none.
    pub fn promote(&self) {
        let data = self.folder.join("data");
        run(unprivileged(&self.bin.join("pg_ctl")).args(["promote", "-w", "-s", "-D"]).arg(data), "pg_ctl promote");
    }

    /// Runs a statement in the database `postgres`, and gives what `psql` prints.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// Runs a statement in a database, and gives what `psql` prints.
    ///
    /// # Panics
    /// It fails.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "hub", "-d", database, "-Atqc"]);
        let output = command.arg(statement).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The URL of a new, empty database.
    pub fn new_database(&self) -> String {
        let name = unique("hub");
        let port = self.port.to_string();
        let mut command = Command::new(self.bin.join("createdb"));
        run(command.args(["-h", "127.0.0.1", "-p", &port, "-U", "hub", &name]), "createdb");
        format!("postgres://hub@127.0.0.1:{port}/{name}")
    }
}

/// A RabbitMQ server.
pub struct RabbitMq {
    /// Its port on the loopback.
    pub port: u16,
    _guard: Guarded,
}

/// The RabbitMQ server of this test process, started on first use. Tests share it under names of their own.
///
/// # Panics
/// When it is not installed or does not start.
pub fn rabbitmq() -> &'static RabbitMq {
    static SERVER: OnceLock<RabbitMq> = OnceLock::new();
    SERVER.get_or_init(RabbitMq::start)
}

impl RabbitMq {
    /// The URL for a client that connects to `port`: the server's own, or a proxy's before it.
    #[must_use]
    pub fn url(port: u16) -> String {
        format!("amqp://guest:guest@127.0.0.1:{port}/%2f")
    }

    fn start() -> Self {
        let program = Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        assert!(
            program.exists(),
            "RabbitMQ is not installed: run tests/run as root, or apt-get install rabbitmq-server"
        );
        let folder = temporary_folder("rabbitmq");
        let (port, distribution, epmd) = (free_port(), free_port(), free_port());
        fs::write(
            folder.join("rabbitmq.conf"),
            format!(
                "listeners.tcp.default = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = warning\n\
                     disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.relative = 0.6\n"
            ),
        )
        .unwrap();
        fs::write(folder.join("enabled_plugins"), "[].\n").unwrap();
        let mut command = Command::new(program);
        command
            .env("HOME", &folder)
            .env("RABBITMQ_NODENAME", format!("{}@localhost", unique("hub")))
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("ERL_EPMD_PORT", epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_PID_FILE", folder.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("RABBITMQ_CONF_ENV_FILE", folder.join("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none");
        // The port mapper that Erlang starts beside the server must end with it.
        let after = format!("epmd -port {epmd} -kill >/dev/null 2>&1");
        let guard = guarded(&command, &folder, &folder.join("server.log"), "TERM", &after);
        let server = Self { port, _guard: guard };
        wait_for(&format!("RabbitMQ in {}:\n{}", folder.display(), log_of(&folder)), Duration::from_secs(240), || {
            answers(port)
        });
        server
    }
}
