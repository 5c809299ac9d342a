//! What mail servers and providers report: who may, what it changes, and that it is all or nothing.

use base64::Engine as _;
use cartwright::domain::signature::{SigningSecret, sign};
use harness::mail_server::{MailServer, Security};
use harness::{Answer, Setup, World};
use serde_json::{Value, json};

use crate::goods::{shipped, update};
use crate::mail::{message_of, order_of};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: &str = "2026-11-30T09:00:00Z";

async fn shop(server: &MailServer) -> World {
    let settings = "mail_feedback = { secret = { file = \"feedback.secret\" }, \
                    basic = { username = \"postmark\", password = { file = \"basic.secret\" } } }";
    Setup::new()
        .mail_server(server)
        .shop(settings)
        .file("shops/feedback.secret", SECRET)
        .file("shops/basic.secret", "hush")
        .plugin("order-updates", &["customers", "messages", "orders", "state", "state-write", "timers"], "{}")
        .start()
        .await
}

async fn signed_at(world: &World, now_ms: i64, body: &str) -> Answer {
    let secret = SigningSecret::parse(SECRET).unwrap();
    let seconds = now_ms / 1_000;
    let request = world
        .client
        .post(world.url("/v1/webhooks/mail/demo"))
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", sign(&secret, "msg_1", seconds, body.as_bytes()))
        .body(body.to_owned());
    world.send(request).await
}

async fn report(world: &World, body: &Value) -> Answer {
    signed_at(world, world.clock.now_ms(), &body.to_string()).await
}

