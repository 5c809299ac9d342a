//! Decisions: whatever a plugin does, the shopper gets an answer that adds up.

use harness::{Setup, World};
use serde_json::{Value, json};

use crate::goods::{cart, line, order_placed, products};

const FALLBACK: &str = r#"fallback = [{ id = "post", title = "Post", price = 990, working_days = [2, 4] }]"#;

const FAULTY: &[&str] = &["discounts", "state-write"];
const STAMP: &[&str] = &["delivery-options"];

async fn ask(world: &World, hook: &str, body: Value) -> Value {
    let answer = world.post(&format!("/v1/hooks/{hook}"), &body).await;
    answer.json(200)
}

fn shirt_and_mug() -> Value {
    cart(&[line("1", "shirt", 1, 19_900), line("2", "mug", 3, 4_900)])
}

/// Every sum of an answer, as a shopper with a pencil would check it.
pub fn adds_up(answer: &Value) {
    let totals = &answer["totals"];
    let number = |name: &str| totals[name].as_i64().unwrap_or_else(|| panic!("no {name}: {answer}"));
    for name in ["subtotal", "discount", "tax", "total"] {
        assert!(number(name) >= 0, "{name} is negative: {answer}");
    }
    assert!(number("discount") <= number("subtotal"), "{answer}");
    for discount in answer["discounts"].as_array().unwrap() {
        let parts: i64 = discount["allocations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(parts, discount["amount"]["amount"].as_i64().unwrap(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_one_plugin_does_the_others_still_answer() {
    for fault in ["err", "trap", "loop", "memory", "write"] {
        let world = Setup::new()
            .plugin_with("faulty", FAULTY, &format!("settings = {{ fault = \"{fault}\" }}"))
            .plugin_with("stamp-one", STAMP, "settings = { mark = \"a\" }")
            .start()
            .await;
        let answer = ask(&world, "checkout", json!({ "cart": shirt_and_mug() })).await;
        assert_eq!(answer["delivery_options"][0]["title"], "one a", "{fault}: {answer}");
        assert_eq!(answer["sections"]["discounts"], "partial", "{fault}: {answer}");
        assert_eq!(answer["sections"]["delivery_options"], "complete", "{fault}: {answer}");
        assert_eq!(answer["warnings"][0]["plugin"], "faulty", "{fault}: {answer}");
        assert_eq!(answer["discounts"], json!([]), "{fault}: {answer}");
        adds_up(&answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_late_plugin_is_the_merchants_choice() {
    let mut world = Setup::new()
        .plugin_with("faulty", FAULTY, "settings = { fault = \"none\" }\non_late = \"last-good\"")
        .start()
        .await;
    let body = json!({ "cart": shirt_and_mug() });
    let good = ask(&world, "cart", body.clone()).await;
    assert_eq!(good["discounts"][0]["amount"]["amount"], 100, "{good}");
    let shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    world.write("shops/demo.toml", shop.replace("last-good", "fail").replace("\"none\"", "\"err\""));
    assert_eq!(world.reload().await, Vec::<String>::new());
    let failed = ask(&world, "cart", body.clone()).await;
    assert_eq!(failed["sections"]["discounts"], "failed", "{failed}");
    world.edit(|setup| setup);
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(ask(&world, "cart", body).await["sections"]["discounts"], "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_plugin_makes_nothing_negative() {
    let world = Setup::new()
        .shop(FALLBACK)
        .plugin_with("faulty", FAULTY, "settings = { fault = \"greedy\" }")
        .start()
        .await;
    for inclusive in [true, false] {
        let mut cart = shirt_and_mug();
        cart["prices_include_tax"] = json!(inclusive);
        cart["tax"] = json!(6_470);
        let answer = ask(&world, "checkout", json!({ "cart": cart })).await;
        adds_up(&answer);
        assert_eq!(answer["totals"]["discount"], 34_600, "no more than the goods cost: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nothing_is_offered_the_shops_own_options_stand_in() {
    let world = Setup::new().shop(FALLBACK).start().await;
    let answer = ask(&world, "checkout", json!({ "cart": shirt_and_mug() })).await;
    let option = &answer["delivery_options"][0];
    assert_eq!(option["title"], "Post", "{answer}");
    assert_eq!(option["price"]["amount"], 990, "{answer}");
    assert_eq!(option["arrival"], json!({ "earliest": "2026-12-02", "latest": "2026-12-04" }), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_tells_what_became_of_each_proposal() {
    let world = Setup::new()
        .plugin_with("faulty", FAULTY, "settings = { fault = \"greedy\" }")
        .plugin_with("stamp-one", STAMP, "settings = { mark = \"a\" }")
        .start()
        .await;
    let plain = ask(&world, "checkout", json!({ "cart": shirt_and_mug() })).await;
    assert!(plain.get("explain").is_none(), "{plain}");
    let answer = ask(&world, "checkout?explain=true", json!({ "cart": shirt_and_mug() })).await;
    let trace = answer["explain"].to_string();
    for expected in ["faulty", "stamp-one", "0.1.0", "greedy", "pricing", "delivery"] {
        assert!(trace.contains(expected), "no `{expected}` in {trace}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_be_kept_until_it_changes() {
    let world = Setup::new().plugin_with("stamp-one", STAMP, "settings = { mark = \"a\" }").start().await;
    world.catalogue(&products()).await;
    let url = world.url("/v1/hooks/product-page?product=mug");
    let get = || world.client.get(&url).bearer_auth(&world.secret_key);
    let first = world.send(get()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let tag = first.header("etag").expect("an ETag").to_owned();
    let second = world.send(get().header("If-None-Match", &tag)).await;
    assert_eq!(second.status, 304, "{}", second.text);
    assert!(second.text.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_comes_back_with_the_order_only_by_its_quote() {
    let world = Setup::new().shop(FALLBACK).start().await;
    let answer = ask(&world, "checkout", json!({ "cart": shirt_and_mug() })).await;
    let option = &answer["delivery_options"][0];
    let quote = option["quote"].as_str().expect("a quote").to_owned();
    let mut forged = quote.clone().into_bytes();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    for (id, quote, promised) in
        [("1", quote, Some("2026-12-04")), ("2", String::from_utf8(forged).unwrap(), None)]
    {
        let mut order = order_placed(
            id,
            "2026-11-30T09:00:00Z",
            &[line("1", "shirt", 1, 19_900), line("2", "mug", 3, 4_900)],
        );
        order["order"]["cart_id"] = json!("cart-1");
        order["order"]["quote"] = json!(quote);
        order["order"]["delivery"] = json!({ "id": option["id"], "title": option["title"], "price": 990 });
        world.event("order-placed", id, &order).await.json(202);
        world.settle().await;
        let stored = world.get(&format!("/v1/orders/{id}")).await.json(200).to_string();
        match promised {
            Some(date) => assert!(stored.contains(date), "{stored}"),
            None => assert!(!stored.contains("\"latest\""), "{stored}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_party_plugins_answer_in_the_shoppers_language() {
    let world = Setup::new()
        .plugin("delivery-options", &["delivery-options"], "{}")
        .plugin("cross-sell", &["catalog", "customers", "messages", "orders", "state", "state-write"], "{}")
        .start()
        .await;
    world.catalogue(&products()).await;
    let mut carts = Vec::new();
    for locale in ["en", "pl"] {
        let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]), "locale": locale });
        let answer = ask(&world, "checkout", body).await;
        assert_eq!(answer["locale"], locale, "{answer}");
        let options = answer["delivery_options"].as_array().unwrap();
        assert!(!options.is_empty(), "{answer}");
        for option in options {
            assert!(
                option["price"]["text"].as_str().unwrap().contains("zł")
                    || option["price"]["text"].as_str().unwrap().contains("PLN"),
                "{answer}"
            );
            assert!(option["arrival_text"].is_string(), "{answer}");
            assert!(option["quote"].is_string(), "{answer}");
        }
        let recommended: Vec<&str> = answer["recommendations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| item["product"].as_str())
            .collect();
        assert!(recommended.contains(&"tea"), "the merchant's pair: {answer}");
        assert!(!recommended.contains(&"mug") && !recommended.contains(&"poster"), "{answer}");
        carts.push(answer["delivery_options"][0]["title"].as_str().unwrap().to_owned());
    }
    assert_ne!(carts[0], carts[1], "two languages");
}
