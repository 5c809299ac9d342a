//! What a job's attempts were answered from outside, kept as long as the job may be tried again.

use async_trait::async_trait;
use futures::future::BoxFuture;
use sqlx::Row as _;

use super::claims::Claimed;
use super::writer::{Subject, Tx};
use super::{Result, Store, StoreError};
use crate::domain::{HttpResponse, Journal, ReadError};

/// Answers of one job, over all its attempts.
const ANSWERS: i64 = 64;
/// Bytes of their bodies in sum.
const BYTES: i64 = 8 << 20;

/// The answers of one job.
#[derive(Clone)]
pub struct JobJournal {
    store: Store,
    job: Claimed,
}

#[derive(Clone)]
struct Entry {
    job: Claimed,
    question: String,
    answer: HttpResponse,
    headers: String,
}

impl Store {
    /// For one attempt.
    #[must_use]
    pub fn journal(&self, job: &Claimed) -> JobJournal {
        JobJournal { store: self.clone(), job: job.clone() }
    }
}

impl JobJournal {
    async fn find(&self, question: &str) -> Result<Option<HttpResponse>> {
        let row =
            sqlx::query("SELECT status, headers, body FROM answers WHERE job_id = $1 AND question = $2")
                .bind(&self.job.id)
                .bind(question)
                .fetch_optional(&self.store.inner.reads)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let corrupt =
            || StoreError::Corrupt(format!("an answer kept for the job {} cannot be read", self.job.id));
        let headers: String = row.try_get(1)?;
        Ok(Some(HttpResponse {
            status: u16::try_from(row.try_get::<i64, _>(0)?).map_err(|_| corrupt())?,
            headers: serde_json::from_str(&headers).map_err(|_| corrupt())?,
            body: row.try_get(2)?,
        }))
    }
}

#[async_trait]
impl Journal for JobJournal {
    async fn recall(&self, question: &str) -> Result<Option<HttpResponse>, ReadError> {
        Ok(self.find(question).await?)
    }

    async fn keep(&self, question: &str, answer: &HttpResponse) -> Result<bool, ReadError> {
        let headers = serde_json::to_string(&answer.headers).map_err(|error| ReadError(error.to_string()))?;
        let (job, question, answer) = (self.job.clone(), question.to_owned(), answer.clone());
        Ok(self.store.write(Entry { job, question, answer, headers }, insert).await?)
    }
}

/// Of a job that another worker has by now nothing is kept; this attempt will not commit.
fn insert<'c>(tx: &'c mut Tx, entry: &'c Entry) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let Entry { job, question, answer, headers } = entry;
        tx.lock(vec![Subject::Event(&job.event_id)]).await?;
        let kept = sqlx::query(
            "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM answers WHERE job_id = $1",
        )
        .bind(&job.id)
        .fetch_one(tx.connection())
        .await?;
        let (answers, bytes): (i64, i64) = (kept.try_get(0)?, kept.try_get(1)?);
        if answers >= ANSWERS || bytes.saturating_add(answer.body.len() as i64) > BYTES {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO answers (job_id, question, status, headers, body) \
             SELECT id, $3, $4, $5, $6 FROM jobs WHERE id = $1 AND lease_token = $2 \
             ON CONFLICT DO NOTHING",
        )
        .bind(&job.id)
        .bind(job.lease_token)
        .bind(question)
        .bind(i64::from(answer.status))
        .bind(headers)
        .bind(answer.body.clone())
        .execute(tx.connection())
        .await?;
        Ok(true)
    })
}

/// The job is done with or dead, or a person has it tried in another life, in which it asks anew.
pub(super) async fn forget(tx: &mut Tx, job_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM answers WHERE job_id = $1").bind(job_id).execute(tx.connection()).await?;
    Ok(())
}

#[cfg(test)]
impl Store {
    /// Of all jobs.
    pub(crate) async fn kept_answers(&self) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) FROM answers").fetch_one(&self.inner.reads).await?;
        Ok(row.try_get(0)?)
    }
}
