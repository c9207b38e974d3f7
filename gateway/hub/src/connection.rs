//! `hrhub connection test`: the live check of one connection, made here or by a running hub.

use crate::assemble::{drivers, open_store, registry};
use crate::cli::{ConnectionTest, Format};
use crate::config::{Config, environment};
use crate::say::{self, Paint, Tone};
use anyhow::{Context as _, bail};
use hub_flow::kept_tokens;
use hub_flow::probe::{Check, Tested};
use hub_kit::client::Request;
use hub_kit::{AllowPrivate, Client};
use hub_tree::{Clock, Findings, env, random};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use url::Url;

pub(crate) async fn test(args: ConnectionTest) -> anyhow::Result<ExitCode> {
    let found = match &args.hub {
        Some(hub) => ask(hub, &args.id, &args.place.config).await?,
        None => Box::pin(look(&args)).await?.to_json(),
    };
    if args.format == Format::Json {
        say::out(found.to_string());
    } else {
        show(&found);
    }
    Ok(if found["ok"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks from here, with the folder's own settings.
async fn look(args: &ConnectionTest) -> anyhow::Result<Tested> {
    let clock = Clock::System;
    let config = Config::at(&args.place)?;
    let (findings, drivers) = (Findings::new(), drivers());
    let registry = registry(&config, &drivers, &findings);
    let Some(connection) = registry.connections.get(&args.id) else {
        // Perhaps its file is there and broken: then its problems are the answer.
        say::findings(&findings.into_sorted());
        let near = hub_tree::finding::suggest(&args.id, registry.connections.keys().map(String::as_str));
        bail!("there is no sound connection `{}`; {}", args.id, near.unwrap_or_default());
    };
    let driver = drivers.iter().find(|driver| driver.name() == connection.manifest.driver);
    let driver = driver.with_context(|| format!("nothing speaks `{}`", connection.manifest.driver))?;
    let store = open_store(&config, &clock).await?;
    store.keyring().ensure(&store, &clock, &connection.tenant).await?;
    let tokens = kept_tokens(&store, &format!("command-line-{}", random::token(8)), &clock);
    let client = Client::new(AllowPrivate::new(config.allow_private.clone()))?;
    let check = Check {
        connection,
        driver: driver.as_ref(),
        client: &client,
        tokens: &tokens,
        clock: &clock,
        came: None,
        stream: None,
        tables: None,
    };
    let tested = Box::pin(check.run()).await;
    store.close().await;
    Ok(tested)
}

/// Has a running hub look.
async fn ask(hub: &str, id: &str, folder: &Path) -> anyhow::Result<Value> {
    let url = Url::parse(&format!("{}/v1/connections/{id}:test", hub.trim_end_matches('/')));
    let url = url.with_context(|| format!("`{hub}` is no address of a hub, such as http://127.0.0.1:8080"))?;
    let key = env::read("HRHUB_KEY").filter(|key| !key.is_empty());
    let key = key.or_else(|| environment(folder).ok()?.get("HRHUB_ADMIN_KEY"));
    let key = key.context("the hub asks for a key: set HRHUB_KEY to one with the scope ops")?;
    // Whoever sits here names the address: it may be a private one.
    let anywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|network| network.parse().ok()).collect();
    let egress: Vec<String> = url.host_str().map(ToOwned::to_owned).into_iter().collect();
    let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
    let request = Request { method: "POST".to_owned(), url, headers, body: Vec::new() };
    let client = Client::new(AllowPrivate::new(anywhere))?;
    let answer = client.send(request, &egress).await.context("asking the hub")?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status != 200 {
        let said = body["detail"].as_str().or(body["title"].as_str()).unwrap_or("it does not say why");
        bail!("the hub answers with HTTP {}: {said}", answer.status);
    }
    Ok(body)
}

/// The result for people: a line for each part, and what to do below it.
fn show(found: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    say::out(format!("{} ({})", text(&found["connection"]), text(&found["vendor"])));
    part("token", &found["token"]);
    part("callback", &found["callback"]);
    match found["permissions"].as_array().map(Vec::as_slice) {
        None | Some([]) => say::out("  permissions  nothing is named to be tried (`checks` of the manifest)"),
        Some(all) => {
            say::out("  permissions");
            all.iter().for_each(|one| part(&format!("  {}", text(&one["name"])), one));
        }
    }
}

fn part(name: &str, part: &Value) {
    let text = |key: &str| part[key].as_str().unwrap_or_default().to_owned();
    let result = text("result");
    let tone = match result.as_str() {
        "good" => Tone::Added,
        "bad" => Tone::Error,
        _ => Tone::Faint,
    };
    let code = part["code"].as_str().map(|code| format!(" (code {code})")).unwrap_or_default();
    say::out(format!(
        "  {name:<24} {}  {}{code}",
        Paint::of_results().text(tone, &format!("{result:<7}")),
        text("detail")
    ));
    if let Some(next) = part["next"].as_str() {
        say::out(format!("  {:<24} {:<7}  {next}", "", ""));
    }
}
