//! Handing over: whose turn it is, what the transaction reads, and the cap of a day with many at once.

use std::sync::Arc;

use futures::future::join_all;

use super::*;
use crate::domain::{Cause, Message};
use crate::store::outgoing::{Origin, insert};

const NOW: i64 = 1_795_856_400_000;
const HANDING_MS: i64 = 300_000;

async fn message(store: &Store, shop: &'static str, id: String) {
    store
        .write((shop, id), |tx, (shop, id)| {
            Box::pin(async move {
                let origin = Origin {
                    shop,
                    plugin: "p",
                    event_id: "evt_0",
                    seq: 1,
                    order_id: None,
                    customer_id: Some("anna"),
                    locale: None,
                    now_ms: NOW,
                };
                let message = Message {
                    template: "t".to_owned(),
                    data: Vec::new(),
                    category: "updates".to_owned(),
                    channels: Vec::new(),
                    when: None,
                    not_after: None,
                    dedupe_key: None,
                    cancel_on: Vec::new(),
                };
                let new = NewMessage { id: id.clone(), message, coupons: Vec::new() };
                insert(tx, &origin, &new, &BTreeMap::new()).await
            })
        })
        .await
        .unwrap();
}

async fn anna(store: &Store, consents: Vec<Consent>) {
    let input = CustomerInput {
        id: Some("anna".to_owned()),
        email: Some("anna@example.com".to_owned()),
        consents: Some(consents),
        ..CustomerInput::default()
    };
    store.put_customer("s", &input, NOW).await.unwrap();
}

fn hand_over(id: &str, judge: impl Fn(&Standing) -> Ruling + Send + Sync + 'static) -> HandOver {
    HandOver {
        id: id.to_owned(),
        shop: "s".to_owned(),
        customer_id: Some("anna".to_owned()),
        judge: Arc::new(judge),
        day: Some(Day { date: "2026-11-28".to_owned(), next_ms: NOW + 1_000 }),
        link: None,
        now_ms: NOW,
        until_ms: NOW + HANDING_MS,
    }
}

