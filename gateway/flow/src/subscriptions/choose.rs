//! Which subscriptions are told of an event, and what.

use super::fit::{self, Seen};
use super::options::{Options, Payload};
use super::types;
use crate::access::units::visible;
use crate::access::{Denied, Principal, Scope};
use crate::effects::{Failure, Telling, Told};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::rules::document;
use hub_model::EntityType;
use hub_store::{Subscriber, job};
use hub_tree::jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The entity of events about subscriptions themselves.
pub(super) const ITSELF: &str = "subscription";
/// A replay for one subscription hands events to `subscriptions/<id>`, and behind another `/` says that those are left
/// out which have arrived.
pub const REPLAYED: &str = "subscriptions";
/// The word for that.
const FAILED: &str = "failed";

/// What an owner may do.
#[derive(Clone)]
enum Rights {
    /// As one who called.
    Of(Box<Principal>),
    /// An admin whose key only other processes know: they may know ids.
    Ids,
    /// Nothing any more.
    None,
}

/// Which subscriptions are told of an event, in the order of their ids, and what.
pub(super) async fn choose(hub: &Arc<Hub>, event: &EventMessage) -> Result<Vec<Told>, Failure> {
    let (tenant, id) = (event.tenant.clone(), event.id.clone());
    let subscribers = hub.store.read(job!(|tx| { tx.subscribers(&tenant, &id).await })).await?;
    let kind = event.full_type();
    let mut choosing = Choosing { hub, event, rights: BTreeMap::new(), document: None, about: None };
    let mut told = Vec::new();
    for subscriber in subscribers {
        let options = Options::read(&subscriber.options);
        if types::wants(&subscriber.types, &kind)
            && is_about(&subscriber, &options, event)
            && choosing.is_meant(&subscriber).await?
            && let Some(what) = choosing.what(&subscriber, &options).await?
        {
            told.push(Told { id: subscriber.id, what });
        }
    }
    Ok(told)
}

/// Whether the event is of an entity and a connection that the subscription is about.
fn is_about(subscriber: &Subscriber, options: &Options, event: &EventMessage) -> bool {
    let caused = |connection: &String| event.connection.as_ref() == Some(connection);
    (subscriber.connection.is_empty() || caused(&subscriber.connection))
        && (options.connections.is_empty() || options.connections.iter().any(caused))
        && (options.entities.is_empty() || options.entities.contains(&event.entity))
}

struct Choosing<'a> {
    hub: &'a Arc<Hub>,
    event: &'a EventMessage,
    /// By owner.
    rights: BTreeMap<String, Rights>,
    /// The record as it was when the event happened, once somebody wants it.
    document: Option<Option<(&'static EntityType, String)>>,
    /// Of an event about a subscription: whose that is.
    about: Option<String>,
}

