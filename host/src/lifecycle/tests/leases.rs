//! Leases of jobs that take long, of hosts that were away, and of those that stop.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::support::*;
use super::worker::claim;
use crate::store::{Changes, Completion, JobState};

const SECOND: i64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// A host that does one job at a time, whose leases take two seconds, and a plugin that says when it is called and waits to be let go.
async fn slow() -> (House, Arc<Notify>, Arc<Notify>) {
    let house = House::new(&["p"]).await;
    let snapshot = Arc::into_inner(snapshot_of(1, [live_shop("demo", &["p"])])).unwrap();
    let mut host = (*snapshot.host).clone();
    host.limits.lease_seconds = 2;
    house.live(Arc::new(crate::plugins::registry::Snapshot { host: Arc::new(host), ..snapshot }));
    let (called, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (calls, goes) = (Arc::clone(&called), Arc::clone(&go));
    house.script(move |_| {
        let (called, go) = (Arc::clone(&calls), Arc::clone(&goes));
        Box::pin(async move {
            called.notify_one();
            go.notified().await;
            Ok((vec![add("done", 1)], Vec::new()))
        })
    });
    (house, called, go)
}

fn run(house: &House) -> (tokio::task::JoinHandle<()>, CancellationToken) {
    let (lifecycle, stop) = (house.lifecycle.clone(), CancellationToken::new());
    let stopped = stop.clone();
    (tokio::spawn(async move { lifecycle.run(stopped).await }), stop)
}

#[tokio::test]
async fn a_job_that_takes_longer_than_its_lease_stays_its_hosts_and_is_done_once() {
    let (house, called, go) = slow().await;
    house.report(placed("1")).await;
    let (running, stop) = run(&house);
    called.notified().await;
    for _ in 0..5 {
        house.clock.advance(3 * SECOND / 2);
        let now_ms = house.clock.now_ms();
        let renewed = async {
            // The only instant that is known is the end of the lease.
            while house.store.next_work(now_ms).await.unwrap() != Some(now_ms + 2 * SECOND) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, renewed).await.expect("the lease is renewed");
        house.store.reclaim(now_ms).await.unwrap();
        assert_eq!(claim(&house).await, [], "another host finds nothing");
    }
    stop.cancel();
    go.notify_one();
    running.await.unwrap();
    assert_eq!(house.state("done").await.as_deref(), Some("1"));
    assert_eq!(house.calls().len(), 1);
}

#[tokio::test]
async fn a_host_that_was_frozen_past_its_lease_commits_nothing_and_says_so_once() {
    let (log, writer) = log();
    let _heard = tracing::subscriber::set_default(writer);
    let (house, called, go) = slow().await;
    house.report(placed("1")).await;
    let (running, stop) = run(&house);
    called.notified().await;
    // To the others it is as if it were frozen: its lease is over, and one of them does the job.
    house.store.reclaim(house.clock.now_ms() + MINUTE).await.unwrap();
    let job = claim(&house).await.remove(0);
    let event = house.store.event(&job.event_id).await.unwrap().unwrap();
    let done = Completion {
        job,
        event,
        currency: "EUR".to_owned(),
        reads: Vec::new(),
        changes: Changes::default(),
        allowance: crate::store::Allowance::of(&crate::config::Limits::default()),
        now_ms: house.clock.now_ms(),
    };
    house.lifecycle.renew_leases().await;
    house.store.complete(done).await.unwrap();
    stop.cancel();
    go.notify_one();
    running.await.unwrap();
    assert_eq!(house.state("done").await, None, "nothing of the late attempt");
    assert_eq!(house.jobs(Some(JobState::Done)).await.len(), 1);
    let said = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(said.matches("another worker has it").count(), 1, "{said}");
}

#[tokio::test]
async fn what_a_host_has_in_hand_when_it_is_cut_is_free_at_once_and_not_counted() {
    let (house, called, _go) = slow().await;
    house.report(placed("1")).await;
    let (running, _stop) = run(&house);
    called.notified().await;
    assert_eq!(claim(&house).await, []);
    let cut = house.lifecycle.in_hand();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    house.lifecycle.let_go(&cut).await.unwrap();
    assert_eq!(cut.len(), 1);
    let job = claim(&house).await.remove(0);
    assert_eq!((&job.id, job.attempts), (&cut[0].id, 0));
    assert!(job.lease_token > cut[0].lease_token);
    // Too late to give back what is another's.
    house.lifecycle.let_go(&cut).await.unwrap();
    assert_eq!(claim(&house).await, []);
}

struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What this thread's tasks log.
fn log() -> (Arc<Mutex<Vec<u8>>>, impl tracing::Subscriber) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&log);
    let writer = move || Heard(Arc::clone(&to));
    (log, tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish())
}
