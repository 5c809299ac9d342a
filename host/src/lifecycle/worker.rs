//! The worker's loop: claims jobs and lets several run at once, in the order of each plugin's orders.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Lifecycle, timers};
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{Claim, Claimed, Result, StoreError};

/// A job belongs to its worker so long at least, ms. After a crash it waits for the end of its lease where
/// other hosts may have taken it; with one host it is free at once.
pub(super) const LEASE_MS: i64 = 60_000;

/// A lease is so many times as long as a call may take.
const CALLS: i64 = 4;

/// While there is always work, timers are looked at so often, ms of the clock.
const TIMERS_MS: i64 = 1_000;

/// How long the loop sleeps at most: what was not announced is found by then.
const POLL: Duration = Duration::from_secs(5);

/// How long it rests when the database does not answer.
const TROUBLE: Duration = Duration::from_secs(1);

type Lane = (String, String);
type Live = BTreeMap<String, Vec<String>>;

/// What the workers of one host share.
#[derive(Default)]
pub(super) struct Desk {
    /// One step at a time: whoever steps knows what is under way.
    turn: tokio::sync::Mutex<()>,
    /// The shop that was served last; `None` until it is known.
    served: Mutex<Option<String>>,
    /// The names of live plugins, by shop, of the snapshot they were read off.
    live: Mutex<Option<(Weak<Snapshot>, Arc<Live>)>>,
    /// (shop, plugin) → shared by calls that may conflict, exclusive for one that has too often.
    lanes: Mutex<HashMap<Lane, Arc<RwLock<()>>>>,
}

impl Desk {
    fn served(&self) -> Option<String> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serves(&self, shop: String) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(shop);
    }

    fn live(&self, snapshot: &Arc<Snapshot>) -> Arc<Live> {
        let mut kept = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, live)) = kept.as_ref()
            && std::ptr::eq(of.as_ptr(), Arc::as_ptr(snapshot))
        {
            return Arc::clone(live);
        }
        let names = |shop: &LiveShop| shop.plugins.iter().map(|live| live.entry.name.clone()).collect();
        let live: Arc<Live> =
            Arc::new(snapshot.shops.iter().map(|(id, shop)| (id.clone(), names(shop))).collect());
        *kept = Some((Arc::downgrade(snapshot), Arc::clone(&live)));
        live
    }

    pub(super) fn lane(&self, job: &Claimed) -> Arc<RwLock<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry((job.shop.clone(), job.plugin.clone())).or_default())
    }
}

impl Lifecycle {
    /// Steps until `shutdown`, then finishes what it holds.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut announced = self.store.work();
        while !shutdown.is_cancelled() {
            // Before the step: what is announced during it is not slept over.
            announced.mark_unchanged();
            let pause = match self.work(&shutdown).await {
                Ok(next) => next.map_or(POLL, |at| {
                    let wait = at.saturating_sub(self.clock.now_ms()).max(0);
                    Duration::from_millis(wait.unsigned_abs()).min(POLL)
                }),
                Err(error) => {
                    tracing::error!(%error, "the worker cannot reach its store");
                    TROUBLE
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                _ = announced.changed() => {}
            }
        }
    }

    /// All that is due now; the instant of the next.
    pub(super) async fn work(&self, stop: &CancellationToken) -> Result<Option<i64>> {
        let _turn = self.desk.turn.lock().await;
        self.store.reclaim(self.clock.now_ms()).await?;
        let mut announced = self.store.work();
        let mut running = JoinSet::new();
        let mut timers_at = i64::MIN;
        // With a store in trouble nothing new is begun, and what is under way is let finish.
        let mut trouble = None;
        loop {
            announced.mark_unchanged();
            let snapshot = self.plugins.current();
            let now_ms = self.clock.now_ms();
            let slots = snapshot.host.limits.concurrent_events.max(1) as usize;
            let mut any = false;
            if !stop.is_cancelled() && trouble.is_none() {
                let idle = running.is_empty() || now_ms.saturating_sub(timers_at) >= TIMERS_MS;
                let slots = slots.saturating_sub(running.len());
                match self.due(&snapshot, now_ms, idle, slots).await {
                    Ok((fired, jobs)) => {
                        any = fired || !jobs.is_empty();
                        for job in jobs {
                            let (worker, snapshot) = (self.clone(), Arc::clone(&snapshot));
                            running.spawn(async move { worker.perform(&snapshot, job).await });
                        }
                    }
                    Err(error) => trouble = Some(error),
                }
                if idle {
                    timers_at = now_ms;
                }
            }
            if running.is_empty() {
                if any {
                    continue;
                }
                return match trouble {
                    Some(error) => Err(error),
                    None if stop.is_cancelled() => Ok(None),
                    None => self.store.next_work(now_ms).await,
                };
            }
            let full = running.len() >= slots;
            tokio::select! {
                Some(ended) = running.join_next() => {
                    trouble = trouble.or(landed(ended));
                    while let Some(ended) = running.try_join_next() {
                        trouble = trouble.or(landed(ended));
                    }
                }
                _ = announced.changed(), if !full && !stop.is_cancelled() && trouble.is_none() => {}
            }
        }
    }

    /// What the clock has brought about (when it is looked at), and jobs to do.
    async fn due(
        &self,
        snapshot: &Arc<Snapshot>,
        now_ms: i64,
        clock: bool,
        slots: usize,
    ) -> Result<(bool, Vec<Claimed>)> {
        let fired = clock && timers::fire(&self.store, snapshot, now_ms).await?;
        Ok((fired, self.claim(snapshot, now_ms, slots).await?))
    }

    async fn claim(&self, snapshot: &Arc<Snapshot>, now_ms: i64, limit: usize) -> Result<Vec<Claimed>> {
        let live = self.desk.live(snapshot);
        // A busy shop does not take all that is free while others may be next.
        let per_shop = if live.len() > 1 { limit.div_ceil(4) } else { limit };
        let event_ms = i64::from(snapshot.host.limits.event_ms);
        // After a start the shops' turns go on where they were, so that a host that starts often serves all.
        let mut served = match self.desk.served() {
            Some(served) => served,
            None => self.store.served_last().await?.unwrap_or_default(),
        };
        let mut jobs = Vec::new();
        while jobs.len() < limit {
            let claim = Claim {
                live: Arc::clone(&live),
                after: served.clone(),
                limit: limit - jobs.len(),
                per_shop,
                now_ms,
                lease_until: now_ms.saturating_add(LEASE_MS.max(event_ms.saturating_mul(CALLS))),
            };
            let (more, last) = self.store.claim(claim).await?;
            self.desk.serves(last.clone());
            served = last;
            let some_left = more.len() >= per_shop;
            jobs.extend(more);
            if !some_left {
                break;
            }
        }
        Ok(jobs)
    }
}

/// A panic is this host's fault, not the store's: the job's lease ends and it is tried again.
fn landed(ended: Result<Result<()>, tokio::task::JoinError>) -> Option<StoreError> {
    match ended {
        Ok(result) => result.err(),
        Err(error) => {
            tracing::error!(%error, "a job's task broke off");
            None
        }
    }
}
