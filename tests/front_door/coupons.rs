//! Coupons that hold: reserved by one cart, used by one order, and not a minute longer than they say.

use futures::future::join_all;
use harness::{Answer, HOUR_MS, Setup, World, at, project};
use serde_json::{Value, json};

use crate::goods::{anna, cart, line, order_placed};

const COUPONS: &[&str] = &["coupons", "customers", "discounts", "messages", "state", "state-write"];
const NOW: &str = "2026-11-30T09:00:00Z";
const MINUTE: i64 = 60_000;

async fn shop() -> World {
    Setup::new().plugin("discount-coupons", COUPONS, "{}").start().await
}

/// Anna orders, and the code of the coupon that she gets for it.
async fn earned(world: &World, order: &str) -> String {
    world
        .event("order-placed", order, &order_placed(order, NOW, &[line("1", "mug", 2, 4_900)]))
        .await
        .json(202);
    world.settle().await;
    issued(world, order).await
}

async fn issued(world: &World, order: &str) -> String {
    let story = world.get(&format!("/v1/orders/{order}/timeline")).await.json(200);
    let entries = story["entries"].as_array().unwrap();
    let coupon = entries.iter().find(|entry| entry["kind"] == "coupon_issued");
    coupon.unwrap_or_else(|| panic!("{story}"))["code"].as_str().unwrap().to_owned()
}

async fn reserve(world: &World, code: &str, cart: &str) -> Answer {
    let body = json!({ "cart_id": cart, "customer_id": "c-anna" });
    world.post(&format!("/v1/coupons/{code}/reservations"), &body).await
}

async fn release(world: &World, code: &str, cart: &str) -> u16 {
    let url = world.url(&format!("/v1/coupons/{code}/reservations/{cart}"));
    world.send(world.client.delete(url).bearer_auth(&world.secret_key)).await.status
}

/// What the cart's answer says of the code.
async fn entered(world: &World, code: &str, cart_id: &str, customer: Option<&str>, locale: &str) -> Value {
    let mut cart = cart(&[line("1", "mug", 2, 4_900)]);
    cart["id"] = json!(cart_id);
    cart["codes"] = json!([{ "code": code }]);
    let question = json!({ "cart": cart, "customer_id": customer, "locale": locale });
    world.post("/v1/hooks/cart", &question).await.json(200)["codes"][0].clone()
}

async fn status(world: &World, code: &str, cart_id: &str) -> String {
    entered(world, code, cart_id, Some("c-anna"), "en").await["status"].as_str().unwrap().to_owned()
}

