//! The wire: routes, keys, problems. The only room that knows axum.

mod server;

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::decide::Decider;
use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::plugins::registry::Registry;
use crate::store::Store;

pub use server::serve;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub registry: Arc<Registry>,
    pub store: Store,
    pub decider: Decider,
    pub lifecycle: Lifecycle,
    pub clock: Clock,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// All routes, with limits, keys and problems around them.
#[must_use]
pub fn router(app: App) -> Router {
    let _ = app;
    Router::new()
}

/// The description of all routes, generated from the code: what `/openapi.json` answers.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    utoipa::openapi::OpenApi::default()
}
