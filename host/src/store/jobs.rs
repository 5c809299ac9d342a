//! The queue: one job for each event and plugin, leased to one worker at a time, in the order of each
//! plugin's orders.

use std::fmt::Write as _;

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use super::claims::Claimed;
use super::dialect::Dialect;
use super::writer::{Subject, Tx};
use super::{Result, Store, StoreError, announce, answers, attempts, events, gate};
use crate::sabotage::{Sabotage, on};

/// A failed attempt.
#[derive(Debug, Clone)]
pub struct Failure {
    pub job_id: String,
    pub event_id: String,
    pub lease_token: i64,
    /// `err`, `trap`, `late`, `limit`, `effects`, `host`.
    pub kind: &'static str,
    pub fault: String,
    pub took_ms: i64,
    pub next: Next,
    pub now_ms: i64,
}

/// What becomes of a job that failed.
#[derive(Debug, Clone)]
pub enum Next {
    /// It rests until then.
    Again { run_after: i64 },
    /// It is not tried again, for a reason that a person can read.
    Dead { reason: String },
}

impl Store {
    /// Keeps the attempt's cause; [`StoreError::Fenced`] when the job is leased to another by now.
    pub async fn fail(&self, failure: Failure) -> Result<()> {
        self.write(failure, fail).await
    }

    /// Gives a job back untouched, for another attempt that is not counted.
    pub async fn give_back(&self, job: &Claimed, run_after: i64) -> Result<()> {
        self.write((job.clone(), run_after), give_back).await
    }

    /// Jobs of whoever renews: each is leased until then, unless its lease is another's by now or its end is being
    /// committed. Gives those that were renewed.
    pub async fn renew(&self, jobs: Vec<Claimed>, lease_until: i64) -> Result<Vec<String>> {
        let dialect = self.inner.dialect;
        self.write((dialect, jobs, lease_until), renew).await
    }

    /// Jobs whose worker did not come back wait again.
    pub async fn reclaim(&self, now_ms: i64) -> Result<()> {
        let expired = sqlx::query("SELECT 1 FROM jobs WHERE state = 'running' AND lease_until <= $1 LIMIT 1")
            .bind(now_ms)
            .fetch_optional(&self.inner.reads)
            .await?;
        if expired.is_some() {
            self.write((self.inner.dialect, now_ms), reclaim).await?;
        }
        Ok(())
    }

    /// The next instant after `now_ms` at which a job becomes eligible, a timer is due, a held event has
    /// waited enough, or a lease ends. What is due by then and was not done has nobody live to do it. (`+ 0` is how
    /// the indexes of what is due in any shop are named.)
    pub async fn next_work(&self, now_ms: i64) -> Result<Option<i64>> {
        let row = sqlx::query(
            "SELECT \
               (SELECT MIN(run_after + 0) FROM jobs WHERE state IN ('waiting', 'failed') AND run_after + 0 > $1), \
               (SELECT MIN(due_at) FROM timers WHERE due_at > $1), \
               (SELECT MIN(hold_until + 0) FROM events WHERE state = 'held' AND hold_until + 0 > $1), \
               (SELECT MIN(lease_until) FROM jobs WHERE state = 'running' AND lease_until > $1)",
        )
        .bind(now_ms)
        .fetch_one(&self.inner.reads)
        .await?;
        let mut next = None;
        for column in 0..4 {
            let at: Option<i64> = row.try_get(column)?;
            next = [next, at].into_iter().flatten().min();
        }
        Ok(next)
    }
}

/// One statement for all plugins: an order's is the busiest of all.
pub(super) async fn insert(tx: &mut Tx, event: &events::Row, plugins: &[String], now_ms: i64) -> Result<()> {
    if plugins.is_empty() {
        return Ok(());
    }
    let mut text =
        "INSERT INTO jobs (shop, hook, event_id, seq, run_after, created_at, updated_at, id, plugin, \
                      ordering_key, state, lease_token, lease_until, attempts) VALUES "
            .to_owned();
    for row in 0..plugins.len() {
        let (comma, first) = (if row == 0 { "" } else { ", " }, row * 3 + 6);
        let (id, plugin, key) = (first, first + 1, first + 2);
        let _ =
            write!(text, "{comma}($1, $2, $3, $4, $5, $5, $5, ${id}, ${plugin}, ${key}, 'waiting', 0, 0, 0)");
    }
    let mut query = sqlx::query(AssertSqlSafe(text))
        .bind(&event.shop)
        .bind(&event.hook)
        .bind(&event.id)
        .bind(event.seq)
        .bind(now_ms);
    for plugin in plugins {
        let ordering_key = event.order_id.as_ref().map(|order| format!("{}/{plugin}/{order}", event.shop));
        query = query.bind(events::new_id("job", now_ms)).bind(plugin).bind(ordering_key);
    }
    query.execute(tx.connection()).await?;
    tx.touched.work = true;
    Ok(())
}

