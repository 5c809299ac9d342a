//! What goes wrong around a host: its disk, its database, its clock. The table in `tests/README.md` says what must
//! hold; each of its lines has a scenario here.

mod clock;
#[cfg(target_os = "linux")]
mod process;
mod sqlite_damage;
#[cfg(target_os = "linux")]
mod sqlite_disk;
mod sqlite_held;
mod with_postgres;

use std::time::{Duration, Instant};

use harness::{Answer, Setup, World};
use serde_json::{Value, json};

use crate::goods::{cart, line, order_placed};

const NOW: &str = "2026-11-30T09:00:00Z";

/// A plugin that counts orders, and the shop's own delivery options.
fn setup() -> Setup {
    let fallback = "[[fallback]]\nid = \"post\"\ntitle = \"Post\"\nprice = 499\nworking_days = [1, 2]";
    Setup::new().host("[http]\nrequests_per_second = 100000\n").shop(fallback).plugin(
        "counter",
        &["state", "state-write"],
        "{}",
    )
}

fn order(id: usize) -> Value {
    order_placed(&id.to_string(), NOW, &[line("1", "mug", 1, 100)])
}

async fn report(world: &World, id: usize) -> Answer {
    world.event("order-placed", &format!("order-{id}"), &order(id)).await
}

/// Nothing was accepted, and the shop's backend is told so in the way that it can go by.
fn is_refused(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text);
    let seconds: u64 = answer.header("retry-after").expect("when to come again").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(answer.text.contains("Send the same request again"), "{}", answer.text);
}

/// A checkout is answered, whole.
async fn checkout_is_answered(world: &World) {
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = world.post("/v1/hooks/checkout", &body).await.json(200);
    assert_eq!(answer["delivery_options"][0]["title"], "Post", "{answer}");
    assert_eq!(answer["totals"]["total"], 599, "{answer}");
}

/// What the plugin counted.
async fn counted(world: &World) -> String {
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    answer["notices"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// Each of so many orders was worked on once, and no plugin was charged an attempt.
async fn all_is_done_once(world: &World, orders: usize) {
    let expected = format!("added {orders}, put {orders}");
    until("the orders are worked on", async || {
        if counted(world).await == expected {
            return Some(());
        }
        // A job that met the trouble rests for a while.
        world.clock.advance(1_000);
        world.host().lifecycle().wake();
        None
    })
    .await;
    for state in ["failed", "dead", "waiting", "running"] {
        let jobs = world.get(&format!("/v1/jobs?state={state}")).await.json(200);
        assert_eq!(jobs["jobs"], json!([]), "{state}");
    }
    let plugins = world.get("/v1/plugins").await.json(200);
    assert_eq!(plugins["plugins"][0]["breaker"]["state"], "closed", "{plugins}");
}

/// The sentence that `/readyz` says.
async fn not_ready(world: &World) -> String {
    assert_eq!(world.get("/healthz").await.status, 200, "a restart is no answer");
    let ready = world.get("/readyz").await.json(503);
    assert_eq!((&ready["ready"], &ready["database"]), (&json!(false), &json!(false)), "{ready}");
    ready["problem"].as_str().expect("what is wrong").to_owned()
}

async fn ready_again(world: &World) {
    until("the host is ready", async || (world.get("/readyz").await.status == 200).then_some(())).await;
}

/// What `look` finds, in a minute at most.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
