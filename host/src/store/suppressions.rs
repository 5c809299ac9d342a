//! Addresses that get no mail, and what mail servers and providers say of mails that were sent. Only keyed
//! hashes of addresses are kept: the list tells nobody's address.

use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use sqlx::Row as _;
use utoipa::ToSchema;

use super::writer::Tx;
use super::{Result, Store, StoreError};
use crate::domain::{Cause, FeedbackKind};

/// Why an address is on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suppression {
    pub cause: Cause,
    /// What the mail server, the provider or the merchant said, without contact details.
    pub detail: String,
    /// The message that it came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
}

/// What is said of a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Feedback {
    pub kind: FeedbackKind,
    /// The Message-ID that it went out with.
    pub message_id: Option<String>,
    pub address: Option<String>,
    pub detail: String,
    /// UTC milliseconds.
    pub at: i64,
}

/// What was found for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// A message, whose fate now says so.
    Message,
    /// Only the address, which is on the list now.
    Address,
    Nothing,
}

struct Listed {
    shop: String,
    address: String,
    suppression: Suppression,
}

impl Store {
    /// By which addresses are hashed.
    pub(super) fn address_key(&self) -> [u8; 32] {
        self.inner.guest_key
    }

    /// Why an address gets no mail of this shop; empty: it does.
    pub async fn suppressions(&self, shop: &str, email: &str) -> Result<Vec<Suppression>> {
        let address = keyed(&self.address_key(), shop, email);
        sqlx::query(
            "SELECT cause, detail, message_id, at FROM suppressions WHERE shop = $1 AND address = $2 \
             ORDER BY at, cause",
        )
        .bind(shop)
        .bind(address)
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| {
            Ok(Suppression {
                cause: cause(&row.try_get::<String, _>(0)?)?,
                detail: row.try_get(1)?,
                message_id: row.try_get(2)?,
                at: row.try_get(3)?,
            })
        })
        .collect()
    }

    pub async fn suppress(&self, shop: &str, email: &str, suppression: Suppression) -> Result<()> {
        let address = keyed(&self.address_key(), shop, email);
        self.write(Listed { shop: shop.to_owned(), address, suppression }, |tx, listed| {
            Box::pin(add(tx, &listed.shop, &listed.address, &listed.suppression))
        })
        .await
    }

    /// Takes an address off the list; false when it was not on it.
    pub async fn lift_suppressions(&self, shop: &str, email: &str) -> Result<bool> {
        let address = keyed(&self.address_key(), shop, email);
        self.write((shop.to_owned(), address), |tx, (shop, address)| {
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM suppressions WHERE shop = $1 AND address = $2")
                    .bind(shop)
                    .bind(address)
                    .execute(tx.connection())
                    .await?;
                Ok(gone.rows_affected() > 0)
            })
        })
        .await
    }

    /// How many addresses of a shop get no mail.
    pub async fn count_suppressions(&self, shop: &str) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(DISTINCT address) FROM suppressions WHERE shop = $1")
            .bind(shop)
            .fetch_one(&self.inner.reads)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Writes down what is said of mails, all of it or nothing; an answer for each.
    pub async fn take_feedback(&self, shop: &str, feedback: &[Feedback]) -> Result<Vec<Matched>> {
        let key = self.address_key();
        let heard = feedback
            .iter()
            .map(|feedback| Heard {
                address: feedback.address.as_deref().map(|email| keyed(&key, shop, email)),
                feedback: feedback.clone(),
            })
            .collect::<Vec<_>>();
        self.write((shop.to_owned(), heard), take_all).await
    }
}

struct Heard {
    address: Option<String>,
    feedback: Feedback,
}

fn take_all<'c>(
    tx: &'c mut Tx,
    (shop, heard): &'c (String, Vec<Heard>),
) -> BoxFuture<'c, Result<Vec<Matched>>> {
    Box::pin(async move {
        let mut matched = Vec::with_capacity(heard.len());
        for heard in heard {
            matched.push(take(tx, shop, heard).await?);
        }
        Ok(matched)
    })
}

