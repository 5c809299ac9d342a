//! Hosts that say that they are there, and a look at their database from beside them.

use std::sync::Arc;

use sqlx::{AnyConnection, Connection as _};

use super::*;
use crate::store::dialect::{Dialect, sqlite};

const NOW: i64 = 1_795_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1_000;

fn presence(address: &str, state: HostState, now_ms: i64) -> Presence {
    Presence {
        name: "box".to_owned(),
        pid: 7,
        address: address.to_owned(),
        version: "0.1.0",
        state,
        generation: 1,
        plugins: [("s".to_owned(), [("p".to_owned(), "1.0.0".to_owned())].into())].into(),
        started_at: NOW,
        now_ms,
    }
}

async fn look_at(folder: &TempDir, now_ms: i64) -> Survey {
    survey(&testing::database(folder.path()), folder.path(), now_ms).await.unwrap()
}

/// Puts a job into the queue.
async fn job(store: &Store, id: &str, plugin: &str, state: &str, at: i64) {
    let input = [id, plugin, state].map(str::to_owned);
    store
        .write((input, at), |tx, ([id, plugin, state], at)| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO jobs (id, shop, plugin, hook, event_id, seq, state, lease_token, lease_until, \
                       attempts, run_after, created_at, updated_at) \
                     VALUES ($1, 's', $2, 'order-placed', $1, 0, $3, 0, 0, 0, $4, $4, $4)",
                )
                .bind(id)
                .bind(plugin)
                .bind(state)
                .bind(*at)
                .execute(tx.connection())
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn claim(store: &Store, limit: usize, now_ms: i64) -> Vec<Claimed> {
    let claim = Claim {
        live: Arc::new([("s".to_owned(), vec!["p".to_owned()])].into()),
        after: String::new(),
        limit,
        per_shop: limit,
        now_ms,
        lease_until: now_ms + 10_000,
    };
    store.claim(claim).await.unwrap().0
}

#[tokio::test]
async fn a_host_is_running_stopping_stopped_or_gone() {
    let (folder, store) = house().await;
    store.present(presence("a:1", HostState::Running, NOW)).await.unwrap();
    let state = |survey: Survey| survey.hosts.iter().map(|host| host.state).collect::<Vec<_>>();
    assert_eq!(state(look_at(&folder, NOW + 3 * HEARTBEAT_MS).await), [HostState::Running]);
    assert_eq!(state(look_at(&folder, NOW + 3 * HEARTBEAT_MS + 1).await), [HostState::Gone]);
    store.present(presence("a:1", HostState::Stopping, NOW + 20_000)).await.unwrap();
    assert_eq!(state(look_at(&folder, NOW + 20_000).await), [HostState::Stopping]);
    store.present(presence("a:1", HostState::Stopped, NOW + 21_000)).await.unwrap();
    let stopped = look_at(&folder, NOW + DAY).await.hosts.remove(0);
    assert_eq!((stopped.state, stopped.seen_at, stopped.started_at), (HostState::Stopped, NOW + 21_000, NOW));
    assert_eq!(stopped.plugins["s"]["p"], "1.0.0");
}

#[tokio::test]
async fn what_a_host_runs_is_written_again_when_its_generation_changes() {
    let (folder, store) = house().await;
    store.present(presence("a:1", HostState::Running, NOW)).await.unwrap();
    let upgraded = [("s".to_owned(), [("p".to_owned(), "2.0.0".to_owned())].into())];
    let newer =
        Presence { generation: 2, plugins: upgraded.into(), ..presence("a:1", HostState::Running, NOW + 1) };
    store.present(newer).await.unwrap();
    let hosts = look_at(&folder, NOW + 1).await.hosts;
    assert_eq!(hosts.len(), 1);
    assert_eq!((hosts[0].generation, hosts[0].plugins["s"]["p"].as_str()), (2, "2.0.0"));
}

#[tokio::test]
async fn the_next_host_at_an_address_takes_the_place_of_the_one_before() {
    let (folder, store) = house().await;
    store.present(presence("a:1", HostState::Running, NOW)).await.unwrap();
    store.close().await;
    drop(store);
    let store = open(&folder).await.unwrap();
    store.present(presence("a:1", HostState::Running, NOW + 1)).await.unwrap();
    assert_eq!(look_at(&folder, NOW + 1).await.hosts.len(), 1);
}

#[tokio::test]
async fn a_survey_counts_what_is_open_leased_over_and_without_a_host() {
    let (folder, store) = house().await;
    store.present(presence("a:1", HostState::Running, NOW)).await.unwrap();
    for (id, plugin, state, age) in [
        ("1", "p", "waiting", 9_000),
        ("2", "p", "waiting", 8_000),
        ("3", "p", "waiting", 7_000),
        ("4", "q", "failed", 6_000),
        ("5", "p", "dead", 5_000),
        ("6", "p", "waiting", -5_000),
    ] {
        job(&store, id, plugin, state, NOW - age).await;
    }
    assert_eq!(claim(&store, 1, NOW - 20_000).await.len(), 0);
    assert_eq!(claim(&store, 1, NOW - 8_500).await.len(), 1, "its lease ends in 1.5 s");
    let first = look_at(&folder, NOW).await;
    assert_eq!(first.leases, LeaseFigures { held: 1, over: 0, next_end: Some(NOW + 1_500) });
    assert_eq!(claim(&store, 1, NOW).await.len(), 1);
    let seen = look_at(&folder, NOW + 2_000).await;
    assert_eq!(seen.leases, LeaseFigures { held: 2, over: 1, next_end: Some(NOW + 10_000) });
    assert_eq!(seen.hosts[0].jobs, 2);
    assert_eq!(seen.jobs, QueuedJobs { open: 5, due: 2, lag_ms: 9_000, dead: 1 });
    let without = WithoutHost { shop: "s".to_owned(), plugin: "q".to_owned(), jobs: 1, lag_ms: 8_000 };
    assert_eq!(seen.without_host, [without]);
    // Where none runs, it is not the plugin that is missing.
    assert_eq!(look_at(&folder, NOW + 60_000).await.without_host, []);
    assert_eq!(store.rows("hosts").await, 1, "a look changes nothing");
}

#[tokio::test]
async fn sqlite_a_look_needs_no_host_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("x.db").display());
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let refused = survey(&database, folder.path(), NOW).await.unwrap_err().to_string();
    assert!(refused.contains("no database yet") && refused.contains("cartwright serve"), "{refused}");
    assert_eq!(names().len(), 0);
    let store = Store::open(&database, folder.path()).await.unwrap();
    store.present(presence("a:1", HostState::Running, NOW)).await.unwrap();
    assert_eq!(survey(&database, folder.path(), NOW).await.unwrap().hosts.len(), 1, "beside it");
    store.close().await;
    drop(store);
    let before = names();
    assert_eq!(survey(&database, folder.path(), NOW).await.unwrap().hosts.len(), 1, "after it");
    assert_eq!(names(), before);
}

