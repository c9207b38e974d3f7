//! Simulators of vendors: what the demo, the tests and a customer's staging talk to.
//!
//! A simulator is data: `connectors/<vendor>/sandbox.yaml` ([`Profile`]) says which routes the vendor has, what they
//! ask for, what they keep and answer, and which signed webhooks follow. Everything it is asked to do that has an
//! effect in the real world is counted by its business reference ([`Sandbox::effects`]), so that a test can see
//! whether anything happened twice. What it keeps is appended to a file before it answers, so that it goes on where
//! it was after a `kill -9`; it does not survive the loss of the machine, and need not.
//!
//! A [`Dial`] makes it slow, lossy or repetitive, as vendors are.

mod callbacks;
mod deliver;
mod dial;
mod gateway;
mod profile;
mod run;
mod sealed;
mod serve;
mod shape;
mod sign;
mod state;
mod wire;

pub use dial::Dial;
pub use profile::Profile;
pub use state::Effect;

use hub_kit::client::{AllowPrivate, loopback};
use hub_kit::{Catalog, Client, Connection};
use hub_tree::{Arena, Clock, Findings, Limits, json};
use run::Asked;
use state::{Answer, State};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The simulators.
pub struct Sandbox {
    profiles: BTreeMap<String, Profile>,
    settings: BTreeMap<String, Settings>,
    state: Mutex<State>,
    dial: Mutex<Dial>,
    clock: Clock,
    client: Client,
    wake: Notify,
    gateway: gateway::Gateway,
}

/// What a vendor's simulator shares with the connection that talks to it.
struct Settings {
    /// Settings as JSON: secrets, ids.
    json: String,
    /// Where its webhooks go.
    hook_url: Option<String>,
}

/// Why something cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The state file cannot be used.
    #[error("the sandbox's file {path}: {source}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is no such vendor, or it has no such action.
    #[error("{0}")]
    Unknown(String),
    /// The profile failed, or the vendor would refuse.
    #[error("{0}")]
    Refused(String),
}

/// The profiles of a catalog. Problems go to `findings`; profiles with errors are left out.
#[must_use]
pub fn profiles(catalog: &Catalog, findings: &Findings) -> Vec<Profile> {
    let with_file = |vendor: &str| {
        let source = catalog.file(&format!("connectors/{vendor}/sandbox.yaml"))?;
        Profile::compile(vendor, source, findings)
    };
    catalog.vendors().filter_map(with_file).collect()
}

