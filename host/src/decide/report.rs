//! What is said of the work itself: how whole each section is, who was left out, and the trace.

use std::time::Duration;

use super::answer::{Completeness, Sections, Warning};
use super::asked::Asked;
use super::explain::{ExplainedCall, ExplainedProposal, Explanation, Source, Trace, Verdict};
use super::merge::Content;
use super::offers::Offered;
use super::stages::{Answered, completeness};
use crate::domain::{Effect, Hook};

/// What the `content` stage came to.
pub struct Filled {
    pub content: Content,
    pub answered: Vec<Answered>,
    pub trace: Trace,
}

pub struct Report<'a> {
    pub asked: &'a Asked,
    pub offered: Option<&'a Offered>,
    pub filled: &'a Filled,
}

impl Report<'_> {
    #[must_use]
    pub fn sections(&self) -> Sections {
        let of = |stage: Hook| -> Option<Completeness> {
            let (_, answered) = self.offered?.answered.iter().find(|(each, _)| *each == stage)?;
            Some(completeness(answered))
        };
        Sections {
            discounts: of(Hook::Pricing),
            delivery_options: of(Hook::Delivery),
            review: of(Hook::Review),
            content: Some(completeness(&self.filled.answered)),
        }
    }

    /// What went wrong inside a plugin is the shop's business; a browser learns only that it is missing.
    #[must_use]
    pub fn warnings(&self, secret: bool) -> Vec<Warning> {
        let warning = |answered: &Answered| {
            let fault = answered.fault.as_ref()?;
            let what = if answered.last_good { "its last good answer stands in" } else { "it is left out" };
            let message = if secret { format!("{what}: {fault}") } else { what.to_owned() };
            Some(Warning {
                plugin: answered.plugin.entry.name.clone(),
                stage: answered.stage.name().to_owned(),
                kind: fault.kind().to_owned(),
                message,
            })
        };
        self.everyone().filter_map(warning).collect()
    }

    fn everyone(&self) -> impl Iterator<Item = &Answered> {
        let offers = self.offered.into_iter().flat_map(|offered| &offered.answered);
        offers.flat_map(|(_, answered)| answered).chain(&self.filled.answered)
    }

    #[must_use]
    pub fn explanation(&self, generation: u64, budget_ms: u32, elapsed: Duration) -> Explanation {
        let mut calls = Vec::new();
        if let Some(offered) = self.offered {
            let own: &[Effect] = self.asked.basket.as_ref().map_or(&[], |basket| &basket.own.effects);
            for (stage, of_host) in
                [(Hook::Pricing, own), (Hook::Delivery, &offered.fallback), (Hook::Review, &[])]
            {
                if !of_host.is_empty() {
                    calls.push(ExplainedCall {
                        plugin: None,
                        version: None,
                        stage: stage.name().to_owned(),
                        elapsed_us: 0,
                        fault: None,
                        last_good: false,
                        proposals: proposals(stage, 0, of_host, &offered.trace),
                    });
                }
                if let Some((_, answered)) = offered.answered.iter().find(|(each, _)| *each == stage) {
                    calls.extend(explained(answered, &offered.trace));
                }
            }
        }
        calls.extend(explained(&self.filled.answered, &self.filled.trace));
        Explanation {
            generation,
            hook: self.asked.surroundings.hook_name.clone(),
            request_id: self.asked.surroundings.request_id.clone(),
            budget_ms,
            elapsed_us: microseconds(elapsed),
            calls,
        }
    }
}

fn explained(answered: &[Answered], trace: &Trace) -> impl Iterator<Item = ExplainedCall> {
    answered.iter().enumerate().map(|(at, each)| ExplainedCall {
        plugin: Some(each.plugin.entry.name.clone()),
        version: Some(each.plugin.plugin.manifest.version.clone()),
        stage: each.stage.name().to_owned(),
        elapsed_us: microseconds(each.elapsed),
        fault: each.fault.as_ref().map(ToString::to_string),
        last_good: each.last_good,
        proposals: proposals(each.stage, at.saturating_add(1), &each.effects, trace),
    })
}

fn proposals(stage: Hook, call: usize, effects: &[Effect], trace: &Trace) -> Vec<ExplainedProposal> {
    effects
        .iter()
        .enumerate()
        .map(|(at, effect)| {
            let (verdict, reason) =
                trace.of(Source { stage, call, effect: at }).unwrap_or((Verdict::Kept, None));
            ExplainedProposal {
                proposed: serde_json::to_value(effect).unwrap_or_default(),
                verdict,
                reason: reason.map(str::to_owned),
            }
        })
        .collect()
}

fn microseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
