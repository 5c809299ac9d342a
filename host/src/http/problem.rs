//! Every error of the wire: RFC 9457 `application/problem+json`, each of a kind that has a page of its own.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use super::problem_kinds::Kind;
use crate::decide::DecideError;
use crate::domain::CodeReason;
use crate::lifecycle::IntakeError;
use crate::store::StoreError;

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
    /// `urn:cartwright:request:<id>`; the same id is in `X-Request-Id` and in the host's log. Not in a problem of
    /// one line of many.
    #[serde(skip_serializing_if = "String::is_empty")]
    instance: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Of a `conflict`: the event that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// Of a coupon that is refused: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<CodeReason>,
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
            reason: None,
            retry_after: None,
        }))
    }

    /// The detail is made of the fields.
    #[must_use]
    pub fn of_fields(kind: Kind, errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(kind, details(&errors));
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

    #[must_use]
    pub fn because(mut self, reason: CodeReason) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Seconds after which it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The event that was kept.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.0.event_id.as_deref()
    }

    /// Seconds after which it is worth trying again.
    #[must_use]
    pub fn seconds(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// Of a value inside a larger one: its paths begin at `field`, and places in its own text say nothing.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        if self.0.errors.is_empty() {
            return self;
        }
        for error in &mut self.0.errors {
            error.path = match error.path.as_str() {
                "." => field.to_owned(),
                path => format!("{field}.{path}"),
            };
            (error.line, error.column) = (None, None);
        }
        self.0.detail = details(&self.0.errors);
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

fn details(errors: &[FieldError]) -> String {
    let words: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.path, error.message)).collect();
    words.join("; ")
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
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
        // A database in trouble is told of once, not by each request that meets it.
        if error.is_trouble() {
            tracing::debug!(%error, "the store did not do what a request needed");
        } else {
            tracing::error!(%error, "the store did not do what a request needed");
        }
        let unavailable = |detail: &str, seconds| Self::new(Kind::Unavailable, detail).retry_after(seconds);
        match error {
            StoreError::Invalid(what) => Self::new(Kind::Invalid, what),
            StoreError::Corrupt(_) => {
                Self::new(Kind::Internal, "Stored data cannot be read; the host's log says which.")
            }
            StoreError::Damaged(_) => unavailable(
                "The host's database is damaged, and has to be brought back by a person. Send the same request again \
                 later.",
                60,
            ),
            StoreError::Unwritable(_) => unavailable(
                "The host's database cannot be written now. Send the same request again later.",
                10,
            ),
            _ => unavailable("The host's database does not answer now. Send the same request again.", 1),
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
            IntakeError::Overloaded { why, retry_after } => {
                Self::new(Kind::Overloaded, why).retry_after(retry_after)
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

#[cfg(test)]
mod tests {
    use super::*;

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
