//! Which messages a worker gets: turn by turn over tenants, then over the connections of a tenant, the oldest first, one
//! at a time per order key.
//!
//! A lane is the backlog of one tenant, connection and consumer. A claim walks the index from lane to lane and looks at
//! a few rows at the front of each, so what it costs depends on the number of lanes, not on how much waits in them. A
//! row that it meets and that nobody can claim now is marked as waiting and leaves the lane; each is met once.

use crate::error::StoreError;
use crate::inbox::{Claimed, FIELDS, claimed};
use crate::suspects::SUSPECTS;
use crate::tx::{Tx, built, list_of, portions, sql};
use std::collections::{BTreeMap, VecDeque};

/// Lanes that one claim looks at; the next claim goes on behind them.
const WINDOW: usize = 64;
/// Rows that one look takes from the front of a lane at most.
const FRONT: usize = 256;
/// Looks of one claim: while all that it meets waits, it looks again behind them.
const LOOKS: usize = 4;
/// Turns that are remembered.
const REMEMBERED: usize = 10_000;

/// Tenant, connection, consumer.
type Lane = [String; 3];

/// Whose turn it is: what a worker remembers from claim to claim. A fresh one is fair, too, from then on.
#[derive(Debug, Default)]
pub struct Turns {
    count: u64,
    tenants: BTreeMap<String, u64>,
    lanes: BTreeMap<Lane, u64>,
    from: Lane,
    unfinished: bool,
}

impl Turns {
    /// Whether the last claim stopped at rows that wait, so that there may be others behind them.
    #[must_use]
    pub const fn unfinished(&self) -> bool {
        self.unfinished
    }

    /// The lanes in the order of their turns, each as often as it has one: who waits longest comes first.
    fn next(&self, lanes: &[Lane], limit: usize) -> Vec<usize> {
        let mut of_tenant: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
        let mut order: Vec<usize> = (0..lanes.len()).collect();
        order.sort_by_key(|at| lanes.get(*at).and_then(|lane| self.lanes.get(lane)).copied().unwrap_or(0));
        for at in order {
            if let Some([tenant, ..]) = lanes.get(at) {
                of_tenant.entry(tenant).or_default().push_back(at);
            }
        }
        let mut tenants: Vec<(u64, VecDeque<usize>)> =
            of_tenant.into_iter().map(|(tenant, own)| (self.tenants.get(tenant).copied().unwrap_or(0), own)).collect();
        tenants.sort_by_key(|(last, _)| *last);
        let mut turns = Vec::with_capacity(limit);
        while turns.len() < limit && !tenants.is_empty() {
            for (_, own) in &mut tenants {
                if let Some(at) = own.pop_front() {
                    turns.push(at);
                    own.push_back(at);
                }
            }
        }
        turns.truncate(limit);
        turns
    }

    fn served(&mut self, lane: &Lane) {
        self.count += 1;
        self.tenants.insert(lane[0].clone(), self.count);
        self.lanes.insert(lane.clone(), self.count);
        if self.lanes.len() > 2 * REMEMBERED {
            let since = self.count.saturating_sub(REMEMBERED as u64);
            self.lanes.retain(|_, last| *last > since);
            self.tenants.retain(|_, last| *last > since);
        }
    }
}

/// From lane to lane by the index: each step is a look-up or three. One comparison of whole lanes would say the same,
/// but in a correlated query SQLite seeks by its first column only.
const LANES: &str = "
    WITH RECURSIVE lanes(seq, n) AS (
        SELECT (SELECT i.seq FROM inbox i WHERE i.state = 'ready' AND i.waits = ''
                    AND (i.tenant, i.connection, i.consumer) > ($1, $2, $3)
                ORDER BY i.tenant, i.connection, i.consumer, i.seq LIMIT 1), 1
        UNION ALL
        SELECT COALESCE(
                (SELECT i.seq FROM inbox i WHERE i.state = 'ready' AND i.waits = '' AND i.tenant = h.tenant
                    AND i.connection = h.connection AND i.consumer > h.consumer
                 ORDER BY i.consumer, i.seq LIMIT 1),
                (SELECT i.seq FROM inbox i WHERE i.state = 'ready' AND i.waits = '' AND i.tenant = h.tenant
                    AND i.connection > h.connection
                 ORDER BY i.connection, i.consumer, i.seq LIMIT 1),
                (SELECT i.seq FROM inbox i WHERE i.state = 'ready' AND i.waits = '' AND i.tenant > h.tenant
                 ORDER BY i.tenant, i.connection, i.consumer, i.seq LIMIT 1)), lanes.n + 1
        FROM lanes JOIN inbox h ON h.seq = lanes.seq WHERE lanes.n < $4)
    SELECT h.tenant, h.connection, h.consumer FROM lanes JOIN inbox h ON h.seq = lanes.seq ORDER BY lanes.n";

