//! People who sign in with their account at a vendor, such as a chat platform, instead of a key: who they are there,
//! and what they may do here. Who is not named may do nothing. Their names are not known here.

use crate::access::{Grants, Principal};
use crate::hub::Hub;
use hub_kit::{CallContext, CallError, Leave};
use hub_tree::TraceContext;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What the handle of a person begins with; ids of keys hold no colon.
pub(crate) const HANDLE: &str = "person:";

/// How long turning a code into a person may take.
const EXCHANGE: Duration = Duration::from_secs(20);

/// Who may sign in, by the connection at whose vendor they have their account.
#[derive(Clone, Debug, Default)]
pub struct People(BTreeMap<String, Members>);

/// Who may sign in with an account of one connection.
#[derive(Clone, Debug)]
pub struct Members {
    /// The tenant that they see.
    pub tenant: String,
    /// What each may do, by the vendor's id of the person.
    pub users: BTreeMap<String, Grants>,
}

impl People {
    /// Lets the members of a connection in.
    pub fn add(&mut self, connection: &str, members: Members) {
        self.0.insert(connection.to_owned(), members);
    }

    /// Whether people sign in with accounts of this connection.
    #[must_use]
    pub fn knows(&self, connection: &str) -> bool {
        self.0.contains_key(connection)
    }

    /// The connections with whose accounts people sign in.
    pub fn connections(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Somebody by the vendor's id; `None` for everybody who is not named.
    #[must_use]
    pub fn find(&self, connection: &str, user: &str) -> Option<Principal> {
        let members = self.0.get(connection)?;
        let grants = members.users.get(user)?.clone();
        let handle = format!("{HANDLE}{connection}:{user}");
        Some(Principal::person(format!("{user}@{connection}"), &members.tenant, handle, grants, None))
    }

    /// Somebody who signed in a while ago, by their handle.
    pub(crate) fn resume(&self, handle: &str) -> Option<Principal> {
        // Ids of connections hold no colon; ids of people may.
        let (connection, user) = handle.strip_prefix(HANDLE)?.split_once(':')?;
        self.find(connection, user)
    }
}

impl Hub {
    /// The vendor's page where somebody agrees to sign in.
    ///
    /// # Errors
    /// The connection has no such page, or its address cannot be built.
    pub fn sign_in_page(&self, connection: &str, state: &str, redirect_uri: &str) -> Result<String, CallError> {
        let connection = self.connection(connection).ok_or_else(unknown)?;
        let sign_in = connection.manifest.sign_in.as_ref().ok_or_else(unknown)?;
        let cx = CallContext {
            connection: &connection,
            client: &self.client,
            tokens: &self.tokens,
            trace: TraceContext::begin(),
            call_id: "sign-in",
            leave: Leave { until: Instant::now(), held: &|| false },
            spools: false,
            clock: &self.clock,
        };
        sign_in.page(&cx, state, redirect_uri).map(Into::into)
    }

    /// The vendor's id of the person who came back with a code.
    ///
    /// # Errors
    /// The vendor does not accept the code, does not answer, or names nobody.
    pub async fn signed_in(&self, connection: &str, code: &str, redirect_uri: &str) -> Result<String, CallError> {
        let connection = self.connection(connection).ok_or_else(unknown)?;
        let sign_in = connection.manifest.sign_in.as_ref().ok_or_else(unknown)?;
        let driver = Arc::clone(self.driver(&connection.manifest.driver).ok_or_else(unknown)?);
        let call_id = self.ids.next().to_string();
        let cx = CallContext {
            connection: &connection,
            client: &self.client,
            tokens: &self.tokens,
            trace: TraceContext::begin(),
            call_id: &call_id,
            leave: Leave { until: Instant::now() + EXCHANGE, held: &|| true },
            spools: false,
            clock: &self.clock,
        };
        sign_in.user(driver.as_ref(), &cx, code, redirect_uri).await
    }
}

fn unknown() -> CallError {
    CallError::NoOperation("sign_in".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scope;

    #[test]
    fn who_is_not_named_is_nobody_and_an_id_with_a_colon_is_still_one_id() {
        let mut people = People::default();
        let users = BTreeMap::from([("wo:9".to_owned(), Grants::of(Scope::Ops))]);
        people.add("chat-main", Members { tenant: "north".to_owned(), users });
        let who = people.find("chat-main", "wo:9").unwrap();
        assert_eq!((who.name.as_str(), who.tenant.as_str()), ("wo:9@chat-main", "north"));
        assert!(who.need(Scope::Ops).is_ok() && who.need(Scope::Admin).is_err());
        assert_eq!(people.resume(&who.handle).unwrap().name, who.name);
        for nobody in ["", "wo", "9", "WO:9", "wo:9 "] {
            assert!(people.find("chat-main", nobody).is_none(), "{nobody}");
        }
        assert!(people.find("chat-other", "wo:9").is_none());
        for broken in ["person:chat-main", "person:", "chat-main:wo:9", "person:chat-main:wo"] {
            assert!(people.resume(broken).is_none(), "{broken}");
        }
    }
}
