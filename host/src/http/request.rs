//! What surrounds every request: its id, its span, its time limit, its metrics, and the headers that
//! every answer carries. Nothing here logs a path parameter, a query or a header's value.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::bodies::Most;
use super::leftover::{self, Leftover};
use super::problem::{Kind, Problem};
use super::server::Entrance;
use super::{Wire, browser, catalog};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A whole catalogue takes longer than a question.
const CATALOG_PATIENCE: u32 = 20;

/// The id of a request: the client's `X-Request-Id` if it is one, else a new UUIDv7.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| id_of(&parts.headers)))
    }
}

/// The outermost layer.
pub async fn around(State(wire): State<Wire>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = id_of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let version = request.version();
    let entrance = request.extensions().get::<Entrance>().copied();
    let unroutable = entrance.and_then(|_| without_host(&request));
    request.extensions_mut().insert(id.clone());
    let from = entrance.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |entrance| entrance.from);
    // Held until the answer is there.
    let (request, _share) = if route == catalog::PATH {
        (request, None)
    } else {
        let most = Most::of(&wire.registry.current().host.http);
        wire.bodies.weigh(request, from, most)
    };
    let (request, leftover) = leftover::lend(request);
    let span = tracing::info_span!(
        "request",
        request_id = %id.0,
        method = %method,
        route = %route,
        shop = tracing::field::Empty,
        key = tracing::field::Empty,
    );
    let patience = patience(&wire, &route);
    let response = async {
        let answered = match unroutable {
            Some(problem) => Ok(last(problem.into_response(), version)),
            None => tokio::time::timeout(patience, next.run(request)).await,
        };
        let mut response = match (answered, leftover) {
            (Ok(response), leftover) => {
                if let Some(leftover) = leftover {
                    leftover.drain().await;
                }
                response
            }
            (Err(_), leftover) => given_up(leftover, version),
        };
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            // The headers that layers added on the way stay.
            let mut whole = problem.about(&id.0).into_response();
            for (name, value) in response.headers() {
                if name != header::CONTENT_TYPE
                    && name != header::CONTENT_LENGTH
                    && !whole.headers().contains_key(name)
                {
                    whole.headers_mut().append(name, value.clone());
                }
            }
            response = whole;
        }
        let elapsed = started.elapsed();
        tracing::info!(
            status = response.status().as_u16(),
            milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        count(&route, &method, &response, elapsed);
        response
    }
    .instrument(span)
    .await;
    finished(response, &id, entrance.is_some_and(|entrance| entrance.secure))
}

/// HTTP/1.1 has exactly one Host (RFC 9112, 3.2): where it differs between a proxy and its host, so does what each
/// of them believes to have been asked.
fn without_host(request: &Request) -> Option<Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let needed = request.version() == Version::HTTP_11;
    if second.is_none() && (first.is_some() || !needed) {
        return None;
    }
    Some(Problem::new(Kind::InvalidRequest, "Send the header Host, once (RFC 9112, 3.2)."))
}

/// A request that took too long: the client's doing when it did not send its body, else ours.
fn given_up(leftover: Option<Leftover>, version: Version) -> Response {
    if !leftover.is_some_and(Leftover::was_awaited) {
        return Problem::new(Kind::TimedOut, "The request took longer than the host allows; send it again.")
            .retry_after(1)
            .into_response();
    }
    let problem = Problem::new(
        Kind::SlowBody,
        "The body did not come within http.timeout_seconds of cartwright.toml; send all of it at once.",
    );
    last(problem.into_response(), version)
}

/// After this answer nothing more is read: what follows may be the rest of what was not understood. In HTTP/2 the
/// stream ends, and the connection goes on.
fn last(mut response: Response, version: Version) -> Response {
    if version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn patience(wire: &Wire, route: &str) -> Duration {
    let patience = Duration::from_secs(wire.registry.current().host.http.timeout_seconds.max(1));
    if route == catalog::PATH { patience.saturating_mul(CATALOG_PATIENCE) } else { patience }
}

fn count(route: &str, method: &axum::http::Method, response: &Response, elapsed: Duration) {
    let labels = [
        ("route", route.to_owned()),
        ("method", method.as_str().to_owned()),
        ("status", response.status().as_u16().to_string()),
    ];
    metrics::counter!("cartwright_http_requests_total", &labels).increment(1);
    metrics::histogram!("cartwright_http_request_seconds", "route" => route.to_owned())
        .record(elapsed.as_secs_f64());
}

/// The id, and what a browser may do with the answer.
fn finished(mut response: Response, id: &RequestId, secure: bool) -> Response {
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(&REQUEST_ID, value);
    }
    browser::bound(&mut response, secure);
    response
}

/// What a panic of a handler is answered. Its text may hold anything, so only the log's hook has it.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::internal("a handler panicked").into_response()
}

/// A client's id is taken when it cannot break a log line or a header.
fn id_of(headers: &HeaderMap) -> RequestId {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| {
        (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    });
    RequestId(given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_request_id_is_kept_only_when_it_is_harmless() {
        let id = |given: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(&REQUEST_ID, HeaderValue::from_bytes(given).unwrap());
            id_of(&headers).0
        };
        assert_eq!(id(b"order:17.retry-2"), "order:17.retry-2");
        assert_eq!(id(&[b'a'; 128]).len(), 128);
        for refused in [&b""[..], b"a b", b"a\"b", b"caf\xc3\xa9", &[b'a'; 129]] {
            assert_ne!(id(refused).as_bytes(), refused);
        }
    }
}
