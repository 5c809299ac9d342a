//! What only PostgreSQL has: hosts and transactions beside each other. Run by `tests/run`, which starts a server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tempfile::TempDir;

use crate::domain::{CustomerInput, Event, Hook};
use crate::store::tests::{entry, owner};
use crate::store::usage::Growth;
use crate::store::writer::{Subject, Tx, Work};
use crate::store::{
    Change, Changes, Claim, Completion, Intake, Result, StateChange, Store, StoreError, Taken, jobs, new_id,
    state, testing,
};

const HOSTS: usize = 3;

/// Hosts on one database.
async fn hosts() -> (TempDir, Vec<Store>) {
    assert!(
        std::env::var("CARTWRIGHT_TEST_DATABASE").is_ok_and(|url| url.starts_with("postgres")),
        "run it with `tests/run`, or set CARTWRIGHT_TEST_DATABASE to what `tests/postgres start` prints"
    );
    let folder = tempfile::tempdir().unwrap();
    let database = testing::database(folder.path());
    // They find a new database at the same time.
    let opened = (0..HOSTS).map(|_| Store::open(&database, folder.path()));
    let stores = try_join_all(opened).await.unwrap();
    (folder, stores)
}

fn intake(order: &str, id: &str, body: serde_json::Value) -> Intake {
    let subscribers = Hook::ALL.into_iter().map(|hook| (hook, vec!["p".to_owned(), "q".to_owned()]));
    Intake {
        shop: "s".to_owned(),
        source: "api".to_owned(),
        id: format!("{order}-{id}"),
        fingerprint: "00".to_owned(),
        event_id: new_id("evt", 1),
        event: match id {
            "placed" => Event::OrderPlaced(serde_json::from_value(body).unwrap()),
            "shipped" => Event::OrderShipped(serde_json::from_value(body).unwrap()),
            other => panic!("no such event: {other}"),
        },
        customer: None,
        locale: None,
        quote: None,
        currency: "EUR".to_owned(),
        subscribers: Arc::new(subscribers.collect()),
        hold_until: 1_000_000,
        now_ms: 1,
    }
}

fn placed(order: &str) -> Intake {
    let body = serde_json::json!({
        "order": {
            "id": order, "number": order, "placed_at": "2026-11-28T09:30:00Z", "currency": "EUR",
            "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 1, "unit_price": 100 }],
            "subtotal": 100, "total": 100,
        },
    });
    intake(order, "placed", body)
}

fn shipped(order: &str) -> Intake {
    let body = serde_json::json!({
        "order_id": order,
        "shipment": { "id": "s-1", "lines": [{ "line": "1", "quantity": 1 }], "shipped_at": "2026-11-28T15:00:00Z" },
    });
    intake(order, "shipped", body)
}

fn claim() -> Claim {
    let plugins = vec!["p".to_owned(), "q".to_owned()];
    Claim {
        live: Arc::new(BTreeMap::from([("s".to_owned(), plugins)])),
        after: String::new(),
        limit: 4,
        per_shop: 4,
        now_ms: 10,
        lease_until: 100_000,
    }
}

