//! What is live: one immutable snapshot of configuration, plugins, texts and templates, swapped whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::calendar::Calendar;
use crate::config::{HostConfig, PluginEntry, ShopConfig};
use crate::domain::{Hook, Shop};
use crate::plugins::code::Code;
use crate::plugins::manifest::Manifest;
use crate::plugins::meters::CallMeters;
use crate::plugins::permissions::Permission;
use crate::wording::Wording;

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
    pub entry: PluginEntry,
    pub plugin: Arc<Plugin>,
    /// JSON that fits the schema, defaults filled in.
    pub settings: Arc<str>,
    /// Counters of its calls; begin with the default.
    pub meters: CallMeters,
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
    /// `plugin`, `settings`, `texts`, `templates`, `shop`, `host`.
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

/// Owns the engines and the live snapshot.
pub struct Registry {}

impl Registry {
    /// Reads `cartwright.toml` in `folder` and all it names. Broken plugins and shops are left out and
    /// reported in the snapshot; only a broken `cartwright.toml` is an error.
    pub async fn open(folder: &std::path::Path) -> anyhow::Result<Arc<Self>> {
        let _ = folder;
        todo!()
    }

    /// The live snapshot; pin it for one request or one job attempt.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        todo!()
    }

    /// Reads everything again and swaps the snapshot if anything changed. What is broken keeps its
    /// live version and becomes a problem of the new snapshot.
    pub async fn reload(&self) -> Arc<Snapshot> {
        todo!()
    }
}
