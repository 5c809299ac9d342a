//! PostgreSQL is restarted, gone for long, holds locks, or has no connection left. On a cluster of this suite's own.

use futures::future::join_all;
use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::postgres::Cluster;

async fn host(cluster: &Cluster, name: &str) -> World {
    setup().database(&cluster.database(name)).start_live().await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_server_that_is_gone_for_a_while_holds_up_no_checkout_and_loses_no_event() {
    let cluster = Cluster::start();
    let world = host(&cluster, "restarted").await;
    let mut orders = 0;
    for mode in ["fast", "immediate"] {
        report(&world, orders).await.json(202);
        tokio::task::block_in_place(|| cluster.stop(mode));
        is_refused(&report(&world, orders + 1).await);
        let sentence = not_ready(&world).await;
        assert!(sentence.contains("the database is away"), "{sentence}");
        checkout_is_answered(&world).await;
        tokio::task::block_in_place(|| cluster.start_again());
        ready_again(&world).await;
        report(&world, orders).await.json(200);
        let again = report(&world, orders + 1).await;
        assert!([200, 202].contains(&again.status), "{}", again.text);
        orders += 2;
    }
    // Of what was under way nobody may know how it ended: it is done again when its lease ends.
    world.clock.advance(6 * 60_000);
    world.host().lifecycle().wake();
    all_is_done_once(&world, orders).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_session_that_holds_the_tables_holds_up_events_within_their_bound() {
    let cluster = Cluster::start();
    let world = host(&cluster, "locked").await;
    report(&world, 0).await.json(202);
    all_is_done_once(&world, 1).await;
    let mut holder = PgConnection::connect(&cluster.database("locked")).await.unwrap();
    let lock = "BEGIN; LOCK TABLE events, intake_keys, installation_keys IN EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut holder).await.unwrap();
    let began = Instant::now();
    let (answers, sentence) = futures::join!(join_all((1..6).map(|id| report(&world, id))), async {
        checkout_is_answered(&world).await;
        not_ready(&world).await
    });
    answers.iter().for_each(is_refused);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(sentence.contains("did not get through") || sentence.contains("lock"), "{sentence}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    ready_again(&world).await;
    for id in 1..6 {
        let answer = report(&world, id).await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
    }
    all_is_done_once(&world, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_server_without_a_free_connection_is_waited_for_within_bounds() {
    const ORDERS: usize = 24;
    let cluster = Cluster::start();
    cluster.stop("fast");
    cluster.set("max_connections = 16");
    cluster.start_again();
    let world = host(&cluster, "crowded").await;
    let url = cluster.database("crowded");
    let mut others = Vec::new();
    let full = loop {
        match PgConnection::connect(&url).await {
            Ok(other) => others.push(other),
            Err(error) => break error.to_string(),
        }
        assert!(others.len() < 32, "there is always one more");
    };
    assert!(full.contains("too many clients") || full.contains("slots"), "{full}");
    let refused = setup().database(&url).refused().await;
    assert!(refused.contains("cannot open the PostgreSQL database"), "{refused}");
    let began = Instant::now();
    let answers = join_all((0..ORDERS).map(|id| report(&world, id))).await;
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    for answer in &answers {
        if answer.status != 202 {
            is_refused(answer);
        }
    }
    checkout_is_answered(&world).await;
    drop(others);
    ready_again(&world).await;
    for id in 0..ORDERS {
        let answer = until("it is taken", async || {
            let answer = report(&world, id).await;
            (answer.status != 503).then_some(answer)
        });
        assert!([200, 202].contains(&answer.await.status));
    }
    world.clock.advance(6 * 60_000);
    world.host().lifecycle().wake();
    all_is_done_once(&world, ORDERS).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_server_that_only_takes_reads_is_no_server_that_is_well() {
    let cluster = Cluster::start();
    let world = host(&cluster, "standby").await;
    report(&world, 0).await.json(202);
    all_is_done_once(&world, 1).await;
    // As one that failed over to a standby: it answers, and keeps nothing.
    cluster.stop("fast");
    cluster.set("default_transaction_read_only = on");
    tokio::task::block_in_place(|| cluster.start_again());
    until("the server takes reads", async || (counted(&world).await == "added 1, put 1").then_some(())).await;
    is_refused(&report(&world, 1).await);
    let sentence = not_ready(&world).await;
    assert!(sentence.contains("takes no writes"), "{sentence}");
    checkout_is_answered(&world).await;
    cluster.set("default_transaction_read_only = off");
    tokio::task::block_in_place(|| {
        cluster.stop("fast");
        cluster.start_again();
    });
    ready_again(&world).await;
    report(&world, 1).await.json(202);
    world.clock.advance(6 * 60_000);
    world.host().lifecycle().wake();
    all_is_done_once(&world, 2).await;
}
