//! The dispatcher's loop: copies notices to their subscribers, leases deliveries, and lets several run at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Dispatcher;
use super::address::endpoint;
use super::schedule;
use crate::plugins::registry::Snapshot;
use crate::store::{Delivery, Lane, Notice, Result, Spread, StoreError};

/// Deliveries under way at once, and of these to one endpoint: a slow one does not hold up the others.
const AT_ONCE: usize = 32;
const TO_ONE: usize = 4;

/// Notices copied in one transaction.
const NOTICES: u32 = 100;

/// A delivery belongs to its courier so much longer than an attempt may take, ms.
const LEASE_MARGIN_MS: i64 = 60_000;

/// A notice of a shop that is not live is looked at again after so long, ms.
const SHOP_REST_MS: i64 = 60_000;

/// Old deliveries are looked for so often, ms of the clock.
const SWEEP_MS: u64 = 60 * 60_000;

/// While there is always work, endpoints that are off are looked at so often, ms of the clock.
const UPKEEP_MS: u64 = 1_000;

/// The fallback when no signal comes.
const POLL: Duration = Duration::from_secs(5);

/// Between two looks that found something due which could not be sent.
const PAUSE: Duration = Duration::from_millis(100);

/// Shop and endpoint.
type Name = (String, String);

/// What the dispatchers of one host share.
#[derive(Default)]
pub(super) struct Desk {
    /// One step at a time: whoever steps knows what is under way.
    turn: tokio::sync::Mutex<()>,
    /// The endpoint that was served last: the next one comes first.
    served: Mutex<Name>,
    swept_at: Mutex<Option<i64>>,
}

/// Deliveries under way, and whose they are.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Result<()>>,
    names: HashMap<task::Id, Name>,
}

impl Dispatcher {
    /// Copies and delivers all that is due; gives the instant (UTC milliseconds) of the next.
    pub async fn step(&self) -> Result<Option<i64>> {
        self.work(&CancellationToken::new()).await
    }

    /// Loops over [`step`](Self::step) until it is told to stop: woken by the store, by the next due time,
    /// and by a poll as the fallback. Finishes what is under way.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut announced = self.store.webhooks();
        while !shutdown.is_cancelled() {
            // Before the look, so that nothing that comes after it is missed.
            announced.mark_unchanged();
            let pause = match self.work(&shutdown).await {
                Ok(next) => self.until(next),
                Err(error) => {
                    // A database in trouble is told of once, by the store.
                    if !error.is_trouble() {
                        tracing::error!(%error, "webhooks wait: the store did not do what they need");
                    }
                    POLL
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                _ = announced.changed() => {}
            }
        }
    }

    fn until(&self, next: Option<i64>) -> Duration {
        let left = next.map_or(i64::MAX, |at_ms| at_ms.saturating_sub(self.clock.now_ms()));
        Duration::from_millis(u64::try_from(left).unwrap_or(0)).clamp(PAUSE, POLL)
    }

    async fn work(&self, stop: &CancellationToken) -> Result<Option<i64>> {
        let _turn = self.desk.turn.lock().await;
        let mut announced = self.store.webhooks();
        let mut running = Running::default();
        let mut looked_at = i64::MIN;
        // With a store in trouble nothing new is begun, and what is under way is let finish.
        let mut trouble = None;
        loop {
            announced.mark_unchanged();
            let snapshot = self.registry.current();
            let now_ms = self.clock.now_ms();
            let mut next = None;
            if !stop.is_cancelled() && trouble.is_none() {
                let upkeep = now_ms.abs_diff(looked_at) >= UPKEEP_MS;
                looked_at = if upkeep { now_ms } else { looked_at };
                match self.begin(&snapshot, now_ms, upkeep, &mut running).await {
                    Ok(at) => next = at,
                    Err(error) => trouble = Some(error),
                }
            }
            if running.tasks.is_empty() {
                return trouble.map_or(Ok(next), Err);
            }
            tokio::select! {
                Some(ended) = running.tasks.join_next_with_id() => trouble = trouble.or(running.landed(ended)),
                _ = announced.changed(), if !stop.is_cancelled() && trouble.is_none() => {}
                () = tokio::time::sleep(self.until(next)) => {}
            }
        }
    }

