//! SQLite: one host, one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection as _};

use super::Dialect;
use crate::store::cache::Caches;
use crate::store::health::Health;
use crate::store::readers::Readers;
use crate::store::signals::Signals;
use crate::store::writer::{One, Writer};
use crate::store::{Inner, Result, StoreError, gate, handing, jobs, keys, migrations, new_id};
use crate::threads;

pub(super) const COUNT_OF_MIGRATION_TABLES: &str =
    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";

/// A number in the file's head that SQLite itself has no use for: written even when it is the same.
pub(super) const PULSE: &str = "PRAGMA user_version = 1";

/// Takes the write lock at once: a lock that is taken later can fail half way.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// FULL: a commit that was answered survives a loss of power.
const PREPARE_WRITER: &[&str] =
    &["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY"];

/// What is asked often is kept by the store itself; pages come from the system's cache. Without a word SQLite keeps
/// 2 MiB for each connection.
const PREPARE_READER: &[&str] =
    &["PRAGMA query_only = 1", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -256"];

/// Readers at once; SQLite serves them beside the writer.
pub(in crate::store) const READERS: u32 = 8;
/// Those of threads that give way.
const READERS_GIVING_WAY: u32 = 4;

/// So long a request waits for one of them, or a write for another process that holds the file.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A thread that gives way may hold one for long while others have the processors: that is no trouble of the database's.
const ACQUIRE_GIVING_WAY: Duration = Duration::from_secs(60);

/// See <https://www.sqlite.org/rescode.html>; the low byte of an extended code is its primary one.
pub(super) fn meaning(code: i32, text: String) -> StoreError {
    match code & 0xff {
        // BUSY, LOCKED.
        5 | 6 => StoreError::Away(format!("another process holds it ({text}); see which, and end it")),
        // READONLY.
        8 => StoreError::Unwritable(format!(
            "it may only be read ({text}); make its folder and file writable for the host's user"
        )),
        // IOERR.
        10 => StoreError::Unwritable(format!("its disk fails ({text}); see the system's log")),
        // CORRUPT, NOTADB.
        11 | 26 => StoreError::Damaged(text),
        // FULL.
        13 => StoreError::Unwritable(format!("its disk is full ({text}); make room")),
        // CANTOPEN.
        14 => StoreError::Unwritable(format!(
            "a file beside it cannot be opened ({text}); see the rights of its folder, and how many files the host \
             has open"
        )),
        _ => StoreError::Database(text),
    }
}

/// Opens (and migrates) `sqlite:<path>`; the path's folder is made. Locks against a second host.
pub(super) async fn open(database: &str, data_dir: &Path) -> Result<Inner> {
    let path = path(database, data_dir)?;
    let folder = path.parent().unwrap_or(data_dir);
    std::fs::create_dir_all(folder).map_err(|error| {
        StoreError::Database(format!("cannot make the folder {}: {error}", folder.display()))
    })?;
    let lock = lock(&path)?;
    let cannot = |error: sqlx::Error| match StoreError::from(error) {
        damaged @ StoreError::Damaged(_) => damaged,
        StoreError::Away(what) => StoreError::Away(format!("{}: {what}", path.display())),
        StoreError::Unwritable(what) => StoreError::Unwritable(format!("{}: {what}", path.display())),
        error => StoreError::Database(format!("cannot open {}: {error}", path.display())),
    };
    sqlx::any::install_default_drivers();
    look(&path).await.map_err(cannot)?;
    // Of a thread below those of decisions: a burst of events leaves them the processors.
    let url = options(&path, "rwc")?;
    let opening = threads::writing().spawn(pool(1, PREPARE_WRITER).connect_with(url));
    let writer = opening.await.map_err(sqlx::Error::protocol).flatten().map_err(cannot)?;
    let mut connection = writer.acquire().await?;
    migrations::apply(&mut connection, Dialect::Sqlite).await?;
    // Whoever held these is gone: the lock above is ours.
    jobs::take_back(&mut connection).await?;
    handing::take_back(&mut connection).await?;
    let guest_key = keys::installation_key(&mut connection, "guest", &keys::new()?).await?;

    // All of them now, for good: a reader computes at the priority of the thread that opens it.
    let readers = |number| pool(number, PREPARE_READER).min_connections(number);
    let reads = readers(READERS).connect_with(options(&path, "rw")?).await?;
    let giving_way = readers(READERS_GIVING_WAY).acquire_timeout(ACQUIRE_GIVING_WAY);
    let opening = threads::reading().spawn(giving_way.connect_with(options(&path, "rw")?));
    let giving_way = opening.await.map_err(sqlx::Error::protocol).flatten()?;
    let health = Arc::new(Health::default());
    let caches = Arc::new(Caches::new(None));
    let signals = Arc::new(Signals::new());
    let writer = One::start(connection, Dialect::Sqlite, Arc::clone(&caches), Arc::clone(&signals));
    Ok(Inner {
        reads: Readers::new(gate::reads(reads), Some(gate::reads(giving_way)), Arc::clone(&health)),
        writer: Writer::One(writer),
        dialect: Dialect::Sqlite,
        caches,
        signals,
        health,
        guest_key,
        host: new_id("host", 0),
        lock: Some(lock),
    })
}

/// One connection before the pools, which would try again and again with a file that is no database.
async fn look(path: &Path) -> Result<(), sqlx::Error> {
    let url = options(path, "rwc").map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let mut connection = AnyConnection::connect_with(&url).await?;
    sqlx::query(COUNT_OF_MIGRATION_TABLES).fetch_one(&mut connection).await?;
    connection.close().await
}

/// How many migrations an existing database lacks. Nothing is written or made.
pub(super) async fn pending_migrations(database: &str, data_dir: &Path) -> Result<usize> {
    let path = path(database, data_dir)?;
    let _lock = shared_lock(&path)?;
    let mut connection = read_only(&path).await?;
    let pending = migrations::pending(&mut connection, Dialect::Sqlite).await;
    connection.close().await?;
    pending
}

/// Beside a host that runs, too, which has its lock; `None`: there is no file.
pub(super) async fn look_at(path: &Path) -> Result<Option<AnyConnection>> {
    if path.exists() { read_only(path).await.map(Some) } else { Ok(None) }
}

/// A reader, too, would make a write-ahead log; but that of a host that runs, or that a crash left behind, has to be
/// read.
async fn read_only(path: &Path) -> Result<AnyConnection> {
    let mode = if beside(path, "-wal").exists() { "ro" } else { "ro&immutable=true" };
    sqlx::any::install_default_drivers();
    AnyConnection::connect_with(&options(path, mode)?)
        .await
        .map_err(|error| StoreError::Database(format!("cannot open {}: {error}", path.display())))
}

fn pool(connections: u32, prepare: &'static [&'static str]) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for pragma in prepare {
                    sqlx::query(*pragma).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
}

