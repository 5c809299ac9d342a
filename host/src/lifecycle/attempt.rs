//! One job from its lease to its end: called → planned → committed, or rested, or dead. A conflict on what
//! a call read runs it again at once, in a fresh instance, with the same seed and clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::TryRngCore as _;

use super::dead_letter::Letter;
use super::effects::{self, Mint, Scene};
use super::invocation::{self, Site};
use super::{Lifecycle, backoff};
use crate::domain::Hook;
use crate::domain::scrub::scrub;
use crate::plugins::call::Fault;
use crate::plugins::registry::Snapshot;
use crate::store::{Allowance, Claimed, Completion, Failure, Next, Result, StoreError, StoredEvent, new_id};

/// Conflicts after which a job is given back: only other hosts can cause them by then.
const MOST_CONFLICTS: u32 = 20;
const CONFLICT_REST_MS: i64 = 1_000;

/// A call waits for a slot and runs within so many times its own limit; a lease is longer.
const PATIENCE: u32 = 2;

/// How long a job rests that found no slot, or its plugin's breaker open: at least.
const BUSY_REST_MS: i64 = 1_000;

/// How long a job rests when the host could not do its part: a full disk is seen to by a person.
const TROUBLE_REST_MS: i64 = 15_000;

/// Characters of a fault that are kept.
const FAULT: usize = 500;

/// How an attempt ended.
enum Ended {
    Done,
    /// What it read has changed.
    Stale,
    /// Another worker has the job.
    Lost,
    Fault(String, &'static str),
    /// The host could not do its part: no failure of the plugin.
    Trouble(String),
    /// The plugin was not called, and is not before then.
    NotCalled {
        until_ms: i64,
    },
}

struct Random {
    now_ms: i64,
    /// The first failure of the operating system's random numbers.
    failed: bool,
}

impl Lifecycle {
    /// One job from its lease to its end.
    pub(super) async fn perform(&self, snapshot: &Snapshot, job: Claimed) -> Result<()> {
        let site = snapshot.shops.get(&job.shop).and_then(|shop| {
            let plugin = shop.plugins.iter().find(|live| live.entry.name == job.plugin)?;
            let patience = Duration::from_millis(u64::from(plugin.limits.event_ms)) * PATIENCE;
            Some(Site { shop: Arc::clone(shop), plugin: Arc::clone(plugin), patience })
        });
        let Some(site) = site else { return self.store.give_back(&job, job.created_at).await };
        let Some(event) = self.store.event(&job.event_id).await? else {
            return self.rest(&job, "its event is gone".to_owned(), "host", Duration::ZERO).await;
        };
        let lane = self.desk.lane(&job);
        for conflicts in 0..MOST_CONFLICTS {
            let began = Instant::now();
            let turn = lane.enter(conflicts).await;
            let ended = self.attempt(&site, &job, &event).await;
            drop(turn);
            match ended {
                Ended::Done => {
                    lane.done();
                    count(&job, "done");
                    return Ok(());
                }
                Ended::Stale => {
                    lane.conflicted();
                    count(&job, "conflict");
                }
                Ended::Lost => {
                    lost(&job);
                    return Ok(());
                }
                Ended::Fault(fault, kind) => return self.rest(&job, fault, kind, began.elapsed()).await,
                Ended::Trouble(why) => return self.wait_for_host(&job, &why).await,
                Ended::NotCalled { until_ms } => {
                    count(&job, "not-called");
                    let soon = self.clock.now_ms().saturating_add(BUSY_REST_MS);
                    return self.store.give_back(&job, until_ms.max(soon)).await;
                }
            }
        }
        self.store.give_back(&job, self.clock.now_ms().saturating_add(CONFLICT_REST_MS)).await
    }

    async fn attempt(&self, site: &Site, job: &Claimed, event: &StoredEvent) -> Ended {
        let (invocation, currency) = match invocation::build(&self.store, site, job, event).await {
            Ok(built) => built,
            Err(error) => return Ended::of(error),
        };
        // A newer version of the plugin may have dropped the hook: waiting does not bring it back.
        if !site.plugin.plugin.hooks.contains(&invocation.hook) {
            return Ended::Fault(format!("`{}` does not handle `{}`", job.plugin, job.hook), "host");
        }
        let outcome = self.plugins.call(invocation).await;
        let asked = match outcome.result {
            Ok(effects) => effects,
            Err(fault @ Fault::Host(_)) => return Ended::Trouble(fault.to_string()),
            Err(Fault::Busy { .. }) => return Ended::NotCalled { until_ms: 0 },
            Err(Fault::BreakerOpen { until_ms, .. }) => return Ended::NotCalled { until_ms },
            Err(fault) => return Ended::Fault(fault.to_string(), fault.kind()),
        };
        let scene = Scene {
            shop: &job.shop,
            plugin: &job.plugin,
            customer_id: event.customer_id.as_deref(),
            order_id: event.order_id.as_deref(),
            now_ms: job.created_at,
            by_timer: job.hook == Hook::Timer.name(),
        };
        let now_ms = self.clock.now_ms();
        let mut random = Random { now_ms, failed: false };
        let changes = match effects::plan(asked, &scene, &mut random) {
            Ok(_) if random.failed => {
                return Ended::Trouble("the operating system gives no random numbers".to_owned());
            }
            Ok(changes) => changes,
            Err(why) => {
                let fault = Fault::Refused(why);
                self.reproach(site, &fault);
                return Ended::Fault(fault.to_string(), "effects");
            }
        };
        let completion = Completion {
            job: job.clone(),
            event: event.clone(),
            currency,
            reads: outcome.reads,
            changes,
            allowance: Allowance::of(&site.plugin.limits),
            now_ms,
        };
        match self.store.complete(completion).await {
            Ok(()) => Ended::Done,
            Err(error) => {
                let fault = match &error {
                    StoreError::Invalid(why) => Some(Fault::Refused(why.clone())),
                    StoreError::Limit { setting, value } => Some(Fault::Limit { setting, value: *value }),
                    _ => None,
                };
                fault.inspect(|fault| self.reproach(site, fault));
                Ended::of(error)
            }
        }
    }

