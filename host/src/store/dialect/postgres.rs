//! PostgreSQL: many hosts, many writers.

mod peers;

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyConnection, Connection as _};

use super::Dialect;
use crate::store::cache::Caches;
use crate::store::health::Health;
use crate::store::readers::Readers;
use crate::store::signals::Signals;
use crate::store::writer::{Many, Writer};
use crate::store::{Inner, Result, StoreError, gate, keys, migrations, new_id};

pub use peers::Peers;

pub(super) const COUNT_OF_MIGRATION_TABLES: &str = "SELECT COUNT(*) FROM information_schema.tables \
     WHERE table_schema = current_schema() AND table_name = 'migrations'";

/// Each statement sees what was committed before it; what must hold from the first look to the commit is locked.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A new version of a row that every database has.
pub(super) const PULSE: &str = "UPDATE installation_keys SET secret = secret WHERE name = 'guest'";

/// An arbitrary number of ours. Tables that are large take their time.
pub(super) const LOCK_MIGRATIONS: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
     SELECT pg_advisory_xact_lock(7305808869229538670)";

/// No statement waits for ever, and a host that hangs lets go of its locks.
const PREPARE: &[&str] = &[
    "SET synchronous_commit = on",
    "SET statement_timeout = '30s'",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '30s'",
];

/// Transactions at once, of this host.
const WRITERS: u32 = 16;

const READERS: u32 = 8;

/// So long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// A connection that was idle so long is tried before it is used: the server may have been restarted.
const IDLE: Duration = Duration::from_millis(500);

/// What another host changed is forgotten after twice as long at most, even if its word of it was lost.
const COPIES: Duration = Duration::from_secs(30);

/// See the appendix "PostgreSQL Error Codes" of its manual.
pub(super) fn meaning(code: &str, text: String) -> StoreError {
    match code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => StoreError::Collided(text),
        "22021" => {
            StoreError::Invalid("a text holds a character that the database cannot keep, like NUL".to_owned())
        }
        "25006" => StoreError::Unwritable(format!(
            "the server takes no writes ({text}); a standby has to be promoted, or the address of the server corrected"
        )),
        "53100" => StoreError::Unwritable(format!("the disk of its server is full ({text}); make room")),
        "55P03" => StoreError::Away(format!("another session holds a lock ({text}); see which, and end it")),
        // Connection exceptions, too little of something, time-outs, shutdown, start.
        code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25P03" => {
            StoreError::Away(text)
        }
        // The server's disk.
        code if code.starts_with("58") => StoreError::Unwritable(text),
        _ => StoreError::Database(text),
    }
}

/// Opens (and migrates) `postgres://…`.
pub(super) async fn open(database: &str) -> Result<Inner> {
    let options = options(database)?;
    // The pool would only say that it waited.
    connect(database).await?.close().await?;
    let writes =
        pool(WRITERS).connect_with(options.clone()).await.map_err(|error| unreachable(database, error))?;
    let mut connection = writes.acquire().await?;
    migrations::apply(&mut connection, Dialect::Postgres).await?;
    let guest_key = keys::installation_key(&mut connection, "guest", &keys::new()?).await?;
    drop(connection);
    let reads = pool(READERS).connect_with(options).await?;
    let health = Arc::new(Health::default());
    let caches = Arc::new(Caches::new(Some(COPIES)));
    let signals = Arc::new(Signals::new());
    let peers = Peers::meet(database, writes.clone(), Arc::clone(&caches), Arc::clone(&signals)).await?;
    let writer = Many::start(writes, Dialect::Postgres, Arc::clone(&caches), Arc::clone(&signals), peers);
    Ok(Inner {
        reads: Readers::new(gate::reads(reads), None, Arc::clone(&health)),
        writer: Writer::Many(writer),
        dialect: Dialect::Postgres,
        caches,
        signals,
        health,
        guest_key,
        host: new_id("host", 0),
        lock: None,
    })
}

/// How many migrations an existing database lacks. Nothing is written or made.
pub(super) async fn pending_migrations(database: &str) -> Result<usize> {
    let mut connection = connect(database).await?;
    let pending = migrations::pending(&mut connection, Dialect::Postgres).await;
    connection.close().await?;
    pending
}

pub(super) async fn connect(database: &str) -> Result<AnyConnection> {
    AnyConnection::connect_with(&options(database)?).await.map_err(|error| unreachable(database, error))
}

/// The tables' types in PostgreSQL's words. "C": texts sort by their bytes, as everywhere else.
pub(super) fn types(sql: &str) -> String {
    sql.replace(" BLOB", " BYTEA").replace(" TEXT", " TEXT COLLATE \"C\"")
}

pub(super) fn lock(count: usize) -> String {
    let locks = (1..=count).map(|place| format!("pg_advisory_xact_lock(${place})")).collect::<Vec<_>>();
    format!("SELECT {}", locks.join(", "))
}

fn options(database: &str) -> Result<AnyConnectOptions> {
    sqlx::any::install_default_drivers();
    database.parse().map_err(|error: sqlx::Error| malformed(&error))
}

/// The URL may hold a password: it is not shown.
fn malformed(error: &sqlx::Error) -> StoreError {
    StoreError::Invalid(format!("`database` is no URL of PostgreSQL: {error}"))
}

fn unreachable(database: &str, error: sqlx::Error) -> StoreError {
    let place = place(database);
    StoreError::Away(format!("cannot open the PostgreSQL database{place}: {error}"))
}

/// ` shop at db.example:5432`: no user and no password.
pub(super) fn place(database: &str) -> String {
    database.parse::<PgConnectOptions>().map_or_else(
        |_| String::new(),
        |options| {
            format!(
                " {} at {}:{}",
                options.get_database().unwrap_or("its default"),
                options.get_host(),
                options.get_port()
            )
        },
    )
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .max_lifetime(Duration::from_secs(30 * 60))
        .test_before_acquire(false)
        .before_acquire(|connection, found| {
            Box::pin(async move {
                // One that fails is closed, and the next is tried.
                Ok(found.idle_for < IDLE || connection.ping().await.is_ok())
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                for setting in PREPARE {
                    sqlx::query(*setting).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
}

#[cfg(test)]
mod tests;
