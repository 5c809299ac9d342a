//! The database, read directly: what is open, and in the end all that was written. None of the host's code is used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::postgres;
use serde_json::Value;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, AssertSqlSafe, Row as _};

use crate::books::Books;
use crate::place::SHOP;

/// A PostgreSQL of the run's own, which syncs to disk. Stopped when it is dropped.
pub struct Cluster(PathBuf);

impl Cluster {
    /// Gives the URL of a database in it, too.
    pub fn start(folder: &Path) -> (Self, String) {
        let cluster = Self(folder.join("cluster"));
        let url = postgres(&["start", &cluster.path(), "durable"]);
        let url = postgres(&["database", &url, "chaos"]);
        (cluster, url)
    }

    /// `fast`, or `immediate`, which is a crash.
    pub fn restart(&self, mode: &str) {
        let _ = postgres(&["stop", &self.path(), mode]);
        let _ = postgres(&["start", &self.path()]);
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = postgres(&["stop", &self.path(), "immediate"]);
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Database(AnyPool);

/// Work that is not done, far-off timers and messages aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    pub jobs: i64,
    pub held: i64,
    pub messages: i64,
    pub timers: i64,
}

impl Open {
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// What somebody has in hand: a job or a message, with the token of its lease.
pub type InHand = BTreeSet<(String, i64)>;

impl Database {
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(20));
        Ok(Self(options.connect(url).await?))
    }

    async fn rows(&self, sql: &str) -> anyhow::Result<Vec<AnyRow>> {
        Ok(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&self.0).await?)
    }

    async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&self.0).await?.try_get(0)?)
    }

    /// Events of the client's whose work is done, and those whose work is not.
    pub async fn progress(&self) -> anyhow::Result<(i64, i64)> {
        let of = |state| format!("SELECT COUNT(*) FROM events WHERE state = '{state}' AND hook <> 'timer'");
        Ok((self.number(&of("done")).await?, self.number(&of("open")).await?))
    }

    pub async fn open_work(&self) -> anyhow::Result<Open> {
        let soon = jiff::Timestamp::now().as_millisecond() + 3_600_000;
        Ok(Open {
            jobs: self.number("SELECT COUNT(*) FROM jobs WHERE state <> 'dead'").await?,
            held: self.number("SELECT COUNT(*) FROM events WHERE state = 'held'").await?,
            messages: self
                .number(&format!(
                    "SELECT COUNT(*) FROM messages WHERE state IN ('waiting', 'handing') AND due_at < {soon}"
                ))
                .await?,
            timers: self.number(&format!("SELECT COUNT(*) FROM timers WHERE due_at < {soon}")).await?,
        })
    }

    pub async fn in_hand(&self) -> anyhow::Result<InHand> {
        self.rows(
            "SELECT id, lease_token FROM jobs WHERE state = 'running' \
             UNION ALL SELECT id, hand_token FROM messages WHERE state = 'handing'",
        )
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
    }

    /// The open transactions on the server, the oldest first: for how many seconds, and what it is about. Of
    /// PostgreSQL.
    pub async fn transactions(&self) -> anyhow::Result<Vec<(i64, String)>> {
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp() - xact_start) AS BIGINT), \
             concat_ws(', ', backend_type, state, wait_event, query) \
             FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL \
             AND pid <> pg_backend_pid() ORDER BY xact_start";
        self.rows(sql).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Why jobs were given up.
    pub async fn dead(&self) -> anyhow::Result<Vec<String>> {
        self.rows("SELECT id, plugin, hook, COALESCE(reason, '') FROM jobs WHERE state = 'dead'")
            .await?
            .iter()
            .map(|row| {
                let of = |column| row.try_get::<String, _>(column);
                Ok(format!("the job {} ({} on {}) is dead: {}", of(0)?, of(1)?, of(2)?, of(3)?))
            })
            .collect()
    }

    /// All that was written, in the words of [`crate::books`].
    pub async fn books(&self) -> anyhow::Result<Books> {
        let mut books = Books::default();
        for row in self.rows("SELECT id FROM intake_keys WHERE source = 'api'").await? {
            books.add(format!("event {}", row.try_get::<String, _>(0)?), 1);
        }
        self.state(&mut books).await?;
        let sql = "SELECT customer_id, reference, revision, total FROM points";
        for row in self.rows(sql).await? {
            let (order, revision, total): (String, i64, i64) =
                (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            books.add(format!("points {order} {revision}: {total}"), 1);
        }
        for row in self.rows("SELECT purpose FROM coupons").await? {
            books.add(format!("coupon {}", row.try_get::<String, _>(0)?), 1);
        }
        for row in self.rows("SELECT payload, state FROM messages").await? {
            let payload: Value = serde_json::from_str(row.try_get(0)?)?;
            let mark = payload["data"].as_array().into_iter().flatten();
            let mark = mark.filter(|entry| entry[0] == "mark").find_map(|entry| entry[1]["value"].as_str());
            books.add(format!("message {} {}", mark.unwrap_or("?"), row.try_get::<String, _>(1)?), 1);
        }
        for row in self.rows("SELECT order_id, key FROM timers").await? {
            let (order, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            books.add(format!("timer {order}/{key}"), 1);
        }
        for row in
            self.rows("SELECT subject, value FROM labels WHERE kind = 'order' AND key = 'last'").await?
        {
            let (order, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            books.add(format!("label {order}: {value}"), 1);
        }
        for row in self.rows("SELECT id, last_seq FROM orders").await? {
            books.add(format!("sequence {}", row.try_get::<String, _>(0)?), row.try_get(1)?);
        }
        Ok(books)
    }

    async fn state(&self, books: &mut Books) -> anyhow::Result<()> {
        let sql = format!("SELECT scope, subject, key, value FROM state WHERE shop = '{SHOP}'");
        for row in self.rows(&sql).await? {
            let of = |column| row.try_get::<String, _>(column);
            let (scope, subject, key, value) = (of(0)?, of(1)?, of(2)?, of(3)?);
            match (scope.as_str(), key.as_str()) {
                ("shop", key) => books.add(format!("counter {key}"), value.parse()?),
                ("customer", "seen") => books.add(format!("seen by {subject}"), value.parse()?),
                ("order", "log") => {
                    books.logs.insert(subject, value.split_whitespace().map(str::to_owned).collect());
                }
                ("order", key) => {
                    if let Some(timer) = key.strip_prefix("fired/") {
                        books.add(format!("fired {subject}/{timer}"), value.parse()?);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
