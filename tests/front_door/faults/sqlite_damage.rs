//! SQLite's file is overwritten under a running host.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;

/// The first page says what kind of file it is; all others hold the tables.
const PAGE: u64 = 4_096;

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_breaks_under_a_host_takes_no_event_until_it_is_brought_back() {
    let world = setup().start_live().await;
    report(&world, 1).await.json(202);
    all_is_done_once(&world, 1).await;
    // All is in the file when the host is stopped.
    let world = world.restart().await;
    let path = world.path("data/cartwright.db");
    let whole = std::fs::read(&path).unwrap();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(PAGE)).unwrap();
    file.write_all(&vec![0xa5; whole.len() - PAGE as usize]).unwrap();
    drop(file);

    is_refused(&report(&world, 2).await);
    let sentence = not_ready(&world).await;
    assert!(sentence.contains("damaged") && sentence.contains("cartwright restore"), "{sentence}");
    checkout_is_answered(&world).await;
    // Mended under its feet, it is still not trusted: what it holds in memory may be of the broken one.
    std::fs::write(&path, &whole).unwrap();
    is_refused(&report(&world, 2).await);
    not_ready(&world).await;

    let mut world = world;
    world.stop().await;
    std::fs::write(&path, &whole).unwrap();
    let world = world.start_again().await;
    ready_again(&world).await;
    report(&world, 1).await.json(200);
    report(&world, 2).await.json(202);
    all_is_done_once(&world, 2).await;
}
