//! `hrhub connector import-wsdl`: a connector made from what a vendor publishes.

use super::is_name;
use crate::cli::Format;
use crate::config::Config;
use crate::say;
use anyhow::{Context as _, bail};
use clap::Args;
use hub_engine::Mapping;
use hub_kit::client::Request as HttpRequest;
use hub_kit::{AllowPrivate, Client};
use hub_propose::{Request, Sample, propose};
use hub_soap::wsdl::{Allowed, Documents, Named, Problem, Service};
use hub_tree::{Arena, Encoding, Findings, Limits, Position, Source, Span, xml};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use url::Url;

#[derive(Args)]
pub(crate) struct ImportWsdl {
    /// The WSDL 1.1: a file, or an address of http or https. What it imports lies beside it or on its host.
    pub(crate) from: String,
    /// The connector's name, such as `our-erp`.
    #[arg(long)]
    pub(crate) name: String,
    /// The configuration folder.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) into: PathBuf,
    /// Another host that imported documents may come from.
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,
    /// Write over files that are there.
    #[arg(long)]
    pub(crate) force: bool,
    /// How operations and problems are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// `hrhub connector import-wsdl`.
pub(crate) async fn import_wsdl(args: ImportWsdl) -> anyhow::Result<ExitCode> {
    if !is_name(&args.name) {
        return Ok(say::usage(format!("--name is a name of small letters, digits and `-`, not `{}`", args.name)));
    }
    if !args.into.is_dir() {
        bail!("there is no folder {}", args.into.display());
    }
    let mut sources = BTreeMap::new();
    let service = match read(&args, &mut sources).await? {
        Ok(service) => service,
        Err(problem) => {
            let findings = Findings::new();
            let source = source_of(&sources, &problem.file);
            findings.error(&source, line(problem.line), problem.message, None);
            return Ok(say::report(&findings.into_sorted(), args.format, "nothing was written"));
        }
    };
    let files = files(&args, &service)?;
    let there: Vec<&PathBuf> = files.iter().map(|(path, _)| path).filter(|path| path.exists()).collect();
    if let (Some(first), false) = (there.first(), args.force) {
        bail!("{} is there already; nothing was written (--force writes over it)", first.display());
    }
    for (path, text) in &files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    show(&args, &service, &files);
    Ok(ExitCode::SUCCESS)
}

type Found = Result<Service, Problem>;

/// Reads the description with everything that it imports.
async fn read(args: &ImportWsdl, sources: &mut BTreeMap<String, Arc<Source>>) -> anyhow::Result<Found> {
    let allowed = Allowed { hosts: args.allow_host.clone() };
    let mut documents = Documents::of(&args.from, allowed);
    let client = client(args)?;
    let root = (!is_address(&args.from)).then(|| folder_of(&args.from));
    while let Some(wanted) = documents.wanted().map(ToOwned::to_owned) {
        let read = match Url::parse(&wanted).ok().filter(Url::has_host) {
            Some(url) => fetch(&client, url).await,
            None => open(Path::new(&wanted), root.as_deref()),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err(documents.missing(&why))),
        };
        sources.insert(wanted.clone(), Source::new(wanted.clone(), String::from_utf8_lossy(&bytes)));
        if let Err(problem) = documents.bring(&bytes) {
            return Ok(Err(problem));
        }
    }
    Ok(documents.read())
}

fn is_address(from: &str) -> bool {
    Url::parse(from).is_ok_and(|url| url.has_host())
}

fn folder_of(from: &str) -> PathBuf {
    match Path::new(from).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Reads a file that really lies below the folder of the first one: a link may lead elsewhere.
fn open(path: &Path, root: Option<&Path>) -> Result<Vec<u8>, String> {
    let real = path.canonicalize().map_err(|error| error.to_string())?;
    if let Some(root) = root {
        let root = root.canonicalize().map_err(|error| error.to_string())?;
        if !real.starts_with(root) {
            return Err("it lies outside of the folder of the first document".to_owned());
        }
    }
    let size = fs::metadata(&real).map_err(|error| error.to_string())?.len();
    if size > hub_soap::wsdl::MAX_BYTES as u64 {
        return Err("it is too large".to_owned());
    }
    fs::read(&real).map_err(|error| error.to_string())
}

/// The way out, with the private networks that the folder allows.
fn client(args: &ImportWsdl) -> anyhow::Result<Client> {
    let allow = if args.into.join("hub.yaml").is_file() {
        Config::read(&args.into, &Findings::new())?.allow_private
    } else {
        Vec::new()
    };
    Ok(Client::new(AllowPrivate::new(allow))?)
}

async fn fetch(client: &Client, url: Url) -> Result<Vec<u8>, String> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let headers = vec![("accept".to_owned(), "text/xml, application/wsdl+xml, */*".to_owned())];
    let request = HttpRequest { method: "GET".to_owned(), url, headers, body: Vec::new() };
    let response = client.send(request, &[host]).await.map_err(|error| error.to_string())?;
    match response.status {
        200..=299 => Ok(response.body),
        status => Err(format!("the answer is HTTP {status}")),
    }
}

