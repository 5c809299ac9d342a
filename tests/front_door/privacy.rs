//! No contact detail enters a guest, by any hook or import.

use cartwright::domain::{Scope, StateOwner};
use harness::{Setup, World, project};
use serde_json::{Value, json};

use crate::goods::{anna, cart, line, order_placed, products, shipped, update};

const NOW: &str = "2026-11-30T09:00:00Z";
pub const EVERYTHING: &[&str] = &[
    "catalog",
    "customers",
    "orders",
    "state",
    "state-write",
    "discounts",
    "delivery-options",
    "refusal",
    "timers",
];
/// Pieces of every contact detail that the scenario knows, in the forms in which they might leak.
const SECRETS: &[&str] = &[
    "Zieli",
    "Wrona",
    "anna.zielinska",
    "mail.example",
    "601 234 567",
    "601234567",
    "601-234-567",
    "Tajna",
    "email@example.com",
    "123123123",
    "1 Street",
    "Tax Office",
    "5260001246",
];

/// What a spy wrote down in the shop `demo`.
pub async fn seen(world: &World, spy: &str) -> String {
    let owner = StateOwner {
        shop: "demo".to_owned(),
        plugin: spy.to_owned(),
        scope: Scope::Shop,
        subject: String::new(),
    };
    let entries = world.host().store().state_list(&owner, "seen/", 100).await.unwrap();
    assert!(!entries.is_empty(), "the spy saw something");
    entries.into_iter().map(|(key, entry)| format!("{key} {}\n", entry.value.unwrap_or_default())).collect()
}

fn clean(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} holds `{secret}`: {text}");
    }
}

/// A cart whose free fields carry what a platform's free fields may carry.
fn cart_with_secrets() -> Value {
    let mut cart = cart(&[line("1", "mug", 1, 4_900)]);
    cart["attributes"] = json!([
        { "key": "phone", "value": "+48 601 234 567" },
        { "key": "gift-note", "value": "Happy birthday" },
        { "key": "vat", "value": "Tax Office 5260001246" },
    ]);
    cart["lines"][0]["attributes"] = json!([{ "key": "deliver-to", "value": "Tajna 5" }]);
    cart
}

/// Everything that a shop reports of Anna and of a WooCommerce customer, each event once and all work done.
pub async fn everything_is_reported(world: &World) {
    world.catalogue(&products()).await;
    world.event("customer-created", "e0", &json!({ "customer": anna() })).await.json(202);
    let mut order = order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]);
    order["order"]["attributes"] = cart_with_secrets()["attributes"].clone();
    order["order"]["lines"][0]["attributes"] = cart_with_secrets()["lines"][0]["attributes"].clone();
    world.event("order-placed", "e1", &order).await.json(202);
    world.settle().await;
    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.event("delivery-updated", "e6", &update("1001", "s1", "delayed", NOW)).await.json(202);
    world.event("order-delivered", "e3", &update("1001", "s1", "delivered", NOW)).await.json(202);
    let abandoned = json!({ "cart": cart_with_secrets(), "customer": anna() });
    world.event("cart-abandoned", "e4", &abandoned).await.json(202);
    let feedback = json!({
        "order_id": "1001", "customer": anna(),
        "feedback": {
            "rating": 9, "subject": "goods", "at": NOW,
            "text": "Lovely! Write to anna.zielinska@mail.example or call +48 601 234 567, 601-234-567.",
        },
    });
    world.event("feedback-received", "e5", &feedback).await.json(202);
    let returned = json!({
        "order_id": "1001",
        "return": { "id": "r1", "lines": [{ "line": "1", "quantity": 1 }], "refunded": 4_900, "at": NOW,
                    "reason": "Too small; call me on +48 601 234 567" },
    });
    world.event("order-returned", "e7", &returned).await.json(202);
    world
        .event("order-placed", "e8", &order_placed("1002", NOW, &[line("1", "mug", 1, 4_900)]))
        .await
        .json(202);
    let cancelled = json!({ "order_id": "1002", "reason": "Mail anna.zielinska@mail.example" });
    world.event("order-cancelled", "e9", &cancelled).await.json(202);
    let woo = std::fs::read(project().join("tests/fixtures/woocommerce/order.json")).unwrap();
    let woo =
        String::from_utf8(woo).unwrap().replace("2023-07-06", "2026-11-30").replace("\"USD\"", "\"PLN\"");
    let answer = world.woocommerce("order.created", woo.as_bytes()).await;
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    world.later(2_000).await;
}