impl Choosing<'_> {
    /// Whether a replay, if this is one, is for this subscription.
    async fn is_meant(&self, subscriber: &Subscriber) -> Result<bool, Failure> {
        let Some((_, only)) = self.event.replay.as_deref().and_then(|replay| replay.split_once('/')) else {
            return Ok(true);
        };
        let (id, which) = only.split_once('/').unwrap_or((only, ""));
        if id != subscriber.id {
            return Ok(false);
        }
        if which != FAILED {
            return Ok(true);
        }
        let (tenant, event) = (self.event.tenant.clone(), self.event.id.clone());
        let connection = format!("{}{id}", super::CONNECTION);
        let arrived = self.hub.store.read(job!(|tx| { tx.is_delivered(&tenant, &connection, &event).await }));
        Ok(!arrived.await?)
    }

    /// What a subscription that wants the event is told; `None` for nothing.
    async fn what(
        &mut self,
        subscriber: &Subscriber,
        options: &Options,
    ) -> Result<Option<Result<Telling, String>>, Failure> {
        let rights = self.rights_of(&subscriber.owner).await?;
        let Some(entity) = hub_model::entity(&self.event.entity) else {
            return Ok(self.may_hear_of_subscriptions(subscriber, &rights).await?.then_some(Ok(Telling::Thin)));
        };
        let allowed = match &rights {
            Rights::None => return Ok(None),
            // Events tell of records wherever they belong.
            Rights::Of(who) if who.need_all_units().is_err() => return Ok(None),
            Rights::Ids => None,
            Rights::Of(who) => match who.reads(entity.name) {
                Ok(class) if self.reaches(who, entity.name).await? => Some(class),
                Ok(_) => return Ok(None),
                Err(_) => return Ok(None),
            },
        };
        if options.filter.is_empty() && options.transform.is_empty() && options.payload == Payload::Thin {
            return Ok(Some(Ok(Telling::Thin)));
        }
        let Some(allowed) = allowed else {
            let why = "what its owner may read is not known to this process: it was made with the bootstrap key";
            return Ok(Some(Err(why.to_owned())));
        };
        let event = self.event;
        let Some((entity, document)) = self.document().await? else {
            return Ok(Some(Err("the record as it was then is not kept any more".to_owned())));
        };
        let seen = Seen { entity, document, allowed };
        if !options.filter.is_empty() {
            match fit::holds(&options.filter, &options.entities, event, &seen) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(why) => return Ok(Some(Err(format!("filter: {why}")))),
            }
        }
        Ok(Some(if !options.transform.is_empty() {
            fit::transformed(&options.transform, &options.entities, event, &seen)
                .map_err(|why| format!("transform: {why}"))
        } else if options.payload == Payload::Full {
            fit::full(event, &seen)
        } else {
            Ok(Telling::Thin)
        }))
    }

    /// Whether an owner who is limited to org units may know of the record.
    async fn reaches(&self, who: &Principal, entity: &'static str) -> Result<bool, Failure> {
        let record = BTreeSet::from([self.event.record.clone()]);
        Ok(!visible(self.hub, who, &TimeZone::UTC, entity, record).await?.is_empty())
    }

    async fn rights_of(&mut self, owner: &str) -> Result<Rights, Failure> {
        if let Some(known) = self.rights.get(owner) {
            return Ok(known.clone());
        }
        let rights = match self.hub.keys() {
            None => Rights::Ids,
            Some(keys) => match keys.owner(owner).await {
                Ok(who) => Rights::Of(Box::new(who)),
                Err(Denied::Store(error)) => return Err(error.into()),
                Err(_) if owner.starts_with("admin:") => Rights::Ids,
                Err(_) => Rights::None,
            },
        };
        self.rights.insert(owner.to_owned(), rights.clone());
        Ok(rights)
    }

    /// Events about a subscription concern its owner and those who run the hub, and never itself.
    async fn may_hear_of_subscriptions(&mut self, subscriber: &Subscriber, rights: &Rights) -> Result<bool, Failure> {
        if self.event.entity != ITSELF || subscriber.id == self.event.record {
            return Ok(false);
        }
        if self.about.is_none() {
            let (tenant, id) = (self.event.tenant.clone(), self.event.record.clone());
            let found = self.hub.store.read(job!(|tx| { tx.subscription(&tenant, &id).await })).await?;
            self.about = Some(found.map(|found| found.new.owner).unwrap_or_default());
        }
        let own = self.about.as_ref() == Some(&subscriber.owner);
        Ok(match rights {
            Rights::Of(who) => own || who.need(Scope::Ops).is_ok(),
            Rights::Ids => true,
            Rights::None => false,
        })
    }

    async fn document(&mut self) -> Result<Option<(&'static EntityType, &str)>, Failure> {
        if self.document.is_none() {
            let event = self.event;
            let entity = hub_model::entity(&event.entity);
            let found = match entity {
                Some(entity) => {
                    document(self.hub, &event.tenant, entity.name, &event.record, Some(event.version)).await?
                }
                None => None,
            };
            self.document = Some(entity.zip(found));
        }
        Ok(self.document.as_ref().and_then(Option::as_ref).map(|(entity, text)| (*entity, text.as_str())))
    }
}
