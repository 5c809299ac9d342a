//! Coupons: who may have them, who holds them, and what orders and their cancellations do to them.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;
use sqlx::Row as _;

use super::*;
use crate::domain::{CodeReason, Coupon, CouponValue, Event, OrderCancelled, OrderPlaced};
use crate::store::outgoing::Origin;

const NOW: i64 = 1_795_856_400_000;
const MINUTE: i64 = 60_000;

fn coupon(max_uses: u32, personal: bool) -> Coupon {
    Coupon {
        value: CouponValue::Percent(1_000),
        prefix: String::new(),
        expires_at: Some(NOW + 60 * MINUTE),
        max_uses,
        min_subtotal: None,
        personal,
        purpose: "test".to_owned(),
    }
}

async fn issue(store: &Store, code: &str, coupon: Coupon) {
    let new = NewCoupon { handle: 0, code: code.to_owned(), coupon };
    store
        .write(new, |tx, new| {
            Box::pin(async move {
                let origin = Origin {
                    shop: "s",
                    plugin: "p",
                    event_id: "evt_0",
                    seq: 1,
                    order_id: Some("0"),
                    customer_id: new.coupon.personal.then_some("anna"),
                    locale: None,
                    now_ms: NOW,
                };
                crate::store::coupons::issue(tx, &origin, new, "PLN").await
            })
        })
        .await
        .unwrap();
}

fn order(id: &str, cart: Option<&str>, codes: &[&str]) -> Event {
    let order = json!({
        "id": id, "cart_id": cart, "codes": codes, "placed_at": "2026-11-28T09:00:00Z", "currency": "PLN",
        "subtotal": 1, "total": 1,
    });
    let order = serde_json::from_value(order).unwrap();
    Event::OrderPlaced(OrderPlaced { order, customer: None, locale: None })
}

fn cancellation(id: &str) -> Event {
    Event::OrderCancelled(OrderCancelled { order_id: id.to_owned(), reason: None })
}

/// Codes of which nothing was left.
async fn report(store: &Store, event: Event, now_ms: i64) -> Vec<String> {
    let name = format!("{}/{}", event.hook().name(), event.order_id().unwrap());
    let intake = Intake {
        shop: "s".to_owned(),
        source: "api".to_owned(),
        id: name.clone(),
        fingerprint: String::new(),
        event_id: format!("evt/{name}"),
        event,
        customer: None,
        locale: None,
        quote: None,
        currency: "PLN".to_owned(),
        subscribers: Arc::default(),
        hold_until: now_ms + MINUTE,
        now_ms,
    };
    match store.take_in(intake).await.unwrap() {
        Taken::New { overused, .. } => overused,
        other => panic!("{other:?}"),
    }
}

async fn reserve(store: &Store, code: &str, cart: &str, now_ms: i64) -> Reserved {
    let new = NewReservation {
        shop: "s".to_owned(),
        code: code.to_owned(),
        cart_id: cart.to_owned(),
        customer_id: Some("anna".to_owned()),
        until: now_ms + 15 * MINUTE,
        now_ms,
    };
    store.reserve_coupon(new).await.unwrap()
}

async fn reason(store: &Store, code: &str, cart: Option<&str>, now_ms: i64) -> Option<CodeReason> {
    let holder = Holder { customer: Some("anna"), cart };
    store.coupon_standing("s", code, holder, now_ms).await.unwrap().unwrap().reason
}

async fn view(store: &Store, code: &str, now_ms: i64) -> CouponView {
    store.coupon("s", code, Holder::default(), now_ms).await.unwrap().unwrap()
}

#[tokio::test]
async fn of_a_hundred_carts_at_once_one_gets_the_last_use() {
    let (_folder, store) = house().await;
    issue(&store, "ONE", coupon(1, false)).await;
    let carts: Vec<String> = (0..100).map(|index| format!("cart-{index}")).collect();
    let tries = join_all(carts.iter().map(|cart| reserve(&store, "one", cart, NOW))).await;
    let winners: Vec<_> = tries.iter().filter(|outcome| matches!(outcome, Reserved::New { .. })).collect();
    assert_eq!(winners.len(), 1);
    let refused = tries.iter().filter(|outcome| **outcome == Reserved::Refused(CodeReason::Reserved));
    assert_eq!(refused.count(), 99);
    assert_eq!(view(&store, "ONE", NOW).await.reservations.len(), 1);
}

