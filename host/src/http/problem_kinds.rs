//! The kinds of problems: what each means, what to do about it, and the page that says so.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::problem::Problem;

/// What kinds of problems there are. The name is the last part of the `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MalformedJson,
    TooDeep,
    InvalidBody,
    InvalidRequest,
    Unauthorized,
    BadSignature,
    SecretKeyRequired,
    OriginNotAllowed,
    CustomerToken,
    NotFound,
    MethodNotAllowed,
    Conflict,
    JobState,
    CouponRefused,
    CouponExpired,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    RateLimited,
    Overloaded,
    TooManyConnections,
    Internal,
    Unavailable,
    TimedOut,
    SlowBody,
}

/// Name, status, title, and what the page says: what it means and what to do.
pub struct Entry {
    pub name: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    pub meaning: &'static str,
}

impl Kind {
    pub const ALL: [Self; 25] = [
        Self::MalformedJson,
        Self::TooDeep,
        Self::InvalidBody,
        Self::InvalidRequest,
        Self::Unauthorized,
        Self::BadSignature,
        Self::SecretKeyRequired,
        Self::OriginNotAllowed,
        Self::CustomerToken,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::JobState,
        Self::CouponRefused,
        Self::CouponExpired,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::RateLimited,
        Self::Overloaded,
        Self::TooManyConnections,
        Self::Internal,
        Self::Unavailable,
        Self::TimedOut,
        Self::SlowBody,
    ];

