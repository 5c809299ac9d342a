//! Event hooks: what a shop reports after the sale.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::Wire;
use super::identity::{self, Name};
use super::json::{self, Json};
use super::keys::Caller;
use super::prefer;
use super::problem::{FieldError, Kind, Problem};
use crate::domain::{
    CartAbandoned, CustomerCreated, DeliveryUpdated, Event, FeedbackReceived, OrderCancelled, OrderPlaced,
    OrderReturned, OrderShipped,
};
use crate::lifecycle::{Accepted, Identity, JobProgress};

/// What became of an event that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receipt {
    /// The host's id of the event.
    pub event_id: String,
    /// The same event came before: nothing happens twice.
    pub duplicate: bool,
    /// With `Prefer: wait`: `held` (its order is not known yet), `open`, `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// With `Prefer: wait`: how far each plugin is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Vec<JobProgress>>,
}

impl Receipt {
    /// Accepted, or known before.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED }
    }
}

const HOOKS: &str = "/v1/hooks/";

/// The event hooks differ in their path, body and example alone.
macro_rules! event_hooks {
    ($($(#[doc = $doc:literal])+ $handler:ident $path:literal $id:literal $body:ident $variant:ident { $($example:tt)* })+) => {
        $(
            $(#[doc = $doc])+
            #[utoipa::path(
                post,
                path = $path,
                operation_id = $id,
                tag = "events",
                params(
                    ("webhook-id" = Option<String>, Header, description = "The event's identity (Standard Webhooks): the same id with the same body is the same event, with another body a conflict"),
                    ("Idempotency-Key" = Option<String>, Header, description = "The same, under another name"),
                    ("ce-id" = Option<String>, Header, description = "The same for CloudEvents in binary mode, with ce-source; without any of them the hash of the body is the identity"),
                    ("ce-source" = Option<String>, Header, description = "CloudEvents source"),
                    ("Prefer" = Option<String>, Header, description = "`wait=N` (RFC 7240): answer when the plugins are done, after N seconds at most"),
                ),
                request_body(content = $body, example = json!({ $($example)* })),
                responses(
                    (status = 202, description = "Accepted: it is stored and its effects will happen once", body = Receipt),
                    (status = 200, description = "The same event came before, or (with `Prefer: wait`) its work is done", body = Receipt),
                    (status = 409, description = "Another event has this identity; the first is kept", body = Problem, content_type = "application/problem+json"),
                    (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
                ),
                security(("secret_key" = [])),
            )]
            pub async fn $handler(
                wire: axum::extract::State<Wire>,
                caller: Caller,
                headers: HeaderMap,
                Json { value, bytes }: Json<$body>,
            ) -> Result<Response, Problem> {
                take(&wire, &caller, &headers, Event::$variant(value), &bytes).await
            }
        )+

        /// The event of a hook's body. There is no other place that knows which body a hook has.
        pub fn read(hook: &str, body: &[u8], depth: usize) -> Result<Event, Problem> {
            match format!("{HOOKS}{hook}").as_str() {
                $($path => Ok(Event::$variant(json::parse::<$body>(body, depth)?)),)+
                _ => Err(no_such_hook(&[$($path),+])),
            }
        }
    };
}

event_hooks! {
    /// Reports an order placed
    ///
    /// Send the checkout's `quote` of the chosen delivery option as `order.quote`, and the promise is kept with the order.
    order_placed "/v1/hooks/order-placed" "order_placed" OrderPlaced OrderPlaced {
        "order": {
            "id": "1001", "number": "#1001", "cart_id": "c-1001", "placed_at": "2026-11-28T09:30:00Z", "currency": "EUR",
            "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 2, "unit_price": 1290 }],
            "destination": { "country": "PL", "city": "Kraków", "postcode": "30-001" },
            "delivery": { "id": "delivery-options/standard", "title": "Standard", "price": 499 },
            "subtotal": 2580, "total": 3079
        },
        "customer": { "id": "42", "first_name": "Ada", "email": "ada@shop.example", "locale": "pl" },
        "locale": "pl"
    }
    /// Reports a shipment
    ///
    /// The parcel left; `shipment.id` names it in later updates.
    order_shipped "/v1/hooks/order-shipped" "order_shipped" OrderShipped OrderShipped {
        "order_id": "1001",
        "shipment": {
            "id": "s-1", "carrier": "Post", "tracking_number": "RR123", "tracking_url": "https://post.example/RR123",
            "lines": [{ "line": "1", "quantity": 2 }], "shipped_at": "2026-11-28T15:00:00Z"
        }
    }
    /// Reports where a parcel is
    ///
    /// A stage of the delivery, as the carrier tells it.
    delivery_updated "/v1/hooks/delivery-updated" "delivery_updated" DeliveryUpdated DeliveryUpdated {
        "order_id": "1001", "shipment_id": "s-1",
        "update": { "stage": "out-for-delivery", "at": "2026-12-01T07:10:00Z", "location": "Kraków" }
    }
    /// Reports a parcel delivered
    ///
    /// The last stage of a delivery.
    order_delivered "/v1/hooks/order-delivered" "order_delivered" DeliveryUpdated OrderDelivered {
        "order_id": "1001", "shipment_id": "s-1",
        "update": { "stage": "delivered", "at": "2026-12-01T12:40:00Z" }
    }
    /// Reports an order cancelled
    ///
    /// By the customer or the shop, before it was delivered.
    order_cancelled "/v1/hooks/order-cancelled" "order_cancelled" OrderCancelled OrderCancelled {
        "order_id": "1001", "reason": "out of stock"
    }
    /// Reports goods or money returned
    ///
    /// Whole or in part; each return has its own id.
    order_returned "/v1/hooks/order-returned" "order_returned" OrderReturned OrderReturned {
        "order_id": "1001",
        "return": { "id": "r-1", "lines": [{ "line": "1", "quantity": 1 }], "refunded": 1290, "at": "2026-12-05T10:00:00Z" }
    }
    /// Reports a new customer
    ///
    /// An account was made.
    customer_created "/v1/hooks/customer-created" "customer_created" CustomerCreated CustomerCreated {
        "customer": { "id": "42", "first_name": "Ada", "email": "ada@shop.example", "locale": "pl" }
    }
    /// Reports a cart left behind
    ///
    /// The shop decides when a cart counts as abandoned.
    cart_abandoned "/v1/hooks/cart-abandoned" "cart_abandoned" CartAbandoned CartAbandoned {
        "cart": {
            "id": "c-1001", "currency": "EUR",
            "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 2, "unit_price": 1290 }]
        },
        "customer": { "id": "42", "email": "ada@shop.example" }
    }
    /// Reports what a customer thinks
    ///
    /// A rating, words, or both; contact details are taken out of the words before a plugin sees them.
    feedback_received "/v1/hooks/feedback-received" "feedback_received" FeedbackReceived FeedbackReceived {
        "feedback": { "rating": 9, "subject": "delivery", "text": "Faster than promised.", "at": "2026-12-02T18:00:00Z" },
        "order_id": "1001"
    }
}

fn no_such_hook(paths: &[&str]) -> Problem {
    let names: Vec<_> = paths.iter().filter_map(|path| path.strip_prefix(HOOKS)).collect();
    let error = FieldError::at(".", format!("names no event hook; those are {}", names.join(", ")));
    Problem::of_fields(Kind::InvalidBody, vec![error])
}

async fn take(
    wire: &Wire,
    caller: &Caller,
    headers: &HeaderMap,
    event: Event,
    body: &[u8],
) -> Result<Response, Problem> {
    let identity = identify(identity::of(headers)?, &event, body);
    let receipt = accept(wire, caller, identity, event).await?;
    answer(wire, caller, headers, receipt).await
}

/// By its name, else by its hash.
pub fn identify(name: Option<Name>, event: &Event, body: &[u8]) -> Identity {
    let fingerprint = fingerprint(event.hook().name(), body);
    let Name { source, id } = name.unwrap_or_else(|| identity::of_body(&fingerprint));
    Identity { source, id, fingerprint }
}

/// Takes an event of an API client in, unless there is too much to do already.
pub async fn accept(
    wire: &Wire,
    caller: &Caller,
    identity: Identity,
    event: Event,
) -> Result<Receipt, Problem> {
    wire.lifecycle.room(caller.shop_id()).await?;
    let (event_id, duplicate) = match wire.lifecycle.accept(&caller.shop, identity, event).await? {
        Accepted::New { event_id } => (event_id, false),
        Accepted::Duplicate { event_id } => (event_id, true),
        Accepted::Conflict { event_id } => {
            return Err(Problem::new(
                Kind::Conflict,
                format!("The event {event_id} came under this identity with another body; it is kept, this one is not."),
            )
            .with_event(event_id));
        }
    };
    Ok(Receipt { event_id, duplicate, state: None, jobs: None })
}

/// At once, or when the plugins are done, as the client prefers.
pub async fn answer(
    wire: &Wire,
    caller: &Caller,
    headers: &HeaderMap,
    mut receipt: Receipt,
) -> Result<Response, Problem> {
    let mut status = receipt.status();
    let longest = prefer::longest(caller.snapshot.host.http.timeout_seconds);
    let Some(wait) = prefer::wait(headers, longest) else {
        return Ok((status, axum::Json(receipt)).into_response());
    };
    let progress = wire.lifecycle.wait(caller.shop_id(), &receipt.event_id, Duration::from_secs(wait)).await;
    // It is stored: that nobody can say how far it is makes it no failure.
    if let Ok(Some(progress)) = progress {
        if progress.state == "done" {
            status = StatusCode::OK;
        }
        receipt.state = Some(progress.state);
        receipt.jobs = Some(progress.jobs);
    }
    let mut response = (status, axum::Json(receipt)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("wait={wait}")) {
        response.headers_mut().insert("preference-applied", value);
    }
    Ok(response)
}

/// Of the hook and the body's bytes: one id for two hooks is a conflict too.
fn fingerprint(hook: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(hook.as_bytes());
    hash.update([0]);
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_hook_and_body() {
        let print = fingerprint("order-placed", b"{}");
        assert_eq!(print, fingerprint("order-placed", b"{}"));
        assert_ne!(print, fingerprint("order-placed", b"{} "));
        assert_ne!(print, fingerprint("order-shipped", b"{}"));
    }
}