    /// Copies what is to be told and begins what is due; gives the instant of the next.
    async fn begin(
        &self,
        snapshot: &Arc<Snapshot>,
        now_ms: i64,
        upkeep: bool,
        running: &mut Running,
    ) -> Result<Option<i64>> {
        if upkeep {
            self.revive(snapshot).await?;
            self.sweep(now_ms).await?;
        }
        self.spread(snapshot, now_ms).await?;
        let mut next = self.store.next_notice().await?;
        for lane in self.in_turn(self.store.lanes().await?) {
            let Some(endpoint) = endpoint(snapshot, &lane.shop, &lane.endpoint) else { continue };
            let name = (lane.shop.clone(), lane.endpoint.clone());
            let free = running.free(&name);
            if lane.due_at > now_ms || free == 0 {
                // One that is full goes on when one of its own lands.
                next = if free == 0 { next } else { [next, Some(lane.due_at)].into_iter().flatten().min() };
                continue;
            }
            let longest = i64::try_from(endpoint.timeout_seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
            let lease_until = now_ms.saturating_add(longest).saturating_add(LEASE_MARGIN_MS);
            for delivery in self.store.claim_deliveries(&lane, free, now_ms, lease_until).await? {
                running.begin(self.clone(), Arc::clone(snapshot), &name, delivery);
            }
            *self.desk.served.lock().unwrap_or_else(PoisonError::into_inner) = name;
        }
        Ok(next)
    }

    /// Beginning after the one that was served last.
    fn in_turn(&self, mut lanes: Vec<Lane>) -> Vec<Lane> {
        let served = self.desk.served.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lanes.partition_point(|lane| (&lane.shop, &lane.endpoint) <= (&served.0, &served.1));
        lanes.rotate_left(first);
        lanes
    }

    /// One delivery for each endpoint that subscribes, of all notices that wait.
    async fn spread(&self, snapshot: &Snapshot, now_ms: i64) -> Result<()> {
        loop {
            let notices = self.store.notices(now_ms, NOTICES).await?;
            if notices.is_empty() {
                return Ok(());
            }
            let all = notices.into_iter().map(|notice| {
                let spread = subscribers(snapshot, &notice, now_ms);
                (notice, spread)
            });
            self.store.spread(all.collect(), now_ms).await?;
        }
    }

    async fn sweep(&self, now_ms: i64) -> Result<()> {
        let mut swept_at = *self.desk.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
        if swept_at.is_none_or(|at| now_ms.abs_diff(at) >= SWEEP_MS) {
            let long_ago = now_ms.saturating_sub(schedule::KEPT);
            self.store.give_up_deliveries(long_ago, now_ms).await?;
            while self.store.forget_webhooks(long_ago).await? {}
            swept_at = Some(now_ms);
        }
        *self.desk.swept_at.lock().unwrap_or_else(PoisonError::into_inner) = swept_at;
        Ok(())
    }
}

fn subscribers(snapshot: &Snapshot, notice: &Notice, now_ms: i64) -> Spread {
    let Some(shop) = snapshot.shops.get(&notice.shop) else {
        let waited = now_ms.saturating_sub(notice.created_at);
        let gone = waited > schedule::KEPT;
        return if gone {
            Spread::To(Vec::new())
        } else {
            Spread::Later(now_ms.saturating_add(SHOP_REST_MS))
        };
    };
    let subscribed = shop
        .config
        .webhooks
        .iter()
        .filter(|endpoint| endpoint.enabled && endpoint.subscribes(&notice.topic))
        .map(|endpoint| endpoint.name.clone());
    Spread::To(subscribed.collect())
}

impl Running {
    /// How many more may be sent to the endpoint.
    fn free(&self, name: &Name) -> usize {
        let busy = self.names.values().filter(|busy| *busy == name).count();
        AT_ONCE.saturating_sub(self.tasks.len()).min(TO_ONE.saturating_sub(busy))
    }

    fn begin(&mut self, dispatcher: Dispatcher, snapshot: Arc<Snapshot>, name: &Name, delivery: Delivery) {
        let task = self.tasks.spawn(async move { dispatcher.attempt(&snapshot, delivery).await });
        self.names.insert(task.id(), name.clone());
    }

    /// A panic is this host's fault, not the store's: the delivery's lease ends and it is tried again.
    fn landed(&mut self, ended: Result<(task::Id, Result<()>), JoinError>) -> Option<StoreError> {
        let (id, error) = match ended {
            Ok((id, attempted)) => (id, attempted.err()),
            Err(error) => {
                tracing::error!(%error, "a webhook's task broke off");
                (error.id(), None)
            }
        };
        self.names.remove(&id);
        error
    }
}
