//! What the shop's own systems were told, and those systems themselves.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Wire;
use super::decisions::bad_query;
use super::keys::Caller;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use crate::config::WebhookEndpoint;
use crate::store::{DeliveryView, EndpointStanding};

const STATES: [&str; 4] = ["waiting", "sending", "done", "failed"];

/// The endpoints of a shop, in the order of its file.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointList {
    pub endpoints: Vec<EndpointView>,
}

/// A `[[webhooks]]` entry of the shop's file, and how it does.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointView {
    pub name: String,
    /// Of its URL; the rest may have a secret in it.
    pub host: String,
    pub topics: Vec<String>,
    /// `on`, `off` (it failed for days, or answered 410), `disabled` (by the shop's file).
    pub state: String,
    /// Deliveries that wait for it.
    pub waiting: i64,
    #[serde(with = "crate::domain::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success: Option<i64>,
    /// Since then nothing has arrived.
    #[serde(with = "crate::domain::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<i64>,
    #[serde(with = "crate::domain::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub off_since: Option<i64>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// Lists the endpoints of webhooks out
///
/// With how they do. One at which nothing has arrived for three days, or that answered 410, is switched off.
#[utoipa::path(
    get,
    path = "/v1/webhooks/endpoints",
    operation_id = "list_webhook_endpoints",
    tag = "webhooks-out",
    responses(
        (status = 200, description = "The endpoints", body = EndpointList),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn list_endpoints(State(wire): State<Wire>, caller: Caller) -> Result<Json<EndpointList>, Problem> {
    Ok(Json(EndpointList { endpoints: endpoints(&wire, &caller).await? }))
}

/// Switches an endpoint on again
///
/// What waited for it goes on at once. One that is on stays as it is.
#[utoipa::path(
    post,
    path = "/v1/webhooks/endpoints/{name}/enable",
    operation_id = "enable_webhook_endpoint",
    tag = "webhooks-out",
    params(("name" = String, Path, description = "The endpoint's name in the shop's file")),
    responses(
        (status = 200, description = "The endpoint as it is now", body = EndpointView),
        (status = 404, description = "No such endpoint", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn enable_endpoint(
    State(wire): State<Wire>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    configured(&caller, &name)?;
    if wire.store.switch_on(caller.shop_id(), &name).await? {
        tracing::info!(shop = caller.shop_id(), endpoint = name, "a webhook endpoint was switched on again");
    }
    let endpoints = endpoints(&wire, &caller).await?;
    endpoints.into_iter().find(|endpoint| endpoint.name == name).map(Json).ok_or_else(no_endpoint)
}

/// Sends a test
///
/// A `webhook.test` for this endpoint alone, whatever its topics. It goes the way of all deliveries: look at it
/// under its id.
#[utoipa::path(
    post,
    path = "/v1/webhooks/endpoints/{name}/test",
    operation_id = "test_webhook_endpoint",
    tag = "webhooks-out",
    params(("name" = String, Path, description = "The endpoint's name in the shop's file")),
    responses(
        (status = 202, description = "It is on its way", body = DeliveryView),
        (status = 404, description = "No such endpoint", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn test_endpoint(
    State(wire): State<Wire>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    configured(&caller, &name)?;
    let id = wire.store.test_endpoint(caller.shop_id(), &name, wire.clock.now_ms()).await?;
    Ok((StatusCode::ACCEPTED, delivery(&wire, &caller, &id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// `waiting`, `sending`, `done` or `failed`; without it all.
    state: Option<String>,
    /// E.g. `message.sent`.
    topic: Option<String>,
    /// 1 to 500; default 100.
    limit: Option<u32>,
}

/// The deliveries of a shop, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    pub deliveries: Vec<DeliveryView>,
}

/// Lists deliveries of webhooks out
///
/// One delivery is one endpoint's copy of a notice.
#[utoipa::path(
    get,
    path = "/v1/webhooks/deliveries",
    operation_id = "list_webhook_deliveries",
    tag = "webhooks-out",
    params(DeliveryQuery),
    responses(
        (status = 200, description = "The deliveries", body = DeliveryList),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn list_deliveries(
    State(wire): State<Wire>,
    caller: Caller,
    query: Result<Query<DeliveryQuery>, QueryRejection>,
) -> Result<Json<DeliveryList>, Problem> {
    let Query(DeliveryQuery { state, topic, limit }) = query.map_err(|error| bad_query(&error))?;
    if state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        let message = format!("is none of {}", STATES.join(", "));
        return Err(Problem::of_fields(Kind::Invalid, vec![FieldError::at("state", message)]));
    }
    let limit = limit.unwrap_or(100).clamp(1, 500);
    let deliveries =
        wire.store.deliveries(caller.shop_id(), state.as_deref(), topic.as_deref(), limit).await?;
    Ok(Json(DeliveryList { deliveries }))
}

/// Sends a delivery again
///
/// At once, under the same `webhook-id`, and with all attempts before it again; also one that was given up, or
/// has arrived. One that is under way stays as it is.
#[utoipa::path(
    post,
    path = "/v1/webhooks/deliveries/{id}/retry",
    operation_id = "retry_webhook_delivery",
    tag = "webhooks-out",
    params(("id" = String, Path, description = "The delivery's id")),
    responses(
        (status = 202, description = "The delivery as it is now", body = DeliveryView),
        (status = 404, description = "No such delivery", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn retry_delivery(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    wire.store.retry_delivery(caller.shop_id(), &id, wire.clock.now_ms()).await?;
    Ok((StatusCode::ACCEPTED, delivery(&wire, &caller, &id).await?))
}

async fn delivery(wire: &Wire, caller: &Caller, id: &str) -> Result<Json<DeliveryView>, Problem> {
    let found = wire.store.delivery(caller.shop_id(), id).await?;
    found.map(Json).ok_or_else(|| Problem::new(Kind::NotFound, "There is no such delivery in this shop."))
}

async fn endpoints(wire: &Wire, caller: &Caller) -> Result<Vec<EndpointView>, Problem> {
    let known = wire.store.endpoints(caller.shop_id()).await?;
    let waiting: BTreeMap<String, i64> =
        wire.store.deliveries_open(caller.shop_id()).await?.into_iter().collect();
    let views = caller.shop.config.webhooks.iter().map(|endpoint| {
        let standing = known.iter().find(|standing| standing.name == endpoint.name);
        view(endpoint, standing, waiting.get(&endpoint.name).copied().unwrap_or(0))
    });
    Ok(views.collect())
}

fn view(endpoint: &WebhookEndpoint, standing: Option<&EndpointStanding>, waiting: i64) -> EndpointView {
    let standing = standing.cloned().unwrap_or_default();
    let host = url::Url::parse(&endpoint.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let state = match standing.off_since {
        _ if !endpoint.enabled => "disabled",
        Some(_) => "off",
        None => "on",
    };
    EndpointView {
        name: endpoint.name.clone(),
        host: host.unwrap_or_default(),
        topics: endpoint.topics.clone(),
        state: state.to_owned(),
        waiting,
        last_success: standing.last_success,
        failing_since: standing.failing_since,
        off_since: standing.off_since,
        reason: standing.reason,
    }
}

fn configured(caller: &Caller, name: &str) -> Result<(), Problem> {
    let known = caller.shop.config.webhooks.iter().any(|endpoint| endpoint.enabled && endpoint.name == name);
    if known { Ok(()) } else { Err(no_endpoint()) }
}

fn no_endpoint() -> Problem {
    Problem::new(Kind::NotFound, "The shop's file has no such [[webhooks]] entry, or it is not enabled.")
}
