//! A look at a database from beside its hosts: who they are, how far the work is, who holds what. Needs no lock,
//! brings nothing up to date and changes nothing.

use std::path::Path;

use serde::Serialize;
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::dialect::Dialect;
use super::hosts::{self, HostState, HostView};
use super::{Result, StoreError, gate, migrations};

/// A database at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// `SQLite data/cartwright.db`, `PostgreSQL shop at db.example:5432`.
    pub database: String,
    #[serde(with = "crate::domain::instant")]
    pub at: i64,
    pub hosts: Vec<HostView>,
    pub jobs: QueuedJobs,
    pub messages: Backlog,
    /// Events that came before their elders.
    pub events_held: Backlog,
    pub leases: LeaseFigures,
    /// Jobs whose plugin no running host has live, unless no host runs at all.
    pub without_host: Vec<WithoutHost>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QueuedJobs {
    /// Waiting, running, or failed and tried again.
    pub open: i64,
    /// Those that could be done now, and how long the oldest could have been, ms.
    pub due: i64,
    pub lag_ms: i64,
    /// Not tried again.
    pub dead: i64,
}

/// How many wait, and how long the oldest of them has, ms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    pub count: i64,
    pub lag_ms: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeaseFigures {
    pub held: i64,
    /// Of hosts that are away: the next host that looks takes the job.
    pub over: i64,
    /// The next that ends unless it is renewed.
    #[serde(with = "crate::domain::instant::option")]
    pub next_end: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithoutHost {
    pub shop: String,
    pub plugin: String,
    pub jobs: i64,
    pub lag_ms: i64,
}

/// [`StoreError::Invalid`]: no host of this version has opened it yet.
pub async fn survey(database: &str, data_dir: &Path, now_ms: i64) -> Result<Survey> {
    let dialect = Dialect::of(database)?;
    let place = Dialect::place(database, data_dir)?;
    let Some(mut connection) = Dialect::look(database, data_dir).await? else {
        return Err(none_yet(&place));
    };
    let surveyed = look(&mut connection, dialect, place, now_ms).await;
    // It was only read.
    let _ = connection.close().await;
    surveyed
}

fn none_yet(place: &str) -> StoreError {
    StoreError::Invalid(format!(
        "there is no database yet ({place}): no host has run here; start one with `cartwright serve`"
    ))
}

async fn look(
    connection: &mut AnyConnection,
    dialect: Dialect,
    place: String,
    now_ms: i64,
) -> Result<Survey> {
    match migrations::version(connection, dialect).await? {
        0 => return Err(none_yet(&place)),
        old if old < migrations::newest() => {
            return Err(StoreError::Invalid(format!(
                "the tables of {place} are of an older Cartwright (version {old}, this one has {}): start a host of \
                 this version, which adds what is missing",
                migrations::newest()
            )));
        }
        _ => {}
    }
    // All figures are of one instant.
    sqlx::query(dialect.begin_reading()).execute(&mut *connection).await?;
    let hosts = hosts::all(connection, now_ms).await?;
    let survey = Survey {
        database: place,
        at: now_ms,
        jobs: jobs(connection, now_ms).await?,
        messages: waiting(
            connection,
            "SELECT COUNT(*), MIN(due_at + 0) FROM messages \
               WHERE state IN ('waiting', 'handing') AND due_at + 0 <= $1",
            now_ms,
        )
        .await?,
        events_held: waiting(
            connection,
            "SELECT COUNT(*), MIN(received_at) FROM events WHERE state = 'held' AND received_at <= $1",
            now_ms,
        )
        .await?,
        leases: leases(connection, now_ms).await?,
        without_host: without_host(connection, &hosts, now_ms).await?,
        hosts,
    };
    sqlx::query(gate::around("ROLLBACK")).execute(&mut *connection).await?;
    Ok(survey)
}

async fn jobs(connection: &mut AnyConnection, now_ms: i64) -> Result<QueuedJobs> {
    let due = waiting(
        connection,
        "SELECT COUNT(*), MIN(run_after + 0) FROM jobs WHERE state IN ('waiting', 'failed') AND run_after + 0 <= $1",
        now_ms,
    )
    .await?;
    let row = sqlx::query(gate::around(
        "SELECT (SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running', 'failed')), \
           (SELECT COUNT(*) FROM jobs WHERE state = 'dead')",
    ))
    .fetch_one(connection)
    .await?;
    Ok(QueuedJobs { open: row.try_get(0)?, dead: row.try_get(1)?, due: due.count, lag_ms: due.lag_ms })
}

/// `text` gives a count and the instant of the oldest, of what was there at `$1`.
async fn waiting(connection: &mut AnyConnection, text: &'static str, now_ms: i64) -> Result<Backlog> {
    let row = sqlx::query(gate::around(text)).bind(now_ms).fetch_one(connection).await?;
    let oldest: Option<i64> = row.try_get(1)?;
    Ok(Backlog {
        count: row.try_get(0)?,
        lag_ms: oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest).max(0)),
    })
}

async fn leases(connection: &mut AnyConnection, now_ms: i64) -> Result<LeaseFigures> {
    let row = sqlx::query(gate::around(
        "SELECT (SELECT COUNT(*) FROM jobs WHERE state = 'running'), \
           (SELECT COUNT(*) FROM jobs WHERE state = 'running' AND lease_until <= $1), \
           (SELECT MIN(lease_until) FROM jobs WHERE state = 'running' AND lease_until > $1)",
    ))
    .bind(now_ms)
    .fetch_one(connection)
    .await?;
    Ok(LeaseFigures { held: row.try_get(0)?, over: row.try_get(1)?, next_end: row.try_get(2)? })
}

async fn without_host(
    connection: &mut AnyConnection,
    hosts: &[HostView],
    now_ms: i64,
) -> Result<Vec<WithoutHost>> {
    let mut running = hosts.iter().filter(|host| host.state == HostState::Running).peekable();
    if running.peek().is_none() {
        return Ok(Vec::new());
    }
    let running: Vec<_> = running.collect();
    let has = |shop: &str, plugin: &str| {
        running.iter().any(|host| host.plugins.get(shop).is_some_and(|plugins| plugins.contains_key(plugin)))
    };
    let rows = sqlx::query(gate::around(
        "SELECT shop, plugin, COUNT(*), MIN(created_at) FROM jobs WHERE state IN ('waiting', 'failed') \
         GROUP BY shop, plugin ORDER BY shop, plugin",
    ))
    .fetch_all(connection)
    .await?;
    let mut found = Vec::new();
    for row in rows {
        let (shop, plugin): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if !has(&shop, &plugin) {
            let lag_ms = now_ms.saturating_sub(row.try_get(3)?).max(0);
            found.push(WithoutHost { shop, plugin, jobs: row.try_get(2)?, lag_ms });
        }
    }
    Ok(found)
}
