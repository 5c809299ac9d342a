//! What is stored of customers and orders, for the shop's backend.

use axum::Json as Reply;
use axum::extract::State;

use super::Wire;
use super::json::Json;
use super::keys::Caller;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use crate::domain::{CustomerInput, CustomerRecord, OrderRecord};
use crate::lifecycle::{IntakeError, check};

/// Shows a customer
///
/// What plugins may know of them, and the contact details that they may not.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}",
    operation_id = "get_customer",
    tag = "customers",
    params(("id" = String, Path, description = "The shop's id of the customer")),
    responses(
        (status = 200, description = "The customer", body = CustomerRecord),
        (status = 404, description = "Nobody is stored under this id", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn get_customer(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Reply<CustomerRecord>, Problem> {
    let record = wire.store.customer(caller.shop_id(), &id).await?;
    record.map(Reply).ok_or_else(|| Problem::new(Kind::NotFound, "No customer is stored under this id."))
}

/// Stores a customer
///
/// Creates or changes one; fields that are absent stay as they are. The plugins hear of a new account only
/// by `customer-created`.
#[utoipa::path(
    put,
    path = "/v1/customers/{id}",
    operation_id = "put_customer",
    tag = "customers",
    params(("id" = String, Path, description = "The shop's id of the customer")),
    request_body(content = CustomerInput, example = json!({
        "first_name": "Ada", "email": "ada@shop.example", "locale": "pl", "zone": "Europe/Warsaw",
        "consents": [{ "channel": "email", "category": "marketing", "granted": true }],
    })),
    responses(
        (status = 200, description = "The customer as now stored", body = CustomerRecord),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn put_customer(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
    Json { value: mut input, .. }: Json<CustomerInput>,
) -> Result<Reply<CustomerRecord>, Problem> {
    if input.id.as_ref().is_some_and(|named| *named != id) {
        return Err(invalid("id", "is another id than the path's; leave it out"));
    }
    input.id = Some(id);
    if let Err(IntakeError::Invalid { field, what }) = check::customer(&mut input, wire.clock.now_ms()) {
        return Err(invalid(field.trim_start_matches("customer."), &what));
    }
    let id = wire.store.put_customer(caller.shop_id(), &input, wire.clock.now_ms()).await?;
    let record = wire.store.customer(caller.shop_id(), &id).await?;
    record.map(Reply).ok_or_else(|| Problem::internal("a customer was stored and is not there"))
}

/// Shows an order
///
/// As stored: what was bought, where it is, and what plugins noted on it.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    operation_id = "get_order",
    tag = "orders",
    params(("id" = String, Path, description = "The shop's id of the order")),
    responses(
        (status = 200, description = "The order", body = OrderRecord),
        (status = 404, description = "No order is stored under this id", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn get_order(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Reply<OrderRecord>, Problem> {
    let record = wire.store.order(caller.shop_id(), &id).await?;
    record.map(Reply).ok_or_else(|| Problem::new(Kind::NotFound, "No order is stored under this id."))
}

fn invalid(field: &str, what: &str) -> Problem {
    Problem::of_fields(Kind::Invalid, vec![FieldError::at(field, what)])
}
