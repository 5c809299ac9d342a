//! The trace of a decision: who was called, what each proposed, and what the host made of it.

use serde::Serialize;
use utoipa::ToSchema;

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
