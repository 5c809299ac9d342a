//! What everybody but the worker asks of the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DAY;
use crate::domain::*;
use crate::lifecycle::tests::support::*;
use crate::store::*;

/// What decisions and the pages of the host read.
pub async fn decide(store: &Store) {
    let products = [crate::store::tests::entry("a", 1)];
    store.put_products("demo", &products, NOW).await.unwrap();
    store.products("demo", &["a".to_owned()]).await.unwrap();
    let consent = Consent { channel: "email".to_owned(), category: "updates".to_owned(), granted: true };
    let input = CustomerInput { consents: Some(vec![consent]), ..anna() };
    let customer = store.put_customer("demo", &input, NOW).await.unwrap();
    store.customer("demo", &customer).await.unwrap().unwrap();
    store.order("demo", "22").await.unwrap().unwrap();
    store.state(&owner("p"), &["a".to_owned()]).await.unwrap();
    store.state_list(&owner("p"), "a", 9).await.unwrap();
    for of in [
        TimelineOf::Order("22"),
        TimelineOf::Order("none"),
        TimelineOf::Customer(&customer),
        TimelineOf::Customer("nobody"),
    ] {
        store.timeline("demo", of, None, 20).await.unwrap();
    }
    store.points("demo", &customer, None, 20).await.unwrap();
    store.open_jobs().await.unwrap();
    store.queue_depth(NOW).await.unwrap();
    store.served_last().await.unwrap();
    store.ready().await.unwrap();
    store.installation_key("quote").await.unwrap();
}

pub async fn carts(store: &Store) {
    let TimelinePage { entries, .. } =
        store.timeline("demo", TimelineOf::Order("22"), None, 99).await.unwrap().unwrap();
    let code = entries.into_iter().find_map(|entry| match entry.what {
        Happened::CouponIssued { code, .. } => Some(code),
        _ => None,
    });
    let code = code.unwrap();
    store.coupon("demo", &code, Holder::default(), NOW).await.unwrap().unwrap();
    store.coupon_standing("demo", &code, Holder::default(), NOW).await.unwrap().unwrap();
    for cart in ["a", "a", "b"] {
        let new = NewReservation {
            shop: "demo".to_owned(),
            code: code.clone(),
            cart_id: cart.to_owned(),
            customer_id: None,
            until: NOW + 900 * DAY,
            now_ms: NOW,
        };
        store.reserve_coupon(new).await.unwrap();
    }
    store.release_coupon("demo", &code, "b", NOW).await.unwrap();
}

/// Messages, from their turn to what is said of them.
pub async fn mails(house: &House) {
    // One whose cart held a coupon.
    let order = Order { cart_id: Some("a".to_owned()), ..order("4444") };
    house.report(Event::OrderPlaced(OrderPlaced { order, customer: Some(anna()), locale: None })).await;
    let store = &house.store;
    let now_ms = house.clock.now_ms();
    let day = Day { date: "2026-11-18".to_owned(), next_ms: now_ms + DAY };
    let (due, _) = store.messages_due("", 9, 9, now_ms).await.unwrap();
    let later = || MessageFate::Later { at_ms: now_ms, reason: "busy".to_owned() };
    let customer = store.customer_id(&anna()).unwrap();
    let sent = || MessageFate::Sent { channel: "email".to_owned(), message_id: "<x@y>".to_owned() };
    let no_mailbox = || MessageFate::NoMailbox { reason: "nobody".to_owned() };
    let mut fates = vec![sent(), no_mailbox(), later()].into_iter();
    let mut rulings =
        vec![Ruling::Send("email"), Ruling::Send("email"), Ruling::Tomorrow("capped".to_owned())];
    for message in &due {
        let ruling = rulings.pop().unwrap_or(Ruling::Send("email"));
        let token = "token".to_owned();
        let link = UnsubscribeLink {
            token,
            shop: "demo".to_owned(),
            customer_id: customer.clone(),
            channel: "email".to_owned(),
            category: "marketing".to_owned(),
        };
        let hand_over = HandOver {
            id: message.id.clone(),
            shop: "demo".to_owned(),
            customer_id: Some(customer.clone()),
            judge: Arc::new(move |_| ruling.clone()),
            day: Some(day.clone()),
            link: Some(link),
            now_ms,
            until_ms: now_ms + MINUTE,
        };
        if let Handed::Go { token, .. } = store.hand_over(hand_over).await.unwrap() {
            let fate = fates.next().unwrap_or_else(sent);
            store.settle_message(&message.id, token, &fate, now_ms).await.unwrap();
        }
    }
    store.next_message().await.unwrap();
    store.lift_cap("demo", &day, 0, now_ms).await.unwrap();
    store.messages("demo", None, 20).await.unwrap();
    let messages = store.messages("demo", Some("22"), 20).await.unwrap();
    let feedback = |message_id, address| crate::store::Feedback {
        kind: FeedbackKind::Complained,
        message_id,
        address,
        detail: String::new(),
        at: now_ms,
    };
    let feedback = [
        feedback(Some(format!("<{}@y>", messages[0].id)), None),
        feedback(None, Some("anna@example.com".to_owned())),
    ];
    store.take_feedback("demo", &feedback).await.unwrap();
    store.suppressions("demo", "anna@example.com").await.unwrap();
    store.count_suppressions("demo").await.unwrap();
    store.lift_suppressions("demo", "anna@example.com").await.unwrap();
    let link = store.unsubscribe_link("token").await.unwrap().unwrap();
    store.unsubscribe(link, now_ms).await.unwrap();
    house.report(Event::OrderReturned(returned("22"))).await;
}