    #[must_use]
    pub fn entry(self) -> Entry {
        let (name, status, title, meaning) = match self {
            Self::MalformedJson => (
                "malformed-json",
                StatusCode::BAD_REQUEST,
                "The body is not JSON",
                "The body could not be read as JSON at all. `errors` says at which line and column.",
            ),
            Self::TooDeep => (
                "too-deep",
                StatusCode::BAD_REQUEST,
                "The JSON is nested too deeply",
                "Arrays and objects are nested more deeply than `http.json_depth` of cartwright.toml allows.",
            ),
            Self::InvalidBody => (
                "invalid-body",
                StatusCode::BAD_REQUEST,
                "The JSON does not fit the schema",
                "`errors` names the field, its line and column, and what should be there. The schemas are at /docs.",
            ),
            Self::InvalidRequest => (
                "invalid-request",
                StatusCode::BAD_REQUEST,
                "A header or query parameter is not valid",
                "`detail` says which, and what it should be.",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "A valid key is missing",
                "Send `Authorization: Bearer <key>` with a key of the shop. `cartwright key create` makes one; \
                 its hash must stand under `[[keys]]` in the shop's file.",
            ),
            Self::BadSignature => (
                "bad-signature",
                StatusCode::UNAUTHORIZED,
                "The webhook's signature does not fit its body",
                "Compare the secret in the platform's webhook settings with the one that the shop's file names. \
                 A proxy that changes the body breaks the signature too.",
            ),
            Self::SecretKeyRequired => (
                "secret-key-required",
                StatusCode::FORBIDDEN,
                "This needs a secret key",
                "A publishable key may only ask decision hooks. Call this from the shop's backend with a secret \
                 key, and never put a secret key into a browser.",
            ),
            Self::OriginNotAllowed => (
                "origin-not-allowed",
                StatusCode::FORBIDDEN,
                "This key may not be used from here",
                "A publishable key answers only browsers on the origins listed as `origins` of the key in the \
                 shop's file.",
            ),
            Self::CustomerToken => (
                "customer-token",
                StatusCode::FORBIDDEN,
                "The customer is not named by a valid token",
                "With a publishable key a customer is named by `customer_token`: a JWT that the shop's backend \
                 signed with HS256 and the secret of `[customer_tokens]`, with `sub` (the customer's id), `aud` \
                 (the shop's id) and `exp` (at most a day ahead).",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The path is wrong, or no such thing is stored for this shop.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "The path does not take this method",
                "The `Allow` header lists the methods that it takes.",
            ),
            Self::Conflict => (
                "conflict",
                StatusCode::CONFLICT,
                "Another event has this identity",
                "The same `webhook-id`, `Idempotency-Key` or CloudEvents id came before with another body. The \
                 first is kept; `event_id` names it. Send a new event under a new id.",
            ),
            Self::JobState => (
                "job-state",
                StatusCode::CONFLICT,
                "The job's state does not allow this",
                "Only a failed or dead job can be tried again, and only one that is not running and not done can \
                 be dropped. `detail` says where the job stands.",
            ),
            Self::CouponRefused => (
                "coupon-refused",
                StatusCode::CONFLICT,
                "The coupon cannot be reserved",
                "`reason` says why: `used-up`, `reserved` (other carts hold what is left of it, for some minutes at \
                 most) or `another-customer`. The cart's answer shows the reason to the shopper, in their language.",
            ),
            Self::CouponExpired => (
                "coupon-expired",
                StatusCode::GONE,
                "The coupon has expired",
                "Its time is over where its customer is. It cannot be reserved any more.",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "`http.body_bytes` of cartwright.toml is the limit.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has another type than this path takes",
                "Set the Content-Type header that `detail` names.",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The JSON fits the schema but cannot be",
                "`errors` names each field that is wrong and what it should be: an unknown currency, an amount over \
                 2^53-1, a line that no delivery group knows.",
            ),
            Self::RateLimited => (
                "rate-limited",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests with this key",
                "Wait the seconds that `Retry-After` says. `http.requests_per_second` of cartwright.toml is the \
                 limit for each key, with bursts of twice as many.",
            ),
            Self::Overloaded => (
                "overloaded",
                StatusCode::SERVICE_UNAVAILABLE,
                "There is more to do than the host takes on",
                "Nothing of this was accepted. Send the same event again, with the same identity, after the \
                 seconds that `Retry-After` says. `limits.open_jobs_per_shop`, `limits.open_jobs` and \
                 `http.bodies_mib` of cartwright.toml are the bounds; GET /v1/jobs shows what is open.",
            ),
            Self::TooManyConnections => (
                "too-many-connections",
                StatusCode::SERVICE_UNAVAILABLE,
                "There is no place for another connection",
                "`http.connections` of cartwright.toml is the limit for all, `http.connections_per_address` for one \
                 address. Send requests over the connections that there are, and come again after the seconds that \
                 `Retry-After` says. Behind a proxy all come from its address: then the proxy counts its clients.",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The host failed",
                "A fault of the host. Its log has a line with the request id that `instance` ends with.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The host cannot do this now",
                "The database does not answer. Nothing was accepted: send the same request again, with the same \
                 identity if it is an event.",
            ),
            Self::TimedOut => (
                "timed-out",
                StatusCode::SERVICE_UNAVAILABLE,
                "The request took too long",
                "`http.timeout_seconds` of cartwright.toml is the limit. An event that is sent again with the \
                 same identity happens once.",
            ),
            Self::SlowBody => (
                "slow-body",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not come in time",
                "`http.timeout_seconds` of cartwright.toml is the limit, for sending the body too. Nothing of this was \
                 accepted: send the same request again, with the same identity if it is an event.",
            ),
        };
        Entry { name, status, title, meaning }
    }

    /// The last part of the `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// `GET /problems/{name}`: what a `type` means.
pub async fn page(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let Some(kind) = Kind::from_name(&name) else {
        return Problem::new(Kind::NotFound, "There is no such problem type; /problems lists them.")
            .into_response();
    };
    let Entry { name, status, title, meaning } = kind.entry();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p><code>/problems/{name}</code>, status {}</p><p>{}</p>\
         <p><a href=\"/problems\">All problem types</a></p></html>\n",
        status.as_u16(),
        escaped(meaning),
    ))
    .into_response()
}

/// `GET /problems`: all types.
pub async fn list() -> Html<String> {
    let rows: String = Kind::ALL
        .into_iter()
        .map(|kind| {
            let entry = kind.entry();
            format!(
                "<li><a href=\"/problems/{0}\">{0}</a> ({1}): {2}</li>",
                entry.name,
                entry.status.as_u16(),
                entry.title
            )
        })
        .collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problem types</title>\
         <h1>Problem types</h1><ul>{rows}</ul></html>\n"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name_and_an_error_status() {
        let names: std::collections::BTreeSet<_> = Kind::ALL.into_iter().map(Kind::name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let status = kind.entry().status;
            assert!(status.is_client_error() || status.is_server_error());
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }
}
