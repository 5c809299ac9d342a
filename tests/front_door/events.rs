//! Events: durable, once, in order.

use futures::future::join_all;
use harness::{DAY_MS, Setup, World};
use serde_json::json;

use crate::goods::{line, order_placed, shipped, update};

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];
const NOW: &str = "2026-11-30T09:00:00Z";

async fn shop() -> World {
    Setup::new().plugin("order-updates", UPDATES, "{}").start().await
}

fn an_order(id: &str) -> serde_json::Value {
    order_placed(id, NOW, &[line("1", "mug", 2, 4_900)])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_accepted_once_and_another_body_under_its_name_is_refused() {
    let world = shop().await;
    let first = world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    let again = world.event("order-placed", "e1", &an_order("1001")).await;
    assert!((200..300).contains(&again.status), "{}", again.text);
    let status = again.status;
    assert_eq!(again.json(status)["event_id"], first["event_id"]);
    let other = world.event("order-placed", "e1", &an_order("1002")).await;
    assert_eq!(other.status, 409, "{}", other.text);
    world.settle().await;
    assert_eq!(world.mails().len(), 1, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_from_placed_to_the_day_after_delivery() {
    let world = shop().await;
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    world.settle().await;
    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.settle().await;
    for (id, stage) in [("e3", "in-transit"), ("e4", "out-for-delivery")] {
        world.event("delivery-updated", id, &update("1001", "s1", stage, NOW)).await.json(202);
        world.settle().await;
    }
    let before = world.mails().len();
    assert!(before >= 3, "confirmation, dispatch and a stage: {:?}", world.subjects());
    world.event("order-delivered", "e5", &update("1001", "s1", "delivered", NOW)).await.json(202);
    world.settle().await;
    let delivered = world.mails().len();
    assert!(delivered > before, "a review request: {:?}", world.subjects());
    world.later(DAY_MS - 60_000).await;
    assert_eq!(world.mails().len(), delivered, "not before 24 hours: {:?}", world.subjects());
    world.later(60_000).await;
    assert_eq!(world.mails().len(), delivered + 1, "is everything all right? {:?}", world.subjects());
    let dispatch = world.mails().into_iter().find(|mail| mail.html.contains("track/0012345678"));
    assert!(dispatch.is_some(), "a mail carries the tracking link");
    for mail in world.mails() {
        assert_eq!(mail.to, "anna.zielinska@mail.example");
        assert!(mail.html.contains("help@grove.example"), "{} has a contact point", mail.subject);
        assert!(mail.html.contains("Anna"), "{} addresses her by name", mail.subject);
        assert!(!mail.text.trim().is_empty(), "{} has a plain text", mail.subject);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_early_waits_for_its_elder() {
    let world = shop().await;
    let early = world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await;
    assert_eq!(early.status, 202, "{}", early.text);
    world.settle().await;
    assert!(world.mails().is_empty(), "{:?}", world.subjects());
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    world.settle().await;
    assert_eq!(world.mails().len(), 2, "confirmation, then dispatch: {:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_waits_is_told_when_the_work_is_done() {
    let world = Setup::new().plugin("order-updates", UPDATES, "{}").start_live().await;
    let request = world
        .client
        .post(world.url("/v1/hooks/order-placed"))
        .bearer_auth(&world.secret_key)
        .header("Idempotency-Key", "e1")
        .header("Prefer", "wait=20")
        .json(&an_order("1001"));
    let answer = world.send(request).await;
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    assert!(answer.header("preference-applied").is_some());
    let status = answer.status;
    let progress = answer.json(status);
    assert!(progress.to_string().contains("\"done\""), "{progress}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_of_a_queue_loses_nothing() {
    let mut world = shop().await;
    let orders: Vec<String> = (0..20).map(|n| format!("{}", 2_000 + n)).collect();
    for id in &orders {
        world.event("order-placed", id, &an_order(id)).await.json(202);
    }
    world = world.crash().await;
    world.settle().await;
    world = world.restart().await;
    world.settle().await;
    let mails = world.mails();
    for id in &orders {
        let count = mails.iter().filter(|mail| mail.html.contains(&format!("#{id}"))).count();
        assert_eq!(count, 1, "one confirmation of order {id}");
    }
    assert_eq!(mails.len(), orders.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_orders_at_once_are_both_counted() {
    let world = Setup::new().plugin("counter", &["state", "state-write"], "{}").start().await;
    let orders: Vec<String> = (0..12).map(|n| format!("{}", 3_000 + n)).collect();
    join_all(orders.iter().map(|id| async {
        world.event("order-placed", id, &an_order(id)).await.json(202);
    }))
    .await;
    world.settle().await;
    let body = json!({ "cart": crate::goods::cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    assert_eq!(answer["notices"][0]["text"], "added 12, put 12", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_nothing_of_it_is_stored() {
    let world = shop().await;
    let mut unknown_currency = an_order("1");
    unknown_currency["order"]["currency"] = json!("ZZZ");
    let mut huge = an_order("1");
    huge["order"]["total"] = json!(9_007_199_254_740_992_i64);
    let mut negative = an_order("1");
    negative["order"]["lines"][0]["unit_price"] = json!(-1);
    let mut no_time = an_order("1");
    no_time["order"]["placed_at"] = json!("yesterday");
    let mut extra = an_order("1");
    extra["surprise"] = json!(true);
    for (what, body) in [
        ("an unknown currency", unknown_currency),
        ("an amount over 2^53 - 1", huge),
        ("a negative price", negative),
        ("a date that is none", no_time),
        ("an unknown field", extra),
    ] {
        let answer = world.event("order-placed", what, &body).await;
        assert!([400, 422].contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    }
    world.settle().await;
    assert!(world.mails().is_empty());
    assert_eq!(world.get("/v1/orders/1").await.status, 404);
}
