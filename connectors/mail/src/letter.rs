//! A mail, written out of the arguments of a call. Subjects and names may hold any letters; whatever could begin another
//! header is refused.

use crate::relay::RelaySettings;
use hub_kit::CallContext;
use hub_tree::{Arena, Limits, Value, json};
use lettre::address::Envelope;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, SystemTime};

/// People that one mail may go to.
const MOST_RECIPIENTS: usize = 100;
/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 500;

/// A mail that can be sent.
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a mail; `Err` says what is wrong, without the addresses of people.
pub(crate) fn letter(cx: &CallContext<'_>, settings: &RelaySettings, args: &[u8]) -> Result<Letter, String> {
    let arena = Arena::new();
    let args =
        json::read(&arena, args, Limits::default()).map_err(|error| format!("the arguments are no JSON: {error}"))?;
    let id = message_id(cx.call_id, &settings.from);
    let micros = u64::try_from(cx.clock.micros()).unwrap_or(0);
    let mut builder = Message::builder()
        .from(settings.from.clone())
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
    let reply_to = mailboxes("reply_to", args.get("reply_to"))?;
    for mailbox in reply_to.into_iter().chain(settings.reply_to.clone()).take(1) {
        builder = builder.reply_to(mailbox);
    }
    let mut count = 0;
    for (name, is_first) in [("to", true), ("cc", false), ("bcc", false)] {
        let all = mailboxes(name, args.get(name))?;
        count += all.len();
        if is_first && all.is_empty() {
            return Err("`to` names nobody".to_owned());
        }
        for mailbox in all {
            builder = match name {
                "to" => builder.to(mailbox),
                "cc" => builder.cc(mailbox),
                _ => builder.bcc(mailbox),
            };
        }
    }
    if count > MOST_RECIPIENTS {
        return Err(format!("a mail goes to {MOST_RECIPIENTS} people at most"));
    }
    let subject = args.get("subject").as_text().unwrap_or_default();
    if subject.chars().any(char::is_control) || subject.chars().count() > LONGEST_SUBJECT {
        return Err(format!("a subject has no control characters and at most {LONGEST_SUBJECT} others"));
    }
    builder = builder.subject(subject);
    let (text, html) = (args.get("text").as_text(), args.get("html").as_text());
    let written = match (text, html) {
        (Some(text), None) => builder.singlepart(SinglePart::plain(text.to_owned())),
        (None, Some(html)) => builder.singlepart(SinglePart::html(html.to_owned())),
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))
        }
        (None, None) => return Err("a mail has a `text`, or `html`, or both".to_owned()),
    };
    let message = written.map_err(|error| format!("the mail cannot be written: {error}"))?;
    Ok(Letter { id, envelope: message.envelope().clone(), bytes: message.formatted() })
}

/// The call's id at the sender's domain.
fn message_id(call: &str, from: &Mailbox) -> String {
    let plain: String = call.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{plain}@{}", from.email.domain())
}

/// People: an address, `{ address, name }`, or a list of them.
fn mailboxes(what: &str, value: Value<'_>) -> Result<Vec<Mailbox>, String> {
    let single = [value];
    let items = match value {
        Value::Absent | Value::Null => return Ok(Vec::new()),
        Value::List(items) => items,
        _ => &single,
    };
    items.iter().enumerate().map(|(index, item)| mailbox(item).ok_or_else(|| no_address(what, index))).collect()
}

fn no_address(what: &str, index: usize) -> String {
    format!("`{what}` number {} is no mail address", index + 1)
}

fn mailbox(value: &Value<'_>) -> Option<Mailbox> {
    let (address, name) = match value {
        Value::Text(text) => (*text, None),
        value => (value.get("address").as_text()?, value.get("name").as_text()),
    };
    let address: Address = address.trim().parse().ok()?;
    let name = name.map(str::trim).filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    Some(Mailbox::new(name.map(str::to_owned), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_addresses_with_or_without_names_and_no_headers() {
        let read = |text: &str| {
            let arena = Arena::new();
            let value = json::read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap();
            mailboxes("to", value).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read(r#""li.na@example.com""#).unwrap(), ["li.na@example.com"]);
        let both = read(r#"[{"address":"li.na@example.com","name":"Li, Na"},"b@example.com"]"#).unwrap();
        assert_eq!(both, ["\"Li, Na\" <li.na@example.com>", "b@example.com"]);
        assert_eq!(read("null").unwrap(), Vec::<String>::new());
        for bad in [
            r#""nobody""#,
            r#""a@b.example\nbcc: c@d.example""#,
            r#"{"name":"x"}"#,
            "7",
            r#""a@b.example, c@d.example""#,
        ] {
            assert_eq!(read(bad).unwrap_err(), "`to` number 1 is no mail address", "{bad}");
        }
        let named = read("{\"address\":\"a@b.example\",\"name\":\"x\\r\\nbcc: c@d.example\"}").unwrap();
        assert_eq!(named, ["a@b.example"], "a name with a line break is left out");
    }

    #[test]
    fn the_id_of_a_mail_is_that_of_the_call() {
        let from: Mailbox = "人事部 <hr@corp.example>".parse().unwrap();
        assert_eq!(message_id("0197-c1d0>\r\n", &from), "0197-c1d0@corp.example");
    }
}