#[tokio::test]
async fn a_shop_with_many_messages_does_not_hold_up_the_others() {
    let (_folder, store) = house().await;
    for number in 0..20 {
        message(&store, "a", format!("a{number:02}")).await;
    }
    message(&store, "b", "b00".to_owned()).await;
    message(&store, "c", "c00".to_owned()).await;
    let ids = |due: Vec<StoredMessage>| due.into_iter().map(|message| message.id).collect::<Vec<_>>();
    let (due, last) = store.messages_due("", 2, 8, NOW).await.unwrap();
    assert_eq!(
        (ids(due), last.as_str()),
        (vec!["a00".into(), "a01".into(), "b00".into(), "c00".into()], "c")
    );
    let (due, last) = store.messages_due("a", 2, 2, NOW).await.unwrap();
    assert_eq!(ids(due), ["b00", "c00"]);
    assert_eq!(last, "c");
    let (due, last) = store.messages_due("b", 4, 2, NOW).await.unwrap();
    assert_eq!(ids(due), ["c00", "a00"]);
    assert_eq!(last, "a");
    assert_eq!(store.messages_due("z", 1, 9, NOW).await.unwrap().0.len(), 3);
    assert!(store.messages_due("", 9, 9, NOW - 1).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn the_judge_sees_what_is_true_in_the_transaction() {
    let (_folder, store) = house().await;
    let no = Consent { channel: "email".to_owned(), category: "updates".to_owned(), granted: false };
    anna(&store, vec![no]).await;
    let note = |cause| Suppression { cause, detail: "x".to_owned(), message_id: None, at: NOW };
    store.suppress("s", "Anna@Example.com", note(Cause::Complaint)).await.unwrap();
    store.suppress("other", "anna@example.com", note(Cause::Bounce)).await.unwrap();
    message(&store, "s", "m".to_owned()).await;
    let seen = Arc::new(std::sync::Mutex::new(Standing::default()));
    let told = Arc::clone(&seen);
    let handed = store.hand_over(hand_over("m", move |standing| {
        *told.lock().unwrap() = standing.clone();
        Ruling::Drop("no".to_owned())
    }));
    assert!(matches!(handed.await.unwrap(), Handed::Ruled(MessageFate::Dropped { .. })));
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.email.as_deref(), Some("anna@example.com"));
    assert_eq!((seen.consents.len(), seen.consents[0].granted), (1, false));
    assert_eq!(seen.suppressed, [Cause::Complaint]);
    assert_eq!(seen.handed_today, Some(0));
    let view = store.messages("s", None, 1).await.unwrap().remove(0);
    assert_eq!((view.state.as_str(), view.reason.as_deref()), ("dropped", Some("no")));
    assert_eq!(store.hand_over(hand_over("m", |_| Ruling::Send("email"))).await.unwrap().name(), "taken");
}

#[tokio::test]
async fn of_many_at_once_no_more_go_than_the_day_has_and_one_says_so() {
    let (_folder, store) = house().await;
    anna(&store, Vec::new()).await;
    for number in 0..20 {
        message(&store, "s", format!("m{number}")).await;
    }
    let judge = |standing: &Standing| match standing.handed_today {
        Some(handed) if handed >= 5 => Ruling::Tomorrow("enough".to_owned()),
        _ => Ruling::Send("email"),
    };
    let all = join_all((0..20).map(|number| store.hand_over(hand_over(&format!("m{number}"), judge)))).await;
    let names: Vec<_> = all.into_iter().map(|handed| handed.unwrap().name()).collect();
    let count = |name: &str| names.iter().filter(|known| **known == name).count();
    assert_eq!((count("go"), count("first capped"), count("capped")), (5, 1, 14), "{names:?}");
    assert_eq!(store.handed_on("s", "2026-11-28").await.unwrap(), (5, true));
    assert_eq!(store.messages_due("", 30, 30, NOW).await.unwrap().0.len(), 0);
    assert_eq!(store.messages_due("", 30, 30, NOW + 1_000).await.unwrap().0.len(), 15);
    // The merchant allows no more, then more, then all.
    let day = hand_over("m0", judge).day.unwrap();
    store.lift_cap("s", &day, 5, NOW).await.unwrap();
    assert_eq!(store.messages_due("", 30, 30, NOW).await.unwrap().0.len(), 0);
    store.lift_cap("s", &day, 6, NOW).await.unwrap();
    assert_eq!(store.messages_due("", 30, 30, NOW).await.unwrap().0.len(), 15);
    assert_eq!(store.handed_on("s", "2026-11-28").await.unwrap(), (5, false));
}

#[tokio::test]
async fn a_message_that_is_tried_on_another_day_is_counted_in_that_too() {
    let (_folder, store) = house().await;
    anna(&store, Vec::new()).await;
    message(&store, "s", "m".to_owned()).await;
    for (date, tries) in [("2026-11-28", 2), ("2026-11-29", 2)] {
        for _ in 0..tries {
            let mut tried = hand_over("m", |_| Ruling::Send("email"));
            tried.day = Some(Day { date: date.to_owned(), next_ms: NOW + 1_000 });
            let Handed::Go { token, .. } = store.hand_over(tried).await.unwrap() else { panic!("it goes") };
            let later = MessageFate::Later { at_ms: NOW, reason: "busy".to_owned() };
            assert!(store.settle_message("m", token, &later, NOW).await.unwrap());
        }
        assert_eq!(store.handed_on("s", date).await.unwrap().0, 1, "{date}");
    }
}

impl Handed {
    fn name(&self) -> &'static str {
        match self {
            Self::Go { .. } => "go",
            Self::Ruled(_) => "ruled",
            Self::Capped { first: true, .. } => "first capped",
            Self::Capped { .. } => "capped",
            Self::Taken => "taken",
        }
    }
}