/// The decisions that a shop asks for with Anna's cart, by hook.
pub async fn everything_is_asked(world: &World) -> Vec<(&'static str, Value)> {
    let mut answers = Vec::new();
    for (hook, body) in [
        ("product-page", json!({ "product": "mug", "customer_id": "c-anna" })),
        ("cart", json!({ "cart": cart_with_secrets(), "customer_id": "c-anna" })),
        ("checkout", json!({ "cart": cart_with_secrets(), "customer_id": "c-anna" })),
        ("order-status", json!({ "order_id": "1001", "customer_id": "c-anna" })),
    ] {
        answers.push((hook, world.post(&format!("/v1/hooks/{hook}"), &body).await.json(200)));
    }
    answers
}

/// All hooks of events.
pub const EVENTS: [&str; 10] = [
    "order-placed",
    "order-shipped",
    "delivery-updated",
    "order-delivered",
    "order-cancelled",
    "order-returned",
    "customer-created",
    "cart-abandoned",
    "feedback-received",
    "timer",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_with_every_grant_sees_no_contact_detail() {
    let world = Setup::new().plugin("spy", EVERYTHING, "{}").start().await;
    everything_is_reported(&world).await;

    let seen = seen(&world, "spy").await;
    clean("the state", &seen);
    for hook in EVENTS {
        assert!(seen.contains(&format!("seen/{hook}")), "{hook} was seen: {seen}");
    }
    assert!(seen.contains("Anna") && seen.contains("Lovely!"), "it does see what it may: {seen}");

    for (hook, answer) in everything_is_asked(&world).await {
        assert!(answer["notices"].to_string().contains("Anna"), "{hook}: the spy answered: {answer}");
        for stage in ["discounts", "delivery_options", "refusals"] {
            let told = answer[stage].to_string().contains("piece-");
            let asked = match (hook, stage) {
                ("order-status", _) => false,
                ("product-page", stage) => stage == "delivery_options",
                _ => true,
            };
            assert_eq!(told, asked, "{hook}: the spy in {stage}: {answer}");
        }
        clean(hook, &answer.to_string());
    }
    let cart = world.post("/v1/hooks/cart", &json!({ "cart": cart_with_secrets() })).await.json(200);
    assert!(cart["notices"].to_string().contains("Happy birthday"), "an allowed attribute is seen: {cart}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_names_a_customer_only_by_a_signed_token() {
    let world = Setup::new().plugin("spy", EVERYTHING, "{}").start().await;
    world.event("customer-created", "e0", &json!({ "customer": anna() })).await.json(202);
    world.settle().await;
    let ask = |body: Value| {
        world
            .client
            .post(world.url("/v1/hooks/cart"))
            .bearer_auth(&world.publishable_key)
            .header("Origin", "https://grove.example")
            .json(&body)
    };
    let cart = cart(&[line("1", "mug", 1, 4_900)]);
    let named = world.send(ask(json!({ "cart": cart, "customer_id": "c-anna" }))).await;
    assert_eq!(named.status, 403, "{}", named.text);
    let now_s = world.clock.now_ms() / 1_000;
    let forged = token(b"another secret", now_s + 60);
    let expired = token(TOKEN_SECRET, now_s - 60);
    for bad in ["nonsense", "e30.e30.", &forged, &expired] {
        let answer = world.send(ask(json!({ "cart": cart, "customer_token": bad }))).await;
        assert_eq!(answer.status, 403, "{bad}: {}", answer.text);
        assert!(!answer.text.contains("Anna"));
    }
    let good = token(TOKEN_SECRET, now_s + 60);
    let answer = world.send(ask(json!({ "cart": cart, "customer_token": good }))).await.json(200);
    assert!(answer["notices"].to_string().contains("Anna"), "{answer}");
}

const TOKEN_SECRET: &[u8] = b"a customer token secret of 32 bytes!";

/// A JWT (RFC 7519) for Anna, HS256.
fn token(secret: &[u8], expires_s: i64) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{KeyInit as _, Mac as _};
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims =
        URL_SAFE_NO_PAD.encode(json!({ "sub": "c-anna", "aud": "demo", "exp": expires_s }).to_string());
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(format!("{header}.{claims}").as_bytes());
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
