//! Jobs as people see them, those of the queue and those of history.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use utoipa::ToSchema;

use super::attempts::Attempt;
use super::{Result, Store};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Waiting,
    Running,
    /// It is tried again.
    Failed,
    /// It is not tried again until a person says so.
    Dead,
    Done,
    /// A person dropped it.
    Dropped,
}

impl JobState {
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Running, Self::Failed, Self::Dead, Self::Done, Self::Dropped];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// It is no longer in the queue.
    fn is_history(self) -> bool {
        matches!(self, Self::Done | Self::Dropped)
    }
}

/// A job as `GET /v1/jobs` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    pub id: String,
    pub plugin: String,
    pub hook: String,
    pub event_id: String,
    pub order_id: Option<String>,
    /// `waiting`, `running`, `failed` (it is tried again), `dead` (it is not), `done`, `dropped` (by a person).
    pub state: String,
    /// Failed ones, since it was last told to begin anew.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub fault: Option<String>,
    /// Why it is dead and what to do, or why it was dropped.
    pub reason: Option<String>,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Of a job that waits or has failed: not before.
    #[serde(with = "crate::domain::instant::option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_try_at: Option<i64>,
    /// Of a job that is done or was dropped.
    #[serde(with = "crate::domain::instant::option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<i64>,
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobDetails {
    #[serde(flatten)]
    pub job: JobView,
    /// Its failed attempts, oldest first, also those before it was told to begin anew.
    pub failures: Vec<Attempt>,
}

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// `None`: all of the queue, which is all but those done or dropped.
    pub state: Option<JobState>,
    pub plugin: Option<String>,
    /// Those made before this one: where the page before ended.
    pub before: Option<String>,
    pub limit: u32,
}

const OPEN: &str = "SELECT j.id, j.plugin, j.hook, j.event_id, e.order_id, j.state, j.attempts, j.fault, \
       j.reason, j.created_at, j.run_after, CAST(NULL AS BIGINT) \
     FROM jobs j JOIN events e ON e.id = j.event_id ";

const HISTORY: &str = "SELECT j.id, j.plugin, j.hook, j.event_id, e.order_id, j.state, j.attempts, j.fault, \
       j.reason, j.created_at, CAST(NULL AS BIGINT), j.finished_at \
     FROM jobs_history j JOIN events e ON e.id = j.event_id ";

impl Store {
    /// Jobs of a shop, the newest first.
    pub async fn jobs(&self, shop: &str, filter: &JobFilter) -> Result<Vec<JobView>> {
        let from = if filter.state.is_some_and(JobState::is_history) { HISTORY } else { OPEN };
        // Written out: those in some states have an index of their own.
        let state = filter.state.map(|state| format!("AND j.state = '{}'", state.name())).unwrap_or_default();
        // Ids are in the order they were made. '~' is after all of their letters.
        let text = format!(
            "{from} WHERE j.shop = $1 {state} AND ($2 = '' OR j.plugin = $2) AND j.id < $3 \
             ORDER BY j.id DESC LIMIT $4"
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(shop)
            .bind(filter.plugin.as_deref().unwrap_or_default())
            .bind(filter.before.as_deref().unwrap_or("~"))
            .bind(i64::from(filter.limit))
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(view)
            .collect()
    }

    /// `None`: no such job in this shop.
    pub async fn job(&self, shop: &str, id: &str) -> Result<Option<JobDetails>> {
        // One statement, so that a job is not missed on its way into history.
        let text = format!(
            "{OPEN} WHERE j.shop = $1 AND j.id = $2 UNION ALL {HISTORY} WHERE j.shop = $1 AND j.id = $2"
        );
        let row =
            sqlx::query(AssertSqlSafe(text)).bind(shop).bind(id).fetch_optional(&self.inner.reads).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(JobDetails { job: view(&row)?, failures: self.attempts(id).await? }))
    }
}

fn view(row: &AnyRow) -> Result<JobView> {
    let state: String = row.try_get(5)?;
    let waits = matches!(state.as_str(), "waiting" | "failed");
    let run_after: Option<i64> = row.try_get(10)?;
    Ok(JobView {
        id: row.try_get(0)?,
        plugin: row.try_get(1)?,
        hook: row.try_get(2)?,
        event_id: row.try_get(3)?,
        order_id: row.try_get(4)?,
        state,
        attempts: row.try_get(6)?,
        fault: row.try_get(7)?,
        reason: row.try_get(8)?,
        created_at: row.try_get(9)?,
        next_try_at: run_after.filter(|_| waits),
        finished_at: row.try_get(11)?,
    })
}
