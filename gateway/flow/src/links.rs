//! Links for people without a key: each opens one record, for whoever opens it first, until it runs out. What opens it is
//! in the link and nowhere else; the store has its hash.

use crate::hub::Hub;
use hub_store::{PortalLink, StoreError, job};
use hub_tree::random;
use sha2::{Digest, Sha256};

const HOUR_MICROS: i64 = 3_600_000_000;
/// How long it is known what became of a link that ran out, µs.
const REMEMBERED: i64 = 30 * 24 * HOUR_MICROS;

/// A new link.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its address; it is told once.
    pub url: String,
    /// Until when it opens, µs.
    pub expires_at: i64,
}

/// Makes a link to a record that opens it once within so many hours.
///
/// # Errors
/// The store fails.
pub async fn make(
    hub: &Hub,
    (tenant, made_by): (&str, &str),
    (entity, id): (&str, &str),
    hours: i64,
) -> Result<Made, StoreError> {
    let token = random::token(40);
    let made_at = hub.clock.micros();
    let link = PortalLink {
        token_hash: hash(&token),
        tenant: tenant.to_owned(),
        subject: format!("{entity}/{id}"),
        made_by: made_by.to_owned(),
        made_at,
        expires_at: made_at + hours * HOUR_MICROS,
        opened_at: None,
    };
    let expires_at = link.expires_at;
    hub.store.write(job!(|tx| { tx.put_link(link, made_at - REMEMBERED).await })).await?;
    Ok(Made { url: format!("{}/portal/{token}", hub.public_url()), expires_at })
}

/// The link of a token, while it can be opened.
///
/// # Errors
/// The store fails.
pub async fn find(hub: &Hub, token: &str) -> Result<Option<PortalLink>, StoreError> {
    let (hash, now) = (hash(token), hub.clock.micros());
    hub.store.read(job!(|tx| { tx.link(&hash, now).await })).await
}

/// Opens the link of a token; `None` if somebody has, or it ran out.
///
/// # Errors
/// The store fails.
pub async fn open(hub: &Hub, token: &str) -> Result<Option<PortalLink>, StoreError> {
    let (hash, now) = (hash(token), hub.clock.micros());
    let opening = hub.store.write(job!(|tx| {
        let link = tx.link(&hash, now).await?;
        Ok(if tx.open_link(&hash, now).await? { link } else { None })
    }));
    opening.await
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
