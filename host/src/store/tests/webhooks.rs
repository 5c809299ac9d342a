//! Notices, their deliveries and their endpoints: copied once, leased to one, switched off and on.

use super::*;

const NOW: i64 = 1_795_856_400_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn tell(store: &Store, topic: &str) {
    let notice = NewWebhook {
        id: new_id("whk", NOW),
        topic: topic.to_owned(),
        payload: r#"{"order":"1"}"#.to_owned(),
    };
    let write = store.write(notice, |tx, notice| {
        Box::pin(async move { crate::store::webhooks::store(tx, "s", "p", "evt_1", notice, NOW).await })
    });
    write.await.unwrap();
}

/// Copies all that waits to these endpoints.
async fn spread(store: &Store, endpoints: &[&str]) {
    let to: Vec<String> = endpoints.iter().map(|&name| name.to_owned()).collect();
    let notices = store.notices(NOW + 31 * DAY, 100).await.unwrap();
    let spread = notices.into_iter().map(|notice| (notice, Spread::To(to.clone()))).collect();
    store.spread(spread, NOW).await.unwrap();
}

fn lane(endpoint: &str) -> Lane {
    Lane { shop: "s".to_owned(), endpoint: endpoint.to_owned(), due_at: NOW }
}

async fn claim(store: &Store, endpoint: &str, now_ms: i64) -> Vec<Delivery> {
    store.claim_deliveries(&lane(endpoint), 10, now_ms, now_ms + HOUR).await.unwrap()
}

async fn settle(store: &Store, delivery: &Delivery, fate: DeliveryFate, now_ms: i64) -> Settled {
    let attempted = Attempted {
        delivery: delivery.clone(),
        fate,
        address: "here".to_owned(),
        off_before: now_ms - 3 * DAY,
        now_ms,
    };
    store.settle_delivery(attempted).await.unwrap()
}

fn later(at_ms: i64) -> DeliveryFate {
    DeliveryFate::Later { at_ms, status: Some(500), reason: "it answered 500".to_owned() }
}

