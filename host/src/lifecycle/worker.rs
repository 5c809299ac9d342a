//! The worker: claims jobs, calls plugins, commits what they asked for.
//!
//! Stages of a job: claimed (leased) → called → planned → committed, or rested, or dead. A conflict on
//! what a call read runs it again at once, in a fresh instance, with the same seed and clock.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::TryRngCore as _;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::effects::{self, Mint, Scene};
use super::invocation::{self, Site};
use super::scrub::scrub;
use super::{Lifecycle, backoff, timers};
use crate::plugins::registry::Snapshot;
use crate::store::{Claim, Claimed, Completion, Failure, Result, StoreError, StoredEvent, new_id};

/// A job belongs to its worker so long, ms; longer than any call may take.
const LEASE_MS: i64 = 5 * 60_000;

/// Conflicts after which a plugin's jobs run one at a time.
const CONFLICTS: u32 = 3;

/// Conflicts after which a job is given back: only other hosts can cause them by then.
const MOST_CONFLICTS: u32 = 20;
const CONFLICT_REST_MS: i64 = 1_000;

/// While there is always work, timers are looked at so often, ms of the clock.
const TIMERS_MS: i64 = 1_000;

/// How long the loop sleeps at most: what was not announced is found by then.
const POLL: Duration = Duration::from_secs(5);

/// How long it rests when the database does not answer.
const TROUBLE: Duration = Duration::from_secs(1);

/// Characters of a fault that are kept.
const FAULT: usize = 500;

type Lane = (String, String);

/// What the workers of one host share.
#[derive(Default)]
pub(super) struct Desk {
    /// One step at a time: whoever steps knows what is under way.
    turn: tokio::sync::Mutex<()>,
    /// The shop that was served last.
    served: Mutex<String>,
    /// (shop, plugin) → shared by calls that may conflict, exclusive for one that has too often.
    lanes: Mutex<HashMap<Lane, Arc<RwLock<()>>>>,
}

impl Desk {
    fn lane(&self, job: &Claimed) -> Arc<RwLock<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry((job.shop.clone(), job.plugin.clone())).or_default())
    }
}

/// How an attempt ended.
enum Ended {
    Done,
    /// What it read has changed.
    Stale,
    /// Another worker has the job.
    Lost,
    Fault(String, &'static str),
}

struct Random {
    now_ms: i64,
    /// The first failure of the operating system's random numbers.
    failed: bool,
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
        snapshot: &Snapshot,
        now_ms: i64,
        clock: bool,
        slots: usize,
    ) -> Result<(bool, Vec<Claimed>)> {
        let fired = clock && timers::fire(&self.store, snapshot, now_ms).await?;
        Ok((fired, self.claim(snapshot, now_ms, slots).await?))
    }

    async fn claim(&self, snapshot: &Snapshot, now_ms: i64, limit: usize) -> Result<Vec<Claimed>> {
        let live: BTreeMap<_, Vec<_>> = snapshot
            .shops
            .iter()
            .map(|(id, shop)| (id.clone(), shop.plugins.iter().map(|live| live.entry.name.clone()).collect()))
            .collect();
        let per_shop = if live.len() > 1 { limit.div_ceil(4).max(1) } else { limit };
        let after = self.desk.served.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let claim = Claim {
            live: Arc::new(live),
            after,
            limit,
            per_shop,
            now_ms,
            lease_until: now_ms.saturating_add(LEASE_MS),
        };
        let (jobs, served) = self.store.claim(claim).await?;
        *self.desk.served.lock().unwrap_or_else(PoisonError::into_inner) = served;
        Ok(jobs)
    }

