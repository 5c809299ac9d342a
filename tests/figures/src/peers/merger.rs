//! The least that a shop would write itself: a server that asks the four services at once and puts their answers
//! together. No quotes, no rules, no texts in the shopper's language: it is a bound, not an alternative.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use figures_logic::{DeliveryOption, Discount, HiddenPayment, Recommendation, Stage};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Services;
use crate::ground::{SHOP, key};

/// What makes this program the server.
pub const ARGUMENT: &str = "be-a-merging-server";
const SERVICES: &str = "CARTWRIGHT_FIGURES_SERVICES";
const CUSTOMER: &str = "CARTWRIGHT_FIGURES_CUSTOMER";

struct Shop {
    services: Services,
    /// The known customer: others keep theirs in a database, which this one is spared.
    customer: Box<RawValue>,
    authorisation: String,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    cart: &'a RawValue,
}

#[derive(Serialize)]
struct Sent<'a> {
    cart: &'a RawValue,
    customer: &'a RawValue,
}

#[derive(Serialize)]
struct Merged<'a> {
    delivery_options: Vec<DeliveryOption<'a>>,
    discounts: Vec<Discount<'a>>,
    recommendations: Vec<Recommendation<'a>>,
    hidden_payments: Vec<HiddenPayment<'a>>,
    warnings: [(); 0],
}

/// `customer` is a file with their JSON.
pub fn command(services: &[SocketAddr], customer: &Path) -> anyhow::Result<Command> {
    let services = services.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).env(SERVICES, services).env(CUSTOMER, customer);
    Ok(command)
}

pub fn be() -> ExitCode {
    harness::process::end_with_parent();
    let shop = match shop() {
        Ok(shop) => Arc::new(shop),
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/hooks/checkout", post(checkout))
        .with_state(shop);
    super::service::serve(tokio::runtime::Builder::new_multi_thread(), router)
}

fn shop() -> anyhow::Result<Shop> {
    let addresses: Result<Vec<SocketAddr>, _> = std::env::var(SERVICES)?.split(',').map(str::parse).collect();
    let customer = std::env::var_os(CUSTOMER).context(CUSTOMER)?;
    Ok(Shop {
        services: Services::new(&addresses?)?,
        customer: serde_json::from_str(&std::fs::read_to_string(customer)?)?,
        authorisation: format!("Bearer {}", key(SHOP)),
    })
}

async fn checkout(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Response {
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|value| value.as_bytes() != shop.authorisation.as_bytes())
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match merged(&shop, &body).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

async fn merged(shop: &Shop, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let asked: Asked<'_> = serde_json::from_slice(body)?;
    let sent = Bytes::from(serde_json::to_vec(&Sent { cart: asked.cart, customer: &shop.customer })?);
    let ask = |stage| shop.services.ask(stage, sent.clone());
    let (pricing, delivery, content, review) = futures::try_join!(
        ask(Stage::Pricing),
        ask(Stage::Delivery),
        ask(Stage::Content),
        ask(Stage::Review)
    )?;
    let merged = Merged {
        discounts: serde_json::from_slice::<figures_logic::Decision<'_>>(&pricing)?.discounts,
        delivery_options: serde_json::from_slice::<figures_logic::Decision<'_>>(&delivery)?.delivery,
        recommendations: serde_json::from_slice::<figures_logic::Decision<'_>>(&content)?.recommendations,
        hidden_payments: serde_json::from_slice::<figures_logic::Decision<'_>>(&review)?.hidden_payments,
        warnings: [],
    };
    Ok(serde_json::to_vec(&merged)?)
}
