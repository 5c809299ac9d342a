//! Decision hooks: what a storefront asks before the sale, and on the page of an order.

use axum::Json as Reply;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Wire;
use super::json::Json;
use super::keys::Caller;
use super::problem::{Kind, Problem};
use super::questions::{CartQuestion, CheckoutQuestion, OrderStatusQuestion, ProductPageQuestion, Shopper};
use super::request::RequestId;
use crate::decide::{Answer, Question};
use crate::domain::{Cart, DecisionHook};
use crate::threads;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Options {
    /// Adds the trace: what each plugin proposed, what was kept, changed or dropped, and why. Only with a
    /// secret key.
    #[serde(default)]
    explain: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductPageQuery {
    /// Id of the product.
    product: String,
    /// BCP 47; without it the Accept-Language header counts.
    locale: Option<String>,
    /// IANA time zone.
    zone: Option<String>,
    /// Ids of products looked at, newest first, with commas between.
    viewed: Option<String>,
    #[serde(default)]
    explain: bool,
}

/// What a question is about.
#[derive(Default)]
struct Subject {
    cart: Option<Cart>,
    product: Option<String>,
    order_id: Option<String>,
}

/// Everything about a request but its body.
pub struct Asked {
    wire: Wire,
    caller: Caller,
    request_id: String,
    accept_language: Option<String>,
}

impl axum::extract::FromRequestParts<Wire> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        wire: &Wire,
    ) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, wire).await?;
        let RequestId(request_id) = RequestId::from_request_parts(parts, wire).await?;
        let accept_language = parts
            .headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Self { wire: wire.clone(), caller, request_id, accept_language })
    }
}

/// Asks for a product page
///
/// Delivery options for one piece with arrival dates, recommendations, notices and blocks.
#[utoipa::path(
    post,
    path = "/v1/hooks/product-page",
    operation_id = "product_page",
    tag = "decisions",
    params(Options),
    request_body(content = ProductPageQuestion, example = json!({ "product": "mug", "locale": "en" })),
    responses(
        (status = 200, description = "The answer; plugins that failed are left out and named in `warnings`", body = Answer),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = []), ("publishable_key" = [])),
)]
pub async fn product_page(
    asked: Asked,
    options: Result<Query<Options>, QueryRejection>,
    Json { mut value, .. }: Json<ProductPageQuestion>,
) -> Result<Reply<Answer>, Problem> {
    let shopper = value.shopper();
    let subject = Subject { cart: value.cart, product: Some(value.product), ..Subject::default() };
    answer(asked, DecisionHook::ProductPage, options, subject, shopper).await.map(Reply)
}

/// Asks for a product page, cacheable
///
/// The same without a body: for everybody, so it takes no customer. Answers with an ETag, and may be kept
/// until `valid_until`.
#[utoipa::path(
    get,
    path = "/v1/hooks/product-page",
    operation_id = "get_product_page",
    tag = "decisions",
    params(
        ProductPageQuery,
        ("If-None-Match" = Option<String>, Header, description = "ETags of the answers that the client has"),
    ),
    responses(
        (status = 200, description = "The answer", body = Answer, headers(
            ("ETag" = String, description = "Changes when the answer does"),
            ("Cache-Control" = String, description = "`max-age` ends at `valid_until`"),
        )),
        (status = 304, description = "The client's copy still holds"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = []), ("publishable_key" = [])),
)]
pub async fn get_product_page(
    asked: Asked,
    headers: HeaderMap,
    query: Result<Query<ProductPageQuery>, QueryRejection>,
) -> Result<axum::response::Response, Problem> {
    let Query(query) = query.map_err(|error| bad_query(&error))?;
    let viewed = query.viewed.unwrap_or_default();
    let shopper = Shopper {
        locale: query.locale,
        zone: query.zone,
        viewed: viewed.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        ..Shopper::default()
    };
    let now_ms = asked.wire.clock.now_ms();
    let subject = Subject { product: Some(query.product), ..Subject::default() };
    let options = Ok(Query(Options { explain: query.explain }));
    let answer = answer(asked, DecisionHook::ProductPage, options, subject, shopper).await?;
    super::caching::respond(&answer, answer.valid_until, now_ms, &headers)
}

