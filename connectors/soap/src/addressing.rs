//! WS-Addressing: where a message belongs. Nothing is ever sent to an address that a message names.

use crate::names::{ANONYMOUS, WSA, WSA_2004};
use crate::read::Envelope;
use crate::write::escape;
use hub_tree::Value;

/// What the header blocks of a message say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// Which of the two namespaces they have.
    pub namespace: &'static str,
    /// What is asked for.
    pub action: Option<String>,
    /// The message's own id.
    pub message_id: Option<String>,
    /// The id of the message that it answers.
    pub relates_to: Option<String>,
}

/// Reads the header blocks of a message; `None` if it has none.
#[must_use]
pub fn read(envelope: &Envelope<'_>) -> Option<Addressing> {
    let namespace = [WSA, WSA_2004].into_iter().find(|ns| envelope.headers.iter().any(|b| b.namespace == *ns))?;
    let text = |name: &str| {
        let value = envelope.header(namespace, name)?.value;
        let found = match value {
            Value::Map(map) => map.get("#text"),
            scalar => scalar,
        };
        found.as_text().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    Some(Addressing { namespace, action: text("Action"), message_id: text("MessageID"), relates_to: text("RelatesTo") })
}

/// The header blocks of a request.
#[must_use]
pub fn request(action: &str, to: &str, message_id: &str) -> Vec<String> {
    let block = |name: &str, text: &str| format!("<wsa:{name} xmlns:wsa=\"{WSA}\">{}</wsa:{name}>", escape(text));
    vec![
        block("Action", action),
        block("MessageID", message_id),
        block("To", to),
        format!("<wsa:ReplyTo xmlns:wsa=\"{WSA}\"><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>"),
    ]
}

/// The header blocks of an answer to a message that had some.
#[must_use]
pub fn answer(asked: &Addressing, action: &str, message_id: &str) -> Vec<String> {
    let namespace = asked.namespace;
    let block = |name: &str, text: &str| format!("<wsa:{name} xmlns:wsa=\"{namespace}\">{}</wsa:{name}>", escape(text));
    let mut blocks = vec![block("Action", action), block("MessageID", message_id)];
    if let Some(id) = &asked.message_id {
        blocks.push(block("RelatesTo", id));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Version;
    use crate::read::{Message, Rules};
    use crate::write::envelope;
    use hub_tree::Arena;

    fn read_back(blocks: &[String]) -> Option<Addressing> {
        let arena = Arena::new();
        let text = envelope(Version::V12, blocks, "<a/>");
        let message = Message { body: text.as_bytes(), ..Message::default() };
        read(&crate::read::read(&arena, &message, &Rules::server()).unwrap())
    }

    #[test]
    fn an_answer_names_the_message_that_it_answers_in_the_words_of_the_question() {
        assert_eq!(read_back(&[]), None);
        let asked = read_back(&request("urn:do & go", "http://erp.example/x", "urn:uuid:1")).unwrap();
        assert_eq!(asked.action.as_deref(), Some("urn:do & go"));
        let answered = read_back(&answer(&asked, "urn:done", "urn:uuid:2")).unwrap();
        assert_eq!((answered.relates_to.as_deref(), answered.namespace), (Some("urn:uuid:1"), WSA));
        let old = [format!("<a:MessageID xmlns:a='{WSA_2004}'> urn:uuid:3 </a:MessageID>")];
        let asked = read_back(&old).unwrap();
        let answered = read_back(&answer(&asked, "urn:done", "urn:uuid:4")).unwrap();
        assert_eq!((answered.relates_to.as_deref(), answered.namespace), (Some("urn:uuid:3"), WSA_2004));
    }
}
