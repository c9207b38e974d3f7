//! What a backup is made of: one file of rows per table, one of messages, a manifest, and sums over all of them.
//!
//! A row is one line: a JSON array of its cells in the order of the manifest's columns; bytes are base64. The sums are
//! in the form of `sha256sum -c`. A proof under the master key says that nobody else has made the manifest.

use anyhow::{Context as _, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_store::MasterKey;
use hub_store::backup::{Cell, ColumnKind, Table};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The version of this form.
const FORMAT: u64 = 1;
pub(crate) const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
const PROOF: &str = "manifest.proof";
const PURPOSE: &str = "backup manifest";
/// Longest line that is read: the largest body, sealed and in base64, with room to spare.
const MAX_LINE: u64 = 64 << 20;
/// Longest manifest that is read.
const MAX_MANIFEST: u64 = 4 << 20;

/// What a backup says about itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u64,
    /// Name of this backup.
    pub(crate) id: String,
    /// Version of the program that made it.
    pub(crate) program: String,
    /// When it was begun, RFC 3339.
    pub(crate) taken_at: String,
    /// `sqlite` or `postgres`.
    pub(crate) store: String,
    /// Version of the store's schema.
    pub(crate) schema: usize,
    /// `embedded` or `rabbitmq`.
    pub(crate) bus: String,
    /// Which master key sealed what is in it; the key is not.
    pub(crate) master_key: String,
    /// Whether everything that the broker had taken before was in the store; always so with the embedded bus.
    pub(crate) queues_drained: bool,
    /// Who reads events.
    pub(crate) consumers: Vec<String>,
    /// The sequence number of the first message that each reader of the log has not taken.
    pub(crate) readers: BTreeMap<String, u64>,
    pub(crate) tables: Vec<Rows>,
    pub(crate) messages: Rows,
}

/// A file of rows.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Name and kind of each column.
    pub(crate) columns: Vec<(String, String)>,
    /// The last number that the table's counter gave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_serial: Option<i64>,
}

impl Rows {
    /// The table that it holds.
    pub(crate) fn table(&self) -> anyhow::Result<Table> {
        let kind = |word: &String| ColumnKind::of_word(word).with_context(|| format!("`{word}` is no kind of column"));
        let columns = self.columns.iter().map(|(name, word)| Ok((name.clone(), kind(word)?)));
        let columns = columns.collect::<anyhow::Result<_>>()?;
        Ok(Table { name: self.name.clone(), columns, last_serial: self.last_serial })
    }
}

/// The columns of the messages' file.
pub(crate) fn message_table() -> Table {
    let text = |name: &str| (name.to_owned(), ColumnKind::Text);
    let mut columns = vec![("sequence".to_owned(), ColumnKind::Integer)];
    columns.extend(["id", "topic", "tenant", "key", "trace"].map(text));
    columns.push(("body".to_owned(), ColumnKind::Blob));
    Table { name: "messages".to_owned(), columns, last_serial: None }
}

/// Opens a new file that only its owner can read.
fn create(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.with_context(|| format!("making {}", path.display()))
}

/// Writes a whole file that only its owner can read.
fn write_whole(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let mut file = create(path)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    written.with_context(|| format!("writing {}", path.display()))
}

/// A file of rows under construction.
pub(crate) struct RowsWriter {
    path: std::path::PathBuf,
    out: BufWriter<File>,
    sum: Sha256,
    rows: Rows,
    line: Vec<u8>,
}

