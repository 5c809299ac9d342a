//! Several hosts on one PostgreSQL: who does what, who hears of what, and what `cartwright status` says. On a cluster
//! of this suite's own. Run by `tests/run`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cartwright::store::{self, HostState, Survey};
use futures::StreamExt as _;
use futures::future::join_all;
use harness::receiver::{Receiver, Reply};
use harness::{Setup, World, plugin_files, postgres};
use serde_json::{Value, json};

use crate::command::{Served, cartwright, said};
use crate::goods::{cart, line, order_placed};
use crate::postgres::Cluster;

const NOW: &str = "2026-11-30T09:00:00Z";
const STATE: &[&str] = &["state", "state-write"];

/// What a host finds at the latest that nobody told it of, and what a busy machine adds.
const POLL: Duration = Duration::from_secs(5 + 10);

fn counting(database: &str) -> Setup {
    Setup::new().database(database).plugin("counter", STATE, "{}")
}

/// A host whose plugin tells a server which host it runs on.
fn telling(database: &str, name: &str, server: &Receiver) -> Setup {
    let lines = format!(
        "hosts = [{{ host = \"http://127.0.0.1:{0}\", allow_private = true }}]\n\
         settings = {{ urls = [\"http://127.0.0.1:{0}/{name}\"] }}",
        server.port()
    );
    Setup::new()
        .database(database)
        .host("[fetch]\ntimeout_ms = 60000\nconcurrent_per_plugin = 64\n")
        .host("[limits]\nevent_ms = 60000\nconcurrent_events = 4\nshare_percent = 100\n")
        .host("[http]\nrequests_per_second = 10000\n")
        .plugin_with("fetcher", &["http", "state", "state-write"], &lines)
}

async fn place(world: &World, id: &str) {
    let order = order_placed(id, NOW, &[line("1", "mug", 1, 100)]);
    world.event("order-placed", &format!("order-{id}"), &order).await.json(202);
}

async fn place_all(worlds: &[&World], orders: std::ops::Range<usize>) {
    let placed = futures::stream::iter(orders).map(|order| async move {
        place(worlds[order % worlds.len()], &order.to_string()).await;
    });
    placed.buffer_unordered(8).collect::<Vec<()>>().await;
}

async fn counted(world: &World) -> String {
    let cart = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = world.post("/v1/hooks/cart", &cart).await.json(200);
    answer["notices"][0]["text"].as_str().unwrap_or_default().to_owned()
}

async fn survey(database: &str, world: &World) -> Survey {
    store::survey(database, Path::new("."), world.clock.now_ms()).await.unwrap()
}

