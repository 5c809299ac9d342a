//! The link in a mail by which somebody says: no more of these. A mail program posts to it in one click (RFC
//! 8058); a person who opens it gets a page with one button. Opening changes nothing: scanners and previews
//! open every link of a mail.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, Response};

use super::Wire;
use super::browser::{FORM_STYLE, Page};
use super::json;
use super::path::Path;
use super::problem::{Kind, Problem};
use crate::domain::Value;
use crate::plugins::registry::LiveShop;
use crate::store::UnsubscribeLink;
use crate::wording::Reader;

/// What RFC 8058 has a mail program post, also by the page's button.
const ONE_CLICK: &[u8] = b"One-Click";

/// Of a body that says no more than that.
const LONGEST: usize = 4_096;

/// Shows the page of an unsubscribe link
///
/// In the customer's language, with a button. Changes nothing.
#[utoipa::path(
    get,
    path = "/v1/unsubscribe/{token}",
    operation_id = "unsubscribe_page",
    tag = "customers",
    params(("token" = String, Path, description = "From a mail's link")),
    responses(
        (status = 200, description = "A page with a button", body = String, content_type = "text/html"),
        (status = 404, description = "No mail went out with this link", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn page(State(wire): State<Wire>, Path(token): Path<String>) -> Result<Response, Problem> {
    let link = link(&wire, &token).await?;
    let words = Words::of(&wire, &link).await?;
    let question = match link.category.as_str() {
        "updates" => words.say("unsubscribe-updates"),
        _ => words.say("unsubscribe-marketing"),
    };
    let form = format!(
        "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
         <button>{}</button></form>",
        escaped(&words.say("mail-unsubscribe"))
    );
    Ok(words.page(&question, &form))
}

/// Unsubscribes in one click
///
/// Takes back the customer's consent to what the mail was one of (marketing or updates). What the customer's
/// orders themselves call for is still sent. Twice is the same as once.
#[utoipa::path(
    post,
    path = "/v1/unsubscribe/{token}",
    operation_id = "unsubscribe",
    tag = "customers",
    params(("token" = String, Path, description = "From a mail's `List-Unsubscribe`")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`List-Unsubscribe=One-Click` (RFC 8058)"),
    responses(
        (status = 200, description = "Done; a page that says so", body = String, content_type = "text/html"),
        (status = 400, description = "Not the body of RFC 8058", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No mail went out with this link", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn one_click(
    State(wire): State<Wire>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = json::read(&headers, body, LONGEST).await?;
    // As a form of either kind (RFC 8058, 3.2).
    if !body.windows(ONE_CLICK.len()).any(|part| part == ONE_CLICK) {
        return Err(Problem::new(
            Kind::InvalidRequest,
            "The body must be the form field List-Unsubscribe=One-Click (RFC 8058).",
        ));
    }
    let link = link(&wire, &token).await?;
    wire.store.unsubscribe(link.clone(), wire.clock.now_ms()).await?;
    tracing::info!(shop = link.shop, category = link.category, "a customer unsubscribed");
    metrics::counter!("cartwright_unsubscribed_total", "shop" => link.shop.clone()).increment(1);
    let words = Words::of(&wire, &link).await?;
    Ok(words.page(&words.say("unsubscribe-done"), ""))
}

async fn link(wire: &Wire, token: &str) -> Result<UnsubscribeLink, Problem> {
    wire.store.unsubscribe_link(token).await?.ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "No mail went out with this link; it may have been cut. Open it from the mail again.",
        )
    })
}

/// The shop's own words, in the customer's language.
struct Words {
    /// `None` while the shop's file is broken: what a customer asks is done all the same.
    shop: Option<std::sync::Arc<LiveShop>>,
    reader: Reader,
}

impl Words {
    async fn of(wire: &Wire, link: &UnsubscribeLink) -> Result<Self, Problem> {
        let shop = wire.registry.current().shops.get(&link.shop).cloned();
        let customer = wire.store.customer(&link.shop, &link.customer_id).await?;
        let asked = customer.and_then(|known| known.customer.locale.clone());
        let reader = Reader {
            locale: shop
                .as_ref()
                .map_or_else(|| "en".to_owned(), |shop| shop.wording.negotiate(asked.as_deref())),
            currency: shop.as_ref().map(|shop| shop.public.currency.clone()).unwrap_or_default(),
            exponent: 2,
            zone: shop.as_ref().map_or_else(|| "UTC".to_owned(), |shop| shop.public.zone.clone()),
            now_ms: wire.clock.now_ms(),
        };
        Ok(Self { shop, reader })
    }

    fn say(&self, key: &str) -> String {
        let name = Value::String(self.name().to_owned());
        match &self.shop {
            Some(shop) => shop.wording.host_text(key, &[("shop", name)], &self.reader),
            None => match key {
                "unsubscribe-done" => "You are unsubscribed.".to_owned(),
                "mail-unsubscribe" => "Unsubscribe".to_owned(),
                _ => "Do you want no more of these messages?".to_owned(),
            },
        }
    }

    fn name(&self) -> &str {
        self.shop.as_ref().map_or("", |shop| &shop.public.name)
    }

    fn page(&self, text: &str, form: &str) -> Response {
        let html = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{}</title><style>{FORM_STYLE}</style></head><body><h1>{}</h1><p>{}</p>{form}</body></html>\n",
            escaped(&self.reader.locale),
            escaped(&self.say("mail-unsubscribe")),
            escaped(self.name()),
            escaped(text),
        );
        Page::Form.of(Html(html))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