async fn take(tx: &mut Tx, shop: &str, heard: &Heard) -> Result<Matched> {
    let Heard { address, feedback } = heard;
    let message = message(tx, shop, feedback.message_id.as_deref(), address.as_deref()).await?;
    let known_address = message.as_ref().and_then(|(_, address)| address.clone()).or_else(|| address.clone());
    let (state, cause) = match feedback.kind {
        FeedbackKind::Delivered => ("delivered", None),
        FeedbackKind::Bounced { permanent } => ("bounced", permanent.then_some(Cause::Bounce)),
        FeedbackKind::Complained => ("complained", Some(Cause::Complaint)),
    };
    if let Some((id, _)) = &message {
        // A complaint is the last word; a bounce outweighs a delivery that was reported before or after.
        sqlx::query(
            "UPDATE messages SET state = $2, reason = $3, updated_at = $4 \
             WHERE id = $1 AND (state = 'sent' OR (state = 'delivered' AND $2 <> 'delivered') \
               OR (state = 'bounced' AND $2 = 'complained'))",
        )
        .bind(id)
        .bind(state)
        .bind(Some(feedback.detail.as_str()).filter(|detail| !detail.is_empty()))
        .bind(feedback.at)
        .execute(tx.connection())
        .await?;
    }
    if let (Some(cause), Some(address)) = (cause, &known_address) {
        let suppression = Suppression {
            cause,
            detail: feedback.detail.clone(),
            message_id: message.as_ref().map(|(id, _)| id.clone()),
            at: feedback.at,
        };
        add(tx, shop, address, &suppression).await?;
    }
    Ok(match (message, cause, known_address) {
        (Some(_), ..) => Matched::Message,
        (None, Some(_), Some(_)) => Matched::Address,
        (None, ..) => Matched::Nothing,
    })
}

/// The message with this Message-ID, else the newest that went to the address; with its address's hash.
async fn message(
    tx: &mut Tx,
    shop: &str,
    message_id: Option<&str>,
    address: Option<&str>,
) -> Result<Option<(String, Option<String>)>> {
    // Its first part is the message's own id.
    let id = message_id.map(|id| id.trim().trim_start_matches('<').split('@').next().unwrap_or_default());
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        let row = sqlx::query("SELECT id, address FROM messages WHERE shop = $1 AND id = $2")
            .bind(shop)
            .bind(id)
            .fetch_optional(tx.connection())
            .await?;
        if let Some(row) = row {
            return Ok(Some((row.try_get(0)?, row.try_get(1)?)));
        }
    }
    let Some(address) = address else { return Ok(None) };
    let row = sqlx::query(
        "SELECT id, address FROM messages \
         WHERE shop = $1 AND address = $2 AND state IN ('sent', 'delivered', 'bounced') \
         ORDER BY updated_at DESC, id DESC LIMIT 1",
    )
    .bind(shop)
    .bind(address)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

pub(super) async fn causes(tx: &mut Tx, shop: &str, address: &str) -> Result<Vec<Cause>> {
    sqlx::query("SELECT cause FROM suppressions WHERE shop = $1 AND address = $2 ORDER BY cause")
        .bind(shop)
        .bind(address)
        .fetch_all(tx.connection())
        .await?
        .iter()
        .map(|row| cause(&row.try_get::<String, _>(0)?))
        .collect()
}

pub(super) async fn add(tx: &mut Tx, shop: &str, address: &str, suppression: &Suppression) -> Result<()> {
    sqlx::query(
        "INSERT INTO suppressions (shop, address, cause, detail, message_id, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (shop, address, cause) DO NOTHING",
    )
    .bind(shop)
    .bind(address)
    .bind(suppression.cause.name())
    .bind(&suppression.detail)
    .bind(suppression.message_id.as_deref())
    .bind(suppression.at)
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn cause(name: &str) -> Result<Cause> {
    Cause::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a suppression has the unknown cause `{name}`")))
}

/// The same for the same mailbox however it is spelled, another in each shop, and no way back without the key.
pub(super) fn keyed(key: &[u8; 32], shop: &str, email: &str) -> String {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@').unwrap_or((&email, ""));
    let domain = url::Host::parse(domain).map_or_else(|_| domain.to_owned(), |host| host.to_string());
    let mut block = [0; 64];
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in ["address", shop, local, &domain] {
        mac.update(part.as_bytes());
        mac.update(b"\0");
    }
    let digest = mac.finalize().into_bytes();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::keyed;

    #[test]
    fn one_mailbox_has_one_hash_in_a_shop_and_none_of_it_shows() {
        let of = |shop: &str, email: &str| keyed(&[7; 32], shop, email);
        let ola = of("a", "Ola@Example.com");
        assert_eq!(ola, of("a", " ola@example.COM "));
        assert_ne!(ola, of("b", "ola@example.com"));
        assert_ne!(ola, of("a", "ala@example.com"));
        assert_ne!(ola, keyed(&[8; 32], "a", "ola@example.com"));
        assert_eq!(of("a", "ola@żółw.example"), of("a", "ola@xn--w-uga1v8h.example"));
        assert!(!ola.contains("ola") && ola.len() == 32);
    }
}