/// Rows at the front of a lane.
const FRONT_OF: &str = "
    SELECT seq, lane FROM (SELECT seq, CAST({n} AS BIGINT) AS lane FROM inbox
        WHERE state = 'ready' AND waits = '' AND tenant = {tenant} AND connection = {connection} AND consumer = {consumer}
        ORDER BY seq LIMIT {limit}{lock}) AS front{n}";

/// Which of some rows can be claimed. Asked after they were locked: who ends an older row of their key from now on waits
/// for this transaction, and frees them behind it.
const HEADS: &str = "
    SELECT i.seq, i.available_at, CAST(CASE WHEN EXISTS (
            SELECT 1 FROM inbox e WHERE e.consumer = i.consumer AND e.tenant = i.tenant AND e.order_key = i.order_key
                AND e.seq < i.seq AND e.state IN ('ready', 'running')) THEN 1 ELSE 0 END AS BIGINT) AS behind
    FROM inbox i WHERE i.seq IN ({seqs}) ORDER BY i.seq";

/// Numbers for an `IN` list, padded to a power of two, so that there are few texts of statements.
fn padded(mut seqs: Vec<i64>) -> Vec<i64> {
    if let Some(last) = seqs.last().copied() {
        seqs.resize(seqs.len().next_power_of_two(), last);
    }
    seqs
}

/// What a look has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// A message that has to be handled alone.
    pub suspects: bool,
    /// A message whose time has come, and which is not in its lane yet.
    pub due: bool,
    /// A message in a lane.
    pub ready: bool,
}

/// What lies at the front of the lanes.
#[derive(Default)]
struct Fronts {
    /// Rows that can be claimed, by lane.
    heads: BTreeMap<usize, VecDeque<i64>>,
    /// How many rows were met and wait.
    waiting: usize,
}

