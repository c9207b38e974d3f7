use super::*;
use crate::read::{Message, Rules, read};
use crate::write::envelope;
use hub_tree::Arena;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

#[derive(Default)]
struct Memory(Mutex<BTreeSet<String>>);

#[async_trait]
impl Nonces for Memory {
    async fn is_new(&self, nonce: &str, _: Timestamp) -> bool {
        self.0.lock().unwrap().insert(nonce.to_owned())
    }
}

/// Nothing here waits for anything.
fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn policy() -> Policy {
    Policy {
        username: "sap".to_owned(),
        password: Private::new("hub-secret".to_owned()),
        text: true,
        digest: true,
        window: SignedDuration::from_secs(300),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn judged(header: &str, policy: &Policy, now: &str, nonces: &dyn Nonces) -> Result<(), SecurityFault> {
    let arena = Arena::new();
    let text = envelope(Version::V11, &[header.to_owned()], "<a/>");
    let message = Message { body: text.as_bytes(), ..Message::default() };
    let read = read(&arena, &message, &Rules::server()).unwrap();
    finish(verify(&read, policy, at(now), nonces))
}

const NOW: &str = "2025-11-01T08:00:00Z";

fn token(inner: &str) -> String {
    format!("<w:Security xmlns:w='{WSSE}' xmlns:u='{WSU}'><w:UsernameToken>{inner}</w:UsernameToken></w:Security>")
}

#[test]
fn digests_are_those_of_the_profile() {
    assert_eq!(
        password_digest(b"mocked-random", "2016-05-08T12:00:00+00:00", "geheim"),
        "hVicspAQSg70JNhe67OHqD9gexc="
    );
    assert_eq!(password_digest(b"example-nonce-01", NOW, "hub-secret"), "hDZmDLGk6M2o6ksThvT3H6w7KN8=");
}

#[test]
fn what_we_write_is_believed_once() {
    for version in [Version::V11, Version::V12] {
        let made = |proof, password: &str| {
            header(version, proof, "sap", password, b"nonce", at(NOW), SignedDuration::from_secs(300))
        };
        let memory = Memory::default();
        assert_eq!(judged(&made(Proof::Digest, "hub-secret"), &policy(), NOW, &memory), Ok(()));
        let again = judged(&made(Proof::Digest, "hub-secret"), &policy(), NOW, &memory);
        assert_eq!(again, Err(SecurityFault::InvalidSecurityToken));
        assert_eq!(judged(&made(Proof::Text, "hub-secret"), &policy(), NOW, &memory), Ok(()));
        for proof in [Proof::Text, Proof::Digest] {
            let wrong = judged(&made(proof, "other"), &policy(), NOW, &Memory::default());
            assert_eq!(wrong, Err(SecurityFault::FailedAuthentication));
            let other = Policy { username: "sup".to_owned(), ..policy() };
            let wrong = judged(&made(proof, "hub-secret"), &other, NOW, &Memory::default());
            assert_eq!(wrong, Err(SecurityFault::FailedAuthentication));
            let late = judged(&made(proof, "hub-secret"), &policy(), "2025-11-01T08:05:00Z", &Memory::default());
            assert_eq!(late, Err(SecurityFault::MessageExpired));
        }
    }
}

#[test]
fn a_token_says_all_that_it_must_in_its_time() {
    let digest =
        "<w:Username>sap</w:Username><w:Password Type='x#PasswordDigest'>hDZmDLGk6M2o6ksThvT3H6w7KN8=</w:Password>";
    let nonce = "<w:Nonce>ZXhhbXBsZS1ub25jZS0wMQ==</w:Nonce>";
    let created = "<u:Created>2025-11-01T08:00:00Z</u:Created>";
    let whole = token(&format!("{digest}{nonce}{created}"));
    let found = |header: &str, now: &str| judged(header, &policy(), now, &NoMemory);
    assert_eq!(found(&whole, NOW), Ok(()));
    assert_eq!(found(&whole, "2025-11-01T08:05:00Z"), Ok(()));
    assert_eq!(found(&whole, "2025-11-01T07:55:00Z"), Ok(()));
    for now in ["2025-11-01T08:05:01Z", "2025-11-01T07:54:59Z"] {
        assert_eq!(found(&whole, now), Err(SecurityFault::InvalidSecurityToken));
    }
    for part in [format!("{digest}{nonce}"), format!("{digest}{created}"), format!("{digest}<w:Nonce/>{created}")] {
        assert_eq!(found(&token(&part), NOW), Err(SecurityFault::InvalidSecurityToken), "{part}");
    }
    // Without a type it is a text.
    let text = "<w:Username>sap</w:Username><w:Password>hub-secret</w:Password>";
    assert_eq!(found(&token(text), NOW), Ok(()));
    let no_text = Policy { text: false, ..policy() };
    assert_eq!(judged(&token(text), &no_text, NOW, &NoMemory), Err(SecurityFault::UnsupportedSecurityToken));
    let security = |inner: &str| format!("<w:Security xmlns:w='{WSSE}' xmlns:u='{WSU}'>{inner}</w:Security>");
    let inner = format!("<w:UsernameToken>{text}</w:UsernameToken>");
    for (header, wanted) in [
        (String::new(), SecurityFault::InvalidSecurity),
        (security(""), SecurityFault::InvalidSecurity),
        (security(&format!("{inner}{inner}")), SecurityFault::InvalidSecurity),
        (security(&inner).repeat(2), SecurityFault::InvalidSecurity),
        (security(&format!("{inner}<s:Signature xmlns:s='x'/>")), SecurityFault::UnsupportedSecurityToken),
        (security("<w:BinarySecurityToken>x</w:BinarySecurityToken>"), SecurityFault::UnsupportedSecurityToken),
        (
            security(&format!("<u:Timestamp><u:Expires>2025-11-01T07:59:59</u:Expires></u:Timestamp>{inner}")),
            SecurityFault::MessageExpired,
        ),
        (
            security(&format!("<u:Timestamp><u:Expires>soon</u:Expires></u:Timestamp>{inner}")),
            SecurityFault::InvalidSecurity,
        ),
        (
            security(&format!("<u:Timestamp><u:Created>2025-11-01T09:00:00Z</u:Created></u:Timestamp>{inner}")),
            SecurityFault::InvalidSecurity,
        ),
    ] {
        assert_eq!(found(&header, NOW), Err(wanted), "{header}");
    }
}

#[test]
fn each_refusal_is_a_fault_of_its_own_name() {
    let text = SecurityFault::MessageExpired.answer().write(Version::V11, &[]);
    assert!(text.contains("utility-1.0.xsd\">wsu:MessageExpired</faultcode>"), "{text}");
    let text = SecurityFault::FailedAuthentication.answer().write(Version::V12, &[]);
    assert!(text.contains("secext-1.0.xsd\">wsse:FailedAuthentication</soapenv:Value>"), "{text}");
}
