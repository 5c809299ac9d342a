//! Claiming: jobs are leased to one worker at a time, shops in rotation.

use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Dialect;
use super::writer::Tx;
use super::{Result, Store};

/// A leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: String,
    pub shop: String,
    pub plugin: String,
    pub hook: String,
    pub event_id: String,
    /// Grows with each claim: what was done under an older one cannot commit.
    pub lease_token: i64,
    /// Failed ones.
    pub attempts: i64,
    /// The clock of its calls, so that each attempt sees the same time.
    pub created_at: i64,
}

/// What may be claimed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Shops and their live plugins.
    pub live: std::sync::Arc<std::collections::BTreeMap<String, Vec<String>>>,
    /// The shop that was served last: the next one comes first.
    pub after: String,
    pub limit: usize,
    /// Of each shop.
    pub per_shop: usize,
    pub now_ms: i64,
    pub lease_until: i64,
}

impl Store {
    /// The shop whose job ended last.
    pub async fn served_last(&self) -> Result<Option<String>> {
        let row = sqlx::query("SELECT shop FROM jobs_history ORDER BY finished_at DESC LIMIT 1")
            .fetch_optional(&self.inner.reads)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Leases eligible jobs, shops in rotation. Gives them and the shop that was served last.
    pub async fn claim(&self, claim: Claim) -> Result<(Vec<Claimed>, String)> {
        let due = sqlx::query(
            "SELECT 1 FROM jobs WHERE state IN ('waiting', 'failed') AND run_after <= $1 LIMIT 1",
        )
        .bind(claim.now_ms)
        .fetch_optional(&self.inner.reads)
        .await?;
        if due.is_none() || claim.limit == 0 {
            return Ok((Vec::new(), claim.after));
        }
        let dialect = self.inner.dialect;
        self.write((dialect, claim), |tx, (dialect, claim)| Box::pin(claim_all(tx, *dialect, claim))).await
    }
}

async fn claim_all(tx: &mut Tx, dialect: Dialect, claim: &Claim) -> Result<(Vec<Claimed>, String)> {
    let mut claimed = Vec::new();
    let mut cursor = claim.after.clone();
    let mut wrapped = false;
    while claimed.len() < claim.limit {
        let next = next_shop(tx, &cursor, claim.now_ms).await?;
        let Some(shop) = next.filter(|shop| !wrapped || shop <= &claim.after) else {
            if wrapped || claim.after.is_empty() {
                break;
            }
            wrapped = true;
            cursor = String::new();
            continue;
        };
        cursor.clone_from(&shop);
        if let Some(plugins) = claim.live.get(&shop).filter(|plugins| !plugins.is_empty()) {
            let limit = claim.per_shop.min(claim.limit.saturating_sub(claimed.len()));
            claimed.extend(claim_shop(tx, dialect, claim, &shop, plugins, limit).await?);
        }
    }
    Ok((claimed, cursor))
}

async fn next_shop(tx: &mut Tx, after: &str, now_ms: i64) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT shop FROM jobs WHERE state IN ('waiting', 'failed') AND run_after <= $2 AND shop > $1 \
         ORDER BY shop LIMIT 1",
    )
    .bind(after)
    .bind(now_ms)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

async fn claim_shop(
    tx: &mut Tx,
    dialect: Dialect,
    claim: &Claim,
    shop: &str,
    plugins: &[String],
    limit: usize,
) -> Result<Vec<Claimed>> {
    let mut query = sqlx::query(AssertSqlSafe(dialect.claim(plugins.len())))
        .bind(claim.lease_until)
        .bind(shop)
        .bind(claim.now_ms)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    for plugin in plugins {
        query = query.bind(plugin);
    }
    query
        .fetch_all(tx.connection())
        .await?
        .iter()
        .map(|row| {
            Ok(Claimed {
                id: row.try_get(0)?,
                shop: shop.to_owned(),
                plugin: row.try_get(1)?,
                hook: row.try_get(2)?,
                event_id: row.try_get(3)?,
                lease_token: row.try_get(4)?,
                attempts: row.try_get(5)?,
                created_at: row.try_get(6)?,
            })
        })
        .collect()
}
