//! The worker: order, conflicts, leases, faults, crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

use super::support::*;
use crate::domain::*;
use crate::plugins::call::{Fault, Invocation};
use crate::store::{Changes, Claim, Claimed, Completion, JobState, StoreError};

async fn read(invocation: &Invocation, key: &str) -> (i64, StateRead) {
    let read = invocation.reads.state(&owner("p"), &[key.to_owned()]).await.unwrap().remove(0);
    let number = read.value.map_or(0, |value| value.parse().unwrap());
    (number, StateRead::Key { owner: owner("p"), key: key.to_owned(), version: read.version })
}

fn put(key: &str, value: i64) -> Effect {
    Effect::PutState { scope: Scope::Shop, key: key.to_owned(), value: value.to_string() }
}

pub async fn claim(house: &House) -> Vec<Claimed> {
    let now_ms = house.clock.now_ms();
    let claim = Claim {
        live: Arc::new([("demo".to_owned(), vec!["p".to_owned()])].into()),
        after: String::new(),
        limit: 100,
        per_shop: 100,
        now_ms,
        lease_until: now_ms + MINUTE,
    };
    house.store.claim(claim).await.unwrap().0
}

pub async fn completion(house: &House, job: &Claimed, changes: Changes) -> Completion {
    Completion {
        job: job.clone(),
        event: house.store.event(&job.event_id).await.unwrap().unwrap(),
        currency: "EUR".to_owned(),
        reads: Vec::new(),
        changes,
        allowance: crate::store::Allowance::of(&crate::config::Limits::default()),
        now_ms: house.clock.now_ms(),
    }
}

#[tokio::test]
async fn each_plugin_is_called_once_for_each_event() {
    let house = House::new(&["p", "q"]).await;
    let event_id = house.report(placed("1")).await;
    house.step().await;
    house.step().await;
    let mut plugins: Vec<_> = house.calls().into_iter().map(|call| call.plugin).collect();
    plugins.sort();
    assert_eq!(plugins, ["p", "q"]);
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!(progress.state, "done");
    assert!(progress.jobs.iter().all(|job| job.state == "done"));
    assert_eq!(house.store.queue_depth(NOW).await.unwrap().jobs, []);
    assert!(house.lifecycle.progress("other", &event_id).await.unwrap().is_none());
}

#[tokio::test]
async fn events_of_one_order_run_in_order_and_those_of_two_at_once() {
    let house = House::new(&["p"]).await;
    // Passes only when calls of both orders are under way together.
    let both = Arc::new(Barrier::new(2));
    house.script(move |invocation| {
        let both = Arc::clone(&both);
        Box::pin(async move {
            if invocation.hook == Hook::OrderPlaced {
                both.wait().await;
            }
            Ok((Vec::new(), Vec::new()))
        })
    });
    house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    house.report(delivered("1", "s")).await;
    house.report(placed("22")).await;
    house.step().await;
    let first: Vec<_> = house
        .calls()
        .into_iter()
        .filter(|call| call.order.as_deref() == Some("1"))
        .map(|call| call.hook)
        .collect();
    assert_eq!(first, [Hook::OrderPlaced, Hook::OrderShipped, Hook::OrderDelivered]);
    assert_eq!(house.calls().len(), 4);
}

#[tokio::test]
async fn two_orders_at_once_count_both_with_add() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![add("orders", 1), add("orders", 1)]);
    for order in 0..10 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("20"));
    assert_eq!(house.calls().len(), 10, "additions do not conflict");
}

#[tokio::test]
async fn a_conflict_runs_again_with_the_same_seed_and_clock_and_counts_both() {
    let house = House::new(&["p"]).await;
    let both = Arc::new(Barrier::new(2));
    let calls = Arc::new(AtomicUsize::new(0));
    house.script(move |invocation| {
        let (both, calls) = (Arc::clone(&both), Arc::clone(&calls));
        Box::pin(async move {
            let (orders, seen) = read(&invocation, "orders").await;
            if calls.fetch_add(1, Ordering::SeqCst) < 2 {
                both.wait().await;
            }
            Ok((vec![put("orders", orders + 1)], vec![seen]))
        })
    });
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("2"));
    let calls = house.calls();
    assert_eq!(calls.len(), 3);
    let again: Vec<_> = calls.iter().filter(|call| call.order == calls[2].order).collect();
    assert_eq!(again.len(), 2);
    assert_eq!(again[0], again[1]);
    assert_ne!(calls[0].seed, calls[1].seed);
    let jobs = house.jobs(Some(JobState::Done)).await;
    assert!(jobs.iter().all(|job| job.attempts == 0), "a conflict charges no attempt");
}

