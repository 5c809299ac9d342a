//! Signatures of Standard Webhooks 1.0 (symmetric, `v1`), both ways: the host verifies what it is sent and
//! signs what it sends. Pure: the time is told.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";

/// Shorter ones could be guessed, longer ones are no better (Standard Webhooks 1.0: 24 to 64 bytes).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// How far a timestamp may be from now, before or after, seconds: beyond it a message is a replay, or one of
/// the clocks is wrong.
pub const TOLERANCE_S: i64 = 5 * 60;

/// A secret that two sides share. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// Why a text is not a secret; never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not `whsec_` followed by 24 to 64 bytes in base64")]
pub struct NotASecret;

impl SigningSecret {
    /// `whsec_` and base64; the prefix may be missing.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let text = text.trim();
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| NotASecret)?;
        if SECRET_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NotASecret) }
    }

    #[must_use]
    pub fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// `whsec_…`: the text that [`parse`](Self::parse) takes, for whoever is to verify.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(mac)
    }
}

/// The headers of a signed message, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'a> {
    /// `webhook-id`: the same for each attempt at the same message.
    pub id: &'a str,
    /// `webhook-timestamp`: Unix seconds.
    pub timestamp: &'a str,
    /// `webhook-signature`: one for each secret, separated by blanks.
    pub signatures: &'a str,
}

/// Why a message is not taken for its sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error(
        "webhook-id, webhook-timestamp and webhook-signature are needed; one of them is missing or empty"
    )]
    Missing,
    #[error("webhook-timestamp is not a number of seconds")]
    NoTime,
    #[error("webhook-timestamp is more than five minutes ago: a replay, or the sender's clock is slow")]
    TooOld,
    #[error("webhook-timestamp is more than five minutes ahead: the sender's clock is fast")]
    TooNew,
    #[error("no signature in webhook-signature fits the body and the secret")]
    DoesNotFit,
}

/// The value of `webhook-signature` for one secret; several are joined by a blank, for a secret that is being
/// replaced. `timestamp` is in Unix seconds.
#[must_use]
pub fn sign(secret: &SigningSecret, id: &str, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let mac = secret.mac(id, &timestamp.to_string(), body);
    mac.map_or_else(String::new, |mac| format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// Whether a body came from someone who has one of the secrets, within [`TOLERANCE_S`] of `now_ms` (UTC
/// milliseconds). Each signature is compared in constant time.
pub fn verify(
    secrets: &[SigningSecret],
    signed: Signed<'_>,
    body: &[u8],
    now_ms: i64,
) -> Result<(), SignatureError> {
    let Signed { id, timestamp, signatures } = signed;
    if [id, timestamp, signatures].iter().any(|header| header.trim().is_empty()) {
        return Err(SignatureError::Missing);
    }
    let sent: i64 = timestamp.parse().map_err(|_| SignatureError::NoTime)?;
    let age = now_ms.div_euclid(1_000).saturating_sub(sent);
    if age > TOLERANCE_S {
        return Err(SignatureError::TooOld);
    }
    if age < -TOLERANCE_S {
        return Err(SignatureError::TooNew);
    }
    let given: Vec<Vec<u8>> = signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(VERSION)?).ok())
        .collect();
    let fits = secrets
        .iter()
        .filter_map(|secret| secret.mac(id, timestamp, body))
        .any(|mac| given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()));
    if fits { Ok(()) } else { Err(SignatureError::DoesNotFit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of the standard's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> SigningSecret {
        SigningSecret::parse(SECRET).unwrap()
    }

    fn checked(
        id: &str,
        time: &str,
        signatures: &str,
        body: &[u8],
        now_s: i64,
    ) -> Result<(), SignatureError> {
        verify(&[secret()], Signed { id, timestamp: time, signatures }, body, now_s * 1_000)
    }

    #[test]
    fn the_published_vector_is_made_and_taken() {
        assert_eq!(sign(&secret(), ID, TIME, BODY), SIGNATURE);
        assert_eq!(checked(ID, &TIME.to_string(), SIGNATURE, BODY, TIME), Ok(()));
    }

    #[test]
    fn one_of_many_signatures_and_one_of_many_secrets_is_enough() {
        let many = format!("v1,AAAA v1a,{} {SIGNATURE} v2,x", &SIGNATURE[3..]);
        assert_eq!(checked(ID, &TIME.to_string(), &many, BODY, TIME), Ok(()));
        let other = SigningSecret::of_bytes([7; 32]);
        let signed = Signed { id: ID, timestamp: "1614265330", signatures: SIGNATURE };
        assert_eq!(verify(&[other.clone(), secret()], signed, BODY, TIME * 1_000), Ok(()));
        assert_eq!(verify(&[other], signed, BODY, TIME * 1_000), Err(SignatureError::DoesNotFit));
        assert_eq!(verify(&[], signed, BODY, TIME * 1_000), Err(SignatureError::DoesNotFit));
    }

    #[test]
    fn what_was_changed_is_refused() {
        let time = TIME.to_string();
        for (id, time, signatures, body, error) in [
            ("msg_other", time.as_str(), SIGNATURE, BODY, SignatureError::DoesNotFit),
            (ID, "1614265331", SIGNATURE, BODY, SignatureError::DoesNotFit),
            (ID, &time, SIGNATURE, b"{}".as_slice(), SignatureError::DoesNotFit),
            (ID, &time, &SIGNATURE[3..], BODY, SignatureError::DoesNotFit),
            (ID, &time, "v1,not base64", BODY, SignatureError::DoesNotFit),
            ("", &time, SIGNATURE, BODY, SignatureError::Missing),
            (ID, "", SIGNATURE, BODY, SignatureError::Missing),
            (ID, &time, " ", BODY, SignatureError::Missing),
            (ID, "yesterday", SIGNATURE, BODY, SignatureError::NoTime),
        ] {
            assert_eq!(checked(id, time, signatures, body, TIME), Err(error), "{id} {time} {signatures}");
        }
    }

    #[test]
    fn five_minutes_either_way_are_the_limit() {
        let time = TIME.to_string();
        for (now_s, outcome) in [
            (TIME + 300, Ok(())),
            (TIME + 301, Err(SignatureError::TooOld)),
            (TIME - 300, Ok(())),
            (TIME - 301, Err(SignatureError::TooNew)),
            (0, Err(SignatureError::TooNew)),
        ] {
            assert_eq!(checked(ID, &time, SIGNATURE, BODY, now_s), outcome, "{now_s}");
        }
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        assert_eq!(secret().reveal(), SECRET);
        assert_eq!(SigningSecret::parse(&SECRET[6..]), Ok(secret()));
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "hush"] {
            assert_eq!(SigningSecret::parse(wrong), Err(NotASecret), "{wrong}");
        }
        assert_eq!(format!("{:?}", secret()), "SigningSecret(…)");
    }
}
