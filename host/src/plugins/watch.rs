//! Watches the files and reloads when they change.

use std::sync::Arc;

use crate::plugins::registry::Registry;

/// Watching ends when it is dropped.
pub struct WatchGuard {}

/// Watches `cartwright.toml`, shops, plugins and templates; a change is live within 300 ms.
pub fn watch(registry: Arc<Registry>) -> anyhow::Result<WatchGuard> {
    let _ = registry;
    todo!()
}
