//! What only SQLite has: one host, one file.

use sqlx::Row as _;

use crate::store::migrations::MIGRATIONS;
use crate::store::tests::{entry, house, open};
use crate::store::{Store, StoreError};
use crate::threads;

mod ready;

impl Store {
    /// As on a full disk: what needs another page is not written.
    pub(crate) async fn fill_disk(&self, full: bool) {
        self.write(if full { 1_u32 } else { u32::MAX - 1 }, |tx, pages| {
            Box::pin(async move {
                let text = format!("PRAGMA max_page_count = {pages}");
                sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(tx.connection()).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_second_host_is_refused_until_the_first_is_gone() {
    let (folder, store) = house().await;
    let refused = open(&folder).await.err().unwrap();
    assert!(matches!(refused, StoreError::Locked(_)));
    assert!(refused.to_string().contains("stop the other one"), "{refused}");
    store.close().await;
    let second = open(&folder).await.unwrap();
    assert!(store.put_products("s", &[entry("a", 1)], 0).await.is_err(), "a closed store takes nothing");
    second.ready().await.unwrap();
}

#[tokio::test]
async fn the_writer_syncs_each_commit_to_disk() {
    let (_folder, store) = house().await;
    let settings = store
        .write((), |tx, ()| {
            Box::pin(async move {
                let mode: String =
                    sqlx::query("PRAGMA journal_mode").fetch_one(tx.connection()).await?.try_get(0)?;
                let sync: i64 =
                    sqlx::query("PRAGMA synchronous").fetch_one(tx.connection()).await?.try_get(0)?;
                Ok((mode, sync))
            })
        })
        .await
        .unwrap();
    assert_eq!(settings, ("wal".to_owned(), 2));
    let refused = sqlx::query("DELETE FROM orders").execute(&store.inner.reads).await;
    assert!(refused.is_err(), "readers only read");
}

#[tokio::test]
async fn threads_that_give_way_read_by_connections_of_their_own() {
    let (_folder, store) = house().await;
    let mut held = Vec::new();
    for _ in 0..super::READERS {
        held.push(store.inner.reads.acquire().await.unwrap());
    }
    let read = |store: Store, id| async move { store.customer("s", id).await };
    threads::background().spawn(read(store.clone(), "one")).await.unwrap().unwrap();
    let refused = read(store, "another").await.unwrap_err();
    assert!(refused.to_string().contains("no connection"), "{refused}");
}

#[tokio::test]
async fn a_look_at_a_database_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b?#%.db");
    let database = format!("sqlite:{}", file.display());
    let look = || Store::pending_migrations(&database, folder.path());
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert!(matches!(look().await, Err(StoreError::Database(_))));
    assert!(names().is_empty(), "{:?}", names());

    std::fs::write(&file, b"").unwrap();
    assert_eq!(look().await, Ok(MIGRATIONS.len()));
    assert_eq!(std::fs::read(&file).unwrap(), b"");
    assert_eq!(names().len(), 1, "{:?}", names());

    let store = open(&folder).await.unwrap();
    assert!(matches!(look().await, Err(StoreError::Locked(_))));
    store.close().await;
    drop(store);
    let before = (names(), std::fs::read(&file).unwrap());
    assert_eq!(look().await, Ok(0));
    assert!(before == (names(), std::fs::read(&file).unwrap()));
}