#[tokio::test]
async fn many_conflicting_calls_all_come_through() {
    let house = House::new(&["p"]).await;
    house.script(|invocation| {
        Box::pin(async move {
            let (orders, seen) = read(&invocation, "orders").await;
            tokio::task::yield_now().await;
            Ok((vec![put("orders", orders + 1)], vec![seen]))
        })
    });
    for order in 0..100 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("100"));
    let calls = house.calls().len();
    assert!(calls < 150, "{calls}: what conflicts is computed for nothing");
}

#[tokio::test]
async fn a_listing_that_changed_is_a_conflict_too() {
    let house = House::new(&["p"]).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let store = house.store.clone();
    let both = Arc::new(Barrier::new(2));
    house.script(move |invocation| {
        let (store, calls, both) = (store.clone(), Arc::clone(&calls), Arc::clone(&both));
        Box::pin(async move {
            let listed = store.state_list(&owner("p"), "order:", 10).await.unwrap();
            let seen = listed.iter().map(|(key, value)| (key.clone(), value.version)).collect();
            if calls.fetch_add(1, Ordering::SeqCst) < 2 {
                both.wait().await;
            }
            let read = StateRead::Prefix { owner: owner("p"), prefix: "order:".to_owned(), limit: 10, seen };
            let place = i64::try_from(listed.len()).unwrap();
            Ok((vec![put(&format!("order:{}", invocation.order_id.unwrap()), place)], vec![read]))
        })
    });
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    house.step().await;
    let listed = house.store.state_list(&owner("p"), "order:", 10).await.unwrap();
    let mut places: Vec<_> = listed.into_iter().map(|(_, value)| value.value.unwrap()).collect();
    places.sort();
    assert_eq!(places, ["0", "1"], "the second saw the first");
}

/// The customer as the call sees it, and that it was read.
fn customer(invocation: &Invocation) -> (i64, StateRead) {
    let seen = invocation.surroundings.customer.clone();
    let points = seen.as_ref().map_or(0, |customer| customer.points);
    let id = invocation.customer_id.clone().unwrap();
    (points, StateRead::Customer { shop: "demo".to_owned(), id, seen })
}

#[tokio::test]
async fn two_orders_of_one_customer_at_once_see_each_others_points() {
    let house = House::new(&["p"]).await;
    let both = Arc::new(Barrier::new(2));
    let calls = Arc::new(AtomicUsize::new(0));
    house.script(move |invocation| {
        let (both, calls) = (Arc::clone(&both), Arc::clone(&calls));
        Box::pin(async move {
            let (before, seen) = customer(&invocation);
            if calls.fetch_add(1, Ordering::SeqCst) < 2 {
                both.wait().await;
            }
            let reference = invocation.order_id.unwrap();
            let mut effects = vec![Effect::SetPoints { reference, total: 60 }];
            if before + 60 >= 100 {
                let (key, value) = ("tier".to_owned(), "silver".to_owned());
                effects.extend([Effect::LabelCustomer { key, value }, send(message("silver"))]);
            }
            Ok((effects, vec![seen]))
        })
    });
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    house.step().await;
    let guest = house.store.customer_id(&anna()).unwrap();
    let anna = house.store.customer("demo", &guest).await.unwrap().unwrap().customer;
    assert_eq!((anna.points, anna.tier.as_deref()), (120, Some("silver")));
    let mails = house.store.messages("demo", None, 10).await.unwrap();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(house.calls().len(), 3, "the second ran again");
    let jobs = house.jobs(Some(JobState::Done)).await;
    assert!(jobs.iter().all(|job| job.attempts == 0), "a conflict charges no attempt");
}

#[tokio::test]
async fn many_orders_of_one_customer_all_come_through_and_each_sees_those_before() {
    let house = House::new(&["p", "q"]).await;
    house.script(|invocation| {
        Box::pin(async move {
            let (before, seen) = customer(&invocation);
            tokio::task::yield_now().await;
            let order = invocation.order_id.unwrap();
            let points = Effect::SetPoints { reference: order, total: 10 };
            let value = (before + 10).to_string();
            let tier = Effect::LabelCustomer { key: "tier".to_owned(), value };
            Ok((vec![points, tier], vec![seen]))
        })
    });
    for order in 0..15 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    while let Some(next) = house.step().await {
        house.clock.advance(next - house.clock.now_ms());
    }
    let guest = house.store.customer_id(&anna()).unwrap();
    let anna = house.store.customer("demo", &guest).await.unwrap().unwrap().customer;
    assert_eq!((anna.points, anna.tier.as_deref()), (300, Some("300")));
    let jobs = house.jobs(Some(JobState::Done)).await;
    assert_eq!((jobs.len(), jobs.iter().map(|job| job.attempts).sum::<i64>()), (30, 0));
}

