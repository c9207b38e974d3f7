//! `hrhub init`: writes a configuration folder.

use crate::assemble::write_private;
use crate::assets::{Init, catalog};
use crate::config::Config;
use crate::connector::example;
use crate::say;
use anyhow::{Context as _, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_kit::Manifest;
use hub_tree::{Findings, random};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Where the hub and the simulators of a new folder listen.
pub(crate) struct Addresses<'a> {
    pub(crate) hub: &'a str,
    pub(crate) sandbox: &'a str,
}

pub(crate) fn run(folder: &Path, with: &[String]) -> anyhow::Result<ExitCode> {
    let there = folder.join("hub.yaml").exists();
    if there && with.is_empty() {
        bail!("{} holds a hub.yaml already; nothing was written", folder.display());
    }
    let manifests = manifests(folder, there, with)?;
    let mut written = Vec::new();
    if !there {
        written = write(folder, &Addresses { hub: "127.0.0.1:8080", sandbox: "127.0.0.1:8081" })?;
    }
    let mut variables = Vec::new();
    for manifest in &manifests {
        let (text, named) = example::connection(manifest);
        let file = format!("connections/{}-main.yaml", manifest.vendor);
        if folder.join(&file).exists() {
            say::note(format!("{file} is there already and stays as it is"));
            continue;
        }
        fs::write(folder.join(&file), text).with_context(|| format!("writing {file}"))?;
        written.push(file);
        variables.extend(named);
    }
    for file in written {
        say::out(format!("wrote {}", folder.join(file).display()));
    }
    let (shown, env) = (folder.display(), folder.join(".env"));
    if !variables.is_empty() {
        say::out(format!("\nTo be set in {}:", env.display()));
        for name in variables {
            say::out(format!("  {name}="));
        }
    }
    say::out(format!(
        "\nNext:\n  hrhub check {shown}\n  hrhub sandbox --config {shown}   # the simulated vendors, in another terminal\n  hrhub serve --config {shown}\n\nThe admin key for API and console is HRHUB_ADMIN_KEY in {}",
        env.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The manifests of connectors: those of the program, and those of a folder that is there already.
fn manifests(folder: &Path, there: bool, names: &[String]) -> anyhow::Result<Vec<Manifest>> {
    let findings = Findings::new();
    let catalog = if there { Config::read(folder, &findings)?.catalog } else { catalog() };
    let mut found = Vec::new();
    for name in names {
        let Some(source) = catalog.file(&format!("connectors/{name}/manifest.yaml")) else {
            let known: Vec<&str> = catalog.vendors().collect();
            bail!("there is no connector `{name}`; there are {}", known.join(", "));
        };
        let manifest = Manifest::compile(name, source, &findings);
        found.push(manifest.with_context(|| format!("the manifest of {name} has errors: see `hrhub check`"))?);
    }
    Ok(found)
}

/// Writes the files; secrets that are there already stay. Gives the names of those written.
pub(crate) fn write(folder: &Path, addresses: &Addresses<'_>) -> anyhow::Result<Vec<String>> {
    let connections = folder.join("connections");
    fs::create_dir_all(&connections).with_context(|| format!("creating {}", connections.display()))?;
    let mut written = Vec::new();
    for name in Init::iter() {
        let Some(file) = Init::get(&name) else { continue };
        let text = std::str::from_utf8(&file.data).with_context(|| format!("the template {name}"))?;
        let text = text.replace("@listen", addresses.hub).replace("@sandbox", addresses.sandbox);
        // Git and package tools would read these names in the project itself.
        let own = match name.as_ref() {
            "env" => ".env",
            "gitignore" => ".gitignore",
            other => other,
        };
        let path = folder.join(own);
        if own == ".env" {
            if path.exists() {
                continue;
            }
            write_private(&path, &with_secrets(&text))?;
        } else {
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        written.push(own.to_owned());
    }
    Ok(written)
}

/// Puts a fresh secret in place of every marker.
fn with_secrets(text: &str) -> String {
    let fill = |line: &str| match line.split_once('=') {
        Some((name, "@token")) => format!("{name}={}", random::token(40)),
        Some((name, "@whsec")) => format!("{name}=whsec_{}", STANDARD.encode(random::bytes::<24>())),
        _ => line.to_owned(),
    };
    text.lines().map(fill).map(|line| line + "\n").collect()
}