/// What is to be written.
fn files(args: &ImportWsdl, service: &Service) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let connector = args.into.join("connectors").join(&args.name);
    let mappings = args.into.join("mappings").join(&args.name);
    let mut files = vec![(connector.join("manifest.yaml"), service.manifest(&args.name))];
    for named in service.named() {
        let operation = named.operation;
        let sample = connector.join("samples").join(format!("{}.request.xml", named.name));
        files.push((sample, service.sample_request(operation)));
        if !named.reads {
            let path = mappings.join(format!("{}.out.yaml", named.name));
            files.push((path, service.out_mapping(&args.name, &named)));
        }
        if let Some(reply) = service.sample_reply(operation) {
            let path = mappings.join(format!("{}.in.yaml", named.name));
            files.push((path, in_mapping(&args.name, &named, &reply)?));
        }
    }
    Ok(files)
}

/// A mapping of the answer, proposed from an example of it.
fn in_mapping(vendor: &str, named: &Named<'_>, reply: &str) -> anyhow::Result<String> {
    let arena = Arena::new();
    let limits = Limits::default();
    let tree =
        xml::read_as(&arena, reply.as_bytes(), Some(Encoding::UTF_8), limits).context("an example of an answer")?;
    let samples = [Sample { name: "the description", value: hub_kit::hook::content(tree) }];
    let proposal = propose(&Request { connector: vendor, object: &named.name, samples: &samples, entities: None });
    let head = format!("# Proposed from the description of {}; lines behind `#` are unsure.\n", named.operation.name);
    let text = head + &proposal.text;
    let findings = Findings::new();
    let source = Source::new(format!("{}.in.yaml", named.name), text.clone());
    Mapping::compile(vendor, &source, &findings).context("a proposed mapping does not compile")?;
    Ok(text)
}

fn show(args: &ImportWsdl, service: &Service, files: &[(PathBuf, String)]) {
    let written: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    let named = service.named();
    if args.format == Format::Json {
        let operations = named.iter().map(|named| {
            let operation = named.operation;
            json!({
                "name": named.name,
                "operation": operation.name,
                "action": operation.action,
                "style": operation.style.word(),
                "versions": operation.versions,
                "element": operation.input.element.name,
                "namespace": &*operation.input.element.namespace,
                "type": operation.input.type_key,
                "reply": operation.output.as_ref().map(|output| output.element.name.clone()),
                "reply_type": operation.output.as_ref().map(|output| output.type_key.clone()),
                "headers": operation.headers.iter().map(|header| header.element.name.clone()).collect::<Vec<_>>(),
                "faults": operation.faults.iter().map(|fault| fault.element.name.clone()).collect::<Vec<_>>(),
                "reads": named.reads,
                "file": operation.place.0,
                "line": operation.place.1,
            })
        });
        let notes: Vec<String> = service.notes.iter().map(ToString::to_string).collect();
        let endpoints = service
            .endpoints
            .iter()
            .map(|one| json!({ "port": one.port, "version": one.version, "address": one.address }));
        say::out(
            json!({
                "connector": args.name,
                "service": service.name,
                "endpoints": endpoints.collect::<Vec<_>>(),
                "operations": operations.collect::<Vec<_>>(),
                "types": service.types.iter().count(),
                "files": written,
                "notes": notes,
            })
            .to_string(),
        );
        return;
    }
    let widest = named.iter().map(|named| named.name.chars().count()).max().unwrap_or(0);
    for named in &named {
        let operation = named.operation;
        let gap = " ".repeat(widest - named.name.chars().count());
        let kind = if named.reads { "reads" } else { "writes" };
        let versions = operation.versions.join(", ");
        say::out(format!(
            "{}{gap}  {kind:6}  {} ({}, SOAP {versions})",
            named.name,
            operation.name,
            operation.style.word()
        ));
    }
    for note in &service.notes {
        say::note(format!("note: {note}"));
    }
    let types = service.types.iter().count();
    say::note(format!(
        "{}, {}; {} below {}: read them before use, `hrhub check` looks at them",
        say::number(named.len(), "operation"),
        say::number(types, "type"),
        say::number(written.len(), "file"),
        args.into.display()
    ));
}

/// The text of a document for messages.
fn source_of(sources: &BTreeMap<String, Arc<Source>>, file: &str) -> Arc<Source> {
    sources.get(file).map_or_else(|| Source::new(file, ""), Arc::clone)
}

fn line(line: usize) -> Span {
    let at = Position { line, column: 1 };
    Span { start: at, end: at }
}
