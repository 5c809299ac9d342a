//! Why a job is dead, as a person reads it: what failed, how often, since when, and what to do. Pure.

use crate::domain::instant;

/// A job that has failed often enough.
pub(super) struct Letter<'a> {
    pub plugin: &'a str,
    pub hook: &'a str,
    /// Of the last attempt.
    pub kind: &'a str,
    /// The same, scrubbed.
    pub fault: &'a str,
    pub attempts: i64,
    /// The first of these attempts, UTC milliseconds.
    pub since_ms: i64,
}

impl Letter<'_> {
    pub(super) fn reason(&self) -> String {
        let Self { plugin, hook, fault, attempts, .. } = self;
        let since = instant::to_rfc3339(self.since_ms);
        let fault = fault.trim_end_matches(['.', ' ']);
        let advice = advice(self.kind);
        format!(
            "`{plugin}` failed on `{hook}` {attempts} times since {since}, the last time with: {fault}. \
             {advice}, then retry this job, or drop it."
        )
    }
}

fn advice(kind: &str) -> &'static str {
    match kind {
        "err" => "The plugin says itself what it lacks: correct its settings or the data it speaks of",
        "trap" => "This is a mistake in the plugin: install a corrected version",
        "late" => "The plugin is too slow: raise `limits.event_ms`, or install a faster version",
        "limit" => "The plugin needs more than it may use: raise that limit, or install a thriftier version",
        "effects" => {
            "The plugin asks for what cannot be: correct its settings, or install a corrected version"
        }
        _ => "The host could not have this done: its log has more; correct what it names",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_how_often_since_when_and_what_to_do() {
        let letter = Letter {
            plugin: "loyalty-messages",
            hook: "order-placed",
            kind: "err",
            fault: "no tiers are set. ",
            attempts: 8,
            since_ms: 1_795_000_000_000,
        };
        assert_eq!(
            letter.reason(),
            "`loyalty-messages` failed on `order-placed` 8 times since 2026-11-18T11:06:40Z, the last time \
             with: no tiers are set. The plugin says itself what it lacks: correct its settings or the data it \
             speaks of, then retry this job, or drop it."
        );
    }

    #[test]
    fn each_kind_has_an_advice_of_its_own() {
        let kinds = ["err", "trap", "late", "limit", "effects", "host"];
        let advices: std::collections::BTreeSet<_> = kinds.into_iter().map(advice).collect();
        assert_eq!(advices.len(), kinds.len());
    }
}
