//! One `[[plugins]]` entry of a shop.

use std::sync::Arc;

use serde::Deserialize;

use super::HostGrant;
use super::limits::PluginLimits;

/// A plugin as the merchant enabled it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginEntry {
    /// Unique in the shop; scopes the plugin's state, texts and templates.
    pub name: String,
    /// File name in `plugins_dir`.
    pub source: String,
    /// Hex; when given, another file is refused.
    #[serde(default)]
    pub sha256: Option<String>,
    #[serde(default)]
    pub grants: Vec<String>,
    /// Hosts for `http` and for links, beside the shop's own.
    #[serde(default)]
    pub hosts: Vec<HostGrant>,
    #[serde(default = "empty_settings")]
    pub settings: Arc<toml::Value>,
    #[serde(default)]
    pub on_late: OnLate,
    /// Instead of the host's `[limits]`; more only up to its `[limits.maximum]`.
    #[serde(default)]
    pub limits: PluginLimits,
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl PluginEntry {
    /// A sentence about a file with this hash, when `sha256` pins another.
    #[must_use]
    pub fn another_than_pinned(&self, sha256: &str) -> Option<String> {
        let pinned = self.sha256.as_ref().is_none_or(|pin| pin.eq_ignore_ascii_case(sha256));
        (!pinned).then(|| {
            format!(
                "is another file than `sha256` pins: it has {sha256}; if it is the right one, write that hash"
            )
        })
    }
}

/// What becomes of a section when a plugin does not answer in time or fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnLate {
    /// The answer goes without it.
    #[default]
    LeaveOut,
    /// Its last good answer for the same question stands in.
    LastGood,
    /// The section is marked `failed`; the answer is still 200.
    Fail,
}

fn empty_settings() -> Arc<toml::Value> {
    Arc::new(toml::Value::Table(toml::Table::new()))
}

fn yes() -> bool {
    true
}
