//! Keys: who calls, and what each kind of key may do.
//!
//! A key reads `cw_sk_<shop>_<random>` or `cw_pk_<shop>_<random>`: it names its shop, so nothing else
//! has to. Only its SHA-256 is kept; a key has 256 random bits, so a slow hash would protect nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rand::TryRngCore;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Wire;
use super::origins;
use super::problem::{Kind, Problem};
use crate::config::{Key, KeyKind};
use crate::plugins::registry::{LiveShop, Snapshot};

const SECRET: &str = "cw_sk_";
const PUBLISHABLE: &str = "cw_pk_";

/// A key that was just made. The text is shown once and kept nowhere.
pub struct Minted {
    pub text: String,
    /// Lower-case hex, as the shop's file keeps it.
    pub sha256: String,
}

/// Makes a key from the operating system's random numbers.
pub fn mint(kind: KeyKind, shop: &str) -> anyhow::Result<Minted> {
    let mut random = [0_u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut random)?;
    let prefix = match kind {
        KeyKind::Secret => SECRET,
        KeyKind::Publishable => PUBLISHABLE,
    };
    let text = format!("{prefix}{shop}_{}", hex(&random));
    let sha256 = hex(&Sha256::digest(text.as_bytes()));
    Ok(Minted { text, sha256 })
}

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
    let (kind, shop) = read(text).ok_or_else(unknown)?;
    let shop = snapshot.shops.get(shop).ok_or_else(unknown)?;
    let key = matching(&shop.config.keys, kind, text).ok_or_else(unknown)?;
    Ok((shop, key))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The kind and the shop that a key names.
fn read(text: &str) -> Option<(KeyKind, &str)> {
    let (kind, rest) = match (text.strip_prefix(SECRET), text.strip_prefix(PUBLISHABLE)) {
        (Some(rest), _) => (KeyKind::Secret, rest),
        (_, Some(rest)) => (KeyKind::Publishable, rest),
        _ => return None,
    };
    // A shop's id may have an underscore, the random part has none.
    let (shop, random) = rest.rsplit_once('_')?;
    (!shop.is_empty() && !random.is_empty()).then_some((kind, shop))
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
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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
    fn a_minted_key_names_its_shop_and_fits_its_hash() {
        let minted = mint(KeyKind::Secret, "north_wind").unwrap();
        assert_eq!(read(&minted.text), Some((KeyKind::Secret, "north_wind")));
        assert_eq!(minted.text.len(), "cw_sk_north_wind_".len() + 64);
        let stored = Key {
            name: "backend".to_owned(),
            kind: KeyKind::Secret,
            sha256: minted.sha256.to_ascii_uppercase(),
            origins: Vec::new(),
        };
        assert!(matching(&[stored], KeyKind::Secret, &minted.text).is_some());
        assert_ne!(mint(KeyKind::Secret, "north_wind").unwrap().text, minted.text);
    }

    #[test]
    fn a_key_is_found_only_whole_and_as_its_own_kind() {
        let keys = [key("a", KeyKind::Secret, "cw_sk_s_1"), key("b", KeyKind::Publishable, "cw_pk_s_2")];
        let name = |kind, text| matching(&keys, kind, text).map(|key| key.name.as_str());
        assert_eq!(name(KeyKind::Secret, "cw_sk_s_1"), Some("a"));
        assert_eq!(name(KeyKind::Publishable, "cw_pk_s_2"), Some("b"));
        assert_eq!(name(KeyKind::Secret, "cw_sk_s_"), None);
        assert_eq!(name(KeyKind::Secret, "cw_pk_s_2"), None);
    }

    #[test]
    fn what_is_not_a_key_is_not_read_as_one() {
        for text in ["", "cw_sk_", "cw_sk_shop", "cw_sk__random", "cw_sk_shop_", "sk_shop_random"] {
            assert_eq!(read(text), None, "{text}");
        }
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
