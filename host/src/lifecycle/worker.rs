//! The worker's loop: claims jobs and lets several run at once, in the order of each plugin's orders.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::lane::Lane;
use super::leases::{self, InHand, Leases};
use super::{Lifecycle, timers};
use crate::plugins::registry::{LivePlugin, LiveShop, Snapshot};
use crate::plugins::standing::{JobUnderWay, part};
use crate::store::{Claim, Claimed, Result, StoreError};

/// While there is always work, timers and the leases of hosts that crashed are looked at so often, ms of the clock.
const TIMERS_MS: u64 = 1_000;

/// How long the loop sleeps at most: what was not announced is found by then.
const POLL: Duration = Duration::from_secs(5);

/// How long it rests when the database does not answer.
const TROUBLE: Duration = Duration::from_secs(1);

/// A job, the plugin's slot that it has, and its place among those in hand.
type Begun = (Claimed, Option<JobUnderWay>, InHand);
type Live = BTreeMap<String, Vec<String>>;

/// Whose jobs may be begun now.
struct Rooms {
    live: Arc<Live>,
    /// So many of each at least.
    each: usize,
}

/// What the workers of one host share.
#[derive(Default)]
pub(super) struct Desk {
    /// One step at a time: whoever steps knows what is under way.
    turn: tokio::sync::Mutex<()>,
    /// The shop that was served last; `None` until it is known.
    served: Mutex<Option<String>>,
    /// The names of live plugins, by shop, of the snapshot they were read off.
    live: Mutex<Option<(Weak<Snapshot>, Arc<Live>)>>,
    /// By shop and plugin.
    lanes: Mutex<HashMap<(String, String), Arc<Lane>>>,
    pub(super) leases: Arc<Leases>,
    /// Jobs whose end could not be written down: still leased, and nobody works on them.
    left: Mutex<Vec<Claimed>>,
    /// What the clock said when it was last looked at, or something was stamped by it since.
    seen: Mutex<Option<i64>>,
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

    /// Whose jobs may be begun now: a plugin has its share of the slots and a shop its own, and where a breaker is
    /// not closed only a few try.
    fn rooms(&self, snapshot: &Arc<Snapshot>, now_ms: i64) -> Rooms {
        let host = &snapshot.host;
        let slots = host.limits.concurrent_events.max(1);
        let alone = snapshot.shops.len() == 1;
        let of_shop = if alone { slots } else { part(slots, host.limits.shop_share_percent) };
        let live = self.live(snapshot);
        let (mut each, mut full) = (usize::MAX, Vec::new());
        for shop in snapshot.shops.values() {
            let under_way: u32 = shop.plugins.iter().map(|plugin| plugin.jobs_under_way()).sum();
            let left = of_shop.saturating_sub(under_way);
            for plugin in &shop.plugins {
                match plugin.room(&host.breaker, slots, now_ms).min(left) {
                    0 => full.push(plugin),
                    room => each = each.min(room as usize),
                }
            }
        }
        if full.is_empty() {
            return Rooms { live, each };
        }
        let mut some = Live::clone(&live);
        for plugin in full {
            if let Some(names) = some.get_mut(plugin.shop.as_ref()) {
                names.retain(|name| *name != plugin.entry.name);
            }
        }
        Rooms { live: Arc::new(some), each }
    }

    fn seen(&self) -> MutexGuard<'_, Option<i64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was stamped at this instant.
    pub(super) fn stamped(&self, now_ms: i64) {
        let mut seen = self.seen();
        *seen = (*seen).max(Some(now_ms));
    }

