//! One POST, and what its answer means.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};

use super::request::Request;
use crate::config::WebhookEndpoint;

/// Bytes of an answer that are read, so that the connection can be used again; what is more is not.
const ANSWER: usize = 16 << 10;

/// Characters of a reason that are kept.
const REASON: usize = 200;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 2xx.
    Taken(u16),
    /// 410: the endpoint wants to hear no more.
    Gone,
    Refused {
        status: u16,
        reason: String,
        /// `Retry-After`, ms from now.
        wish: Option<i64>,
    },
    /// None at all.
    Nothing(String),
}

pub(super) fn client() -> anyhow::Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("Cartwright/", env!("CARGO_PKG_VERSION")))
        // A signed body goes to the address that the merchant wrote, and to no other.
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(60))
        .build();
    client.map_err(|error| anyhow::anyhow!("webhooks cannot be sent: {error}"))
}

pub(super) async fn send(
    client: &Client,
    endpoint: &WebhookEndpoint,
    request: Request,
    now_ms: i64,
) -> Answer {
    let mut post = client
        .post(&endpoint.url)
        .timeout(Duration::from_secs(endpoint.timeout_seconds))
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in request.headers {
        post = post.header(name, value);
    }
    match post.body(request.body).send().await {
        Ok(response) => {
            let answer = meaning(response.status(), response.headers(), now_ms);
            drain(response).await;
            answer
        }
        Err(error) => Answer::Nothing(why(error, endpoint.timeout_seconds)),
    }
}

fn meaning(status: StatusCode, headers: &HeaderMap, now_ms: i64) -> Answer {
    let code = status.as_u16();
    if status.is_success() {
        return Answer::Taken(code);
    }
    if status == StatusCode::GONE {
        return Answer::Gone;
    }
    let reason = if status.is_redirection() {
        format!("it answered {code}; redirects are not followed: write the new address into the shop's file")
    } else {
        format!("it answered {code}")
    };
    let wish = headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now_ms));
    Answer::Refused { status: code, reason, wish }
}

/// Seconds or an HTTP date (RFC 9110), as ms from now.
fn retry_after(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(i64::from(seconds) * 1_000);
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(at.as_millisecond().saturating_sub(now_ms))
}

/// A status that came counts, whatever becomes of its body.
async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = response.chunk().await {
        read += piece.len();
        if read > ANSWER {
            break;
        }
    }
}

/// Without the address: it may have a secret in its path.
fn why(error: reqwest::Error, timeout_seconds: u64) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return format!("no answer within {timeout_seconds} s");
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let what = if error.is_connect() { "no connection" } else { "the connection broke" };
    format!("{what}: {cause}").chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 784_111_777_000;

    fn answered(status: u16, wish: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(wish) = wish {
            headers.insert(RETRY_AFTER, wish.parse().unwrap());
        }
        meaning(StatusCode::from_u16(status).unwrap(), &headers, NOW)
    }

    #[test]
    fn only_a_success_is_taken() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(answered(status, None), Answer::Taken(status));
        }
        assert_eq!(answered(410, None), Answer::Gone);
        for status in [301, 302, 308, 400, 401, 404, 429, 500, 503] {
            let Answer::Refused { status: told, reason, wish } = answered(status, None) else {
                panic!("{status}")
            };
            assert_eq!((told, wish), (status, None));
            assert_eq!(reason.contains("redirects"), (300..400).contains(&status));
        }
    }

    #[test]
    fn a_wish_is_in_seconds_or_a_date() {
        let wish = |value| match answered(503, Some(value)) {
            Answer::Refused { wish, .. } => wish,
            other => panic!("{other:?}"),
        };
        assert_eq!(wish("120"), Some(120_000));
        assert_eq!(wish("Sun, 06 Nov 1994 08:51:37 GMT"), Some(2 * 60_000));
        assert_eq!(wish("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        for nonsense in ["", "soon", "-5", "1e3", "99999999999999999999"] {
            assert_eq!(wish(nonsense), None, "{nonsense}");
        }
    }
}
