//! The clock is set back an hour, and forward.

use harness::HOUR_MS;

use super::*;

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_done_at_once_is_done_though_the_clock_was_set_back() {
    let world = Setup::new().plugin("order-updates", UPDATES, "{}").start().await;
    // Accepted by the later clock; nobody has worked on it.
    report(&world, 1).await.json(202);
    world.clock.advance(-HOUR_MS);
    // Of the same order, by the earlier one: still after it.
    let shipped = crate::goods::shipped("1", "s1", NOW);
    world.event("order-shipped", "shipped-1", &shipped).await.json(202);
    world.settle().await;
    let mut subjects = world.subjects();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Your order #1 is confirmed", "Your order #1 is on its way"]);
    let waiting = world.get("/v1/jobs?state=waiting").await.json(200);
    assert_eq!(waiting["jobs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_while_no_host_runs_holds_nothing_up_either() {
    let world = Setup::new().plugin("order-updates", UPDATES, "{}").start().await;
    report(&world, 1).await.json(202);
    world.clock.advance(-HOUR_MS);
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.subjects().len(), 1, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_too_early_waits_for_its_elder_however_often_the_step_is_seen() {
    let world = Setup::new().plugin("order-updates", UPDATES, "{}").start().await;
    let shipped = crate::goods::shipped("1", "s1", NOW);
    world.event("order-shipped", "shipped-1", &shipped).await.json(202);
    world.clock.advance(-HOUR_MS);
    world.settle().await;
    let world = world.restart().await;
    world.settle().await;
    report(&world, 1).await.json(202);
    world.settle().await;
    let mut subjects = world.subjects();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Your order #1 is confirmed", "Your order #1 is on its way"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_rests_does_so_as_long_as_it_was_told_to_and_no_longer() {
    let fault = "settings = { fault = \"err\" }";
    let world =
        Setup::new().plugin_with("faulty", &["discounts", "state", "state-write"], fault).start().await;
    report(&world, 1).await.json(202);
    world.settle().await;
    let attempts = async || {
        let jobs = world.get("/v1/jobs?state=failed").await.json(200);
        jobs["jobs"][0]["attempts"].as_i64().unwrap_or_else(|| panic!("{jobs}"))
    };
    assert_eq!(attempts().await, 1);
    world.clock.advance(-HOUR_MS);
    world.settle().await;
    assert_eq!(attempts().await, 1, "it is not tried before its rest is over");
    world.later(15_000).await;
    assert_eq!(attempts().await, 2, "ten seconds, give or take a quarter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_an_instant_of_its_own_keeps_it() {
    let settings = "{ check_in_hours = 24 }";
    let world = Setup::new().plugin("order-updates", UPDATES, settings).start().await;
    report(&world, 1).await.json(202);
    let shipped = crate::goods::shipped("1", "s1", NOW);
    world.event("order-shipped", "shipped-1", &shipped).await.json(202);
    let delivered = crate::goods::update("1", "s1", "delivered", NOW);
    world.event("order-delivered", "delivered-1", &delivered).await.json(202);
    world.settle().await;
    let before = world.mails().len();
    // The question of the next day is due at the same instant as ever: 25 hours away by this clock.
    world.clock.advance(-HOUR_MS);
    world.later(25 * HOUR_MS - 60_000).await;
    assert_eq!(world.mails().len(), before, "{:?}", world.subjects());
    world.later(60_000).await;
    assert_eq!(world.mails().len(), before + 1, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_holds_though_the_clock_was_set_back_after_it_was_made() {
    let world = setup().start().await;
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = world.post("/v1/hooks/checkout", &body).await.json(200);
    world.clock.advance(-HOUR_MS);
    let mut placed = order(1);
    placed["order"]["quote"] = answer["delivery_options"][0]["quote"].clone();
    world.event("order-placed", "order-1", &placed).await.json(202);
    let kept = world.get("/v1/orders/1").await.json(200);
    assert_eq!(kept["order"]["delivery"]["promised"], answer["delivery_options"][0]["arrival"], "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_and_back_doubles_nothing() {
    let world = setup().start_live().await;
    for (id, jump) in [HOUR_MS, -HOUR_MS, -HOUR_MS, 2 * HOUR_MS, -HOUR_MS].into_iter().enumerate() {
        report(&world, id).await.json(202);
        world.clock.advance(jump);
        world.host().lifecycle().wake();
        all_is_done_once(&world, id + 1).await;
    }
    for id in 0..5 {
        report(&world, id).await.json(200);
    }
}
