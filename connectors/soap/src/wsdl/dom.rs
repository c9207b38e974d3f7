//! A document with the namespaces and the line of each element: what a description needs and a tree of values drops.
//!
//! What [`hub_tree::xml`] refuses is refused here: what is no XML, a DOCTYPE, more levels or elements than the limits.

use hub_tree::xml::{self, Piece, Pull, Rules};
use hub_tree::{Arena, Limits};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Deepest nesting of a description.
const LIMITS: Limits = Limits { max_bytes: super::MAX_BYTES, max_depth: 64, max_nodes: 2_000_000 };

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    /// Its namespace; empty for none.
    pub(super) namespace: Rc<str>,
    /// Its local name.
    pub(super) name: String,
    /// Local names and values of attributes, without declarations; those of another namespace carry it.
    attributes: Vec<(Option<Rc<str>>, String, String)>,
    /// Its child elements.
    pub(super) children: Vec<Element>,
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// What the prefixes in its attributes' values are bound to; those that are not bound are left out.
    prefixes: Vec<(String, Rc<str>)>,
}

/// A name with its namespace, which is empty for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QName {
    /// The namespace; empty for none.
    pub namespace: Rc<str>,
    /// The local name.
    pub name: String,
}

impl Element {
    fn of(element: &xml::Element<'_>, pull: &Pull<'_>, line: usize, names: &mut BTreeSet<Rc<str>>) -> Self {
        let mut attributes = Vec::new();
        let mut prefixes: Vec<(String, Rc<str>)> = Vec::new();
        for attribute in &element.attributes {
            let namespace = (!attribute.namespace.is_empty()).then(|| shared(names, attribute.namespace));
            let prefix = attribute.value.trim().split_once(':').map_or("", |(prefix, _)| prefix);
            if !prefixes.iter().any(|(known, _)| known == prefix)
                && let (Some(bound), _) = pull.qname(attribute.value)
            {
                prefixes.push((prefix.to_owned(), shared(names, bound)));
            }
            attributes.push((namespace, attribute.name.to_owned(), attribute.value.to_owned()));
        }
        let namespace = shared(names, element.namespace);
        Self { namespace, name: element.name.to_owned(), attributes, children: Vec::new(), line, prefixes }
    }

    /// An attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(ns, known, _)| ns.is_none() && known == name).map(|(_, _, value)| value.as_str())
    }

    /// An attribute of a namespace.
    pub(super) fn attribute_of(&self, namespace: &str, name: &str) -> Option<&str> {
        let fits = |ns: &Option<Rc<str>>| ns.as_deref() == Some(namespace);
        self.attributes.iter().find(|(ns, known, _)| fits(ns) && known == name).map(|(_, _, value)| value.as_str())
    }

    /// A name as the text of one of its attributes, with the declarations that hold here. A name without a prefix is in the
    /// default namespace.
    ///
    /// # Errors
    /// Its prefix is not bound.
    pub(super) fn resolve(&self, text: &str) -> Result<QName, String> {
        let text = text.trim();
        let (prefix, name) = text.split_once(':').unwrap_or(("", text));
        match self.prefixes.iter().find(|(known, _)| known == prefix).map(|(_, namespace)| namespace) {
            Some(namespace) => Ok(QName { namespace: Rc::clone(namespace), name: name.to_owned() }),
            None if prefix.is_empty() => Ok(QName { namespace: Rc::from(""), name: name.to_owned() }),
            None => Err(format!("the prefix of `{text}` is bound to no namespace")),
        }
    }

    /// Whether it is this element of this namespace.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        &*self.namespace == namespace && self.name == name
    }

    /// Its child elements of this name and namespace.
    pub(super) fn all<'e>(&'e self, namespace: &'e str, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    /// The first of them.
    pub(super) fn first(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }
}

/// Reads a document; an error is a line and what is wrong there.
pub(super) fn read(bytes: &[u8]) -> Result<Element, (usize, String)> {
    let arena = Arena::new();
    let refused = |refusal: xml::Refusal| (refusal.error.line, refusal.error.message);
    let mut pull = Pull::new(&arena, bytes, None, Rules::plain(LIMITS)).map_err(refused)?;
    if let Some(error) = pull.is_no_markup() {
        return Err((error.line, error.message));
    }
    let mut names = BTreeSet::new();
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let (mut line, mut seen) = (1, 0);
    loop {
        let piece = pull.next_piece().map_err(refused)?;
        match piece {
            Piece::Open(element) => {
                // Elements are named by the line where their tag ends: for a person, that is near enough.
                let at = pull.offset();
                line +=
                    pull.text().as_bytes().get(seen..at).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
                seen = at;
                if open.len() >= LIMITS.max_depth || names.len() > 100_000 {
                    return Err((line, "too many names or levels".to_owned()));
                }
                open.push(Element::of(&element, &pull, line, &mut names));
            }
            Piece::Close => {
                let Some(done) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            Piece::Text(_) => {}
            Piece::End => return root.ok_or_else(|| (1, "there is no element".to_owned())),
        }
    }
}

/// One copy of each namespace.
fn shared(names: &mut BTreeSet<Rc<str>>, name: &str) -> Rc<str> {
    if let Some(known) = names.get(name) {
        return Rc::clone(known);
    }
    let new: Rc<str> = Rc::from(name);
    names.insert(Rc::clone(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_where_they_stand_and_lines_are_known() {
        let text = "<?xml version='1.0'?>\n<a xmlns='urn:d' xmlns:p='urn:1'>\n <p:b t='p:x' u='y' p:v='&#65;&lt;'/>\n \
                    <c xmlns='' xmlns:p='urn:2' t='p:x' u='y'><p:d/></c></a>";
        let root = read(text.as_bytes()).unwrap();
        assert!(root.is("urn:d", "a"));
        let b = root.first("urn:1", "b").unwrap();
        assert_eq!((b.line, b.attribute_of("urn:1", "v")), (3, Some("A<")));
        let qname = |e: &Element, text| e.resolve(text).map(|q| format!("{} {}", q.namespace, q.name));
        assert_eq!(qname(b, b.attribute("t").unwrap()).as_deref(), Ok("urn:1 x"));
        assert_eq!(qname(b, "y").as_deref(), Ok("urn:d y"));
        let c = root.first("", "c").unwrap();
        assert_eq!((qname(c, "p:x").as_deref(), qname(c, "y").as_deref()), (Ok("urn:2 x"), Ok(" y")));
        assert!(c.first("urn:2", "d").is_some() && qname(c, "q:x").is_err());
    }

    #[test]
    fn what_hides_something_is_refused_with_its_line() {
        for (text, line) in [
            ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a/>", 1),
            ("<a>\n<b></a>", 2),
            ("<a>\n\n&x;</a>", 3),
            ("{}", 1),
            ("", 1),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error.0, line, "{text:?} {error:?}");
        }
        assert!(read(b"<?xml version='1.0' encoding='gbk'?><a b='\xC0\xEE'/>").unwrap().attribute("b") == Some("李"));
        assert!(
            read("\u{feff}<a b='李'/>".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice())
                .is_ok()
        );
    }
}
