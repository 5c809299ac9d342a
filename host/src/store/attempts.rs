//! Failed attempts: what failed, when, and how long it took. They stay when the job is done with.

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use utoipa::ToSchema;

use super::jobs::Failure;
use super::writer::Tx;
use super::{Result, Store};

/// A failed attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Through the job's whole life, from 1.
    pub number: i64,
    /// `err` (the plugin said so), `trap`, `late`, `limit`, `effects` (it asked for what cannot be), `host`.
    pub kind: String,
    /// The cause, without contact details.
    pub fault: String,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    pub took_ms: i64,
}

impl Store {
    /// Failed attempts of a job, oldest first.
    pub async fn attempts(&self, job_id: &str) -> Result<Vec<Attempt>> {
        sqlx::query("SELECT number, kind, fault, at, took_ms FROM attempts WHERE job_id = $1 ORDER BY number")
            .bind(job_id)
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| {
                Ok(Attempt {
                    number: row.try_get(0)?,
                    kind: row.try_get(1)?,
                    fault: row.try_get(2)?,
                    at: row.try_get(3)?,
                    took_ms: row.try_get(4)?,
                })
            })
            .collect()
    }
}

/// Whoever inserts has the job's row: no other attempt can take the number.
pub(super) async fn insert(tx: &mut Tx, failure: &Failure) -> Result<()> {
    sqlx::query(
        "INSERT INTO attempts (job_id, number, kind, fault, at, took_ms) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM attempts WHERE job_id = $1",
    )
    .bind(&failure.job_id)
    .bind(failure.kind)
    .bind(&failure.fault)
    .bind(failure.now_ms)
    .bind(failure.took_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}
