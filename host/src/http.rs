//! The wire: routes, keys, problems. The only room that knows axum.

mod batch;
mod bodies;
mod browser;
mod caching;
mod catalog;
mod coupons;
mod decisions;
mod description;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod doors;
mod events;
mod health;
mod identity;
mod jobs;
mod json;
mod keys;
mod leftover;
mod mail_feedback;
mod origins;
mod path;
mod points;
mod prefer;
mod problem;
mod problem_kinds;
mod questions;
mod rates;
mod records;
mod request;
mod server;
mod status;
mod suppressions;
mod timeline;
mod tokens;
mod unsubscribe;
mod webhooks;
mod webhooks_out;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::{Kind, Problem};
use crate::decide::Decider;
use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::plugins::registry::Registry;
use crate::store::Store;

pub use server::{Connections, Rules, serve};

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

/// Decision hooks: any key; a browser on an origin of its key.
fn decision_routes() -> OpenApiRouter<Wire> {
    OpenApiRouter::new()
        .routes(routes!(decisions::product_page, decisions::get_product_page))
        .routes(routes!(decisions::cart))
        .routes(routes!(decisions::checkout))
        .routes(routes!(decisions::order_status))
}

/// The shop's backend: a secret key.
fn backend_routes() -> OpenApiRouter<Wire> {
    OpenApiRouter::new()
        .routes(routes!(events::order_placed))
        .routes(routes!(events::order_shipped))
        .routes(routes!(events::delivery_updated))
        .routes(routes!(events::order_delivered))
        .routes(routes!(events::order_cancelled))
        .routes(routes!(events::order_returned))
        .routes(routes!(events::customer_created))
        .routes(routes!(events::cart_abandoned))
        .routes(routes!(events::feedback_received))
        .routes(routes!(batch::post_events))
        .routes(routes!(catalog::put_products))
        .routes(routes!(records::get_customer, records::put_customer))
        .routes(routes!(records::get_order))
        .routes(routes!(timeline::order_timeline))
        .routes(routes!(timeline::customer_timeline))
        .routes(routes!(points::customer_points))
        .routes(routes!(coupons::get_coupon))
        .routes(routes!(coupons::reserve_coupon))
        .routes(routes!(coupons::release_coupon))
        .routes(routes!(status::list_plugins))
        .routes(routes!(suppressions::mail_status))
        .routes(routes!(
            suppressions::get_suppressions,
            suppressions::put_suppression,
            suppressions::delete_suppressions
        ))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::get_job))
        .routes(routes!(jobs::retry_job))
        .routes(routes!(jobs::drop_job))
        .routes(routes!(webhooks_out::list_endpoints))
        .routes(routes!(webhooks_out::enable_endpoint))
        .routes(routes!(webhooks_out::test_endpoint))
        .routes(routes!(webhooks_out::list_deliveries))
        .routes(routes!(webhooks_out::retry_delivery))
}

/// No key: a platform signs what it sends, and the rest tells nothing of a shop.
fn open_routes() -> OpenApiRouter<Wire> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::woocommerce))
        .routes(routes!(mail_feedback::mail_feedback))
        .routes(routes!(unsubscribe::page, unsubscribe::one_click))
        .routes(routes!(health::health))
        .routes(routes!(health::readiness))
        .routes(routes!(health::metrics))
        .route("/problems", get(problem_kinds::list))
        .route("/problems/{name}", get(problem_kinds::page))
}

/// All routes, with limits, keys and problems around them.
pub fn router(app: App) -> Router {
    let wire = Wire { app: Arc::new(app), rates: Arc::default(), bodies: bodies::Bodies::default() };
    let (decisions, _) = decision_routes().split_for_parts();
    let (backend, _) = backend_routes().split_for_parts();
    let (open, _) = open_routes().split_for_parts();
    // The answer to a wrong method is set after the keys' layer and so needs no key.
    let decisions = decisions
        .route_layer(from_fn_with_state(wire.clone(), keys::any_key))
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(wire.clone(), origins::layer));
    let backend = backend
        .route_layer(from_fn_with_state(wire.clone(), keys::secret_key))
        .method_not_allowed_fallback(no_such_method);
    let open = open.merge(description::routes(openapi())).method_not_allowed_fallback(no_such_method);
    decisions
        .merge(backend)
        .merge(open)
        .fallback(no_such_path)
        .layer(CatchPanicLayer::custom(request::panicked))
        .layer(SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION, header::COOKIE]))
        .layer(from_fn_with_state(wire.clone(), request::around))
        .with_state(wire)
}

/// The description of all routes, generated from the code: what `/openapi.json` answers.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    OpenApiRouter::<Wire>::with_openapi(description::Base::openapi())
        .merge(decision_routes())
        .merge(backend_routes())
        .merge(open_routes())
        .into_openapi()
}

/// What every handler can reach.
#[derive(Clone)]
pub struct Wire {
    app: Arc<App>,
    rates: Arc<rates::Rates>,
    bodies: bodies::Bodies,
}

impl Deref for Wire {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

async fn no_such_path() -> Problem {
    Problem::new(Kind::NotFound, "There is no such path; /docs lists those that there are.")
}

async fn no_such_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "This path does not take this method; the Allow header lists those it takes.",
    )
}

#[cfg(test)]
mod tests;
