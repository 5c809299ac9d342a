//! How somebody says: no more of these (RFC 2369, RFC 8058).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::channels::Unsubscribe;
use super::policy::Category;
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{StoredMessage, UnsubscribeLink};

/// Bytes of a token.
const TOKEN: usize = 24;

/// The ways out of a message, and what its link is to stand for. What the order itself calls for has none.
pub(super) fn ways(
    key: &[u8; 32],
    snapshot: &Snapshot,
    shop: &LiveShop,
    message: &StoredMessage,
) -> (Unsubscribe, Option<UnsubscribeLink>) {
    let category = Category::of(&message.message.category);
    if category == Category::Transactional {
        return (Unsubscribe::default(), None);
    }
    let link = message.customer_id.as_ref().map(|customer_id| UnsubscribeLink {
        token: token(key, [&message.shop, customer_id, "email", category.name()]),
        shop: message.shop.clone(),
        customer_id: customer_id.clone(),
        channel: "email".to_owned(),
        category: category.name().to_owned(),
    });
    let base = snapshot.host.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    let (page, link) = match (base, link) {
        (Some(base), Some(link)) => (Some(format!("{base}/v1/unsubscribe/{}", link.token)), Some(link)),
        _ => (None, None),
    };
    let mail = shop.config.contact.email.as_ref().map(|email| format!("mailto:{email}?subject=unsubscribe"));
    (Unsubscribe { page, mail }, link)
}

/// The same for the same consent, so that the link of an old mail works as long as the customer is known.
fn token(key: &[u8; 32], parts: [&str; 4]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes().get(..TOKEN).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn a_token_is_one_consents_only_and_tells_nothing() {
        let one = token(&[7; 32], ["linen", "ola", "email", "marketing"]);
        assert_eq!(one, token(&[7; 32], ["linen", "ola", "email", "marketing"]));
        for other in [
            token(&[8; 32], ["linen", "ola", "email", "marketing"]),
            token(&[7; 32], ["linen", "ola", "email", "updates"]),
            token(&[7; 32], ["linen", "ala", "email", "marketing"]),
            token(&[7; 32], ["line", "nola", "email", "marketing"]),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{one}");
    }
}