#[tokio::test]
async fn sqlite_tables_of_an_older_host_are_looked_at_by_none_and_brought_up_to_date_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let database = format!("sqlite:{}", path.display());
    sqlx::any::install_default_drivers();
    let mut old = AnyConnection::connect_with(&sqlite::options(&path, "rwc").unwrap()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE migrations (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut old)
        .await
        .unwrap();
    for (version, sql) in Dialect::Sqlite.migrations().filter(|(version, _)| *version < 9) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)")
            .bind(version)
            .execute(&mut old)
            .await
            .unwrap();
    }
    let insert = "INSERT INTO jobs (id, shop, plugin, hook, event_id, seq, state, lease_token, lease_until, attempts, \
         run_after, created_at, updated_at) VALUES ('1', 's', 'p', 'order-placed', '1', 0, 'waiting', 0, 0, 0, 0, 0, 0)";
    sqlx::query(insert).execute(&mut old).await.unwrap();
    let refused = survey(&database, folder.path(), NOW).await.unwrap_err().to_string();
    assert!(refused.contains("older Cartwright (version 8"), "{refused}");
    old.close().await.unwrap();
    let store = Store::open(&database, folder.path()).await.unwrap();
    assert_eq!(claim(&store, 9, NOW).await.len(), 1);
    // What the older host says goes on being understood.
    store
        .write((), |tx, ()| {
            Box::pin(async move {
                let text =
                    "UPDATE jobs SET state = 'running', lease_token = lease_token + 1, lease_until = 1";
                sqlx::query(text).execute(tx.connection()).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(survey(&database, folder.path(), NOW).await.unwrap().leases.over, 1);
}
