//! A backup is made beside a running host, is whole or is not there, and brings everything back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cartwright::cli::{backup, restore};
use harness::{Setup, World};
use serde_json::{Value, json};

use crate::command::{cartwright, said};
use crate::goods::{cart, line, order_placed};

const NOW: &str = "2026-11-30T09:00:00Z";

fn setup() -> Setup {
    Setup::new()
        .plugin("order-updates", &["customers", "messages", "orders", "state", "state-write", "timers"], "{}")
        .plugin(
            "loyalty-messages",
            &["points", "labels", "customers", "messages", "timers", "state", "state-write"],
            "{}",
        )
        .shop(r#"fallback = [{ id = "post", title = "Post", price = 990, working_days = [2, 4] }]"#)
}

fn an_order(id: &str) -> Value {
    order_placed(id, NOW, &[line("1", "mug", 2, 4_900)])
}

fn a_guests_order(id: &str) -> Value {
    let mut order = an_order(id);
    order["customer"] = json!({ "email": "guest@mail.example", "first_name": "Gustaw" });
    order
}

/// Restores over the new installation of another world.
async fn restored_elsewhere(backup: &Path) -> World {
    let mut world = setup().start().await;
    world.stop().await;
    let refused = restore::put_back(&world.folder, backup, false, &world.clock).await.unwrap_err();
    assert!(refused.to_string().contains("there is a database already"), "{refused}");
    let restored = restore::put_back(&world.folder, backup, true, &world.clock).await.unwrap();
    assert!(restored.aside.is_some_and(|aside| aside.exists()), "what was there is kept");
    world.start_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_again_in_another_folder() {
    let world = setup().start().await;
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    world.event("order-placed", "e2", &a_guests_order("1002")).await.json(202);
    world.settle().await;
    let question = json!({ "cart": cart(&[line("1", "mug", 2, 4_900)]) });
    let checkout = world.post("/v1/hooks/checkout", &question).await.json(200);
    let quote = checkout["delivery_options"][0]["quote"].as_str().expect("a quote").to_owned();
    let order = world.get("/v1/orders/1001").await.json(200);
    let guest = world.get("/v1/orders/1002").await.json(200)["customer_id"].clone();
    // Accepted, and nothing of it is done yet.
    world.event("order-placed", "e3", &an_order("1003")).await.json(202);
    let anna = world.get("/v1/customers/c-anna").await.json(200);
    assert!(anna["points"].as_i64().unwrap() > 0, "{anna}");
    let sent = world.mails().len();

    let to = world.path("monday");
    let made = backup::make(&world.folder, Some(&to), false, &world.clock).await.unwrap();
    assert_eq!(made.folder, to);
    world.event("order-placed", "e4", &an_order("1004")).await.json(202);

    let other = restored_elsewhere(&to).await;
    assert_eq!(other.get("/v1/orders/1001").await.json(200), order);
    assert_eq!(other.get("/v1/customers/c-anna").await.json(200), anna);
    assert_eq!(other.get("/v1/orders/1004").await.status, 404, "it came after the backup");
    let again = other.event("order-placed", "e1", &an_order("1001")).await.json(200);
    assert_eq!(again["duplicate"], true, "names of events are remembered");
    other.settle().await;
    assert!(!other.mails().is_empty() && sent > 0);
    assert!(other.subjects().iter().all(|subject| !subject.contains("1001")), "{:?}", other.subjects());
    assert!(other.subjects().iter().any(|subject| subject.contains("1003")), "{:?}", other.subjects());

    // The host's secrets came along: a guest is known again, and a quote still holds.
    let mut promised = a_guests_order("1005");
    promised["order"]["quote"] = json!(quote);
    other.event("order-placed", "e5", &promised).await.json(202);
    let promised = other.get("/v1/orders/1005").await.json(200);
    assert_eq!(promised["customer_id"], guest);
    assert!(promised["order"]["delivery"]["promised"].is_object(), "{promised}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_host_that_is_writing_has_all_that_was_accepted_before() {
    let world = Arc::new(setup().host("[http]\nrequests_per_second = 100000\n").start_live().await);
    let (accepted, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (world, accepted, done) = (world.clone(), accepted.clone(), done.clone());
            tokio::spawn(async move {
                let mut ids = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    let id = format!("{writer}-{}", ids.len());
                    world.event("order-placed", &id, &an_order(&id)).await.json(202);
                    accepted.fetch_add(1, Ordering::SeqCst);
                    ids.push(id);
                }
                ids
            })
        })
        .collect();
    while accepted.load(Ordering::SeqCst) < 40 {
        tokio::task::yield_now().await;
    }
    // By another process, as a person or cron would.
    let (folder, to) = (world.folder.clone(), world.path("busy"));
    let before = accepted.load(Ordering::SeqCst);
    let made = tokio::task::spawn_blocking(move || {
        cartwright().arg("-C").arg(folder).arg("backup").arg(to).output().unwrap()
    })
    .await
    .unwrap();
    done.store(true, Ordering::SeqCst);
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains("busy"), "{}", said(&made));
    let mut ids = Vec::new();
    for writer in writers {
        ids.extend(writer.await.unwrap());
    }
    assert!(ids.len() > before as usize, "the host went on writing");

    let other = restored_elsewhere(&world.path("busy")).await;
    other.settle().await;
    let mut there = 0;
    for id in &ids {
        let order = other.get(&format!("/v1/orders/{id}")).await;
        let taken = other.event("order-placed", id, &an_order(id)).await;
        // An order and the name of its event are there together, or neither is.
        match order.status {
            200 => assert_eq!(taken.json(200)["duplicate"], true),
            404 => assert_eq!(taken.json(202)["duplicate"], false),
            _ => panic!("{}", order.text),
        }
        there += u32::from(order.status == 200);
    }
    assert!(there >= before, "{before} were accepted before the backup began, {there} are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_by_name_and_nothing_is_touched() {
    let mut world = setup().start().await;
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    let to = world.path("monday");
    backup::make(&world.folder, Some(&to), false, &world.clock).await.unwrap();
    let refused = restore::put_back(&world.folder, &to, true, &world.clock).await.unwrap_err();
    assert!(refused.to_string().contains("another host has this database open"), "{refused:#}");
    world.stop().await;
    let stored = std::fs::read(world.path("data/cartwright.db")).unwrap();

    let file = |name: &str| to.join(name);
    let whole = std::fs::read(file("cartwright.db")).unwrap();
    let manifest = std::fs::read_to_string(file("backup.json")).unwrap();
    let key = std::fs::read(file("secret.key")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("cartwright.db", whole[..whole.len() / 2].to_vec(), "cartwright.db is damaged: it has"),
        ("cartwright.db", flipped, "cartwright.db is damaged: it is not what was backed up"),
        ("cartwright.db", Vec::new(), "cartwright.db is damaged"),
        ("secret.key", b"x".repeat(key.len()), "secret.key is damaged"),
        ("backup.json", b"{".to_vec(), "backup.json is damaged"),
        ("backup.json", manifest.replace("\"secret.key\"", "\"../../x\"").into_bytes(), "none of a backup's"),
        ("backup.json", manifest.replace("\"format\": 1", "\"format\": 2").into_bytes(), "is newer"),
    ];
    for (name, content, expected) in cases {
        let good = std::fs::read(file(name)).unwrap();
        std::fs::write(file(name), content).unwrap();
        let error = restore::put_back(&world.folder, &to, true, &world.clock).await.unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{expected}: {error:#}");
        std::fs::write(file(name), good).unwrap();
    }
    assert_eq!(std::fs::read(world.path("data/cartwright.db")).unwrap(), stored, "nothing was touched");
    let left: Vec<PathBuf> =
        std::fs::read_dir(world.path("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.iter().all(|path| !path.display().to_string().contains("restor")), "{left:?}");
    // Put right, it is as good as before.
    restore::put_back(&world.folder, &to, true, &world.clock).await.unwrap();
    let world = world.start_again().await;
    assert_eq!(world.get("/v1/orders/1001").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_where_nothing_is_or_says_why_not() {
    let world = setup().start().await;
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    let make = async |to: Option<&Path>, force: bool| {
        backup::make(&world.folder, to, force, &world.clock).await.map_err(|error| format!("{error:#}"))
    };
    let made = make(None, false).await.unwrap();
    assert_eq!(made.folder, world.path("backups/2026-11-30T09-00-00Z"));
    let again = make(None, false).await.unwrap_err();
    assert!(again.contains("is there already") && again.contains("--force"), "{again}");
    make(None, true).await.unwrap();
    let nowhere = make(Some(&world.path("no/such/folder")), false).await.unwrap_err();
    assert!(nowhere.contains("there is no folder"), "{nowhere}");
    let mine = make(Some(&world.path("shops")), true).await.unwrap_err();
    assert!(mine.contains("is no backup"), "{mine}");
    assert!(world.path("shops/demo.toml").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&made.folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "customers' data and a secret are for nobody else");
    }
    let left: Vec<_> = std::fs::read_dir(world.path("backups")).unwrap().collect();
    assert_eq!(left.len(), 1, "no half of a backup is left: {left:?}");
}

#[test]
fn on_postgresql_the_right_command_is_told_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("cartwright.toml"),
        "database = \"postgres://cartwright:hidden@127.0.0.1:1/shop\"\n",
    )
    .unwrap();
    let output = cartwright().current_dir(&folder).arg("backup").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("pg_dump --format=custom") && text.contains("cartwright@127.0.0.1:1/shop"),
        "{text}"
    );
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_does_not_start_on_a_damaged_database_and_says_what_to_do() {
    let mut world = setup().start().await;
    world.event("order-placed", "e1", &an_order("1001")).await.json(202);
    world.stop().await;
    let file = world.path("data/cartwright.db");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let folder = world.folder.clone();
    let output =
        cartwright().arg("-C").arg(folder).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("cartwright.db") && text.contains("cartwright restore"), "{text}");
}