/// The next order of Anna's, with a cart and codes.
fn order_with(id: &str, cart: Option<&str>, codes: &[&str]) -> Value {
    let mut body = order_placed(id, NOW, &[line("1", "tea", 1, 3_500)]);
    body["order"]["cart_id"] = json!(cart);
    body["order"]["codes"] = json!(codes);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_carts_at_once_exactly_one_gets_a_single_use_code() {
    let world = shop().await;
    let code = earned(&world, "1").await;
    let carts: Vec<String> = (0..100).map(|index| format!("cart-{index}")).collect();
    let answers = join_all(carts.iter().map(|cart| reserve(&world, &code, cart))).await;
    let winners: Vec<&String> =
        carts.iter().zip(&answers).filter(|(_, answer)| answer.status == 201).map(|(cart, _)| cart).collect();
    assert_eq!(winners.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json(409);
        assert_eq!(
            (&problem["type"], &problem["reason"]),
            (&json!("/problems/coupon-refused"), &json!("reserved"))
        );
    }
    assert_eq!(status(&world, &code, winners[0]).await, "applied");
    let loser = if winners[0] == "cart-1" { "cart-2" } else { "cart-1" };
    assert_eq!(status(&world, &code, loser).await, "used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_renewed_released_over_in_time_and_used_by_its_order() {
    let world = shop().await;
    let code = earned(&world, "1").await;
    let first = reserve(&world, &code, "a").await.json(201);
    assert_eq!(first["expires_at"], "2026-11-30T09:15:00Z");
    world.later(10 * MINUTE).await;
    assert_eq!(
        reserve(&world, &code.to_lowercase(), "a").await.json(200)["expires_at"],
        "2026-11-30T09:25:00Z"
    );
    assert_eq!(release(&world, &code, "b").await, 404);
    assert_eq!(release(&world, &code, "a").await, 204);
    assert_eq!(release(&world, &code, "a").await, 404);

    reserve(&world, &code, "b").await.json(201);
    assert_eq!(status(&world, &code, "a").await, "used");
    world.later(15 * MINUTE).await;
    assert_eq!(status(&world, &code, "a").await, "applied");

    reserve(&world, &code, "a").await.json(201);
    world.event("order-placed", "2", &order_with("2", Some("a"), &[&code])).await.json(202);
    let shown = world.get(&format!("/v1/coupons/{code}")).await.json(200);
    assert_eq!(
        (&shown["used"], &shown["over_limit"], &shown["reason"]),
        (&json!(1), &json!(0), &json!("used-up"))
    );
    assert_eq!(shown["uses"][0]["order_id"], "2");
    assert_eq!(shown["reservations"], json!([]));
    assert_eq!(reserve(&world, &code, "a").await.json(409)["reason"], "used-up");

    world.event("order-cancelled", "3", &json!({ "order_id": "2" })).await.json(202);
    assert_eq!(status(&world, &code, "c").await, "applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_beaten_stands_and_the_merchant_hears_of_it() {
    let world = shop().await;
    let code = earned(&world, "1").await;
    reserve(&world, &code, "slow").await.json(201);
    world.later(20 * MINUTE).await;
    reserve(&world, &code, "fast").await.json(201);
    world.event("order-placed", "2", &order_with("2", Some("fast"), &[&code])).await.json(202);
    world.event("order-placed", "3", &order_with("3", Some("slow"), &[&code])).await.json(202);
    world.get("/v1/orders/3").await.json(200);
    let shown = world.get(&format!("/v1/coupons/{code}")).await.json(200);
    assert_eq!((&shown["used"], &shown["over_limit"]), (&json!(2), &json!(1)));
    let over = |order: &'static str| {
        let world = &world;
        async move {
            let story = world.get(&format!("/v1/orders/{order}/timeline")).await.json(200);
            let entries = story["entries"].as_array().unwrap().clone();
            entries.into_iter().find(|entry| entry["kind"] == "coupon_used").unwrap()["over_limit"].clone()
        }
    };
    assert_eq!((over("2").await, over("3").await), (json!(false), json!(true)));
    let metrics = world.get("/metrics").await.text;
    let counted =
        metrics.lines().find(|line| line.starts_with("cartwright_coupons_overused_total{shop=\"demo\"}"));
    assert!(counted.is_some(), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_lets_a_code_be_used_twice_is_found_out() {
    let world = shop().await;
    let code = earned(&world, "1").await;
    let bytes = std::fs::read(project().join("tests/fixtures/woocommerce/order.json")).unwrap();
    let mut order: Value = serde_json::from_slice(&bytes).unwrap();
    for name in ["date_created", "date_created_gmt", "date_modified", "date_modified_gmt"] {
        order[name] = json!("2026-11-30T08:55:00");
    }
    order["currency"] = json!("PLN");
    // As WooCommerce writes codes.
    order["coupon_lines"] = json!([{ "id": 3, "code": code.to_lowercase(), "discount": "0.00" }]);
    for id in [17, 18] {
        order["id"] = json!(id);
        order["number"] = json!(id.to_string());
        let answer = world.woocommerce("order.created", order.to_string().as_bytes()).await.json(200);
        assert_eq!(answer["outcome"], "accepted", "{answer}");
    }
    let shown = world.get(&format!("/v1/coupons/{code}")).await.json(200);
    assert_eq!((&shown["used"], &shown["over_limit"]), (&json!(2), &json!(1)), "{shown}");
    let over: Vec<_> =
        shown["uses"].as_array().unwrap().iter().filter(|each| each["over_limit"] == true).collect();
    assert_eq!(over.len(), 1, "{shown}");
    assert_eq!(over[0]["order_id"], "18");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_that_expires_today_ends_at_midnight_where_the_customer_is() {
    for (what, zone, ordered, midnight, says) in [
        (
            "a day of 25 hours",
            "America/New_York",
            "2026-11-01T04:30:00Z",
            "2026-11-02T05:00:00Z",
            "Sunday 1 November, 23:59",
        ),
        (
            "a day of 23 hours",
            "America/New_York",
            "2026-03-08T05:30:00Z",
            "2026-03-09T04:00:00Z",
            "Sunday 8 March, 23:59",
        ),
        (
            "a midnight that the clocks leave out",
            "America/Santiago",
            "2026-09-05T14:00:00Z",
            "2026-09-06T04:00:00Z",
            "Saturday 5 September, 23:59",
        ),
        (
            "a customer a day ahead of the shop",
            "Pacific/Auckland",
            "2026-11-30T12:00:00Z",
            "2026-12-01T11:00:00Z",
            "Tuesday 1 December, 23:59",
        ),
    ] {
        let world = Setup::new().at(ordered).plugin("discount-coupons", COUPONS, "{}").start().await;
        let mut body = order_placed("1", ordered, &[line("1", "mug", 2, 4_900)]);
        body["customer"]["zone"] = json!(zone);
        world.event("order-placed", "1", &body).await.json(202);
        world.settle().await;
        let code = issued(&world, "1").await;
        let shown = world.get(&format!("/v1/coupons/{code}")).await.json(200);
        assert_eq!(at(shown["expires_at"].as_str().unwrap()), at(midnight) - 1, "{what}");
        assert_eq!(shown["expires_text"], says, "{what}");
        world.clock.advance(at(midnight) - at(ordered) - MINUTE);
        assert_eq!(status(&world, &code, "c").await, "applied", "{what}");
        // Not even a reservation is longer.
        let held = reserve(&world, &code, "c").await.json(201);
        assert_eq!(held["expires_at"], shown["expires_at"], "{what}");
        world.clock.advance(MINUTE);
        let answer = entered(&world, &code, "c", Some("c-anna"), "en").await;
        assert_eq!((&answer["status"], &answer["reason"]), (&json!("expired"), &json!("expired")), "{what}");
        assert_eq!(answer["text"], format!("This code was valid until {says}."), "{what}");
        assert_eq!(reserve(&world, &code, "c").await.json(410)["type"], "/problems/coupon-expired", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_reads_why_a_code_does_not_help_in_their_language() {
    let settings = "{ today = { min_subtotal = { PLN = 200 } } }";
    let world = Setup::new().plugin("discount-coupons", COUPONS, settings).start().await;
    let code = earned(&world, "1").await;
    let small = entered(&world, &code, "c", Some("c-anna"), "pl").await;
    assert_eq!((&small["status"], &small["reason"]), (&json!("not-applied"), &json!("below-minimum")));
    assert_eq!(small["text"], "Ten kod działa przy zamówieniu od 200,00\u{a0}zł.");
    let nobody = entered(&world, &code, "c", None, "pl").await;
    assert_eq!((&nobody["status"], &nobody["reason"]), (&json!("used"), &json!("another-customer")));
    assert_eq!(nobody["text"], "To jest kod osobisty. Zaloguj się na konto, na które został wysłany.");
    reserve(&world, &code, "other").await.json(201);
    let held = entered(&world, &code, "c", Some("c-anna"), "en").await;
    assert_eq!((&held["status"], &held["reason"]), (&json!("used"), &json!("reserved")));
    assert!(held["text"].as_str().unwrap().contains("try again in a few minutes"), "{held}");
    let unknown = entered(&world, "MOON", "c", Some("c-anna"), "pl").await;
    assert_eq!((&unknown["status"], &unknown["reason"]), (&json!("unknown"), &json!("unknown")));
    assert_eq!(unknown["text"], "Nie znamy tego kodu lub nie dotyczy on tego koszyka.");
    let of_cart = world.get(&format!("/v1/coupons/{code}?cart_id=c&locale=pl")).await.json(200);
    assert_eq!((&of_cart["status"], &of_cart["reason"]), (&json!("used"), &json!("reserved")));
    assert!(of_cart["reason_text"].as_str().unwrap().contains("za kilka minut"), "{of_cart}");
    assert_eq!((&of_cart["text"], &of_cart["customer_id"]), (&json!("10% rabatu"), &anna()["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reserved_is_a_clear_problem() {
    let world = shop().await;
    let code = earned(&world, "1").await;
    let path = format!("/v1/coupons/{code}/reservations");
    for (what, body, field) in [
        ("no cart", json!({ "cart_id": "" }), "cart_id"),
        ("a control character", json!({ "cart_id": "a\r\nb" }), "cart_id"),
        ("a long cart", json!({ "cart_id": "x".repeat(256) }), "cart_id"),
        ("too short", json!({ "cart_id": "a", "ttl_seconds": 1 }), "ttl_seconds"),
        ("too long", json!({ "cart_id": "a", "ttl_seconds": 86_400 }), "ttl_seconds"),
    ] {
        let problem = world.post(&path, &body).await.json(422);
        assert_eq!(problem["errors"][0]["path"], field, "{what}: {problem}");
    }
    for body in
        [json!({}), json!({ "cart_id": "a", "ttl_seconds": -1 }), json!({ "cart_id": "a", "more": 1 })]
    {
        assert_eq!(world.post(&path, &body).await.json(400)["type"], "/problems/invalid-body", "{body}");
    }
    let nobodys = world.post(&path, &json!({ "cart_id": "a" })).await.json(409);
    assert_eq!(nobodys["reason"], "another-customer");
    let unknown = world.post("/v1/coupons/MOON/reservations", &json!({ "cart_id": "a" })).await.json(404);
    assert_eq!(unknown["reason"], "unknown");
    assert_eq!(world.get("/v1/coupons/MOON").await.json(404)["reason"], "unknown");
    let browser =
        world.client.get(world.url(&format!("/v1/coupons/{code}"))).bearer_auth(&world.publishable_key);
    assert_eq!(world.send(browser).await.status, 403);
    // Nothing of it holds the coupon.
    let shown = world.get(&format!("/v1/coupons/{code}")).await.json(200);
    assert_eq!(shown["reservations"], json!([]));
    reserve(&world, &code, "a").await.json(201);
    world.later(HOUR_MS).await;
    assert_eq!(world.get(&format!("/v1/coupons/{code}")).await.json(200)["reservations"], json!([]));
}
