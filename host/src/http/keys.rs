//! Keys: who calls, and what each kind of key may do.
//!
//! A key reads `cw_sk_<shop>_<random>` or `cw_pk_<shop>_<random>` (`cartwright key create` makes them): it
//! names its shop, so nothing else has to. Only its SHA-256 is kept; a key has 256 random bits, so a slow
//! hash would protect nothing.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Wire;
use super::origins;
use super::problem::{Kind, Problem};
use crate::config::{Key, KeyKind};
use crate::plugins::registry::{LiveShop, Snapshot};

const SECRET: &str = "cw_sk_";
const PUBLISHABLE: &str = "cw_pk_";

/// Who calls: one key of one shop, with the configuration pinned for the whole request.
#[derive(Clone)]
pub struct Caller {
    pub snapshot: Arc<Snapshot>,
    pub shop: Arc<LiveShop>,
    /// The key's name in the shop's file, never the key.
    pub key: String,
    pub kind: KeyKind,
}

impl Caller {
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == KeyKind::Secret
    }

    #[must_use]
    pub fn shop_id(&self) -> &str {
        &self.shop.config.id
    }
}

/// Whoever passed [`any_key`] or [`secret_key`].
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| Problem::internal("a route asks for a caller but not for a key"))
    }
}

/// Lets through whoever has a key of either kind; a publishable one only from its origins.
pub async fn any_key(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    gate(wire, request, next, false).await
}

/// Lets through whoever has a secret key.
pub async fn secret_key(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    gate(wire, request, next, true).await
}

async fn gate(wire: Wire, mut request: Request, next: Next, only_secret: bool) -> Response {
    match admit(&wire, request.headers(), only_secret) {
        Ok(caller) => {
            let span = tracing::Span::current();
            span.record("shop", caller.shop_id());
            span.record("key", caller.key.as_str());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn admit(wire: &Wire, headers: &HeaderMap, only_secret: bool) -> Result<Caller, Problem> {
    let snapshot = wire.registry.current();
    let (shop, key) = identify(&snapshot, headers)?;
    let caller = Caller {
        shop: Arc::clone(shop),
        key: key.name.clone(),
        kind: key.kind,
        snapshot: Arc::clone(&snapshot),
    };
    if key.kind == KeyKind::Publishable {
        if only_secret {
            return Err(Problem::new(
                Kind::SecretKeyRequired,
                "This path needs a secret key of the shop; a publishable key may only ask decision hooks.",
            ));
        }
        origins::check(&key.origins, headers, &key.name)?;
    }
    wire.rates
        .check(snapshot.host.http.requests_per_second, &format!("{}/{}", caller.shop_id(), caller.key))?;
    Ok(caller)
}

/// The key that a request carries, if a shop has it.
fn identify<'a>(
    snapshot: &'a Snapshot,
    headers: &HeaderMap,
) -> Result<(&'a Arc<LiveShop>, &'a Key), Problem> {
    let unknown = || {
        Problem::new(
            Kind::Unauthorized,
            "No shop has this key: it was removed, belongs to another host, or was copied in part.",
        )
    };
    let text = bearer(headers).ok_or_else(|| {
        Problem::new(Kind::Unauthorized, "Send a key of the shop in the header `Authorization: Bearer cw_…`.")
    })?;
    let (kind, rest) = kind_of(text).ok_or_else(unknown)?;
    // A shop's id has no underscore.
    let shop = rest.split_once('_').and_then(|(shop, _)| snapshot.shops.get(shop)).ok_or_else(unknown)?;
    let key = matching(&shop.config.keys, kind, text).ok_or_else(unknown)?;
    Ok((shop, key))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The kind of a key, and what follows.
fn kind_of(text: &str) -> Option<(KeyKind, &str)> {
    text.strip_prefix(SECRET)
        .map(|rest| (KeyKind::Secret, rest))
        .or_else(|| text.strip_prefix(PUBLISHABLE).map(|rest| (KeyKind::Publishable, rest)))
}

/// All keys are compared, each in constant time: the time taken tells nothing of any of them.
fn matching<'a>(keys: &'a [Key], kind: KeyKind, text: &str) -> Option<&'a Key> {
    let presented = hex(&Sha256::digest(text.as_bytes()));
    let mut found = None;
    for key in keys {
        let same: Choice = key.sha256.to_ascii_lowercase().as_bytes().ct_eq(presented.as_bytes());
        if bool::from(same) && key.kind == kind {
            found = Some(key);
        }
    }
    found
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, kind: KeyKind, text: &str) -> Key {
        Key {
            name: name.to_owned(),
            kind,
            sha256: hex(&Sha256::digest(text.as_bytes())),
            origins: Vec::new(),
        }
    }

    #[test]
    fn a_key_is_found_only_whole_and_as_its_own_kind() {
        let keys = [key("a", KeyKind::Secret, "cw_sk_s_1"), key("b", KeyKind::Publishable, "cw_pk_s_2")];
        let name = |kind, text| matching(&keys, kind, text).map(|key| key.name.as_str());
        assert_eq!(name(KeyKind::Secret, "cw_sk_s_1"), Some("a"));
        assert_eq!(name(KeyKind::Publishable, "cw_pk_s_2"), Some("b"));
        assert_eq!(name(KeyKind::Secret, "cw_sk_s_"), None);
        assert_eq!(name(KeyKind::Secret, "cw_pk_s_2"), None);
        let written_large = Key { sha256: keys[0].sha256.to_ascii_uppercase(), ..keys[0].clone() };
        assert!(matching(&[written_large], KeyKind::Secret, "cw_sk_s_1").is_some());
    }

    #[test]
    fn the_bearer_scheme_is_read_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, "bearer  cw_sk_s_1".parse().unwrap());
        assert_eq!(bearer(&headers), Some("cw_sk_s_1"));
        headers.insert(header::AUTHORIZATION, "Basic cw_sk_s_1".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}
