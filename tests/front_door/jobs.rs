//! What failed for good, and what a person does about it: over HTTP and with the command.

use std::process::Output;

use harness::{DAY_MS, HOUR_MS, Setup, World};
use serde_json::{Value, json};

use crate::command::{cartwright, said};
use crate::goods::{line, order_placed};

const NOW: &str = "2026-11-30T09:00:00Z";

/// A shop whose plugin fails on every order.
async fn broken() -> World {
    Setup::new()
        .plugin("faulty", &["discounts", "state-write"], "{ fault = \"err\" }")
        .plugin("counter", &["state", "state-write"], "{}")
        .start()
        .await
}

async fn order(world: &World, id: &str) -> Value {
    world.event("order-placed", id, &order_placed(id, NOW, &[line("1", "mug", 1, 4_900)])).await.json(202)
}

/// Hours go by until the failing job is tried no more.
async fn until_dead(world: &World) -> Value {
    for _ in 0..48 {
        world.later(HOUR_MS).await;
        let dead = world.get("/v1/jobs?state=dead").await.json(200);
        if let Some(job) = dead["jobs"].get(0) {
            return job.clone();
        }
    }
    panic!("two days have gone, and nothing is dead");
}

async fn repair(world: &World) {
    let file = world.path("shops/demo.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("fault = \"err\"", "fault = \"none\"");
    std::fs::write(file, text).unwrap();
    let problems = world.reload().await;
    assert!(problems.is_empty(), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_says_why_and_what_to_do_and_is_done_after_the_repair() {
    let world = broken().await;
    let event = order(&world, "1001").await["event_id"].clone();
    let job = until_dead(&world).await;
    let reason = job["reason"].as_str().unwrap();
    for expected in
        ["`faulty` failed on `order-placed` 8 times", "no tariff for order 1001", "retry this job"]
    {
        assert!(reason.contains(expected), "no `{expected}` in: {reason}");
    }
    assert!(!job.to_string().contains("ada@shop.example"), "{job}");
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    let shown = world.get(&path).await.json(200);
    assert_eq!((&shown["event_id"], &shown["order_id"]), (&event, &json!("1001")));
    let failures = shown["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 8);
    assert!(failures.iter().all(|failure| failure["kind"] == "err" && failure["at"].is_string()), "{shown}");

    repair(&world).await;
    let again = world.post(&format!("{path}/retry"), &json!({})).await.json(200);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("waiting"), &json!(0)));
    world.settle().await;
    let done = world.get(&path).await.json(200);
    assert_eq!((&done["state"], done["failures"].as_array().unwrap().len()), (&json!("done"), 8));
    for what in ["retry", "drop"] {
        let refused = world.post(&format!("{path}/{what}"), &json!({})).await.json(409);
        assert_eq!(refused["type"], "/problems/job-state");
        assert!(refused["detail"].as_str().unwrap().contains("done"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_job_stays_in_history_with_who_and_why() {
    let world = broken().await;
    order(&world, "1001").await;
    world.settle().await;
    let failed = world.get("/v1/jobs?state=failed&plugin=faulty").await.json(200)["jobs"][0].clone();
    assert!(failed["next_try_at"].is_string(), "{failed}");
    let path = format!("/v1/jobs/{}", failed["id"].as_str().unwrap());
    let long = json!({ "reason": "x".repeat(401) });
    assert_eq!(world.post(&format!("{path}/drop"), &long).await.json(422)["errors"][0]["path"], "reason");
    let dropped = world.post(&format!("{path}/drop"), &json!({ "reason": "called her" })).await.json(200);
    assert_eq!(dropped["state"], "dropped");
    assert_eq!(dropped["reason"], "dropped with the key `backend`: called her");
    let listed = world.get("/v1/jobs?state=dropped").await.json(200);
    assert_eq!(listed["jobs"][0]["id"], failed["id"]);
    assert_eq!(world.get("/v1/jobs").await.json(200)["jobs"], json!([]), "nothing is open");
    world.later(DAY_MS).await;
    assert_eq!(
        world.get(&path).await.json(200)["failures"].as_array().unwrap().len(),
        1,
        "never tried again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_keys_own_shop_and_only_what_there_is() {
    let world = broken().await;
    order(&world, "1001").await;
    world.settle().await;
    let job = world.get("/v1/jobs?state=failed").await.json(200)["jobs"][0].clone();
    let id = job["id"].as_str().unwrap();
    let stranger = "cw_sk_other_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";
    let shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let (head, _) = shop.split_once("[[keys]]").unwrap();
    let hash = world.hash(stranger);
    let keys = format!("[[keys]]\nname = \"backend\"\nkind = \"secret\"\nsha256 = \"{hash}\"\n");
    world.write("shops/other.toml", format!("{head}{keys}"));
    assert!(world.reload().await.is_empty());
    for (method, path) in
        [("GET", String::new()), ("POST", "/retry".to_owned()), ("POST", "/drop".to_owned())]
    {
        let url = world.url(&format!("/v1/jobs/{id}{path}"));
        let request = world.client.request(method.parse().unwrap(), url).bearer_auth(stranger);
        let request = if method == "POST" { request.json(&json!({})) } else { request };
        assert_eq!(world.send(request).await.json(404)["type"], "/problems/not-found");
    }
    assert_eq!(world.get("/v1/jobs/job_none").await.status, 404);
    let unknown = world.get("/v1/jobs?state=lost").await.json(400);
    assert!(unknown["detail"].as_str().unwrap().contains("dropped"), "it names the states: {unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page() {
    let world = broken().await;
    for id in 0..5 {
        order(&world, &format!("{}", 1_000 + id)).await;
    }
    world.settle().await;
    let mut path = "/v1/jobs?state=failed&limit=2".to_owned();
    let mut orders = Vec::new();
    loop {
        let page = world.get(&path).await.json(200);
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 2);
        orders.extend(jobs.iter().map(|job| job["order_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/jobs?state=failed&limit=2&before={next}");
    }
    assert_eq!(orders, ["1004", "1003", "1002", "1001", "1000"]);
}

/// The command, as typed on a machine where a host runs.
async fn typed(world: &World, words: &[&str]) -> Output {
    let (url, key, folder) = (world.url(""), world.secret_key.clone(), world.folder.clone());
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let mut command = cartwright();
        command.current_dir(folder).env("CARTWRIGHT_KEY", key).arg("jobs").args(words);
        command.args(["--url", &url]).output().unwrap()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_works_beside_a_running_host() {
    let world = broken().await;
    order(&world, "1001").await;
    until_dead(&world).await;
    let list = typed(&world, &["list", "--state", "dead"]).await;
    assert!(list.status.success(), "{}", said(&list));
    let text = said(&list);
    let id = text.split_whitespace().find(|word| word.starts_with("job_")).expect("a job").to_owned();
    for expected in ["faulty", "order-placed", "1001", "no tariff"] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
    let json = typed(&world, &["list", "--json", "--plugin", "faulty"]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["jobs"][0]["id"], id.as_str());
    let shown = said(&typed(&world, &["show", &id]).await);
    assert!(shown.contains("retry this job") && shown.contains("Failed attempts"), "{shown}");
    repair(&world).await;
    let retry = typed(&world, &["retry", &id, "--shop", "demo"]).await;
    assert!(retry.status.success(), "{}", said(&retry));
    world.settle().await;
    let again = typed(&world, &["retry", &id]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("The job is done"), "{}", said(&again));
    let other = typed(&world, &["list", "--shop", "other"]).await;
    assert!(said(&other).contains("no secret key of the shop `other`"), "{}", said(&other));
    let none = typed(&world, &["drop", "job_none", "--reason", "x"]).await;
    assert!(said(&none).contains("no such job"), "{}", said(&none));
}

#[test]
fn the_command_says_what_to_do_when_nobody_answers_or_nobody_asks() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let list = |key: &str| {
        let mut command = cartwright();
        command.current_dir(&folder).env("CARTWRIGHT_KEY", key).args(["jobs", "list", "--url"]);
        command.arg(format!("http://{free}")).output().unwrap()
    };
    let nobody = list("cw_sk_demo_x");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        said(&nobody).contains("no host answers") && said(&nobody).contains("cartwright serve"),
        "{}",
        said(&nobody)
    );
    assert!(said(&list("")).contains("cartwright key create"), "{}", said(&list("")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_deleted_and_an_order_is_still_placed_once() {
    let world = Setup::new()
        .host("[retention]\nhistory_days = 40\n")
        .plugin("counter", &["state", "state-write"], "{}")
        .start()
        .await;
    let event = order(&world, "1001").await["event_id"].clone();
    world.settle().await;
    world.later(39 * DAY_MS).await;
    assert_eq!(world.get("/v1/jobs?state=done").await.json(200)["jobs"].as_array().unwrap().len(), 1);
    world.later(2 * DAY_MS).await;
    assert_eq!(world.get("/v1/jobs?state=done").await.json(200)["jobs"], json!([]));
    assert_eq!(world.get("/v1/orders/1001").await.status, 200);
    let body = order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]);
    let again = world.event("order-placed", "1001", &body).await.json(200);
    assert_eq!((&again["event_id"], &again["duplicate"]), (&event, &json!(true)));
    let other = order_placed("1001", NOW, &[line("1", "mug", 2, 4_900)]);
    assert_eq!(world.event("order-placed", "another", &other).await.json(409)["event_id"], event);
    world.settle().await;
    let body = json!({ "cart": crate::goods::cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    assert_eq!(answer["notices"][0]["text"], "added 1, put 1", "{answer}");
}