/// Until a survey is as it should be.
async fn until(database: &str, world: &World, patience: Duration, good: impl Fn(&Survey) -> bool) -> Survey {
    let since = Instant::now();
    loop {
        let seen = survey(database, world).await;
        if good(&seen) {
            return seen;
        }
        assert!(since.elapsed() < patience, "not within {patience:?}: {seen:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn three_hosts_share_the_work_fairly_and_none_holds_more_than_it_does_at_once() {
    const JOBS: usize = 300;
    let cluster = Cluster::start();
    let database = cluster.database("fair");
    let server = Receiver::start().await;
    server.always(Reply::Text("ok"));
    // Takes events in, and does none of their work.
    let taking = telling(&database, "none", &server).start().await;
    let mut working = Vec::new();
    for name in ["one", "two", "three"] {
        working.push(telling(&database, name, &server).start_live().await);
    }
    let most = std::sync::atomic::AtomicI64::new(0);
    let places = [&taking];
    let placed = place_all(&places, 0..JOBS);
    let done = async {
        let watched = |seen: &Survey| {
            let held = seen.hosts.iter().map(|host| host.jobs).max().unwrap_or(0);
            most.fetch_max(held, std::sync::atomic::Ordering::SeqCst);
            seen.jobs.open == 0 && server.calls().len() >= 2 * JOBS
        };
        until(&database, &taking, Duration::from_secs(120), watched).await
    };
    futures::join!(placed, done);
    let mut did: BTreeMap<String, usize> = BTreeMap::new();
    for call in server.calls() {
        *did.entry(call.path).or_default() += 1;
    }
    assert_eq!(did.values().sum::<usize>(), 2 * JOBS, "each job was done once: {did:?}");
    assert_eq!(did.len(), 3, "{did:?}");
    assert!(did.values().all(|calls| *calls >= 2 * JOBS / 5), "a fifth each, at least: {did:?}");
    assert!(most.into_inner() <= 4, "no host leases more than it does at once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_host_hears_of_anothers_events_within_a_tenth_of_a_second() {
    let cluster = Cluster::start();
    let database = cluster.database("words");
    let (taking, working) = (counting(&database).start().await, counting(&database).start_live().await);
    let (mut heard, mut done) = (Vec::new(), Vec::new());
    for order in 0..21 {
        let mut work = working.host().store().work();
        work.mark_unchanged();
        let body = order_placed(&order.to_string(), NOW, &[line("1", "mug", 1, 100)]);
        let name = format!("order-{order}");
        // From before the commit: what is measured is more than the word's way.
        let since = Instant::now();
        let (answer, word) = futures::join!(taking.event("order-placed", &name, &body), async {
            tokio::time::timeout(POLL, work.changed()).await.expect("a word").unwrap();
            since.elapsed()
        });
        answer.json(202);
        heard.push(word);
        until(&database, &taking, POLL, |seen| seen.jobs.open == 0).await;
        done.push(since.elapsed());
    }
    heard.sort();
    done.sort();
    assert!(heard[10] < Duration::from_millis(100), "{heard:?}");
    // The poll alone would take seconds.
    assert!(done[10] < Duration::from_secs(1), "{done:?}");
    assert_eq!(counted(&taking).await, "added 21, put 21");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn what_a_host_was_not_told_of_it_finds_by_itself() {
    let cluster = Cluster::start();
    let database = cluster.database("lost_words");
    let (taking, working) = (counting(&database).start().await, counting(&database).start_live().await);
    for order in 0..3 {
        // Its ear is cut off while an event comes in.
        let deaf = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        assert_eq!(postgres(&["sql", &database, deaf]), "t");
        place(&taking, &order.to_string()).await;
        until(&database, &taking, POLL, |seen| seen.jobs.open == 0).await;
    }
    // A job that comes back without any word at all.
    let held = "CREATE FUNCTION aside() RETURNS trigger AS 'BEGIN NEW.state := ''aside''; RETURN NEW; END' \
         LANGUAGE plpgsql; CREATE TRIGGER aside BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION aside()";
    let _ = postgres(&["sql", &database, held]);
    place(&taking, "3").await;
    until(&database, &taking, POLL, |seen| seen.jobs.open == 0).await;
    assert_eq!(counted(&taking).await, "added 3, put 3");
    let _ = postgres(&["sql", &database, "UPDATE jobs SET state = 'waiting' WHERE state = 'aside'"]);
    let since = Instant::now();
    while counted(&taking).await != "added 4, put 4" {
        assert!(since.elapsed() < POLL, "{}", counted(&working).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_job_waits_for_a_host_that_has_its_plugin_and_the_status_says_so() {
    let cluster = Cluster::start();
    let database = cluster.database("lacking");
    // Shops with other plugins: this one's is not live here.
    let mut without = Setup::new().database(&database).start_live().await;
    let mut with = counting(&database).start().await;
    place_all(&[&with], 0..5).await;
    let both = survey(&database, &without).await;
    assert_eq!((both.jobs.open, both.without_host.len()), (5, 0), "{both:#?}");
    with.stop().await;
    without.settle().await;
    let alone = survey(&database, &without).await;
    assert_eq!(alone.jobs.open, 5, "it took none of them");
    let [waiting] = &alone.without_host[..] else { panic!("{alone:#?}") };
    assert_eq!((waiting.plugin.as_str(), waiting.jobs), ("counter", 5));
    let mut states: Vec<_> = alone.hosts.iter().map(|host| host.state.name()).collect();
    states.sort_unstable();
    assert_eq!(states, ["running", "stopped"]);
    std::fs::copy(plugin_files().join("counter.wasm"), without.path("plugins/counter.wasm")).unwrap();
    without.edit(|setup| setup.plugin("counter", STATE, "{}"));
    assert_eq!(without.reload().await, Vec::<String>::new());
    until(&database, &without, POLL, |seen| seen.jobs.open == 0).await;
    assert_eq!(counted(&without).await, "added 5, put 5");
}

/// The counter in another version, with as many letters.
fn upgraded() -> Vec<u8> {
    let mut bytes = std::fs::read(plugin_files().join("counter.wasm")).unwrap();
    let (old, new) = (b"\"version\":\"0.1.0\"", b"\"version\":\"0.2.0\"");
    let places: Vec<usize> = bytes
        .windows(old.len())
        .enumerate()
        .filter(|(_, part)| part == old)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places.len(), 1, "the manifest has one version");
    bytes[places[0]..places[0] + new.len()].copy_from_slice(new);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn an_upgrade_that_rolls_over_the_hosts_loses_nothing() {
    const ORDERS: usize = 90;
    let cluster = Cluster::start();
    let database = cluster.database("rolling");
    let worlds = join_all((0..3).map(|_| counting(&database).start_live())).await;
    let all: Vec<&World> = worlds.iter().collect();
    place_all(&all, 0..ORDERS / 3).await;
    let upgrade = async {
        for (place, world) in worlds.iter().enumerate() {
            // As an upgrade is put in place: whole, or not at all.
            world.write("plugins/new.part", upgraded());
            std::fs::rename(world.path("plugins/new.part"), world.path("plugins/counter.wasm")).unwrap();
            assert_eq!(world.reload().await, Vec::<String>::new());
            // Hosts of both versions work until the next one follows.
            let first = ORDERS + 10 * place;
            place_all(&all, first..first + 10).await;
        }
    };
    futures::join!(upgrade, place_all(&all, ORDERS / 3..ORDERS));
    let everywhere = |seen: &Survey| {
        seen.jobs.open == 0
            && seen.hosts.iter().all(|host| host.plugins["demo"]["counter"] == "0.2.0" && host.generation > 1)
    };
    let seen = until(&database, &worlds[0], Duration::from_secs(60), everywhere).await;
    assert_eq!((seen.hosts.len(), seen.jobs.dead), (3, 0));
    let orders = ORDERS + 30;
    assert_eq!(counted(&worlds[1]).await, format!("added {orders}, put {orders}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_host_that_stops_gives_back_at_once_what_it_cannot_finish() {
    let cluster = Cluster::start();
    let database = cluster.database("draining");
    let server = Receiver::start().await;
    server.always(Reply::Silence);
    let mut stopping =
        telling(&database, "stopping", &server).host("timeout_seconds = 1\n").start_live().await;
    let other = telling(&database, "other", &server).start().await;
    place(&stopping, "1").await;
    server.until(1).await;
    assert_eq!(survey(&database, &other).await.leases.held, 1);
    stopping.stop().await;
    let seen = survey(&database, &other).await;
    assert_eq!((seen.leases.held, seen.jobs.open, seen.jobs.due), (0, 1, 1), "{seen:#?}");
    let stopped: Vec<_> = seen.hosts.iter().filter(|host| host.state == HostState::Stopped).collect();
    assert_eq!(stopped.len(), 1, "{seen:#?}");
    server.always(Reply::Text("ok"));
    // No clock is moved: it waits for no lease.
    other.settle().await;
    let jobs = other.get("/v1/jobs?state=done").await.json(200);
    assert_eq!(jobs["jobs"][0]["attempts"], 0, "{jobs}");
    assert!(server.calls().iter().any(|call| call.path == "/other"));
}

fn status(folder: &Path, database: Option<&str>) -> (String, Value) {
    let ask = |arguments: &[&str]| {
        let mut command = cartwright();
        command.current_dir(folder).arg("status").args(arguments);
        if let Some(database) = database {
            command.env("CARTWRIGHT_DATABASE", database);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    (ask(&[]), serde_json::from_str(&ask(&["--json"])).unwrap())
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts it"]
fn hosts_that_are_told_to_stop_finish_say_so_and_end_well() {
    let cluster = Cluster::start();
    let database = cluster.database("processes");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = folders.each_ref().map(|folder| Served::start_on(folder.path(), Some(&database)));
    let states = |told: &Value| -> Vec<String> {
        let hosts = told["hosts"].as_array().unwrap().iter();
        hosts.map(|host| host["state"].as_str().unwrap().to_owned()).collect()
    };
    let (text, told) = status(folders[0].path(), Some(&database));
    assert_eq!(states(&told), ["running", "running"], "{text}");
    assert!(text.contains("PostgreSQL processes at 127.0.0.1:") && text.contains(&one.address), "{text}");
    assert_eq!(one.stop(), Some(0));
    let (text, told) = status(folders[1].path(), Some(&database));
    assert_eq!(states(&told), ["stopped", "running"], "{text}");
    assert_eq!(two.stop(), Some(0));
    let (text, _) = status(folders[1].path(), Some(&database));
    assert!(text.contains("No host runs"), "{text}");
}

#[test]
fn sqlite_the_status_of_one_host_is_told_beside_it_and_without_it() {
    let (new, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ask = |command: &str| cartwright().current_dir(&new).arg(command).output().unwrap();
    assert!(ask("init").status.success());
    let none = ask("status");
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("no database yet"), "{}", said(&none));
    let served = Served::start(folder.path());
    let (text, told) = status(folder.path(), None);
    assert_eq!((told["hosts"][0]["state"].as_str(), &told["hosts"][1]), (Some("running"), &Value::Null));
    assert_eq!(told["hosts"][0]["address"].as_str(), Some(served.address.as_str()));
    assert_eq!((&told["jobs"]["open"], &told["leases"]["held"]), (&json!(0), &json!(0)));
    assert!(text.starts_with("SQLite ") && text.contains("running"), "{text}");
    assert!(text.contains("nothing is open"), "{text}");
    assert_eq!(served.stop(), Some(0));
    let (text, told) = status(folder.path(), None);
    assert_eq!(told["hosts"][0]["state"].as_str(), Some("stopped"), "{text}");
}
