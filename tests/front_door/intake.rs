//! Many events in one request, and what happens when there is too much to do.

use harness::{Answer, Setup, World, project};
use serde_json::{Value, json};

use crate::goods::{cart, line, order_placed, shipped};

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];
const NOW: &str = "2026-11-30T09:00:00Z";

async fn shop() -> World {
    Setup::new().plugin("order-updates", UPDATES, "{}").start().await
}

fn an_order(id: &str) -> Value {
    order_placed(id, NOW, &[line("1", "mug", 2, 4_900)])
}

fn a_line(hook: &str, id: &str, data: &Value) -> String {
    json!({ "hook": hook, "id": id, "data": data }).to_string()
}

async fn events(world: &World, kind: &str, body: String) -> Answer {
    let request = world.client.post(world.url("/v1/events")).bearer_auth(&world.secret_key);
    world.send(request.header("Content-Type", kind).body(body)).await
}

async fn lines(world: &World, lines: &[String]) -> Value {
    events(world, "application/x-ndjson", lines.join("\n")).await.json(200)
}

fn statuses(results: &Value) -> Vec<i64> {
    let results = results["results"].as_array().unwrap();
    results.iter().map(|result| result["status"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_answered_in_its_place_and_a_bad_one_loses_no_other() {
    let world = shop().await;
    let sent = [
        a_line("order-placed", "e1", &an_order("1001")),
        a_line("order-shipped", "e2", &shipped("1001", "s1", NOW)),
        "{ this is no JSON".to_owned(),
        String::new(),
        a_line("order-placed", "e3", &json!({ "order": { "id": "1002" } })),
        a_line("order-placed", "e1", &an_order("1003")),
        a_line("order-placed", "e4", &an_order("1004")),
    ];
    let results = lines(&world, &sent).await;
    assert_eq!(statuses(&results), [202, 202, 400, 400, 409, 202], "{results}");
    let places: Vec<_> = results["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["line"].as_i64().unwrap())
        .collect();
    assert_eq!(places, [1, 2, 3, 5, 6, 7]);
    assert_eq!(
        (&results["accepted"], &results["duplicates"], &results["refused"]),
        (&json!(3), &json!(0), &json!(3))
    );
    assert_eq!(results["results"][2]["problem"]["type"], "/problems/malformed-json");
    let path = results["results"][3]["problem"]["errors"][0]["path"].as_str().unwrap();
    assert!(path.starts_with("data.order"), "{path}");
    assert_eq!(results["results"][4]["event_id"], results["results"][0]["event_id"], "the one that was kept");
    world.settle().await;
    assert_eq!(world.mails().len(), 3, "two confirmations and a dispatch: {:?}", world.subjects());
    assert_eq!(world.get("/v1/orders/1002").await.status, 404);
    assert_eq!(world.get("/v1/orders/1003").await.status, 404);

    // All of it may be sent again.
    let again = lines(&world, &sent).await;
    assert_eq!(statuses(&again), [200, 200, 400, 400, 409, 200], "{again}");
    world.settle().await;
    assert_eq!(world.mails().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_and_its_own_path_know_one_event() {
    let world = shop().await;
    let alone = world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    let results = lines(&world, &[a_line("order-placed", "e1", &an_order("1001"))]).await;
    assert_eq!((statuses(&results), &results["results"][0]["event_id"]), (vec![200], &alone["event_id"]));
}

fn cloud_event(id: &str, hook: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "type": format!("example.grove.{hook}"), "source": "/shop/backend", "id": id,
        "time": NOW, "datacontenttype": "application/json", "data": data,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_events_come_alone_and_in_batches() {
    let world = shop().await;
    let one =
        |event: &Value| events(&world, "application/cloudevents+json; charset=utf-8", event.to_string());
    let first = cloud_event("7", "order-placed", &an_order("1001"));
    let accepted = one(&first).await.json(202);
    assert_eq!(one(&first).await.json(200), json!({ "event_id": accepted["event_id"], "duplicate": true }));
    let other = one(&cloud_event("7", "order-placed", &an_order("1002"))).await.json(409);
    assert_eq!(other["event_id"], accepted["event_id"]);
    let old = one(&json!({ "specversion": "0.3", "type": "x", "source": "/", "id": "8" })).await.json(400);
    assert_eq!(old["errors"][0]["path"], "specversion");
    // The same event in HTTP's binary mode, at its hook's own path.
    let binary = world
        .client
        .post(world.url("/v1/hooks/order-placed"))
        .bearer_auth(&world.secret_key)
        .header("ce-id", "7")
        .header("ce-source", "/shop/backend")
        .json(&an_order("1001"));
    assert_eq!(world.send(binary).await.json(200)["event_id"], accepted["event_id"]);

    let batch = json!([
        cloud_event("9", "order-shipped", &shipped("1001", "s1", NOW)),
        cloud_event("10", "order-eaten", &json!({})),
        first,
    ]);
    let results = events(&world, "application/cloudevents-batch+json", batch.to_string()).await.json(200);
    assert_eq!(statuses(&results), [202, 400, 200], "{results}");
    assert_eq!(results["results"][1]["problem"]["errors"][0]["path"], "type");
    world.settle().await;
    assert_eq!(world.mails().len(), 2, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_of_events_is_refused_whole() {
    let world = Setup::new().host("[http]\nbody_bytes = 100000\n").start().await;
    let order = a_line("order-placed", "e1", &an_order("1001"));
    for (kind, body, status, problem) in [
        ("application/json", order.clone(), 415, "unsupported-media-type"),
        ("application/cloudevents-batch+json", "{}".to_owned(), 400, "invalid-body"),
        ("application/cloudevents-batch+json", format!("[{order}"), 400, "malformed-json"),
        ("application/x-ndjson", format!("{order}\n{}", "1\n".repeat(10_000)), 413, "too-large"),
        ("application/x-ndjson", format!("{order}\n{}", " ".repeat(100_000)), 413, "too-large"),
    ] {
        let refused = events(&world, kind, body).await.json(status);
        assert_eq!(refused["type"], format!("/problems/{problem}"), "{kind}");
    }
    assert_eq!(world.get("/v1/orders/1001").await.status, 404, "nothing was stored");
    let publishable = world.client.post(world.url("/v1/events")).bearer_auth(&world.publishable_key);
    let request = publishable.header("Content-Type", "application/x-ndjson").body(order);
    assert_eq!(world.send(request).await.json(403)["type"], "/problems/secret-key-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_in_one_request_are_all_worked_on() {
    let world = Setup::new().plugin("counter", &["state", "state-write"], "{}").start().await;
    let sent: Vec<String> = (0..400)
        .map(|n| a_line("order-placed", &format!("e{n}"), &an_order(&format!("{}", 5_000 + n))))
        .collect();
    let results = lines(&world, &sent).await;
    assert_eq!(results["accepted"], 400, "{results}");
    world.settle().await;
    let answer = world.post("/v1/hooks/cart", &json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) })).await;
    assert_eq!(answer.json(200)["notices"][0]["text"], "added 400, put 400");
}

fn woocommerce_order() -> Vec<u8> {
    let bytes = std::fs::read(project().join("tests/fixtures/woocommerce/order.json")).unwrap();
    let mut order: Value = serde_json::from_slice(&bytes).unwrap();
    for name in ["date_created", "date_created_gmt", "date_modified", "date_modified_gmt"] {
        order[name] = json!("2026-11-30T08:55:00");
    }
    order["currency"] = json!("PLN");
    order.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_much_open_api_clients_are_told_to_come_back_and_platforms_are_not() {
    let world = Setup::new()
        .host("[limits]\nopen_jobs_per_shop = 3\n[http]\nrequests_per_second = 1000000\n")
        .plugin("order-updates", UPDATES, "{}")
        .start()
        .await;
    for id in ["1001", "1002", "1003"] {
        world.event("order-placed", id, &an_order(id)).await.json(202);
    }
    let refused = world.event("order-placed", "1004", &an_order("1004")).await;
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    let problem = refused.json(503);
    assert_eq!(problem["type"], "/problems/overloaded");
    assert!(problem["detail"].as_str().unwrap().contains("open_jobs_per_shop"), "{problem}");
    assert_eq!(world.get("/v1/orders/1004").await.status, 404, "nothing of it is stored");
    let answer =
        events(&world, "application/x-ndjson", a_line("order-placed", "1004", &an_order("1004"))).await;
    assert!(answer.header("retry-after").is_some());
    assert_eq!(statuses(&answer.json(200)), [503]);

    // What does not come again is taken, and nobody waits for a decision.
    let platform = world.woocommerce("order.created", &woocommerce_order()).await.json(200);
    assert_eq!(platform["outcome"], "accepted", "{platform}");
    let question = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    world.post("/v1/hooks/checkout", &question).await.json(200);

    world.settle().await;
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let answer = world.event("order-placed", "1004", &an_order("1004")).await;
        if answer.status == 202 {
            break;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(std::time::Instant::now() < patience, "nobody sees that the queue is empty");
    }
    world.settle().await;
    assert_eq!(world.mails().len(), 5, "{:?}", world.subjects());
}
