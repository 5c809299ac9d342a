//! What the host sends, verified by somebody else: the library of the Standard Webhooks project, in Node.

use std::process::Command;

use harness::receiver::Receiver;
use harness::{Setup, project};
use serde_json::{Value, json};

use crate::goods::{line, order_placed};

const SECRET: &str = "whsec_Y2FydHdyaWdodCB0ZWxscyBpdHMgb3duIHN5c3RlbXM=";
const OLD_SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiBsYXN0IHllYXIsIHN0aWxsIGdvb2Q=";

#[tokio::test(flavor = "multi_thread")]
async fn the_standards_own_library_takes_what_the_host_sent() {
    let erp = Receiver::start().await;
    let lines = format!(
        "[[webhooks]]\nname = \"erp\"\nurl = \"{}\"\nsecret = {{ file = \"erp.secret\" }}\n\
         previous_secret = {{ file = \"old.secret\" }}\ntopics = [\"*\"]\n",
        erp.url()
    );
    let world = Setup::new()
        .shop(&lines)
        .plugin("logistics", &["state", "state-write", "webhooks"], "{}")
        .plugin("teller", &["coupons", "webhooks"], "{ coupon = true }")
        .start()
        .await;
    world.write("shops/erp.secret", SECRET);
    world.write("shops/old.secret", OLD_SECRET);
    let mut order = order_placed("1001", "2026-11-30T09:00:00Z", &[line("1", "mug", 2, 4_900)]);
    // What a signature over text could stumble on.
    order["order"]["lines"][0]["title"] = json!("Kubek „Żółć” \u{1F9C9} \"x\"\\");
    world.event("order-placed", "e1", &order).await.json(202);
    world.settle().await;
    world.post("/v1/webhooks/endpoints/erp/test", &json!({})).await.json(202);
    world.settle().await;

    let now = world.clock.now_ms() / 1_000;
    let sent = erp.calls();
    assert_eq!(sent.len(), 4, "{:?}", erp.topics());
    let calls: Vec<Value> = [SECRET, OLD_SECRET]
        .iter()
        .flat_map(|secret| {
            sent.iter().map(move |call| {
                let headers: serde_json::Map<String, Value> =
                    call.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                json!({ "secret": secret, "headers": headers, "body": call.body, "now": now })
            })
        })
        .collect();
    let file = world.path("calls.json");
    std::fs::write(&file, json!({ "calls": calls }).to_string()).unwrap();
    let output = Command::new(project().join("tests/standardwebhooks/run"))
        .arg(&file)
        .output()
        .expect("tests/standardwebhooks/run starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.trim() == "8 fit",
        "{told}{} (it needs npm: tests/run installs it, or leaves this suite out)",
        String::from_utf8_lossy(&output.stderr)
    );
}
