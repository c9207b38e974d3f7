//! The vendors' own libraries as independent peers: they seal and sign what the hub must take, and open what it answers.

use super::{ENCRYPT_KEY, KEY, LIMIT, RECEIVER, TOKEN, begin, wait_for_person};
use hub_support::{free_port, hrhub, project_root, wait_for};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A Python that has the vendors' libraries.
pub(crate) fn python() -> PathBuf {
    python_with("requirements.txt")
}

/// A Python that has the libraries of a list, made once for it. What cannot be installed fails the test.
pub(crate) fn python_with(list: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers").join(list);
    let list = project_root().join("tests/e2e/peers").join(list);
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (python, made) = (folder.join("venv/bin/python"), folder.join("installed.txt"));
    let wanted = fs::read_to_string(&list).unwrap();
    if fs::read_to_string(&made).ok().as_deref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&list));
        fs::write(made, wanted).unwrap();
    }
    python
}

/// Node with the libraries of `peers/node/package.json`, made once for that list.
pub(crate) fn node() -> Command {
    let list = project_root().join("tests/e2e/peers/node/package.json");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node-peers");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (made, wanted) = (folder.join("package.json"), fs::read_to_string(&list).unwrap());
    let there = fs::read_to_string(&made).ok().as_deref() == Some(&wanted) && folder.join("installed").exists();
    if !there {
        fs::write(&made, &wanted).unwrap();
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--no-package-lock"]).current_dir(&folder));
        fs::write(folder.join("installed"), "").unwrap();
    }
    let mut node = Command::new("node");
    node.env("NODE_PATH", folder.join("node_modules"));
    node
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = hub_support::said(&output);
    assert!(output.status.success(), "{command:?}:\n{out}{err}");
    out
}

#[test]
fn what_the_vendors_own_libraries_send_is_taken_and_they_open_the_answers() {
    let (place, _hub) = begin();
    let script = project_root().join("tests/e2e/peers/callbacks.py");
    let said = run(Command::new(python()).arg(script).args([&place.url(""), TOKEN, KEY, RECEIVER, ENCRYPT_KEY]));
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["dingtalk", "wecom", "wechat", "feishu"]);
    for (driver, letter) in [("dingtalk", 'd'), ("wecom", 'w'), ("wechat-oa", 'o'), ("feishu", 'f')] {
        for number in 0..3 {
            let person = wait_for_person(&place, driver, &format!("{letter}{number}"));
            assert_eq!(person["sources"][0]["connection_id"], format!("heron-{driver}"), "{person:#}");
        }
    }
}

#[test]
fn the_vendors_own_libraries_understand_what_the_simulators_answer() {
    let simulators = ["dingtalk", "wecom", "wechat-oa", "feishu"].map(|vendor| {
        let port = free_port();
        let mut command = Command::new(hrhub());
        command.args(["sandbox", "--only", vendor, "--listen", &format!("127.0.0.1:{port}")]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        (Simulator(child), url)
    });
    let http = reqwest::blocking::Client::new();
    for (_, url) in &simulators {
        wait_for("a simulator to answer", LIMIT, || http.get(format!("{url}/_sandbox")).send().ok());
    }
    let script = project_root().join("tests/e2e/peers/calls.py");
    let mut command = Command::new(python());
    command.arg(script).args(simulators.iter().map(|(_, url)| url));
    // Whatever a library asks beside what it is told to ask goes nowhere.
    for (name, value) in
        [("HTTP_PROXY", "http://127.0.0.1:9"), ("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1")]
    {
        command.env(name, value).env(name.to_lowercase(), value);
    }
    let said = run(&mut command);
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["dingtalk", "wecom", "wechat", "feishu"]);
}

/// A process that ends when it is dropped.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