impl Tx {
    /// Claims up to `limit` messages for `owner` until `lease_until`, as `turns` has it. The try is counted before it
    /// begins. Those whose time has come are in their lanes after [`Tx::wake_work`].
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_work(
        &mut self,
        consumers: &[&str],
        owner: &str,
        now: i64,
        lease_until: i64,
        limit: i64,
        turns: &mut Turns,
    ) -> Result<Vec<Claimed>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(0);
        turns.unfinished = false;
        if limit == 0 {
            return Ok(Vec::new());
        }
        for look in 0..LOOKS {
            let lanes = self.lanes(consumers, turns).await?;
            let order = turns.next(&lanes, limit);
            let mut fronts = self.fronts(&lanes, &order, look, now).await?;
            // Each lane's turns first; what a lane with too little leaves over goes to the others.
            let again = order.iter().cycle().take(order.len() * limit);
            let mut seqs = Vec::with_capacity(limit);
            for at in again {
                if seqs.len() == limit || fronts.heads.values().all(VecDeque::is_empty) {
                    break;
                }
                if let Some(seq) = fronts.heads.get_mut(at).and_then(VecDeque::pop_front) {
                    seqs.push(seq);
                    if let Some(lane) = lanes.get(*at) {
                        turns.served(lane);
                    }
                }
            }
            if !seqs.is_empty() {
                return self.take_work(seqs, owner, lease_until).await;
            }
            if fronts.waiting == 0 {
                return Ok(Vec::new());
            }
        }
        turns.unfinished = true;
        Ok(Vec::new())
    }

    /// Looks whether a claim of these consumers would find anything, without claiming. A message that only others can
    /// handle may look ready.
    ///
    /// # Errors
    /// The store fails.
    pub async fn look_for_work(&mut self, consumers: &[&str], now: i64) -> Result<Found, StoreError> {
        let mut statement = built(format!(
            "SELECT CAST(CASE WHEN EXISTS ({suspects}) THEN 1 ELSE 0 END AS BIGINT) AS suspects,
                 CAST(CASE WHEN EXISTS (SELECT 1 FROM inbox WHERE waits = 'time' AND available_at <= $1)
                     THEN 1 ELSE 0 END AS BIGINT) AS due,
                 CAST(CASE WHEN EXISTS (SELECT 1 FROM inbox WHERE state = 'ready' AND waits = '')
                     THEN 1 ELSE 0 END AS BIGINT) AS ready",
            suspects = SUSPECTS.replace("{consumers}", &list_of(2, consumers.len()))
        ))
        .bind(now);
        for consumer in consumers {
            statement = statement.bind((*consumer).to_owned());
        }
        let found = self.one(statement, |row| {
            let is = |name| row.try_get::<i64, _>(name).map(|found| found != 0);
            Ok(Found { suspects: is("suspects")?, due: is("due")?, ready: is("ready")? })
        });
        Ok(found.await?.unwrap_or_default())
    }

    /// Puts messages whose time has come back into their lanes.
    ///
    /// # Errors
    /// The store fails.
    pub async fn wake_work(&mut self, now: i64) -> Result<(), StoreError> {
        let lock = self.dialect.skip_locked();
        let statement = built(format!(
            "UPDATE inbox SET waits = '' WHERE seq IN (
                 SELECT seq FROM inbox WHERE waits = 'time' AND available_at <= $1 ORDER BY available_at LIMIT 256{lock})"
        ));
        self.run(statement.bind(now)).await.map(drop)
    }

    /// The lanes to look at now that belong to these consumers.
    async fn lanes(&mut self, consumers: &[&str], turns: &mut Turns) -> Result<Vec<Lane>, StoreError> {
        let window = i64::try_from(WINDOW).unwrap_or(i64::MAX);
        let mut lanes = Vec::new();
        while lanes.is_empty() {
            let begins = turns.from.iter().all(String::is_empty);
            let [tenant, connection, consumer] = turns.from.clone();
            let statement = sql(LANES).bind(tenant).bind(connection).bind(consumer).bind(window);
            lanes = self
                .all(statement, |row| {
                    Ok([row.try_get("tenant")?, row.try_get("connection")?, row.try_get("consumer")?])
                })
                .await?;
            turns.from = match lanes.last() {
                Some(last) if lanes.len() == WINDOW => last.clone(),
                _ => Lane::default(),
            };
            if begins {
                break;
            }
        }
        lanes.retain(|lane| consumers.contains(&lane[2].as_str()));
        Ok(lanes)
    }

    /// Looks at the front of lanes, for their turns and some more; marks what waits there.
    async fn fronts(&mut self, lanes: &[Lane], order: &[usize], look: usize, now: i64) -> Result<Fronts, StoreError> {
        let mut wanted: BTreeMap<usize, usize> = BTreeMap::new();
        for at in order {
            *wanted.entry(*at).or_default() += 1;
        }
        let lock = self.dialect.skip_locked();
        let mut rows: Vec<(i64, usize)> = Vec::new();
        for part in portions(wanted.into_iter().collect()) {
            let front = |n: usize| {
                let place = |offset: usize| format!("${}", n * 4 + offset);
                let text = FRONT_OF.replace("{n}", &n.to_string()).replace("{lock}", lock);
                let text = text.replace("{tenant}", &place(1)).replace("{connection}", &place(2));
                text.replace("{consumer}", &place(3)).replace("{limit}", &place(4))
            };
            let mut statement =
                built((0..part.len()).map(front).collect::<Vec<_>>().join(" UNION ALL ").trim().to_owned());
            for (at, turns) in &part {
                let [tenant, connection, consumer] = lanes.get(*at).cloned().unwrap_or_default();
                // One look in vain, and the backlog of a key is likely to lie in front.
                let most = if look == 0 { (turns * 2).max(8) } else { FRONT };
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                statement = statement.bind(tenant).bind(connection).bind(consumer).bind(most);
            }
            let found =
                self.all(statement, |row| Ok((row.try_get::<i64, _>("seq")?, row.try_get::<i64, _>("lane")?))).await?;
            rows.extend(found.into_iter().filter_map(|(seq, n)| {
                let (at, _) = part.get(usize::try_from(n).ok()?)?;
                Some((seq, *at))
            }));
        }
        let lane_of: BTreeMap<i64, usize> = rows.into_iter().collect();
        let (mut fronts, mut behind, mut later) = (Fronts::default(), Vec::new(), Vec::new());
        for part in lane_of.keys().copied().collect::<Vec<_>>().chunks(FRONT) {
            for (seq, available_at, is_behind) in self.looked_at(part.to_vec()).await? {
                match lane_of.get(&seq) {
                    _ if available_at > now => later.push(seq),
                    _ if is_behind => behind.push(seq),
                    Some(at) => fronts.heads.entry(*at).or_default().push_back(seq),
                    None => {}
                }
            }
        }
        fronts.waiting = behind.len() + later.len();
        self.mark_waiting(behind, "key").await?;
        self.mark_waiting(later, "time").await?;
        Ok(fronts)
    }

    async fn looked_at(&mut self, seqs: Vec<i64>) -> Result<Vec<(i64, i64, bool)>, StoreError> {
        let seqs = padded(seqs);
        let mut statement = built(HEADS.replace("{seqs}", &list_of(1, seqs.len())));
        for seq in seqs {
            statement = statement.bind(seq);
        }
        self.all(statement, |row| {
            Ok((row.try_get("seq")?, row.try_get("available_at")?, row.try_get::<i64, _>("behind")? != 0))
        })
        .await
    }

    async fn mark_waiting(&mut self, seqs: Vec<i64>, why: &'static str) -> Result<(), StoreError> {
        for part in seqs.chunks(FRONT) {
            let part = padded(part.to_vec());
            let text = format!("UPDATE inbox SET waits = $1 WHERE seq IN ({})", list_of(2, part.len()));
            let mut statement = built(text).bind(why.to_owned());
            for seq in part {
                statement = statement.bind(seq);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn take_work(&mut self, seqs: Vec<i64>, owner: &str, lease_until: i64) -> Result<Vec<Claimed>, StoreError> {
        let seqs = padded(seqs);
        let mut statement = built(format!(
            "UPDATE inbox SET state = 'running', owner = $1, lease_until = $2, tries = tries + 1, alone = 0
             WHERE state = 'ready' AND seq IN ({}) RETURNING {FIELDS}",
            list_of(3, seqs.len())
        ))
        .bind(owner.to_owned())
        .bind(lease_until);
        for seq in seqs {
            statement = statement.bind(seq);
        }
        let mut work = self.all(statement, claimed).await?;
        work.sort_by_key(|work| work.seq);
        Ok(work)
    }

    /// Frees messages that wait for an older one of their key that is not open any more: an older program, which does
    /// not know that they wait, may have ended it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn free_work(&mut self) -> Result<u64, StoreError> {
        let lock = self.dialect.skip_locked();
        let statement = built(format!(
            "UPDATE inbox SET waits = '' WHERE seq IN (
                 SELECT i.seq FROM inbox i WHERE i.waits = 'key' AND NOT EXISTS (
                     SELECT 1 FROM inbox e WHERE e.consumer = i.consumer AND e.tenant = i.tenant
                         AND e.order_key = i.order_key AND e.seq < i.seq AND e.state IN ('ready', 'running'))
                 LIMIT 1000{})",
            if lock.is_empty() { "" } else { " FOR UPDATE OF i SKIP LOCKED" }
        ));
        self.run(statement).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(tenant: &str, connection: &str) -> Lane {
        [tenant.to_owned(), connection.to_owned(), "map".to_owned()]
    }

    #[test]
    fn tenants_take_turns_and_then_their_connections() {
        let lanes = [lane("a", "x"), lane("a", "y"), lane("b", "z")];
        let mut turns = Turns::default();
        assert_eq!(turns.next(&lanes, 6), [0, 2, 1, 2, 0, 2]);
        assert_eq!(turns.next(&lanes, 0), [0_usize; 0]);
        // Who was served last comes last, also when one place at a time is free.
        let mut order = Vec::new();
        for _ in 0..4 {
            let at = turns.next(&lanes, 1)[0];
            turns.served(&lanes[at]);
            order.push(at);
        }
        assert_eq!(order, [0, 2, 1, 2]);
    }

    #[test]
    fn what_is_remembered_of_turns_is_bounded() {
        let mut turns = Turns::default();
        for n in 0..5 * REMEMBERED {
            turns.served(&lane(&format!("t{n}"), "c"));
        }
        assert!(turns.lanes.len() <= 2 * REMEMBERED && turns.tenants.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn lists_are_padded_with_what_they_hold() {
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(vec![]), [0_i64; 0]);
    }
}
