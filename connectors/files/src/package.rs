//! Zip packages of XML parts, read within limits: what a part unpacks to is counted, and a document type is refused.

use crate::problem::FileProblem;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::io::{self, BufReader, Cursor, Read};
use zip::ZipArchive;
use zip::read::ZipFile;

/// How deep elements may nest.
const MAX_DEPTH: usize = 64;

/// A package whose parts are read by name.
pub(crate) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    max_unpacked: u64,
}

impl<'b> Package<'b> {
    pub(crate) fn open(bytes: &'b [u8], max_unpacked: u64) -> Result<Self, FileProblem> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| FileProblem::broken("the zip package cannot be read", "无法读取压缩包"))?;
        if archive.len() > 10_000 {
            return Err(FileProblem::broken("the package has too many parts", "压缩包内的文件过多"));
        }
        Ok(Self { archive, max_unpacked })
    }

    /// Whether there is a part of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// Whether the name of some part satisfies a condition.
    pub(crate) fn any(&self, condition: impl Fn(&str) -> bool) -> bool {
        self.archive.file_names().flatten().any(|name| condition(&name))
    }

    /// A part of XML, to be read event by event; `None` when it is not there. All parts that are read with one `budget`
    /// count together.
    pub(crate) fn part<'p>(
        &'p mut self,
        name: &str,
        budget: &'p mut Budget,
    ) -> Result<Option<Part<'p, 'b>>, FileProblem> {
        let Some(index) = self.archive.index_for_name(name) else { return Ok(None) };
        let file = self.archive.by_index(index).map_err(|_| damaged(name))?;
        if file.encrypted() {
            return Err(encrypted());
        }
        let source = Metered { file, budget };
        let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(32 << 10, source));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        Ok(Some(Part { reader, buffer: Vec::new(), name: name.to_owned(), depth: 0 }))
    }

    /// The beginning of a small part that is no XML.
    pub(crate) fn text(&mut self, name: &str, most: u64) -> Option<String> {
        let index = self.archive.index_for_name(name)?;
        let mut text = String::new();
        self.archive.by_index(index).ok()?.take(most).read_to_string(&mut text).ok()?;
        Some(text)
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget { left: self.max_unpacked, spent: false }
    }
}

fn damaged(name: &str) -> FileProblem {
    FileProblem::broken(format!("the part {name} cannot be read"), format!("无法读取其中的 {name}"))
}

pub(crate) fn encrypted() -> FileProblem {
    FileProblem::new(
        "FILE_ENCRYPTED",
        "the file is protected by a password; take the password off and upload it again",
        "文件已加密；请取消密码保护后重新上传",
    )
}

/// How many bytes may still be unpacked.
pub(crate) struct Budget {
    left: u64,
    spent: bool,
}

struct Metered<'p, 'b> {
    file: ZipFile<'p, Cursor<&'b [u8]>>,
    budget: &'p mut Budget,
}

impl Read for Metered<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
        if bytes > self.budget.left {
            self.budget.spent = true;
            return Err(io::Error::other("too much"));
        }
        self.budget.left -= bytes;
        Ok(count)
    }
}

/// A part of XML.
pub(crate) struct Part<'p, 'b> {
    reader: quick_xml::Reader<BufReader<Metered<'p, 'b>>>,
    buffer: Vec<u8>,
    name: String,
    depth: usize,
}

/// What comes next in a part. Names are local; an empty element is a start and an end.
pub(crate) enum Step<'e> {
    Start(Tag<'e>),
    /// The local name.
    End(&'e str),
    Text(&'e str),
    Finished,
}

/// A start tag.
pub(crate) struct Tag<'e>(BytesStart<'e>);

impl Tag<'_> {
    /// The local name.
    pub(crate) fn name(&self) -> &str {
        local(self.0.name().0)
    }

    /// The value of an attribute by its local name, with references resolved.
    pub(crate) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let mut all = all.with_checks(false).flatten().take(64);
        let found = all.find(|attribute| local(attribute.key.0) == wanted)?;
        found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
    }

    /// The value of an attribute by its whole name, as written.
    pub(crate) fn exact(&self, wanted: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let mut all = all.with_checks(false).flatten().take(64);
        let found = all.find(|attribute| attribute.key.0 == wanted)?;
        found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
    }

    /// Whether an attribute says yes.
    pub(crate) fn flag(&self, wanted: &str) -> bool {
        self.attribute(wanted).is_some_and(|value| matches!(value.as_str(), "1" | "true" | "on"))
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl Part<'_, '_> {
    /// Hands the next step to `take`. Comments, declarations and instructions are passed over.
    pub(crate) fn step<T>(&mut self, take: impl FnOnce(Step<'_>) -> Result<T, FileProblem>) -> Result<T, FileProblem> {
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(_) => return Err(self.failure()),
            };
            return match event {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(damaged(&self.name));
                    }
                    take(Step::Start(Tag(tag)))
                }
                Event::End(tag) => {
                    self.depth = self.depth.saturating_sub(1);
                    take(Step::End(local(tag.name().0)))
                }
                Event::Text(text) => take(Step::Text(&text.xml10_content())),
                Event::CData(text) => take(Step::Text(&text.xml10_content())),
                Event::GeneralRef(reference) => match referred(&reference) {
                    Some(c) => take(Step::Text(c.encode_utf8(&mut [0; 4]))),
                    None => Err(damaged(&self.name)),
                },
                Event::DocType(_) => Err(FileProblem::broken(
                    format!("the part {} has a document type, which is never read", self.name),
                    format!("其中的 {} 含有 DOCTYPE，不予读取", self.name),
                )),
                Event::Eof if self.depth == 0 => take(Step::Finished),
                Event::Eof => Err(damaged(&self.name)),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => continue,
            };
        }
    }

    fn failure(&self) -> FileProblem {
        if self.reader.get_ref().get_ref().budget.spent {
            return FileProblem::new(
                "FILE_TOO_LARGE",
                "the file unpacks to more than is read; split it, or save it without pictures and empty formatted rows",
                "文件解压后过大；请拆分，或去掉图片和空白格式行后再保存",
            );
        }
        damaged(&self.name)
    }
}

fn referred(reference: &BytesRef<'_>) -> Option<char> {
    let text = reference.xml10_content();
    Some(match &*text {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return reference.resolve_char_ref().ok().flatten(),
    })
}