impl RowsWriter {
    pub(crate) fn create(folder: &Path, table: &Table) -> anyhow::Result<Self> {
        let file = format!("{}.rows.jsonl", table.name);
        let path = folder.join(&file);
        let columns = table.columns.iter().map(|(name, kind)| (name.clone(), kind.word().to_owned())).collect();
        let rows = Rows {
            name: table.name.clone(),
            file,
            rows: 0,
            bytes: 0,
            sha256: String::new(),
            columns,
            last_serial: table.last_serial,
        };
        Ok(Self {
            out: BufWriter::with_capacity(1 << 20, create(&path)?),
            path,
            sum: Sha256::new(),
            rows,
            line: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, cells: &[Cell]) -> anyhow::Result<()> {
        let line = &mut self.line;
        line.clear();
        for (index, cell) in cells.iter().enumerate() {
            line.push(if index == 0 { b'[' } else { b',' });
            match cell {
                Cell::Null => line.extend_from_slice(b"null"),
                Cell::Integer(number) => line.extend_from_slice(number.to_string().as_bytes()),
                Cell::Text(text) => serde_json::to_writer(&mut *line, text)?,
                Cell::Blob(bytes) => {
                    line.push(b'"');
                    line.extend_from_slice(STANDARD.encode(bytes).as_bytes());
                    line.push(b'"');
                }
            }
        }
        line.extend_from_slice(b"]\n");
        self.sum.update(&*line);
        self.rows.rows += 1;
        self.rows.bytes += line.len() as u64;
        self.out.write_all(line).with_context(|| format!("writing {}", self.path.display()))
    }

    pub(crate) fn finish(mut self) -> anyhow::Result<Rows> {
        let written = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        written.with_context(|| format!("writing {}", self.path.display()))?;
        self.rows.sha256 = hex::encode(self.sum.finalize());
        Ok(self.rows)
    }
}

/// Reads the rows of a file that was verified.
pub(crate) struct RowsReader {
    file: String,
    input: BufReader<File>,
    kinds: Vec<ColumnKind>,
    line: Vec<u8>,
    number: u64,
}

impl RowsReader {
    pub(crate) fn open(folder: &Path, rows: &Rows) -> anyhow::Result<Self> {
        let file = File::open(folder.join(&rows.file)).with_context(|| format!("reading {}", rows.file))?;
        let kinds = rows.table()?.columns.into_iter().map(|(_, kind)| kind).collect();
        Ok(Self {
            file: rows.file.clone(),
            input: BufReader::with_capacity(1 << 20, file),
            kinds,
            line: Vec::new(),
            number: 0,
        })
    }

    /// The number of the row that was read last.
    pub(crate) const fn row(&self) -> u64 {
        self.number
    }

    /// The next row; `None` at the end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Vec<Cell>>> {
        self.number += 1;
        let place = || format!("{}:{}", self.file, self.number);
        self.line.clear();
        let read = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.line).with_context(place)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') {
            bail!("{}: the line does not end", place());
        }
        // The reason may quote the line: only its place is told.
        let values: Vec<serde_json::Value> =
            serde_json::from_slice(&self.line).map_err(|_| anyhow::anyhow!("{}: no row", place()))?;
        if values.len() != self.kinds.len() {
            bail!("{}: {} cells for {} columns", place(), values.len(), self.kinds.len());
        }
        let cell = |(kind, value): (&ColumnKind, serde_json::Value)| match (kind, value) {
            (_, serde_json::Value::Null) => Some(Cell::Null),
            (ColumnKind::Integer, serde_json::Value::Number(number)) => number.as_i64().map(Cell::Integer),
            (ColumnKind::Text, serde_json::Value::String(text)) => Some(Cell::Text(text)),
            (ColumnKind::Blob, serde_json::Value::String(text)) => STANDARD.decode(text).ok().map(Cell::Blob),
            _ => None,
        };
        let cells: Option<Vec<Cell>> = self.kinds.iter().zip(values).map(cell).collect();
        cells.map(Some).with_context(|| format!("{}: a cell is not of its column's kind", place()))
    }
}

impl Manifest {
    pub(crate) const fn format() -> u64 {
        FORMAT
    }

    fn files(&self) -> impl Iterator<Item = &Rows> {
        self.tables.iter().chain([&self.messages])
    }

    /// Rows of all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Writes it, the sums and the proof.
    pub(crate) fn write(&self, folder: &Path, master: &MasterKey) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_whole(&folder.join(MANIFEST), &text)?;
        let mut sums: String = self.files().map(|rows| format!("{}  {}\n", rows.sha256, rows.file)).collect();
        sums.push_str(&format!("{}  {MANIFEST}\n", hex::encode(Sha256::digest(&text))));
        write_whole(&folder.join(SUMS), sums.as_bytes())?;
        write_whole(&folder.join(PROOF), format!("{}\n", master.proof(PURPOSE, &text)).as_bytes())
    }
}