fn fail<'c>(tx: &'c mut Tx, failure: &'c Failure) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        tx.lock(vec![Subject::Event(&failure.event_id)]).await?;
        let (state, run_after, reason) = match &failure.next {
            Next::Again { run_after } => ("failed", *run_after, None),
            Next::Dead { reason } => ("dead", failure.now_ms, Some(reason)),
        };
        let changed = sqlx::query(
            "UPDATE jobs SET state = $3, attempts = attempts + 1, fault = $4, run_after = $5, reason = $6, \
               lease_until = 0, updated_at = $7 \
             WHERE id = $1 AND lease_token = $2",
        )
        .bind(&failure.job_id)
        .bind(failure.lease_token)
        .bind(state)
        .bind(&failure.fault)
        .bind(run_after)
        .bind(reason)
        .bind(failure.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        if changed == 0 {
            return Err(StoreError::Fenced);
        }
        if state == "dead" {
            // Whoever has it tried again has it ask anew.
            answers::forget(tx, &failure.job_id).await?;
        }
        attempts::insert(tx, failure).await?;
        announce::failure(tx, failure).await?;
        settle_event(tx, &failure.event_id, failure.now_ms).await
    })
}

fn give_back<'c>(tx: &'c mut Tx, (job, run_after): &'c (Claimed, i64)) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let state = if job.attempts > 0 { "failed" } else { "waiting" };
        sqlx::query(
            "UPDATE jobs SET state = $3, lease_until = 0, run_after = $4 \
             WHERE id = $1 AND lease_token = $2 AND state = 'running'",
        )
        .bind(&job.id)
        .bind(job.lease_token)
        .bind(state)
        .bind(*run_after)
        .execute(tx.connection())
        .await?;
        tx.touched.work = true;
        Ok(())
    })
}

fn renew<'c>(
    tx: &'c mut Tx,
    (dialect, jobs, lease_until): &'c (Dialect, Vec<Claimed>, i64),
) -> BoxFuture<'c, Result<Vec<String>>> {
    Box::pin(async move {
        let text = format!(
            "UPDATE jobs SET lease_until = $3 WHERE id IN ( \
               SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'{})",
            dialect.skip_locked()
        );
        let mut renewed = Vec::new();
        for job in jobs {
            let changed = sqlx::query(AssertSqlSafe(text.as_str()))
                .bind(&job.id)
                .bind(job.lease_token)
                .bind(*lease_until)
                .execute(tx.connection())
                .await?;
            if changed.rows_affected() > 0 {
                renewed.push(job.id.clone());
            }
        }
        Ok(renewed)
    })
}

/// A job whose end is being committed, however slowly, is left to whoever commits it.
fn reclaim<'c>(tx: &'c mut Tx, (dialect, now_ms): &'c (Dialect, i64)) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let text = format!(
            "UPDATE jobs SET state = 'waiting', lease_until = 0 WHERE id IN ( \
               SELECT id FROM jobs WHERE state = 'running' AND lease_until <= $1{})",
            dialect.skip_locked()
        );
        sqlx::query(AssertSqlSafe(text)).bind(*now_ms).execute(tx.connection()).await?;
        tx.touched.work = true;
        Ok(())
    })
}

/// What a crash left leased is free at once. Only where no other host can hold a lease.
pub(super) async fn take_back(connection: &mut sqlx::AnyConnection) -> Result<()> {
    sqlx::query(gate::around("UPDATE jobs SET state = 'waiting', lease_until = 0 WHERE state = 'running'"))
        .execute(connection)
        .await?;
    Ok(())
}

/// The fence: [`StoreError::Fenced`] when the job is no longer this worker's. It is done from here on.
pub(super) async fn finish(tx: &mut Tx, job: &Claimed, now_ms: i64) -> Result<()> {
    let mine = sqlx::query(
        "UPDATE jobs SET state = 'done', lease_until = 0, updated_at = $3 WHERE id = $1 AND lease_token = $2",
    )
    .bind(&job.id)
    .bind(job.lease_token)
    .bind(now_ms)
    .execute(tx.connection())
    .await?
    .rows_affected();
    if mine == 0 && !on(Sabotage::NoFence) { Err(StoreError::Fenced) } else { Ok(()) }
}

/// [`StoreError::Fenced`] when the job is no longer this worker's. Nothing is written.
pub(super) async fn held(tx: &mut Tx, job: &Claimed) -> Result<()> {
    let mine = sqlx::query("SELECT 1 FROM jobs WHERE id = $1 AND lease_token = $2")
        .bind(&job.id)
        .bind(job.lease_token)
        .fetch_optional(tx.connection())
        .await?;
    if mine.is_none() && !on(Sabotage::NoFence) { Err(StoreError::Fenced) } else { Ok(()) }
}

/// A job that is done with moves out of the queue.
pub(super) async fn archive(tx: &mut Tx, id: &str, event_id: &str, now_ms: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO jobs_history (id, shop, plugin, hook, event_id, seq, state, attempts, fault, reason, \
           created_at, finished_at) \
         SELECT id, shop, plugin, hook, event_id, seq, state, attempts, fault, reason, created_at, $2 \
         FROM jobs WHERE id = $1",
    )
    .bind(id)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id).execute(tx.connection()).await?;
    answers::forget(tx, id).await?;
    settle_event(tx, event_id, now_ms).await
}

/// An event is done when none of its jobs will run again.
async fn settle_event(tx: &mut Tx, event_id: &str, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE events SET state = 'done', finished_at = $2 \
         WHERE id = $1 AND state = 'open' AND NOT EXISTS ( \
           SELECT 1 FROM jobs WHERE event_id = $1 AND state IN ('waiting', 'running', 'failed'))",
    )
    .bind(event_id)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    tx.touched.events.push(event_id.to_owned());
    Ok(())
}
