//! What is live: one immutable snapshot of configuration, plugins, texts and templates, swapped whole.

mod accepted;
mod build;
mod files;
mod plugin;
mod public;
mod refusals;
mod report;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::config::calendar::Calendar;
use crate::config::{Certificate, HostConfig, Limits, PluginEntry, ShopConfig};
use crate::domain::{Clock, Fetch, Hook, Shop};
use crate::plugins::code::Code;
use crate::plugins::engine::Sandbox;
use crate::plugins::manifest::Manifest;
use crate::plugins::permissions::{Asks, Permission};
use crate::plugins::standing::Standing;
use crate::plugins::trust::{self, Signed};
use crate::plugins::upgrade::Waiting;
use crate::threads;
use crate::wording::Wording;
use build::Kept;
use report::report;

/// A compiled plugin, shared by all shops that use the same bytes.
#[derive(Debug)]
pub struct Plugin {
    pub manifest: Manifest,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    pub bytes: u64,
    pub hooks: BTreeSet<Hook>,
    pub permissions: BTreeSet<Permission>,
    /// What it uses when granted.
    pub optional: BTreeSet<Permission>,
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
    /// By whom, when that was verified.
    pub(super) signed: Option<Signed>,
    pub(super) standing: Standing,
}

impl Plugin {
    pub(super) fn asks(&self) -> Asks {
        Asks {
            hooks: self.hooks.clone(),
            permissions: self.permissions.clone(),
            optional: self.optional.clone(),
        }
    }
}

impl LivePlugin {
    /// `limits` are the host's; an entry that asks for more than they allow gets what they allow.
    #[must_use]
    pub fn new(shop: &str, entry: PluginEntry, plugin: Arc<Plugin>, settings: &str, limits: &Limits) -> Self {
        let (limits, _) = limits.of_plugin(&entry.limits);
        let standing = Standing::new(&limits);
        Self { shop: shop.into(), entry, plugin, settings: settings.into(), limits, signed: None, standing }
    }
}

impl LivePlugin {
    /// Id of the trusted key that signed it, as minisign shows it.
    #[must_use]
    pub fn signed_with(&self) -> Option<String> {
        trust::signed_with(&self.signed.as_ref()?.text)
    }

    pub(super) fn signed_by(self, signed: Option<Signed>) -> Self {
        Self { signed, ..self }
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
    /// `plugin`, `settings`, `limits`, `texts`, `templates`, `shop`, `host`, `tls`.
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
    /// Versions that are there and not served, while an older one is.
    pub waiting: Vec<Waiting>,
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
    /// What new connections are shown.
    certificate: ArcSwapOption<Certificate>,
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
    /// reported in the snapshot; only a broken `cartwright.toml` or certificate is an error.
    pub async fn open(folder: &Path) -> anyhow::Result<Arc<Self>> {
        Self::opened(folder, Clock::default(), None, false).await
    }

    /// The same for a host: with a clock that may be moved, plugins that ask other servers, and what is live
    /// kept for the next start.
    pub async fn open_with(
        folder: &Path,
        clock: Clock,
        fetch: Option<Arc<dyn Fetch>>,
    ) -> anyhow::Result<Arc<Self>> {
        Self::opened(folder, clock, fetch, true).await
    }

    async fn opened(
        folder: &Path,
        clock: Clock,
        fetch: Option<Arc<dyn Fetch>>,
        keeps: bool,
    ) -> anyhow::Result<Arc<Self>> {
        let folder = folder.to_owned();
        let runtime = Handle::current();
        let registry = spawn_blocking(move || -> anyhow::Result<Self> {
            let host = Arc::new(crate::config::load_host(&folder)?);
            let certificate = ArcSwapOption::new(Certificate::read(&host, None)?);
            let mut sandbox = Sandbox::new(&host.limits)?;
            sandbox.fetch = fetch;
            let sandbox = Arc::new(sandbox);
            let mut kept = Kept::new(&sandbox, &host.data_dir, keeps);
            let snapshot = build::snapshot(&sandbox, &runtime, host, Vec::new(), None, &mut kept);
            let live = ArcSwap::from_pointee(snapshot);
            Ok(Self { folder, sandbox, clock, live, certificate, kept: Mutex::new(kept) })
        })
        .await??;
        report(None, &registry.current());
        registry.tell_of_end();
        Ok(Arc::new(registry))
    }

    /// The live snapshot; pin it for one request or one job attempt.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.live.load_full()
    }

    /// What new connections are shown; `None`: plain HTTP.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.load_full()
    }

    /// Says in the log when the certificate ends soon.
    pub fn tell_of_end(&self) {
        let Some(certificate) = self.certificate() else { return };
        let now_ms = self.clock.now_ms();
        if let Some(told) = certificate.ends_soon(now_ms) {
            tracing::warn!(ended = certificate.has_ended(now_ms), "{told}");
        }
    }

    /// Reads everything again and swaps the snapshot if anything changed. What is broken keeps its
    /// live version and becomes a problem of the new snapshot.
    pub async fn reload(&self) -> Arc<Snapshot> {
        let mut kept = self.kept.lock().await;
        let before = self.current();
        let (folder, sandbox, runtime) = (self.folder.clone(), self.sandbox.clone(), Handle::current());
        let (old, mut own) = (before.clone(), std::mem::take(&mut *kept));
        let shown = self.certificate();
        let read = threads::background()
            .spawn_blocking(move || {
                let (host, mut problems) = build::host(&folder, &sandbox, &old.host);
                let certificate = Certificate::read(&host, shown.as_ref()).unwrap_or_else(|error| {
                    problems.push(build::problem("tls", &error));
                    shown
                });
                let after = build::snapshot(&sandbox, &runtime, host, problems, Some(&old), &mut own);
                (after, own, certificate)
            })
            .await;
        let Ok((after, own, certificate)) = read else {
            tracing::error!("reading the files again ended in a panic; what was live stays live");
            return before;
        };
        *kept = own;
        self.show(certificate);
        if after.same_as(&before) {
            return before;
        }
        let after = Arc::new(after);
        self.live.store(after.clone());
        report(Some(&before), &after);
        after
    }

    fn show(&self, certificate: Option<Arc<Certificate>>) {
        let before = self.certificate.swap(certificate.clone());
        let same = match (&before, &certificate) {
            (Some(before), Some(certificate)) => Arc::ptr_eq(before, certificate),
            (before, certificate) => before.is_none() && certificate.is_none(),
        };
        if !same {
            tracing::info!(
                tls = certificate.is_some(),
                "new connections are accepted with other certificates"
            );
            self.tell_of_end();
        }
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

    /// The plugin of this name in a shop.
    #[must_use]
    pub fn live(&self, shop: &str, plugin: &str) -> Option<&Arc<LivePlugin>> {
        self.shops.get(shop)?.plugins.iter().find(|live| live.entry.name == plugin)
    }

    /// Nothing that anyone could notice is different.
    fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.host, &other.host)
            && self.problems == other.problems
            && self.waiting == other.waiting
            && self.shops.len() == other.shops.len()
            && self
                .shops
                .iter()
                .zip(&other.shops)
                .all(|(one, two)| one.0 == two.0 && Arc::ptr_eq(one.1, two.1))
    }
}

#[cfg(test)]
mod tests;
