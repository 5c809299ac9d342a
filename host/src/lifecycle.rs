//! How an event becomes effects, exactly once.

mod attempt;
mod backoff;
mod by_hand;
pub mod check;
mod dead_letter;
mod effects;
mod intake;
mod invocation;
mod lane;
mod leases;
mod pressure;
mod retention;
mod timers;
mod worker;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use effects::trials;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::domain::{Clock, Event};
use crate::plugins::call::{Invocation, Outcome};
use crate::plugins::registry::{LiveShop, Registry, Snapshot};
use crate::sabotage::{GAP, Sabotage, on};
use crate::store::{Intake, Store, Taken};

/// Who says it, and by which name: the same name twice is the same event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `api`, `woocommerce`, or the CloudEvents source.
    pub source: String,
    pub id: String,
    /// SHA-256 of the body: the same id with another body is a conflict.
    pub fingerprint: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    New {
        event_id: String,
    },
    /// The same event again: nothing happens twice.
    Duplicate {
        event_id: String,
    },
    /// The same name with another body: the first is kept.
    Conflict {
        event_id: String,
    },
}

/// How far the work of an event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub event_id: String,
    /// `held`, `open`, `done`.
    pub state: String,
    pub jobs: Vec<JobProgress>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobProgress {
    pub plugin: String,
    /// `waiting`, `running`, `done`, `failed` (it is tried again), `dead` (it is not), `dropped` (by a person).
    pub state: String,
    pub fault: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Well-formed JSON that cannot be: an unknown currency, an amount over 2^53-1, no such shipment.
    #[error("{field}: {what}")]
    Invalid { field: String, what: String },
    /// There is more to do than the host takes on. Nothing was accepted.
    #[error("{why}")]
    Overloaded {
        why: String,
        /// Seconds.
        retry_after: u64,
    },
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// What the worker needs of the sandbox: what is live, and a call.
#[async_trait]
pub trait Plugins: Send + Sync {
    fn current(&self) -> Arc<Snapshot>;
    async fn call(&self, invocation: Invocation) -> Outcome;
}

#[async_trait]
impl Plugins for Registry {
    fn current(&self) -> Arc<Snapshot> {
        Registry::current(self)
    }

    async fn call(&self, invocation: Invocation) -> Outcome {
        Registry::call(self, invocation).await
    }
}

/// Accepts events and does their work. Cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    plugins: Arc<dyn Plugins>,
    store: Store,
    clock: Clock,
    quote_key: Arc<[u8; 32]>,
    desk: Arc<worker::Desk>,
    pressure: Arc<pressure::Pressure>,
}

impl Lifecycle {
    /// `quote_key` verifies quotes that come back. `plugins` is the [`Registry`] but in tests.
    #[must_use]
    pub fn new(plugins: Arc<dyn Plugins>, store: Store, clock: Clock, quote_key: Arc<[u8; 32]>) -> Self {
        Self { plugins, store, clock, quote_key, desk: Arc::default(), pressure: Arc::default() }
    }

    /// Durable when it returns: the event, its sequence number, and a job for each subscribed plugin.
    /// An order is placed once: another event that places it is a duplicate, or a conflict.
    pub async fn accept(
        &self,
        shop: &LiveShop,
        identity: Identity,
        event: Event,
    ) -> Result<Accepted, IntakeError> {
        let hook = event.hook().name();
        let now_ms = self.clock.now_ms();
        let intake = intake::prepare(&self.store, shop, &self.quote_key, &identity, event, now_ms);
        let intake = intake.inspect_err(|_| count(hook, "invalid"))?;
        let event_id = intake.event_id.clone();
        let order_id = intake.event.order_id().map(str::to_owned);
        let jobs = intake.subscribers.get(&intake.event.hook()).map_or(0, Vec::len);
        let _under_way = self.pressure.enter();
        if on(Sabotage::AckBeforeCommit) {
            return Box::pin(self.answer_before(intake)).await;
        }
        let taken = self.store.take_in(intake).await?;
        self.desk.stamped(now_ms);
        Ok(match taken {
            Taken::New { held, overused } => {
                count(hook, if held { "held" } else { "new" });
                for code in overused {
                    alarm(&shop.config.id, order_id.as_deref().unwrap_or_default(), &code);
                }
                if !held {
                    self.pressure.add(&shop.config.id, jobs);
                }
                Accepted::New { event_id }
            }
            Taken::Duplicate { event_id } => {
                count(hook, "duplicate");
                Accepted::Duplicate { event_id }
            }
            Taken::Conflict { event_id } => {
                count(hook, "conflict");
                Accepted::Conflict { event_id }
            }
        })
    }

