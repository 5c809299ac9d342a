//! Whether a write would get through, and what is said of a file that cannot be written or read.

use sqlx::Connection as _;
use tempfile::TempDir;

use crate::store::tests::entry;
use crate::store::{Result, Store, StoreError};

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("cartwright.db")
}

async fn plain(folder: &TempDir) -> Result<Store> {
    Store::open(&format!("sqlite:{}", file(folder).display()), folder.path()).await
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_not_ready_until_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = plain(&folder).await.unwrap();
    store.ready().await.unwrap();
    let url = format!("sqlite:{}", file(&folder).display());
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    // The clock runs as soon as nothing else does: nobody waits for two seconds here.
    tokio::time::pause();
    store.ready().await.expect("the last answer still holds");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let error = store.ready().await.unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    tokio::time::resume();
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let well = async {
        while store.ready().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), well).await.expect("it lets go");
    assert_eq!(store.trouble(), None);
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_is_gone_or_another() {
    for replaced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = plain(&folder).await.unwrap();
        std::fs::rename(file(&folder), folder.path().join("moved.db")).unwrap();
        if replaced {
            std::fs::copy(folder.path().join("moved.db"), file(&folder)).unwrap();
        }
        for error in [
            store.ready().await.unwrap_err(),
            store.put_products("demo", &[entry("mug", 1)], 0).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Away(_)), "{error}");
            assert!(error.to_string().contains("cartwright.db"), "{error}");
        }
        std::fs::rename(folder.path().join("moved.db"), file(&folder)).unwrap();
        store.put_products("demo", &[entry("mug", 1)], 0).await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = plain(&folder).await.unwrap();
    let products: Vec<_> = (0..500).map(|id| entry(&format!("product-{id}"), 1)).collect();
    store.put_products("demo", &products, 0).await.unwrap();
    store.close().await;
    drop(store);
    let whole = std::fs::read(file(&folder)).unwrap();
    let mut no_database = whole.clone();
    no_database[..16].copy_from_slice(b"no database file");
    let mut torn = whole.clone();
    torn.truncate(whole.len() / 2);
    for damaged in [no_database, torn, b"x".repeat(1_000)] {
        std::fs::write(file(&folder), &damaged).unwrap();
        let error = plain(&folder).await.err().expect("it cannot be opened").to_string();
        assert!(error.contains("cartwright.db") && error.contains("cartwright restore"), "{error}");
        assert!(std::fs::read(file(&folder)).unwrap() == damaged, "it was changed");
    }
    std::fs::write(file(&folder), &whole).unwrap();
    plain(&folder).await.unwrap().ready().await.unwrap();
}
