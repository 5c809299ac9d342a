//! What is live: for the shop's eyes.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::keys::Caller;
use super::problem::Problem;
use crate::config::Mode;
use crate::domain::instant;
use crate::plugins::registry::{LiveShop, Problem as ConfigProblem, Snapshot};
use crate::plugins::standing::BreakerView;

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
    pub breaker: BreakerState,
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
/// With their hooks and permissions, as read off their files, and what is wrong with those that are not live.
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
                breaker: live.breaker().into(),
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
