//! What is live: one immutable snapshot of configuration, plugins, texts and templates, swapped whole.

mod build;
mod files;
mod plugin;
mod refusals;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::config::calendar::Calendar;
use crate::config::{HostConfig, Limits, PluginEntry, ShopConfig};
use crate::domain::{Clock, Fetch, Hook, Shop};
use crate::plugins::code::Code;
use crate::plugins::engine::Sandbox;
use crate::plugins::manifest::Manifest;
use crate::plugins::meters::show_breaker;
use crate::plugins::permissions::Permission;
use crate::plugins::standing::Standing;
use crate::wording::Wording;
use build::Kept;

/// A compiled plugin, shared by all shops that use the same bytes.
#[derive(Debug)]
pub struct Plugin {
    pub manifest: Manifest,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    pub bytes: u64,
    pub hooks: BTreeSet<Hook>,
    pub permissions: BTreeSet<Permission>,
    /// Compiled; `Code::default()` (every call is a fault) is enough for tests of other rooms.
    pub code: Code,
}

/// A plugin enabled in a shop.
#[derive(Debug)]
pub struct LivePlugin {
    /// Id of the shop.
    pub shop: Arc<str>,
    pub entry: PluginEntry,
    pub plugin: Arc<Plugin>,
    /// JSON that fits the schema, defaults filled in.
    pub settings: Arc<str>,
    /// The host's, with what its entry says of them.
    pub limits: Limits,
    pub(super) standing: Standing,
}

impl LivePlugin {
    /// `limits` are the host's; an entry that asks for more than they allow gets what they allow.
    #[must_use]
    pub fn new(shop: &str, entry: PluginEntry, plugin: Arc<Plugin>, settings: &str, limits: &Limits) -> Self {
        let (limits, _) = limits.of_plugin(&entry.limits);
        let standing = Standing::new(&limits);
        Self { shop: shop.into(), entry, plugin, settings: settings.into(), limits, standing }
    }
}

/// One shop as it is live.
#[derive(Debug)]
pub struct LiveShop {
    pub config: ShopConfig,
    /// What plugins and pages are told of it.
    pub public: Arc<Shop>,
    pub calendar: Arc<Calendar>,
    pub wording: Arc<Wording>,
    /// In the merchant's order.
    pub plugins: Vec<Arc<LivePlugin>>,
}

/// Something that is wrong with a file; what was live before stays live.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `plugin`, `settings`, `limits`, `texts`, `templates`, `shop`, `host`.
    pub kind: String,
    pub file: String,
    pub shop: Option<String>,
    pub plugin: Option<String>,
    /// A sentence that says what is wrong and what to do.
    pub message: String,
    /// The same with the lines of the file and a caret, when it is about a configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

#[derive(Debug)]
pub struct Snapshot {
    pub generation: u64,
    pub host: Arc<HostConfig>,
    pub shops: BTreeMap<String, Arc<LiveShop>>,
    pub problems: Vec<Problem>,
}

impl LiveShop {
    /// Enabled plugins that export a hook, in the merchant's order.
    pub fn subscribed(&self, hook: Hook) -> impl Iterator<Item = &Arc<LivePlugin>> {
        self.plugins.iter().filter(move |live| live.plugin.hooks.contains(&hook))
    }
}

/// Owns the sandbox and the live snapshot.
pub struct Registry {
    folder: PathBuf,
    sandbox: Arc<Sandbox>,
    /// What breakers go by.
    clock: Clock,
    live: ArcSwap<Snapshot>,
    /// Held while files are read: one reload at a time.
    kept: Mutex<Kept>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads `cartwright.toml` in `folder` and all it names. Broken plugins and shops are left out and
    /// reported in the snapshot; only a broken `cartwright.toml` is an error.
    pub async fn open(folder: &Path) -> anyhow::Result<Arc<Self>> {
        Self::open_with(folder, Clock::default(), None).await
    }

    /// The same with a clock that may be moved, and for a host whose plugins ask other servers.
    pub async fn open_with(
        folder: &Path,
        clock: Clock,
        fetch: Option<Arc<dyn Fetch>>,
    ) -> anyhow::Result<Arc<Self>> {
        let folder = folder.to_owned();
        let runtime = Handle::current();
        let registry = spawn_blocking(move || -> anyhow::Result<Self> {
            let host = Arc::new(crate::config::load_host(&folder)?);
            let mut sandbox = Sandbox::new(&host.limits)?;
            sandbox.fetch = fetch;
            let sandbox = Arc::new(sandbox);
            let mut kept = Kept::new(&sandbox, &host.data_dir);
            let snapshot = build::snapshot(&sandbox, &runtime, host, Vec::new(), None, &mut kept);
            let live = ArcSwap::from_pointee(snapshot);
            Ok(Self { folder, sandbox, clock, live, kept: Mutex::new(kept) })
        })
        .await??;
        report(None, &registry.current());
        Ok(Arc::new(registry))
    }

    /// The live snapshot; pin it for one request or one job attempt.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.live.load_full()
    }

    /// Reads everything again and swaps the snapshot if anything changed. What is broken keeps its
    /// live version and becomes a problem of the new snapshot.
    pub async fn reload(&self) -> Arc<Snapshot> {
        let mut kept = self.kept.lock().await;
        let before = self.current();
        let (folder, sandbox, runtime) = (self.folder.clone(), self.sandbox.clone(), Handle::current());
        let (old, mut own) = (before.clone(), std::mem::take(&mut *kept));
        let read = spawn_blocking(move || {
            let (host, problems) = build::host(&folder, &sandbox, &old.host);
            let after = build::snapshot(&sandbox, &runtime, host, problems, Some(&old), &mut own);
            (after, own)
        })
        .await;
        let Ok((after, own)) = read else {
            tracing::error!("reading the files again ended in a panic; what was live stays live");
            return before;
        };
        *kept = own;
        if after.same_as(&before) {
            return before;
        }
        let after = Arc::new(after);
        self.live.store(after.clone());
        report(Some(&before), &after);
        after
    }

    pub(super) fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}

impl Snapshot {
    /// Of all shops.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<LivePlugin>> {
        self.shops.values().flat_map(|shop| &shop.plugins)
    }

    /// Nothing that anyone could notice is different.
    fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.host, &other.host)
            && self.problems == other.problems
            && self.shops.len() == other.shops.len()
            && self
                .shops
                .iter()
                .zip(&other.shops)
                .all(|(one, two)| one.0 == two.0 && Arc::ptr_eq(one.1, two.1))
    }
}

/// Says what became live, and what is newly broken or mended.
fn report(before: Option<&Snapshot>, after: &Snapshot) {
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

#[cfg(test)]
mod tests;
