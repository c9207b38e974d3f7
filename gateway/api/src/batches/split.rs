//! Splits a body into its items as it arrives: `{"items": [...]}`, a list, or one object a line. Only what tells items
//! apart is looked at here; each item is read by itself.

/// Longest item.
const LONGEST_ITEM: usize = 256 << 10;

/// Where the splitter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    /// In `{`, before the name of its only member.
    Name,
    /// In the name.
    InName,
    /// Behind the name.
    Colon,
    /// Before the list.
    List,
    /// Before an item; the list may end here if it is the first.
    Item,
    /// In an item.
    Inside,
    /// Behind the list; the object that it lies in is still to end.
    Close,
    End,
    /// One object a line.
    Lines,
}

/// Splits a body.
pub(super) struct Splitter {
    at: At,
    wrapped: bool,
    depth: usize,
    in_text: bool,
    escaped: bool,
    first: bool,
    item: Vec<u8>,
}

const NAME: &[u8] = b"items";

impl Splitter {
    pub(super) fn new(lines: bool) -> Self {
        let at = if lines { At::Lines } else { At::Start };
        Self { at, wrapped: false, depth: 0, in_text: false, escaped: false, first: true, item: Vec::new() }
    }

    /// Takes the next bytes; items that are whole are added to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<Vec<u8>>) -> Result<(), String> {
        bytes.iter().try_for_each(|byte| self.take(*byte, out))
    }

    /// The body has ended.
    pub(super) fn finish(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), String> {
        match self.at {
            At::End => Ok(()),
            At::Lines => {
                self.end_of_line(out);
                Ok(())
            }
            _ => Err("the body ends before its list of items does".to_owned()),
        }
    }

    fn end_of_line(&mut self, out: &mut Vec<Vec<u8>>) {
        let line = std::mem::take(&mut self.item);
        if !line.iter().all(u8::is_ascii_whitespace) {
            out.push(line);
        }
    }

    fn add(&mut self, byte: u8) -> Result<(), String> {
        if self.item.len() >= LONGEST_ITEM {
            return Err(format!("an item has at most {LONGEST_ITEM} bytes"));
        }
        self.item.push(byte);
        Ok(())
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Vec<u8>>) -> Result<(), String> {
        let wrong = || "the body is neither `{\"items\": [...]}` nor a list of items".to_owned();
        match self.at {
            At::Lines if byte == b'\n' => self.end_of_line(out),
            At::Lines => self.add(byte)?,
            At::Inside => self.inside(byte, out)?,
            At::InName if byte == b'"' => {
                if std::mem::take(&mut self.item) != NAME {
                    return Err(wrong());
                }
                self.at = At::Colon;
            }
            At::InName => self.add(byte)?,
            _ if byte.is_ascii_whitespace() => {}
            At::Start | At::List if byte == b'[' => self.at = At::Item,
            At::Start if byte == b'{' => {
                self.wrapped = true;
                self.at = At::Name;
            }
            At::Name if byte == b'"' => self.at = At::InName,
            At::Colon if byte == b':' => self.at = At::List,
            At::Item if byte == b']' && self.first => self.end_list(),
            At::Item if byte != b']' && byte != b',' => {
                self.first = false;
                self.at = At::Inside;
                self.inside(byte, out)?;
            }
            At::Close if byte == b'}' => self.at = At::End,
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn end_list(&mut self) {
        self.at = if self.wrapped { At::Close } else { At::End };
    }

    fn inside(&mut self, byte: u8, out: &mut Vec<Vec<u8>>) -> Result<(), String> {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return self.add(byte);
        }
        match byte {
            b',' | b']' if self.depth == 0 => {
                out.push(std::mem::take(&mut self.item));
                if byte == b',' {
                    self.at = At::Item;
                } else {
                    self.end_list();
                }
                return Ok(());
            }
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.checked_sub(1).ok_or("a bracket closes what was not opened")?;
            }
            _ => {}
        }
        self.add(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(lines: bool, text: &str, step: usize) -> Result<Vec<String>, String> {
        let (mut splitter, mut out) = (Splitter::new(lines), Vec::new());
        for chunk in text.as_bytes().chunks(step) {
            splitter.push(chunk, &mut out)?;
        }
        splitter.finish(&mut out)?;
        Ok(out.into_iter().map(|item| String::from_utf8(item).unwrap().trim().to_owned()).collect())
    }

    #[test]
    fn items_are_told_apart_wherever_the_body_is_cut() {
        let items = [r#"{"data":{"a":"x],}\"[{"}}"#, "7", r#"{"data":{"b":[1,[2]],"c":"\\"}}"#];
        for step in [1, 2, 3, 7, 1000] {
            let list = format!(" [ {} ]\n", items.join(" , "));
            assert_eq!(split(false, &list, step).unwrap(), items);
            assert_eq!(split(false, &format!("{{ \"items\" :{list}}}"), step).unwrap(), items);
            assert_eq!(split(true, &format!("{}\n\n", items.join("\r\n")), step).unwrap(), items);
        }
        assert_eq!(split(false, "[]", 1).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_list_of_items_is_refused() {
        for bad in [
            "",
            "{}",
            "[1",
            "[1,]",
            "[,1]",
            "[1]x",
            r#"{"item":[1]}"#,
            r#"{"items":[1]"#,
            r#"{"items":{}}"#,
            "7",
            "[1}]",
        ] {
            assert!(split(false, bad, 1).is_err(), "{bad}");
        }
        let long = format!("[\"{}\"]", "x".repeat(LONGEST_ITEM));
        assert!(split(false, &long, 1 << 16).unwrap_err().contains("an item has at most"));
    }
}
