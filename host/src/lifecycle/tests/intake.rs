//! What comes in: names, checks, early events, and what is kept of a person.

use super::support::*;
use crate::decide::quote::{self, Quote};
use crate::domain::*;
use crate::lifecycle::{Accepted, IntakeError};

#[tokio::test]
async fn the_same_name_is_a_duplicate_and_with_another_body_a_conflict() {
    let house = House::new(&["p"]).await;
    house.effects(|_| vec![add("orders", 1)]);
    let Accepted::New { event_id } = house.accept_body("one", 1, placed("1")).await.unwrap() else {
        panic!()
    };
    let again = house.accept_body("one", 1, placed("1")).await.unwrap();
    assert_eq!(again, Accepted::Duplicate { event_id: event_id.clone() });
    let other = house.accept_body("one", 2, placed("2")).await.unwrap();
    assert_eq!(other, Accepted::Conflict { event_id });
    house.step().await;
    assert_eq!(house.state("orders").await.as_deref(), Some("1"));
    assert!(house.store.order("demo", "2").await.unwrap().is_none(), "a conflict leaves nothing");
}

#[tokio::test]
async fn an_order_is_placed_once_whatever_its_events_are_called() {
    let house = House::new(&["p"]).await;
    let Accepted::New { event_id } = house.accept("one", placed("1")).await.unwrap() else { panic!() };
    let again = house.accept("two", placed("1")).await.unwrap();
    assert_eq!(again, Accepted::Duplicate { event_id: event_id.clone() });
    let mut dearer = order("1");
    dearer.total = 9_000;
    let bob = CustomerInput { email: Some("bob@example.com".to_owned()), ..CustomerInput::default() };
    let nobody = house.store.customer_id(&bob).unwrap();
    let dearer = Event::OrderPlaced(OrderPlaced { order: dearer, customer: Some(bob), locale: None });
    assert_eq!(house.accept("three", dearer).await.unwrap(), Accepted::Conflict { event_id });
    house.step().await;
    assert_eq!(house.calls().len(), 1);
    assert_eq!(house.store.order("demo", "1").await.unwrap().unwrap().order.total, 2_000);
    assert!(house.store.customer("demo", &nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn two_deliveries_at_once_make_one_event() {
    let house = House::new(&["p"]).await;
    let many = (0..20).map(|_| house.accept("one", placed("1")));
    let accepted = futures::future::join_all(many).await;
    let new = accepted.iter().filter(|accepted| matches!(accepted, Ok(Accepted::New { .. }))).count();
    assert_eq!(new, 1);
    house.step().await;
    assert_eq!(house.calls().len(), 1);
}

#[tokio::test]
async fn early_events_are_held_until_their_elders_come_and_then_run_in_order() {
    let house = House::new(&["p"]).await;
    let last = house.report(delivered("1", "s")).await;
    house.report(under_way("1", "s")).await;
    house.report(shipped("1", "s")).await;
    house.step().await;
    assert_eq!(house.calls(), []);
    let progress = house.lifecycle.progress("demo", &last).await.unwrap().unwrap();
    assert_eq!(progress.state, "held");

    house.report(placed("1")).await;
    house.step().await;
    let mut hooks = house.hooks();
    assert_eq!(hooks[..2], [Hook::OrderPlaced, Hook::OrderShipped]);
    hooks.sort();
    assert_eq!(hooks, [Hook::OrderPlaced, Hook::OrderShipped, Hook::DeliveryUpdated, Hook::OrderDelivered]);
    assert!(house.calls().iter().all(|call| !call.late));
    assert_eq!(house.store.order("demo", "1").await.unwrap().unwrap().status, "delivered");
    let progress = house.lifecycle.progress("demo", &last).await.unwrap().unwrap();
    assert_eq!(progress.state, "done");
}

#[tokio::test]
async fn an_early_event_whose_elder_does_not_come_runs_late() {
    let house = House::new(&["p"]).await;
    house.report(shipped("1", "s")).await;
    let next = house.step().await;
    assert_eq!(next, Some(NOW + 15 * MINUTE));
    house.clock.advance(15 * MINUTE);
    house.step().await;
    let calls = house.calls();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].late);
    // The elder still finds its place.
    house.report(placed("1")).await;
    house.step().await;
    assert_eq!(house.hooks(), [Hook::OrderShipped, Hook::OrderPlaced]);
    assert_eq!(house.store.order("demo", "1").await.unwrap().unwrap().status, "shipped");
}

#[tokio::test]
async fn contact_details_are_kept_apart_and_a_guest_is_known_by_a_keyed_hash() {
    let house = House::new(&["p"]).await;
    house.effects(|invocation| {
        let seen = format!("{:?}{:?}", invocation.surroundings, invocation.input).to_lowercase();
        for secret in ["kowalska", "example.com", "601234567"] {
            assert!(!seen.contains(secret), "a call sees {secret}");
        }
        Vec::new()
    });
    let event_id = house.report(placed("1")).await;
    house.step().await;
    assert_eq!(house.jobs(None).await, [], "the call came through");
    let stored = house.store.event(&event_id).await.unwrap().unwrap();
    for secret in ["Kowalska", "xample.com", "601234567", "Anna"] {
        assert!(!stored.payload.contains(secret), "the stored event has {secret}");
    }
    let guest = stored.customer_id.unwrap();
    assert!(guest.starts_with("guest_") && !guest.contains("anna"));
    let record = house.store.customer("demo", &guest).await.unwrap().unwrap();
    assert_eq!(record.customer.first_name.as_deref(), Some("Anna"));
    assert_eq!(record.contact.email.as_deref(), Some("Anna@Example.com"));
    assert_eq!((record.customer.orders_count, record.customer.spent), (1, 2_000));
    let shouted = CustomerInput { email: Some(" ANNA@example.COM".to_owned()), ..CustomerInput::default() };
    assert_eq!(house.store.customer_id(&shouted), Some(guest));
}

#[tokio::test]
async fn the_promise_is_the_quotes_and_shipments_carry_it() {
    let house = House::new(&["p"]).await;
    let arrival = Arrival { earliest: "2026-12-01".to_owned(), latest: "2026-12-03".to_owned() };
    let mut order = order("1");
    let signed = Quote {
        shop: "demo".to_owned(),
        cart: "c".to_owned(),
        option: "p/standard".to_owned(),
        title: "Standard".to_owned(),
        price: 500,
        currency: "EUR".to_owned(),
        exponent: 2,
        arrival: Some(arrival.clone()),
        expires: order.placed_at + 1,
        contributors: Vec::new(),
    };
    order.quote = Some(quote::sign(&QUOTE_KEY, &signed));
    house.report(Event::OrderPlaced(OrderPlaced { order, customer: None, locale: None })).await;
    house.report(shipped("1", "s")).await;
    let record = house.store.order("demo", "1").await.unwrap().unwrap();
    assert_eq!(record.order.delivery.unwrap().promised, Some(arrival.clone()));
    assert_eq!(record.shipments[0].promised, Some(arrival.clone()));

    // A promise that is only claimed, or signed by another, is none.
    let mut claimed = super::support::order("2");
    claimed.quote = Some(quote::sign(&[8; 32], &signed));
    claimed.delivery = Some(DeliveryChoice {
        id: "p/standard".to_owned(),
        title: "Standard".to_owned(),
        price: 500,
        promised: Some(arrival),
    });
    house.report(Event::OrderPlaced(OrderPlaced { order: claimed, customer: None, locale: None })).await;
    let record = house.store.order("demo", "2").await.unwrap().unwrap();
    assert_eq!(record.order.delivery.unwrap().promised, None);
    assert_eq!(record.order.quote, None);
}

#[tokio::test]
async fn only_allowed_attributes_are_kept_and_feedback_loses_contact_details() {
    let house = House::new(&["p"]).await;
    let mut order = order("1");
    let attribute = |key: &str| Attribute { key: key.to_owned(), value: "+48 601 234 567".to_owned() };
    order.attributes = vec![attribute("gift"), attribute("_billing_phone")];
    order.lines[0].attributes = vec![attribute("_note")];
    house.report(Event::OrderPlaced(OrderPlaced { order, customer: None, locale: None })).await;
    let kept = house.store.order("demo", "1").await.unwrap().unwrap().order;
    assert_eq!(kept.attributes.len(), 1);
    assert_eq!(kept.attributes[0].key, "gift");
    assert_eq!(kept.lines[0].attributes, []);

    let feedback = serde_json::json!({"text": "Call +48 601 234 567", "at": "2026-11-20T10:00:00Z"});
    let feedback = FeedbackReceived {
        feedback: serde_json::from_value(feedback).unwrap(),
        order_id: Some("1".to_owned()),
        customer: None,
    };
    let event_id = house.report(Event::FeedbackReceived(feedback)).await;
    let stored = house.store.event(&event_id).await.unwrap().unwrap();
    assert!(stored.payload.contains("Call [phone]") && !stored.payload.contains("601"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_field_and_leaves_nothing() {
    type Spoil = fn(&mut Order);
    let cases: [(&str, Spoil); 10] = [
        ("order.currency", |order| order.currency = "XYZ".to_owned()),
        ("order.total", |order| order.total = 1 << 53),
        ("order.discount", |order| order.discount = -1),
        ("order.lines[0].quantity", |order| order.lines[0].quantity = 0),
        ("order.lines[0].unit_price", |order| {
            order.lines[0].unit_price = 1 << 52;
            order.lines[0].quantity = u32::MAX;
        }),
        ("order.lines[1].id", |order| order.lines.push(order.lines[0].clone())),
        ("order.id", |order| order.id = " ".to_owned()),
        ("order.lines[0].title", |order| order.lines[0].title = "a\r\nBcc: x".to_owned()),
        ("order.number", |order| order.number = "42\u{202E}31".to_owned()),
        ("order.destination.country", |order| {
            order.destination =
                Some(Place { country: "Poland".to_owned(), region: None, city: None, postcode: None });
        }),
    ];
    let house = House::new(&["p"]).await;
    for (field, spoil) in cases {
        let mut bad = order("1");
        spoil(&mut bad);
        let event = Event::OrderPlaced(OrderPlaced { order: bad, customer: Some(anna()), locale: None });
        match house.accept("one", event).await {
            Err(IntakeError::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let guest = house.store.customer_id(&anna()).unwrap();
    assert!(house.store.customer("demo", &guest).await.unwrap().is_none());
    // The name is still free.
    assert!(matches!(house.accept("one", placed("1")).await.unwrap(), Accepted::New { .. }));
    let mut yen = order("2");
    yen.currency = "jpy".to_owned();
    yen.exponent = 7;
    house.report(Event::OrderPlaced(OrderPlaced { order: yen, customer: None, locale: None })).await;
    let kept = house.store.order("demo", "2").await.unwrap().unwrap().order;
    assert_eq!((kept.currency.as_str(), kept.exponent), ("JPY", 0));
}

#[tokio::test]
async fn a_tracking_link_is_a_whole_link_that_looks_like_what_it_is() {
    let house = House::new(&["p"]).await;
    house.report(placed("1")).await;
    let tracked = |url: &str| {
        let Event::OrderShipped(mut event) = shipped("1", "s") else { unreachable!() };
        event.shipment.tracking_url = Some(url.to_owned());
        Event::OrderShipped(event)
    };
    for url in [
        "https://",
        "https://?parcel=1",
        "https://exa mple.com/1",
        "https://carrier.example/1 2",
        "https://carrier.example/\u{202E}1",
        "https://carrier.example/\u{2066}1",
        "https://carrier.example/1\n2",
        "https://carrier.example\u{a0}/1",
        "https://carrier.example@other.example/1",
        "https://carrier.example:port/1",
        "https:carrier.example/1",
        "javascript:alert(1)",
        "carrier.example/1",
    ] {
        match house.accept("link", tracked(url)).await {
            Err(IntakeError::Invalid { field, .. }) => assert_eq!(field, "shipment.tracking_url", "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    for (name, url) in
        [("a", "http://carrier.example/1?x=%20#y"), ("b", "https://przesy\u{142}ka.example:8443/\u{17c}/1")]
    {
        assert!(house.accept(name, tracked(url)).await.is_ok(), "{url}");
    }
}

#[tokio::test]
async fn an_old_order_is_stored_but_is_no_news() {
    let house = House::new(&["p"]).await;
    let mut old = order("1");
    old.placed_at = 1_000_000_000_000;
    let event = Event::OrderPlaced(OrderPlaced { order: old, customer: None, locale: None });
    let event_id = house.report(event).await;
    house.step().await;
    assert_eq!(house.calls(), []);
    assert!(house.store.order("demo", "1").await.unwrap().is_some());
    let progress = house.lifecycle.progress("demo", &event_id).await.unwrap().unwrap();
    assert_eq!((progress.state.as_str(), progress.jobs.len()), ("done", 0));
}