    /// What [`Sabotage::AckBeforeCommit`] does: what is answered waits for the next to be stored, or a while, so that
    /// any crash under load finds one.
    async fn answer_before(&self, intake: Intake) -> Result<Accepted, IntakeError> {
        static BEHIND: tokio::sync::Mutex<Option<Intake>> = tokio::sync::Mutex::const_new(None);
        let (store, event_id) = (self.store.clone(), intake.event_id.clone());
        if let Some(before) = BEHIND.lock().await.replace(intake) {
            store.take_in(before).await?;
        }
        let id = event_id.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GAP * 100).await;
            let last = BEHIND.lock().await.take_if(|last| last.event_id == id);
            if let Some(last) = last {
                let _ = store.take_in(last).await;
            }
        });
        Ok(Accepted::New { event_id })
    }

    /// Until no job of the event waits or runs (a failed one that is tried again later counts as
    /// stopped), or `patience` (wall time) is over. `None`: no such event in this shop.
    pub async fn wait(
        &self,
        shop: &str,
        event_id: &str,
        patience: Duration,
    ) -> Result<Option<Progress>, IntakeError> {
        let deadline = tokio::time::Instant::now() + patience;
        let waiter = self.store.wait_for(event_id);
        loop {
            let mut moved = std::pin::pin!(waiter.notified());
            // Before looking: what happens between is not missed.
            moved.as_mut().enable();
            let Some(progress) = self.progress(shop, event_id).await? else { return Ok(None) };
            if progress.stands_still() || tokio::time::timeout_at(deadline, moved).await.is_err() {
                return Ok(Some(progress));
            }
        }
    }

    /// How far the event is now.
    pub async fn progress(&self, shop: &str, event_id: &str) -> Result<Option<Progress>, IntakeError> {
        Ok(self.store.standing(shop, event_id).await?.map(|standing| Progress {
            event_id: event_id.to_owned(),
            state: standing.state,
            jobs: standing
                .jobs
                .into_iter()
                .map(|(plugin, state, fault)| JobProgress { plugin, state, fault })
                .collect(),
        }))
    }

    /// Fires due timers and does all eligible jobs; gives the instant
    /// (UTC milliseconds) when there is more to do. Production loops over it.
    pub async fn step(&self) -> Result<Option<i64>, IntakeError> {
        Ok(self.work(&CancellationToken::new()).await?)
    }

    /// Tells the running loops that the clock was moved, or that other plugins are live.
    pub fn wake(&self) {
        self.store.wake();
    }
}

impl Progress {
    fn stands_still(&self) -> bool {
        self.state != "held"
            && !self.jobs.iter().any(|job| matches!(job.state.as_str(), "waiting" | "running"))
    }
}

fn count(hook: &'static str, outcome: &'static str) {
    metrics::counter!("cartwright_events_total", "hook" => hook, "outcome" => outcome).increment(1);
}

/// Loud: somebody got a discount that was not to be had, and only the merchant can say what to do about it.
fn alarm(shop: &str, order: &str, code: &str) {
    tracing::error!(
        shop,
        order,
        code,
        "an order came with a coupon of which nothing was left; the sale stands, and the use is marked over_limit"
    );
    metrics::counter!("cartwright_coupons_overused_total", "shop" => shop.to_owned()).increment(1);
}

#[cfg(test)]
mod tests;
