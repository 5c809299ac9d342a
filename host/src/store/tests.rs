//! Storage, tested as the rooms above use it.

mod coupons;
mod handing;
mod hosts;
mod model;
pub(crate) mod plans;
mod points;
mod timeline;
mod usage;
mod webhooks;

use tempfile::TempDir;

use super::*;
use crate::domain::{CatalogEntry, Consent, CustomerInput, Reads, Scope, StateOwner};

pub(crate) async fn open(folder: &TempDir) -> Result<Store> {
    testing::open(folder.path()).await
}

pub(crate) async fn house() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await.unwrap();
    (folder, store)
}

impl Store {
    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        use sqlx::Row as _;
        let text = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query(sqlx::AssertSqlSafe(text)).fetch_one(&self.inner.reads).await.unwrap().try_get(0).unwrap()
    }

    /// Puts a done job back into the queue, as only a mistake could.
    pub(crate) async fn raise(&self, job: &Claimed) {
        self.write(job.id.clone(), |tx, id| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO jobs (id, shop, plugin, hook, event_id, seq, state, lease_token, lease_until, \
                       attempts, run_after, created_at, updated_at) \
                     SELECT id || '2', shop, plugin, hook, event_id, seq, 'waiting', 0, 0, 0, 0, created_at, 0 \
                     FROM jobs_history WHERE id = $1",
                )
                .bind(id)
                .execute(tx.connection())
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}

pub(crate) fn entry(id: &str, price: i64) -> CatalogEntry {
    serde_json::from_value(serde_json::json!({
        "id": id, "currency": "EUR", "price": price, "related": ["a", "b", "c"], "fields": {"fabric": "wool"},
    }))
    .unwrap()
}

pub(crate) fn owner(subject: &str) -> StateOwner {
    StateOwner {
        shop: "s".to_owned(),
        plugin: "p".to_owned(),
        scope: Scope::Order,
        subject: subject.to_owned(),
    }
}

#[expect(clippy::ptr_arg, reason = "a write borrows the input that it was sent with")]
fn put<'c>(tx: &'c mut writer::Tx, key: &'c String) -> futures::future::BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let change = StateChange { owner: owner("1"), key: key.clone(), change: Change::Put("x".to_owned()) };
        state::change(tx, &[change]).await?;
        match key.as_str() {
            key if key.starts_with("fail") => Err(StoreError::Invalid("no".to_owned())),
            key if key.starts_with("panic") => panic!("a bug"),
            _ => Ok(()),
        }
    })
}

#[test]
fn ids_are_in_the_order_they_were_made() {
    // Later than every other test's clock: the counter follows the latest.
    let ids: Vec<String> = (0..1_000).map(|index| new_id("x", 4_000_000_000_000 + index / 500)).collect();
    assert!(ids.is_sorted_by(|one, next| one < next));
}

#[tokio::test]
async fn a_write_that_fails_or_panics_leaves_nothing_and_its_group_stands() {
    let (folder, store) = house().await;
    let keys: Vec<String> = (0..90)
        .map(|index| match index % 3 {
            0 => format!("fail{index}"),
            1 => format!("panic{index}"),
            _ => format!("good{index}"),
        })
        .collect();
    let results = futures::future::join_all(keys.iter().map(|key| store.write(key.clone(), put))).await;
    for (key, result) in keys.iter().zip(&results) {
        assert_eq!(result.is_ok(), key.starts_with("good"), "{key}: {result:?}");
    }
    assert_eq!(results[0], Err(StoreError::Invalid("no".to_owned())));
    drop(store);
    let store = open(&folder).await.unwrap();
    let listed = store.state_list(&owner("1"), "", 1_000).await.unwrap();
    assert_eq!(listed.len(), 30);
    assert!(listed.iter().all(|(key, _)| key.starts_with("good")));
}

#[tokio::test]
async fn what_is_answered_is_there_for_whoever_reads_next() {
    let (_folder, store) = house().await;
    let writes = (0..50).map(|index| {
        let store = store.clone();
        async move {
            let key = format!("good{index}");
            store.write(key.clone(), put).await.unwrap();
            store.state(&owner("1"), &[key]).await.unwrap().remove(0).value
        }
    });
    let seen = futures::future::join_all(writes).await;
    assert!(seen.iter().all(|value| value.as_deref() == Some("x")));
}

