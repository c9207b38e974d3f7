//! Counters for Prometheus. Labels are bounded: connections and states, never records or people.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::{Arc, Mutex, PoisonError};

type Labels = Vec<(&'static str, String)>;

/// The hub's counters; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    hooks: Family<Labels, Counter>,
    records: Family<Labels, Counter>,
    work: Family<Labels, Counter>,
    calls: Family<Labels, Counter>,
    requests: Family<Labels, Counter>,
    circuit_changes: Family<Labels, Counter>,
    circuits: Family<Labels, Gauge>,
    timers: Family<Labels, Counter>,
    spooled: Gauge,
    open: Family<Labels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Fresh counters.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("hrhub");
        let family = |registry: &mut Registry, name: &str, help: &str| {
            let family = Family::<Labels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let hooks = family(&mut registry, "hooks", "Webhooks by connection and result");
        let records =
            family(&mut registry, "records", "Records by entity and what became of a payload's word about them");
        let work = family(&mut registry, "work", "Messages by consumer and result");
        let calls = family(&mut registry, "calls", "Outgoing calls by connection, operation and result");
        let requests = family(&mut registry, "http_requests", "API requests by route and status");
        let circuit_changes = family(&mut registry, "circuit_changes", "Circuits that opened or closed by themselves");
        let circuits = Family::<Labels, Gauge>::default();
        registry.register("circuit", "Circuits by connection: 0 closed, 1 half open, 2 open", circuits.clone());
        let timers = family(&mut registry, "timers", "Timers that were due, by kind and result");
        let spooled = Gauge::default();
        registry.register("bus_spooled", "Messages on this disk that wait for the broker", spooled.clone());
        let open = Family::<Labels, Gauge>::default();
        registry.register("open", "What waits to be done, by kind", open.clone());
        Self {
            registry: Arc::new(Mutex::new(registry)),
            hooks,
            records,
            work,
            calls,
            requests,
            timers,
            circuit_changes,
            circuits,
            spooled,
            open,
        }
    }

    /// A webhook was accepted, refused or known already.
    pub fn hook(&self, connection: &str, result: &'static str) {
        self.hooks.get_or_create(&vec![("connection", connection.to_owned()), ("result", result.to_owned())]).inc();
    }

    /// A payload said something about a record: `created`, `updated`, `unchanged`, `outdated`.
    pub fn record(&self, entity: &'static str, result: &'static str) {
        self.records.get_or_create(&vec![("entity", entity.to_owned()), ("result", result.to_owned())]).inc();
    }

    /// A consumer handled a message: `done`, `retried`, `parked`.
    pub fn work(&self, consumer: &str, result: &'static str) {
        self.work.get_or_create(&vec![("consumer", consumer.to_owned()), ("result", result.to_owned())]).inc();
    }

    /// A call was made.
    pub fn call(&self, connection: &str, operation: &str, result: &'static str) {
        let labels = vec![
            ("connection", connection.to_owned()),
            ("operation", operation.to_owned()),
            ("result", result.to_owned()),
        ];
        self.calls.get_or_create(&labels).inc();
    }

    /// A circuit opened or closed: `open`, `closed`.
    pub fn circuit_changed(&self, connection: &str, to: &'static str) {
        self.circuit_changes.get_or_create(&vec![("connection", connection.to_owned()), ("to", to.to_owned())]).inc();
    }

    /// How a circuit stands now: `closed`, `half_open`, `open`.
    pub fn circuit(&self, connection: &str, state: &'static str) {
        let value = match state {
            "open" => 2,
            "half_open" => 1,
            _ => 0,
        };
        self.circuits.get_or_create(&vec![("connection", connection.to_owned())]).set(value);
    }

    /// An API request was answered.
    pub fn request(&self, route: &str, status: u16) {
        self.requests.get_or_create(&vec![("route", route.to_owned()), ("status", status.to_string())]).inc();
    }

    /// A timer ended or was due: `fired`, `late` (fired later than a minute), `skipped`, `cancelled`, `retried`,
    /// `parked`.
    pub fn timer(&self, kind: &'static str, result: &'static str) {
        self.timers.get_or_create(&vec![("kind", kind.to_owned()), ("result", result.to_owned())]).inc();
    }

    /// What waits now.
    pub fn waiting(&self, spooled: u64, events: i64, work: i64, calls: i64) {
        self.spooled(spooled);
        for (kind, count) in [("events", events), ("work", work), ("calls", calls)] {
            self.open.get_or_create(&vec![("kind", kind.to_owned())]).set(count);
        }
    }

    /// How many messages wait on this disk.
    pub fn spooled(&self, count: u64) {
        self.spooled.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The counters in the OpenMetrics text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string does not fail.
        let _ = encode(&mut out, &registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_written_with_their_labels() {
        let metrics = Metrics::new();
        metrics.hook("greenhouse-main", "accepted");
        metrics.hook("greenhouse-main", "accepted");
        metrics.waiting(3, 0, 1, 2);
        let text = metrics.encode();
        assert!(text.contains("hrhub_hooks_total{connection=\"greenhouse-main\",result=\"accepted\"} 2"), "{text}");
        assert!(text.contains("hrhub_bus_spooled 3"), "{text}");
    }
}