/// Does what there is to do, until there is nothing.
async fn work(store: &Store, add: &str) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let (jobs, _) = store.claim(claim()).await.unwrap();
        if jobs.is_empty() {
            return done;
        }
        for job in jobs {
            let event = store.event(&job.event_id).await.unwrap().unwrap();
            let change = StateChange { owner: owner("1"), key: add.to_owned(), change: Change::Add(1) };
            let changes = Changes { state: vec![change], effects: vec!["add-state"], ..Changes::default() };
            let (id, reads) = (job.id.clone(), Vec::new());
            let completion = Completion {
                job,
                event,
                currency: "EUR".to_owned(),
                reads,
                changes,
                allowance: crate::store::Allowance::of(&crate::config::Limits::default()),
                now_ms: 20,
            };
            store.complete(completion).await.unwrap();
            done.push(id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn hosts_that_start_together_make_the_tables_once_and_share_the_keys() {
    let (folder, stores) = hosts().await;
    let keys = join_all(stores.iter().map(|store| store.installation_key("quote"))).await;
    assert!(keys.iter().all(|key| key == &keys[0] && key.is_ok()), "{keys:?}");
    let guest = CustomerInput { email: Some("a@example.com".to_owned()), ..CustomerInput::default() };
    let known: Vec<_> = stores.iter().map(|store| store.customer_id(&guest)).collect();
    assert!(known.iter().all(|id| *id == known[0]));
    let database = testing::database(folder.path());
    assert_eq!(Store::pending_migrations(&database, folder.path()).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn each_event_of_an_order_comes_in_once_and_an_early_one_is_never_left_behind() {
    let (_folder, stores) = hosts().await;
    for order in (0..40).map(|order| order.to_string()) {
        let reports = [placed(&order), shipped(&order), placed(&order), shipped(&order)];
        let taken = join_all(reports.into_iter().enumerate().map(|(host, intake)| {
            let store = stores[host % HOSTS].clone();
            tokio::spawn(async move { store.take_in(intake).await.unwrap() })
        }))
        .await;
        let new = taken.iter().filter(|taken| matches!(taken, Ok(Taken::New { .. }))).count();
        assert_eq!(new, 2, "{taken:?}");
    }
    let held = stores[0].shops_with_late_events(i64::MAX).await.unwrap();
    assert!(held.is_empty(), "the elder of each is there");
    let seen = stores[1].standing("s", "none").await.unwrap();
    assert_eq!(seen, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn each_job_is_done_once_in_order_and_its_event_is_done_with_the_last() {
    let (_folder, stores) = hosts().await;
    let mut events = Vec::new();
    for order in (0..30).map(|order| order.to_string()) {
        for intake in [placed(&order), shipped(&order)] {
            events.push(intake.event_id.clone());
            stores[0].take_in(intake).await.unwrap();
        }
    }
    let workers = stores.iter().cloned().map(|store| tokio::spawn(async move { work(&store, "n").await }));
    let mut done: Vec<String> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    // What was another host's when the last one looked.
    done.extend(work(&stores[0], "n").await);
    let all = done.len();
    done.sort();
    done.dedup();
    assert_eq!((all, done.len()), (120, 120));
    let count = stores[2].state(&owner("1"), &["n".to_owned()]).await.unwrap().remove(0);
    assert_eq!(count.value.as_deref(), Some("120"));
    for event in events {
        let standing = stores[1].standing("s", &event).await.unwrap().unwrap();
        assert_eq!(standing.state, "done", "{standing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn what_one_host_changes_the_others_forget_and_hear_of() {
    let (_folder, stores) = hosts().await;
    let price = |store: Store| async move {
        let found = store.products("s", &["a".to_owned()]).await.unwrap().remove(0);
        found.map(|entry| entry.product.price)
    };
    let remembered = |store: Store| async move {
        store.state(&owner("1"), &["round".to_owned()]).await.unwrap().remove(0).value
    };
    for round in 0..20 {
        let before = price(stores[1].clone()).await;
        assert_eq!(before, (round > 0).then_some(round - 1), "a copy is kept");
        assert_eq!(remembered(stores[1].clone()).await, before.map(|round| round.to_string()));
        let mut heard = stores[1].work();
        heard.mark_unchanged();
        stores[0].put_products("s", &[entry("a", round)], 0).await.unwrap();
        let put = Change::Put(round.to_string());
        let change = StateChange { owner: owner("1"), key: "round".to_owned(), change: put };
        let work: Work<StateChange, Growth> =
            |tx, change| Box::pin(state::change(tx, std::slice::from_ref(change)));
        stores[0].write(change, work).await.unwrap();
        // Says that there is work: heard after the copy is forgotten.
        stores[0].take_in(placed(&format!("order-{round}"))).await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), heard.changed()).await.expect("a word").unwrap();
        assert_eq!(price(stores[1].clone()).await, Some(round));
        assert_eq!(remembered(stores[1].clone()).await, Some(round.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_word_too_long_to_say_still_makes_the_others_look_again() {
    let (_folder, stores) = hosts().await;
    let many = |price| {
        (0..500).map(|id| entry(&format!("product-with-a-long-name-{id}"), price)).collect::<Vec<_>>()
    };
    let ids = ["product-with-a-long-name-7".to_owned()];
    stores[0].put_products("s", &many(1), 0).await.unwrap();
    let copy = stores[1].products("s", &ids).await.unwrap().remove(0).unwrap();
    assert_eq!(copy.product.price, 1);
    let mut heard = stores[1].work();
    heard.mark_unchanged();
    stores[0].put_products("s", &many(2), 0).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), heard.changed()).await.expect("a word").unwrap();
    assert_eq!(stores[1].products("s", &ids).await.unwrap().remove(0).unwrap().product.price, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_write_outlives_its_connections_and_leaves_nothing_half_done() {
    let (_folder, stores) = hosts().await;
    let store = stores[0].clone();
    let mut done = 0;
    for round in 0..10 {
        let writes = (0..8).map(|index| {
            let store = store.clone();
            tokio::spawn(async move {
                let change = StateChange {
                    owner: owner("1"),
                    key: format!("{round}-{index}"),
                    change: Change::Add(1),
                };
                store
                    .write(change, |tx, change| Box::pin(state::change(tx, std::slice::from_ref(change))))
                    .await
            })
        });
        let writes = join_all(writes);
        let ended = stores[1].write((), end_other_connections);
        let (written, ended) = futures::join!(writes, ended);
        assert!(matches!(ended, Ok(()) | Err(StoreError::Away(_))), "{ended:?}");
        for result in written {
            match result.unwrap() {
                Ok(_) => done += 1,
                // Only a commit whose answer was lost is not tried again.
                Err(error) => assert!(matches!(error, StoreError::Away(_)), "{error}"),
            }
        }
    }
    // A reader finds its dead connections one by one.
    let mut dead = 0;
    while sqlx::query("SELECT 1").fetch_one(&store.inner.reads).await.is_err() {
        dead += 1;
        assert!(dead <= 8, "more dead connections than there are");
    }
    let listed = store.state_list(&owner("1"), "", 1_000).await.unwrap();
    assert!(listed.len() >= done, "{} answered, {} there", done, listed.len());
    assert!(done > 40, "most writes are tried again: {done}");
    assert!(listed.iter().all(|(_, value)| value.value.as_deref() == Some("1")), "none twice");
}

fn end_other_connections<'c>(tx: &'c mut Tx, (): &'c ()) -> futures::future::BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        sqlx::query(
            "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(tx.connection())
        .await?;
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn whoever_locks_a_subject_has_it_alone_and_nobody_waits_in_a_circle() {
    let (_folder, stores) = hosts().await;
    let writes = (0..60).map(|index| {
        let store = stores[index % HOSTS].clone();
        tokio::spawn(async move { store.write(index, read_then_write).await })
    });
    for written in join_all(writes).await {
        written.unwrap().unwrap();
    }
    let value = stores[0].state(&owner("1"), &["sum".to_owned()]).await.unwrap().remove(0);
    assert_eq!(value.value.as_deref(), Some("60"));
}

fn read_then_write<'c>(tx: &'c mut Tx, index: &'c usize) -> futures::future::BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        // Named in either order.
        let mut subjects =
            vec![Subject::Order("s", "1"), Subject::Customer("s", "1"), Subject::Coupon("s", "1")];
        if index.is_multiple_of(2) {
            subjects.reverse();
        }
        tx.lock(subjects).await?;
        let row =
            sqlx::query("SELECT value FROM state WHERE key = 'sum'").fetch_optional(tx.connection()).await?;
        let sum = row.map_or(0, |row| sqlx::Row::get::<String, _>(&row, 0).parse::<i64>().unwrap());
        let change = StateChange {
            owner: owner("1"),
            key: "sum".to_owned(),
            change: Change::Put((sum + 1).to_string()),
        };
        state::change(tx, &[change]).await?;
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_commit_slower_than_its_lease_is_not_taken_from_its_host_and_holds_up_no_other() {
    let (_folder, stores) = hosts().await;
    stores[0].take_in(placed("1")).await.unwrap();
    let job = stores[0].claim(claim()).await.unwrap().0.remove(0);
    let after_its_lease = 200_000;
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let store = stores[0].clone();
    let committing = tokio::spawn(async move {
        store
            .write((job, begun), |tx, (job, begun)| {
                Box::pin(async move {
                    jobs::finish(tx, job, 20).await?;
                    begun.send(()).unwrap();
                    sqlx::query("SELECT pg_sleep(1.5)").execute(tx.connection()).await?;
                    jobs::archive(tx, &job.id, &job.event_id, 20).await
                })
            })
            .await
    });
    begins.recv().await.unwrap();
    let looked = std::time::Instant::now();
    stores[1].reclaim(after_its_lease).await.unwrap();
    let (found, _) = stores[1].claim(Claim { now_ms: after_its_lease, ..claim() }).await.unwrap();
    assert!(looked.elapsed() < Duration::from_millis(1_000), "{:?}", looked.elapsed());
    // Of `q`, whose lease was over too; that of `p` is being committed.
    assert_eq!(found.len(), 1, "{found:?}");
    committing.await.unwrap().unwrap();
}
