//! Copies of a SQLite database: made beside a running host, looked through, and put in its place when no host
//! runs. PostgreSQL has its own tools for this.

use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::dialect::{Dialect, sqlite};
use super::{Result, StoreError, migrations};

/// The file of the database; `None` on PostgreSQL.
pub fn database_file(database: &str, data_dir: &Path) -> Result<Option<PathBuf>> {
    Dialect::file(database, data_dir)
}

/// Copies `file` as it is at one instant to `copy`, which must not be there. A host may run and write: it has a
/// writer of its own, and a reader neither waits for it nor makes it wait. What is written meanwhile is not
/// in the copy. Durable when it returns.
pub async fn copy_database(file: &Path, copy: &Path) -> Result<()> {
    let mut connection = connect(file, "rw").await?;
    let copied =
        sqlx::query("VACUUM INTO $1").bind(copy.display().to_string()).execute(&mut connection).await;
    connection.close().await?;
    copied?;
    std::fs::File::open(copy).and_then(|copy| copy.sync_all()).map_err(|error| {
        StoreError::Database(format!("{} could not be brought to the disk: {error}", copy.display()))
    })
}

/// Looks through every page and index of a database that nobody has open, and gives the version of its tables.
pub async fn examine_database(file: &Path) -> Result<i64> {
    let mut connection = connect(file, "ro&immutable=true").await?;
    let found = async {
        let faults: Vec<String> = sqlx::query("PRAGMA integrity_check(10)")
            .fetch_all(&mut connection)
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        if faults != ["ok"] {
            return Err(StoreError::Damaged(faults.join("; ")));
        }
        migrations::version(&mut connection, Dialect::Sqlite).await
    }
    .await;
    // It was opened to be read only: nothing can be lost by closing it.
    let _ = connection.close().await;
    found
}

/// Keeps hosts from the database while it lives; [`StoreError::Locked`] when one runs.
pub fn keep_hosts_away(file: &Path) -> Result<impl Drop + use<>> {
    struct Kept(std::fs::File);
    impl Drop for Kept {
        fn drop(&mut self) {
            // The system lets go of it at the end of the process in any case.
            let _ = self.0.unlock();
        }
    }
    sqlite::lock(file).map(Kept)
}

async fn connect(file: &Path, mode: &str) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    AnyConnection::connect_with(&sqlite::options(file, mode)?).await.map_err(|error| {
        match StoreError::from(error) {
            damaged @ StoreError::Damaged(_) => damaged,
            error => StoreError::Database(format!("cannot open {}: {error}", file.display())),
        }
    })
}
