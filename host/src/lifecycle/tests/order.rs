//! An order's life: messages, coupons, points and timers as they are committed.

use super::support::*;
use crate::domain::*;
use crate::store::{HandOver, Handed, Holder, MessageFate, Ruling, StoredMessage};

impl House {
    pub(super) async fn due(&self, now_ms: i64) -> Vec<StoredMessage> {
        self.store.messages_due("", 10, 10, now_ms).await.unwrap().0
    }

    /// The token of the hand-over, when it is this courier's.
    pub(super) async fn take(&self, id: &str, now_ms: i64) -> Option<i64> {
        let hand_over = HandOver {
            id: id.to_owned(),
            shop: "demo".to_owned(),
            customer_id: Some(self.store.customer_id(&anna()).unwrap()),
            judge: std::sync::Arc::new(|_| Ruling::Send("email")),
            day: None,
            link: None,
            now_ms,
            until_ms: now_ms + 300_000,
        };
        match self.store.hand_over(hand_over).await.unwrap() {
            Handed::Go { token, .. } => Some(token),
            _ => None,
        }
    }
}

fn coupon(purpose: &str, personal: bool) -> Coupon {
    Coupon {
        value: CouponValue::Percent(1_000),
        prefix: "hello".to_owned(),
        expires_at: Some(NOW + 60 * MINUTE),
        max_uses: 1,
        min_subtotal: None,
        personal,
        purpose: purpose.to_owned(),
    }
}

#[tokio::test]
async fn a_message_with_the_same_dedupe_key_is_not_sent_twice() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![send(Message { dedupe_key: Some("welcome".to_owned()), ..message("hello") })]);
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    house.step().await;
    let due = house.due(NOW).await;
    assert_eq!(due.len(), 1);
    let all = house.store.messages("demo", None, 10).await.unwrap();
    let dropped: Vec<_> = all.iter().filter(|message| message.state == "dropped").collect();
    assert_eq!(dropped.len(), 1);
    assert!(dropped[0].reason.as_ref().unwrap().contains("not sent twice"));
}

#[tokio::test]
async fn a_waiting_message_is_cancelled_by_its_hook_even_when_that_came_first() {
    let house = House::new(&["p"]).await;
    house.effects(|invocation| match invocation.hook {
        Hook::OrderPlaced => vec![send(Message {
            when: Some(NOW + MINUTE),
            cancel_on: vec!["order-cancelled".to_owned()],
            ..message("review")
        })],
        _ => Vec::new(),
    });
    // Cancelled while it waits.
    house.report(placed("1")).await;
    house.step().await;
    assert_eq!(house.store.next_message().await.unwrap(), Some(NOW + MINUTE));
    assert_eq!(house.due(NOW).await.len(), 0);
    house.report(cancelled("1")).await;
    assert_eq!(house.store.next_message().await.unwrap(), None);
    // Cancelled before the call that sends it has run.
    house.report(placed("22")).await;
    house.report(cancelled("22")).await;
    house.step().await;
    assert_eq!(house.store.next_message().await.unwrap(), None);
    let all = house.store.messages("demo", Some("22"), 10).await.unwrap();
    assert_eq!((all.len(), all[0].state.as_str()), (1, "dropped"));
    assert!(all[0].reason.as_ref().unwrap().contains("order-cancelled"));
}

#[tokio::test]
async fn a_message_is_handed_over_once_and_again_after_a_crash_or_a_refusal() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![send(message("hello"))]);
    house.report(placed("1")).await;
    house.step().await;
    let due = house.due(NOW).await;
    let id = due[0].id.clone();
    let first = house.take(&id, NOW).await.expect("it waits");
    assert_eq!(house.due(NOW).await.len(), 0);
    assert_eq!(house.take(&id, NOW).await, None);

    let house = house.crash(&["p"]).await;
    let now = house.clock.now_ms();
    assert_eq!(house.due(now).await.len(), 1);
    let second = house.take(&id, now).await.expect("the crash gave it back");
    let later = MessageFate::Later { at_ms: now + MINUTE, reason: "the server was busy".to_owned() };
    // What the first hand-over says by now is not written down.
    assert!(!house.store.settle_message(&id, first, &later, now).await.unwrap());
    assert_eq!(house.store.messages("demo", Some("1"), 1).await.unwrap()[0].state, "handing");
    assert!(house.store.settle_message(&id, second, &later, now).await.unwrap());
    assert_eq!(house.store.next_message().await.unwrap(), Some(now + MINUTE));
    let due = house.due(now + MINUTE).await;
    assert_eq!((due.len(), due[0].attempts), (1, 1));
    let third = house.take(&id, now + MINUTE).await.expect("it waits again");
    let sent = MessageFate::Sent { channel: "email".to_owned(), message_id: "<x>".to_owned() };
    assert!(house.store.settle_message(&id, third, &sent, now + MINUTE).await.unwrap());
    assert_eq!(house.store.next_message().await.unwrap(), None);
    // What is sent stays sent.
    let dropped = MessageFate::Dropped { reason: "no".to_owned() };
    assert!(!house.store.settle_message(&id, third, &dropped, now + MINUTE).await.unwrap());
    assert_eq!(house.store.messages("demo", Some("1"), 1).await.unwrap()[0].state, "sent");
}

