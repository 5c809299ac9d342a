//! How long decisions take, and how whole they are.

use std::time::Duration;

use super::answer::{Completeness, Sections};
use crate::domain::DecisionHook;

/// `cartwright_decision_seconds{hook}` and `cartwright_decision_sections_total{hook,section,completeness}`.
pub fn count(hook: DecisionHook, sections: &Sections, elapsed: Duration) {
    metrics::histogram!("cartwright_decision_seconds", "hook" => hook.name()).record(elapsed.as_secs_f64());
    let each = [
        ("discounts", sections.discounts),
        ("delivery_options", sections.delivery_options),
        ("review", sections.review),
        ("content", sections.content),
    ];
    for (section, completeness) in each {
        let Some(completeness) = completeness else { continue };
        let completeness = match completeness {
            Completeness::Complete => "complete",
            Completeness::Partial => "partial",
            Completeness::Failed => "failed",
        };
        metrics::counter!(
            "cartwright_decision_sections_total",
            "hook" => hook.name(),
            "section" => section,
            "completeness" => completeness,
        )
        .increment(1);
    }
}
