//! A customer's points, line by line, for the shop's backend.

use axum::Json as Reply;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Wire;
use super::keys::Caller;
use super::path::Path;
use super::problem::{Kind, Problem};
use super::timeline::{PageQuery, page};
use crate::store::PointsEntry;

/// A page of a customer's ledger of points.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ledger {
    /// What the customer has now.
    pub points: i64,
    /// Points taken back that had been spent already; what is earned pays them first.
    pub points_owed: i64,
    /// Newest first.
    pub entries: Vec<PointsEntry>,
    /// There are more: ask again with `before` set to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Shows a customer's points
///
/// The ledger, newest first: each line says what a reference (an order, for example) earned in sum, what that
/// added, and the balance after it. Lines are added and never changed.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/points",
    operation_id = "customer_points",
    tag = "customers",
    params(("id" = String, Path, description = "The shop's id of the customer"), PageQuery),
    responses(
        (status = 200, description = "A page of the ledger", body = Ledger),
        (status = 404, description = "Nobody is stored under this id", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn customer_points(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Reply<Ledger>, Problem> {
    let (before, limit) = page(query)?;
    let shop = caller.shop_id();
    let record = wire.store.customer(shop, &id).await?;
    let record =
        record.ok_or_else(|| Problem::new(Kind::NotFound, "No customer is stored under this id."))?;
    let page = wire.store.points(shop, &id, before.as_ref(), limit).await?;
    Ok(Reply(Ledger {
        points: record.customer.points,
        points_owed: record.points_owed,
        entries: page.entries,
        next: page.next.map(|mark| mark.to_string()),
    }))
}
