//! The description of the wire: OpenAPI 3.1 from the code, and a page to read it that needs no network.

use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use bytes::Bytes;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::Wire;
use super::browser::Page;

/// What is said of the whole; the paths come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cartwright",
        description = "A plugin host for storefronts. Ask the decision hooks before the sale, report events after it.\n\n\
            Amounts are integers in minor units of the currency beside them (1290 is 12.90 EUR, 1290 JPY, 1.290 KWD). \
            Instants are RFC 3339. Every error is `application/problem+json` (RFC 9457), and its `type` is a page of \
            this host. Every answer has an `X-Request-Id`; send your own to find a request in the host's log.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "decisions", description = "Before the sale: what to show. They read and change nothing."),
        (name = "events", description = "After the sale: what happened. Accepted means stored; the same identity twice is one event."),
        (name = "webhooks", description = "The same events as a platform sends them."),
        (name = "webhooks-out", description = "What the shop's own systems are told, signed by Standard Webhooks 1.0."),
        (name = "catalog", description = "Products, for prices and recommendations."),
        (name = "customers", description = "Customers, as the shop's backend stores and reads them."),
        (name = "coupons", description = "Coupons that this host issued, and carts that hold one while they are at the checkout."),
        (name = "messages", description = "Mail: how it does, and who gets none."),
        (name = "orders", description = "Orders, as stored."),
        (name = "operations", description = "What is live, what is open, how the host does."),
    ),
    modifiers(&Security),
)]
pub struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = |description: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.description = Some(description.to_owned());
            SecurityScheme::Http(http)
        };
        components.add_security_scheme(
            "secret_key",
            bearer("`cw_sk_<shop>_…`: may do everything for its shop. Never in a browser."),
        );
        components.add_security_scheme(
            "publishable_key",
            bearer(
                "`cw_pk_<shop>_…`: may be in a browser; asks decision hooks only, from the key's origins.",
            ),
        );
    }
}

/// `/openapi.json` and `/docs`.
pub fn routes(api: utoipa::openapi::OpenApi) -> Router<Wire> {
    // Written once: whoever asks without a key makes no work and takes no memory.
    let written = api.to_json().map(Bytes::from).unwrap_or_default();
    let document = async move || ([(header::CONTENT_TYPE, "application/json")], written);
    let page: Router<Wire> = SwaggerUi::new("/docs").config(Config::from("/openapi.json")).into();
    let page = page.layer(middleware::map_response(async |page: Response| Page::Application.of(page)));
    Router::new().route("/openapi.json", axum::routing::get(document)).merge(page)
}