    /// One job from its lease to its end.
    async fn perform(&self, snapshot: &Snapshot, job: Claimed) -> Result<()> {
        let site = snapshot.shops.get(&job.shop).and_then(|shop| {
            let plugin = shop.plugins.iter().find(|live| live.entry.name == job.plugin)?;
            let deadline = Duration::from_millis(u64::from(snapshot.host.limits.event_ms));
            Some(Site { shop: Arc::clone(shop), plugin: Arc::clone(plugin), deadline })
        });
        let Some(site) = site else { return self.store.give_back(&job, job.created_at).await };
        let Some(event) = self.store.event(&job.event_id).await? else {
            return self.rest(&job, "its event is gone".to_owned(), "host").await;
        };
        let lane = self.desk.lane(&job);
        for conflicts in 0..MOST_CONFLICTS {
            let ended = if conflicts < CONFLICTS {
                let _shared = lane.read().await;
                self.attempt(&site, &job, &event).await
            } else {
                let _alone = lane.write().await;
                self.attempt(&site, &job, &event).await
            };
            match ended {
                Ended::Done => {
                    count(&job, "done");
                    return Ok(());
                }
                Ended::Stale => count(&job, "conflict"),
                Ended::Lost => {
                    count(&job, "lost");
                    return Ok(());
                }
                Ended::Fault(fault, kind) => return self.rest(&job, fault, kind).await,
            }
        }
        self.store.give_back(&job, self.clock.now_ms().saturating_add(CONFLICT_REST_MS)).await
    }

    async fn attempt(&self, site: &Site, job: &Claimed, event: &StoredEvent) -> Ended {
        let (invocation, currency) = match invocation::build(&self.store, site, job, event).await {
            Ok(built) => built,
            Err(error) => return Ended::Fault(error.to_string(), "host"),
        };
        let outcome = self.plugins.call(invocation).await;
        let asked = match outcome.result {
            Ok(effects) => effects,
            Err(fault) => return Ended::Fault(fault.to_string(), fault.kind()),
        };
        let scene = Scene {
            shop: &job.shop,
            plugin: &job.plugin,
            customer_id: event.customer_id.as_deref(),
            order_id: event.order_id.as_deref(),
            now_ms: job.created_at,
        };
        let now_ms = self.clock.now_ms();
        let mut random = Random { now_ms, failed: false };
        let changes = match effects::plan(asked, &scene, &mut random) {
            Ok(_) if random.failed => {
                return Ended::Fault("the operating system gives no random numbers".to_owned(), "host");
            }
            Ok(changes) => changes,
            Err(why) => return Ended::Fault(why, "effects"),
        };
        let completion = Completion {
            job: job.clone(),
            event: event.clone(),
            currency,
            reads: outcome.reads,
            changes,
            now_ms,
        };
        match self.store.complete(completion).await {
            Ok(()) => Ended::Done,
            Err(StoreError::Stale) => Ended::Stale,
            Err(StoreError::Fenced) => Ended::Lost,
            Err(StoreError::Invalid(why)) => Ended::Fault(why, "effects"),
            Err(error) => Ended::Fault(error.to_string(), "host"),
        }
    }

    /// A failed attempt: the job rests, or has failed often enough.
    async fn rest(&self, job: &Claimed, fault: String, kind: &'static str) -> Result<()> {
        let now_ms = self.clock.now_ms();
        let attempts = job.attempts.saturating_add(1);
        let rest = backoff::rest_ms(attempts, invocation::seed(&job.event_id, &job.plugin));
        let outcome = if rest.is_some() { "failed" } else { "dead" };
        count(job, outcome);
        let fault: String = scrub(&fault).chars().take(FAULT).collect();
        tracing::warn!(
            shop = job.shop,
            plugin = job.plugin,
            hook = job.hook,
            job = job.id,
            attempts,
            kind,
            outcome,
            fault,
            "a plugin failed on an event"
        );
        let failure = Failure {
            job_id: job.id.clone(),
            event_id: job.event_id.clone(),
            lease_token: job.lease_token,
            fault,
            run_after: rest.map(|rest| now_ms.saturating_add(rest)),
            now_ms,
        };
        match self.store.fail(failure).await {
            Err(StoreError::Fenced) => Ok(()),
            settled => settled,
        }
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

fn count(job: &Claimed, outcome: &'static str) {
    metrics::counter!(
        "cartwright_jobs_total",
        "plugin" => job.plugin.clone(), "hook" => job.hook.clone(), "outcome" => outcome
    )
    .increment(1);
}

impl Mint for Random {
    /// 60 bits in three groups; letters and digits that are not mistaken for each other (Crockford's).
    fn code(&mut self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut bytes = [0_u8; 12];
        self.failed |= rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err();
        let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let mut code = String::with_capacity(14);
        for (index, letter) in letters.enumerate() {
            if index > 0 && index % 4 == 0 {
                code.push('-');
            }
            code.push(letter);
        }
        code
    }

    fn id(&mut self, prefix: &str) -> String {
        new_id(prefix, self.now_ms)
    }
}
