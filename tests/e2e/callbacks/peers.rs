//! The vendors' own libraries as independent peers: they seal and sign what the hub must take, and open what it answers.

use super::{ENCRYPT_KEY, KEY, RECEIVER, TOKEN, begin, wait_for_person};
use hub_support::project_root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has the libraries, made once for a list of them. What cannot be installed fails the test.
fn python() -> PathBuf {
    let list = project_root().join("tests/e2e/peers/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
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

fn run(command: &mut Command) -> String {
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
