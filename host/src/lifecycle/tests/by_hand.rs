//! What a person does about jobs that failed, and what they can read before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::support::*;
use crate::domain::*;
use crate::plugins::call::Fault;
use crate::store::{JobState, Verdict};

/// A house whose plugin fails on placed orders until it is repaired.
async fn broken() -> (House, Arc<AtomicBool>) {
    let house = House::new(&["p"]).await;
    let repaired = Arc::new(AtomicBool::new(false));
    let sound = Arc::clone(&repaired);
    house.script(move |invocation| {
        let fails = invocation.hook == Hook::OrderPlaced && !sound.load(Ordering::SeqCst);
        Box::pin(async move {
            if fails {
                return Err(Fault::Refused("cannot reach bob@example.com".to_owned()));
            }
            Ok((vec![add("done", 1)], Vec::new()))
        })
    });
    (house, repaired)
}

/// Steps as time goes by, until there is nothing more to do.
async fn until_it_rests(house: &House) {
    while let Some(next) = house.step().await {
        house.clock.advance(next - house.clock.now_ms());
    }
}

#[tokio::test]
async fn a_dead_letter_says_what_failed_how_often_since_when_and_what_to_do() {
    let (house, _) = broken().await;
    house.report(placed("1")).await;
    until_it_rests(&house).await;
    let job = house.jobs(Some(JobState::Dead)).await.remove(0);
    let reason = job.reason.clone().unwrap();
    let since = instant::to_rfc3339(NOW);
    for expected in ["`p` failed on `order-placed` 8 times", &since, "[e-mail]", "retry this job", "drop it"]
    {
        assert!(reason.contains(expected), "no `{expected}` in: {reason}");
    }
    assert!(!reason.contains("bob"), "{reason}");
    assert_eq!(job.next_try_at, None, "it is not tried again");
    let failures = house.store.job("demo", &job.id).await.unwrap().unwrap().failures;
    assert_eq!(
        failures.iter().map(|attempt| attempt.number).collect::<Vec<_>>(),
        (1..=8).collect::<Vec<_>>()
    );
    assert!(failures.iter().all(|attempt| attempt.kind == "err" && attempt.fault == "cannot reach [e-mail]"));
    assert!(failures.is_sorted_by(|one, next| one.at < next.at));
    assert!(
        house.store.job("other", &job.id).await.unwrap().is_none(),
        "another shop's is nobody's business"
    );
}

#[tokio::test]
async fn a_dead_job_that_is_told_to_begin_anew_is_done_and_keeps_its_past() {
    let (house, repaired) = broken().await;
    let event_id = house.report(placed("1")).await;
    until_it_rests(&house).await;
    let id = house.jobs(None).await.remove(0).id;
    assert_eq!(house.lifecycle.retry("other", &id).await.unwrap(), Verdict::NoSuchJob);
    repaired.store(true, Ordering::SeqCst);
    assert_eq!(house.lifecycle.retry("demo", &id).await.unwrap(), Verdict::Obeyed);
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!((progress.state.as_str(), progress.jobs[0].state.as_str()), ("open", "waiting"));
    house.step().await;
    assert_eq!(house.state("done").await.as_deref(), Some("1"));
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!(progress.state, "done");
    let details = house.store.job("demo", &id).await.unwrap().unwrap();
    assert_eq!((details.job.state.as_str(), details.job.attempts, details.failures.len()), ("done", 0, 8));
    assert_eq!(house.lifecycle.retry("demo", &id).await.unwrap(), Verdict::Refused(JobState::Done));
    assert_eq!(
        house.lifecycle.drop_job("demo", &id, "k", None).await.unwrap(),
        Verdict::Refused(JobState::Done)
    );
}