async fn order(world: &World, id: &str, email: &str) {
    world.event("order-placed", id, &order_of(id, email)).await.json(202);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_the_messages_fate_and_the_address_gets_nothing_more() {
    let server = MailServer::start(Security::Plain).await;
    let world = shop(&server).await;
    order(&world, "1001", "anna@mail.example").await;
    let id = server.taken()[0].message_id();
    let bounce = json!([{
        "type": "bounce", "permanent": true, "message_id": id,
        "detail": "smtp; 550 5.1.1 <anna@mail.example> unknown",
    }]);
    let taken = report(&world, &bounce).await.json(200);
    assert_eq!(taken, json!({ "messages": 1, "addresses": 0, "unknown": 0 }));
    let view = message_of(&world, "1001").await;
    assert_eq!(view.state, "bounced");
    assert_eq!(view.reason.as_deref(), Some("smtp; 550 5.1.1 <[e-mail]> unknown"));
    order(&world, "1002", "anna@mail.example").await;
    assert!(message_of(&world, "1002").await.reason.unwrap().starts_with("suppressed"));
    assert_eq!(server.taken().len(), 1);
    // A mailbox that is full today is there tomorrow.
    order(&world, "1003", "bea@mail.example").await;
    report(&world, &json!([{ "type": "bounce", "address": "bea@mail.example" }])).await.json(200);
    assert_eq!(message_of(&world, "1003").await.state, "bounced");
    order(&world, "1004", "bea@mail.example").await;
    assert_eq!(message_of(&world, "1004").await.state, "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_complaint_only_what_orders_call_for_is_sent() {
    let server = MailServer::start(Security::Plain).await;
    let world = shop(&server).await;
    order(&world, "1001", "anna@mail.example").await;
    report(&world, &json!([{ "type": "delivered", "address": "anna@mail.example" }])).await.json(200);
    assert_eq!(message_of(&world, "1001").await.state, "delivered");
    report(&world, &json!([{ "type": "complaint", "address": "ANNA@mail.example" }])).await.json(200);
    assert_eq!(message_of(&world, "1001").await.state, "complained");
    // Nobody takes a complaint back by another report.
    report(&world, &json!([{ "type": "delivered", "address": "anna@mail.example" }])).await.json(200);
    assert_eq!(message_of(&world, "1001").await.state, "complained");

    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.settle().await;
    let before = server.taken().len();
    assert!(before >= 1);
    // So that the newest message is the last one.
    world.later(60_000).await;
    world.event("delivery-updated", "e3", &update("1001", "s1", "in-transit", NOW)).await.json(202);
    world.settle().await;
    assert_eq!(server.taken().len(), before);
    assert!(message_of(&world, "1001").await.reason.unwrap().contains("called an earlier message spam"));
    order(&world, "1002", "anna@mail.example").await;
    assert_eq!(message_of(&world, "1002").await.state, "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_secret_may_report_and_only_now() {
    let server = MailServer::start(Security::Plain).await;
    let world = shop(&server).await;
    let now = world.clock.now_ms();
    let body = json!([{ "type": "complaint", "address": "anna@mail.example" }]).to_string();
    for (time, what) in [(now - 301_000, "ago"), (now + 301_000, "ahead")] {
        let answer = signed_at(&world, time, &body).await;
        let problem = answer.json(401);
        assert_eq!(problem["type"], "/problems/bad-signature");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
    }
    let unsigned = world.client.post(world.url("/v1/webhooks/mail/demo")).body(body.clone());
    assert_eq!(world.send(unsigned).await.status, 401);
    let forged = world
        .client
        .post(world.url("/v1/webhooks/mail/demo"))
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", (now / 1_000).to_string())
        .header("webhook-signature", "v1,AAAA")
        .body(body.clone());
    assert_eq!(world.send(forged).await.status, 401);
    let unknown = world.client.post(world.url("/v1/webhooks/mail/nobody")).body(body.clone());
    assert_eq!(world.send(unknown).await.status, 404);
    assert_eq!(world.get("/v1/suppressions/anna%40mail.example").await.status, 404);
    assert_eq!(signed_at(&world, now - 299_000, &body).await.status, 200);
    assert_eq!(world.get("/v1/suppressions/anna%40mail.example").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_understood_leaves_nothing_of_its_neighbours() {
    let server = MailServer::start(Security::Plain).await;
    let world = shop(&server).await;
    let good = json!({ "type": "complaint", "address": "anna@mail.example" });
    for (bad, status) in [
        (json!({ "type": "vanished", "address": "b@mail.example" }), 400),
        (json!({ "type": "bounce" }), 422),
        (json!({ "type": "bounce", "address": 7 }), 400),
        (json!({ "type": "bounce", "address": "a\u{0}b@mail.example" }), 422),
        (json!("anna@mail.example"), 400),
    ] {
        let answer = report(&world, &json!([good, bad])).await;
        assert_eq!(answer.status, status, "{bad}: {}", answer.text);
        assert!(!answer.text.contains("mail.example"), "{}", answer.text);
    }
    for text in ["", "{", "[[[[", "nonsense"] {
        let answer = signed_at(&world, world.clock.now_ms(), text).await;
        assert_eq!(answer.status, 400, "{text}: {}", answer.text);
    }
    assert_eq!(world.get("/v1/suppressions/anna%40mail.example").await.status, 404);
    let nothing = report(&world, &json!([{ "type": "bounce", "message_id": "<gone@x>" }])).await.json(200);
    assert_eq!(nothing["unknown"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_report_with_a_name_and_a_password() {
    let server = MailServer::start(Security::Plain).await;
    let world = shop(&server).await;
    order(&world, "1001", "anna@mail.example").await;
    let bounce = json!({
        "RecordType": "Bounce", "Type": "HardBounce", "MessageID": "883953f4", "Email": "anna@mail.example",
        "Details": "smtp;550 5.1.1", "BouncedAt": NOW,
    });
    let send = |password: &str, body: &Value| {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("postmark:{password}"));
        let request = world.client.post(world.url("/v1/webhooks/mail/demo"));
        world.send(request.header("Authorization", format!("Basic {basic}")).json(body))
    };
    assert_eq!(send("wrong", &bounce).await.status, 401);
    assert_eq!(send("hush", &bounce).await.json(200)["messages"], 1);
    assert_eq!(message_of(&world, "1001").await.state, "bounced");
    let open = send("hush", &json!({ "RecordType": "Open", "Email": "anna@mail.example" })).await.json(200);
    assert!(open["note"].is_string(), "{open}");
    let confirm = json!({
        "Type": "SubscriptionConfirmation",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x",
    });
    assert!(send("hush", &confirm).await.json(200)["note"].as_str().unwrap().contains("SubscribeURL"));
}