impl Sandbox {
    /// Simulators with the settings of the connections that will talk to them; the first connection of a vendor
    /// counts, and its webhooks go to `hub_url`. State is kept in `folder`, if one is given.
    ///
    /// # Errors
    /// The state file cannot be read or written.
    pub fn open<'c>(
        profiles: Vec<Profile>,
        connections: impl IntoIterator<Item = &'c Arc<Connection>>,
        hub_url: Option<&str>,
        folder: Option<&Path>,
        clock: Clock,
    ) -> Result<Arc<Self>, SandboxError> {
        let connections: Vec<&Arc<Connection>> = connections.into_iter().collect();
        let mut settings = BTreeMap::new();
        for profile in &profiles {
            let connection = connections.iter().find(|connection| connection.manifest.vendor == profile.vendor);
            settings.insert(profile.vendor.clone(), Settings::of(profile, connection, hub_url));
        }
        let state = State::open(folder, &profiles)?;
        let client =
            Client::new(AllowPrivate::new(loopback())).map_err(|error| SandboxError::Refused(error.to_string()))?;
        Ok(Arc::new(Self {
            profiles: profiles.into_iter().map(|profile| (profile.vendor.clone(), profile)).collect(),
            settings,
            state: Mutex::new(state),
            dial: Mutex::new(Dial::default()),
            clock,
            client,
            wake: Notify::new(),
            gateway: gateway::Gateway::default(),
        }))
    }

    /// The vendors that are simulated.
    pub fn vendors(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// What happened, by vendor, effect and business reference.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.state().effects()
    }

    /// How many webhooks are still to be delivered.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.state().pending().count()
    }

    /// Does what a user of the vendor would do in its own pages, such as moving a candidate; `args` is JSON.
    /// Gives the answer's body as JSON.
    ///
    /// # Errors
    /// There is no such action, it refuses, or its state cannot be kept.
    pub fn act(&self, vendor: &str, action: &str, args: &str) -> Result<String, SandboxError> {
        let profile = self.profile(vendor)?;
        let step = profile.actions.iter().find(|(name, _)| name == action).map(|(_, step)| step).ok_or_else(|| {
            let known: Vec<&str> = profile.actions.iter().map(|(name, _)| name.as_str()).collect();
            SandboxError::Unknown(format!("{vendor} has no action `{action}`; it has: {}", known.join(", ")))
        })?;
        let asked = Asked { body: args.as_bytes().to_vec(), ..Asked::default() };
        let answer = self.perform(profile, None, step, &asked)?;
        if answer.status < 300 { Ok(answer.body) } else { Err(SandboxError::Refused(answer.body)) }
    }

    fn profile(&self, vendor: &str) -> Result<&Profile, SandboxError> {
        self.profiles.get(vendor).ok_or_else(|| {
            let known: Vec<&str> = self.vendors().collect();
            SandboxError::Unknown(format!("`{vendor}` is not simulated here; these are: {}", known.join(", ")))
        })
    }

    fn perform(
        &self,
        profile: &Profile,
        guard: Option<&profile::Step>,
        step: &profile::Step,
        asked: &Asked,
    ) -> Result<Answer, SandboxError> {
        let settings = self.settings.get(&profile.vendor);
        let mut state = self.state();
        let answer = run::perform(profile, settings, guard, step, asked, &mut state, &self.clock)?;
        drop(state);
        self.wake.notify_one();
        Ok(answer)
    }

    fn setting(&self, vendor: &str, name: &str) -> Option<String> {
        let arena = Arena::new();
        let json = arena.bytes(self.settings.get(vendor)?.json.as_bytes());
        let value = json::read(&arena, json, Limits::default()).ok()?.get(name);
        let one = if let hub_tree::Value::List(items) = value { *items.first()? } else { value };
        one.scalar_text(&arena).map(ToOwned::to_owned)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns the dial.
    pub fn turn(&self, dial: Dial) {
        *self.dial.lock().unwrap_or_else(PoisonError::into_inner) = dial;
    }
}

impl Settings {
    fn of(profile: &Profile, connection: Option<&&Arc<Connection>>, hub_url: Option<&str>) -> Self {
        let arena = Arena::new();
        let defaults = json::read(&arena, profile.settings.as_bytes(), Limits::default()).unwrap_or_default();
        let mut merged: Vec<(&str, hub_tree::Value<'_>)> = defaults.entries().to_vec();
        if let Some(connection) = connection {
            for (name, value) in connection.settings(&arena).entries() {
                merged.retain(|(known, _)| known != name);
                merged.push((name, *value));
            }
        }
        // A default may be another setting: `receiver_id: "{settings.app_id}"`.
        let same = |text: &str| {
            let name = text.strip_prefix("{settings.")?.strip_suffix('}')?;
            Some(merged.iter().find(|(known, _)| *known == name).map_or(hub_tree::Value::Absent, |(_, value)| *value))
        };
        let merged: Vec<(&str, hub_tree::Value<'_>)> =
            merged.iter().map(|(name, value)| (*name, value.as_text().and_then(same).unwrap_or(*value))).collect();
        let hook_url = hub_url.zip(connection).map(|(url, connection)| format!("{url}/hooks/{}", connection.id));
        Self { json: json::to_string(&arena.map(&merged)), hook_url }
    }
}

#[cfg(test)]
mod tests;
