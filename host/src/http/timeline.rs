//! One history of an order or a customer, so that nobody has to tell it twice.

use axum::Json as Reply;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Wire;
use super::decisions::bad_query;
use super::keys::Caller;
use super::path::Path;
use super::problem::{Kind, Problem};
use crate::store::{Mark, NoMark, TimelineEntry, TimelineOf};

/// Entries of one page, when nobody says how many.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    before: Option<String>,
    /// 1 to 200; default 50.
    limit: Option<u32>,
}

/// A page of a history, newest first. It names nobody: no contact detail is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    pub entries: Vec<TimelineEntry>,
    /// There are more: ask again with `before` set to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Tells the story of an order
///
/// What came in, what was promised, sent, issued, used and earned, what waits and what went wrong: one
/// history, newest first. What is deleted when it is old is gone from it too.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}/timeline",
    operation_id = "order_timeline",
    tag = "orders",
    params(("id" = String, Path, description = "The shop's id of the order"), PageQuery),
    responses(
        (status = 200, description = "A page of it", body = Timeline),
        (status = 404, description = "Nothing is known of such an order", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn order_timeline(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Reply<Timeline>, Problem> {
    timeline(&wire, &caller, TimelineOf::Order(&id), query).await
}

/// Tells the story of a customer
///
/// The same over all of the customer's orders, with what belongs to no order.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/timeline",
    operation_id = "customer_timeline",
    tag = "customers",
    params(("id" = String, Path, description = "The shop's id of the customer"), PageQuery),
    responses(
        (status = 200, description = "A page of it", body = Timeline),
        (status = 404, description = "Nobody is stored under this id", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn customer_timeline(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Reply<Timeline>, Problem> {
    timeline(&wire, &caller, TimelineOf::Customer(&id), query).await
}

async fn timeline(
    wire: &Wire,
    caller: &Caller,
    of: TimelineOf<'_>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Reply<Timeline>, Problem> {
    let (before, limit) = page(query)?;
    let page = wire.store.timeline(caller.shop_id(), of, before.as_ref(), limit).await?;
    let page = page.ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            match of {
                TimelineOf::Order(_) => "Nothing is known of an order with this id.",
                TimelineOf::Customer(_) => "No customer is stored under this id.",
            },
        )
    })?;
    Ok(Reply(Timeline { entries: page.entries, next: page.next.map(|mark| mark.to_string()) }))
}

/// Where a page begins, and how long it is.
pub fn page(query: Result<Query<PageQuery>, QueryRejection>) -> Result<(Option<Mark>, usize), Problem> {
    let Query(PageQuery { before, limit }) = query.map_err(|error| bad_query(&error))?;
    let before = before.as_deref().map(str::parse).transpose().map_err(|error: NoMark| {
        Problem::new(Kind::InvalidRequest, format!("The query parameter `before` {error}."))
    })?;
    Ok((before, limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE) as usize))
}
