//! What is known of a plugin that is live in a shop, beside its code: its breaker, what it has under way, its
//! counters. It begins anew with each version, setting and limit: what failed may be mended.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::{BreakerConfig, Limits};
use crate::plugins::breaker::{Admission, Breaker, Ending, Position, Tripped};
use crate::plugins::call::Fault;
use crate::plugins::lines::Lines;
use crate::plugins::meters::{CallMeters, passed, show_breaker};
use crate::plugins::pace::Habit;
use crate::plugins::registry::LivePlugin;
use crate::plugins::slots::Lane;

#[derive(Debug)]
pub struct Standing {
    pub(super) meters: CallMeters,
    /// What it logs itself.
    pub(super) lines: Lines,
    /// What the host says of it: its own lines do not drown them.
    told: Lines,
    pub(super) decisions: Arc<Lane>,
    pub(super) events: Arc<Lane>,
    pub(super) habit: Habit,
    breaker: Mutex<Breaker>,
    jobs: AtomicU32,
}

/// The breaker, as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerView {
    pub position: Position,
    /// None: it is closed.
    pub tripped: Option<Tripped>,
    /// When an open one is tried.
    pub tried_at: Option<i64>,
}

impl Standing {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            meters: CallMeters::default(),
            lines: Lines::new(limits.log_lines_per_second),
            told: Lines::new(limits.log_lines_per_second),
            decisions: Arc::default(),
            events: Arc::default(),
            habit: Habit::default(),
            breaker: Mutex::default(),
            jobs: AtomicU32::new(0),
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A share of slots: at least one.
#[must_use]
pub fn part(slots: u32, percent: u32) -> u32 {
    let part = u64::from(slots) * u64::from(percent) / 100;
    u32::try_from(part).unwrap_or(u32::MAX).clamp(1, slots.max(1))
}

impl LivePlugin {
    #[must_use]
    pub fn breaker(&self) -> BreakerView {
        let breaker = self.standing.breaker();
        BreakerView {
            position: breaker.position(),
            tripped: breaker.tripped().cloned(),
            tried_at: breaker.tried_at(),
        }
    }

    /// How many more of its jobs may be begun now, of so many slots that a host has for all.
    #[must_use]
    pub fn room(&self, config: &BreakerConfig, slots: u32, now_ms: i64) -> u32 {
        let share = part(slots, self.limits.share_percent).saturating_sub(self.jobs_under_way());
        let Some(probes) = self.standing.breaker().room(config, now_ms) else { return share };
        // Those that have a slot already and are not called yet.
        share.min(probes).min(config.probes.saturating_sub(self.jobs_under_way()))
    }

    #[must_use]
    pub fn jobs_under_way(&self) -> u32 {
        self.standing.jobs.load(Ordering::Relaxed)
    }

    /// One of its jobs is under way until this is dropped.
    #[must_use]
    pub fn job(self: &Arc<Self>) -> JobUnderWay {
        self.standing.jobs.fetch_add(1, Ordering::Relaxed);
        JobUnderWay(Arc::clone(self))
    }

    /// A line about the plugin's own doing is due: not each of a thousand calls that fail is one.
    #[must_use]
    pub fn may_be_told_of(&self) -> bool {
        self.standing.told.admit(&self.shop, &self.entry.name)
    }

    /// What a call that went well asked for could not be: the call counts twice, once as well and once as failed.
    pub fn reproach(&self, config: &BreakerConfig, now_ms: i64, fault: &Fault) {
        if let Fault::Limit { setting, .. } = fault {
            passed(&self.shop, &self.entry.name, setting);
        }
        let text = fault.told();
        self.settle(config, now_ms, &Admission::Normal, Ending::Bad(&text));
    }

    fn settle(&self, config: &BreakerConfig, now_ms: i64, admission: &Admission, ending: Ending<'_>) {
        let (before, after) = {
            let mut breaker = self.standing.breaker();
            let before = breaker.position();
            breaker.settle(config, now_ms, admission, ending);
            (before, breaker.position())
        };
        self.changed(before, after);
    }

    pub(super) fn admit(self: &Arc<Self>, config: &BreakerConfig, now_ms: i64) -> Result<Admitted, Fault> {
        let (before, admission, after) = {
            let mut breaker = self.standing.breaker();
            let before = breaker.position();
            (before, breaker.admit(config, now_ms), breaker.position())
        };
        self.changed(before, after);
        match admission {
            Admission::Refused { tripped, until_ms } => Err(Fault::BreakerOpen {
                since_ms: tripped.since_ms,
                until_ms,
                why: tripped.why.as_ref().into(),
            }),
            admission => Ok(Admitted { plugin: Arc::clone(self), admission, settled: false }),
        }
    }

    fn changed(&self, before: Position, after: Position) {
        if before == after {
            return;
        }
        show_breaker(&self.shop, &self.entry.name, Some(after));
        let (shop, plugin) = (self.shop.as_ref(), self.entry.name.as_str());
        let why = self.breaker().tripped.map(|tripped| tripped.why);
        match after {
            Position::Open => {
                tracing::warn!(
                    shop,
                    plugin,
                    why = why.as_deref(),
                    "the plugin is left alone: its breaker is open"
                );
            }
            Position::HalfOpen => {
                tracing::info!(shop, plugin, "the plugin is tried again: its breaker is half open");
            }
            Position::Closed => tracing::info!(shop, plugin, "the plugin works again: its breaker is closed"),
        }
    }
}

/// See [`LivePlugin::job`].
#[derive(Debug)]
pub struct JobUnderWay(Arc<LivePlugin>);

impl Drop for JobUnderWay {
    fn drop(&mut self) {
        self.0.standing.jobs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that the breaker let through. Dropped without an end, it says nothing about the plugin.
pub(super) struct Admitted {
    plugin: Arc<LivePlugin>,
    admission: Admission,
    settled: bool,
}

impl Admitted {
    /// `fair`: what the call was given was enough to judge it by.
    pub(super) fn settle(mut self, config: &BreakerConfig, now_ms: i64, fault: Option<&Fault>, fair: bool) {
        self.settled = true;
        let Some(fault) = fault else { return self.end(config, now_ms, Ending::Good) };
        if fair && fault.is_the_plugins() {
            let text = fault.told();
            self.end(config, now_ms, Ending::Bad(&text));
        } else {
            self.end(config, now_ms, Ending::Neither);
        }
    }

    fn end(&self, config: &BreakerConfig, now_ms: i64, ending: Ending<'_>) {
        self.plugin.settle(config, now_ms, &self.admission, ending);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if !self.settled && matches!(self.admission, Admission::Probe(_)) {
            self.end(&BreakerConfig::default(), 0, Ending::Neither);
        }
    }
}
