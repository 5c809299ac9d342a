//! Webhooks out: signed, repeated over days under one id, and never lost for another's sake.

use cartwright::domain::signature::{Signed, SigningSecret, verify};
use harness::receiver::{Call, Receiver, Reply};
use harness::{DAY_MS, HOUR_MS, Setup, World};
use serde_json::{Value, json};

use crate::goods::{line, order_placed};

const NOW: &str = "2026-11-30T09:00:00Z";
const MINUTE_MS: i64 = 60_000;

/// Of every endpoint of these scenarios.
const SECRET: &str = "whsec_Y2FydHdyaWdodCB0ZWxscyBpdHMgb3duIHN5c3RlbXM=";
const OLD_SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiBsYXN0IHllYXIsIHN0aWxsIGdvb2Q=";

fn endpoint(name: &str, url: &str, topics: &[&str], more: &str) -> String {
    let topics = serde_json::to_string(topics).unwrap();
    format!(
        "[[webhooks]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = {{ file = \"erp.secret\" }}\ntopics = {topics}\n\
         {more}\n"
    )
}

fn with_secrets(world: World) -> World {
    world.write("shops/erp.secret", SECRET);
    world.write("shops/old.secret", OLD_SECRET);
    world
}

fn teller(settings: &str) -> Setup {
    Setup::new().plugin("teller", &["coupons", "webhooks"], settings)
}

async fn shop(setup: Setup) -> World {
    with_secrets(setup.start().await)
}

fn an_order(id: &str) -> Value {
    order_placed(id, NOW, &[line("1", "mug", 2, 4_900)])
}

async fn place(world: &World, id: &str) {
    world.event("order-placed", &format!("placed-{id}"), &an_order(id)).await.json(202);
    world.settle().await;
}

/// Whether the call is signed with the secret, at that time.
fn fits(call: &Call, secret: &str, now_ms: i64) -> bool {
    let signed = Signed {
        id: call.header("webhook-id"),
        timestamp: call.header("webhook-timestamp"),
        signatures: call.header("webhook-signature"),
    };
    verify(&[SigningSecret::parse(secret).unwrap()], signed, call.body.as_bytes(), now_ms).is_ok()
}

async fn endpoints(world: &World) -> Vec<Value> {
    world.get("/v1/webhooks/endpoints").await.json(200)["endpoints"].as_array().unwrap().clone()
}

async fn deliveries(world: &World, query: &str) -> Vec<Value> {
    let path = format!("/v1/webhooks/deliveries{query}");
    world.get(&path).await.json(200)["deliveries"].as_array().unwrap().clone()
}

