//! Which documents a description consists of.

use super::dom::{self, Element};
use super::{MAX_BYTES, MAX_FILES, Problem, SOAPENC, WSDL, XSD};
use std::collections::{BTreeSet, VecDeque};
use url::Url;

/// Namespaces that need no document: their names are known, or mean nothing for what is sent.
const KNOWN: &[&str] = &[
    SOAPENC,
    XSD,
    WSDL,
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2005/08/addressing",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "http://www.w3.org/2005/05/xmlmime",
    "http://www.w3.org/2003/05/soap-encoding",
];

/// Where documents may come from, beside the place of the first one.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Hosts of addresses.
    pub hosts: Vec<String>,
}

/// The documents of a description, as they are found.
pub struct Documents {
    pub(super) all: Vec<Document>,
    wanted: VecDeque<Wanted>,
    known: BTreeSet<String>,
    folder: String,
    hosts: Vec<String>,
    bytes: usize,
}

/// A document that was read.
pub(super) struct Document {
    /// As it is named in messages, and found by imports.
    pub(super) location: String,
    pub(super) root: Element,
}

struct Wanted {
    location: String,
    /// Who wants it, for messages.
    by: Option<(String, usize)>,
}

impl Documents {
    /// The description at `location`: a path, or an address of http or https. Documents of files must lie in its
    /// folder or below; those of addresses on its host, or one that is allowed.
    #[must_use]
    pub fn of(location: &str, allowed: Allowed) -> Self {
        let mut hosts = allowed.hosts;
        let location = normal(location);
        if let Ok(url) = Url::parse(&location) {
            hosts.extend(url.host_str().map(ToOwned::to_owned));
        }
        let folder = location.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let known = BTreeSet::from([location.clone()]);
        let wanted = VecDeque::from([Wanted { location, by: None }]);
        Self { all: Vec::new(), wanted, known, folder, hosts, bytes: 0 }
    }

    /// The next document that is wanted: a path or an address.
    #[must_use]
    pub fn wanted(&self) -> Option<&str> {
        self.wanted.front().map(|wanted| wanted.location.as_str())
    }

    /// What there is to say when the document that is wanted cannot be brought.
    #[must_use]
    pub fn missing(&self, why: &str) -> Problem {
        let wanted = self.wanted.front();
        let location = wanted.map(|wanted| wanted.location.clone()).unwrap_or_default();
        match wanted.and_then(|wanted| wanted.by.clone()) {
            Some((file, line)) => Problem { file, line, message: format!("`{location}` cannot be read: {why}") },
            None => Problem { file: location, line: 1, message: format!("cannot be read: {why}") },
        }
    }

    /// Takes the document that is wanted.
    ///
    /// # Errors
    /// It is no XML, is too much, or wants what may not be read.
    pub fn bring(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Some(Wanted { location, .. }) = self.wanted.pop_front() else { return Ok(()) };
        let problem = |line: usize, message: String| Problem { file: location.clone(), line, message };
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            return Err(problem(1, format!("the documents are more than {MAX_BYTES} bytes together")));
        }
        let root = dom::read(bytes).map_err(|(line, message)| problem(line, message))?;
        if !root.is(WSDL, "definitions") && !root.is(XSD, "schema") {
            let message = if root.is("http://www.w3.org/ns/wsdl", "description") {
                "this is WSDL 2.0; ask for the WSDL 1.1 of the service".to_owned()
            } else {
                "this is neither a WSDL 1.1 nor an XML Schema".to_owned()
            };
            return Err(problem(root.line, message));
        }
        let mut found = Vec::new();
        links(&root, &mut found);
        for (line, namespace, link) in found {
            if namespace.as_deref().is_some_and(|namespace| KNOWN.contains(&namespace)) {
                continue;
            }
            let target = self.allowed(&location, &link).map_err(|message| problem(line, message))?;
            if self.known.insert(target.clone()) {
                if self.known.len() > MAX_FILES {
                    return Err(problem(line, format!("the description consists of more than {MAX_FILES} documents")));
                }
                self.wanted.push_back(Wanted { location: target, by: Some((location.clone(), line)) });
            }
        }
        self.all.push(Document { location, root });
        Ok(())
    }

    fn allowed(&self, base: &str, link: &str) -> Result<String, String> {
        let target = join(base, link);
        if let Ok(url) =
            Url::parse(&target).map_err(|_| ()).and_then(|url| if url.has_host() { Ok(url) } else { Err(()) })
        {
            let host = url.host_str().unwrap_or_default();
            let web = matches!(url.scheme(), "http" | "https");
            if web && self.hosts.iter().any(|known| known == host) {
                return Ok(target);
            }
            return Err(format!(
                "`{link}` lies elsewhere; allow its host, or put the document beside this one and name it there"
            ));
        }
        let inside = self.folder.is_empty() && !target.starts_with(['/', '.'])
            || !self.folder.is_empty() && target.strip_prefix(&self.folder).is_some_and(|rest| rest.starts_with('/'));
        if inside && !target.contains(":") {
            return Ok(target);
        }
        Err(format!("`{link}` lies outside of the folder of the first document; only files below it are read"))
    }

    /// The index of the document that `link` of the document `base` names.
    pub(super) fn find(&self, base: &str, link: &str) -> Option<usize> {
        let target = join(base, link);
        self.all.iter().position(|document| document.location == target)
    }
}

