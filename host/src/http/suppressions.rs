//! Addresses that get no mail, for the shop's backend to look at, to add and to lift. And how its mail does.

use axum::Json as Reply;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Wire;
use super::json::Json;
use super::keys::Caller;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use crate::config::Mode;
use crate::config::calendar::Calendar;
use crate::domain::Cause;
use crate::domain::scrub::scrub;
use crate::lifecycle::check::is_email;
use crate::store::Suppression;

/// Characters of a note.
const DETAIL: usize = 500;

/// Why an address gets no mail of the shop.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionList {
    /// The oldest first.
    pub suppressions: Vec<Suppression>,
}

/// What a merchant says of an address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionInput {
    /// Default `merchant`.
    #[serde(default = "merchant")]
    pub cause: Cause,
    /// A note; contact details are taken out of it.
    #[serde(default)]
    pub detail: String,
}

fn merchant() -> Cause {
    Cause::Merchant
}

/// Tells whether an address gets mail
///
/// The list keeps keyed hashes of addresses only, so it can be asked about one and cannot be listed.
#[utoipa::path(
    get,
    path = "/v1/suppressions/{address}",
    operation_id = "get_suppressions",
    tag = "messages",
    params(("address" = String, Path, description = "An e-mail address")),
    responses(
        (status = 200, description = "Why it gets none", body = SuppressionList),
        (status = 404, description = "It is not on the list", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn get_suppressions(
    State(wire): State<Wire>,
    caller: Caller,
    Path(address): Path<String>,
) -> Result<Reply<SuppressionList>, Problem> {
    let address = checked(&address)?;
    let suppressions = wire.store.suppressions(caller.shop_id(), address).await?;
    if suppressions.is_empty() { Err(not_listed()) } else { Ok(Reply(SuppressionList { suppressions })) }
}

/// Puts an address on the suppression list
///
/// `merchant` and `bounce`: nothing more is sent to it. `complaint`: only what its owner's orders call for. A cause
/// that is there already stays as it is.
#[utoipa::path(
    put,
    path = "/v1/suppressions/{address}",
    operation_id = "put_suppression",
    tag = "messages",
    params(("address" = String, Path, description = "An e-mail address")),
    request_body(content = SuppressionInput, example = json!({ "cause": "merchant", "detail": "asked by phone" })),
    responses(
        (status = 200, description = "Why it gets no mail now", body = SuppressionList),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn put_suppression(
    State(wire): State<Wire>,
    caller: Caller,
    Path(address): Path<String>,
    Json { value: SuppressionInput { cause, detail }, .. }: Json<SuppressionInput>,
) -> Result<Reply<SuppressionList>, Problem> {
    let address = checked(&address)?;
    if detail.chars().count() > DETAIL {
        return Err(invalid("detail", format!("must have at most {DETAIL} characters")));
    }
    if detail.contains('\0') {
        return Err(invalid("detail", "has a NUL character, which no text has".to_owned()));
    }
    let suppression =
        Suppression { cause, detail: scrub(&detail), message_id: None, at: wire.clock.now_ms() };
    wire.store.suppress(caller.shop_id(), address, suppression).await?;
    let suppressions = wire.store.suppressions(caller.shop_id(), address).await?;
    Ok(Reply(SuppressionList { suppressions }))
}

/// Takes an address off the suppression list
///
/// All causes. Mail that was dropped meanwhile does not come back.
#[utoipa::path(
    delete,
    path = "/v1/suppressions/{address}",
    operation_id = "delete_suppressions",
    tag = "messages",
    params(("address" = String, Path, description = "An e-mail address")),
    responses(
        (status = 204, description = "It gets mail again"),
        (status = 404, description = "It is not on the list", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn delete_suppressions(
    State(wire): State<Wire>,
    caller: Caller,
    Path(address): Path<String>,
) -> Result<StatusCode, Problem> {
    let address = checked(&address)?;
    if wire.store.lift_suppressions(caller.shop_id(), address).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_listed())
    }
}

/// How the shop's mail does today.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailStatus {
    /// `test`: only to the shop's test recipients; or `live`.
    pub mode: String,
    /// `smtp`, or `files` when there is no mail server.
    pub carrier: String,
    /// In the shop's zone.
    pub day: String,
    /// Messages handed over today.
    pub handed_today: i64,
    /// At most so many a day; 0: no limit.
    pub daily_messages: u32,
    /// The day's messages are used up, at least for what no order calls for: the rest waits for tomorrow.
    pub capped: bool,
    /// Addresses that get no mail.
    pub suppressed: i64,
}

/// Tells how the shop's mail does today
#[utoipa::path(
    get,
    path = "/v1/mail",
    operation_id = "mail_status",
    tag = "messages",
    responses(
        (status = 200, description = "Today's mail", body = MailStatus),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn mail_status(State(wire): State<Wire>, caller: Caller) -> Result<Reply<MailStatus>, Problem> {
    let shop = &caller.shop;
    let day = Calendar::local(wire.clock.now_ms(), &shop.calendar.zone).date().to_string();
    let (handed_today, capped) = wire.store.handed_on(&shop.config.id, &day).await?;
    let mode = match shop.config.mode {
        Mode::Test => "test",
        Mode::Live => "live",
    };
    let carrier = if caller.snapshot.host.smtp.is_some() { "smtp" } else { "files" };
    Ok(Reply(MailStatus {
        mode: mode.to_owned(),
        carrier: carrier.to_owned(),
        day,
        handed_today,
        daily_messages: shop.config.daily_messages,
        capped,
        suppressed: wire.store.count_suppressions(&shop.config.id).await?,
    }))
}

fn checked(address: &str) -> Result<&str, Problem> {
    let address = address.trim();
    if is_email(address) {
        Ok(address)
    } else {
        Err(Problem::new(Kind::InvalidRequest, "The last part of the path must be an e-mail address."))
    }
}

fn not_listed() -> Problem {
    Problem::new(Kind::NotFound, "This address is not on the shop's suppression list.")
}

fn invalid(field: &str, what: String) -> Problem {
    Problem::of_fields(Kind::Invalid, vec![FieldError::at(field, what)])
}
