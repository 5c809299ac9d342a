//! The trace of a decision: who was called, what each proposed, and what the host made of it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Hook;

/// The answer to `?explain=true`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explanation {
    /// Of the snapshot that answered.
    pub generation: u64,
    pub hook: String,
    pub request_id: String,
    /// What the hook may take in all, ms.
    pub budget_ms: u32,
    /// What it took, µs.
    pub elapsed_us: u64,
    /// In the order of the stages, and in the merchant's order within one.
    pub calls: Vec<ExplainedCall>,
}

/// One plugin in one stage; the host's own coupons and fallback options are calls without a plugin.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplainedCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub stage: String,
    /// Wall time, µs.
    pub elapsed_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The effects are those of its last good answer (`on_late = "last-good"`).
    pub last_good: bool,
    pub proposals: Vec<ExplainedProposal>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplainedProposal {
    /// As the plugin said it.
    #[schema(value_type = Object)]
    pub proposed: serde_json::Value,
    pub verdict: Verdict,
    /// Why it was changed or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Kept,
    Changed,
    Dropped,
}

/// Where a proposal comes from. Ordered: stages, the merchant's order within one, the plugin's own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub stage: Hook,
    /// 0 is the host itself.
    pub call: usize,
    pub effect: usize,
}

/// What was ruled on each proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    rulings: BTreeMap<Source, (Verdict, Option<String>)>,
}

impl Trace {
    pub fn kept(&mut self, source: Source) {
        self.rulings.entry(source).or_insert((Verdict::Kept, None));
    }

    /// Changes of one proposal add up.
    pub fn changed(&mut self, source: Source, reason: String) {
        self.rule(source, Verdict::Changed, reason);
    }

    /// The last word.
    pub fn dropped(&mut self, source: Source, reason: String) {
        self.rule(source, Verdict::Dropped, reason);
    }

    fn rule(&mut self, source: Source, verdict: Verdict, reason: String) {
        let ruling = self.rulings.entry(source).or_insert((verdict, None));
        ruling.0 = verdict;
        ruling.1 = Some(match ruling.1.take() {
            Some(before) => format!("{before}; {reason}"),
            None => reason,
        });
    }

    #[must_use]
    pub fn of(&self, source: Source) -> Option<(Verdict, Option<&str>)> {
        self.rulings.get(&source).map(|(verdict, reason)| (*verdict, reason.as_deref()))
    }
}