    fn left(&self) -> MutexGuard<'_, Vec<Claimed>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lane(&self, job: &Claimed) -> Arc<Lane> {
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
                    if !error.is_trouble() {
                        tracing::error!(%error, "the worker could not go on; it tries again");
                    }
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
        self.take_back().await?;
        let mut announced = self.store.work();
        let mut running = JoinSet::new();
        let mut timers_at = i64::MIN;
        let lease = leases::lease_ms(self.plugins.current().host.limits.lease_seconds);
        let period = leases::beat(lease);
        let mut beat = tokio::time::interval_at(Instant::now() + period, period);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // With a store in trouble nothing new is begun, and what is under way is let finish.
        let mut trouble = None;
        loop {
            announced.mark_unchanged();
            let snapshot = self.plugins.current();
            let now_ms = self.clock.now_ms();
            let slots = snapshot.host.limits.concurrent_events.max(1) as usize;
            let mut any = false;
            if !stop.is_cancelled() && trouble.is_none() {
                let idle = running.is_empty() || now_ms.abs_diff(timers_at) >= TIMERS_MS;
                let slots = slots.saturating_sub(running.len());
                match self.due(&snapshot, now_ms, idle, slots).await {
                    Ok((fired, jobs)) => {
                        any = fired || !jobs.is_empty();
                        for (job, under_way, in_hand) in jobs {
                            let (worker, snapshot) = (self.clone(), Arc::clone(&snapshot));
                            running.spawn(async move {
                                let _held = (under_way, in_hand);
                                let ended = worker.perform(&snapshot, job.clone()).await;
                                ended.inspect_err(|_| worker.desk.left().push(job))
                            });
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
                    None => {
                        let next = self.store.next_work(now_ms).await?;
                        Ok(next.into_iter().chain(tried_at(&snapshot, now_ms)).min())
                    }
                };
            }
            let full = running.len() >= slots;
            tokio::select! {
                // Not by chance: a simulated schedule is its seed's alone.
                biased;
                Some(ended) = running.join_next() => {
                    trouble = trouble.or(landed(ended));
                    while let Some(ended) = running.try_join_next() {
                        trouble = trouble.or(landed(ended));
                    }
                }
                _ = announced.changed(), if !full && !stop.is_cancelled() && trouble.is_none() => {}
                _ = beat.tick() => self.renew_leases().await,
            }
        }
    }

    /// What a database in trouble left leased to nobody waits again, without waiting for its lease to end.
    async fn take_back(&self) -> Result<()> {
        let left = self.desk.left().clone();
        for job in left {
            self.store.give_back(&job, job.created_at).await?;
            self.desk.left().retain(|other| other.id != job.id);
        }
        Ok(())
    }

    /// What the clock has brought about (when it is looked at), and jobs to do.
    async fn due(
        &self,
        snapshot: &Arc<Snapshot>,
        now_ms: i64,
        clock: bool,
        slots: usize,
    ) -> Result<(bool, Vec<Begun>)> {
        if clock {
            // At once: what is stamped from here on is seen at the next look.
            let seen = self.desk.seen().replace(now_ms);
            let followed = timers::follow(&self.store, seen, now_ms).await;
            followed.inspect_err(|_| *self.desk.seen() = seen)?;
            // What is in hand here is not over, whatever the clock did.
            self.renew_leases().await;
            self.store.reclaim(now_ms).await?;
        }
        let fired = clock && timers::fire(&self.store, snapshot, now_ms).await?;
        // Timers may have taken their time.
        Ok((fired, self.claim(snapshot, self.clock.now_ms(), slots).await?))
    }

    async fn claim(&self, snapshot: &Arc<Snapshot>, now_ms: i64, limit: usize) -> Result<Vec<Begun>> {
        let lease_until = now_ms.saturating_add(leases::lease_ms(snapshot.host.limits.lease_seconds));
        // After a start the shops' turns go on where they were, so that a host that starts often serves all.
        let mut served = match self.desk.served() {
            Some(served) => served,
            None => self.store.served_last().await?.unwrap_or_default(),
        };
        let mut jobs = Vec::new();
        while jobs.len() < limit {
            let Rooms { live, each } = self.desk.rooms(snapshot, now_ms);
            // A busy shop does not take all that is free while others may be next.
            let per_shop = if live.len() > 1 { limit.div_ceil(4) } else { limit }.min(each);
            let claim = Claim {
                live,
                after: served.clone(),
                limit: limit - jobs.len(),
                per_shop,
                now_ms,
                lease_until,
            };
            let (more, last) = match self.store.claim(claim).await {
                Ok(claimed) => claimed,
                // Those that are claimed are done.
                Err(_) if !jobs.is_empty() => break,
                Err(error) => return Err(error),
            };
            self.desk.serves(last.clone());
            served = last;
            let some_left = more.len() >= per_shop;
            jobs.extend(more.into_iter().map(|job| {
                let shop = snapshot.shops.get(&job.shop);
                let plugin =
                    shop.and_then(|shop| shop.plugins.iter().find(|live| live.entry.name == job.plugin));
                let in_hand = self.desk.leases.take(&job, lease_until);
                (job, plugin.map(LivePlugin::job), in_hand)
            }));
            if !some_left {
                break;
            }
        }
        Ok(jobs)
    }
}

/// The next instant at which a plugin that is left alone is tried.
fn tried_at(snapshot: &Snapshot, now_ms: i64) -> Option<i64> {
    snapshot.plugins().filter_map(|plugin| plugin.breaker().tried_at).filter(|at| *at > now_ms).min()
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
