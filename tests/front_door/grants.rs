//! What a plugin may read and do: told to a person, compared, and never more than the shop grants.

use std::path::Path;

use harness::{Author, Setup, World, plugin_files};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command::{cartwright, said};
use crate::goods::{cart, line};

const STAMP: &[&str] = &["delivery-options"];

fn component(name: &str) -> Vec<u8> {
    std::fs::read(plugin_files().join(name)).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn stamped() -> World {
    Setup::new().plugin("stamp-one", STAMP, "{ mark = \"a\" }").start().await
}

async fn mark(world: &World) -> String {
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    answer["notices"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// The shop's only plugin, as the host tells of it.
async fn told(world: &World) -> Value {
    let list = world.get("/v1/plugins").await.json(200);
    assert_eq!(list["plugins"].as_array().unwrap().len(), 1, "{list}");
    list["plugins"][0].clone()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_asks_for_more_waits_and_says_for_what() {
    let mut world = stamped().await;
    let before = told(&world).await;
    assert!(before.get("waiting").is_none(), "{before}");
    world.write("plugins/stamp_one.wasm", component("spy.wasm"));
    assert_eq!(world.reload().await.len(), 1);
    assert_eq!(mark(&world).await, "one a");
    let after = told(&world).await;
    assert_eq!(after["sha256"], before["sha256"], "what is live is what was live");
    let waiting = &after["waiting"];
    assert_eq!(waiting["sha256"], sha256(&component("spy.wasm")));
    assert_eq!(waiting["version"], "0.1.0");
    let why = waiting["why"].as_str().unwrap();
    assert!(why.contains("`customers`") && why.contains("grants = ["), "{why}");
    assert!(names(&waiting["adds"]["permissions"]).contains(&"customers"), "{waiting}");
    assert!(!names(&waiting["adds"]["permissions"]).contains(&"delivery-options"), "{waiting}");
    assert!(names(&waiting["adds"]["hooks"]).contains(&"order-placed"), "{waiting}");
    assert_eq!(waiting["removes"]["permissions"], json!([]));

    let wanted: Vec<&str> =
        names(&waiting["adds"]["permissions"]).into_iter().chain(STAMP.iter().copied()).collect();
    let wanted = format!("grants = {}", serde_json::to_string(&wanted).unwrap());
    let text = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let granted = text.replace("grants = [\"delivery-options\"]", &wanted).replace("mark = \"a\"", "");
    world.write("shops/demo.toml", granted);
    assert_eq!(world.reload().await, Vec::<String>::new());
    let granted = told(&world).await;
    assert_eq!(granted["sha256"], sha256(&component("spy.wasm")));
    assert!(granted.get("waiting").is_none(), "{granted}");
    // Taken away again, it is gone at once, and nothing waits for what is not live.
    world.edit(|setup| setup);
    assert_eq!(world.reload().await.len(), 1);
    assert_eq!(world.get("/v1/plugins").await.json(200)["plugins"], json!([]));
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = cartwright().current_dir(folder).arg("plugin").args(arguments).output().unwrap();
    (output.status.code(), said(&output))
}

#[test]
fn an_upgrade_is_compared_before_it_is_installed() {
    let folder = plugin_files();
    let (code, text) = run(folder, &["diff", "stamp_one.wasm", "spy.wasm"]);
    assert_eq!(code, Some(1), "{text}");
    for line in ["stamp-one 0.1.0 → spy 0.1.0", "+  needs", "customers", "asks for more: "] {
        assert!(text.contains(line), "no `{line}` in: {text}");
    }
    let (code, text) = run(folder, &["diff", "spy.wasm", "stamp_one.wasm"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("-  needs") && text.contains("asks for nothing more"), "{text}");
    assert!(text.contains("+  setting") && text.contains("mark"), "{text}");
    let (code, text) = run(folder, &["diff", "spy.wasm", "none.wasm"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("none.wasm cannot be read"), "{text}");
    let (_, help) = run(folder, &["diff", "--help"]);
    assert!(help.contains("Ends with 0 when"), "{help}");
}

#[test]
fn a_plugin_is_read_by_people_and_by_machines() {
    let (code, text) = run(plugin_files(), &["inspect", "stamp_one.wasm"]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["called at", "delivery-options", "Settings", "mark", "size", "sha256"] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    let (code, text) = run(plugin_files(), &["inspect", "order_updates.wasm", "--json"]);
    assert_eq!(code, Some(0), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert!(names(&told["permissions"]).contains(&"messages"), "{told}");
    assert!(names(&told["hooks"]).contains(&"order-placed"), "{told}");
    assert!(names(&told["languages"]).contains(&"pl"), "{told}");
    assert!(told["settings"].as_array().unwrap().iter().all(|setting| setting["type"].is_string()), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_everything_that_differs() {
    let world = stamped().await;
    let (code, text) = run(&world.folder, &["check", "plugins/stamp_one.wasm", "--shop", "demo"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("a host would load stamp-one 0.1.0 as `stamp-one` of demo"), "{text}");
    let text = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let other = format!("sha256 = \"{}\"\ngrants = [\"coupon\"]", "0".repeat(64));
    world.write(
        "shops/demo.toml",
        text.replace("grants = [\"delivery-options\"]", &other).replace("\"a\"", "7"),
    );
    let (code, text) = run(&world.folder, &["check", "plugins/stamp_one.wasm", "--shop", "demo"]);
    assert_eq!(code, Some(1), "{text}");
    for part in ["`sha256` pins", "is `coupons` meant?", "needs `delivery-options`", "`mark`: 7"] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_goes_on_with_what_was_accepted_last_after_a_restart() {
    let mut world = stamped().await;
    let before = told(&world).await;
    world.write("plugins/stamp_one.wasm", component("spy.wasm"));
    world.stop().await;
    let world = world.start_again_beside_problems().await;
    assert_eq!(mark(&world).await, "one a");
    let after = told(&world).await;
    assert_eq!(after["sha256"], before["sha256"]);
    assert_eq!(after["waiting"]["sha256"], sha256(&component("spy.wasm")));
    let list = world.get("/v1/plugins").await.json(200);
    let problem = list["problems"][0]["message"].as_str().unwrap();
    assert!(problem.contains("the version that was accepted last (0.1.0) is live"), "{problem}");
    // The doctor tells the same, and changes nothing.
    let doctor = cartwright().current_dir(&world.folder).arg("doctor").output().unwrap();
    assert!(said(&doctor).contains("accepted last"), "{}", said(&doctor));
    world.write("plugins/stamp_one.wasm", component("stamp_two.wasm"));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(mark(&world).await, "two a");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_signed_plugins_are_served_where_that_is_wanted() {
    let author = Author::new();
    let key = author.key();
    let one = component("stamp_one.wasm");
    let security = format!(
        "[security]\ntrusted_keys = [{{ key = \"{key}\", name = \"Ada\" }}]\nrequire_signed = true\n"
    );
    let world = Setup::new()
        .host(&security)
        .file("plugins/stamp_one.wasm.minisig", &author.sign(&one))
        .plugin("stamp-one", STAMP, "{ mark = \"a\" }")
        .start()
        .await;
    assert_eq!(mark(&world).await, "one a");
    let signed_with = told(&world).await["signed_with"].as_str().unwrap().to_owned();
    let check = ["check", "plugins/stamp_one.wasm", "--shop", "demo"];
    let (code, text) = run(&world.folder, &check);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("signed with the key {signed_with} (Ada), which is trusted")), "{text}");
    let (_, text) = run(&world.folder, &["inspect", "plugins/stamp_one.wasm"]);
    assert!(text.contains(&format!("names the key {signed_with}")), "{text}");
    let doctor = cartwright().current_dir(&world.folder).arg("doctor").output().unwrap();
    assert!(said(&doctor).contains(&format!("signed with {signed_with} (Ada)")), "{}", said(&doctor));
    // A version that its author did not sign waits, and the check says why.
    world.write("plugins/stamp_one.wasm", component("stamp_two.wasm"));
    let problems = world.reload().await;
    assert!(problems[0].contains("is not what was signed with the key"), "{problems:?}");
    assert_eq!(mark(&world).await, "one a");
    assert!(told(&world).await["waiting"]["why"].as_str().unwrap().contains(&signed_with));
    let (code, text) = run(&world.folder, &check);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is not what was signed"), "{text}");
    world.write("plugins/stamp_one.wasm.minisig", author.sign(&component("stamp_two.wasm")));
    assert_eq!(world.reload().await, Vec::<String>::new());
    assert_eq!(mark(&world).await, "two a");
    // Its key is trusted no longer.
    let text = std::fs::read_to_string(world.path("cartwright.toml")).unwrap();
    world.write("cartwright.toml", text.replace(&key, &Author::new().key()));
    let problems = world.reload().await;
    assert!(problems[0].contains("switched off"), "{problems:?}");
    assert_eq!(world.get("/v1/plugins").await.json(200)["plugins"], json!([]));
}
