//! Long connections that vendors push events over: WebSockets (RFC 6455), opened by the guarded client, so that the same
//! hosts and addresses are allowed as for calls.

use super::{Client, SendError};
use futures::{SinkExt, StreamExt};
use reqwest::Upgraded;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use url::Url;

/// How long opening one may take.
const OPENING: Duration = Duration::from_secs(10);
/// How long the other end may take to hear a word, or a goodbye.
const SENDING: Duration = Duration::from_secs(10);

/// A long connection.
pub struct Socket(WebSocketStream<Upgraded>);

/// Something heard on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Text.
    Text(String),
    /// The other end is there; nothing more.
    Alive,
    /// It has said goodbye.
    Closed,
}

impl Client {
    /// Opens a long connection to a `ws` or `wss` address whose host is in `egress`. A word on it may have at most
    /// `largest` bytes; a longer one breaks it off.
    ///
    /// # Errors
    /// The address is not allowed, or nobody takes the connection. The message names no address: it holds a secret.
    pub async fn socket(&self, url: &Url, egress: &[String], largest: usize) -> Result<Socket, SendError> {
        let scheme = match url.scheme() {
            "ws" => "http",
            "wss" => "https",
            _ => return Err(SendError::Invalid("only ws and wss addresses")),
        };
        let mut address = url.clone();
        address.set_scheme(scheme).map_err(|()| SendError::Invalid("the address"))?;
        self.permit(&address, egress)?;
        let key = generate_key();
        let request = self
            .upgrade
            .get(address)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key);
        let opening = async {
            let answer = request.send().await.map_err(|error| super::failed(&error))?;
            let accepted = answer.headers().get("sec-websocket-accept").and_then(|value| value.to_str().ok());
            if answer.status().as_u16() != 101 || accepted != Some(derive_accept_key(key.as_bytes()).as_str()) {
                return Err(SendError::NotSent(format!("HTTP {} and no long connection", answer.status().as_u16())));
            }
            answer.upgrade().await.map_err(|error| super::failed(&error))
        };
        let opened = tokio::time::timeout(OPENING, opening).await;
        let opened = opened.unwrap_or_else(|_| Err(SendError::NotSent("it took too long".to_owned())))?;
        let limits = WebSocketConfig::default().max_message_size(Some(largest)).max_frame_size(Some(largest));
        Ok(Socket(WebSocketStream::from_raw_socket(opened, Role::Client, Some(limits)).await))
    }
}

impl Socket {
    /// Waits for the next word. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn hear(&mut self) -> Result<Word, SendError> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Word::Text(text.as_str().to_owned())),
            Some(Ok(Message::Binary(_))) => Err(SendError::NoAnswer("bytes where text belongs".to_owned())),
            Some(Ok(Message::Close(_))) | None => Ok(Word::Closed),
            Some(Ok(_)) => Ok(Word::Alive),
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// The connection is broken, or the other end does not listen.
    pub async fn say(&mut self, text: String) -> Result<(), SendError> {
        self.send(Message::Text(text.into())).await
    }

    /// Asks whether the other end is there; [`Word::Alive`] is the answer.
    ///
    /// # Errors
    /// As [`Socket::say`].
    pub async fn ping(&mut self) -> Result<(), SendError> {
        self.send(Message::Ping(Bytes::new())).await
    }

    /// Says goodbye, for as long as the other end takes to hear it.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(SENDING, self.0.close(None)).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), SendError> {
        let sent = tokio::time::timeout(SENDING, self.0.send(message)).await;
        sent.map_err(|_| SendError::NoAnswer("the other end does not listen".to_owned()))?
            .map_err(|error| broken(&error))
    }
}

/// Why a connection broke: the kind of trouble, never what was said.
fn broken(error: &Error) -> SendError {
    let why = match error {
        Error::Io(error) => format!("the connection broke: {}", error.kind()),
        Error::Capacity(_) => "a word was too long".to_owned(),
        Error::Protocol(_) => "the other end broke the protocol".to_owned(),
        Error::Utf8(_) => "a word was no text".to_owned(),
        _ => "the connection is closed".to_owned(),
    };
    SendError::NoAnswer(why)
}
