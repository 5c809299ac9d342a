//! Coupons that this host issued, and carts that hold one at their checkout, for the shop's backend.

use axum::Json as Reply;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Wire;
use super::decisions::bad_query;
use super::json::Json;
use super::keys::Caller;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use crate::domain::{CodeReason, CouponValue, instant, money};
use crate::store::{CouponView, Holder, NewReservation, Reserved};
use crate::wording::Reader;

/// Seconds that a cart holds a coupon.
const DEFAULT_TTL: u32 = 15 * 60;
const LEAST_TTL: u32 = 10;
const MOST_TTL: u32 = 60 * 60;

/// Bytes of an id.
const LONGEST: usize = 255;

/// A coupon with all that became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownCoupon {
    pub code: String,
    pub value: CouponValue,
    /// For the shopper: `10% off`.
    pub text: String,
    /// What sums of the coupon are in.
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_subtotal: Option<i64>,
    pub max_uses: u32,
    #[serde(skip_serializing_if = "Option::is_none", with = "instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<i64>,
    /// The same on the clock of whoever reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_text: Option<String>,
    /// Only its customer may use it.
    pub personal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The order that earned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    pub plugin: String,
    pub purpose: String,
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: i64,
    /// `own` (good), `expired`, `used`: as plugins see it. For the cart and customer of the query, if any;
    /// what depends on the goods is the cart's answer to tell.
    pub status: String,
    /// Why it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<CodeReason>,
    /// The same for the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// By orders that were not cancelled.
    pub used: i64,
    /// Orders that came with it when nothing was left of it.
    pub over_limit: i64,
    /// The newest 100, newest first.
    pub uses: Vec<ShownUse>,
    /// Those that hold now.
    pub reservations: Vec<ShownReservation>,
}

/// An order that came with the coupon.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownUse {
    pub order_id: String,
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    /// Nothing was left of the coupon: the sale stands.
    pub over_limit: bool,
    /// The order was cancelled and gave the use back.
    #[serde(skip_serializing_if = "Option::is_none", with = "instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<i64>,
}

/// A use that a cart holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownReservation {
    pub cart_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub reserved_at: i64,
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CouponQuery {
    /// Whether it is good for this customer; without it, for its own.
    customer_id: Option<String>,
    /// Whether it is good for this cart, which may hold it.
    cart_id: Option<String>,
    /// Language of the texts; without it the customer's, else the shop's.
    locale: Option<String>,
    /// IANA zone of the texts; without it the customer's, else the shop's.
    zone: Option<String>,
}

/// A cart that is at its checkout.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationRequest {
    /// The same as `cart.id` of the decision hooks and `order.cart_id`.
    pub cart_id: String,
    /// Needed for a personal coupon.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// 10 to 3600; default 900.
    #[serde(default)]
    #[schema(minimum = 10, maximum = 3600, default = 900)]
    pub ttl_seconds: Option<u32>,
}

/// What a cart holds now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reservation {
    pub code: String,
    pub cart_id: String,
    /// By then the order must have come, or the reservation be renewed. Not after the coupon's own end.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: i64,
}