#[tokio::test]
async fn a_coupon_for_the_same_purpose_is_the_first_one_again_and_is_used_once() {
    let house = House::new(&["p"]).await;
    house.effects(|_| {
        let shows = vec![("coupon".to_owned(), Value::Coupon(1))];
        vec![
            add("n", 1),
            Effect::IssueCoupon { coupon: coupon("welcome", true) },
            send(Message { data: shows, ..message("gift") }),
        ]
    });
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    house.step().await;
    let codes: std::collections::BTreeSet<String> =
        house.due(NOW).await.into_iter().map(|message| message.coupons[&1].clone()).collect();
    assert_eq!(codes.len(), 1, "{codes:?}");
    let code = codes.first().unwrap().clone();
    assert!(code.starts_with("HELLO-") && code.len() == 20, "{code}");

    let guest = house.store.customer_id(&anna()).unwrap();
    let standing = |who: Option<&'static str>, at: i64| {
        let (store, guest, code) = (house.store.clone(), guest.clone(), format!(" {} ", code.to_lowercase()));
        async move {
            let who = who.map(|who| if who == "anna" { guest.clone() } else { who.to_owned() });
            let holder = Holder { customer: who.as_deref(), cart: None };
            store.coupon_standing("demo", &code, holder, at).await.unwrap().unwrap().reason
        }
    };
    assert_eq!(standing(Some("anna"), NOW).await, None);
    assert_eq!(standing(Some("eve"), NOW).await, Some(CodeReason::AnotherCustomer));
    assert_eq!(standing(None, NOW).await, Some(CodeReason::AnotherCustomer));
    assert_eq!(standing(Some("anna"), NOW + 60 * MINUTE).await, Some(CodeReason::Expired));
    assert!(house.store.coupon_standing("demo", "SUMMER", Holder::default(), NOW).await.unwrap().is_none());

    let mut order = order("333");
    order.codes = vec![code.clone(), "SUMMER".to_owned()];
    house.report(Event::OrderPlaced(OrderPlaced { order, customer: Some(anna()), locale: None })).await;
    assert_eq!(standing(Some("anna"), NOW).await, Some(CodeReason::UsedUp));
}

#[tokio::test]
async fn points_are_the_sum_of_differences_and_the_customers_copy_follows() {
    let house = House::new(&["p"]).await;
    house.effects(|invocation| match invocation.hook {
        Hook::OrderPlaced => {
            let reference = invocation.order_id.clone().unwrap();
            vec![
                Effect::SetPoints { reference, total: 200 },
                Effect::LabelCustomer { key: "tier".to_owned(), value: "gold".to_owned() },
            ]
        }
        _ => vec![Effect::SetPoints { reference: invocation.order_id.clone().unwrap(), total: 50 }],
    });
    let guest = house.store.customer_id(&anna()).unwrap();
    house.report(placed("1")).await;
    house.report(placed("22")).await;
    assert_eq!(house.store.customer("demo", &guest).await.unwrap().unwrap().customer.points, 0);
    house.step().await;
    let customer = house.store.customer("demo", &guest).await.unwrap().unwrap().customer;
    assert_eq!((customer.points, customer.tier.as_deref()), (400, Some("gold")));
    house.report(cancelled("1")).await;
    house.step().await;
    let customer = house.store.customer("demo", &guest).await.unwrap().unwrap().customer;
    assert_eq!((customer.points, customer.orders_count, customer.spent), (250, 1, 2_000));
}

#[tokio::test]
async fn a_timer_fires_once_at_its_time_with_the_order_of_the_call_that_set_it() {
    let house = House::new(&["p"]).await;
    house.effects(|invocation| {
        let timer = |due_at| Effect::SetTimer { key: "ask".to_owned(), due_at, payload: "x".to_owned() };
        match invocation.hook {
            Hook::OrderPlaced => vec![timer(NOW + 10 * MINUTE)],
            Hook::OrderShipped => vec![timer(NOW + 20 * MINUTE)],
            Hook::OrderCancelled => vec![Effect::CancelTimer { key: "ask".to_owned() }],
            _ => Vec::new(),
        }
    });
    for order in ["1", "22", "333"] {
        house.report(placed(order)).await;
    }
    house.step().await;
    // Moved, and taken back: the same key of another order is another timer.
    house.report(shipped("22", "s")).await;
    house.report(cancelled("333")).await;
    assert_eq!(house.step().await, Some(NOW + 10 * MINUTE));
    house.clock.advance(10 * MINUTE);
    assert_eq!(house.step().await, Some(NOW + 20 * MINUTE));
    let fired = |house: &House| -> Vec<_> {
        let timers = house.calls().into_iter().filter(|call| call.hook == Hook::Timer);
        timers.map(|call| (call.order.unwrap(), call.now_ms)).collect()
    };
    assert_eq!(fired(&house), [("1".to_owned(), NOW + 10 * MINUTE)]);
    house.clock.advance(MINUTE * 60);
    assert_eq!(house.step().await, None);
    house.step().await;
    assert_eq!(fired(&house)[1..], [("22".to_owned(), NOW + 70 * MINUTE)]);
}

#[tokio::test]
async fn timers_survive_a_crash() {
    let house = House::new(&["p"]).await;
    house.effects(|_| {
        vec![Effect::SetTimer { key: "t".to_owned(), due_at: NOW + MINUTE, payload: String::new() }]
    });
    house.report(placed("1")).await;
    house.step().await;
    let house = house.crash(&["p"]).await;
    house.clock.advance(MINUTE);
    house.step().await;
    assert_eq!(house.hooks(), [Hook::Timer]);
}