#[tokio::test]
async fn a_second_life_has_as_many_attempts_and_speaks_only_of_them() {
    let (house, _) = broken().await;
    house.report(placed("1")).await;
    until_it_rests(&house).await;
    let id = house.jobs(None).await.remove(0).id;
    house.clock.advance(100 * MINUTE);
    let again = house.clock.now_ms();
    house.lifecycle.retry("demo", &id).await.unwrap();
    until_it_rests(&house).await;
    let details = house.store.job("demo", &id).await.unwrap().unwrap();
    assert_eq!((details.job.state.as_str(), details.job.attempts, details.failures.len()), ("dead", 8, 16));
    let reason = details.job.reason.unwrap();
    assert!(reason.contains(&format!("8 times since {}", instant::to_rfc3339(again))), "{reason}");
}

#[tokio::test]
async fn a_failed_job_is_tried_at_once_when_told_and_a_waiting_one_needs_no_telling() {
    let (house, repaired) = broken().await;
    house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    house.step().await;
    let jobs = house.jobs(None).await;
    let failed = jobs.iter().find(|job| job.state == "failed").unwrap();
    let waiting = jobs.iter().find(|job| job.state == "waiting").unwrap();
    assert_eq!(
        house.lifecycle.retry("demo", &waiting.id).await.unwrap(),
        Verdict::Refused(JobState::Waiting)
    );
    repaired.store(true, Ordering::SeqCst);
    house.step().await;
    assert_eq!(house.state("done").await, None, "it rests");
    assert_eq!(house.lifecycle.retry("demo", &failed.id).await.unwrap(), Verdict::Obeyed);
    house.step().await;
    assert_eq!(house.state("done").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_dropped_job_is_never_done_and_blocks_nobody() {
    let (house, repaired) = broken().await;
    let event_id = house.report(placed("1")).await;
    house.report(shipped("1", "s")).await;
    house.step().await;
    assert_eq!(house.hooks(), [Hook::OrderPlaced], "the next one waits for its elder");
    let failed = house.jobs(Some(JobState::Failed)).await.remove(0);
    let dropped = house.lifecycle.drop_job("demo", &failed.id, "backend", Some("called her")).await.unwrap();
    assert_eq!(dropped, Verdict::Obeyed);
    repaired.store(true, Ordering::SeqCst);
    until_it_rests(&house).await;
    assert_eq!(house.hooks(), [Hook::OrderPlaced, Hook::OrderShipped]);
    let details = house.store.job("demo", &failed.id).await.unwrap().unwrap();
    assert_eq!(details.job.state, "dropped");
    assert_eq!(details.job.reason.as_deref(), Some("dropped with the key `backend`: called her"));
    assert_eq!(details.failures.len(), 1);
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!((progress.state.as_str(), progress.jobs[0].state.as_str()), ("done", "dropped"));
    assert_eq!(house.lifecycle.retry("demo", &failed.id).await.unwrap(), Verdict::Refused(JobState::Dropped));
}

#[tokio::test]
async fn a_running_job_is_left_to_its_worker() {
    let (house, _) = broken().await;
    house.report(placed("1")).await;
    let job = super::worker::claim(&house).await.remove(0);
    assert_eq!(house.lifecycle.retry("demo", &job.id).await.unwrap(), Verdict::Refused(JobState::Running));
    let dropped = house.lifecycle.drop_job("demo", &job.id, "k", None).await.unwrap();
    assert_eq!(dropped, Verdict::Refused(JobState::Running));
    assert_eq!(house.lifecycle.retry("demo", "job_none").await.unwrap(), Verdict::NoSuchJob);
}

#[tokio::test]
async fn a_list_has_pages_and_a_plugin() {
    let house = House::new(&["p", "q"]).await;
    for order in 0..5 {
        house.report(placed(&"1".repeat(order + 1))).await;
    }
    let mut filter = crate::store::JobFilter {
        plugin: Some("p".to_owned()),
        limit: 2,
        ..crate::store::JobFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = house.store.jobs("demo", &filter).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2 && page.iter().all(|job| job.plugin == "p"));
        filter.before = Some(last.id.clone());
        seen.extend(page.into_iter().map(|job| job.order_id.unwrap().len()));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}