#[tokio::test]
async fn a_database_of_a_newer_host_is_refused_and_one_of_this_is_left_as_it_is() {
    let (folder, store) = house().await;
    let key = store.installation_key("quote").await.unwrap();
    assert_ne!(key, [0; 32]);
    assert_ne!(key, store.installation_key("guest").await.unwrap());
    store.close().await;
    drop(store);
    let store = open(&folder).await.unwrap();
    assert_eq!(store.installation_key("quote").await.unwrap(), key);
    store
        .write((), |tx, ()| {
            Box::pin(async move {
                sqlx::query("INSERT INTO migrations (version) VALUES (999)").execute(tx.connection()).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    store.close().await;
    drop(store);
    let refused = open(&folder).await.err().unwrap().to_string();
    assert!(refused.contains("newer Cartwright"), "{refused}");
}

#[tokio::test]
async fn a_wrong_database_setting_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for (database, says) in [
        ("mysql://x", "postgres://"),
        ("sqlite:", "names no file"),
        ("postgres://user:secret@localhost:port/x", "no URL of PostgreSQL"),
        ("postgres://user:secret@127.0.0.1:1/x", "cannot open the PostgreSQL database x at 127.0.0.1:1"),
    ] {
        let refused = Store::open(database, folder.path()).await.err().unwrap().to_string();
        assert!(refused.contains(says), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}

#[tokio::test]
async fn products_are_read_from_a_copy_that_each_write_renews() {
    let (_folder, store) = house().await;
    let ids = ["b", "a", "none", "a"].map(str::to_owned);
    let prices = |found: Vec<Option<CatalogEntry>>| -> Vec<Option<i64>> {
        found.into_iter().map(|entry| entry.map(|entry| entry.product.price)).collect()
    };
    assert_eq!(prices(store.products("s", &ids).await.unwrap()), [None, None, None, None]);
    // The last of a batch counts.
    store.put_products("s", &[entry("a", 1), entry("b", 2), entry("a", 3)], 0).await.unwrap();
    for _ in 0..2 {
        assert_eq!(prices(store.products("s", &ids).await.unwrap()), [Some(2), Some(3), None, Some(3)]);
    }
    store.put_products("s", &[entry("none", 9)], 0).await.unwrap();
    assert_eq!(prices(store.products("s", &ids).await.unwrap()), [Some(2), Some(3), Some(9), Some(3)]);
    assert_eq!(prices(store.products("other", &ids[..1]).await.unwrap()), [None]);
    let many: Vec<_> = (0..250).map(|index| entry(&format!("m{index}"), index)).collect();
    store.put_products("s", &many, 0).await.unwrap();
    let ids: Vec<_> = (0..250).map(|index| format!("m{index}")).collect();
    let wanted: Vec<_> = (0..250).map(Some).collect();
    assert_eq!(prices(store.products("s", &ids).await.unwrap()), wanted);
    assert_eq!(store.related("s", "a", 2).await.unwrap(), ["a", "b"]);
    assert_eq!(store.field("s", "a", "fabric").await.unwrap().as_deref(), Some("wool"));
    assert_eq!(store.field("s", "a", "size").await.unwrap(), None);
}

#[tokio::test]
async fn a_customers_absent_fields_stay_as_they_are() {
    let (_folder, store) = house().await;
    let consent = |granted| {
        Some(vec![Consent { channel: "email".to_owned(), category: "marketing".to_owned(), granted }])
    };
    let first = CustomerInput {
        id: Some("7".to_owned()),
        first_name: Some("Anna".to_owned()),
        email: Some("a@example.com".to_owned()),
        consents: consent(true),
        ..CustomerInput::default()
    };
    assert_eq!(store.put_customer("s", &first, 5).await.unwrap(), "7");
    let before = store.customer("s", "7").await.unwrap().unwrap();
    assert!(before.customer.consents[0].granted);
    let second = CustomerInput {
        id: Some("7".to_owned()),
        phone: Some("1".to_owned()),
        consents: consent(false),
        ..CustomerInput::default()
    };
    store.put_customer("s", &second, 9).await.unwrap();
    let after = store.customer("s", "7").await.unwrap().unwrap();
    assert_eq!(after.customer.first_name.as_deref(), Some("Anna"));
    assert_eq!(after.contact.email.as_deref(), Some("a@example.com"));
    assert_eq!(after.contact.phone.as_deref(), Some("1"));
    assert_eq!((after.customer.created_at, after.customer.consents.len()), (5, 1));
    assert!(!after.customer.consents[0].granted);
    assert!(store.customer("other", "7").await.unwrap().is_none());
    let nobody = store.put_customer("s", &CustomerInput::default(), 0).await;
    assert!(matches!(nobody, Err(StoreError::Invalid(_))));
}

#[tokio::test]
async fn state_is_scoped_listed_by_prefix_and_never_has_a_version_again() {
    let (_folder, store) = house().await;
    let write = |key: &str, subject: &str, change: Change| {
        let change = StateChange { owner: owner(subject), key: key.to_owned(), change };
        let store = store.clone();
        async move {
            store.write(change, |tx, change| Box::pin(state::change(tx, std::slice::from_ref(change)))).await
        }
    };
    for key in ["a", "ab", "abc", "b", "Ab", "ab\u{e9}"] {
        write(key, "1", Change::Put(key.to_owned())).await.unwrap();
    }
    write("ab", "2", Change::Put("other".to_owned())).await.unwrap();
    let keys = |prefix: &'static str, limit| {
        let store = store.clone();
        async move {
            let listed = store.state_list(&owner("1"), prefix, limit).await.unwrap();
            listed.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        }
    };
    assert_eq!(keys("ab", 10).await, ["ab", "abc", "ab\u{e9}"]);
    assert_eq!(keys("ab", 1).await, ["ab"]);
    assert_eq!(keys("", 10).await.len(), 6);
    let version = |key: &'static str| {
        let store = store.clone();
        async move { store.state(&owner("1"), &[key.to_owned()]).await.unwrap().remove(0).version }
    };
    let first = version("a").await;
    write("a", "1", Change::Delete).await.unwrap();
    assert_eq!(version("a").await, 0);
    write("a", "1", Change::Put("a".to_owned())).await.unwrap();
    assert_ne!(version("a").await, first);
    // Numbers.
    write("n", "1", Change::Add(i64::MAX)).await.unwrap();
    let over = write("n", "1", Change::Add(1)).await;
    assert!(matches!(over, Err(StoreError::Invalid(_))), "{over:?}");
    let word = write("b", "1", Change::Add(1)).await;
    assert!(matches!(word, Err(StoreError::Invalid(_))), "{word:?}");
    let number = store.state(&owner("1"), &["n".to_owned()]).await.unwrap().remove(0);
    assert_eq!(number.value, Some(i64::MAX.to_string()));
}

#[tokio::test]
async fn copies_of_state_are_kept_until_a_commit_changes_their_owner_s() {
    let (_folder, store) = house().await;
    let write = |subject: &str, key: &str, value: &str| {
        let change =
            StateChange { owner: owner(subject), key: key.to_owned(), change: Change::Put(value.to_owned()) };
        let store = store.clone();
        async move {
            let work: writer::Work<StateChange, ()> = |tx, change| {
                Box::pin(async move {
                    state::change(tx, std::slice::from_ref(change)).await?;
                    // What is not committed is seen by nobody and forgets nothing.
                    if change.key == "broken" { Err(StoreError::Stale) } else { Ok(()) }
                })
            };
            store.write(change, work).await
        }
    };
    let look = |subject: &'static str| {
        let store = store.clone();
        async move {
            let keys = ["a".to_owned(), "none".to_owned(), "a".to_owned()];
            let values = store.state(&owner(subject), &keys).await.unwrap();
            let listed = store.state_list(&owner(subject), "a", 10).await.unwrap();
            assert_eq!((&values[0], &values[1].value), (&values[2], &None));
            assert_eq!(listed.first().map(|(_, value)| value), Some(&values[0]));
            (values[0].value.clone().unwrap(), listed.len())
        }
    };
    let kept = |subject: &str| store.inner.caches.state.get(&owner(subject)).flatten();
    for subject in ["1", "2"] {
        write(subject, "a", "old").await.unwrap();
        assert!(kept(subject).is_none());
        look(subject).await;
    }
    let copy = kept("1").unwrap();
    assert_eq!((copy.keys.len(), copy.lists.len()), (2, 1));
    assert_eq!(write("1", "broken", "x").await, Err(StoreError::Stale));
    assert_eq!(look("1").await, ("old".to_owned(), 1));
    assert!(std::sync::Arc::ptr_eq(&copy, &kept("1").unwrap()), "it was asked of the database again");
    write("1", "ab", "x").await.unwrap();
    assert!(kept("1").is_none() && kept("2").is_some());
    assert_eq!(look("1").await, ("old".to_owned(), 2));
    write("1", "a", "new").await.unwrap();
    assert_eq!(look("1").await, ("new".to_owned(), 2));
    assert_eq!(look("2").await, ("old".to_owned(), 1));

    // Answers of an owner are bounded.
    for number in 0..1_000 {
        store.state(&owner("1"), &[number.to_string()]).await.unwrap();
    }
    assert!(kept("1").unwrap().keys.len() <= 256);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_after_a_write_was_answered_sees_it_whoever_reads_beside() {
    let (_folder, store) = house().await;
    let keys = ["n".to_owned()];
    let readers = (0..4).map(|_| {
        let (store, keys) = (store.clone(), keys.clone());
        tokio::spawn(async move {
            loop {
                let seen = store.state(&owner("1"), &keys).await.unwrap().remove(0).value;
                if seen.as_deref() == Some("200") {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for number in 1..=200 {
        let change = StateChange { owner: owner("1"), key: "n".to_owned(), change: Change::Add(1) };
        let work: writer::Work<StateChange, super::usage::Growth> =
            |tx, change| Box::pin(state::change(tx, std::slice::from_ref(change)));
        store.write(change, work).await.unwrap();
        let seen = store.state(&owner("1"), &keys).await.unwrap().remove(0).value;
        assert_eq!(seen, Some(number.to_string()));
    }
    for reader in readers {
        reader.await.unwrap();
    }
}