/// Lets the clock run on in steps, as retries fall due.
async fn days_pass(world: &World, days: i64) {
    for _ in 0..days * 24 {
        world.later(HOUR_MS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_message_is_told_signed_and_without_contact_details() {
    let erp = Receiver::start().await;
    let grants = &["customers", "messages", "orders", "state", "state-write", "timers"];
    let setup = Setup::new().shop(&endpoint("erp", &erp.url(), &["message.*"], ""));
    let world = shop(setup.plugin("order-updates", grants, "{}")).await;
    place(&world, "1001").await;

    let [call] = &erp.calls()[..] else { panic!("{:?}", erp.topics()) };
    assert!(fits(call, SECRET, world.clock.now_ms()), "{call:?}");
    assert!(!fits(call, OLD_SECRET, world.clock.now_ms()));
    assert_eq!(call.header("content-type"), "application/json");
    assert!(call.header("user-agent").starts_with("Cartwright/"));
    let told = call.json();
    assert_eq!((&told["type"], &told["timestamp"]), (&json!("message.sent"), &json!(NOW)));
    let data = &told["data"];
    assert_eq!(
        (&data["order_id"], &data["customer_id"], &data["plugin"]),
        (&json!("1001"), &json!("c-anna"), &json!("order-updates"))
    );
    for secret in ["anna.zielinska", "Zieli", "Anna", "601 234"] {
        assert!(!call.body.contains(secret), "{}", call.body);
    }
    let [delivery] = &deliveries(&world, "?topic=message.sent").await[..] else { panic!("one delivery") };
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("done"), &json!(200)));
    assert_eq!(delivery["webhook_id"], call.header("webhook-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logistics_platform_that_is_down_for_a_day_gets_each_order_once() {
    let platform = Receiver::start().await;
    platform.always(Reply::Drop);
    let setup = Setup::new().shop(&endpoint("logistics", &platform.url(), &["logistics.*"], "")).plugin(
        "logistics",
        &["state", "state-write", "webhooks"],
        "{ warehouse = \"WAW-2\" }",
    );
    let world = shop(setup).await;
    place(&world, "1001").await;
    let body = an_order("1001");
    world.event("order-placed", "reported-again", &body).await;
    days_pass(&world, 1).await;
    let tried = platform.calls();
    assert!((6..12).contains(&tried.len()), "within a day: {}", tried.len());
    let [waiting] = &deliveries(&world, "?state=waiting").await[..] else {
        panic!("one order, one delivery")
    };
    assert!(waiting["reason"].as_str().unwrap().contains("the connection broke"), "{waiting}");

    platform.always(Reply::status(202));
    days_pass(&world, 3).await;
    let calls = platform.calls();
    assert_eq!(calls.len(), tried.len() + 1, "taken once, and not sent again");
    let (first, last) = (&calls[0], &calls[calls.len() - 1]);
    for call in &calls {
        assert_eq!((call.header("webhook-id"), &call.body), (first.header("webhook-id"), &first.body));
        let at: i64 = call.header("webhook-timestamp").parse().unwrap();
        assert!(fits(call, SECRET, at * 1_000), "each attempt has a signature of its own");
    }
    assert_ne!(first.header("webhook-timestamp"), last.header("webhook-timestamp"));
    let order = &last.json()["data"];
    assert_eq!(order["number"], "#1001");
    assert_eq!(order["warehouse"], "WAW-2");
    assert_eq!(
        order["lines"][0],
        json!({
            "line": "1", "sku": "mug", "product": "mug", "title": "A mug", "quantity": 2, "weight_grams": 300,
        })
    );
    assert_eq!(order["destination"]["postcode"], "00-001");
    assert!(!last.body.contains("Zieli") && !last.body.contains("@"), "{}", last.body);

    let cancelled = json!({ "order_id": "1001", "reason": "changed her mind" });
    world.event("order-cancelled", "c1", &cancelled).await.json(202);
    world.event("order-cancelled", "c2", &cancelled).await;
    days_pass(&world, 1).await;
    let topics = platform.topics();
    assert_eq!(topics.iter().filter(|topic| *topic == "logistics.cancel").count(), 1, "{topics:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_survives_a_crash_of_the_host_under_its_id() {
    let erp = Receiver::start().await;
    erp.next([Reply::status(500)]);
    let world = shop(teller("{}").shop(&endpoint("erp", &erp.url(), &["order.*"], ""))).await;
    place(&world, "1001").await;
    let world = world.crash().await;
    world.later(10 * MINUTE_MS).await;
    let calls = erp.calls();
    assert_eq!(calls.len(), 2, "{:?}", erp.topics());
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    assert_eq!(deliveries(&world, "?state=done").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_told_nothing_more_until_it_is_enabled() {
    let (gone, other) = (Receiver::start().await, Receiver::start().await);
    gone.next([Reply::status(410)]);
    let setup = teller("{}").shop(&endpoint("gone", &gone.url(), &["*"], "")).shop(&endpoint(
        "other",
        &other.url(),
        &["webhook.*"],
        "",
    ));
    let world = shop(setup).await;
    place(&world, "1001").await;
    place(&world, "1002").await;
    days_pass(&world, 1).await;
    assert_eq!(gone.calls().len(), 1, "{:?}", gone.topics());
    let told = &other.calls()[0].json();
    assert_eq!((&told["type"], &told["data"]["endpoint"]), (&json!("webhook.disabled"), &json!("gone")));
    let [off, on] = &endpoints(&world).await[..] else { panic!("two endpoints") };
    assert_eq!(
        (&off["state"], &off["waiting"], &off["host"]),
        (&json!("off"), &json!(2), &json!("127.0.0.1"))
    );
    assert!(off["reason"].as_str().unwrap().contains("410"), "{off}");
    assert_eq!((&on["state"], &on["waiting"]), (&json!("on"), &json!(0)));

    let enabled = world.post("/v1/webhooks/endpoints/gone/enable", &json!({})).await.json(200);
    assert_eq!((&enabled["state"], &enabled["off_since"]), (&json!("on"), &Value::Null));
    world.settle().await;
    let ids: std::collections::BTreeSet<String> =
        gone.calls().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert_eq!((gone.calls().len(), ids.len()), (3, 2), "the one that was refused, and the one that waited");
    assert!(!gone.topics().contains(&"webhook.disabled".to_owned()), "it knows of itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_for_days_is_switched_off_and_on_again_at_a_new_address() {
    let (broken, mended, other) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    broken.always(Reply::status(500));
    let at = |url: &str, setup: Setup| {
        setup.shop(&endpoint("erp", url, &["order.*"], "")).shop(&endpoint(
            "other",
            &other.url(),
            &["webhook.disabled"],
            "",
        ))
    };
    let mut world = shop(at(&broken.url(), teller("{}"))).await;
    place(&world, "1001").await;
    days_pass(&world, 2).await;
    place(&world, "1002").await;
    assert_eq!(endpoints(&world).await[0]["state"], "on", "not yet");
    days_pass(&world, 2).await;
    let erp = &endpoints(&world).await[0];
    assert_eq!((&erp["state"], &erp["failing_since"]), (&json!("off"), &json!(NOW)), "{erp}");
    assert_eq!(other.topics(), ["webhook.disabled"]);
    let tried = broken.calls().len();
    assert!((11..=20).contains(&tried), "{tried}");

    place(&world, "1003").await;
    days_pass(&world, 2).await;
    assert_eq!(broken.calls().len(), tried, "nothing is sent to it");
    world.edit(|_| at(&mended.url(), teller("{}")));
    assert_eq!(world.reload().await, [""; 0]);
    world.settle().await;
    assert_eq!(endpoints(&world).await[0]["state"], "on");
    let arrived: Vec<Value> =
        mended.calls().iter().map(|call| call.json()["data"]["order"].clone()).collect();
    assert!(arrived.contains(&json!("1002")) && arrived.contains(&json!("1003")), "{arrived:?}");

    // The first may have used up its attempts by then: a person sends it again.
    for delivery in deliveries(&world, "?state=failed").await {
        assert!(delivery["reason"].as_str().unwrap().contains("given up after 10 attempts"), "{delivery}");
        let path = format!("/v1/webhooks/deliveries/{}/retry", delivery["id"].as_str().unwrap());
        let again = world.post(&path, &json!({})).await.json(202);
        assert_eq!((&again["state"], &again["attempts"]), (&json!("waiting"), &json!(0)));
    }
    world.settle().await;
    assert_eq!(mended.calls().len(), 3, "{:?}", mended.topics());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_given_up_after_ten_attempts_and_sent_again_by_hand() {
    let erp = Receiver::start().await;
    let world = shop(teller("{}").shop(&endpoint("erp", &erp.url(), &["order.*"], ""))).await;
    erp.always(Reply::status(503));
    place(&world, "1001").await;
    days_pass(&world, 4).await;
    assert_eq!(erp.calls().len(), 10);
    let [failed] = &deliveries(&world, "?state=failed").await[..] else { panic!("given up") };
    assert_eq!((&failed["attempts"], &failed["status"]), (&json!(10), &json!(503)));
    erp.always(Reply::status(204));
    let path = format!("/v1/webhooks/deliveries/{}/retry", failed["id"].as_str().unwrap());
    world.post(&path, &json!({})).await.json(202);
    world.post("/v1/webhooks/endpoints/erp/enable", &json!({})).await.json(200);
    world.settle().await;
    let calls = erp.calls();
    assert_eq!((calls.len(), calls[0].header("webhook-id")), (11, calls[10].header("webhook-id")));
    assert_eq!(deliveries(&world, "?state=done").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_endpoint_does_not_hold_up_the_others() {
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.always(Reply::Silence);
    let setup = teller("{}")
        .shop(&endpoint("slow", &slow.url(), &["order.*"], "timeout_seconds = 60"))
        .shop(&endpoint("quick", &quick.url(), &["order.*"], "timeout_seconds = 60"));
    let world = with_secrets(setup.start_live().await);
    for id in 0..12 {
        let id = format!("{}", 1_001 + id);
        world.event("order-placed", &id, &an_order(&id)).await.json(202);
    }
    let calls = quick.until(12).await;
    assert!(calls.iter().all(|call| call.json()["type"] == "order.noted"));
    assert!(slow.calls().len() <= 4, "one endpoint has so many at once: {}", slow.calls().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_endpoint_answers_is_understood() {
    let (erp, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let world = shop(teller("{}").shop(&endpoint("erp", &erp.url(), &["*"], "timeout_seconds = 1"))).await;
    let away = vec![("location", elsewhere.url())];
    for (id, reply, says) in [
        ("1", Reply::Status(302, away), "redirects are not followed"),
        ("2", Reply::status(404), "it answered 404"),
        ("3", Reply::Silence, "no answer within 1 s"),
        ("4", Reply::Drop, "the connection broke"),
    ] {
        erp.next([reply]);
        place(&world, id).await;
        let newest = deliveries(&world, "?limit=1").await.remove(0);
        assert_eq!(newest["state"], "waiting", "{newest}");
        assert!(newest["reason"].as_str().unwrap().contains(says), "{says}: {newest}");
    }
    assert!(elsewhere.calls().is_empty(), "a signed body goes nowhere else");

    erp.next([Reply::Status(429, vec![("retry-after", "7200".to_owned())])]);
    place(&world, "5").await;
    let newest = deliveries(&world, "?limit=1").await.remove(0);
    assert_eq!(newest["next_attempt"], "2026-11-30T11:00:00Z", "{newest}");

    erp.next([Reply::Flood]);
    place(&world, "6").await;
    let newest = deliveries(&world, "?limit=1").await.remove(0);
    assert_eq!(newest["state"], "done", "the status counts, however long the body: {newest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_replaced_both_sign() {
    let erp = Receiver::start().await;
    let rotating = "previous_secret = { file = \"old.secret\" }";
    let world = shop(teller("{}").shop(&endpoint("erp", &erp.url(), &["order.*"], rotating))).await;
    place(&world, "1001").await;
    let call = &erp.calls()[0];
    let now = world.clock.now_ms();
    assert_eq!(call.header("webhook-signature").split(' ').count(), 2);
    assert!(fits(call, SECRET, now) && fits(call, OLD_SECRET, now));

    // A secret that cannot be read costs no attempt; when it is there, what waited goes on.
    std::fs::remove_file(world.path("shops/erp.secret")).unwrap();
    place(&world, "1002").await;
    let waits = deliveries(&world, "?state=waiting").await.remove(0);
    assert_eq!(waits["attempts"], 0, "{waits}");
    assert!(waits["reason"].as_str().unwrap().contains("cannot be read"), "{waits}");
    assert!(!waits.to_string().contains("whsec_"));
    world.write("shops/erp.secret", SECRET);
    world.later(MINUTE_MS).await;
    assert_eq!(erp.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_failures_and_its_end_are_told_and_what_is_the_hosts_cannot_be_forged() {
    let erp = Receiver::start().await;
    let setup = teller("{ fault = \"no ledger for anna.zielinska@mail.example\" }").shop(&endpoint(
        "erp",
        &erp.url(),
        &["plugin.failed", "job.dead"],
        "",
    ));
    let world = shop(setup).await;
    place(&world, "1001").await;
    let failed = erp.calls()[0].json();
    assert_eq!(failed["type"], "plugin.failed");
    let data = &failed["data"];
    assert_eq!((&data["plugin"], &data["hook"]), (&json!("teller"), &json!("order-placed")));
    assert_eq!((&data["attempts"], &data["order_id"]), (&json!(1), &json!("1001")));
    assert!(data["reason"].as_str().unwrap().contains("no ledger"), "{data}");
    assert!(!failed.to_string().contains("mail.example"), "{failed}");
    days_pass(&world, 8).await;
    let topics = erp.topics();
    assert_eq!(topics.iter().filter(|topic| *topic == "job.dead").count(), 1, "{topics:?}");
    assert!(topics.len() > 3, "{topics:?}");

    let forger =
        shop(teller("{ topic = \"message.sent\" }").shop(&endpoint("erp", &erp.url(), &["message.*"], "")))
            .await;
    let before = erp.calls().len();
    place(&forger, "1001").await;
    assert_eq!(erp.calls().len(), before);
    let jobs = forger.get("/v1/jobs").await.json(200);
    assert!(jobs.to_string().contains("only the host tells of `message.sent`"), "{jobs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_told_with_its_code_and_what_nobody_subscribes_is_not_kept() {
    let till = Receiver::start().await;
    let world =
        shop(teller("{ coupon = true }").shop(&endpoint("till", &till.url(), &["coupon.*"], ""))).await;
    place(&world, "1001").await;
    let [call] = &till.calls()[..] else { panic!("{:?}", till.topics()) };
    let data = &call.json()["data"];
    let code = data["code"].as_str().unwrap();
    assert!(code.len() >= 14, "{data}");
    assert_eq!(
        (&data["value"], &data["currency"]),
        (&json!({"type": "percent", "value": 1000}), &json!("PLN"))
    );
    assert_eq!((&data["customer_id"], &data["order_id"]), (&json!("c-anna"), &json!("1001")));
    assert_eq!(deliveries(&world, "").await.len(), 1, "nobody asked for `order.noted`");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_tried_by_hand_and_only_with_a_secret_key() {
    let erp = Receiver::start().await;
    let world = shop(Setup::new().shop(&endpoint("erp", &erp.url(), &["message.sent"], "")).shop(&endpoint(
        "quiet",
        &erp.url(),
        &["*"],
        "enabled = false",
    )))
    .await;
    let sent = world.post("/v1/webhooks/endpoints/erp/test", &json!({})).await.json(202);
    assert_eq!((&sent["topic"], &sent["state"]), (&json!("webhook.test"), &json!("waiting")));
    world.settle().await;
    assert_eq!(erp.topics(), ["webhook.test"], "whatever its topics");
    let [erp_now, quiet] = &endpoints(&world).await[..] else { panic!("two") };
    assert_eq!((&erp_now["last_success"], &quiet["state"]), (&json!(NOW), &json!("disabled")));

    for path in
        ["endpoints/none/test", "endpoints/quiet/test", "endpoints/none/enable", "deliveries/none/retry"]
    {
        let answer = world.post(&format!("/v1/webhooks/{path}"), &json!({})).await;
        assert_eq!(answer.json(404)["type"], "/problems/not-found", "{path}");
    }
    assert_eq!(world.get("/v1/webhooks/deliveries?state=lost").await.status, 422);
    for path in ["/v1/webhooks/endpoints", "/v1/webhooks/deliveries"] {
        let request = world.client.get(world.url(path)).bearer_auth(&world.publishable_key);
        assert_eq!(world.send(request.header("Origin", "https://grove.example")).await.status, 403);
    }
    let metrics = world.send(world.client.get(world.url("/metrics"))).await.text;
    assert!(metrics.contains("cartwright_webhook_deliveries_total"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_nobody_takes_for_a_month_is_given_up() {
    let erp = Receiver::start().await;
    erp.always(Reply::status(410));
    let world = shop(teller("{}").shop(&endpoint("erp", &erp.url(), &["order.*"], ""))).await;
    place(&world, "1001").await;
    world.later(29 * DAY_MS).await;
    assert_eq!(deliveries(&world, "?state=waiting").await.len(), 1);
    world.later(2 * DAY_MS).await;
    let [failed] = &deliveries(&world, "?state=failed").await[..] else { panic!("given up") };
    assert!(failed["reason"].as_str().unwrap().contains("waited for 30 days"), "{failed}");
    world.later(31 * DAY_MS).await;
    assert!(deliveries(&world, "").await.is_empty(), "and forgotten a month later");
}
