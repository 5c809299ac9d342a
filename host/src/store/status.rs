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
        let row = sqlx::query(
            "SELECT COUNT(*), MIN(due_at + 0), (SELECT COUNT(*) FROM jobs WHERE state = 'dead'), \
               (SELECT COUNT(*) FROM events WHERE state = 'held') \
             FROM messages WHERE state IN ('waiting', 'handing') AND due_at + 0 <= $1",
        )
        .bind(now_ms)
        .fetch_one(&self.inner.reads)
        .await?;
        let due_since: Option<i64> = row.try_get(1)?;
        Ok(QueueDepth {
            jobs,
            messages_due: row.try_get(0)?,
            messages_lag_ms: due_since.map_or(0, |since| now_ms.saturating_sub(since).max(0)),
            jobs_dead: row.try_get(2)?,
            events_held: row.try_get(3)?,
        })
    }

    /// `None`: no such event in this shop.
    pub async fn standing(&self, shop: &str, event_id: &str) -> Result<Option<EventStanding>> {
        // One statement: a job is not missed on its way into history, nor the end of its event.
        let rows = sqlx::query(
            "SELECT events.state, job.plugin, job.state, job.fault FROM events LEFT JOIN ( \
               SELECT event_id, plugin, state, fault FROM jobs WHERE event_id = $1 \
               UNION ALL SELECT event_id, plugin, state, fault FROM jobs_history WHERE event_id = $1 \
             ) AS job ON job.event_id = events.id WHERE events.id = $1 AND events.shop = $2 ORDER BY job.plugin",
        )
        .bind(event_id)
        .bind(shop)
        .fetch_all(&self.inner.reads)
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut standing = EventStanding { state: first.try_get(0)?, jobs: Vec::new() };
        for row in &rows {
            // An event that no plugin is called for has a row without a job.
            if let Some(plugin) = row.try_get(1)? {
                standing.jobs.push((plugin, row.try_get(2)?, row.try_get(3)?));
            }
        }
        Ok(Some(standing))
    }

    /// Is told of each commit that moves the event on.
    pub fn wait_for(&self, event_id: &str) -> Waiter {
        self.inner.signals.wait_for(event_id)
    }
}
