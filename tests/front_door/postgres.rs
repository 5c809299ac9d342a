//! The database goes away and comes back: on a cluster of this suite's own, which it may crash. Run by `tests/run`.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use harness::{Setup, World, postgres};
use serde_json::json;

use crate::goods::{cart, line, order_placed};

const NOW: &str = "2026-11-30T09:00:00Z";
/// A lease has ended by then.
const LATER_MS: i64 = 6 * 60_000;

/// A server that syncs to disk, stopped at the end.
pub struct Cluster {
    folder: tempfile::TempDir,
    url: String,
}

impl Cluster {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server runs as a user of its own.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let url = postgres(&["start", &data(folder.path()), "durable"]);
        Self { folder, url }
    }

    /// The URL of one of that name.
    pub fn database(&self, name: &str) -> String {
        postgres(&["database", &self.url, name])
    }

    /// `fast`, or `immediate`, which is a crash.
    pub fn stop(&self, mode: &str) {
        let said = postgres(&["stop", &data(self.folder.path()), mode]);
        assert_eq!(said, "");
    }

    pub fn start_again(&self) {
        let url = postgres(&["start", &data(self.folder.path())]);
        assert_eq!(url, self.url);
    }

    /// A setting, from its next start on.
    pub fn set(&self, line: &str) {
        use std::io::Write as _;

        let file = self.folder.path().join("cluster/data/postgresql.conf");
        let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A scenario that failed may have stopped it.
        if self.folder.path().join("cluster/data/postmaster.pid").exists() {
            self.stop("immediate");
        }
    }
}

fn data(folder: &Path) -> String {
    folder.join("cluster").display().to_string()
}

fn setup(cluster: &Cluster, name: &str) -> Setup {
    Setup::new().database(&cluster.database(name)).plugin("counter", &["state", "state-write"], "{}")
}

/// Until it is accepted, as a storefront should: gives what each answer was.
async fn report(world: &World, id: usize) -> Vec<u16> {
    let mut answers = Vec::new();
    loop {
        let answer = world
            .event(
                "order-placed",
                &format!("order-{id}"),
                &order_placed(&id.to_string(), NOW, &[line("1", "mug", 1, 100)]),
            )
            .await;
        answers.push(answer.status);
        match answer.status {
            200 | 202 => return answers,
            503 => {
                assert!(answer.header("retry-after").is_some());
                assert!(answers.len() < 500, "it never comes back: {answers:?}");
            }
            _ => panic!("{}", answer.text),
        }
    }
}

/// What the plugin counted.
async fn counted(world: &World) -> String {
    let cart = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = world.post("/v1/hooks/cart", &cart).await.json(200);
    answer["notices"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_database_that_crashes_under_load_loses_no_event_and_doubles_none() {
    const ORDERS: usize = 60;
    let cluster = Cluster::start();
    let world = setup(&cluster, "crashing").start_live().await;
    let storefronts = (0..4).map(|storefront| {
        let world = &world;
        async move {
            let mut answers = Vec::new();
            for id in (storefront..ORDERS).step_by(4) {
                answers.extend(report(world, id).await);
            }
            answers
        }
    });
    let crashes = async {
        for _ in 0..2 {
            tokio::task::block_in_place(|| cluster.stop("immediate"));
            // Nobody is ready who cannot take an event. What was seen just before holds for a moment.
            let unready = async { while world.get("/readyz").await.status != 503 {} };
            tokio::time::timeout(Duration::from_secs(60), unready).await.expect("the host is not ready");
            assert_eq!(world.get("/healthz").await.status, 200);
            tokio::task::block_in_place(|| cluster.start_again());
        }
    };
    let (answers, ()) = futures::join!(join_all(storefronts), crashes);
    let refused = answers.iter().flatten().filter(|status| **status == 503).count();
    assert!(refused > 0 || answers.iter().flatten().count() == ORDERS);
    // Jobs whose worker heard nothing of their end are another's when their lease ends.
    world.later(LATER_MS).await;
    world.later(LATER_MS).await;
    assert_eq!(counted(&world).await, format!("added {ORDERS}, put {ORDERS}"));
    assert_eq!(world.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn an_event_that_one_host_takes_another_works_on_and_whoever_waits_hears_of_it() {
    let cluster = Cluster::start();
    // The first does no work of its own.
    let idle = setup(&cluster, "shared").start().await;
    let busy = setup(&cluster, "shared").start_live().await;
    let request = idle
        .client
        .post(idle.url("/v1/hooks/order-placed"))
        .bearer_auth(&idle.secret_key)
        .header("Idempotency-Key", "order-1")
        .header("Prefer", "wait=20")
        .json(&order_placed("1", NOW, &[line("1", "mug", 1, 100)]));
    let answer = idle.send(request).await.json(200);
    assert_eq!(answer["state"], "done", "{answer}");
    assert_eq!(counted(&busy).await, "added 1, put 1");
    assert_eq!(counted(&idle).await, "added 1, put 1");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_promise_that_one_host_signed_another_keeps() {
    let cluster = Cluster::start();
    let fallback = "[[fallback]]\nid = \"post\"\ntitle = \"Post\"\nprice = 499\nworking_days = [1, 2]";
    let hosts = (setup(&cluster, "promises").shop(fallback), setup(&cluster, "promises").shop(fallback));
    let (asked, told) = (hosts.0.start().await, hosts.1.start().await);
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 100)]) });
    let answer = asked.post("/v1/hooks/checkout", &body).await.json(200);
    let option = &answer["delivery_options"][0];
    let mut order = order_placed("1", NOW, &[line("1", "mug", 1, 100)]);
    order["order"]["quote"] = option["quote"].clone();
    told.event("order-placed", "order-1", &order).await.json(202);
    let kept = asked.get("/v1/orders/1").await.json(200);
    assert!(option["arrival"].is_object() || option["arrival"].is_string(), "{option}");
    assert_eq!(kept["order"]["delivery"]["promised"], option["arrival"], "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: tests/run starts it"]
async fn a_host_without_its_database_says_which_and_what_to_do() {
    let cluster = Cluster::start();
    cluster.stop("fast");
    let refused =
        Setup::new().database(&cluster.url.replace("cartwright@", "cartwright:hush@")).refused().await;
    cluster.start_again();
    assert!(refused.contains("cannot open the PostgreSQL database"), "{refused}");
    assert!(refused.contains("127.0.0.1"), "{refused}");
    assert!(!refused.contains("hush"), "{refused}");
}
