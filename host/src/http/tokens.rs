//! Customer tokens: by which a shop's backend names a customer to a browser. A JWT (RFC 7519), signed
//! with HS256 and nothing else: `sub` the customer's id, `aud` the shop's, `exp` at most a day ahead.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// Longer texts are not even decoded.
const LONGEST: usize = 4_096;
/// A token in a browser is to be short-lived, milliseconds.
const AT_MOST_AHEAD: i64 = 24 * 3_600 * 1_000;
/// How far the clocks of two machines may differ, milliseconds.
const CLOCKS_DIFFER: i64 = 60 * 1_000;

/// Why a token names nobody. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("customer_token is not a JWT of three base64url parts with `sub`, `aud` and `exp`")]
    Malformed,
    #[error("customer_token must be signed with HS256 (`alg` of its header), without extensions (`crit`)")]
    Algorithm,
    #[error("the signature of customer_token does not fit: sign it with the secret of [customer_tokens]")]
    Signature,
    #[error("customer_token has expired: ask the shop's backend for a new one")]
    Expired,
    #[error("customer_token is valid for more than a day: set `exp` closer")]
    TooLong,
    #[error("customer_token is not valid yet (`nbf`)")]
    NotYet,
    #[error("customer_token is for another audience: `aud` must be the shop's id")]
    Audience,
    #[error("customer_token names no customer: `sub` is empty")]
    Nobody,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood (RFC 7515, 4.1.11): none is.
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    /// Seconds since 1970.
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn has(&self, shop: &str) -> bool {
        match self {
            Self::One(audience) => audience == shop,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == shop),
        }
    }
}

/// The customer's id. The signature is checked before any claim is read; `now_ms` is UTC milliseconds.
pub fn customer(token: &str, secret: &[u8], shop: &str, now_ms: i64) -> Result<String, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = part(header)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(TokenError::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| TokenError::Signature)?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&signature).map_err(|_| TokenError::Signature)?;
    let claims: Claims = part(claims)?;
    let expires = claims.exp.saturating_mul(1_000);
    if now_ms >= expires {
        return Err(TokenError::Expired);
    }
    if expires > now_ms.saturating_add(AT_MOST_AHEAD).saturating_add(CLOCKS_DIFFER) {
        return Err(TokenError::TooLong);
    }
    if claims.nbf.is_some_and(|from| from.saturating_mul(1_000) > now_ms.saturating_add(CLOCKS_DIFFER)) {
        return Err(TokenError::NotYet);
    }
    if !claims.aud.has(shop) {
        return Err(TokenError::Audience);
    }
    if claims.sub.is_empty() {
        return Err(TokenError::Nobody);
    }
    Ok(claims.sub)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &[u8] = b"a secret of the shop's backend, 32+";
    /// 2026-11-28T09:00:00Z.
    const NOW: i64 = 1_795_856_400_000;

    fn token(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn check(claims: &Value) -> Result<String, TokenError> {
        customer(&token(&json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET), SECRET, "shop", NOW)
    }

    #[test]
    fn the_example_of_rfc_7515_has_a_good_signature() {
        // Appendix A.1: its claims are not ours, so it gets past the signature and no further.
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                     dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        assert_eq!(customer(token, &key, "shop", NOW), Err(TokenError::Malformed));
        assert_eq!(customer(token, b"another key", "shop", NOW), Err(TokenError::Signature));
    }

    #[test]
    fn claims_are_held_to_their_rules() {
        let in_an_hour = NOW / 1_000 + 3_600;
        let good = json!({ "sub": "42", "aud": "shop", "exp": in_an_hour });
        assert_eq!(check(&good), Ok("42".to_owned()));
        assert_eq!(
            check(&json!({ "sub": "42", "aud": ["x", "shop"], "exp": in_an_hour })),
            Ok("42".to_owned())
        );
        for (claims, why) in [
            (json!({ "sub": "42", "aud": "shop", "exp": NOW / 1_000 }), TokenError::Expired),
            (json!({ "sub": "42", "aud": "shop", "exp": NOW / 1_000 + 3 * 86_400 }), TokenError::TooLong),
            (json!({ "sub": "42", "aud": "shop", "exp": i64::MAX }), TokenError::TooLong),
            (json!({ "sub": "42", "aud": "other", "exp": in_an_hour }), TokenError::Audience),
            (json!({ "sub": "", "aud": "shop", "exp": in_an_hour }), TokenError::Nobody),
            (json!({ "sub": "42", "aud": "shop" }), TokenError::Malformed),
            (json!({ "sub": "42", "exp": in_an_hour }), TokenError::Malformed),
            (
                json!({ "sub": "42", "aud": "shop", "exp": in_an_hour, "nbf": in_an_hour - 60 }),
                TokenError::NotYet,
            ),
        ] {
            assert_eq!(check(&claims), Err(why), "{claims}");
        }
    }

    #[test]
    fn no_other_algorithm_is_taken() {
        let claims = json!({ "sub": "42", "aud": "shop", "exp": NOW / 1_000 + 60 });
        let extended = token(&json!({ "alg": "HS256", "crit": ["b64"], "b64": false }), &claims, SECRET);
        assert_eq!(customer(&extended, SECRET, "shop", NOW), Err(TokenError::Algorithm));
        for alg in ["none", "None", "HS512", "RS256", ""] {
            let token = token(&json!({ "alg": alg }), &claims, SECRET);
            assert_eq!(customer(&token, SECRET, "shop", NOW), Err(TokenError::Algorithm), "{alg}");
        }
        let unsigned = token(&json!({ "alg": "HS256" }), &claims, SECRET);
        let unsigned = unsigned.rsplit_once('.').unwrap().0.to_owned() + ".";
        assert_eq!(customer(&unsigned, SECRET, "shop", NOW), Err(TokenError::Signature));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*", dotted in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}") {
            prop_assert!(customer(&text, SECRET, "shop", NOW).is_err());
            prop_assert!(customer(&dotted, SECRET, "shop", NOW).is_err());
        }

        #[test]
        fn a_changed_byte_breaks_the_signature(at in 0_usize..60, to in "[A-Za-z0-9]") {
            let good = token(&json!({ "alg": "HS256" }), &json!({ "sub": "42", "aud": "shop", "exp": NOW / 1_000 + 60 }), SECRET);
            let mut changed = good.clone();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != good);
            prop_assert!(customer(&changed, SECRET, "shop", NOW).is_err());
        }
    }
}
