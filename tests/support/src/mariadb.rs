//! MariaDB, as the database of another system. One server per test process.

use crate::servers::{Guarded, guarded, log_of, temporary_folder};
use crate::{free_port, unique, wait_for};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// A MariaDB server.
pub struct MariaDb {
    /// Its port on the loopback.
    pub port: u16,
    _guard: Guarded,
}

/// The MariaDB server of this test process, started on first use.
///
/// # Panics
/// When it is not installed or does not start.
pub fn mariadb() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(MariaDb::start)
}

/// It refuses to run as root; then it runs as the user that its package made.
fn unprivileged(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0).unwrap_or(false);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=mysql", "--regid=mysql", "--clear-groups", "--"]).arg(program);
    command
}

impl MariaDb {
    fn start() -> Self {
        let program = PathBuf::from("/usr/sbin/mariadbd");
        assert!(program.exists(), "MariaDB is not installed: run tests/run as root, or apt-get install mariadb-server");
        let folder = temporary_folder("mariadb");
        let data = folder.join("data");
        let mut install = unprivileged(Path::new("/usr/bin/mariadb-install-db"));
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        let output = install.arg(format!("--datadir={}", data.display())).output().unwrap();
        assert!(output.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr));
        let first = folder.join("first.sql");
        // The server reads one statement a line.
        let users = "CREATE OR REPLACE USER hub@'127.0.0.1' IDENTIFIED BY 'secret';\n\
             GRANT ALL ON *.* TO hub@'127.0.0.1' WITH GRANT OPTION;\n";
        fs::write(&first, users).unwrap();
        let port = free_port();
        let mut command = unprivileged(&program);
        command.args(["--no-defaults", "--skip-name-resolve", "--bind-address=127.0.0.1", "--skip-log-bin"]);
        command.args(["--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4"]);
        command.arg(format!("--port={port}")).arg(format!("--datadir={}", data.display()));
        command.arg(format!("--socket={}", folder.join("socket").display()));
        command.arg(format!("--pid-file={}", folder.join("pid").display()));
        command.arg(format!("--init-file={}", first.display()));
        let guard = guarded(&command, &folder, &folder.join("server.log"), "TERM", "");
        let server = Self { port, _guard: guard };
        wait_for(&format!("MariaDB in {}:\n{}", folder.display(), log_of(&folder)), Duration::from_secs(120), || {
            server.client("", "SELECT 1").ok()
        });
        server
    }

    fn client(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut command = Command::new("/usr/bin/mariadb");
        command.args(["--no-defaults", "--protocol=TCP", "-h", "127.0.0.1", "-u", "hub", "-psecret", "-N", "-B", "-r"]);
        command.args(["--default-character-set=utf8mb4", "-P", &self.port.to_string()]);
        let output = command.args(["-e", statement]).arg(database).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Runs statements in a database, and gives what the client prints.
    ///
    /// # Panics
    /// One fails.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        self.client(database, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The name of a new, empty database; its user is `hub` with the password `secret`.
    pub fn new_database(&self) -> String {
        let name = unique("erp");
        self.sql_in("", &format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"));
        name
    }

    /// The address of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("mysql://hub:secret@127.0.0.1:{}/{database}", self.port)
    }
}