#[tokio::test]
async fn of_a_hundred_orders_at_once_one_is_within_the_limit() {
    let (_folder, store) = house().await;
    issue(&store, "ONE", coupon(1, false)).await;
    let ids: Vec<String> = (0..100).map(|index| format!("o{index}")).collect();
    let over = join_all(ids.iter().map(|id| report(&store, order(id, None, &["one "]), NOW))).await;
    assert_eq!(over.iter().filter(|codes| codes.is_empty()).count(), 1);
    assert_eq!(over.iter().filter(|codes| **codes == ["ONE"]).count(), 99);
    let view = view(&store, "ONE", NOW).await;
    assert_eq!((view.used, view.over_limit, view.uses.len()), (100, 99, 100));
    assert_eq!(view.reason, Some(CodeReason::UsedUp));
}

#[tokio::test]
async fn a_cart_holds_a_coupon_until_it_lets_go_or_its_time_is_over() {
    let (_folder, store) = house().await;
    issue(&store, "ONE", coupon(1, true)).await;
    assert_eq!(reserve(&store, "ONE", "a", NOW).await, Reserved::New { expires_at: NOW + 15 * MINUTE });
    assert_eq!(reason(&store, "ONE", Some("a"), NOW).await, None);
    assert_eq!(reason(&store, "ONE", Some("b"), NOW).await, Some(CodeReason::Reserved));
    assert_eq!(reason(&store, "ONE", None, NOW).await, Some(CodeReason::Reserved));
    let later = NOW + 10 * MINUTE;
    assert_eq!(
        reserve(&store, "ONE", "a", later).await,
        Reserved::Renewed { expires_at: later + 15 * MINUTE }
    );
    assert_eq!(view(&store, "ONE", later).await.reservations[0].reserved_at, NOW);
    assert_eq!(reserve(&store, "ONE", "b", later).await, Reserved::Refused(CodeReason::Reserved));

    assert!(!store.release_coupon("s", "ONE", "b", later).await.unwrap());
    assert!(!store.release_coupon("other", "ONE", "a", later).await.unwrap());
    assert!(store.release_coupon("s", " one", "a", later).await.unwrap());
    assert!(!store.release_coupon("s", "ONE", "a", later).await.unwrap());
    assert!(matches!(reserve(&store, "ONE", "b", later).await, Reserved::New { .. }));
    // In the instant in which it is over, another may have it.
    let over = later + 15 * MINUTE;
    assert_eq!(reason(&store, "ONE", Some("a"), over - 1).await, Some(CodeReason::Reserved));
    assert_eq!(reason(&store, "ONE", Some("a"), over).await, None);
    assert!(!store.release_coupon("s", "ONE", "b", over).await.unwrap());
    assert!(matches!(reserve(&store, "ONE", "a", over).await, Reserved::New { .. }));
}

