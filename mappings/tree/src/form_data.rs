//! Forms with files, `multipart/form-data` as browsers send it (RFC 7578): a body that is there as a whole.

/// A part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// The name of the field.
    pub name: &'b str,
    /// The name of the file, of a field that is one.
    pub file_name: Option<&'b str>,
    /// The content.
    pub body: &'b [u8],
}

impl<'b> Part<'b> {
    /// The content as text; `None` when it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&'b str> {
        std::str::from_utf8(self.body).ok()
    }
}

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForm {
    /// It is of another type, or the type names no boundary.
    #[error("the content type is no multipart/form-data with a boundary")]
    Type,
    /// A part does not begin or end as it should.
    #[error("a part of the form is not whole")]
    Broken,
    /// A part has no name.
    #[error("a part of the form has no name")]
    Nameless,
    /// More parts than a form has.
    #[error("the form has more than {MAX_PARTS} parts")]
    Many,
}

/// Parts of a form at most.
const MAX_PARTS: usize = 2_000;
/// Bytes of a part's head at most.
const MAX_HEAD: usize = 8_192;

/// The parts of a form, in order.
///
/// # Errors
/// It is no form, or not whole.
pub fn read<'b>(content_type: &str, body: &'b [u8]) -> Result<Vec<Part<'b>>, NoForm> {
    let boundary = boundary(content_type).ok_or(NoForm::Type)?;
    let opening = format!("--{boundary}");
    let closing = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(opening.as_bytes()).ok_or(NoForm::Broken)?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        if parts.len() == MAX_PARTS {
            return Err(NoForm::Many);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or(NoForm::Broken)?;
        let window = rest.get(..rest.len().min(MAX_HEAD)).unwrap_or_default();
        let head = find(window, b"\r\n\r\n").ok_or(NoForm::Broken)?;
        let (name, file_name) = disposition(rest.get(..head).unwrap_or_default()).ok_or(NoForm::Nameless)?;
        rest = rest.get(head + 4..).unwrap_or_default();
        let end = find(rest, closing.as_bytes()).ok_or(NoForm::Broken)?;
        parts.push(Part { name, file_name, body: rest.get(..end).unwrap_or_default() });
        rest = rest.get(end + closing.len()..).unwrap_or_default();
    }
    Ok(parts)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The boundary that a content type names: 1 to 70 characters.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameter(rest, "boundary")?;
    ((1..=70).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))).then_some(value)
}

/// Name and file name of a part's head. Browsers write them in quotes, with `%22` for a quote in them.
fn disposition(head: &[u8]) -> Option<(&str, Option<&str>)> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, rest) = line.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    Some((parameter(rest, "name")?, parameter(rest, "filename")))
}

/// A parameter such as `name="a"` in a list separated by semicolons.
fn parameter<'t>(mut rest: &'t str, wanted: &str) -> Option<&'t str> {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, behind) = rest.split_once('=')?;
        let (value, next) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => behind.split_once(';').unwrap_or((behind, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=----x1";

    #[test]
    fn fields_and_files_come_in_order_byte_for_byte() {
        let body = b"------x1\r\nContent-Disposition: form-data; name=\"as\"\r\n\r\nemployee\r\n------x1\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"\xE5\x91\x98\xE5\xB7\xA5;1.csv\"\r\n\
            Content-Type: text/csv\r\n\r\na,b\r\n\r\n--x1\xFF\r\n\r\n------x1--\r\n";
        let parts = read(TYPE, body).unwrap();
        assert_eq!(parts[0], Part { name: "as", file_name: None, body: b"employee" });
        assert_eq!((parts[1].name, parts[1].file_name), ("file", Some("员工;1.csv")));
        assert_eq!(parts[1].body, b"a,b\r\n\r\n--x1\xFF\r\n");
        assert_eq!((parts.len(), parts[0].text(), parts[1].text()), (2, Some("employee"), None));
        assert_eq!(read("Multipart/Form-Data;boundary=\"----x1\"", body).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(read("text/csv", b""), Err(NoForm::Type));
        assert_eq!(read("multipart/form-data", b""), Err(NoForm::Type));
        assert_eq!(read(TYPE, b"a,b"), Err(NoForm::Broken));
        assert_eq!(read(TYPE, b"------x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"), Err(NoForm::Broken));
        assert_eq!(read(TYPE, b"------x1\r\nContent-Type: text/csv\r\n\r\n1\r\n------x1--"), Err(NoForm::Nameless));
        assert_eq!(read(TYPE, b"------x1--"), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_reader(body in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..200_usize) {
            let _ = read(TYPE, &body);
            let whole = b"------x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n------x1--".as_slice();
            let mut cut_off = whole[..cut.min(whole.len())].to_vec();
            cut_off.extend(body);
            let _ = read(TYPE, &cut_off);
        }
    }
}
