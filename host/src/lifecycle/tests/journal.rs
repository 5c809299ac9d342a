//! What a job's attempts were answered from outside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::support::*;
use crate::domain::*;
use crate::plugins::call::Fault;
use crate::store::{JobState, Verdict};

fn answer(body: &[u8]) -> HttpResponse {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    HttpResponse { status: 200, headers, body: body.to_vec() }
}

/// A house whose plugin remembers an answer in each attempt, and fails until it is repaired. Gives what each
/// attempt recalled.
async fn remembering() -> (House, Arc<AtomicBool>, Arc<Mutex<Vec<Option<HttpResponse>>>>) {
    let house = House::new(&["p"]).await;
    let (repaired, recalled) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (sound, heard) = (Arc::clone(&repaired), Arc::clone(&recalled));
    house.script(move |invocation| {
        let (sound, heard) = (Arc::clone(&sound), Arc::clone(&heard));
        Box::pin(async move {
            let journal = invocation.journal.unwrap();
            let before = journal.recall("q.1").await.unwrap();
            heard.lock().unwrap().push(before);
            // NUL and all: a body is bytes.
            assert!(journal.keep("q.1", &answer(b"\0first\xff")).await.unwrap());
            assert!(journal.keep("q.1", &answer(b"second")).await.unwrap());
            assert_eq!(journal.recall("q.2").await.unwrap(), None);
            if sound.load(Ordering::SeqCst) {
                Ok((Vec::new(), Vec::new()))
            } else {
                Err(Fault::Refused("not yet".to_owned()))
            }
        })
    });
    (house, repaired, recalled)
}

async fn until_it_rests(house: &House) {
    while let Some(next) = house.step().await {
        house.clock.advance(next - house.clock.now_ms());
    }
}

#[tokio::test]
async fn an_answer_outlives_a_failed_attempt_and_goes_with_the_job() {
    let (house, repaired, recalled) = remembering().await;
    house.report(placed("1")).await;
    let next = house.step().await.unwrap();
    repaired.store(true, Ordering::SeqCst);
    house.clock.advance(next - house.clock.now_ms());
    house.step().await;
    assert_eq!(*recalled.lock().unwrap(), [None, Some(answer(b"\0first\xff"))]);
    assert_eq!(house.store.kept_answers().await.unwrap(), 0, "the job is done with");
    // Another job's memory is its own.
    house.report(placed("2")).await;
    house.step().await;
    assert_eq!(recalled.lock().unwrap().last().unwrap(), &None);
}

#[tokio::test]
async fn a_job_that_a_person_has_tried_again_asks_anew() {
    let (house, _, recalled) = remembering().await;
    house.report(placed("1")).await;
    house.step().await;
    let retry = async |state| {
        let job = house.jobs(Some(state)).await.remove(0);
        let now = house.clock.now_ms();
        assert_eq!(house.store.retry_job("demo", &job.id, now).await.unwrap(), Verdict::Obeyed);
        assert_eq!(house.store.kept_answers().await.unwrap(), 0);
        let attempts = recalled.lock().unwrap().len();
        house.step().await;
        assert_eq!(recalled.lock().unwrap()[attempts], None);
        assert_eq!(house.store.kept_answers().await.unwrap(), 1);
        job.id
    };
    retry(JobState::Failed).await;
    until_it_rests(&house).await;
    assert_eq!(house.store.kept_answers().await.unwrap(), 0, "a dead job remembers nothing");
    let id = retry(JobState::Dead).await;
    let now = house.clock.now_ms();
    assert_eq!(house.store.drop_job("demo", &id, "no use", now).await.unwrap(), Verdict::Obeyed);
    assert_eq!(house.store.kept_answers().await.unwrap(), 0);
}

#[tokio::test]
async fn a_job_remembers_only_so_much() {
    let house = House::new(&["p"]).await;
    house.script(|invocation| {
        Box::pin(async move {
            let journal = invocation.journal.unwrap();
            let large = answer(&vec![b'x'; 3 << 20]);
            let mut kept = Vec::new();
            for question in ["a", "b", "c"] {
                kept.push(journal.keep(question, &large).await.unwrap());
            }
            for question in 0..62 {
                assert!(journal.keep(&question.to_string(), &answer(b"x")).await.unwrap());
            }
            kept.push(journal.keep("one more", &answer(b"x")).await.unwrap());
            assert_eq!(kept, [true, true, false, false]);
            Err(Fault::Refused("not yet".to_owned()))
        })
    });
    house.report(placed("1")).await;
    house.step().await;
    assert_eq!(house.store.kept_answers().await.unwrap(), 64);
}

#[tokio::test]
async fn who_has_lost_the_lease_adds_nothing() {
    let house = House::new(&["p"]).await;
    let journals: Arc<Mutex<Vec<Arc<dyn Journal>>>> = Arc::default();
    let kept = Arc::clone(&journals);
    house.script(move |invocation| {
        kept.lock().unwrap().extend(invocation.journal);
        Box::pin(async { Err(Fault::Refused("not yet".to_owned())) })
    });
    house.report(placed("1")).await;
    let next = house.step().await.unwrap();
    house.clock.advance(next - house.clock.now_ms());
    house.step().await;
    let [first, second] = <[_; 2]>::try_from(std::mem::take(&mut *journals.lock().unwrap())).ok().unwrap();
    first.keep("q.1", &answer(b"late")).await.unwrap();
    assert_eq!(house.store.kept_answers().await.unwrap(), 0);
    second.keep("q.1", &answer(b"mine")).await.unwrap();
    assert_eq!(house.store.kept_answers().await.unwrap(), 1);
}
