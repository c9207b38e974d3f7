//! RabbitMQ servers of a test's own, one or a cluster, to be stopped, killed, paused and started again.

use crate::servers::{Guarded, answers, complaints_of, guarded, log_of, temporary_folder};
use crate::{free_port, unique, wait_for, wait_until};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop on a busy machine.
const LONG: Duration = Duration::from_secs(180);
/// How long a cluster may take to find together by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// One or more RabbitMQ servers; several form a cluster. They and their folder end with this value.
pub struct Brokers {
    nodes: Vec<Node>,
    folder: PathBuf,
    epmd: u16,
    /// Kills what is left and removes the folder when the test process ends.
    _end: Guarded,
}

struct Node {
    name: String,
    port: u16,
    distribution: u16,
    folder: PathBuf,
    running: Mutex<Option<Guarded>>,
}

impl Drop for Brokers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.nodes {
                eprintln!("what {} complained of last:\n{}", node.name, complaints_of(&node.folder));
            }
        }
        for index in 0..self.nodes.len() {
            self.signal(index, "KILL");
        }
    }
}

impl Brokers {
    /// Starts so many servers and waits until each takes connections and knows the others.
    ///
    /// # Panics
    /// When RabbitMQ is not installed or does not start.
    #[must_use]
    pub fn start(count: usize) -> Self {
        let folder = temporary_folder("brokers");
        let epmd = free_port();
        // The servers of a cluster know each other by this.
        let cookie = folder.join(".erlang.cookie");
        fs::write(&cookie, "COOKIEOFTHETEST").unwrap();
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).unwrap();
        let node = |_| {
            let name = format!("{}@localhost", unique("node"));
            let folder = folder.join(name.split('@').next().unwrap());
            fs::create_dir(&folder).unwrap();
            Node { name, port: free_port(), distribution: free_port(), folder, running: Mutex::new(None) }
        };
        let nodes: Vec<Node> = (0..count).map(node).collect();
        let mut clustered = String::new();
        if count > 1 {
            clustered.push_str(
                "cluster_formation.peer_discovery_backend = classic_config\n\
                 cluster_partition_handling = pause_minority\nnet_ticktime = 8\n",
            );
            for (index, node) in nodes.iter().enumerate() {
                let number = index + 1;
                writeln!(clustered, "cluster_formation.classic_config.nodes.{number} = {}", node.name).unwrap();
            }
        }
        for node in &nodes {
            let settings = format!(
                "listeners.tcp.default = 127.0.0.1:{}\nlog.console = true\nlog.console.level = warning\n\
                 disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.relative = 0.6\n{clustered}",
                node.port
            );
            fs::write(node.folder.join("rabbitmq.conf"), settings).unwrap();
            fs::write(node.folder.join("enabled_plugins"), "[].\n").unwrap();
        }
        let after = format!(
            "sleep 1; for pid in {0}/*/pid; do kill -KILL $(cat $pid) 2>/dev/null; done; sleep 1; \
             epmd -port {epmd} -kill >/dev/null 2>&1",
            folder.display()
        );
        let mut nothing = Command::new("sleep");
        let end = guarded(nothing.arg("1000000"), &folder, &folder.join("end.log"), "TERM", &after);
        let brokers = Self { nodes, folder, epmd, _end: end };
        for index in 0..count {
            brokers.launch(index);
        }
        for index in 0..count {
            brokers.wait_until_up(index);
        }
        if count > 1 {
            // The last to come has met all others.
            wait_for("the cluster", LONG, || {
                let status = brokers.try_ctl(0, &["cluster_status", "--formatter", "json"])?;
                let all = brokers.nodes.iter().all(|node| running_nodes(&status).contains(&node.name));
                all.then_some(())
            });
        }
        brokers
    }

    /// The URL that names all of them.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("amqp://guest:guest@{}/%2f", hosts.join(","))
    }

    /// The port of one.
    #[must_use]
    pub fn port(&self, index: usize) -> u16 {
        self.nodes[index].port
    }

    /// The number of the server with an Erlang name.
    #[must_use]
    pub fn index_of(&self, name: &str) -> usize {
        self.nodes.iter().position(|node| node.name == name).unwrap_or_else(|| panic!("no node {name}"))
    }

    fn launch(&self, index: usize) {
        let node = &self.nodes[index];
        let _ = fs::remove_file(node.folder.join("pid"));
        let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        self.environment(&mut command);
        command
            .env("RABBITMQ_NODENAME", &node.name)
            .env("RABBITMQ_DIST_PORT", node.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", node.folder.join("data"))
            .env("RABBITMQ_LOG_BASE", node.folder.join("log"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_PID_FILE", node.folder.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", node.folder.join("rabbitmq.conf"))
            .env("RABBITMQ_CONF_ENV_FILE", node.folder.join("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", node.folder.join("enabled_plugins"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none");
        // The folder goes with the last of them, not with each.
        let server = guarded(&command, Path::new(""), &node.folder.join("server.log"), "TERM", "");
        *node.running.lock().unwrap() = Some(server);
    }

    fn environment(&self, command: &mut Command) {
        command.env("HOME", &self.folder).env("ERL_EPMD_PORT", self.epmd.to_string());
        command.env("ERL_EPMD_ADDRESS", "127.0.0.1");
    }

    /// Waits until a server takes connections.
    pub fn wait_until_up(&self, index: usize) {
        let node = &self.nodes[index];
        let what = || format!("RabbitMQ in {}:\n{}", node.folder.display(), log_of(&node.folder));
        let mut up = false;
        for _ in 0..LONG.as_secs() {
            if answers(node.port).is_some() {
                up = true;
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        assert!(up, "waited {LONG:?} for {}", what());
    }

    fn pid(&self, index: usize) -> Option<String> {
        let text = fs::read_to_string(self.nodes[index].folder.join("pid")).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn signal(&self, index: usize, signal: &str) {
        if let Some(pid) = self.pid(index) {
            let _ =
                Command::new("kill").args([&format!("-{signal}"), &pid]).stderr(std::process::Stdio::null()).status();
        }
    }

    fn wait_until_gone(&self, index: usize) {
        if let Some(pid) = self.pid(index) {
            wait_for("the server's end", LONG, || {
                // One that its shell has not heard of yet is a zombie.
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
                matches!(state, None | Some('Z')).then_some(())
            });
        }
        *self.nodes[index].running.lock().unwrap() = None;
    }

    /// `kill -9`.
    pub fn kill(&self, index: usize) {
        self.signal(index, "KILL");
        self.wait_until_gone(index);
    }

    /// Stops it in peace.
    pub fn stop(&self, index: usize) {
        self.signal(index, "TERM");
        self.wait_until_gone(index);
    }

    /// Starts it again, with what it has on disk, and waits until it takes connections.
    pub fn start_again(&self, index: usize) {
        self.launch(index);
        self.wait_until_up(index);
    }

    /// Halts it: its connections stay, and nothing answers.
    pub fn pause(&self, index: usize) {
        self.signal(index, "STOP");
    }

    /// Lets a halted one go on.
    pub fn go_on(&self, index: usize) {
        self.signal(index, "CONT");
    }

    /// Waits until every server knows all of them, and no queue would lose its majority with any one of them.
    ///
    /// One that was cut off does not always find back: with `pause_minority` a server that sees only a part of the
    /// others' partition stops itself, too, and the tables of one that starts meanwhile may wait for it. So one that
    /// stays outside is killed and started again, as people would do.
    pub fn wait_until_whole(&self) {
        let mut restarted = Instant::now();
        wait_until(3 * LONG, || {
            let Err(lacking) = (0..self.nodes.len()).try_for_each(|index| self.is_whole(index)) else { return Ok(()) };
            if restarted.elapsed() > PATIENCE
                && let Some(index) = self.outsider()
            {
                eprintln!("{} stays outside of its cluster, and is started again: {lacking}", self.nodes[index].name);
                self.kill(index);
                self.start_again(index);
                restarted = Instant::now();
            }
            Err(lacking)
        });
    }

    /// Whether a server knows all others and no queue needs it; what it says if not.
    fn is_whole(&self, index: usize) -> Result<(), String> {
        let (node, count) = (&self.nodes[index].name, self.nodes.len().to_string());
        let said = |program: &str, args: &[&str]| {
            let output = self.tool(index, program).args(args).output().unwrap();
            let text =
                || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            if output.status.success() { Ok(()) } else { Err(format!("{node}, {args:?}: {}", text().trim())) }
        };
        said("rabbitmqctl", &["await_online_nodes", &count, "--timeout", "5"])?;
        said("rabbitmq-queues", &["check_if_node_is_quorum_critical"])
    }

    /// The server that the fewest others take for running, or that has the fewest running members of queues.
    fn outsider(&self) -> Option<usize> {
        let all = 0..self.nodes.len();
        let fewest = |texts: &[String]| {
            let seen = |index: &usize| texts.iter().filter(|text| text.contains(&self.nodes[*index].name)).count();
            let most = all.clone().map(|index| seen(&index)).max()?;
            all.clone().min_by_key(seen).filter(|index| seen(index) < most)
        };
        let asked = all.clone().filter_map(|index| self.try_ctl(index, &["cluster_status", "--formatter", "json"]));
        let views: Vec<String> = asked.map(|status| running_nodes(&status)).collect();
        fewest(&views).or_else(|| {
            let listed = all.clone().find_map(|index| self.try_ctl(index, &["list_queues", "online"]))?;
            fewest(&listed.lines().map(str::to_owned).collect::<Vec<_>>())
        })
    }

    /// What `rabbitmqctl` says.
    ///
    /// # Panics
    /// It fails.
    pub fn ctl(&self, index: usize, args: &[&str]) -> String {
        self.try_ctl(index, args).unwrap_or_else(|| panic!("rabbitmqctl {args:?} failed"))
    }

    fn try_ctl(&self, index: usize, args: &[&str]) -> Option<String> {
        let output = self.tool(index, "rabbitmqctl").args(args).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A command line tool of RabbitMQ that talks to one server.
    fn tool(&self, index: usize, program: &str) -> Command {
        let mut command = Command::new(Path::new("/usr/lib/rabbitmq/bin").join(program));
        self.environment(&mut command);
        command.args(["--quiet", "-n", &self.nodes[index].name]);
        command
    }
}

/// The part of a cluster's status that lists who runs.
fn running_nodes(status: &str) -> String {
    let status: serde_json::Value = serde_json::from_str(status).unwrap_or_default();
    status["running_nodes"].to_string()
}
