//! Opening a database: one host at a time, tables brought up to date, connections prepared.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use rand::TryRngCore as _;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::cache::Caches;
use super::dialect::Dialect;
use super::signals::Signals;
use super::writer::Writer;
use super::{Inner, Result, StoreError, jobs, messages, migrations};

/// Readers at once; SQLite serves them beside the writer.
const READERS: u32 = 8;

pub(super) async fn open(database: &str, data_dir: &Path) -> Result<Inner> {
    let path = path(database, data_dir)?;
    let folder = path.parent().unwrap_or(data_dir);
    std::fs::create_dir_all(folder).map_err(|error| {
        StoreError::Database(format!("cannot make the folder {}: {error}", folder.display()))
    })?;
    let lock = lock(&path)?;
    let dialect = Dialect::Sqlite;
    let mut connection = connect(&path, "rwc").await?;
    for pragma in dialect.prepare(true) {
        sqlx::query(*pragma).execute(&mut connection).await?;
    }
    migrations::apply(&mut connection, dialect).await?;
    // Whoever held these is gone: the lock above is ours.
    jobs::take_back(&mut connection).await?;
    messages::take_back(&mut connection).await?;
    let guest_key = installation_key(&mut connection, "guest", &new_key()?).await?;

    let reads = AnyPoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .max_lifetime(Duration::from_secs(30 * 60))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for pragma in dialect.prepare(false) {
                    sqlx::query(*pragma).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .connect_with(options(&path, "rw")?)
        .await?;
    let caches = Arc::new(Caches::new());
    let signals = Arc::new(Signals::new());
    let writer = Writer::start(connection, dialect, Arc::clone(&caches), Arc::clone(&signals));
    Ok(Inner { reads, writer, dialect, caches, signals, guest_key, lock })
}

/// How many migrations an existing database lacks. Nothing is written or made.
pub(super) async fn pending_migrations(database: &str, data_dir: &Path) -> Result<usize> {
    let path = path(database, data_dir)?;
    let _lock = shared_lock(&path)?;
    // A reader, too, would make a write-ahead log; but one that a crash left behind has to be read.
    let mode = if beside(&path, "-wal").exists() { "ro" } else { "ro&immutable=true" };
    let mut connection = connect(&path, mode).await?;
    let pending = migrations::pending(&mut connection, Dialect::Sqlite).await;
    connection.close().await?;
    pending
}

async fn connect(path: &Path, mode: &str) -> Result<AnyConnection> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    AnyConnection::connect_with(&options(path, mode)?)
        .await
        .map_err(|error| StoreError::Database(format!("cannot open {}: {error}", path.display())))
}

fn path(database: &str, data_dir: &Path) -> Result<PathBuf> {
    let Some(path) = database.strip_prefix("sqlite:") else {
        return Err(StoreError::Database(
            "`database` must be `sqlite:<path>`; other databases are not there yet".to_owned(),
        ));
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
fn lock(path: &Path) -> Result<File> {
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

fn options(path: &Path, mode: &str) -> Result<AnyConnectOptions> {
    // What a URL would take for something else.
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}?mode={mode}").parse().map_err(StoreError::from)
}

pub(super) fn new_key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(|error| {
        StoreError::Database(format!("the operating system gives no random numbers: {error}"))
    })?;
    Ok(key)
}

/// The first that was made is kept, whoever made it.
pub(super) async fn installation_key(
    connection: &mut AnyConnection,
    name: &str,
    new: &[u8; 32],
) -> Result<[u8; 32]> {
    sqlx::query("INSERT INTO installation_keys (name, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(new.as_slice())
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("SELECT secret FROM installation_keys WHERE name = $1")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    let secret: Vec<u8> = row.try_get(0)?;
    secret
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("the installation's key `{name}` is not 32 bytes long")))
}