#[tokio::test]
async fn a_notice_is_copied_once_to_each_subscriber() {
    let (_folder, store) = house().await;
    tell(&store, "a.b").await;
    let notices = store.notices(NOW, 10).await.unwrap();
    assert_eq!(notices.len(), 1);
    let all = || vec![(notices[0].clone(), Spread::To(vec!["one".to_owned(), "two".to_owned()]))];
    // As two hosts would.
    store.spread(all(), NOW).await.unwrap();
    store.spread(all(), NOW).await.unwrap();
    assert_eq!(store.deliveries("s", None, None, 10).await.unwrap().len(), 2);
    assert_eq!(store.next_notice().await.unwrap(), None);
    let lanes = store.lanes().await.unwrap();
    assert_eq!(lanes.iter().map(|lane| lane.endpoint.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert!(store.deliveries("other", None, None, 10).await.unwrap().is_empty());

    tell(&store, "c.d").await;
    spread(&store, &[]).await;
    assert_eq!(store.next_notice().await.unwrap(), None, "nobody asked");
    assert_eq!(store.deliveries("s", None, Some("c.d"), 10).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_a_courier_says_whose_lease_has_ended_counts_for_nothing() {
    let (_folder, store) = house().await;
    tell(&store, "a.b").await;
    spread(&store, &["one"]).await;
    let first = claim(&store, "one", NOW).await.remove(0);
    assert_eq!((first.payload.as_str(), first.happened_at), (r#"{"order":"1"}"#, NOW));
    assert!(claim(&store, "one", NOW).await.is_empty(), "it is leased");
    assert!(!store.retry_delivery("s", &first.id, NOW).await.unwrap(), "it is under way");
    let second = claim(&store, "one", NOW + HOUR).await.remove(0);
    assert_eq!((&second.id, second.lease_token), (&first.id, first.lease_token + 1));
    assert_eq!(settle(&store, &first, DeliveryFate::Done { status: 200 }, NOW + HOUR).await, Settled::Fenced);
    assert!(store.endpoints("s").await.unwrap().is_empty(), "nor for its endpoint");
    assert_eq!(settle(&store, &second, later(NOW + 2 * HOUR), NOW + HOUR).await, Settled::Kept);
    let view = store.delivery("s", &first.id).await.unwrap().unwrap();
    assert_eq!((view.state.as_str(), view.attempts, view.status), ("waiting", 1, Some(500)));
    assert_eq!(view.next_attempt, Some(NOW + 2 * HOUR));
    assert!(claim(&store, "one", NOW + HOUR).await.is_empty());
    assert_eq!(claim(&store, "one", NOW + 2 * HOUR).await.len(), 1);
}

#[tokio::test]
async fn an_endpoint_is_off_after_three_days_without_a_success_and_says_so() {
    let (_folder, store) = house().await;
    for _ in 0..3 {
        tell(&store, "a.b").await;
    }
    spread(&store, &["one"]).await;
    let [one, two, three] = &claim(&store, "one", NOW).await[..] else { panic!("three") };
    assert_eq!(settle(&store, one, later(NOW + 3 * DAY), NOW).await, Settled::Kept);
    // A success in between begins it anew.
    settle(&store, two, DeliveryFate::Done { status: 204 }, NOW + HOUR).await;
    assert_eq!(store.endpoints("s").await.unwrap()[0].failing_since, None);
    settle(&store, three, later(NOW + 4 * DAY), NOW + 2 * HOUR).await;
    let again = claim(&store, "one", NOW + 3 * DAY).await.remove(0);
    assert_eq!(settle(&store, &again, later(NOW + 5 * DAY), NOW + 3 * DAY).await, Settled::Kept);
    let again = claim(&store, "one", NOW + 4 * DAY).await.remove(0);
    assert_eq!(settle(&store, &again, later(NOW + 5 * DAY), NOW + 4 * DAY).await, Settled::SwitchedOff);

    let notice = store.notices(NOW + 5 * DAY, 10).await.unwrap().remove(0);
    assert_eq!(notice.topic, "webhook.disabled");
    spread(&store, &["one", "other"]).await;
    let told = store.deliveries("s", None, Some("webhook.disabled"), 10).await.unwrap();
    assert_eq!(told.len(), 1, "it is not told of itself: {told:?}");
    assert_eq!(store.lanes().await.unwrap().len(), 1, "only the other has a lane");
    assert_eq!(store.endpoints_off().await.unwrap()[0].address.as_deref(), Some("here"));

    assert!(store.switch_on("s", "one").await.unwrap());
    assert!(!store.switch_on("s", "one").await.unwrap(), "it is on");
    assert_eq!(store.lanes().await.unwrap().len(), 2);
    assert_eq!(store.endpoints("s").await.unwrap()[0].last_success, Some(NOW + HOUR));
}

#[tokio::test]
async fn what_ended_is_forgotten_with_its_notice_and_what_waits_is_not() {
    let (_folder, store) = house().await;
    tell(&store, "a.b").await;
    spread(&store, &["one", "two"]).await;
    let one = claim(&store, "one", NOW).await.remove(0);
    settle(&store, &one, DeliveryFate::Done { status: 200 }, NOW).await;
    assert!(!store.forget_webhooks(NOW + 1).await.unwrap());
    assert_eq!(store.deliveries("s", None, None, 10).await.unwrap().len(), 1);
    assert!(store.retry_delivery("s", &one.id, NOW).await.is_ok_and(|found| !found));
    // The notice is there as long as somebody is to be told.
    let two = claim(&store, "two", NOW).await.remove(0);
    assert_eq!(two.webhook_id, one.webhook_id);
    let failed = DeliveryFate::Failed { status: None, reason: "given up".to_owned() };
    settle(&store, &two, failed, NOW).await;
    store.forget_webhooks(NOW).await.unwrap();
    assert!(store.retry_delivery("s", &two.id, NOW).await.unwrap(), "not old enough");
    store.give_up_deliveries(NOW + 1, NOW + 1).await.unwrap();
    store.forget_webhooks(NOW + 2).await.unwrap();
    assert!(store.deliveries("s", None, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_costs_no_attempt_and_no_trust() {
    let (_folder, store) = house().await;
    tell(&store, "a.b").await;
    spread(&store, &["one"]).await;
    let one = claim(&store, "one", NOW).await.remove(0);
    let unsent = DeliveryFate::Unsent { at_ms: NOW + 1, reason: "no secret".to_owned() };
    assert_eq!(settle(&store, &one, unsent, NOW).await, Settled::Kept);
    assert_eq!(store.delivery("s", &one.id).await.unwrap().unwrap().attempts, 0);
    assert!(store.endpoints("s").await.unwrap().is_empty());
}
