//! By which name an event is known: Standard Webhooks `webhook-id`, `Idempotency-Key`, or the `ce-id` and
//! `ce-source` of CloudEvents 1.0 (HTTP binary mode). An event without any is known by its own hash.

use axum::http::HeaderMap;

use super::keys::hex;
use super::problem::{FieldError, Kind, Problem};

/// Who names an event by its id alone.
const API: &str = "api";

/// Names longer than this are refused.
const LONGEST: usize = 255;

/// Who says it, and which of their events it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub source: String,
    pub id: String,
}

/// The name that the headers give; `None` when they give none.
pub fn of(headers: &HeaderMap) -> Result<Option<Name>, Problem> {
    if let Some(id) = text(headers, "webhook-id")? {
        return Ok(Some(Name { source: API.to_owned(), id }));
    }
    if let Some(id) = text(headers, "idempotency-key")? {
        // The header is a structured string by its draft, and bare in most clients.
        let bare = id.strip_prefix('"').and_then(|id| id.strip_suffix('"')).unwrap_or(&id);
        if bare.is_empty() {
            return Err(bad("idempotency-key"));
        }
        return Ok(Some(Name { source: API.to_owned(), id: bare.to_owned() }));
    }
    match (text(headers, "ce-source")?, text(headers, "ce-id")?) {
        (Some(source), Some(id)) => Ok(Some(Name { source: format!("cloudevents:{source}"), id })),
        (None, None) => Ok(None),
        _ => Err(Problem::new(
            Kind::InvalidRequest,
            "A CloudEvent is known by ce-source and ce-id: send both.",
        )),
    }
}

/// The name of an event that came without one.
#[must_use]
pub fn of_body(fingerprint: &[u8; 32]) -> Name {
    Name { source: API.to_owned(), id: format!("sha256:{}", hex(fingerprint)) }
}

/// The name that an event carries in itself: with a CloudEvents `source`, or without one.
pub fn given(source: Option<&str>, id: &str) -> Result<Name, FieldError> {
    for (field, text) in [("id", Some(id)), ("source", source)] {
        let Some(text) = text else { continue };
        let length = text.chars().count();
        if length == 0 || length > LONGEST || text.chars().any(char::is_control) {
            return Err(FieldError::at(
                field,
                format!("must have 1 to {LONGEST} characters, and none that steers a terminal"),
            ));
        }
    }
    let source = source.map_or_else(|| API.to_owned(), |source| format!("cloudevents:{source}"));
    Ok(Name { source, id: id.to_owned() })
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let value = value.to_str().map_err(|_| bad(name))?.trim();
    if value.is_empty() || value.len() > LONGEST || value.contains('\t') {
        return Err(bad(name));
    }
    Ok(Some(value.to_owned()))
}

fn bad(name: &str) -> Problem {
    Problem::new(
        Kind::InvalidRequest,
        format!("The header {name} must be 1 to {LONGEST} visible ASCII characters."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(headers: &[(&'static str, &str)]) -> Result<Option<(String, String)>, ()> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        of(&headers).map(|name| name.map(|name| (name.source, name.id))).map_err(|_| ())
    }

    #[test]
    fn each_standard_names_an_event() {
        let api = |id: &str| Ok(Some(("api".to_owned(), id.to_owned())));
        assert_eq!(named(&[]), Ok(None));
        assert_eq!(named(&[("webhook-id", "msg_1")]), api("msg_1"));
        assert_eq!(named(&[("idempotency-key", "k1")]), api("k1"));
        assert_eq!(named(&[("idempotency-key", "\"k1\"")]), api("k1"));
        assert_eq!(named(&[("webhook-id", "msg_1"), ("idempotency-key", "k1")]), api("msg_1"));
        assert_eq!(
            named(&[("ce-id", "7"), ("ce-source", "/shop")]),
            Ok(Some(("cloudevents:/shop".to_owned(), "7".to_owned())))
        );
    }

    #[test]
    fn half_a_name_is_refused() {
        assert_eq!(named(&[("ce-id", "7")]), Err(()));
        assert_eq!(named(&[("ce-source", "/shop")]), Err(()));
        assert_eq!(named(&[("webhook-id", "")]), Err(()));
        assert_eq!(named(&[("idempotency-key", "a\tb")]), Err(()));
        assert_eq!(named(&[("idempotency-key", "\"\"")]), Err(()));
        assert_eq!(named(&[("webhook-id", &"x".repeat(256))]), Err(()));
    }
}
