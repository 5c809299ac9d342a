//! One history of an order and of a customer, so that nobody has to tell it twice.

use harness::{DAY_MS, HOUR_MS, Setup, World};
use serde_json::{Value, json};

use crate::goods::{cart, line, order_placed, shipped, update};

const NOW: &str = "2026-11-30T09:00:00Z";
const MINUTE: i64 = 60_000;

async fn shop() -> World {
    Setup::new()
        .plugin("delivery-options", &["delivery-options"], "{}")
        .plugin(
            "discount-coupons",
            &["coupons", "customers", "discounts", "messages", "state", "state-write"],
            "{}",
        )
        .plugin(
            "loyalty-messages",
            &["customers", "labels", "messages", "points", "state", "state-write", "timers"],
            "{}",
        )
        .plugin("order-updates", &["customers", "messages", "orders", "state", "state-write", "timers"], "{}")
        .start()
        .await
}

/// All of it, page by page, oldest first.
async fn story(world: &World, path: &str, page: usize) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut before = String::new();
    loop {
        let found = world.get(&format!("{path}?limit={page}{before}")).await.json(200);
        entries.extend(found["entries"].as_array().unwrap().iter().cloned());
        match found["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    entries.reverse();
    entries
}

/// An entry in a line.
fn told(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let what = match entry["kind"].as_str().unwrap() {
        "event" => text("hook"),
        "quote" => format!("promised {}", text("option")),
        "message" => format!("{} {}", text("template"), text("state")),
        "coupon_used" => format!("used {}", if entry["over_limit"] == true { "over" } else { "well" }),
        "points" => format!("{:+} points", entry["delta"].as_i64().unwrap()),
        "label" => format!("{}={}", text("key"), text("value")),
        "timer" => format!("timer {}", text("plugin")),
        kind => kind.replace('_', " "),
    };
    format!("{} {what}", &text("at")[5..16])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_whole_life_is_told_in_order() {
    let world = shop().await;
    let lines = [line("1", "mug", 2, 4_900)];
    let question = json!({ "cart": cart(&lines), "customer_id": "c-anna" });
    let offered = world.post("/v1/hooks/checkout", &question).await.json(200);
    let chosen = &offered["delivery_options"][0];

    let mut first = order_placed("1", NOW, &lines);
    first["order"]["quote"] = chosen["quote"].clone();
    first["order"]["delivery"] = json!(null);
    // She takes no marketing: the coupon is hers, and the message that tells of it is dropped.
    first["customer"]["consents"][0]["granted"] = json!(false);
    world.event("order-placed", "e1", &first).await.json(202);
    world.settle().await;
    world.later(20 * MINUTE).await;

    let before = story(&world, "/v1/orders/1/timeline", 50).await;
    let coupon = before.iter().find(|entry| entry["kind"] == "coupon_issued").unwrap();
    let code = coupon["code"].as_str().unwrap();
    let reservation = json!({ "cart_id": "cart-2", "customer_id": "c-anna" });
    world.post(&format!("/v1/coupons/{code}/reservations"), &reservation).await.json(201);
    world.clock.advance(MINUTE);
    let mut second = order_placed("2", "2026-11-30T09:21:00Z", &[line("1", "tea", 1, 3_500)]);
    second["order"]["cart_id"] = json!("cart-2");
    second["order"]["codes"] = json!([code]);
    second["customer"]["consents"][0]["granted"] = json!(false);
    world.event("order-placed", "e2", &second).await.json(202);
    world.settle().await;
    world.later(HOUR_MS).await;
    world.event("order-cancelled", "e3", &json!({ "order_id": "2" })).await.json(202);
    world.settle().await;

    world.later(5 * HOUR_MS).await;
    world.event("order-shipped", "e4", &shipped("1", "s1", "2026-11-30T15:20:00Z")).await.json(202);
    world.settle().await;
    world.later(DAY_MS).await;
    let delivered = update("1", "s1", "delivered", "2026-12-01T15:20:00Z");
    world.event("order-delivered", "e5", &delivered).await.json(202);
    world.settle().await;
    world.later(2 * HOUR_MS).await;
    world.later(22 * HOUR_MS).await;

    let of_first = story(&world, "/v1/orders/1/timeline", 50).await;
    assert_eq!(
        of_first.iter().map(told).collect::<Vec<_>>(),
        [
            "11-30T09:00 promised delivery-options/economy",
            "11-30T09:00 order-placed",
            "11-30T09:00 coupon issued",
            "11-30T09:00 +98 points",
            "11-30T09:00 timer loyalty-messages",
            "11-30T09:00 confirmation sent",
            "11-30T09:20 today dropped",
            "11-30T15:21 order-shipped",
            "11-30T15:21 shipped sent",
            "12-01T15:21 order-delivered",
            "12-01T15:21 coupon issued",
            "12-01T15:21 delivered sent",
            "12-01T17:21 next dropped",
            "12-02T15:21 check-in sent",
        ]
    );
    assert_eq!(of_first[0]["arrival"], chosen["arrival"], "{}", of_first[0]);
    let dropped = of_first.iter().find(|entry| entry["template"] == "today").unwrap();
    assert!(dropped["reason"].as_str().unwrap().contains("consent"), "{dropped}");

    let of_second = story(&world, "/v1/orders/2/timeline", 50).await;
    let hers = ["coupon_reserved", "event", "coupon_used", "coupon_released", "points"];
    let of_second = of_second.iter().filter(|entry| hers.contains(&entry["kind"].as_str().unwrap()));
    assert_eq!(
        of_second.map(told).collect::<Vec<_>>(),
        [
            "11-30T09:20 coupon reserved",
            "11-30T09:21 order-placed",
            "11-30T09:21 used well",
            "11-30T09:21 +35 points",
            "11-30T10:21 order-cancelled",
            "11-30T10:21 coupon released",
            "11-30T10:21 -35 points",
        ]
    );

    let of_anna = story(&world, "/v1/customers/c-anna/timeline", 200).await;
    assert_eq!(story(&world, "/v1/customers/c-anna/timeline", 3).await, of_anna);
    assert!(of_first.iter().all(|entry| of_anna.contains(entry)), "{of_anna:#?}");
    assert!(of_anna.iter().any(|entry| entry["order_id"] == "2" && entry["kind"] == "coupon_used"));
    let text = serde_json::to_string(&of_anna).unwrap();
    for detail in ["anna.zielinska", "Zieli", "601 234 567"] {
        assert!(!text.contains(detail), "{detail} is in {text}");
    }

    let ledger = world.get("/v1/customers/c-anna/points?limit=2").await.json(200);
    assert_eq!((&ledger["points"], &ledger["points_owed"]), (&json!(98), &json!(0)));
    let lines: Vec<_> =
        ledger["entries"].as_array().unwrap().iter().map(|line| (&line["delta"], &line["balance"])).collect();
    assert_eq!(lines, [(&json!(-35), &json!(98)), (&json!(35), &json!(133))]);
    let rest = format!("/v1/customers/c-anna/points?before={}", ledger["next"].as_str().unwrap());
    assert_eq!(world.get(&rest).await.json(200)["entries"][0]["balance"], 98);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_history_and_what_is_no_page_is_a_clear_problem() {
    let world = Setup::new().start().await;
    for path in ["/v1/orders/1/timeline", "/v1/customers/1/timeline", "/v1/customers/1/points"] {
        assert_eq!(world.get(path).await.json(404)["type"], "/problems/not-found", "{path}");
        for query in ["before=x", "before=", "limit=many", "after=x"] {
            let problem = world.get(&format!("{path}?{query}")).await.json(400);
            assert_eq!(problem["type"], "/problems/invalid-request", "{path}?{query}");
        }
        let browser = world.client.get(world.url(path)).bearer_auth(&world.publishable_key);
        assert_eq!(world.send(browser).await.status, 403, "{path}");
    }
    // An event that waits for an order which never came is told too.
    world.event("order-shipped", "e1", &shipped("7", "s1", NOW)).await.json(202);
    let story = world.get("/v1/orders/7/timeline").await.json(200);
    assert_eq!(
        (&story["entries"][0]["hook"], &story["entries"][0]["state"]),
        (&json!("order-shipped"), &json!("held"))
    );
    assert_eq!(story["entries"].as_array().unwrap().len(), 1);
}
