//! Stores for tests: SQLite in the test's folder, or, where `CARTWRIGHT_TEST_DATABASE` has the URL of a
//! PostgreSQL server, a database of the folder's own there. `tests/run` runs the tests on both.

use std::ops::DerefMut;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use super::dialect::sqlite::READERS;
use super::{Result, Store, gate};

/// Whether hosts share the database.
pub(crate) fn is_shared() -> bool {
    std::env::var_os("CARTWRIGHT_TEST_DATABASE").is_some()
}

/// What `database` would say: the same folder has the same database.
pub(crate) fn database(folder: &Path) -> String {
    let Ok(server) = std::env::var("CARTWRIGHT_TEST_DATABASE") else {
        return format!("sqlite:{}", folder.join("a b?#%.db").display());
    };
    let hash = Sha256::digest(folder.display().to_string());
    let name = hash.iter().take(8).fold("test_".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/postgres");
    let made = Command::new(script).args(["database", &server, &name]).output().expect("tests/postgres runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).expect("a URL").trim().to_owned()
}

/// All that read, of a store on SQLite: who reads waits until they are dropped.
pub(crate) async fn readers(store: &Store) -> Vec<impl DerefMut<Target = AnyConnection> + use<>> {
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(store.inner.reads.acquire().await.expect("a reader"));
    }
    readers
}

/// Messages that are sent, as this reader sees them.
pub(crate) async fn sent(reader: &mut AnyConnection) -> i64 {
    let text = gate::around("SELECT COUNT(*) FROM messages WHERE state = 'sent'");
    sqlx::query_scalar(text).fetch_one(reader).await.expect("a number")
}

pub(crate) async fn open(folder: &Path) -> Result<Store> {
    Store::open(&database(folder), folder).await
}
