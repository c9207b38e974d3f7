//! What every part of HR uses.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{DateTime, Ref, to};

enumeration! {
    /// How a message travels.
    pub enum Channel {
        Email = "EMAIL", Sms = "SMS", Dingtalk = "DINGTALK", Feishu = "FEISHU", Wecom = "WECOM", Wechat = "WECHAT",
        InApp = "IN_APP", Webhook = "WEBHOOK",
    }
    /// What a message looks like.
    pub enum MessageKind { Text = "TEXT", Markdown = "MARKDOWN", Card = "CARD" }
    /// Where a message stands. `SENT` means accepted by the vendor; chat platforms drop some messages silently.
    pub enum MessageStatus {
        Queued = "QUEUED", Sent = "SENT", Delivered = "DELIVERED", Read = "READ", Failed = "FAILED",
        Suppressed = "SUPPRESSED", Expired = "EXPIRED",
    }
}

part! {
    /// Somebody who gets a message.
    pub struct Recipient {
        /// The user's id on the platform.
        S1 user: String;
        /// The id of a group, or of a department all of whose people get it.
        S0 group: String;
        /// The person.
        S0 person: Ref<to::Person>;
        /// An address.
        S2 address: String;
    }
}

part! {
    /// The template that a message was made from.
    pub struct MessageTemplate {
        /// Its id.
        S0 id: String;
        /// Its version.
        S0 version: String;
        /// Its language.
        S0 locale: String;
    }
}

part! {
    /// A button of a card, or a link below a text.
    pub struct MessageAction {
        /// What it says.
        S1 label: String, required;
        /// Where it leads.
        S2 url: String, required;
    }
}

entity! {
    /// A message to people.
    pub struct Message("message", "messages", "message") as MESSAGE {
        /// The connection that sends it.
        S0 connection: String;
        /// How it travels.
        S0 channel: Enum<Channel>, required, indexed;
        /// What it looks like.
        S0 kind: Enum<MessageKind>;
        /// The template.
        S0 template: MessageTemplate;
        /// Who gets it.
        S1 to: Vec<Recipient>, required;
        /// What the template is filled with, by name.
        S2 variables: serde_json::Value;
        /// Subject.
        S2 subject: String;
        /// Text.
        S2 body: String;
        /// Buttons or links, where the kind of message has them.
        S2 actions: Vec<MessageAction>;
        /// When to send it.
        S0 scheduled_at: DateTime;
        /// Where it stands.
        S0 status: Enum<MessageStatus>, required, indexed;
        /// The vendor's id.
        S0 provider_message_id: String;
        /// When the vendor took it.
        S0 sent_at: DateTime;
        /// What it is about.
        S0 about: Ref<to::Any>, indexed;
        /// The message that it answers.
        S0 reply_to: String;
        /// The key under which it is sent once.
        S0 idempotency_key: String;
    }
    on "sent" = When::Becomes("status", "SENT");
}
