//! Where a browser may call from (CORS). A publishable key answers only the origins of its shop's file;
//! a preflight carries no key, so it is answered for any origin that some publishable key allows.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Wire;
use super::problem::{Kind, Problem};
use crate::config::KeyKind;
use crate::plugins::registry::Snapshot;

/// Seconds for which a browser may remember a preflight.
const REMEMBER: &str = "600";

/// Answers preflights, and lets the browser read what an allowed origin is answered, problems too.
pub async fn layer(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let allowed = origin.filter(|origin| is_known(&wire.registry.current(), origin));
    let mut response = if preflight {
        match allowed {
            Some(_) => preflight_answer(),
            None => Problem::new(
                Kind::OriginNotAllowed,
                "No publishable key allows this origin: list it as one of the key's `origins` in the shop's file.",
            )
            .into_response(),
        }
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("ETag, Retry-After, X-Request-Id"),
        );
    }
    response
}

fn preflight_answer() -> Response {
    (
        StatusCode::NO_CONTENT,
        [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "Authorization, Content-Type, If-None-Match, X-Request-Id",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBER),
        ],
    )
        .into_response()
}

/// Refuses a request with a publishable key that comes from elsewhere, or from no browser at all.
pub fn check(origins: &[String], headers: &HeaderMap, key: &str) -> Result<(), Problem> {
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| lists(origins, origin)) {
        return Ok(());
    }
    let seen =
        if origin.is_some() { "this origin is not among them" } else { "the request has no Origin header" };
    Err(Problem::new(
        Kind::OriginNotAllowed,
        format!(
            "The publishable key `{key}` answers only browsers on its `origins` in the shop's file, and {seen}. \
             From a backend use a secret key."
        ),
    ))
}

fn is_known(snapshot: &Snapshot, origin: &HeaderValue) -> bool {
    snapshot
        .shops
        .values()
        .flat_map(|shop| &shop.config.keys)
        .any(|key| key.kind == KeyKind::Publishable && lists(&key.origins, origin))
}

fn lists(origins: &[String], origin: &HeaderValue) -> bool {
    origin.to_str().is_ok_and(|origin| {
        origins.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_origins_pass_whole() {
        let origins = ["https://shop.example/".to_owned()];
        let passes = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            check(&origins, &headers, "web").is_ok()
        };
        assert!(passes(Some("https://shop.example")));
        assert!(passes(Some("https://SHOP.example")));
        for origin in ["http://shop.example", "https://shop.example:444", "https://shop.example.evil", "null"]
        {
            assert!(!passes(Some(origin)), "{origin}");
        }
        assert!(!passes(None));
        assert!(check(&[], &HeaderMap::new(), "web").is_err());
    }
}
