//! One call of a connection's operation for somebody who waits for it: with the connection's authentication, its rates
//! and its circuit, and without repetition. Nothing of it is kept but a step of its journey.

use super::circuit::{self, Gate, Health};
use super::rates;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::trust::gate;
use hub_kit::{CallContext, CallError, Connection, Leave, Operation, Reply, Retry};
use hub_store::{StoreError, job};
use hub_tree::TraceContext;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Why there is no answer.
#[derive(Debug)]
pub enum NotPassed {
    /// The vendor is unwell, or was told to be left alone: nothing was sent. What the circuit says.
    Circuit(String),
    /// What it orders about a person needs their consent, and a call of this kind names nobody: nothing was sent.
    Consent(String),
    /// The vendor's rate is used up: nothing was sent. For how long.
    Rate(Duration),
    /// The call failed.
    Failed(CallError),
    /// The store failed: nothing was sent.
    Store(StoreError),
}

/// One call.
pub struct Passing<'p> {
    /// Whom to call.
    pub connection: &'p Arc<Connection>,
    /// What to ask.
    pub operation: &'p Operation,
    /// The arguments as JSON text.
    pub args: &'p [u8],
    /// The caller's key, by which a vendor may know a repetition.
    pub key: Option<String>,
    /// Who asks.
    pub by: &'p str,
    /// The journey.
    pub trace: TraceContext,
}

impl Hub {
    /// Makes one call and waits for its answer. It is never repeated; what its failure says about a repetition is the
    /// caller's to judge.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn pass_through(&self, passing: Passing<'_>) -> Result<Reply, NotPassed> {
        let Passing { connection, operation, args, key, by, trace } = passing;
        let needed = gate::purposes(self, connection, operation, "");
        if !needed.is_empty() {
            return Err(NotPassed::Consent(gate::words(&needed)));
        }
        let missing = || NotPassed::Failed(CallError::NoOperation(operation.name.clone()));
        let driver = self.driver(&connection.manifest.driver).ok_or_else(missing)?.clone();
        self.room(connection, operation).await?;
        let began = Instant::now();
        let call_id = key.unwrap_or_else(|| self.ids.next().to_string());
        let held = || true;
        let cx = CallContext {
            connection,
            client: &self.client,
            tokens: &self.tokens,
            trace,
            call_id: &call_id,
            leave: Leave { until: began + operation.timeout, held: &held },
            spools: false,
            clock: &self.clock,
        };
        self.sending.traffic.begun(&connection.id, self.store_now(), false);
        let answered = driver.call(&cx, operation, args).await;
        let outcome = match &answered {
            Ok(reply) => format!("HTTP {}", reply.status),
            Err(error) => format!("{} ({})", error.code(), error.party().word()),
        };
        let health = Health::told(answered.as_ref().err(), began.elapsed(), &connection.pace.circuit);
        if let Some(Health { failed, slow }) = health {
            self.sending.traffic.ended(&connection.id, self.store_now(), failed, slow);
        }
        let mut steps = Steps::of(&trace, &connection.tenant);
        let subject = format!("call/{call_id}");
        let detail = format!("{} passed `{}` through: {outcome}", by, operation.name);
        steps.add(&self.ids, self.clock.micros(), ("passed_through", Went::Ok), &connection.id, &subject, detail);
        let kept = self.store.write(job!(|tx| { tx.add_steps(steps.into_vec()).await })).await;
        if let Err(error) = kept {
            // The vendor has answered: that is what the caller waits for.
            tracing::warn!(error = %error, connection.id = %connection.id, "a call that was passed through is not in its journey");
        }
        answered.map_err(NotPassed::Failed)
    }

    /// Whether a call may be made now; takes its share of the vendor's rates.
    async fn room(&self, connection: &Connection, operation: &Operation) -> Result<(), NotPassed> {
        let (now, id) = (self.store_now(), connection.id.clone());
        let rates = rates::rates_of(self, &id, &operation.name);
        let asking = self.store.write(job!(|tx| {
            let circuits = tx.circuits_in_force(now, now).await?;
            let own = circuits.iter().find(|circuit| circuit.connection == id);
            // A probe is for calls that can wait for it.
            if let Some(shut) = own.filter(|own| circuit::gate(Some(*own), now) != Gate::Free) {
                return Ok(Err(NotPassed::Circuit(shut.why.clone())));
            }
            let until = rates::take(tx, &id, &rates, now).await?;
            let wait = |until: i64| Duration::from_micros(u64::try_from(until - now).unwrap_or(0));
            Ok(until.map_or(Ok(()), |until| Err(NotPassed::Rate(wait(until)))))
        }));
        asking.await.map_err(NotPassed::Store)?
    }
}

impl NotPassed {
    /// Whether the caller may send the same again.
    #[must_use]
    pub fn retryable(&self, operation: &Operation) -> bool {
        match self {
            Self::Circuit(_) | Self::Rate(_) | Self::Store(_) => true,
            Self::Consent(_) => false,
            Self::Failed(error) => match error.retry() {
                Retry::Never => false,
                Retry::Safe => true,
                Retry::IfIdempotent => !operation.writes(),
            },
        }
    }
}
