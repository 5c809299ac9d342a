//! What a new snapshot says in the log.

use std::sync::Arc;

use super::Snapshot;
use crate::plugins::meters::show_breaker;
use crate::plugins::upgrade::Waiting;

/// Says what became live, and what is newly broken or mended.
pub(super) fn report(before: Option<&Snapshot>, after: &Snapshot) {
    for live in before.into_iter().flat_map(Snapshot::plugins) {
        show_breaker(&live.shop, &live.entry.name, None);
    }
    for live in after.plugins() {
        show_breaker(&live.shop, &live.entry.name, Some(live.breaker().position));
    }
    let known = before.map_or(&[][..], |before| &before.problems);
    for problem in after.problems.iter().filter(|problem| !known.contains(problem)) {
        let (shop, plugin) = (problem.shop.as_deref(), problem.plugin.as_deref());
        let text = problem.report.as_deref().unwrap_or(&problem.message);
        tracing::warn!(kind = problem.kind, file = problem.file, shop, plugin, "{text}");
    }
    let waited = before.map_or(&[][..], |before| &before.waiting);
    for waiting in after.waiting.iter().filter(|waiting| !waited.contains(waiting)) {
        let Waiting { shop, plugin, version, sha256, asked, .. } = waiting;
        let live = after.live(shop, plugin).map_or("", |live| live.plugin.manifest.version.as_str());
        tracing::warn!(shop, plugin, live, version, sha256, "a version waits: it {asked}");
    }
    for problem in known.iter().filter(|problem| !after.problems.contains(problem)) {
        tracing::info!(kind = problem.kind, file = problem.file, "no longer: {}", problem.message);
    }
    let changed: Vec<&str> = after
        .shops
        .iter()
        .filter(|(id, shop)| {
            before.and_then(|before| before.shops.get(*id)).is_none_or(|old| !Arc::ptr_eq(old, shop))
        })
        .map(|(id, _)| id.as_str())
        .collect();
    tracing::info!(
        generation = after.generation,
        shops = after.shops.len(),
        changed = changed.join(","),
        problems = after.problems.len(),
        "configuration is live"
    );
}