/// Asks for a cart
///
/// Discounts, delivery options, totals, payments, recommendations and notices for what is in the cart.
#[utoipa::path(
    post,
    path = "/v1/hooks/cart",
    operation_id = "cart",
    tag = "decisions",
    params(Options),
    request_body(content = CartQuestion, example = json!({
        "cart": {
            "id": "c-1001",
            "currency": "EUR",
            "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 2, "unit_price": 1290 }],
            "codes": [{ "code": "WELCOME" }],
        },
        "locale": "en",
    })),
    responses(
        (status = 200, description = "The answer; plugins that failed are left out and named in `warnings`", body = Answer),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = []), ("publishable_key" = [])),
)]
pub async fn cart(
    asked: Asked,
    options: Result<Query<Options>, QueryRejection>,
    Json { mut value, .. }: Json<CartQuestion>,
) -> Result<Reply<Answer>, Problem> {
    let shopper = value.shopper();
    let subject = Subject { cart: Some(value.cart), ..Subject::default() };
    answer(asked, DecisionHook::Cart, options, subject, shopper).await.map(Reply)
}

/// Asks for a checkout
///
/// As for a cart, and each delivery option carries a signed `quote`: send that of the chosen one back with
/// the order, and what was promised is kept with it. `refusals` that are not empty stop the checkout.
#[utoipa::path(
    post,
    path = "/v1/hooks/checkout",
    operation_id = "checkout",
    tag = "decisions",
    params(Options),
    request_body(content = CheckoutQuestion, example = json!({
        "cart": {
            "id": "c-1001",
            "currency": "EUR",
            "lines": [{
                "id": "1", "product": "mug", "title": "Mug", "quantity": 2, "unit_price": 1290, "weight_grams": 350,
            }],
            "destination": { "country": "PL", "city": "Kraków", "postcode": "30-001" },
            "prices_include_tax": true,
            "payment_methods": [{ "id": "card", "name": "Card" }],
        },
        "locale": "pl",
        "zone": "Europe/Warsaw",
        "customer_id": "42",
    })),
    responses(
        (status = 200, description = "The answer; plugins that failed are left out and named in `warnings`", body = Answer),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = []), ("publishable_key" = [])),
)]
pub async fn checkout(
    asked: Asked,
    options: Result<Query<Options>, QueryRejection>,
    Json { mut value, .. }: Json<CheckoutQuestion>,
) -> Result<Reply<Answer>, Problem> {
    let shopper = value.shopper();
    let subject = Subject { cart: Some(value.cart), ..Subject::default() };
    answer(asked, DecisionHook::Checkout, options, subject, shopper).await.map(Reply)
}

/// Asks for the page of an order
///
/// Notices, blocks and recommendations. With a publishable key only the customer whom the token names sees
/// the order.
#[utoipa::path(
    post,
    path = "/v1/hooks/order-status",
    operation_id = "order_status",
    tag = "decisions",
    params(Options),
    request_body(content = OrderStatusQuestion, example = json!({ "order_id": "1001" })),
    responses(
        (status = 200, description = "The answer; plugins that failed are left out and named in `warnings`", body = Answer),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = []), ("publishable_key" = [])),
)]
pub async fn order_status(
    asked: Asked,
    options: Result<Query<Options>, QueryRejection>,
    Json { mut value, .. }: Json<OrderStatusQuestion>,
) -> Result<Reply<Answer>, Problem> {
    let shopper = value.shopper();
    let subject = Subject { order_id: Some(value.order_id), ..Subject::default() };
    answer(asked, DecisionHook::OrderStatus, options, subject, shopper).await.map(Reply)
}

async fn answer(
    asked: Asked,
    hook: DecisionHook,
    options: Result<Query<Options>, QueryRejection>,
    subject: Subject,
    shopper: Shopper,
) -> Result<Answer, Problem> {
    let Asked { wire, caller, request_id, accept_language } = asked;
    let Query(Options { explain }) = options.map_err(|error| bad_query(&error))?;
    if explain && !caller.is_secret() {
        return Err(Problem::new(
            Kind::SecretKeyRequired,
            "`explain` shows what each plugin proposed: ask for it with a secret key.",
        ));
    }
    let customer_id = shopper.customer(&caller, wire.clock.now_ms())?;
    let question = Question {
        hook,
        secret: caller.is_secret(),
        snapshot: caller.snapshot,
        shop: caller.shop,
        cart: subject.cart,
        product: subject.product,
        order_id: subject.order_id,
        customer_id,
        locale: shopper.locale.or(accept_language),
        zone: shopper.zone,
        viewed: shopper.viewed,
        explain,
        request_id,
    };
    threads::pause().await;
    Ok(wire.decider.decide(question).await?)
}

/// A query string that does not fit.
pub fn bad_query(error: &QueryRejection) -> Problem {
    Problem::new(Kind::InvalidRequest, format!("The query string: {}.", error.body_text()))
}
