//! What a person does to a job: have it tried again at once, or drop it.

use futures::future::BoxFuture;
use sqlx::Row as _;

use super::job_views::JobState;
use super::writer::{Subject, Tx};
use super::{Result, Store, StoreError, answers, jobs};

/// Whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Obeyed,
    NoSuchJob,
    /// Not in this state.
    Refused(JobState),
}

#[derive(Clone)]
struct Ruling {
    shop: String,
    job_id: String,
    event_id: String,
    /// Of a drop.
    reason: String,
    now_ms: i64,
}

impl Store {
    /// A failed or dead job is tried at once, its attempts counted from anew; its event is open again.
    pub async fn retry_job(&self, shop: &str, job_id: &str, now_ms: i64) -> Result<Verdict> {
        self.rule(shop, job_id, "", now_ms, retry).await
    }

    /// A job that is not running goes into history, undone; the order's next ones are free.
    pub async fn drop_job(&self, shop: &str, job_id: &str, reason: &str, now_ms: i64) -> Result<Verdict> {
        self.rule(shop, job_id, reason, now_ms, drop_it).await
    }

    async fn rule(
        &self,
        shop: &str,
        job_id: &str,
        reason: &str,
        now_ms: i64,
        work: super::writer::Work<Ruling, Verdict>,
    ) -> Result<Verdict> {
        let Some((event_id, _)) = find(&self.inner.reads, shop, job_id).await? else {
            return Ok(Verdict::NoSuchJob);
        };
        let (shop, job_id, reason) = (shop.to_owned(), job_id.to_owned(), reason.to_owned());
        self.write(Ruling { shop, job_id, event_id, reason, now_ms }, work).await
    }
}

fn retry<'c>(tx: &'c mut Tx, ruling: &'c Ruling) -> BoxFuture<'c, Result<Verdict>> {
    Box::pin(async move {
        tx.lock(vec![Subject::Event(&ruling.event_id)]).await?;
        let changed = sqlx::query(
            "UPDATE jobs SET state = 'waiting', attempts = 0, reason = NULL, run_after = $3, updated_at = $3 \
             WHERE id = $1 AND shop = $2 AND state IN ('failed', 'dead')",
        )
        .bind(&ruling.job_id)
        .bind(&ruling.shop)
        .bind(ruling.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        if changed == 0 {
            return refusal(tx, ruling).await;
        }
        answers::forget(tx, &ruling.job_id).await?;
        sqlx::query("UPDATE events SET state = 'open', finished_at = NULL WHERE id = $1 AND state = 'done'")
            .bind(&ruling.event_id)
            .execute(tx.connection())
            .await?;
        tx.touched.work = true;
        tx.touched.events.push(ruling.event_id.clone());
        Ok(Verdict::Obeyed)
    })
}

fn drop_it<'c>(tx: &'c mut Tx, ruling: &'c Ruling) -> BoxFuture<'c, Result<Verdict>> {
    Box::pin(async move {
        tx.lock(vec![Subject::Event(&ruling.event_id)]).await?;
        // Before it is copied: nobody can claim it any more.
        let changed = sqlx::query(
            "UPDATE jobs SET state = 'dropped', reason = $3, updated_at = $4 \
             WHERE id = $1 AND shop = $2 AND state IN ('waiting', 'failed', 'dead')",
        )
        .bind(&ruling.job_id)
        .bind(&ruling.shop)
        .bind(&ruling.reason)
        .bind(ruling.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        if changed == 0 {
            return refusal(tx, ruling).await;
        }
        jobs::archive(tx, &ruling.job_id, &ruling.event_id, ruling.now_ms).await?;
        // The event of a dead job was done long ago; history counts from now.
        sqlx::query("UPDATE events SET finished_at = $2 WHERE id = $1 AND state = 'done'")
            .bind(&ruling.event_id)
            .bind(ruling.now_ms)
            .execute(tx.connection())
            .await?;
        // The order's next jobs.
        tx.touched.work = true;
        Ok(Verdict::Obeyed)
    })
}

async fn refusal(tx: &mut Tx, ruling: &Ruling) -> Result<Verdict> {
    let Some((_, state)) = find(tx.connection(), &ruling.shop, &ruling.job_id).await? else {
        return Ok(Verdict::NoSuchJob);
    };
    let state = JobState::from_name(&state)
        .ok_or_else(|| StoreError::Corrupt(format!("the job {} has an unknown state", ruling.job_id)))?;
    Ok(Verdict::Refused(state))
}

/// Event and state of a job, in the queue or in history.
async fn find<'e, E>(database: E, shop: &str, job_id: &str) -> Result<Option<(String, String)>>
where
    E: sqlx::Executor<'e, Database = sqlx::Any>,
{
    sqlx::query(
        "SELECT event_id, state FROM jobs WHERE id = $1 AND shop = $2 \
         UNION ALL SELECT event_id, state FROM jobs_history WHERE id = $1 AND shop = $2",
    )
    .bind(job_id)
    .bind(shop)
    .fetch_optional(database)
    .await?
    .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
    .transpose()
}
