//! A hub that runs, asked over its API.

use crate::config::environment;
use crate::say;
use anyhow::{Context as _, bail};
use hub_kit::client::{Arrived, Request, Response};
use hub_kit::{AllowPrivate, Client};
use hub_tree::env;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::Serializer;

/// How long a file may take to be sent, or to come.
const FILES_WITHIN: Duration = Duration::from_secs(900);
/// Longest answer that is kept in memory.
const IN_MEMORY: usize = 8 << 20;

/// Where a hub runs, and the key that it asks for.
pub(crate) struct RunningHub {
    address: String,
    key: String,
    /// What restricted fields are read for.
    purpose: Option<String>,
    client: Client,
}

/// What a hub answers with, where it is no JSON.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    File(File),
}

impl RunningHub {
    /// A hub at an address. Its key: `HRHUB_KEY`, else `HRHUB_ADMIN_KEY` of the folder.
    pub(crate) fn at(address: &str, folder: &Path) -> anyhow::Result<Self> {
        let key = env::read("HRHUB_KEY").filter(|key| !key.is_empty());
        let key = key.or_else(|| environment(folder).ok()?.get("HRHUB_ADMIN_KEY"));
        let key = key.context("the hub asks for a key: set HRHUB_KEY to one with the scope that this needs")?;
        // Whoever sits here names the address: it may be a private one.
        let anywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|network| network.parse().ok()).collect();
        let client = Client::new(AllowPrivate::new(anywhere))?;
        Ok(Self { address: address.trim_end_matches('/').to_owned(), key, purpose: None, client })
    }

    /// The same hub, asked for a purpose: restricted fields are shown for one only.
    pub(crate) fn with_purpose(self, purpose: Option<String>) -> Self {
        Self { purpose, ..self }
    }

    async fn send(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> anyhow::Result<Arrived> {
        let url = Url::parse(&format!("{}{path}", self.address));
        let address = &self.address;
        let url = url.with_context(|| format!("`{address}` is no address of a hub, such as http://127.0.0.1:8080"))?;
        let egress: Vec<String> = url.host_str().map(ToOwned::to_owned).into_iter().collect();
        let mut headers = vec![("authorization".to_owned(), format!("Bearer {}", self.key))];
        headers.extend(self.purpose.iter().map(|purpose| ("purpose".to_owned(), purpose.clone())));
        if !kind.is_empty() {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        let request = Request { method: method.to_owned(), url, headers, body };
        let answer = self.client.send_spooling(request, &egress, FILES_WITHIN, IN_MEMORY);
        answer.await.context("asking the hub")
    }

    /// Asks, and gives the JSON of the answer.
    ///
    /// # Errors
    /// There is no answer, or the hub refuses.
    pub(crate) async fn ask(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        match self.send(method, path, kind, body).await? {
            Arrived::Whole(answer) => {
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                if answer.status >= 300 { Err(refusal(&answer)) } else { Ok(body) }
            }
            Arrived::Spooled(..) => bail!("the hub's answer is too long"),
        }
    }

    /// Reads a whole collection, page after page. `query` are the parameters of its list.
    ///
    /// # Errors
    /// There is no answer, or the hub refuses.
    pub(crate) async fn list(&self, collection: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let (mut found, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
        loop {
            let mut form = Serializer::new(String::new());
            form.append_pair("limit", "200").extend_pairs(query);
            form.extend_pairs(cursor.iter().map(|cursor| ("cursor", cursor)));
            let mut page = self.ask("GET", &format!("/v1/{collection}?{}", form.finish()), "", Vec::new()).await?;
            if let Some(Value::Array(records)) = page.get_mut("data").map(Value::take) {
                found.extend(records);
            }
            say::progress(&format!("{collection}: {}", found.len()));
            cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
            if cursor.is_none() {
                say::progress("");
                return Ok(found);
            }
        }
    }

    /// Asks for a file.
    ///
    /// # Errors
    /// There is no answer, or the hub refuses.
    pub(crate) async fn fetch(&self, path: &str) -> anyhow::Result<Content> {
        match self.send("GET", path, "", Vec::new()).await? {
            Arrived::Whole(answer) if answer.status >= 300 => Err(refusal(&answer)),
            Arrived::Whole(answer) => Ok(Content::Bytes(answer.body)),
            Arrived::Spooled(_, file) => Ok(Content::File(file)),
        }
    }
}

fn refusal(answer: &Response) -> anyhow::Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = body["detail"].as_str().or(body["title"].as_str()).unwrap_or("it does not say why");
    let next = body["next"].as_str().map(|next| format!("; {next}")).unwrap_or_default();
    anyhow::anyhow!("the hub answers with HTTP {}: {said}{next}", answer.status)
}

impl Content {
    /// Writes it into a file.
    pub(crate) fn save(self, path: &Path) -> anyhow::Result<()> {
        let write = || -> std::io::Result<()> {
            match self {
                Self::Bytes(bytes) => std::fs::write(path, bytes),
                Self::File(mut from) => std::io::copy(&mut from, &mut File::create(path)?).map(drop),
            }
        };
        write().with_context(|| format!("writing {}", path.display()))
    }
}
