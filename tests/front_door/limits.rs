//! What a plugin may use, and what becomes of one that fails again and again.

use harness::{Setup, World};
use serde_json::{Value, json};

use crate::goods::{cart, line, order_placed};

const FAULTY: &[&str] = &["discounts", "state", "state-write"];
/// The pause of a breaker, and a little.
const PAUSE_MS: i64 = 30_001;

async fn ask(world: &World, product: &str) -> Value {
    let body = json!({ "cart": cart(&[line("1", product, 1, 4_900)]) });
    world.post("/v1/hooks/cart", &body).await.json(200)
}

/// The kind of the only warning; empty when there is none.
async fn kind(world: &World, product: &str) -> String {
    let answer = ask(world, product).await;
    answer["warnings"][0]["kind"].as_str().unwrap_or_default().to_owned()
}

async fn breaker(world: &World) -> Value {
    world.get("/v1/plugins").await.json(200)["plugins"][0]["breaker"].clone()
}

async fn shown(world: &World, state: &str) -> bool {
    let metrics = world.send(world.client.get(world.url("/metrics"))).await.text;
    // Of this shop; other scenarios of this run have theirs in the same place.
    metrics.lines().any(|line| {
        line.starts_with("cartwright_plugin_breaker{")
            && line.contains("shop=\"demo\"")
            && line.contains("plugin=\"faulty\"")
            && line.contains(&format!("state=\"{state}\""))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_keeps_failing_is_left_alone_then_tried_then_heard_again() {
    let world = Setup::new().plugin_with("faulty", FAULTY, "settings = { fault = \"curse\" }").start().await;
    assert_eq!(breaker(&world).await, json!({ "state": "closed" }));
    for _ in 0..10 {
        assert_eq!(kind(&world, "curse").await, "err");
    }
    // What would be well is not called either.
    let answer = ask(&world, "mug").await;
    let warning = &answer["warnings"][0];
    assert_eq!(warning["kind"], "breaker-open", "{answer}");
    let message = warning["message"].as_str().unwrap();
    for part in
        ["since 2026-11-30T09:00:00Z", "10 of 10 calls within 30 s failed", "cursed", "2026-11-30T09:00:30Z"]
    {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
    let status = breaker(&world).await;
    assert_eq!(status["state"], "open", "{status}");
    assert_eq!(status["since"], "2026-11-30T09:00:00Z", "{status}");
    assert_eq!(status["tried_at"], "2026-11-30T09:00:30Z", "{status}");
    assert!(shown(&world, "open").await && shown(&world, "half-open").await && shown(&world, "closed").await);

    // Tried, and it fails: the same trouble still.
    world.clock.advance(PAUSE_MS);
    assert_eq!(kind(&world, "curse").await, "err");
    assert_eq!(kind(&world, "mug").await, "breaker-open");
    assert_eq!(breaker(&world).await["since"], "2026-11-30T09:00:00Z");

    // Tried, and it works: three times, then it is heard as before.
    world.clock.advance(PAUSE_MS);
    assert_eq!(kind(&world, "mug").await, "");
    assert_eq!(breaker(&world).await["state"], "half-open");
    assert_eq!(kind(&world, "mug").await, "");
    assert_eq!(kind(&world, "mug").await, "");
    assert_eq!(breaker(&world).await, json!({ "state": "closed" }));
    assert_eq!(kind(&world, "curse").await, "err");
    assert_eq!(kind(&world, "mug").await, "", "once is not often");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_answer_stands_in_for_a_plugin_that_is_left_alone() {
    let entry = "settings = { fault = \"curse\" }\non_late = \"last-good\"";
    let world = Setup::new().plugin_with("faulty", FAULTY, entry).start().await;
    let good = ask(&world, "mug").await;
    for _ in 0..10 {
        ask(&world, "curse").await;
    }
    let answer = ask(&world, "mug").await;
    assert_eq!(answer["discounts"], good["discounts"], "{answer}");
    let message = answer["warnings"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("its last good answer stands in: its breaker is open since"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_changed_is_heard_at_once() {
    let world = Setup::new().plugin_with("faulty", FAULTY, "settings = { fault = \"err\" }").start().await;
    for _ in 0..10 {
        ask(&world, "mug").await;
    }
    assert_eq!(kind(&world, "mug").await, "breaker-open");
    let shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    world.write("shops/demo.toml", shop.replace("\"err\"", "\"none\""));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(kind(&world, "mug").await, "");
    assert_eq!(breaker(&world).await, json!({ "state": "closed" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_plugin_that_is_left_alone_wait_and_no_attempt_is_counted() {
    let world = Setup::new()
        .host("[breaker]\nprobes = 1\n")
        .plugin_with("faulty", FAULTY, "settings = { fault = \"curse\" }")
        .start()
        .await;
    let order =
        |id: &str, product: &str| order_placed(id, "2026-11-30T09:00:00Z", &[line("1", product, 1, 4_900)]);
    for number in 0..10 {
        let id = format!("cursed-{number}");
        world.event("order-placed", &id, &order(&id, "curse")).await.json(202);
    }
    world.settle().await;
    assert_eq!(breaker(&world).await["state"], "open");
    world.event("order-placed", "good", &order("good", "mug")).await.json(202);
    world.settle().await;
    let good = async |state: &str| {
        let jobs = world.get(&format!("/v1/jobs?limit=100&state={state}")).await.json(200);
        let mut jobs = jobs["jobs"].as_array().unwrap().iter();
        jobs.find(|job| job["order_id"] == "good").unwrap_or_else(|| panic!("it is not {state}")).clone()
    };
    assert_eq!(good("waiting").await["attempts"], 0);
    world.later(PAUSE_MS).await;
    assert_eq!(good("done").await["attempts"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_passed_is_named_with_its_value_and_where_to_change_it() {
    let entry = "settings = { fault = \"loop\" }\nlimits = { decision_cpu_ms = 20 }";
    let world = Setup::new().plugin_with("faulty", FAULTY, entry).start().await;
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart?explain=true", &body).await.json(200);
    let warning = &answer["warnings"][0];
    assert_eq!(warning["kind"], "limit", "{answer}");
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("passed limits.decision_cpu_ms = 20; set it with `limits = {"), "{message}");
    assert!(answer["explain"].to_string().contains("limits.decision_cpu_ms = 20"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_raises_a_limit_only_as_far_as_its_host_allows() {
    let limit = |mib: u32| format!("settings = {{ fault = \"none\" }}\nlimits = {{ memory_mib = {mib} }}");
    let world = Setup::new()
        .host("[limits.maximum]\nmemory_mib = 48\n")
        .plugin_with("faulty", FAULTY, &limit(48))
        .start()
        .await;
    assert_eq!(kind(&world, "mug").await, "");
    let shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    world.write("shops/demo.toml", shop.replace("memory_mib = 48", "memory_mib = 64"));
    let problems = world.reload().await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    for part in ["limits: ", "`memory_mib` = 64 is more than this host allows; 48 is the most", "stays live"]
    {
        assert!(problems[0].contains(part), "no `{part}` in {}", problems[0]);
    }
    assert_eq!(kind(&world, "mug").await, "");
}
