//! The shop's side: a client of the host's HTTP interface, and nothing more.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::{ground, woocommerce};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer of the host.
pub(super) struct Reply {
    /// `POST /v1/hooks/cart`.
    pub(super) request: String,
    pub(super) status: u16,
    /// `Null` when it is no JSON.
    pub(super) body: Value,
    pub(super) elapsed: Duration,
}

impl Reply {
    /// `200 in 9 ms`.
    pub(super) fn outcome(&self) -> String {
        format!("{} in {} ms", self.status, self.elapsed.as_millis())
    }

    /// What a problem (RFC 9457) says.
    pub(super) fn problem(&self) -> String {
        let part = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let errors = self.body.get("errors").map(ToString::to_string).unwrap_or_default();
        format!("{} {} {errors}", part("title"), part("detail")).trim().to_owned()
    }
}

pub(super) struct Storefront {
    client: Client,
    base: String,
    secret: String,
    woocommerce: String,
}

impl Storefront {
    pub(super) fn new(address: SocketAddr, keys: &ground::Keys) -> anyhow::Result<Self> {
        // The demo talks to this machine: a proxy of the environment has no part in it.
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().context("no HTTP client")?;
        Ok(Self {
            client,
            base: format!("http://{address}"),
            secret: keys.secret.clone(),
            woocommerce: keys.woocommerce.clone(),
        })
    }

    /// Asks a decision hook.
    pub(super) async fn ask(&self, hook: &str, question: &Value) -> anyhow::Result<Reply> {
        let path = format!("/v1/hooks/{hook}");
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.secret);
        send(format!("POST {path}"), request.json(question)).await
    }

    /// Reports an event and waits until the plugins have done their work.
    pub(super) async fn tell(&self, hook: &str, id: &str, event: &Value) -> anyhow::Result<Reply> {
        let path = format!("/v1/hooks/{hook}");
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.secret)
            .header("Idempotency-Key", id)
            .header("Prefer", "wait=20");
        send(format!("POST {path}"), request.json(event)).await
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.secret);
        send(format!("GET {path}"), request).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let request = self.client.put(format!("{}{path}", self.base)).bearer_auth(&self.secret);
        send(format!("PUT {path}"), request.json(body)).await
    }

    /// Products, one on each line.
    pub(super) async fn put_catalogue(&self, lines: &'static str) -> anyhow::Result<Reply> {
        let path = "/v1/catalog/products";
        let request = self
            .client
            .put(format!("{}{path}", self.base))
            .bearer_auth(&self.secret)
            .header("Content-Type", "application/x-ndjson")
            .body(lines);
        send(format!("PUT {path}"), request).await
    }

    /// Delivers an order as WooCommerce does, signed.
    pub(super) async fn woocommerce(&self, order: &Value) -> anyhow::Result<Reply> {
        let body = order.to_string().into_bytes();
        let signature = woocommerce::sign(&self.woocommerce, &body)?;
        self.webhook(body, &signature).await
    }

    /// The same with a signature of one's own.
    pub(super) async fn webhook(&self, body: Vec<u8>, signature: &str) -> anyhow::Result<Reply> {
        let path = format!("/v1/webhooks/woocommerce/{}", ground::SHOP);
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("User-Agent", "WooCommerce/10.3.5 Hookshot (WordPress/6.9)")
            .header("X-WC-Webhook-Source", "https://lipa.example/")
            .header("X-WC-Webhook-Topic", "order.created")
            .header("X-WC-Webhook-Resource", "order")
            .header("X-WC-Webhook-Event", "created")
            .header("X-WC-Webhook-ID", "3")
            .header("X-WC-Webhook-Signature", signature)
            .body(body);
        send(format!("POST {path}"), request).await
    }
}

async fn send(request: String, builder: RequestBuilder) -> anyhow::Result<Reply> {
    let started = Instant::now();
    let response = builder.send().await.with_context(|| format!("{request}: no answer"))?;
    let status = response.status().as_u16();
    let text = response.text().await.with_context(|| format!("{request}: the answer broke off"))?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply { request, status, body, elapsed: started.elapsed() })
}

/// Ania's cart: a shirt and two mugs, to Kraków, prices with tax.
pub(super) fn cart(code: Option<&str>) -> Value {
    let codes: Vec<Value> = code.iter().map(|code| json!({ "code": code })).collect();
    json!({
        "id": "cart-7f3a", "currency": "PLN", "prices_include_tax": true,
        "lines": [
            { "id": "1", "product": "101", "title": "Linen shirt", "quantity": 1, "unit_price": 19_900,
              "weight_grams": 280, "tags": ["linen", "clothes"] },
            { "id": "2", "product": "102", "title": "Stoneware mug", "quantity": 2, "unit_price": 4_900,
              "weight_grams": 390, "tags": ["kitchen"] },
        ],
        "destination": { "country": "PL", "city": "Kraków", "postcode": "31-147" },
        "payment_methods": [{ "id": "card", "name": "Card" }, { "id": "cod", "name": "Cash on delivery" }],
        "codes": codes,
    })
}

/// A small question, for a person to try.
pub(super) fn cart_question(locale: &str, code: &str) -> Value {
    json!({
        "locale": locale,
        "cart": {
            "id": "try", "currency": "PLN", "prices_include_tax": true,
            "lines": [{ "id": "1", "product": "104", "title": "Wool blanket", "quantity": 1, "unit_price": 32_900 }],
            "destination": { "country": "PL" }, "codes": [{ "code": code }],
        },
        "customer_id": "8",
    })
}