#[tokio::test]
async fn a_stale_lease_cannot_commit() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![add("orders", 1)]);
    house.report(placed("1")).await;
    let old = claim(&house).await.remove(0);
    assert_eq!(claim(&house).await, []);
    // Its worker is slow; another one does the job.
    house.clock.advance(2 * MINUTE);
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("1"));
    let late = completion(&house, &old, Changes { effects: vec!["points.set"], ..Changes::default() }).await;
    assert_eq!(house.store.complete(late).await, Err(StoreError::Fenced));
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_lease_that_was_claimed_again_is_fenced_by_its_token() {
    let house = House::new(&["p"]).await;
    house.report(placed("1")).await;
    let old = claim(&house).await.remove(0);
    house.clock.advance(2 * MINUTE);
    house.store.reclaim(house.clock.now_ms()).await.unwrap();
    let new = claim(&house).await.remove(0);
    assert!(new.lease_token > old.lease_token);
    let late = completion(&house, &old, Changes::default()).await;
    let stale = vec![StateRead::Key { owner: owner("p"), key: "orders".to_owned(), version: 1 }];
    for reads in [Vec::new(), stale.clone()] {
        let late = Completion { reads, ..late.clone() };
        assert_eq!(house.store.complete(late).await, Err(StoreError::Fenced));
    }
    let mine = completion(&house, &new, Changes::default()).await;
    let conflicting = Completion { reads: stale, ..mine.clone() };
    assert_eq!(house.store.complete(conflicting).await, Err(StoreError::Stale));
    assert_eq!(house.store.complete(mine).await, Ok(()));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_queue_loses_nothing_and_doubles_nothing() {
    let mut house = House::new(&["p"]).await;
    for order in 0..20 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    // Some are done, some are leased to a worker that will not come back, some wait.
    let jobs = claim(&house).await;
    assert_eq!(jobs.len(), 20);
    for job in &jobs[..7] {
        let done = Changes {
            state: vec![crate::store::StateChange {
                owner: owner("p"),
                key: "orders".to_owned(),
                change: crate::store::Change::Add(1),
            }],
            effects: vec!["state-write.add"],
            ..Changes::default()
        };
        house.store.complete(completion(&house, job, done).await).await.unwrap();
    }
    for job in &jobs[12..] {
        house.store.give_back(job, NOW).await.unwrap();
    }
    house = house.crash(&["p"]).await;
    house.effects(|_| vec![add("orders", 1)]);
    house.step().await;
    assert_eq!(house.calls().len(), 13);
    assert_eq!(house.state("orders").await.as_deref(), Some("20"));
    assert_eq!(house.jobs(Some(JobState::Done)).await.len(), 20);
}

#[tokio::test]
async fn effects_that_were_committed_before_are_an_error_and_leave_nothing() {
    let house = House::new(&["p"]).await;
    house.report(placed("1")).await;
    let job = claim(&house).await.remove(0);
    let once =
        Changes { effects: vec!["points.set"], points: vec![("1".to_owned(), 5)], ..Changes::default() };
    house.store.complete(completion(&house, &job, once.clone()).await).await.unwrap();
    // The same job comes back from the dead, as by a mistake of an operator.
    house.store.raise(&job).await;
    let job = claim(&house).await.remove(0);
    let twice = Changes { points: vec![("2".to_owned(), 5)], ..once };
    let failed = house.store.complete(completion(&house, &job, twice).await).await;
    assert!(matches!(failed, Err(StoreError::Corrupt(_))), "{failed:?}");
    let guest = house.store.customer_id(&anna()).unwrap();
    assert_eq!(house.store.customer("demo", &guest).await.unwrap().unwrap().customer.points, 5);
}

#[tokio::test]
async fn a_failed_job_rests_is_tried_again_and_keeps_its_order_waiting() {
    let house = House::new(&["p"]).await;
    let calls = Arc::new(AtomicUsize::new(0));
    house.script(move |invocation| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            if first && invocation.hook == Hook::OrderPlaced {
                return Err(Fault::Refused("cannot reach anna@example.com".to_owned()));
            }
            Ok((vec![add("done", 1)], Vec::new()))
        })
    });
    let event_id = house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    let next = house.step().await.unwrap();
    assert_eq!(house.hooks(), [Hook::OrderPlaced]);
    assert!((NOW + 7_500..=NOW + 12_500).contains(&next), "{next}");
    let jobs = house.jobs(Some(JobState::Failed)).await;
    assert_eq!((jobs.len(), jobs[0].attempts, jobs[0].next_try_at), (1, 1, Some(next)));
    assert_eq!(jobs[0].fault.as_deref(), Some("cannot reach [e-mail]"));
    let progress = house.lifecycle.wait("demo", &event_id, Duration::from_secs(60)).await.unwrap().unwrap();
    assert_eq!(progress.jobs[0].state, "failed");

    house.clock.advance(next - NOW);
    house.step().await;
    assert_eq!(house.hooks(), [Hook::OrderPlaced, Hook::OrderPlaced, Hook::OrderShipped]);
    let calls = house.calls();
    assert_eq!(calls[0], calls[1], "another attempt sees the same");
    assert_eq!(house.state("done").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_full_disk_of_sqlite_charges_no_attempt_however_long_it_lasts() {
    let house = House::new(&["p"]).await;
    let calls = Arc::new(AtomicUsize::new(0));
    house.script(move |_| {
        let unread = calls.fetch_add(1, Ordering::SeqCst) < 10;
        Box::pin(async move {
            if unread {
                return Err(Fault::Host("the disk does not answer".to_owned()));
            }
            let (key, value) = ("big".to_owned(), "x".repeat(60_000));
            Ok((vec![Effect::PutState { scope: Scope::Shop, key, value }], Vec::new()))
        })
    });
    house.report(placed("1")).await;
    house.store.fill_disk(true).await;
    for _ in 0..20 {
        let next = house.step().await.unwrap();
        assert!(next > house.clock.now_ms());
        let jobs = house.jobs(None).await;
        assert_eq!((jobs.len(), jobs[0].state.as_str(), jobs[0].attempts), (1, "waiting", 0));
        house.clock.advance(next - house.clock.now_ms());
    }
    assert_eq!((house.calls().len(), house.state("big").await), (20, None));
    house.store.fill_disk(false).await;
    house.step().await;
    assert!(house.state("big").await.is_some());
    assert_eq!(house.jobs(Some(JobState::Done)).await[0].attempts, 0);
}

#[tokio::test]
async fn a_job_that_always_fails_is_dead_in_the_end_and_blocks_nobody_for_ever() {
    let house = House::new(&["p"]).await;
    house.script(|invocation| {
        Box::pin(async move {
            if invocation.hook == Hook::OrderPlaced {
                return Err(Fault::Trapped("unreachable".to_owned()));
            }
            Ok((Vec::new(), Vec::new()))
        })
    });
    let event_id = house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    let mut steps = 0;
    while let Some(next) = house.step().await {
        house.clock.advance(next - house.clock.now_ms());
        steps += 1;
        assert!(steps < 100);
    }
    let tried = house.hooks().iter().filter(|hook| **hook == Hook::OrderPlaced).count();
    assert_eq!(tried, 8);
    assert_eq!(house.hooks().last(), Some(&Hook::OrderShipped));
    let dead = house.jobs(Some(JobState::Dead)).await;
    assert_eq!((dead.len(), dead[0].attempts), (1, 8));
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!((progress.state.as_str(), progress.jobs[0].state.as_str()), ("done", "dead"));
}

#[tokio::test]
async fn effects_that_cannot_be_are_a_fault_and_nothing_of_the_call_is_kept() {
    let house = House::new(&["p"]).await;
    house.effects(|_| {
        vec![
            add("orders", 1),
            put("word", 1),
            add("word", 1),
            send(Message { category: "spam".to_owned(), ..message("x") }),
        ]
    });
    house.report(placed("1")).await;
    house.step().await;
    assert_eq!(house.state("orders").await, None);
    let jobs = house.jobs(None).await;
    assert!(jobs[0].fault.as_ref().unwrap().contains("category `spam`"));
}

#[tokio::test]
async fn a_call_reads_the_shop_the_order_and_the_customer_as_they_are_now() {
    let house = House::new(&["p"]).await;
    house.effects(|invocation| {
        let around = &invocation.surroundings;
        if invocation.hook == Hook::OrderShipped {
            assert_eq!(around.order.as_ref().unwrap().id, "1");
            assert_eq!(around.shipments.len(), 1);
            assert_eq!((around.locale.as_str(), around.zone.as_str()), ("pl", "Europe/London"));
            assert_eq!(around.customer.as_ref().unwrap().orders_count, 1);
            assert!(around.seed < 1 << 53);
        }
        Vec::new()
    });
    let customer = CustomerInput { zone: Some("Europe/London".to_owned()), ..anna() };
    let placed = OrderPlaced {
        order: order("1"),
        customer: Some(customer),
        locale: Some("pl-PL,en;q=0.5".to_owned()),
    };
    house.report(Event::OrderPlaced(placed)).await;
    house.report(shipped("1", "s")).await;
    house.step().await;
    assert_eq!(house.hooks(), [Hook::OrderPlaced, Hook::OrderShipped]);
    assert_eq!(house.jobs(None).await, []);
}

#[tokio::test]
async fn shops_take_turns() {
    let house = House::new(&["p"]).await;
    let small = live_shop("small", &["p"]);
    for order in 0..30 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    let identity =
        crate::lifecycle::Identity { source: "api".to_owned(), id: "x".to_owned(), fingerprint: [0; 32] };
    house.lifecycle.accept(&small, identity, placed("1")).await.unwrap();
    let live = |names: &[&str]| {
        Arc::new(names.iter().map(|name| ((*name).to_owned(), vec!["p".to_owned()])).collect())
    };
    let claim = Claim {
        live: live(&["demo", "small"]),
        after: String::new(),
        limit: 4,
        per_shop: 2,
        now_ms: NOW,
        lease_until: NOW + MINUTE,
    };
    let (jobs, served) = house.store.claim(claim.clone()).await.unwrap();
    let shops: Vec<_> = jobs.iter().map(|job| job.shop.as_str()).collect();
    assert_eq!(shops, ["demo", "demo", "small"]);
    assert_eq!(served, "small");
    let (jobs, served) = house.store.claim(Claim { after: served, ..claim.clone() }).await.unwrap();
    assert_eq!((jobs.len(), served.as_str()), (2, "demo"));
    // Plugins and shops that are not live here wait.
    let (jobs, _) = house.store.claim(Claim { live: live(&["small"]), ..claim }).await.unwrap();
    assert_eq!(jobs, []);
}

#[tokio::test]
async fn jobs_of_a_plugin_that_is_not_live_wait_without_a_busy_loop() {
    let house = House::new(&["p"]).await;
    house.report(placed("1")).await;
    house.snapshot([live_shop("demo", &["other"])]);
    assert_eq!(house.step().await, None);
    assert_eq!(house.calls(), []);
    house.snapshot([live_shop("demo", &["p"])]);
    house.step().await;
    assert_eq!(house.calls().len(), 1);
}

#[tokio::test]
async fn whoever_waits_hears_of_the_end_and_the_loop_stops_when_told() {
    let house = House::new(&["p", "q"]).await;
    let shutdown = CancellationToken::new();
    let (lifecycle, stop) = (house.lifecycle.clone(), shutdown.clone());
    let running = tokio::spawn(async move { lifecycle.run(stop).await });
    let event_id = house.report(placed("1")).await;
    let progress = house.lifecycle.wait("demo", &event_id, Duration::from_secs(60)).await.unwrap().unwrap();
    assert_eq!(progress.state, "done");
    assert_eq!(progress.jobs.len(), 2);
    shutdown.cancel();
    running.await.unwrap();

    // Nobody works now: patience ends.
    let event_id = house.report(placed("22")).await;
    let progress = house.lifecycle.wait("demo", &event_id, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(progress.state, "open");
    assert!(house.lifecycle.wait("demo", "evt_none", Duration::ZERO).await.unwrap().is_none());
}

#[tokio::test]
async fn a_stop_lets_the_call_under_way_finish_and_begins_no_other() {
    let house = House::new(&["p"]).await;
    let (begun, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (begin, gone) = (Arc::clone(&begun), Arc::clone(&go));
    house.script(move |_| {
        let (begin, gone) = (Arc::clone(&begin), Arc::clone(&gone));
        Box::pin(async move {
            begin.wait().await;
            gone.wait().await;
            Ok((vec![add("done", 1)], Vec::new()))
        })
    });
    house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    let shutdown = CancellationToken::new();
    let (lifecycle, stop) = (house.lifecycle.clone(), shutdown.clone());
    let running = tokio::spawn(async move { lifecycle.run(stop).await });
    begun.wait().await;
    shutdown.cancel();
    go.wait().await;
    running.await.unwrap();
    assert_eq!(house.state("done").await.as_deref(), Some("1"));
    assert_eq!(house.hooks(), [Hook::OrderPlaced]);
}
