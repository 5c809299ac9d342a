//! Signed quotes. Decisions write nothing, so what was promised travels with the shopper: price,
//! arrival and expiry of a delivery option, signed by the host, come back with the order.
//!
//! Form: `q1.<payload>.<signature>`, both base64url without padding; the payload is compact JSON, the
//! signature HMAC-SHA-256 over `q1.<payload>`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub use crate::domain::Quote;

const VERSION: &str = "q1";

/// Longer texts are no quotes of ours; they are not even decoded.
const LONGEST: usize = 8_192;

/// Why a text is not a quote to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    #[error("this is not a quote: send `delivery_options[].quote` of the checkout's answer unchanged")]
    Malformed,
    #[error("the quote was changed, or another host signed it: send it as the checkout answered it")]
    Tampered,
    #[error("the quote is another shop's")]
    OtherShop,
    #[error("the quote had expired when the order was placed: ask the checkout again before ordering")]
    Expired,
}

/// The text that goes to the storefront.
#[must_use]
pub fn sign(key: &[u8; 32], quote: &Quote) -> String {
    let payload = serde_json::to_vec(quote).unwrap_or_default();
    let signed = format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(mac(key, &signed).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// The quote in a text that came back with an order of `shop`, placed at `placed_at_ms`.
/// Signatures are compared in constant time, and before anything in the payload is looked at.
pub fn verify(key: &[u8; 32], text: &str, shop: &str, placed_at_ms: i64) -> Result<Quote, QuoteError> {
    if text.len() > LONGEST {
        return Err(QuoteError::Malformed);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(QuoteError::Malformed)?;
    let (version, payload) = signed.split_once('.').ok_or(QuoteError::Malformed)?;
    if version != VERSION {
        return Err(QuoteError::Malformed);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| QuoteError::Malformed)?;
    mac(key, signed).verify_slice(&signature).map_err(|_| QuoteError::Tampered)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| QuoteError::Malformed)?;
    let quote: Quote = serde_json::from_slice(&payload).map_err(|_| QuoteError::Malformed)?;
    if quote.shop != shop {
        return Err(QuoteError::OtherShop);
    }
    if placed_at_ms > quote.expires {
        return Err(QuoteError::Expired);
    }
    Ok(quote)
}

fn mac(key: &[u8; 32], signed: &str) -> Hmac<Sha256> {
    // A key shorter than the hash's block is padded with zeros (RFC 2104).
    let mut block = [0; 64];
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(signed.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Arrival;

    const KEY: [u8; 32] = [1; 32];

    fn quote() -> Quote {
        Quote {
            shop: "shop".to_owned(),
            cart: "cart".to_owned(),
            option: "delivery-options/home".to_owned(),
            title: "Dostawa do domu — ekspres".to_owned(),
            price: 1_299,
            currency: "PLN".to_owned(),
            exponent: 2,
            arrival: Some(Arrival { earliest: "2026-12-01".to_owned(), latest: "2026-12-03".to_owned() }),
            expires: 1_000,
            contributors: vec!["delivery-options".to_owned()],
        }
    }

    #[test]
    fn a_quote_comes_back_as_it_went() {
        assert_eq!(verify(&KEY, &sign(&KEY, &quote()), "shop", 1_000), Ok(quote()));
        let bare = Quote { arrival: None, contributors: Vec::new(), ..quote() };
        assert_eq!(verify(&KEY, &sign(&KEY, &bare), "shop", 0), Ok(bare));
    }

    #[test]
    fn any_other_text_is_refused_for_its_own_reason() {
        let text = sign(&KEY, &quote());
        assert_eq!(verify(&KEY, &text, "shop", 1_001), Err(QuoteError::Expired));
        assert_eq!(verify(&KEY, &text, "other", 0), Err(QuoteError::OtherShop));
        assert_eq!(verify(&[2; 32], &text, "shop", 0), Err(QuoteError::Tampered));
        for broken in ["", "q1", "q1.", "q1..", "hello", "q2.e30.e30", "q1.e30.!"] {
            assert!(verify(&KEY, broken, "shop", 0).is_err(), "{broken}");
        }
        assert_eq!(verify(&KEY, &"x".repeat(LONGEST + 1), "shop", 0), Err(QuoteError::Malformed));
        // A cheaper price under the old signature; a signature cut short; another's signature.
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let cheaper = sign(&[9; 32], &Quote { price: 1, ..quote() });
        let (cheaper, other_signature) = cheaper.rsplit_once('.').unwrap();
        for forged in [
            format!("{cheaper}.{signature}"),
            format!("{signed}.{other_signature}"),
            format!("{signed}.{}", &signature[..20]),
            format!("{signed}."),
        ] {
            assert_eq!(verify(&KEY, &forged, "shop", 0), Err(QuoteError::Tampered), "{forged}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_changed_byte_goes_unseen(at in 0_usize..300, to in "[A-Za-z0-9_.-]") {
            let text = sign(&KEY, &quote());
            let at = at % text.len();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            // The last characters of base64 have bits that mean nothing: those are refused too.
            proptest::prop_assert_eq!(verify(&KEY, &changed, "shop", 0).is_ok(), changed == text);
        }
    }
}
