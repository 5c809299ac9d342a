//! Every error of the wire: RFC 9457 `application/problem+json`, each `type` with a page that explains it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::decide::DecideError;
use crate::lifecycle::IntakeError;
use crate::store::StoreError;

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
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    RateLimited,
    Internal,
    Unavailable,
    TimedOut,
}

/// Name, status, title, and what the page says: what it means and what to do.
struct Entry {
    name: &'static str,
    status: StatusCode,
    title: &'static str,
    meaning: &'static str,
}

impl Kind {
    pub const ALL: [Self; 19] = [
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
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::TimedOut,
    ];

    fn entry(self) -> Entry {
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

/// A problem, on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Document>);

/// What the client gets, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Document {
    /// `/problems/<name>`: a page of this host that explains it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    kind: String,
    title: String,
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
    /// `urn:cartwright:request:<id>`; the same id is in `X-Request-Id` and in the host's log.
    instance: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Of a `conflict`: the event that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// E.g. `cart.lines[0].quantity`; `.` is the whole body.
    pub path: String,
    pub message: String,
    /// In the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl Problem {
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let entry = kind.entry();
        Self(Box::new(Document {
            kind: format!("/problems/{}", entry.name),
            title: entry.title.to_owned(),
            status: entry.status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            errors: Vec::new(),
            event_id: None,
            retry_after: None,
        }))
    }

    /// The detail is made of the fields.
    #[must_use]
    pub fn of_fields(kind: Kind, errors: Vec<FieldError>) -> Self {
        let detail = errors
            .iter()
            .map(|error| format!("{}: {}", error.path, error.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut problem = Self::new(kind, detail);
        problem.0.errors = errors;
        problem
    }

    /// A fault of the host. The cause goes to the log, not to the client.
    #[must_use]
    pub fn internal(cause: &str) -> Self {
        tracing::error!(cause, "a request failed");
        Self::new(Kind::Internal, "The host failed; its log says why, under the request id of `instance`.")
    }

    #[must_use]
    pub fn with_event(mut self, event_id: String) -> Self {
        self.0.event_id = Some(event_id);
        self
    }

    /// Seconds after which it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The first field that is wrong, for reports of many lines.
    #[must_use]
    pub fn into_first(self) -> FieldError {
        let Document { detail, errors, .. } = *self.0;
        errors.into_iter().next().unwrap_or_else(|| FieldError::at(".", detail))
    }

    #[must_use]
    pub fn about(mut self, request_id: &str) -> Self {
        self.0.instance = format!("urn:cartwright:request:{request_id}");
        self
    }
}

// In the description a problem is its document.
impl utoipa::PartialSchema for Problem {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        Document::schemas(schemas);
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cartwright\""));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // Whoever knows the request's id writes it in.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not do what a request needed");
        match error {
            StoreError::Corrupt(_) => {
                Self::new(Kind::Internal, "Stored data cannot be read; the host's log says which.")
            }
            _ => Self::new(
                Kind::Unavailable,
                "The database does not answer; nothing was accepted. Send the same request again.",
            )
            .retry_after(1),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Invalid { problems } => Self::of_fields(
                Kind::Invalid,
                problems.into_iter().map(|problem| FieldError::at(problem.field, problem.what)).collect(),
            ),
            DecideError::NoSuchOrder(_) => Self::new(
                Kind::NotFound,
                "No such order is stored for this shop, or it is not this customer's. Report it with \
                 POST /v1/hooks/order-placed first.",
            ),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Invalid { field, what } => {
                Self::of_fields(Kind::Invalid, vec![FieldError::at(field, what)])
            }
            IntakeError::Store(error) => error.into(),
        }
    }
}

impl FieldError {
    #[must_use]
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), line: None, column: None }
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

    #[test]
    fn a_problem_reads_as_rfc_9457_has_it() {
        let problem = Problem::of_fields(Kind::Invalid, vec![FieldError::at("cart.currency", "is missing")]);
        let json = serde_json::to_value(&problem.about("r1").0).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "/problems/invalid",
                "title": "The JSON fits the schema but cannot be",
                "status": 422,
                "detail": "cart.currency: is missing",
                "instance": "urn:cartwright:request:r1",
                "errors": [{ "path": "cart.currency", "message": "is missing" }],
            })
        );
    }

    #[test]
    fn a_rate_limit_says_when_to_come_back() {
        let response = Problem::new(Kind::RateLimited, "…").retry_after(3).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
