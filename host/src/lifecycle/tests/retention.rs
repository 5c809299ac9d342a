//! What is deleted when it is old, and what never is. The clock is moved.

use tokio_util::sync::CancellationToken;

use super::support::*;
use crate::domain::*;
use crate::lifecycle::Accepted;
use crate::plugins::call::Fault;
use crate::store::{JobState, MessageFate, Verdict};

const DAY: i64 = 24 * 60 * MINUTE;

async fn days_later(house: &House, days: i64) {
    house.clock.advance(days * DAY);
    house.step().await;
    house.lifecycle.forget(&CancellationToken::new()).await.unwrap();
}

async fn is_known(house: &House, event_id: &str) -> bool {
    house.store.event(event_id).await.unwrap().is_some()
}

#[tokio::test]
async fn finished_events_go_after_their_days_with_their_jobs_and_effects() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![add("done", 1)]);
    let events = [house.report(placed("1")).await, house.report(shipped("1", "s")).await];
    house.step().await;
    assert_eq!(house.store.rows("effects").await, 2);
    days_later(&house, 90).await;
    assert_eq!(house.jobs(Some(JobState::Done)).await.len(), 2, "90 days are kept");
    days_later(&house, 1).await;
    for event in &events {
        assert!(!is_known(&house, event).await);
    }
    for table in ["jobs_history", "effects", "attempts", "events"] {
        assert_eq!(house.store.rows(table).await, 0, "{table}");
    }
    let order = house.store.order("demo", "1").await.unwrap().unwrap();
    assert_eq!((order.order.total, order.shipments.len()), (2_000, 1), "the order is kept");
    assert_eq!(house.state("done").await.as_deref(), Some("2"), "and what plugins know");
}

#[tokio::test]
async fn an_order_is_placed_once_also_when_its_event_and_name_are_forgotten() {
    let house = House::new(&["p"]).await;
    let event_id = house.report(placed("1")).await;
    house.step().await;
    days_later(&house, 200).await;
    assert!(!is_known(&house, &event_id).await);
    let again = house.accept("0", placed("1")).await.unwrap();
    assert_eq!(again, Accepted::Duplicate { event_id: event_id.clone() });
    let mut dearer = order("1");
    dearer.total = 9_000;
    let dearer = OrderPlaced { order: dearer, customer: Some(anna()), locale: None };
    let other = house.accept("new", Event::OrderPlaced(dearer)).await.unwrap();
    assert_eq!(other, Accepted::Conflict { event_id: event_id.clone() });
    let elsewhere = OrderPlaced { order: order("1"), customer: None, locale: Some("pl".to_owned()) };
    let other = house.accept("pl", Event::OrderPlaced(elsewhere)).await.unwrap();
    assert_eq!(other, Accepted::Conflict { event_id });
    house.step().await;
    assert_eq!(house.calls().len(), 1);
}

#[tokio::test]
async fn a_name_holds_thirty_days() {
    let house = House::new(&["p"]).await;
    let created = |name: &str| {
        let customer = CustomerInput {
            id: Some("c".to_owned()),
            first_name: Some(name.to_owned()),
            ..CustomerInput::default()
        };
        Event::CustomerCreated(CustomerCreated { customer })
    };
    let Accepted::New { event_id } = house.accept_body("one", 1, created("Ada")).await.unwrap() else {
        panic!()
    };
    days_later(&house, 30).await;
    let other = house.accept_body("one", 2, created("Bea")).await.unwrap();
    assert_eq!(other, Accepted::Conflict { event_id: event_id.clone() });
    let again = house.accept_body("one", 1, created("Ada")).await.unwrap();
    assert_eq!(again, Accepted::Duplicate { event_id });
    days_later(&house, 1).await;
    let new = house.accept_body("one", 2, created("Bea")).await.unwrap();
    assert!(matches!(new, Accepted::New { .. }), "{new:?}");
}

#[tokio::test]
async fn what_is_open_dead_or_held_by_an_order_with_open_work_never_goes() {
    let house = House::new(&["p"]).await;
    house.script(|invocation| {
        let fails = invocation.hook == Hook::OrderPlaced && invocation.order_id.as_deref() == Some("1");
        Box::pin(async move {
            if fails { Err(Fault::Trapped("unreachable".to_owned())) } else { Ok((Vec::new(), Vec::new())) }
        })
    });
    let dead = house.report(placed("1")).await;
    let beside = house.report(shipped("1", "s")).await;
    let done = house.report(placed("22")).await;
    while let Some(next) = house.step().await {
        house.clock.advance(next - house.clock.now_ms());
    }
    // A plugin that is not live here: its job waits.
    house.snapshot([live_shop("demo", &["q"])]);
    let open = house.report(placed("333")).await;
    days_later(&house, 400).await;
    assert!(!is_known(&house, &done).await);
    for kept in [&dead, &beside, &open] {
        assert!(is_known(&house, kept).await);
    }
    // A dead letter that is dropped after a year stays as long in history as any other.
    let job = house.jobs(Some(JobState::Dead)).await.remove(0).id;
    assert_eq!(house.lifecycle.drop_job("demo", &job, "k", None).await.unwrap(), Verdict::Obeyed);
    days_later(&house, 90).await;
    assert_eq!(house.store.job("demo", &job).await.unwrap().unwrap().failures.len(), 8);
    days_later(&house, 1).await;
    assert!(house.store.job("demo", &job).await.unwrap().is_none());
    for table in ["attempts", "jobs_history"] {
        assert_eq!(house.store.rows(table).await, 0, "{table}");
    }
    assert!(!is_known(&house, &dead).await && !is_known(&house, &beside).await);
    assert!(is_known(&house, &open).await, "it is still open");
}

#[tokio::test]
async fn messages_go_but_not_those_that_others_are_compared_with() {
    let house = House::new(&["p"]).await;
    house.effects(|_| {
        let named = Message { dedupe_key: Some("once".to_owned()), ..message("named") };
        let later = Message { when: Some(NOW + 300 * DAY), ..message("later") };
        vec![send(message("plain")), send(named), send(later)]
    });
    house.report(placed("1")).await;
    house.step().await;
    for due in house.due(NOW).await {
        let sent = MessageFate::Sent { channel: "email".to_owned(), message_id: format!("<{}>", due.id) };
        let token = house.take(&due.id, NOW).await.unwrap();
        assert!(house.store.settle_message(&due.id, token, &sent, NOW).await.unwrap());
    }
    days_later(&house, 90).await;
    assert_eq!(house.store.rows("messages").await, 3);
    days_later(&house, 1).await;
    let kept = house.store.messages("demo", None, 10).await.unwrap();
    let mut kept: Vec<_> = kept.iter().map(|message| message.template.as_str()).collect();
    kept.sort_unstable();
    assert_eq!(kept, ["later", "named"]);
}

#[tokio::test]
async fn a_large_past_goes_in_batches() {
    let house = House::new(&["p"]).await;
    for number in 0..450 {
        let feedback = serde_json::json!({"feedback": {"rating": 5, "at": "2026-11-18T10:00:00Z"}});
        house
            .accept(&number.to_string(), Event::FeedbackReceived(serde_json::from_value(feedback).unwrap()))
            .await
            .unwrap();
    }
    house.step().await;
    days_later(&house, 100).await;
    for table in ["events", "intake_keys", "jobs_history"] {
        assert_eq!(house.store.rows(table).await, 0, "{table}");
    }
}
