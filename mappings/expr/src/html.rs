//! The text of HTML. Vendors put it into notes and job texts; no page is laid out here.

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// Elements whose content is no text.
const SILENT: &[&str] = &["script", "style", "template"];

const ENTITIES: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ensp", " "),
    ("emsp", " "),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("middot", "·"),
    ("bull", "•"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("euro", "€"),
    ("pound", "£"),
    ("yen", "¥"),
    ("cent", "¢"),
    ("deg", "°"),
    ("times", "×"),
    ("eacute", "é"),
    ("uuml", "ü"),
    ("ouml", "ö"),
    ("auml", "ä"),
    ("szlig", "ß"),
    ("ntilde", "ñ"),
];

/// How far the end of a tag with quotes is looked for, in characters, so that hostile quotes cost no square time.
const LONGEST_TAG: usize = 4_096;

/// The text without tags, one line per block, white space as a browser shows it.
pub(crate) fn text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    // Where the next `<` or `&` is; what stands before it is text.
    while let Some(at) = rest.find(['<', '&']) {
        push(&rest[..at], &mut out);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, &mut out) } else { tag(rest, &mut out) };
    }
    push(rest, &mut out);
    let lines = out.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Text between tags: every run of white space is one space.
fn push(text: &str, out: &mut String) {
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
    }
}

/// Reads what begins with `&`, and returns what follows.
fn entity<'h>(text: &'h str, out: &mut String) -> &'h str {
    let body = &text[1..];
    let end = body.bytes().take(12).position(|b| b == b';');
    let found = end.and_then(|end| {
        let name = body.get(..end)?;
        let c = match name.strip_prefix('#') {
            Some(number) => {
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?).filter(|c| *c != '\0')?.to_string()
            }
            None => ENTITIES.iter().find(|(known, _)| *known == name)?.1.to_owned(),
        };
        Some((c, end))
    });
    match found {
        Some((c, end)) => {
            push(&c, out);
            &body[end + 1..]
        }
        None => {
            out.push('&');
            body
        }
    }
}

/// Skips what begins with `<`, and returns what follows. A `<` that opens no tag is text.
fn tag<'h>(text: &'h str, out: &mut String) -> &'h str {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let inner = &text[1..];
    let closing = inner.strip_prefix('/');
    let named = closing.unwrap_or(inner);
    let end = named.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(named.len());
    let name = named[..end].to_ascii_lowercase();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins && !inner.starts_with(['!', '?', '/']) {
        out.push('<');
        return inner;
    }
    if BLOCKS.contains(&name.as_str()) {
        out.push('\n');
    } else if matches!(name.as_str(), "td" | "th") {
        push(" ", out);
    }
    let rest = after_tag(named);
    if closing.is_none() && SILENT.contains(&name.as_str()) {
        let until = format!("</{name}");
        let end = rest.as_bytes().windows(until.len()).position(|part| part.eq_ignore_ascii_case(until.as_bytes()));
        return end.map_or("", |end| after_tag(&rest[end..]));
    }
    rest
}

/// What follows the `>` that ends a tag; one inside quotes ends none.
fn after_tag(text: &str) -> &str {
    let mut quote = None;
    for (at, c) in text.char_indices().take(LONGEST_TAG) {
        match (quote, c) {
            (None, '>') => return &text[at + 1..],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A quote that is not closed is a slip of the sender's; an attribute may also hold a whole picture.
    text.split_once('>').map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::text;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_text_stays() {
        for (html, wanted) in [
            ("plain", "plain"),
            ("<p>a</p><p>b</p>", "a\nb"),
            ("a<br/>b<BR>c", "a\nb\nc"),
            ("a <b>bold</b>  word", "a bold word"),
            ("&lt;x&gt; &amp;amp; &#26446;&#x5A1C; &nbsp;&unknown; &", "<x> &amp; 李娜 &unknown; &"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("<script>if (a < b) x()</script>y<style>p{}</STYLE>z", "yz"),
            ("a<!-- <p>hidden</p> -->b", "ab"),
            ("<a title=\"x > y\">link</a>", "link"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<p unclosed", ""),
            ("<a title=\"open>text", "text"),
            ("<ul><li>一</li><li>二</li></ul>", "一\n二"),
            ("&#0;&#xFFFFFFFF;&#xD800;", "&#0;&#xFFFFFFFF;&#xD800;"),
        ] {
            assert_eq!(text(html), wanted, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_html_ends_and_is_no_longer(html in "[<>/!&#;a-z李\"' -]{0,60}") {
            prop_assert!(text(&html).len() <= html.len());
        }
    }
}
