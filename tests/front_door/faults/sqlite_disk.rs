//! The disk under a host is full, fails, or may not be written.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use super::*;

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];

/// A small disk of its own over a folder (a file system in memory). Only root may mount one: `tests/run` leaves these
/// scenarios out, aloud, where it is not.
struct Disk(PathBuf);

impl Disk {
    /// With what the folder held.
    fn over(folder: &Path) -> Self {
        let aside = folder.with_extension("aside");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::rename(folder, &aside).unwrap();
        std::fs::create_dir(folder).unwrap();
        run("mount", &["-t", "tmpfs", "-o", "size=8m", "tmpfs", text(folder)]);
        run("cp", &["-a", &format!("{}/.", text(&aside)), text(folder)]);
        Self(folder.to_owned())
    }

    /// To the last byte.
    fn fill(&self) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn only_to_be_read(&self, only: bool) {
        run("mount", &["-o", if only { "remount,ro" } else { "remount,rw" }, text(&self.0)]);
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // At once for everybody who looks; for those who have files open, when they close them.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn run(command: &str, arguments: &[&str]) {
    let output = Command::new(command).args(arguments).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn mounted_sqlite_on_a_full_disk_takes_no_event_and_goes_on_when_there_is_room() {
    const MOST: usize = 400;
    let mut world = setup().start_live().await;
    world.stop().await;
    let disk = Disk::over(&world.path("data"));
    let mut world = world.start_again().await;
    report(&world, 0).await.json(202);
    disk.fill();
    // What SQLite has on the disk already takes some more.
    let mut orders = 1;
    loop {
        let answer = report(&world, orders).await;
        orders += 1;
        if answer.status == 503 {
            is_refused(&answer);
            break;
        }
        answer.json(202);
        assert!(orders < MOST, "the disk is never full");
    }
    let sentence = not_ready(&world).await;
    assert!(sentence.contains("disk is full") && sentence.contains("make room"), "{sentence}");
    checkout_is_answered(&world).await;
    is_refused(&report(&world, orders).await);
    orders += 1;
    disk.make_room();
    ready_again(&world).await;
    for id in 0..orders {
        let answer = report(&world, id).await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
    }
    all_is_done_once(&world, orders).await;
    world.stop().await;
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn mounted_sqlite_does_not_start_on_a_full_disk_or_one_to_be_read_only_and_says_which() {
    let mut world = setup().start_live().await;
    report(&world, 1).await.json(202);
    world.stop().await;
    let disk = Disk::over(&world.path("data"));
    disk.fill();
    let refused = world.refused_again().await;
    assert!(refused.contains("cartwright.db") && refused.contains("disk"), "{refused}");
    disk.make_room();
    disk.only_to_be_read(true);
    let refused = world.refused_again().await;
    assert!(refused.contains("cartwright.db"), "{refused}");
    assert!(refused.contains("Read-only") || refused.contains("may only be read"), "{refused}");
    disk.only_to_be_read(false);
    let mut world = world.start_again().await;
    report(&world, 1).await.json(200);
    all_is_done_once(&world, 1).await;
    world.stop().await;
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn mounted_a_full_outbox_and_a_full_cache_lose_no_mail_and_stop_no_plugin() {
    let mut world = Setup::new().plugin("order-updates", UPDATES, "{}").start().await;
    world.stop().await;
    let (outbox, cache) = (Disk::over(&world.path("data/outbox")), Disk::over(&world.path("data/cache")));
    std::fs::remove_dir_all(world.path("data/accepted")).unwrap();
    let accepted = Disk::over(&world.path("data/accepted"));
    let mut world = {
        for file in std::fs::read_dir(world.path("data/cache")).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        cache.fill();
        accepted.fill();
        world.start_again().await
    };
    outbox.fill();
    report(&world, 1).await.json(202);
    world.settle().await;
    assert_eq!(world.subjects(), Vec::<String>::new());
    let waits = world.get("/v1/orders/1/timeline").await.text;
    assert!(waits.contains("waiting") || waits.contains("message"), "{waits}");
    outbox.make_room();
    // Messages rest for minutes between attempts.
    world.later(harness::HOUR_MS).await;
    assert_eq!(world.subjects().len(), 1, "{:?}", world.subjects());
    let halves = std::fs::read_dir(world.path("data/outbox")).unwrap();
    let halves =
        halves.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "part"));
    assert_eq!(halves.count(), 0, "nothing half is left");
    world.stop().await;
    drop((outbox, cache, accepted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_under_sqlite_is_told_of_once_and_so_is_its_end() {
    let mut world = setup().start().await;
    world.stop().await;
    let process = Process::serve(&world);
    let report = async |id: usize| {
        let request = world.client.post(process.url("/v1/hooks/order-placed")).bearer_auth(&world.secret_key);
        world.send(request.header("Idempotency-Key", format!("order-{id}")).json(&order(id))).await
    };
    let ready = async || world.send(world.client.get(process.url("/readyz"))).await;
    report(0).await.json(202);
    let warned = process.lines(&["WARN"]).len();
    // From here on the process may write to no file.
    run("prlimit", &["--pid", &process.id(), "--fsize=0:"]);
    for id in 1..40 {
        is_refused(&report(id).await);
    }
    let sentence = ready().await.json(503)["problem"].to_string();
    assert!(sentence.contains("cannot be written"), "{sentence}");
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let ask = world.client.post(process.url("/v1/hooks/checkout")).bearer_auth(&world.secret_key).json(&body);
    world.send(ask).await.json(200);
    assert_eq!(process.lines(&["ERROR"]).len(), 1, "{:#?}", process.lines(&["ERROR"]));
    assert_eq!(process.lines(&["the database is in trouble", "its disk fails"]).len(), 1);
    assert_eq!(process.lines(&["WARN"]).len(), warned, "{:#?}", process.lines(&["WARN"]));

    run("prlimit", &["--pid", &process.id(), "--fsize=unlimited:"]);
    until("the host is ready", async || (ready().await.status == 200).then_some(())).await;
    for id in 0..40 {
        let answer = report(id).await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(process.lines(&["the database is well again"]).len(), 1);
    assert_eq!(process.lines(&["ERROR"]).len(), 1, "{:#?}", process.lines(&["ERROR"]));
    drop(process);
    let world = world.start_again().await;
    world.settle().await;
    all_is_done_once(&world, 40).await;
}
