//! Hot reload: what is broken leaves the old live, what is new is served whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::{Setup, World, plugin_files};
use serde_json::json;

use crate::goods::{cart, line, order_placed};

const STAMP: &[&str] = &["delivery-options"];
const NOW: &str = "2026-11-30T09:00:00Z";
const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];

async fn mark(world: &World) -> String {
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    let notice = answer["notices"][0]["text"].as_str().unwrap_or_default().to_owned();
    let option = answer["delivery_options"][0]["title"].as_str().unwrap_or_default();
    assert_eq!(notice, option, "one answer, one snapshot: {answer}");
    notice
}

fn stamp(version: &str) -> Vec<u8> {
    std::fs::read(plugin_files().join(format!("stamp_{version}.wasm"))).unwrap()
}

async fn stamped() -> World {
    let world = Setup::new().plugin_with("stamp-one", STAMP, "settings = { mark = \"a\" }").start().await;
    assert_eq!(mark(&world).await, "one a");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plugin_new_settings_and_a_new_shop_are_live_at_once() {
    let mut world = stamped().await;
    world.write("plugins/stamp_one.wasm", stamp("two"));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(mark(&world).await, "two a");
    let text = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    world.write("shops/demo.toml", text.replace("mark = \"a\"", "mark = \"b\""));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(mark(&world).await, "two b");
    world.edit(|setup| setup.shop("working_days = [\"mon\"]"));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(mark(&world).await, "two a");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_leaves_the_old_live_and_says_so() {
    let world = stamped().await;
    let good_shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let good_host = std::fs::read_to_string(world.path("cartwright.toml")).unwrap();
    let mut truncated = stamp("two");
    truncated.truncate(1_000);
    let cases: Vec<(&str, &str, Vec<u8>, Vec<u8>)> = vec![
        ("a truncated plugin", "plugins/stamp_one.wasm", truncated, stamp("one")),
        ("a core module", "plugins/stamp_one.wasm", b"\0asm\x01\0\0\0".to_vec(), stamp("one")),
        (
            "settings that do not fit",
            "shops/demo.toml",
            good_shop.replace("mark = \"a\"", "mark = 7").into_bytes(),
            good_shop.clone().into_bytes(),
        ),
        (
            "an unknown setting",
            "shops/demo.toml",
            good_shop.replace("mark = \"a\"", "mrak = \"a\"").into_bytes(),
            good_shop.clone().into_bytes(),
        ),
        (
            "a shop that does not parse",
            "shops/demo.toml",
            good_shop.replace("zone = \"Europe/Warsaw\"", "zone = \"Europe/Nowhere\"").into_bytes(),
            good_shop.clone().into_bytes(),
        ),
        (
            "a host file that does not parse",
            "cartwright.toml",
            format!("{good_host}\nnonsense = 1\n").into_bytes(),
            good_host.clone().into_bytes(),
        ),
        (
            "a text that does not parse",
            "templates/demo/stamp-one/locales/en.ftl",
            b"mark = { $x".to_vec(),
            b"\n".to_vec(),
        ),
    ];
    for (what, file, broken, good) in cases {
        world.write(file, broken);
        let problems = world.reload().await;
        assert!(!problems.is_empty(), "{what} is reported");
        assert_eq!(mark(&world).await, "one a", "{what} leaves the old live");
        let status = world.get("/v1/plugins").await.json(200);
        assert!(!status["problems"].as_array().unwrap().is_empty(), "{what} is visible: {status}");
        world.write(file, good);
        assert_eq!(world.reload().await, Vec::<String>::new(), "after {what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_leaves_the_old_live() {
    let world = Setup::new().plugin("order-updates", UPDATES, "{}").start().await;
    world.write(
        "templates/demo/order-updates/templates/confirmation.html",
        "{% extends \"base.html\" %}{% block body %}{{",
    );
    let problems = world.reload().await;
    assert!(problems.iter().any(|problem| problem.contains("confirmation")), "{problems:?}");
    let order = order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]);
    world.event("order-placed", "e1", &order).await.json(202);
    world.settle().await;
    assert_eq!(world.mails().len(), 1);
    world.write(
        "templates/demo/order-updates/templates/confirmation.html",
        "{% extends \"base.html\" %}{% block subject %}Ours{% endblock %}{% block body %}<p>Our own words</p>{% endblock %}",
    );
    assert_eq!(world.reload().await, Vec::<String>::new());
    let order = order_placed("1002", NOW, &[line("1", "mug", 1, 4_900)]);
    world.event("order-placed", "e2", &order).await.json(202);
    world.settle().await;
    assert_eq!(world.mails()[1].subject, "Ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_asks_for_more_waits_for_the_grant() {
    let world = stamped().await;
    world.write("plugins/stamp_one.wasm", std::fs::read(plugin_files().join("spy.wasm")).unwrap());
    let problems = world.reload().await;
    assert!(
        problems.iter().any(|problem| problem.contains("customers") && problem.contains("grants")),
        "{problems:?}"
    );
    assert_eq!(mark(&world).await, "one a");
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_fail_no_request_and_mix_no_answer() {
    let world = Arc::new(
        Setup::new()
            .host("[http]\nrequests_per_second = 1000000\n")
            .plugin_with("stamp-one", STAMP, "settings = { mark = \"a\" }")
            .start_live()
            .await,
    );
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (world, done, answered) = (world.clone(), done.clone(), answered.clone());
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let mark = mark(&world).await;
                    assert!(mark == "one a" || mark == "two a", "{mark}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 0..10 {
        let version = if round % 2 == 0 { "two" } else { "one" };
        let generation = world.host().registry().current().generation;
        world.write("plugins/new.part", stamp(version));
        std::fs::rename(world.path("plugins/new.part"), world.path("plugins/stamp_one.wasm")).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            if mark(&world).await.starts_with(version) {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "the watcher saw round {round}");
        }
        assert!(world.host().registry().current().generation > generation);
    }
    done.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) > 20);
}