    /// The sandbox took the call for a good one; what it asked for could not be.
    fn reproach(&self, site: &Site, fault: &Fault) {
        site.plugin.reproach(&self.plugins.current().host.breaker, self.clock.now_ms(), fault);
    }

    /// The job rests until the host may be able to do its part again; no attempt is charged.
    async fn wait_for_host(&self, job: &Claimed, why: &str) -> Result<()> {
        count(job, "host");
        // A database in trouble is told of once, not by each job that meets it.
        if self.store.trouble().is_none() {
            tracing::error!(
                shop = job.shop,
                plugin = job.plugin,
                hook = job.hook,
                job = job.id,
                why = scrub(why),
                "the host could not do its part of an event; the job waits"
            );
        }
        self.store.give_back(job, self.clock.now_ms().saturating_add(TROUBLE_REST_MS)).await
    }

    /// A failed attempt: the job rests, or has failed often enough.
    async fn rest(&self, job: &Claimed, fault: String, kind: &'static str, took: Duration) -> Result<()> {
        let now_ms = self.clock.now_ms();
        let attempts = job.attempts.saturating_add(1);
        // The numbers of a limit are nobody's.
        let fault = if matches!(kind, "limit" | "late") { fault } else { scrub(&fault) };
        let fault: String = fault.chars().take(FAULT).collect();
        let next = match backoff::rest_ms(attempts, invocation::seed(&job.event_id, &job.plugin)) {
            Some(rest) => Next::Again { run_after: now_ms.saturating_add(rest) },
            None => Next::Dead { reason: self.reason(job, attempts, kind, &fault, now_ms).await? },
        };
        let outcome = if matches!(next, Next::Dead { .. }) { "dead" } else { "failed" };
        count(job, outcome);
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
            kind,
            fault,
            took_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            next,
            now_ms,
        };
        match self.store.fail(failure).await {
            Err(StoreError::Fenced) => {
                lost(job);
                Ok(())
            }
            settled => settled,
        }
    }

    /// Why the job is dead. This attempt is not among those that are stored yet.
    async fn reason(
        &self,
        job: &Claimed,
        attempts: i64,
        kind: &str,
        fault: &str,
        now_ms: i64,
    ) -> Result<String> {
        let stored = self.store.attempts(&job.id).await?;
        // Those before were of another life, which a person ended.
        let own = usize::try_from(job.attempts).unwrap_or(0);
        let first = stored.get(stored.len().saturating_sub(own)..).and_then(<[_]>::first);
        let since_ms = first.map_or(now_ms, |attempt| attempt.at);
        let Claimed { plugin, hook, .. } = job;
        Ok(Letter { plugin, hook, kind, fault, attempts, since_ms }.reason())
    }
}

/// This host was away for longer than its lease: frozen, or without its database.
fn lost(job: &Claimed) {
    count(job, "lost");
    tracing::warn!(
        shop = job.shop,
        plugin = job.plugin,
        hook = job.hook,
        job = job.id,
        "the lease of a job was over and another worker has it; nothing of this attempt was kept"
    );
}

fn count(job: &Claimed, outcome: &'static str) {
    metrics::counter!(
        "cartwright_jobs_total",
        "plugin" => job.plugin.clone(), "hook" => job.hook.clone(), "outcome" => outcome
    )
    .increment(1);
}

impl Ended {
    fn of(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            StoreError::Fenced => Self::Lost,
            StoreError::Invalid(why) => Self::Fault(why, "effects"),
            StoreError::Limit { setting, value } => {
                let fault = Fault::Limit { setting, value };
                Self::Fault(fault.to_string(), fault.kind())
            }
            // Does not heal by waiting.
            StoreError::Corrupt(_) => Self::Fault(error.to_string(), "host"),
            StoreError::Database(_)
            | StoreError::Damaged(_)
            | StoreError::Locked(_)
            | StoreError::Away(_)
            | StoreError::Unwritable(_)
            | StoreError::Collided(_) => Self::Trouble(error.to_string()),
        }
    }
}

impl Mint for Random {
    /// 60 bits in three groups; letters and digits that are not mistaken for each other (Crockford's).
    fn code(&mut self) -> String {
        const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut bytes = [0_u8; 12];
        self.failed |= rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err();
        let letters = bytes.iter().filter_map(|byte| LETTERS.chars().nth(usize::from(byte % 32)));
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
