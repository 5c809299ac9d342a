//! `Prefer: wait=N` (RFC 7240): a client that would rather wait N seconds than ask again.

use axum::http::HeaderMap;

/// Seconds that any request may wait.
const LONGEST: u64 = 20;

/// The longest wait under a request limit of so many seconds: the answer must still get out.
#[must_use]
pub fn longest(timeout_seconds: u64) -> u64 {
    LONGEST.min(timeout_seconds / 2)
}

/// The seconds asked for, `longest` at most; `None` when the client does not want to wait. What cannot
/// be read is no preference, as the RFC has it.
#[must_use]
pub fn wait(headers: &HeaderMap, longest: u64) -> Option<u64> {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("wait").then(|| value.parse::<u64>().ok()).flatten()
        })
        .map(|seconds| seconds.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_and_capped() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", value.parse().unwrap());
            wait(&headers, 15)
        };
        assert_eq!(of("wait=5"), Some(5));
        assert_eq!(of("respond-async, WAIT = \"7\""), Some(7));
        assert_eq!(of("wait=600"), Some(15));
        assert_eq!(of("wait=0"), Some(0));
        assert_eq!(of("wait=soon"), None);
        assert_eq!(of("return=minimal"), None);
        assert_eq!(wait(&HeaderMap::new(), 15), None);
    }

    #[test]
    fn a_wait_ends_before_the_request_does() {
        assert_eq!(longest(30), 15);
        assert_eq!(longest(600), 20);
        assert_eq!(longest(1), 0);
    }
}
