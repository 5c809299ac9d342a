//! Shops take turns: a busy one delays no other beyond a round, also across restarts.

use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::support::*;
use crate::lifecycle::Identity;
use crate::plugins::registry::LiveShop;

/// Gives each shop so many orders to work on; their ids have no meaning.
async fn orders(house: &House, shop: &Arc<LiveShop>, count: usize) {
    let accepted = (0..count).map(|number| {
        let id = format!("{}-{number}", shop.config.id);
        let identity = Identity { source: "api".to_owned(), id: id.clone(), fingerprint: [0; 32] };
        async move { house.lifecycle.accept(shop, identity, placed(&id)).await.unwrap() }
    });
    futures::future::join_all(accepted).await;
}

/// The shops of calls, in their order, until `enough` says so of one of them.
async fn served(house: &House, enough: impl Fn(&[String]) -> bool + Send + Sync + 'static) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stop = CancellationToken::new();
    let (told, stopped) = (Arc::clone(&seen), stop.clone());
    house.script(move |invocation| {
        let mut seen = told.lock().unwrap();
        seen.push(invocation.surroundings.shop.id.clone());
        if enough(&seen) {
            stopped.cancel();
        }
        Box::pin(async { Ok((Vec::new(), Vec::new())) })
    });
    house.lifecycle.work(&stop).await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_jobs_of_one_shop_delay_the_one_of_another_by_no_more_than_a_round() {
    let house = House::new(&["p"]).await;
    let (busy, small) = (live_shop("busy", &["p"]), live_shop("small", &["p"]));
    orders(&house, &busy, 5_000).await;
    orders(&house, &small, 1).await;
    let slots = 16;
    house.live(snapshot_of(slots, [busy, small]));
    let seen = served(&house, |seen| seen.last().is_some_and(|shop| shop == "small")).await;
    let place = seen.iter().position(|shop| shop == "small").unwrap();
    assert!(place < slots as usize, "{place} calls of the busy shop came first");
    assert!(house.store.open_jobs().await.unwrap()["busy"] > 4_900);
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_go_on_where_they_were_when_a_host_starts_again() {
    let mut house = House::new(&["p"]).await;
    let shops = ["one", "three", "two"].map(|id| live_shop(id, &["p"]));
    for shop in &shops {
        orders(&house, shop, 5).await;
    }
    let mut all = Vec::new();
    for _ in 0..6 {
        house.live(snapshot_of(1, shops.iter().cloned()));
        all.extend(served(&house, |_| true).await);
        // What ended is told apart by its time.
        house.clock.advance(1);
        house = house.crash(&["p"]).await;
    }
    assert_eq!(all, ["one", "three", "two", "one", "three", "two"]);
}

#[tokio::test]
async fn a_plugin_that_is_not_live_here_is_passed_over_and_those_beside_it_are_not() {
    let house = House::new(&["gone", "p"]).await;
    for order in 0..40 {
        house.report(placed(&format!("{order}"))).await;
    }
    house.live(snapshot_of(2, [live_shop("demo", &["p"])]));
    house.step().await;
    assert_eq!(house.calls().iter().filter(|call| call.plugin == "p").count(), 40);
    assert!(house.calls().iter().all(|call| call.plugin == "p"));
    assert_eq!(house.jobs(None).await.len(), 40, "the others wait");
}
