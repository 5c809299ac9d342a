//! How far the work is: for people, metrics and whoever waits.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::signals::Waiter;
use super::{QueueDepth, Result, Store};

/// Where an event and its jobs stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStanding {
    /// `held`, `open`, `done`.
    pub state: String,
    /// Plugin, state, fault.
    pub jobs: Vec<(String, String, Option<String>)>,
}

impl Store {
    /// How many jobs of each shop wait for their turn or for another attempt.
    pub async fn open_jobs(&self) -> Result<BTreeMap<String, u64>> {
        sqlx::query("SELECT shop, COUNT(*) FROM jobs WHERE state IN ('waiting', 'failed') GROUP BY shop")
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs())))
            .collect()
    }

    pub async fn queue_depth(&self, now_ms: i64) -> Result<QueueDepth> {
        let jobs = sqlx::query(
            "SELECT plugin, hook, COUNT(*), MIN(created_at) FROM jobs \
             WHERE state IN ('waiting', 'running', 'failed') GROUP BY plugin, hook ORDER BY plugin, hook",
        )
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| {
            let oldest: i64 = row.try_get(3)?;
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, now_ms.saturating_sub(oldest).max(0)))
        })
        .collect::<Result<Vec<_>>>()?;
        let messages_due = sqlx::query(
            "SELECT COUNT(*) FROM messages WHERE state IN ('waiting', 'handing') AND due_at <= $1",
        )
        .bind(now_ms)
        .fetch_one(&self.inner.reads)
        .await?
        .try_get(0)?;
        Ok(QueueDepth { jobs, messages_due })
    }

    /// `None`: no such event in this shop.
    pub async fn standing(&self, shop: &str, event_id: &str) -> Result<Option<EventStanding>> {
        let event = sqlx::query("SELECT state FROM events WHERE id = $1 AND shop = $2")
            .bind(event_id)
            .bind(shop)
            .fetch_optional(&self.inner.reads)
            .await?;
        let Some(event) = event else { return Ok(None) };
        // One statement, so that a job is not missed on its way into history.
        let jobs = sqlx::query(
            "SELECT plugin, state, fault FROM jobs WHERE event_id = $1 \
             UNION ALL SELECT plugin, state, fault FROM jobs_history WHERE event_id = $1 ORDER BY 1",
        )
        .bind(event_id)
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect::<Result<Vec<_>>>()?;
        Ok(Some(EventStanding { state: event.try_get(0)?, jobs }))
    }

    /// Is told of each commit that moves the event on.
    pub fn wait_for(&self, event_id: &str) -> Waiter {
        self.inner.signals.wait_for(event_id)
    }
}
