//! Where databases differ: how they are opened, migrations, claiming and locking, and how hosts that share
//! one hear of each other. All other SQL is one text for all of them.

mod postgres;
pub(super) mod sqlite;

use std::path::{Path, PathBuf};

use super::migrations::MIGRATIONS;
use sqlx::AnyConnection;

use super::{Inner, Result, StoreError};

pub(super) use postgres::Peers;

/// What a code of the database says: SQLite's are numbers of at most four digits, PostgreSQL's have five characters.
pub(super) fn meaning(code: &str, text: String) -> StoreError {
    match code.parse() {
        Ok(number) if code.len() < 5 => sqlite::meaning(number, text),
        _ => postgres::meaning(code, text),
    }
}

/// The database in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Eligible jobs of one shop, some of each plugin. A job is eligible when no earlier unfinished job has its key: found
/// here, never stored.
const CLAIM: &str = "
UPDATE jobs SET state = 'running', lease_token = lease_token + 1, lease_until = $1, host = $5, updated_at = $3
WHERE id IN ({each})
RETURNING id, plugin, hook, event_id, lease_token, attempts, created_at";

/// Those of one plugin. What is locked is claimed.
const CLAIM_OF_PLUGIN: &str = "
    SELECT id FROM (
        SELECT j.id FROM jobs j
        WHERE j.shop = $2 AND j.plugin = {plugin} AND j.state IN ('waiting', 'failed') AND j.run_after <= $3
          AND NOT EXISTS (
            SELECT 1 FROM jobs elder
            WHERE elder.ordering_key = j.ordering_key AND elder.seq < j.seq
              AND elder.state IN ('waiting', 'running', 'failed'))
        ORDER BY j.run_after, j.id LIMIT $4{skip_locked}) AS of_plugin";

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

    /// For people; without the password.
    pub(super) fn place(database: &str, data_dir: &Path) -> Result<String> {
        match Self::of(database)? {
            Self::Sqlite => Ok(format!("SQLite {}", sqlite::path(database, data_dir)?.display())),
            Self::Postgres => Ok(format!("PostgreSQL{}", postgres::place(database))),
        }
    }

    /// A connection that reads what is there, beside hosts that run. `None`: there is no database.
    pub(super) async fn look(database: &str, data_dir: &Path) -> Result<Option<AnyConnection>> {
        match Self::of(database)? {
            Self::Sqlite => sqlite::look_at(&sqlite::path(database, data_dir)?).await,
            Self::Postgres => postgres::connect(database).await.map(Some),
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

    /// Begins a transaction that only reads, all of one instant.
    pub(super) fn begin_reading(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Changes something that says nothing, so that its commit shows whether the disk takes it.
    pub(super) fn pulse(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::PULSE,
            Self::Postgres => postgres::PULSE,
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

    /// Leases eligible jobs of one shop: `$1` lease until, `$2` shop, `$3` now, `$4` how many of each plugin, `$5`
    /// which host; then the names of the plugins, in as many placeholders as there are names.
    pub(super) fn claim(self, plugins: usize) -> String {
        let each = (0..plugins).map(|index| {
            let of_plugin = CLAIM_OF_PLUGIN.replace("{plugin}", &format!("${}", index + 6));
            of_plugin.replace("{skip_locked}", self.skip_locked())
        });
        CLAIM.replace("{each}", &each.collect::<Vec<_>>().join("\n    UNION ALL"))
    }
}
