//! Limits and breakers on the event path.

use std::sync::Arc;

use super::support::*;
use crate::config::Limits;
use crate::domain::*;
use crate::plugins::breaker::Position;
use crate::plugins::call::Fault;
use crate::plugins::registry::{LivePlugin, LiveShop};
use crate::store::JobState;

/// The same shop, whose plugins may have no more than this.
fn limited(shop: &LiveShop, limits: &Limits) -> Arc<LiveShop> {
    let plugins = shop
        .plugins
        .iter()
        .map(|live| Arc::new(LivePlugin::new("demo", live.entry.clone(), live.plugin.clone(), "{}", limits)));
    Arc::new(LiveShop {
        plugins: plugins.collect(),
        config: shop.config.clone(),
        public: shop.public.clone(),
        calendar: shop.calendar.clone(),
        wording: shop.wording.clone(),
    })
}

async fn failed(house: &House) -> String {
    let jobs = house.jobs(Some(JobState::Failed)).await;
    jobs.into_iter().next().and_then(|job| job.fault).expect("a failed job")
}

#[tokio::test]
async fn a_plugin_that_keeps_too_much_fails_by_the_limits_name() {
    let house = House::new(&["p"]).await;
    house.snapshot([limited(&house.shop, &Limits { state_keys: 1, ..Limits::default() })]);
    house.effects(|_| vec![add("a", 1), add("b", 1)]);
    house.report(placed("1")).await;
    house.step().await;
    assert!(failed(&house).await.starts_with("passed limits.state_keys = 1; set it with"));
    assert_eq!(house.state("a").await, None);
}

#[tokio::test]
async fn a_timer_bomb_turns_slowly_and_ends_at_the_limit() {
    let house = House::new(&["p"]).await;
    house.snapshot([limited(&house.shop, &Limits { timers: 7, ..Limits::default() })]);
    // Each timer sets two, for at once.
    house.script(|invocation| {
        let seed = invocation.surroundings.seed;
        let set = |key: String| Effect::SetTimer { key, due_at: 0, payload: String::new() };
        Box::pin(async move { Ok((vec![set(format!("{seed}a")), set(format!("{seed}b"))], Vec::new())) })
    });
    house.report(placed("1")).await;
    let mut calls = Vec::new();
    for _ in 0..6 {
        house.step().await;
        house.step().await;
        calls.push(house.calls().len());
        house.clock.advance(MINUTE);
    }
    // 1 + 2 (at once, set by the order), then each minute the next.
    assert_eq!(calls[0], 3, "{calls:?}");
    assert!(house.store.rows("timers").await <= 7, "{calls:?}");
    let faults = house.jobs(Some(JobState::Failed)).await;
    assert!(faults.iter().any(|job| job.fault.as_deref().is_some_and(|f| f.contains("limits.timers = 7"))));
}

#[tokio::test]
async fn one_plugin_has_no_more_jobs_under_way_than_its_share() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let house = House::new(&["busy", "other"]).await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = (now.clone(), most.clone());
    house.script(move |invocation| {
        let (now, most) = seen.clone();
        Box::pin(async move {
            if invocation.plugin.entry.name == "busy" {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
            }
            Ok((Vec::new(), Vec::new()))
        })
    });
    for order in 0..40 {
        house.report(placed(&order.to_string())).await;
    }
    house.step().await;
    assert_eq!(house.calls().len(), 80);
    // Half of sixteen.
    assert!(most.load(Ordering::SeqCst) <= 8, "{most:?}");
}

#[tokio::test]
async fn a_call_that_found_no_slot_is_given_back_and_no_attempt_is_counted() {
    let house = House::new(&["p"]).await;
    house.script(|_| {
        Box::pin(async { Err(Fault::Busy { setting: "share_percent", value: 50, waited_ms: 10 }) })
    });
    house.report(placed("1")).await;
    let next = house.step().await;
    assert_eq!(next, Some(NOW + 1_000));
    let jobs = house.jobs(Some(JobState::Waiting)).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].attempts, 0);
}

#[tokio::test]
async fn a_plugin_that_always_wants_too_much_is_left_alone_and_its_jobs_wait_uncounted() {
    let house = House::new(&["p"]).await;
    let shop = limited(&house.shop, &Limits { state_keys: 0, ..Limits::default() });
    house.snapshot([shop.clone()]);
    house.effects(|_| vec![add("a", 1)]);
    for order in 0..10 {
        house.report(placed(&order.to_string())).await;
    }
    house.step().await;
    let breaker = shop.plugins[0].breaker();
    assert_eq!(breaker.position, Position::Open);
    assert!(breaker.tripped.unwrap().why.contains("limits.state_keys = 0"));
    house.report(placed("late")).await;
    let next = house.step().await;
    assert!(next > Some(NOW) && next <= breaker.tried_at, "the worker knows when to look again: {next:?}");
    assert_eq!(house.calls().len(), 10, "it is not called");
    let waits = house.jobs(Some(JobState::Waiting)).await;
    assert_eq!((waits.len(), waits[0].attempts), (1, 0));
}
