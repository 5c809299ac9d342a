//! What is live: for the shop's eyes.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::keys::Caller;
use super::problem::Problem;
use crate::config::Mode;
use crate::domain::{Hook, instant};
use crate::plugins::permissions::Permission;
use crate::plugins::registry::{LiveShop, Problem as ConfigProblem, Snapshot};
use crate::plugins::standing::BreakerView;
use crate::plugins::upgrade::{AskedChange, Waiting};

/// The plugins of a shop.
#[derive(Debug, Serialize, ToSchema)]
pub struct PluginList {
    /// Grows each time something that is live changes.
    pub generation: u64,
    /// `test` or `live`.
    pub mode: String,
    /// In the merchant's order.
    pub plugins: Vec<PluginView>,
    /// Files that are wrong; what was live before stays live.
    pub problems: Vec<ConfigProblem>,
}

/// A plugin that is live.
#[derive(Debug, Serialize, ToSchema)]
pub struct PluginView {
    pub name: String,
    pub version: String,
    pub summary: String,
    /// File in the plugins' folder.
    pub source: String,
    /// Of the file, hex.
    pub sha256: String,
    pub bytes: u64,
    /// When it is called.
    pub hooks: Vec<String>,
    /// What it may read and do.
    pub permissions: Vec<String>,
    /// Where its links may lead, and whom it may ask when it has the permission `http`.
    pub hosts: Vec<String>,
    /// Id of the trusted key that signed it, as minisign shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_with: Option<String>,
    pub breaker: BreakerState,
    /// Another version that is there and is not served: what must be done is in `why`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingVersion>,
}

/// A version of a plugin that waits while an older one is live.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingVersion {
    pub version: String,
    /// Of the file, hex.
    pub sha256: String,
    /// Why it is not live, and what to do.
    pub why: String,
    /// What it is called at and asks for beyond what the live one is.
    pub adds: Asked,
    /// What only the live one is called at and asks for.
    pub removes: Asked,
}

/// When a plugin is called, and what it may read and do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asked {
    pub hooks: Vec<String>,
    pub permissions: Vec<String>,
}

impl From<&Waiting> for WaitingVersion {
    fn from(waiting: &Waiting) -> Self {
        let AskedChange { hooks, permissions, .. } = &waiting.asked;
        let asked = |hooks: &[Hook], permissions: &[Permission]| Asked {
            hooks: hooks.iter().map(|hook| hook.name().to_owned()).collect(),
            permissions: permissions.iter().map(ToString::to_string).collect(),
        };
        Self {
            version: waiting.version.clone(),
            sha256: waiting.sha256.clone(),
            why: waiting.why.clone(),
            adds: asked(&hooks.added, &permissions.added),
            removes: asked(&hooks.removed, &permissions.removed),
        }
    }
}

/// Whether a plugin is called.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakerState {
    /// `closed`: it is. `open`: it failed too often and is left alone for a while; its jobs wait, no attempt is
    /// counted. `half-open`: a few calls try it.
    pub state: String,
    /// When it opened first, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When an open one is tried, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub tried_at: Option<String>,
}

impl From<BreakerView> for BreakerState {
    fn from(view: BreakerView) -> Self {
        let BreakerView { position, tripped, tried_at } = view;
        Self {
            state: position.name().to_owned(),
            since: tripped.as_ref().map(|tripped| instant::to_rfc3339(tripped.since_ms)),
            why: tripped.map(|tripped| tripped.why.as_ref().to_owned()),
            tried_at: tried_at.map(instant::to_rfc3339),
        }
    }
}

/// Lists the live plugins
///
/// With their hooks and permissions, as read off their files, what is wrong with those that are not live, and
/// which versions wait: an upgrade that asks for more is not served until the shop grants it.
#[utoipa::path(
    get,
    path = "/v1/plugins",
    operation_id = "list_plugins",
    tag = "operations",
    responses(
        (status = 200, description = "The plugins", body = PluginList),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn list_plugins(caller: Caller) -> Json<PluginList> {
    Json(plugins(&caller.snapshot, &caller.shop))
}

/// One shop's view: another shop's problems are not its business.
fn plugins(snapshot: &Snapshot, shop: &LiveShop) -> PluginList {
    let plugins = shop
        .plugins
        .iter()
        .map(|live| {
            let plugin = &live.plugin;
            PluginView {
                name: live.entry.name.clone(),
                version: plugin.manifest.version.clone(),
                summary: plugin.manifest.summary.clone(),
                source: live.entry.source.clone(),
                sha256: plugin.sha256.clone(),
                bytes: plugin.bytes,
                hooks: plugin.hooks.iter().map(|hook| hook.name().to_owned()).collect(),
                permissions: plugin.permissions.iter().map(ToString::to_string).collect(),
                hosts: live.entry.hosts.iter().map(ToString::to_string).collect(),
                signed_with: live.signed_with(),
                breaker: live.breaker().into(),
                waiting: snapshot
                    .waiting
                    .iter()
                    .find(|waiting| waiting.shop == shop.config.id && waiting.plugin == live.entry.name)
                    .map(Into::into),
            }
        })
        .collect();
    let problems = snapshot
        .problems
        .iter()
        .filter(|problem| problem.shop.as_ref().is_none_or(|id| *id == shop.config.id))
        .cloned()
        .collect();
    let mode = match shop.config.mode {
        Mode::Test => "test",
        Mode::Live => "live",
    };
    PluginList { generation: snapshot.generation, mode: mode.to_owned(), plugins, problems }
}
