//! Answers that a client may keep: an ETag over what matters in them, and a `max-age` that ends when
//! they stop to hold (RFC 9110, RFC 9111).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::keys::hex;
use super::problem::Problem;

/// The answer, or 304 when the client has it. Instants are UTC milliseconds.
pub fn respond(
    answer: &impl Serialize,
    valid_until: i64,
    now_ms: i64,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let json = serde_json::to_value(answer).map_err(|_| Problem::internal("an answer is not JSON"))?;
    let etag = etag(&json);
    let seconds = valid_until.saturating_sub(now_ms).max(0) / 1_000;
    let mut response = if holds(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        axum::Json(json).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ETAG, etag),
        // Whoever may ask depends on the key, what is answered on the language.
        (header::CACHE_CONTROL, format!("private, max-age={seconds}")),
        (header::VARY, "Authorization, Accept-Language".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
    Ok(response)
}

/// Weak: `valid_until` moves with the clock and changes nothing that a shopper reads.
fn etag(json: &Value) -> String {
    let mut kept = json.clone();
    if let Value::Object(fields) = &mut kept {
        fields.remove("valid_until");
        fields.remove("explain");
    }
    let digest = hex(&Sha256::digest(kept.to_string().as_bytes()));
    format!("W/\"{}\"", digest.get(..32).unwrap_or(&digest))
}

/// Weak comparison, as If-None-Match has it.
fn holds(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(etags: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, etags.parse().unwrap());
        headers
    }

    #[test]
    fn an_answer_may_be_kept_as_long_as_it_holds() {
        let answer = json!({ "notices": [], "valid_until": "2026-11-28T10:00:00Z" });
        let response = respond(&answer, 90_500, 30_000, &HeaderMap::new()).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "private, max-age=60");
        let late = respond(&answer, 10, 30_000, &HeaderMap::new()).unwrap();
        assert_eq!(late.headers()[header::CACHE_CONTROL], "private, max-age=0");
    }

    #[test]
    fn a_client_that_has_the_answer_gets_304_even_when_its_end_moved() {
        let before = json!({ "notices": [], "valid_until": "2026-11-28T10:00:00Z" });
        let after = json!({ "notices": [], "valid_until": "2026-11-28T11:00:00Z" });
        let first = respond(&before, 0, 0, &HeaderMap::new()).unwrap();
        let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for etags in [etag.clone(), format!("\"x\", {etag}"), etag.replace("W/", ""), "*".to_owned()] {
            let again = respond(&after, 0, 0, &asked(&etags)).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{etags}");
            assert_eq!(again.headers()[header::ETAG], etag);
        }
        let changed = respond(&json!({ "notices": [1] }), 0, 0, &asked(&etag)).unwrap();
        assert_eq!(changed.status(), StatusCode::OK);
    }
}