/// The imports and includes of a document: line, namespace, location.
fn links(element: &Element, found: &mut Vec<(usize, Option<String>, String)>) {
    for child in &element.children {
        let link = match (&*child.namespace, child.name.as_str()) {
            (WSDL, "import") => child.attribute("location"),
            (XSD, "import" | "include" | "redefine") => child.attribute("schemaLocation"),
            (WSDL, "types") | (XSD, "schema") => {
                links(child, found);
                None
            }
            _ => None,
        };
        if let Some(link) = link.filter(|link| !link.trim().is_empty()) {
            let namespace = child.attribute("namespace").map(ToOwned::to_owned);
            found.push((child.line, namespace, link.trim().to_owned()));
        }
    }
}

/// A location as the document `base` names it.
fn join(base: &str, link: &str) -> String {
    if let Ok(url) = Url::parse(link)
        && url.has_host()
    {
        return normal(link);
    }
    if let Ok(base) = Url::parse(base)
        && base.has_host()
    {
        return base.join(link).map_or_else(|_| link.to_owned(), |url| normal(url.as_str()));
    }
    if link.starts_with('/') {
        return normal(link);
    }
    let link = link.replace('\\', "/");
    match base.rsplit_once('/') {
        Some((folder, _)) => normal(&format!("{folder}/{link}")),
        None => normal(&link),
    }
}

/// The same location in one spelling: without `.`, `..` and what follows `#`.
fn normal(location: &str) -> String {
    if let Ok(mut url) = Url::parse(location)
        && url.has_host()
    {
        url.set_fragment(None);
        return url.to_string();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in location.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_have_one_spelling() {
        for (base, link, wanted) in [
            ("a/b.wsdl", "c.xsd", "a/c.xsd"),
            ("a/b.wsdl", "./x/../c.xsd", "a/c.xsd"),
            ("a/b.wsdl", "../c.xsd", "c.xsd"),
            ("/a/b.wsdl", "../../../c.xsd", "/../../c.xsd"),
            ("b.wsdl", "x\\c.xsd", "x/c.xsd"),
            ("http://h/a/b?wsdl", "b?xsd=1", "http://h/a/b?xsd=1"),
            ("http://h/a/b?wsdl", "http://h/a/./c.xsd#x", "http://h/a/c.xsd"),
            ("a/b.wsdl", "https://h/c.xsd", "https://h/c.xsd"),
        ] {
            assert_eq!(join(base, link), wanted, "{base} {link}");
        }
    }

    fn wants(location: &str, link: &str) -> Result<Vec<String>, String> {
        let mut documents = Documents::of(location, Allowed { hosts: vec!["other.example".to_owned()] });
        let text = format!("<s:schema xmlns:s='{XSD}'>\n<s:include schemaLocation='{link}'/>\n</s:schema>");
        documents.bring(text.as_bytes()).map_err(|problem| problem.to_string())?;
        Ok(documents.wanted.iter().map(|wanted| wanted.location.clone()).collect())
    }

    #[test]
    fn only_what_lies_below_or_is_allowed_is_wanted() {
        for (location, link) in [
            ("a/b.xsd", "../c.xsd"),
            ("a/b.xsd", "/etc/passwd"),
            ("a/b.xsd", "file:///etc/passwd"),
            ("a/b.xsd", "../ab/c.xsd"),
            ("b.xsd", "../c.xsd"),
            ("a/b.xsd", "http://169.254.169.254/x"),
            ("http://h/b.xsd", "http://evil.example/x"),
            ("http://h/b.xsd", "file:///etc/passwd"),
        ] {
            let error = wants(location, link).expect_err(link);
            assert!(error.starts_with(&format!("{location}:2: ")), "{error}");
        }
        assert_eq!(wants("a/b.xsd", "c/d.xsd"), Ok(vec!["a/c/d.xsd".to_owned()]));
        assert_eq!(wants("a/b.xsd", "b.xsd"), Ok(vec![]), "itself");
        assert_eq!(wants("http://h/a/b", "../c"), Ok(vec!["http://h/c".to_owned()]));
        assert_eq!(wants("a/b.xsd", "http://other.example/x"), Ok(vec!["http://other.example/x".to_owned()]));
    }

    #[test]
    fn a_description_of_endless_parts_ends() {
        let mut documents = Documents::of("a.xsd", Allowed::default());
        let mut problem = None;
        for number in 0..200 {
            let text = format!("<s:schema xmlns:s='{XSD}'><s:include schemaLocation='p{number}.xsd'/></s:schema>");
            if let Err(found) = documents.bring(text.as_bytes()) {
                problem = Some(found);
                break;
            }
        }
        assert!(problem.is_some_and(|found| found.message.contains("more than 50")));
    }
}
