//! The history of an order and of a customer, of everything that a plugin can bring about.

use super::support::*;
use crate::domain::*;
use crate::plugins::call::Fault;
use crate::store::{Happened, TimelineEntry, TimelineOf};

/// Page by page, newest first.
async fn read(house: &House, of: TimelineOf<'_>, page: usize) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    let mut before = None;
    loop {
        let found = house.store.timeline("demo", of, before.as_ref(), page).await.unwrap().unwrap();
        assert!(found.entries.len() <= page);
        entries.extend(found.entries);
        match found.next {
            Some(next) => before = Some(next.to_string().parse().unwrap()),
            None => return entries,
        }
    }
}

fn kind(entry: &TimelineEntry) -> String {
    serde_json::to_value(entry).unwrap()["kind"].as_str().unwrap().to_owned()
}

/// All that a call can ask for.
fn everything(invocation: &crate::plugins::call::Invocation) -> Vec<Effect> {
    let order = invocation.order_id.clone().unwrap();
    let coupon = gift(&order);
    vec![
        Effect::IssueCoupon { coupon },
        Effect::SetPoints { reference: order, total: 10 },
        Effect::LabelOrder { key: "gift".to_owned(), value: "yes".to_owned() },
        Effect::LabelCustomer { key: "tier".to_owned(), value: "gold".to_owned() },
        Effect::SetTimer { key: "ask".to_owned(), due_at: NOW + 60 * MINUTE, payload: String::new() },
        send(message("hello")),
    ]
}

#[tokio::test]
async fn every_page_size_tells_the_same_history_and_a_customers_has_all_orders() {
    let house = House::new(&["p"]).await;
    house.effects(everything);
    for order in ["1", "22", "333"] {
        house.report(placed(order)).await;
    }
    house.step().await;
    house.clock.advance(MINUTE);
    house.effects(|_| Vec::new());
    house.report(shipped("22", "s")).await;
    house.step().await;

    let whole = read(&house, TimelineOf::Order("22"), 100).await;
    let kinds: Vec<String> = whole.iter().rev().map(kind).collect();
    assert_eq!(kinds, ["event", "coupon_issued", "points", "label", "timer", "message", "event"]);
    assert!(whole.iter().all(|entry| entry.order_id.as_deref() == Some("22")), "{whole:?}");

    let guest = house.store.customer_id(&anna()).unwrap();
    let of_anna = TimelineOf::Customer(&guest);
    let whole = read(&house, of_anna, 100).await;
    let count = |what: &str| whole.iter().filter(|entry| kind(entry) == what).count();
    assert_eq!((count("event"), count("coupon_issued"), count("points"), count("message")), (4, 3, 3, 3));
    assert_eq!((count("label"), count("timer")), (4, 3));
    for page in 1..8 {
        assert_eq!(read(&house, of_anna, page).await, whole, "pages of {page}");
    }
    let text = serde_json::to_string(&whole).unwrap();
    for detail in [anna().email, anna().last_name, anna().phone].into_iter().flatten() {
        assert!(!text.contains(&detail), "{detail} is in {text}");
    }
    assert!(house.store.timeline("demo", TimelineOf::Order("none"), None, 1).await.unwrap().is_none());
    assert!(house.store.timeline("other", of_anna, None, 1).await.unwrap().is_none());
}

#[tokio::test]
async fn what_waits_for_its_elder_and_what_failed_are_told_too() {
    let house = House::new(&["p"]).await;
    house.report(shipped("1", "s")).await;
    let held = read(&house, TimelineOf::Order("1"), 10).await;
    let [TimelineEntry { what: Happened::Event { state, .. }, .. }] = held.as_slice() else {
        panic!("{held:?}")
    };
    assert_eq!(state, "held");

    house.script(|_| Box::pin(async { Err(Fault::Refused("no address for anna@example.com".to_owned())) }));
    house.report(placed("1")).await;
    house.step().await;
    let told = read(&house, TimelineOf::Order("1"), 10).await;
    let failed: Vec<_> = told
        .iter()
        .filter_map(|entry| match &entry.what {
            Happened::Job { state, hook, reason, .. } => {
                Some((state.as_str(), hook.as_str(), reason.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(failed.len(), 1, "the later one waits for the first: {told:?}");
    assert_eq!((failed[0].0, failed[0].1), ("failed", "order-placed"));
    let reason = failed[0].2.as_deref().unwrap();
    assert!(reason.contains("no address for") && !reason.contains("anna@"), "{reason}");
}
