//! A real WooCommerce order, as its webhook delivers it.

use harness::{Setup, World, project};
use serde_json::{Value, json};

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];

fn payload() -> Value {
    let bytes = std::fs::read(project().join("tests/fixtures/woocommerce/order.json")).unwrap();
    let mut order: Value = serde_json::from_slice(&bytes).unwrap();
    for name in ["date_created", "date_created_gmt", "date_modified", "date_modified_gmt"] {
        order[name] = json!("2026-11-30T08:55:00");
    }
    order["currency"] = json!("PLN");
    order
}

async fn shop() -> World {
    Setup::new().plugin("order-updates", UPDATES, "{}").start().await
}

async fn deliver(world: &World, topic: &str, order: &Value) -> u16 {
    let answer = world.woocommerce(topic, order.to_string().as_bytes()).await;
    world.settle().await;
    answer.status
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deliveries_of_one_webhook_make_one_set_of_effects() {
    let world = shop().await;
    assert!((200..300).contains(&deliver(&world, "order.created", &payload()).await));
    assert!((200..300).contains(&deliver(&world, "order.created", &payload()).await));
    assert!((200..300).contains(&deliver(&world, "order.updated", &payload()).await));
    let mails = world.mails();
    assert_eq!(mails.len(), 1, "{:?}", world.subjects());
    assert_eq!(mails[0].to, "email@example.com");
    assert!(mails[0].html.contains("First Product"), "{}", mails[0].html);
    let order = world.get("/v1/orders/17").await.json(200);
    assert!(order.to_string().contains("\"total\":200"), "2.000 is 200 minor units of PLN: {order}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_not_placed_and_is_placed_later() {
    let world = shop().await;
    let mut order = payload();
    for status in ["checkout-draft", "pending"] {
        order["status"] = json!(status);
        assert!((200..300).contains(&deliver(&world, "order.created", &order).await));
    }
    assert!(world.mails().is_empty(), "{:?}", world.subjects());
    order["status"] = json!("processing");
    assert!((200..300).contains(&deliver(&world, "order.updated", &order).await));
    assert_eq!(world.mails().len(), 1, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_order_touched_again_is_not_new() {
    let world = shop().await;
    let mut order = payload();
    order["date_created"] = json!("2023-07-06T14:17:03");
    order["date_created_gmt"] = json!("2023-07-06T14:17:03");
    assert!((200..300).contains(&deliver(&world, "order.updated", &order).await));
    assert!(world.mails().is_empty(), "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_and_the_ping_is_not() {
    let world = shop().await;
    let url = world.url("/v1/webhooks/woocommerce/demo");
    let request = world.client.post(&url).header("X-WC-Webhook-Topic", "order.created");
    let forged = request.header("X-WC-Webhook-Signature", "AAAA").json(&payload());
    assert_eq!(world.send(forged).await.status, 401);
    let unsigned = world.client.post(&url).header("X-WC-Webhook-Topic", "order.created").json(&payload());
    assert_eq!(world.send(unsigned).await.status, 401);
    world.settle().await;
    assert!(world.mails().is_empty());
    let ping = world
        .client
        .post(&url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("webhook_id=7");
    assert_eq!(world.send(ping).await.status, 200);
    let nowhere = world.client.post(world.url("/v1/webhooks/woocommerce/nowhere")).json(&payload());
    assert_eq!(world.send(nowhere).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_makes_no_sense_stores_nothing_and_keeps_the_webhook_alive() {
    let world = shop().await;
    for body in ["", "{", "[]", "{\"id\":17}", "{\"id\":17,\"status\":\"processing\",\"total\":\"a lot\"}"] {
        let answer = world.woocommerce("order.created", body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
    }
    world.settle().await;
    assert!(world.mails().is_empty());
    assert_eq!(world.get("/v1/orders/17").await.status, 404);
}
