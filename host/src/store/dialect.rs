//! Where databases differ: how they are opened, migrations, claiming and locking, and how hosts that share
//! one hear of each other. All other SQL is one text for all of them.

mod postgres;
pub(super) mod sqlite;

use std::path::{Path, PathBuf};

use super::migrations::MIGRATIONS;
use super::{Inner, Result, StoreError};

pub(super) use postgres::Peers;

/// The database in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Eligible jobs of one shop. A job is eligible when no earlier unfinished job has its key: found here, never
/// stored.
const CLAIM: &str = "
UPDATE jobs SET state = 'running', lease_token = lease_token + 1, lease_until = $1, updated_at = $3
WHERE id IN (
    SELECT j.id FROM jobs j
    WHERE j.shop = $2 AND j.state IN ('waiting', 'failed') AND j.run_after <= $3 AND j.plugin IN ({plugins})
      AND NOT EXISTS (
        SELECT 1 FROM jobs elder
        WHERE elder.ordering_key = j.ordering_key AND elder.seq < j.seq
          AND elder.state IN ('waiting', 'running', 'failed'))
    ORDER BY j.run_after, j.id LIMIT $4{skip_locked})
RETURNING id, plugin, hook, event_id, lease_token, attempts, created_at";

impl Dialect {
    /// Of `sqlite:<path>` or `postgres://…`.
    pub(super) fn of(database: &str) -> Result<Self> {
        if database.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if database.starts_with("postgres:") || database.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            Err(StoreError::Invalid(
                "`database` must be `sqlite:<path>` or `postgres://<user>:<password>@<host>/<name>`"
                    .to_owned(),
            ))
        }
    }

    /// Of a database that is one.
    pub(super) fn file(database: &str, data_dir: &Path) -> Result<Option<PathBuf>> {
        match Self::of(database)? {
            Self::Sqlite => sqlite::path(database, data_dir).map(Some),
            Self::Postgres => Ok(None),
        }
    }

    pub(super) async fn open(database: &str, data_dir: &Path) -> Result<Inner> {
        match Self::of(database)? {
            Self::Sqlite => sqlite::open(database, data_dir).await,
            Self::Postgres => postgres::open(database).await,
        }
    }

    /// How many migrations an existing database lacks. Nothing is written or made.
    pub(super) async fn pending_migrations(database: &str, data_dir: &Path) -> Result<usize> {
        match Self::of(database)? {
            Self::Sqlite => sqlite::pending_migrations(database, data_dir).await,
            Self::Postgres => postgres::pending_migrations(database).await,
        }
    }

    /// Version and SQL, oldest first.
    pub(super) fn migrations(self) -> impl Iterator<Item = (i64, String)> {
        MIGRATIONS.iter().map(move |(version, sql)| {
            let sql = match self {
                Self::Sqlite => (*sql).to_owned(),
                Self::Postgres => postgres::types(sql),
            };
            (*version, sql)
        })
    }

    /// 0: no host has ever opened the database.
    pub(super) fn count_of_migration_tables(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::COUNT_OF_MIGRATION_TABLES,
            Self::Postgres => postgres::COUNT_OF_MIGRATION_TABLES,
        }
    }

    /// Begins a transaction that will write.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN,
            Self::Postgres => postgres::BEGIN,
        }
    }

    /// Lets one host at a time change tables, until the transaction ends.
    pub(super) fn lock_migrations(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::LOCK_MIGRATIONS),
        }
    }

    /// Takes so many locks, by number, until the transaction ends.
    pub(super) fn lock(self, count: usize) -> Option<String> {
        match self {
            Self::Postgres if count > 0 => Some(postgres::lock(count)),
            Self::Sqlite | Self::Postgres => None,
        }
    }

    /// At the end of a query of a transaction: takes the rows, and leaves out what another has taken.
    pub(super) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Leases eligible jobs of one shop: `$1` lease until, `$2` shop, `$3` now, `$4` how many; then the
    /// names of live plugins, in as many placeholders as there are names.
    pub(super) fn claim(self, plugins: usize) -> String {
        let names = (0..plugins).map(|index| format!("${}", index + 5)).collect::<Vec<_>>().join(", ");
        CLAIM.replace("{plugins}", &names).replace("{skip_locked}", self.skip_locked())
    }
}
