//! Another process holds SQLite's file, for a moment and for longer.

use futures::future::join_all;
use sqlx::{Connection as _, SqliteConnection};

use super::*;

/// Somebody who writes to the file and takes their time.
async fn holder(world: &World) -> SqliteConnection {
    let url = format!("sqlite:{}", world.path("data/cartwright.db").display());
    let mut holder = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    holder
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_waits_for_whoever_holds_sqlite_for_a_moment() {
    let world = setup().start_live().await;
    let mut holder = holder(&world).await;
    let (answer, ()) = futures::join!(report(&world, 1), async {
        checkout_is_answered(&world).await;
        sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
    });
    answer.json(202);
    all_is_done_once(&world, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_sqlite_for_long_holds_up_no_checkout_and_no_event_for_ever() {
    const ORDERS: usize = 12;
    let world = setup().start_live().await;
    report(&world, 0).await.json(202);
    let mut holder = holder(&world).await;
    let began = Instant::now();
    let (answers, sentence) = futures::join!(join_all((1..ORDERS).map(|id| report(&world, id))), async {
        checkout_is_answered(&world).await;
        not_ready(&world).await
    });
    answers.iter().for_each(is_refused);
    // All of them wait for the same five seconds, not for each other.
    assert!(began.elapsed() < Duration::from_secs(14), "{:?}", began.elapsed());
    assert!(sentence.contains("another process"), "{sentence}");
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
    ready_again(&world).await;
    // The same again, as a shop's backend does.
    for id in 0..ORDERS {
        let answer = report(&world, id).await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
    }
    all_is_done_once(&world, ORDERS).await;
}
