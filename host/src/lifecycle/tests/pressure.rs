//! When API clients are told to come back. What a platform reports is taken all the same.

use std::sync::Arc;

use super::support::*;
use crate::config::HostConfig;
use crate::lifecycle::IntakeError;
use crate::plugins::registry::Snapshot;

fn bounded(per_shop: u32, all: u32) -> Arc<Snapshot> {
    let mut host = HostConfig::default();
    (host.limits.open_jobs_per_shop, host.limits.open_jobs) = (per_shop, all);
    let snapshot = snapshot_of(16, [live_shop("demo", &["p", "q"]), live_shop("other", &["p"])]);
    let Snapshot { generation, shops, problems, waiting, .. } = Arc::into_inner(snapshot).unwrap();
    Arc::new(Snapshot { generation, host: Arc::new(host), shops, problems, waiting })
}

async fn refusal(house: &House, shop: &str) -> Option<String> {
    match house.lifecycle.room(shop).await {
        Ok(()) => None,
        Err(IntakeError::Overloaded { why, retry_after }) => {
            assert!(retry_after > 0);
            Some(why)
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_shop_with_too_much_open_is_told_so_at_once_and_others_are_not() {
    let house = House::new(&["p", "q"]).await;
    house.live(bounded(4, 100));
    assert_eq!(refusal(&house, "demo").await, None);
    // Two jobs each; nobody counts the table in between.
    house.report(placed("1")).await;
    assert_eq!(refusal(&house, "demo").await, None);
    house.report(placed("22")).await;
    let why = refusal(&house, "demo").await.expect("four are open");
    assert!(why.contains("limits.open_jobs_per_shop"), "{why}");
    assert_eq!(refusal(&house, "other").await, None);
    // What does not ask for room is still taken.
    house.report(placed("333")).await;
}

#[tokio::test]
async fn all_shops_together_have_a_bound() {
    let house = House::new(&["p", "q"]).await;
    house.live(bounded(100, 2));
    house.report(placed("1")).await;
    let why = refusal(&house, "other").await.expect("two are open");
    assert!(why.contains("limits.open_jobs ") && why.contains("all shops"), "{why}");
}

#[tokio::test]
async fn a_host_that_starts_with_a_long_queue_knows_it() {
    let house = House::new(&["p", "q"]).await;
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    let house = house.crash(&["p", "q"]).await;
    house.live(bounded(4, 100));
    assert!(refusal(&house, "demo").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_is_counted_anew_when_the_queue_has_shrunk() {
    let house = House::new(&["p", "q"]).await;
    house.live(bounded(4, 100));
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    assert!(refusal(&house, "demo").await.is_some());
    house.step().await;
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while refusal(&house, "demo").await.is_some() {
        assert!(std::time::Instant::now() < patience, "nobody counts");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_database_slower_than_what_comes_in_is_pressure_too() {
    let house = House::new(&["p"]).await;
    let crowd: Vec<_> = (0..512).map(|_| house.lifecycle.pressure.enter()).collect();
    let why = refusal(&house, "demo").await.expect("too many are under way");
    assert!(why.contains("slower"), "{why}");
    drop(crowd);
    assert_eq!(refusal(&house, "demo").await, None);
}
