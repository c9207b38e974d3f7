//! The commands of the first steps are run as they stand in `docs/quickstart-api.md`, in its order, in one shell; what
//! it shows as answers has the members of what is answered.

use crate::callbacks::peers::python_with;
use crate::spec::begin_at;
use hub_support::{Backends, Place, hrhub, project_root, said};
use std::fs;
use std::process::Command;

const PAGE: &str = "docs/quickstart-api.md";

/// A block of the page: its language, and its lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            blocks.push((language, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
    }
    blocks
}

/// A command with its lines, and what the page shows as its answer.
#[derive(Debug, Default)]
struct Step {
    command: String,
    shown: String,
}

fn steps(lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), shown: String::new() });
        } else if let Some(step) = steps.last_mut() {
            let part = if goes_on { &mut step.command } else { &mut step.shown };
            part.push('\n');
            part.push_str(line);
        }
        goes_on = line.ends_with('\\');
    }
    steps
}

/// The names of members in JSON that leaves some out.
fn members(shown: &str) -> Vec<&str> {
    let parts: Vec<&str> = shown.split('"').collect();
    parts
        .windows(2)
        .enumerate()
        .filter(|(at, pair)| at % 2 == 1 && pair[1].starts_with(':'))
        .map(|(_, p)| p[0])
        .collect()
}

#[test]
fn the_first_steps_are_true() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    begin_at(&place);
    let page = fs::read_to_string(project_root().join(PAGE)).unwrap();
    // The page is about a hub at its usual port, and a folder that is called so.
    let page = page.replace("127.0.0.1:8080", &format!("127.0.0.1:{}", place.port));
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(place.config(), home.path().join("my-hub")).unwrap();
    let tools = python_with("api_requirements.txt");
    let found = hub_tree::env::read("PATH").unwrap();
    let path = format!("{}:{}:{found}", tools.parent().unwrap().display(), hrhub().parent().unwrap().display());
    let mut ran = 0;
    let mut so_far = String::from("set -e\n");
    for (language, lines) in blocks(&page) {
        match language {
            "" => {}
            "python" if lines[0].starts_with("import os, requests") => {
                let script = home.path().join("list.py");
                fs::write(&script, lines.join("\n")).unwrap();
                let said = shell(&home, &path, &format!("{so_far}python {}", script.display()));
                assert_eq!(said.lines().count(), 5, "one line for each application: {said}");
                ran += 1;
                continue;
            }
            _ => continue,
        }
        for step in steps(&lines) {
            let said = shell(&home, &path, &format!("{so_far}{}", step.command));
            for name in members(&step.shown) {
                assert!(said.contains(&format!("\"{name}\":")), "{}\nhas no `{name}`: {said}", step.command);
            }
            if step.command.starts_with("curl") {
                let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
                let wrong = answer["code"].as_str();
                let meant = step.shown.contains("\"code\"");
                assert_eq!(wrong.is_some(), meant, "{}: {said}", step.command);
                if let Some(code) = wrong {
                    assert!(step.shown.contains(&format!("\"code\": \"{code}\"")), "{said}");
                }
            }
            if let Some(made) = step.command.strip_prefix("export ") {
                // A later step goes on with the value that this one got: a key is shown once.
                let name = made.split('=').next().unwrap();
                let value = shell(&home, &path, &format!("{so_far}{}\necho \"${name}\"", step.command));
                assert!(!value.trim().is_empty(), "{}", step.command);
                so_far.push_str(&format!("export {name}='{}'\n", value.trim()));
            }
            ran += 1;
        }
    }
    assert!(ran >= 8, "{ran} commands");
    assert!(home.path().join("hr-hub-client").is_dir(), "the client was generated");
}

fn shell(home: &tempfile::TempDir, path: &str, script: &str) -> String {
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(home.path()).env("PATH", path).env_remove("HRHUB_ADMIN_KEY");
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    assert!(output.status.success(), "{script}\n{out}{err}");
    out
}
