//! What platforms send: verified over the bytes as they came, translated, and handed to the same intake as
//! the event hooks.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::Wire;
use super::json;
use super::path::Path;
use super::problem::{Kind, Problem};
use crate::adapters::woocommerce::{self as woo, Reading, Step, Unreadable};
use crate::lifecycle::{Accepted, Identity, IntakeError};
use crate::plugins::registry::{LiveShop, Snapshot};

/// What became of a delivery.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// For whoever reads the platform's delivery log.
    pub note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An event came of it.
    Accepted,
    /// It came before.
    Duplicate,
    /// It says otherwise than the first, which is kept.
    Conflict,
    /// It says nothing that a hook is for.
    Ignored,
    /// It cannot be understood; the host's log says why.
    Unreadable,
    /// The platform tries whether anybody is here.
    Pong,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Ignored => "ignored",
            Self::Unreadable => "unreadable",
            Self::Pong => "pong",
        }
    }

    fn note(self, note: impl Into<String>) -> Delivery {
        Delivery { outcome: self, event_id: None, note: note.into() }
    }
}

/// Takes a webhook of WooCommerce
///
/// Set it as the delivery URL of webhooks for the topics *Order created* and *Order updated* (and *Customer
/// created*), with the secret of `[woocommerce]` in the shop's file. WooCommerce never sends twice and
/// switches a webhook off after five answers that are not 2xx, so only an unknown shop, a bad signature, a
/// body beyond `http.body_bytes` and a database that does not answer are refused; what cannot be understood
/// is answered 200, with a note, and logged.
#[utoipa::path(
    post,
    path = "/v1/webhooks/woocommerce/{shop}",
    operation_id = "woocommerce_webhook",
    tag = "webhooks",
    params(
        ("shop" = String, Path, description = "The shop's id"),
        ("X-WC-Webhook-Signature" = Option<String>, Header, description = "Base64 of HMAC-SHA256 over the body; the ping has none"),
        ("X-WC-Webhook-Topic" = Option<String>, Header, description = "E.g. `order.updated`"),
    ),
    request_body(content = Object, description = "The order or customer, as the REST API v3 gives it"),
    responses(
        (status = 200, description = "What became of it", body = Delivery),
        (status = 401, description = "The signature does not fit", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such shop, or it takes no webhooks of WooCommerce", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn woocommerce(
    State(wire): State<Wire>,
    Path(shop): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Delivery>, Problem> {
    let snapshot = wire.registry.current();
    let shop = addressed(&snapshot, &shop)?;
    let body = json::read(&headers, body, snapshot.host.http.body_bytes).await?;
    let secret = secret(&snapshot, shop)?;
    let delivery = if woo::is_ping(&body) {
        Outcome::Pong.note("the webhook reaches this shop")
    } else {
        let signature = header(&headers, "x-wc-webhook-signature");
        if !woo::signature_fits(secret.expose_secret().as_bytes(), &body, signature) {
            count("bad-signature");
            return Err(Problem::new(
                Kind::BadSignature,
                "X-WC-Webhook-Signature does not fit the body: compare the webhook's secret in WooCommerce with \
                 that of [woocommerce] in the shop's file.",
            ));
        }
        take(&wire, shop, header(&headers, "x-wc-webhook-topic"), &body, snapshot.host.http.json_depth)
            .await?
    };
    count(delivery.outcome.name());
    Ok(axum::Json(delivery))
}

/// The shop that the path names: whoever signs has no key that would.
pub(super) fn addressed<'s>(snapshot: &'s Snapshot, id: &str) -> Result<&'s Arc<LiveShop>, Problem> {
    let shop = snapshot.shops.get(id).ok_or_else(|| {
        Problem::new(Kind::NotFound, "There is no such shop; its id is the name of its file.")
    })?;
    tracing::Span::current().record("shop", shop.config.id.as_str());
    Ok(shop)
}

fn count(outcome: &'static str) {
    metrics::counter!("cartwright_webhooks_total", "platform" => "woocommerce", "outcome" => outcome)
        .increment(1);
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn secret(snapshot: &Snapshot, shop: &LiveShop) -> Result<secrecy::SecretString, Problem> {
    let settings = shop.config.woocommerce.as_ref().ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "This shop takes no webhooks of WooCommerce: add [woocommerce] with a `secret` to its file.",
        )
    })?;
    settings.secret.read(&snapshot.host.folder).map_err(|error| {
        tracing::error!(%error, "webhooks of WooCommerce cannot be verified");
        Problem::new(Kind::Internal, "The host cannot read the secret of [woocommerce]; its log says why.")
    })
}

async fn take(
    wire: &Wire,
    shop: &LiveShop,
    topic: &str,
    body: &[u8],
    depth: usize,
) -> Result<Delivery, Problem> {
    let reading = if json::nesting(body) > depth {
        Err(Unreadable { field: ".".to_owned(), what: format!("is nested more than {depth} levels deep") })
    } else {
        woo::read(topic, body, &shop.calendar.zone)
    };
    let live_since = shop.config.live_since.map(jiff::Timestamp::as_millisecond);
    let step = match reading {
        Ok(Reading::Order(order)) => {
            let stored = wire.store.order(&shop.config.id, &order.placed.order.id).await?;
            woo::of_order(*order, stored.as_ref(), live_since)
        }
        Ok(Reading::Customer(customer)) => woo::of_customer(*customer, live_since),
        Ok(Reading::Unhandled) => {
            Step::Nothing("no hook is for this topic; order.created and order.updated are enough")
        }
        Err(error) => return Ok(unreadable(topic, &error.field, &error.what)),
    };
    let (id, fingerprint, event) = match step {
        Step::Nothing(why) => return Ok(Outcome::Ignored.note(why)),
        Step::Differs(why) => {
            tracing::warn!(why, "a webhook says otherwise than the stored order");
            return Ok(Outcome::Conflict.note(why));
        }
        Step::Report { id, fingerprint, event } => (id, fingerprint, event),
    };
    let identity = Identity { source: "woocommerce".to_owned(), id: id.clone(), fingerprint };
    let (outcome, event_id) = match wire.lifecycle.accept(shop, identity, *event).await {
        Ok(Accepted::New { event_id }) => (Outcome::Accepted, event_id),
        Ok(Accepted::Duplicate { event_id }) => (Outcome::Duplicate, event_id),
        Ok(Accepted::Conflict { event_id }) => {
            tracing::warn!(event = %id, kept = %event_id, "a webhook says otherwise than the first of its event");
            (Outcome::Conflict, event_id)
        }
        Err(IntakeError::Invalid { field, what }) => return Ok(unreadable(topic, &field, &what)),
        Err(error @ (IntakeError::Store(_) | IntakeError::Overloaded { .. })) => return Err(error.into()),
    };
    Ok(Delivery { outcome, event_id: Some(event_id), note: id })
}

/// Loud, because nothing else will tell: the platform does not send it again.
fn unreadable(topic: &str, field: &str, what: &str) -> Delivery {
    tracing::error!(
        topic,
        field,
        what,
        "a webhook of WooCommerce could not be understood; it was answered 200 and is lost"
    );
    Outcome::Unreadable.note(format!("{field}: {what}"))
}