#[tokio::test]
async fn each_refusal_has_its_reason_and_none_outlives_the_coupon() {
    let (_folder, store) = house().await;
    issue(&store, "HERS", coupon(2, true)).await;
    let other = NewReservation {
        shop: "s".to_owned(),
        code: "HERS".to_owned(),
        cart_id: "c".to_owned(),
        customer_id: Some("eve".to_owned()),
        until: NOW + MINUTE,
        now_ms: NOW,
    };
    let outcome = |customer: Option<&str>, code: &str| NewReservation {
        customer_id: customer.map(str::to_owned),
        code: code.to_owned(),
        ..other.clone()
    };
    let store = &store;
    let refused = |new| async move { store.reserve_coupon(new).await.unwrap() };
    let foreign = Reserved::Refused(CodeReason::AnotherCustomer);
    assert_eq!(refused(outcome(Some("eve"), "HERS")).await, foreign);
    assert_eq!(refused(outcome(None, "HERS")).await, foreign);
    assert_eq!(refused(outcome(Some("anna"), "SPRING")).await, Reserved::Refused(CodeReason::Unknown));
    let end = NOW + 60 * MINUTE;
    assert_eq!(reserve(store, "HERS", "a", end - MINUTE).await, Reserved::New { expires_at: end });
    assert_eq!(reserve(store, "HERS", "b", end - MINUTE).await, Reserved::New { expires_at: end });
    assert_eq!(reserve(store, "HERS", "c", end - 1).await, Reserved::Refused(CodeReason::Reserved));
    assert_eq!(reserve(store, "HERS", "a", end).await, Reserved::Refused(CodeReason::Expired));
    report(store, order("1", None, &["HERS"]), NOW).await;
    report(store, order("2", None, &["HERS"]), NOW).await;
    assert_eq!(reserve(store, "HERS", "a", end).await, Reserved::Refused(CodeReason::UsedUp));
    assert!(store.coupon("other", "HERS", Holder::default(), NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn the_order_of_a_cart_uses_what_the_cart_holds_and_its_cancellation_gives_it_back() {
    let (_folder, store) = house().await;
    issue(&store, "ONE", coupon(1, false)).await;
    issue(&store, "TWO", Coupon { purpose: "two".to_owned(), ..coupon(1, false) }).await;
    // By its cart alone.
    reserve(&store, "ONE", "a", NOW).await;
    assert!(report(&store, order("1", Some("a"), &[]), NOW + 1).await.is_empty());
    assert_eq!(reason(&store, "ONE", Some("a"), NOW + 1).await, Some(CodeReason::UsedUp));
    report(&store, cancellation("1"), NOW + 2).await;
    assert_eq!(reason(&store, "ONE", None, NOW + 2).await, None);
    let view_of_one = view(&store, "ONE", NOW + 2).await;
    assert_eq!((view_of_one.used, view_of_one.uses[0].released_at), (0, Some(NOW + 2)));
    // Named: what it does not name is let go.
    reserve(&store, "ONE", "b", NOW + 3).await;
    reserve(&store, "TWO", "b", NOW + 3).await;
    assert!(report(&store, order("2", Some("b"), &["two"]), NOW + 4).await.is_empty());
    assert_eq!(reason(&store, "ONE", None, NOW + 4).await, None);
    assert_eq!(reason(&store, "TWO", None, NOW + 4).await, Some(CodeReason::UsedUp));
    // Cancelled before it was placed: nothing is used.
    report(&store, cancellation("3"), NOW + 5).await;
    store.release_late("s", "PLN", Arc::default(), NOW + 5 + MINUTE).await.unwrap();
    assert!(report(&store, order("3", None, &["ONE"]), NOW + 6 + MINUTE).await.is_empty());
    assert_eq!(reason(&store, "ONE", None, NOW + 6 + MINUTE).await, None);
}

#[tokio::test]
async fn an_order_that_was_beaten_stands_and_the_shop_is_told() {
    let (_folder, store) = house().await;
    issue(&store, "ONE", coupon(1, false)).await;
    reserve(&store, "ONE", "slow", NOW).await;
    let late = NOW + 20 * MINUTE;
    assert!(matches!(reserve(&store, "ONE", "fast", late).await, Reserved::New { .. }));
    assert!(report(&store, order("1", Some("fast"), &["ONE"]), late).await.is_empty());
    assert_eq!(report(&store, order("2", Some("slow"), &["ONE"]), late).await, ["ONE"]);
    let view = view(&store, "ONE", late).await;
    assert_eq!((view.used, view.over_limit), (2, 1));
    let over: Vec<_> = view.uses.iter().map(|each| (each.order_id.as_str(), each.over_limit)).collect();
    assert_eq!(over, [("2", true), ("1", false)]);
    let told = sqlx::query("SELECT payload FROM webhooks WHERE topic = 'coupon.overused'")
        .fetch_all(&store.inner.reads)
        .await
        .unwrap();
    let told: Vec<serde_json::Value> =
        told.iter().map(|row| serde_json::from_str(&row.get::<String, _>(0)).unwrap()).collect();
    assert_eq!(
        told,
        [json!({ "code": "ONE", "order_id": "2", "customer_id": null, "max_uses": 1, "used": 2 })]
    );
}
