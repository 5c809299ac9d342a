//! What the links in mails stand for by which somebody says: no more of these.

use sqlx::Row as _;

use super::writer::{Subject, Tx};
use super::{Result, Store};

/// Whose consent to what a token takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeLink {
    /// Cannot be guessed, and names nobody.
    pub token: String,
    pub shop: String,
    pub customer_id: String,
    /// `email`, `sms`, `push`.
    pub channel: String,
    /// `marketing`, `updates`.
    pub category: String,
}

impl Store {
    /// `None`: no mail went out with this token.
    pub async fn unsubscribe_link(&self, token: &str) -> Result<Option<UnsubscribeLink>> {
        let row = sqlx::query(
            "SELECT token, shop, customer_id, channel, category FROM unsubscribe_links WHERE token = $1",
        )
        .bind(token)
        .fetch_optional(&self.inner.reads)
        .await?;
        row.map(|row| {
            Ok(UnsubscribeLink {
                token: row.try_get(0)?,
                shop: row.try_get(1)?,
                customer_id: row.try_get(2)?,
                channel: row.try_get(3)?,
                category: row.try_get(4)?,
            })
        })
        .transpose()
    }

    /// Takes the consent back. Once or ten times is the same.
    pub async fn unsubscribe(&self, link: UnsubscribeLink, now_ms: i64) -> Result<()> {
        self.write((link, now_ms), |tx, (link, now_ms)| Box::pin(withdraw(tx, link, *now_ms))).await
    }
}

async fn withdraw(tx: &mut Tx, link: &UnsubscribeLink, now_ms: i64) -> Result<()> {
    // Whatever is being handed over to them goes first, or not at all.
    tx.lock(vec![Subject::Customer(&link.shop, &link.customer_id)]).await?;
    sqlx::query(
        "INSERT INTO consents (shop, customer_id, channel, category, granted, at) VALUES ($1, $2, $3, $4, 0, $5) \
         ON CONFLICT (shop, customer_id, channel, category) DO UPDATE SET granted = 0, at = excluded.at",
    )
    .bind(&link.shop)
    .bind(&link.customer_id)
    .bind(&link.channel)
    .bind(&link.category)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    tx.touched.customers.push((link.shop.clone(), link.customer_id.clone()));
    Ok(())
}

pub(super) async fn keep(tx: &mut Tx, link: &UnsubscribeLink, now_ms: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO unsubscribe_links (token, shop, customer_id, channel, category, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token) DO NOTHING",
    )
    .bind(&link.token)
    .bind(&link.shop)
    .bind(&link.customer_id)
    .bind(&link.channel)
    .bind(&link.category)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}
