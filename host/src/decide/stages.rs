//! One stage: all its plugins at once, within what is left of the hook's latency budget.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::answer::Completeness;
use super::last_good::{Fingerprint, Key, LastGood};
use crate::config::OnLate;
use crate::domain::scrub::scrub;
use crate::domain::{Effect, Hook};
use crate::plugins::call::{Fault, Input, Invocation, Outcome, Reads, Surroundings, Within};
use crate::plugins::registry::{LivePlugin, LiveShop, Registry};

/// Calls a plugin: the [`Registry`] but in tests.
#[async_trait]
pub trait Caller: Send + Sync {
    async fn call(&self, invocation: Invocation) -> Outcome;
}

#[async_trait]
impl Caller for Registry {
    async fn call(&self, invocation: Invocation) -> Outcome {
        Registry::call(self, invocation).await
    }
}

/// Runs stages. Cheap to clone.
#[derive(Clone)]
pub struct Stages {
    caller: Arc<dyn Caller>,
    last_good: LastGood,
}

/// What all stages of a question share.
pub struct Course<'a> {
    pub shop: &'a LiveShop,
    pub generation: u64,
    pub reads: Arc<dyn Reads>,
    pub customer_id: Option<String>,
    pub order_id: Option<String>,
    /// When the hook's budget is over.
    pub deadline: Instant,
}

/// What one plugin answered in a stage.
#[derive(Debug, Clone)]
pub struct Answered {
    pub plugin: Arc<LivePlugin>,
    pub stage: Hook,
    pub elapsed: Duration,
    pub fault: Option<Fault>,
    /// The effects are those of its last good answer.
    pub last_good: bool,
    pub effects: Vec<Effect>,
}

impl Stages {
    #[must_use]
    pub fn new(caller: Arc<dyn Caller>) -> Self {
        Self { caller, last_good: LastGood::default() }
    }

    /// Calls all subscribed plugins concurrently, on this task. In the merchant's order, whoever answered
    /// first; a plugin that is late or fails has a fault and no effects, or those of its last good answer.
    pub async fn run(
        &self,
        course: &Course<'_>,
        stage: Hook,
        input: &Input,
        surroundings: &Arc<Surroundings>,
    ) -> Vec<Answered> {
        let plugins: Vec<&Arc<LivePlugin>> = course.shop.subscribed(stage).collect();
        let fingerprint = plugins.iter().any(|plugin| plugin.entry.on_late == OnLate::LastGood).then(|| {
            Fingerprint::of(input, surroundings, course.customer_id.as_deref(), course.order_id.as_deref())
        });
        join_all(plugins.into_iter().map(|plugin| {
            self.ask(course, stage, plugin, input.clone(), Arc::clone(surroundings), fingerprint)
        }))
        .await
    }

    async fn ask(
        &self,
        course: &Course<'_>,
        stage: Hook,
        plugin: &Arc<LivePlugin>,
        input: Input,
        surroundings: Arc<Surroundings>,
        fingerprint: Option<Fingerprint>,
    ) -> Answered {
        let asked = Instant::now();
        let asked_with = Arc::clone(&surroundings);
        let left = course.deadline.saturating_duration_since(asked);
        let late =
            Fault::Late { ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX), within: Within::Budget };
        let result = if left.is_zero() {
            Err(late)
        } else {
            let invocation = Invocation {
                plugin: Arc::clone(plugin),
                hook: stage,
                input,
                surroundings,
                customer_id: course.customer_id.clone(),
                order_id: course.order_id.clone(),
                reads: Arc::clone(&course.reads),
                journal: None,
                until: course.deadline,
            };
            // The call keeps its own deadline; this one also bounds what it may have to wait for before.
            match timeout_at(course.deadline, self.caller.call(invocation)).await {
                Ok(outcome) => outcome.result,
                Err(_) => Err(late),
            }
        };
        let key = fingerprint.filter(|_| plugin.entry.on_late == OnLate::LastGood).map(|question| Key {
            generation: course.generation,
            shop: course.shop.config.id.clone(),
            plugin: plugin.entry.name.clone(),
            stage,
            question,
        });
        let (effects, fault, last_good) = match result {
            Ok(effects) => {
                if let Some(key) = key {
                    self.last_good.keep(key, &effects);
                }
                (effects, None, false)
            }
            Err(fault) => {
                // Of an open breaker the log knows already.
                if !matches!(fault, Fault::BreakerOpen { .. }) && plugin.may_be_told_of() {
                    tracing::warn!(
                        shop = course.shop.config.id,
                        plugin = plugin.entry.name,
                        stage = stage.name(),
                        kind = fault.kind(),
                        request_id = asked_with.request_id,
                        "a plugin is left out of a decision: {}",
                        scrub(&fault.to_string())
                    );
                }
                let kept = key.as_ref().and_then(|key| self.last_good.find(key));
                let last_good = kept.is_some();
                (kept.map(|kept| kept.to_vec()).unwrap_or_default(), Some(fault), last_good)
            }
        };
        Answered { plugin: Arc::clone(plugin), stage, elapsed: asked.elapsed(), fault, last_good, effects }
    }
}

/// How whole a section is that these made.
#[must_use]
pub fn completeness(answered: &[Answered]) -> Completeness {
    let mut faulty = answered.iter().filter(|each| each.fault.is_some()).peekable();
    if faulty.peek().is_none() {
        Completeness::Complete
    } else if faulty.any(|each| each.plugin.entry.on_late == OnLate::Fail) {
        Completeness::Failed
    } else {
        Completeness::Partial
    }
}