/// Shows a coupon
///
/// What it is worth, whose it is, who used it, which carts hold it, and, if it is not good, why. Codes of
/// plugins' campaigns are the plugins' own: only coupons that this host issued are found.
#[utoipa::path(
    get,
    path = "/v1/coupons/{code}",
    operation_id = "get_coupon",
    tag = "coupons",
    params(("code" = String, Path, description = "As the shopper enters it"), CouponQuery),
    responses(
        (status = 200, description = "The coupon", body = ShownCoupon),
        (status = 404, description = "This host issued no such coupon", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn get_coupon(
    State(wire): State<Wire>,
    caller: Caller,
    Path(code): Path<String>,
    query: Result<Query<CouponQuery>, QueryRejection>,
) -> Result<Reply<ShownCoupon>, Problem> {
    let Query(query) = query.map_err(|error| bad_query(&error))?;
    let (shop, now_ms) = (caller.shop_id(), wire.clock.now_ms());
    let holder = Holder { customer: query.customer_id.as_deref(), cart: query.cart_id.as_deref() };
    let view = wire.store.coupon(shop, &code, holder, now_ms).await?;
    let view = view.ok_or_else(|| refused(CodeReason::Unknown))?;
    let reader = reader(&wire, &caller, &query, &view).await?;
    Ok(Reply(shown(&caller, view, &reader)))
}

/// Reserves a coupon
///
/// A cart at its checkout holds a use of the coupon, so that no other cart pays with it meanwhile: decisions
/// for this cart see it as good, those for others as used. The same cart again renews it. The order of the
/// cart (`order.cart_id`, or its `codes`) uses it; time, or `DELETE`, lets it go.
#[utoipa::path(
    post,
    path = "/v1/coupons/{code}/reservations",
    operation_id = "reserve_coupon",
    tag = "coupons",
    params(("code" = String, Path, description = "As the shopper entered it")),
    request_body(content = ReservationRequest, example = json!({ "cart_id": "c-1001", "customer_id": "42", "ttl_seconds": 900 })),
    responses(
        (status = 201, description = "The cart holds it", body = Reservation),
        (status = 200, description = "The cart held it and holds it on", body = Reservation),
        (status = 404, description = "This host issued no such coupon", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is used up, held by other carts, or another customer's: `reason`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It has expired", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn reserve_coupon(
    State(wire): State<Wire>,
    caller: Caller,
    Path(code): Path<String>,
    Json { value: request, .. }: Json<ReservationRequest>,
) -> Result<(StatusCode, Reply<Reservation>), Problem> {
    let ttl = request.checked_ttl()?;
    let now_ms = wire.clock.now_ms();
    let new = NewReservation {
        shop: caller.shop_id().to_owned(),
        code: code.clone(),
        cart_id: request.cart_id.clone(),
        customer_id: request.customer_id,
        until: now_ms.saturating_add(i64::from(ttl) * 1_000),
        now_ms,
    };
    let (status, expires_at) = match wire.store.reserve_coupon(new).await? {
        Reserved::New { expires_at } => (StatusCode::CREATED, expires_at),
        Reserved::Renewed { expires_at } => (StatusCode::OK, expires_at),
        Reserved::Refused(reason) => return Err(refused(reason)),
    };
    Ok((status, Reply(Reservation { code, cart_id: request.cart_id, expires_at })))
}

/// Releases a coupon
///
/// The cart holds it no longer: the shopper took the code out, or went away.
#[utoipa::path(
    delete,
    path = "/v1/coupons/{code}/reservations/{cart_id}",
    operation_id = "release_coupon",
    tag = "coupons",
    params(
        ("code" = String, Path, description = "As the shopper entered it"),
        ("cart_id" = String, Path, description = "The cart that holds it"),
    ),
    responses(
        (status = 204, description = "Others may have it"),
        (status = 404, description = "The cart does not hold it", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn release_coupon(
    State(wire): State<Wire>,
    caller: Caller,
    Path((code, cart_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let held = wire.store.release_coupon(caller.shop_id(), &code, &cart_id, wire.clock.now_ms()).await?;
    if held {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(
            Kind::NotFound,
            "This cart does not hold this coupon: it never did, or its time is over, or its order has come.",
        ))
    }
}

impl ReservationRequest {
    /// Seconds; all that is wrong at once.
    fn checked_ttl(&self) -> Result<u32, Problem> {
        let mut wrong = Vec::new();
        let id = |id: &str| (1..=LONGEST).contains(&id.len()) && !id.chars().any(char::is_control);
        let what = format!("must have 1 to {LONGEST} bytes and no control characters");
        if !id(&self.cart_id) {
            wrong.push(FieldError::at("cart_id", what.clone()));
        }
        if self.customer_id.as_deref().is_some_and(|customer| !id(customer)) {
            wrong.push(FieldError::at("customer_id", what));
        }
        let ttl = self.ttl_seconds.unwrap_or(DEFAULT_TTL);
        if !(LEAST_TTL..=MOST_TTL).contains(&ttl) {
            wrong.push(FieldError::at("ttl_seconds", format!("must be {LEAST_TTL} to {MOST_TTL}")));
        }
        if wrong.is_empty() { Ok(ttl) } else { Err(Problem::of_fields(Kind::Invalid, wrong)) }
    }
}

fn refused(reason: CodeReason) -> Problem {
    let (kind, detail) = match reason {
        CodeReason::Expired => (Kind::CouponExpired, "The coupon has expired."),
        CodeReason::UsedUp => (Kind::CouponRefused, "The coupon has been used as often as it may be."),
        CodeReason::Reserved => {
            (Kind::CouponRefused, "Other carts hold what is left of the coupon; their time will be over.")
        }
        CodeReason::AnotherCustomer => (
            Kind::CouponRefused,
            "The coupon is personal: send the `customer_id` of the customer whom it was issued to.",
        ),
        _ => (Kind::NotFound, "This host issued no coupon with this code."),
    };
    Problem::new(kind, detail).because(reason)
}

/// Who is told: as the query says, else as the coupon's customer has it.
async fn reader(
    wire: &Wire,
    caller: &Caller,
    query: &CouponQuery,
    view: &CouponView,
) -> Result<Reader, Problem> {
    let customer = match query.customer_id.as_ref().or(view.customer_id.as_ref()) {
        Some(id) => wire.store.customer(caller.shop_id(), id).await?.map(|record| record.customer),
        None => None,
    };
    let customer = customer.as_deref();
    let zone = [query.zone.as_deref(), customer.and_then(|customer| customer.zone.as_deref())]
        .into_iter()
        .flatten()
        .find(|zone| TimeZone::get(zone).is_ok())
        .unwrap_or(&caller.shop.config.zone);
    let locale = query.locale.as_deref().or(customer.and_then(|customer| customer.locale.as_deref()));
    Ok(Reader {
        locale: caller.shop.wording.negotiate(locale),
        exponent: money::exponent(&view.currency).unwrap_or(caller.shop.public.exponent),
        currency: view.currency.clone(),
        zone: zone.to_owned(),
        now_ms: wire.clock.now_ms(),
    })
}

fn shown(caller: &Caller, view: CouponView, reader: &Reader) -> ShownCoupon {
    let wording = &caller.shop.wording;
    let coupon = view.coupon;
    ShownCoupon {
        text: wording.coupon_value(&coupon.value, reader),
        expires_text: coupon.expires_at.map(|at_ms| wording.shown_instant(at_ms, reader).text),
        status: view.reason.map_or("own", CodeReason::status).to_owned(),
        reason_text: view.reason.map(|reason| wording.code_reason(reason, Some(&coupon), reader)),
        code: view.code,
        value: coupon.value,
        currency: view.currency,
        min_subtotal: coupon.min_subtotal,
        max_uses: coupon.max_uses,
        expires_at: coupon.expires_at,
        personal: coupon.personal,
        customer_id: view.customer_id,
        order_id: view.order_id,
        plugin: view.plugin,
        purpose: coupon.purpose,
        issued_at: view.issued_at,
        reason: view.reason,
        used: view.used,
        over_limit: view.over_limit,
        uses: view
            .uses
            .into_iter()
            .map(|each| ShownUse {
                order_id: each.order_id,
                at: each.at,
                over_limit: each.over_limit,
                released_at: each.released_at,
            })
            .collect(),
        reservations: view
            .reservations
            .into_iter()
            .map(|each| ShownReservation {
                cart_id: each.cart_id,
                customer_id: each.customer_id,
                reserved_at: each.reserved_at,
                expires_at: each.expires_at,
            })
            .collect(),
    }
}