/// Which master key a backup needs, without telling anything about it.
pub(crate) fn fingerprint(master: &MasterKey) -> String {
    let mut proof = master.proof("backup fingerprint", &[]);
    proof.truncate(16);
    proof
}

/// A backup that was read; its files are as the manifest says.
pub(crate) struct Verified {
    pub(crate) manifest: Manifest,
    text: Vec<u8>,
}

fn read_small(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("{} is missing: the folder is no whole backup", path.display())
        }
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let mut text = Vec::new();
    file.take(MAX_MANIFEST).read_to_end(&mut text).with_context(|| format!("reading {}", path.display()))?;
    Ok(text)
}

impl Verified {
    /// Reads the manifest and compares every file with it.
    ///
    /// # Errors
    /// All that is wrong, file by file.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let text = read_small(folder, MANIFEST)?;
        let sums = String::from_utf8(read_small(folder, SUMS)?).context("SHA256SUMS is no text")?;
        let noted = sums.lines().find_map(|line| line.strip_suffix(MANIFEST)).unwrap_or_default().trim();
        if noted != hex::encode(Sha256::digest(&text)) {
            bail!("{MANIFEST} is not as {SUMS} says: one of them was changed or cut short; take another backup");
        }
        let value: serde_json::Value = serde_json::from_slice(&text).context("reading manifest.json")?;
        match value["format"].as_u64() {
            Some(FORMAT) => {}
            other => {
                bail!("the backup has form {}; this program knows {FORMAT}: use a newer hrhub", other.unwrap_or(0))
            }
        }
        let manifest: Manifest = serde_json::from_value(value).context("reading manifest.json")?;
        let wrong: Vec<String> = manifest.files().filter_map(|rows| compare(folder, rows).err()).collect();
        if !wrong.is_empty() {
            bail!("the backup is damaged; take another one\n  {}", wrong.join("\n  "));
        }
        Ok(Self { manifest, text })
    }

    /// Makes sure that the backup was made by who holds the master key.
    ///
    /// # Errors
    /// It belongs to another key, or its manifest was changed by somebody else.
    pub(crate) fn check_key(&self, folder: &Path, master: &MasterKey) -> anyhow::Result<()> {
        let (own, wanted) = (fingerprint(master), &self.manifest.master_key);
        if own != *wanted {
            bail!(
                "the backup belongs to the master key {wanted}, yours is {own}: set HRHUB_MASTER_KEY, or put the \
                 master.key of then into the data folder"
            );
        }
        let proof = read_small(folder, PROOF)?;
        if String::from_utf8_lossy(&proof).trim() != master.proof(PURPOSE, &self.text) {
            bail!("{PROOF} does not fit {MANIFEST}: somebody who does not hold the master key has changed the backup");
        }
        Ok(())
    }
}

/// What is wrong with a file.
fn compare(folder: &Path, rows: &Rows) -> Result<(), String> {
    let name = &rows.file;
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(format!("{name}: no name of a file in a backup"));
    }
    let mut file = File::open(folder.join(name)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{name}: is missing"),
        _ => format!("{name}: {error}"),
    })?;
    let length = file.metadata().map_err(|error| format!("{name}: {error}"))?.len();
    if length != rows.bytes {
        let how = if length < rows.bytes { "is cut short" } else { "is too long" };
        return Err(format!("{name}: {how}: {length} bytes of {}", rows.bytes));
    }
    let mut sum = Sha256::new();
    let (mut lines, mut part) = (0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut part).map_err(|error| format!("{name}: {error}"))?;
        let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        sum.update(bytes);
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    if hex::encode(sum.finalize()) != rows.sha256 {
        return Err(format!("{name}: was changed: its SHA-256 is another one"));
    }
    if lines != rows.rows {
        return Err(format!("{name}: holds {lines} rows of {}", rows.rows));
    }
    Ok(())
}

/// Removes what a backup that was broken off has left.
pub(crate) fn remove_part(part: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", part.display()))
        }
        _ => Ok(()),
    }
}