fn returned(order: &str) -> OrderReturned {
    serde_json::from_value(serde_json::json!({
        "order_id": order, "return": {"id": "r", "at": "2026-11-20T10:00:00Z", "lines": []},
    }))
    .unwrap()
}

/// Notices, their copies, and their endpoints.
pub async fn notices(store: &Store) {
    let notices = store.notices(NOW + DAY * 30, 99).await.unwrap();
    store.next_notice().await.unwrap();
    let spread = notices.into_iter().enumerate().map(|(place, notice)| {
        let to = match place {
            0 => Spread::To(Vec::new()),
            1 => Spread::Later(NOW + DAY),
            _ => Spread::To(vec!["one".to_owned()]),
        };
        (notice, to)
    });
    store.spread(spread.collect(), NOW).await.unwrap();
    store.test_endpoint("demo", "two", NOW).await.unwrap();
    let lanes = store.lanes().await.unwrap();
    let due = store.claim_deliveries(&lanes[0], 9, NOW + MINUTE, NOW + MINUTE).await.unwrap();
    let fates = [
        DeliveryFate::Done { status: 200 },
        DeliveryFate::Failed { status: None, reason: "no".to_owned() },
        DeliveryFate::Gone { status: 410, reason: "gone".to_owned() },
    ];
    for (delivery, fate) in due.iter().zip(fates) {
        let delivery = delivery.clone();
        let address = "here".to_owned();
        let attempted = Attempted { delivery, fate, address, off_before: 0, now_ms: NOW };
        store.settle_delivery(attempted).await.unwrap();
    }
    store.endpoints("demo").await.unwrap();
    store.endpoints_off().await.unwrap();
    store.switch_on("demo", "one").await.unwrap();
    store.deliveries("demo", None, None, 9).await.unwrap();
    store.deliveries_open("demo").await.unwrap();
    store.delivery("demo", &due[0].id).await.unwrap();
    store.retry_delivery("demo", &due[0].id, NOW).await.unwrap();
}

/// What a person looks at and does.
pub async fn people(house: &House) {
    let store = &house.store;
    for state in JobState::ALL.map(Some).into_iter().chain([None]) {
        house.jobs(state).await;
    }
    let dead = house.jobs(Some(JobState::Dead)).await.remove(0);
    store.job("demo", &dead.id).await.unwrap().unwrap();
    store.retry_job("demo", &dead.id, NOW).await.unwrap();
    store.retry_job("demo", &dead.id, NOW).await.unwrap();
    store.drop_job("demo", &dead.id, "no", NOW).await.unwrap();
    store.standing("demo", &dead.event_id).await.unwrap().unwrap();
    let presence = Presence {
        name: "box".to_owned(),
        pid: 7,
        address: "a:1".to_owned(),
        version: "0.1.0",
        state: HostState::Running,
        generation: 1,
        plugins: BTreeMap::new(),
        started_at: NOW,
        now_ms: NOW,
    };
    store.present(presence).await.unwrap();
    let database = crate::store::testing::database(house.folder.path());
    survey(&database, house.folder.path(), NOW).await.unwrap();
}