pub(super) fn path(database: &str, data_dir: &Path) -> Result<PathBuf> {
    let Some(path) = database.strip_prefix("sqlite:") else {
        return Err(StoreError::Invalid("`database` must be `sqlite:<path>`".to_owned()));
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::Database(format!(
            "`database` names no file: write `sqlite:{}/cartwright.db`, for example",
            data_dir.display()
        )));
    }
    Ok(PathBuf::from(path))
}

/// Beside the database, so that it guards what it is meant to whichever folder a host is started in.
pub(in crate::store) fn lock(path: &Path) -> Result<File> {
    let name = beside(path, ".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(|error| {
        StoreError::Database(format!("cannot write {}: {error}; is the folder writable?", name.display()))
    })?;
    held(path, file.try_lock())?;
    Ok(file)
}

/// For a look: the file is not made, for where there is none no host runs.
fn shared_lock(path: &Path) -> Result<Option<File>> {
    let name = beside(path, ".lock");
    let file = match File::open(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(StoreError::Database(format!("cannot read {}: {error}", name.display())));
        }
    };
    held(path, file.try_lock_shared())?;
    Ok(Some(file))
}

fn held(path: &Path, locked: Result<(), TryLockError>) -> Result<()> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(format!(
            "{}. SQLite serves one host: stop the other one, or give this one another `database`",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Database(format!("cannot lock {}.lock: {error}", path.display())))
        }
    }
}

/// `cartwright.db.lock` for `cartwright.db`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(in crate::store) fn options(path: &Path, mode: &str) -> Result<AnyConnectOptions> {
    // What a URL would take for something else.
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}?mode={mode}").parse().map_err(StoreError::from)
}

#[cfg(test)]
mod tests;
