//! Every form of intake, with anything in it: refused with the place of what is wrong, or stored and read back
//! as it was sent. Never a panic, never a 500. A failure prints its seed and keeps it beside this file.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::mutations::mutated;
use crate::domain::{CustomerInput, Event, Reads};
use crate::lifecycle::check;

const AT: &str = "2026-11-28T08:59:00Z";

/// A good body of each event, with every field that it may have.
fn good() -> Vec<(&'static str, Value)> {
    let place = json!({ "country": "PL", "region": "MA", "city": "Kraków", "postcode": "30-001" });
    let customer = json!({
        "id": "42", "first_name": "Ada", "last_name": "Lovelace", "company": "Engines", "email": "ada@shop.example",
        "phone": "+48 601 234 567", "locale": "pl", "zone": "Europe/Warsaw", "created_at": AT,
        "buyer": { "kind": "business", "tax_exempt": true, "segments": ["vip"] },
        "consents": [{ "channel": "email", "category": "marketing", "granted": true }],
    });
    let line = json!({
        "id": "1", "product": "mug", "variant": "blue", "title": "Mug", "quantity": 2, "unit_price": 1290,
        "tags": ["kitchen"], "weight_grams": 300, "requires_shipping": true, "gift_card": false, "taxable": true,
        "tax": 100, "parent_line": null, "attributes": [{ "key": "gift-note", "value": "hi" }],
    });
    let second = json!({ "id": "2", "product": "tea", "quantity": 1, "unit_price": 500, "parent_line": "1" });
    let arrival = json!({ "earliest": "2026-12-01", "latest": "2026-12-02" });
    let update = |stage: &str| {
        json!({
            "order_id": "1", "shipment_id": "s", "update": {
                "stage": stage, "at": AT, "location": "Łódź", "estimated": arrival, "note": "at the door",
            },
        })
    };
    vec![
        (
            "order-placed",
            json!({
                "order": {
                    "id": "1", "number": "#1", "cart_id": "c", "quote": null, "placed_at": AT, "currency": "EUR",
                    "lines": [line, second], "destination": place, "buyer": { "kind": "consumer" },
                    "delivery": { "id": "post", "title": "Post", "price": 490 }, "payment_method": "card",
                    "codes": ["SUMMER"], "prices_include_tax": true, "subtotal": 3080, "discount": 80, "tax": 100,
                    "adjustments": [{ "kind": "fee", "label": "Fee", "amount": 10 }], "total": 3500,
                    "attributes": [{ "key": "gift-note", "value": "hi" }],
                },
                "customer": customer, "locale": "pl",
            }),
        ),
        (
            "order-shipped",
            json!({ "order_id": "1", "shipment": {
            "id": "s", "carrier": "Post", "tracking_number": "RR1", "tracking_url": "https://post.example/RR1",
            "lines": [{ "line": "1", "quantity": 2 }], "shipped_at": AT, "estimated": arrival, "destination": place,
        } }),
        ),
        ("delivery-updated", update("out-for-delivery")),
        ("order-delivered", update("delivered")),
        ("order-cancelled", json!({ "order_id": "1", "reason": "call me at +48 601 234 567" })),
        (
            "order-returned",
            json!({ "order_id": "1", "return": {
            "id": "r", "lines": [{ "line": "1", "quantity": 1 }], "refunded": 1290, "reason": "too blue", "at": AT,
        } }),
        ),
        ("customer-created", json!({ "customer": customer })),
        ("cart-abandoned", json!({ "cart": whole_cart(&line, &place), "customer": customer })),
        (
            "feedback-received",
            json!({
                "feedback": { "rating": 9, "subject": "goods", "text": "Write to ada@shop.example!", "at": AT },
                "order_id": "1", "customer": customer,
            }),
        ),
    ]
}

fn whole_cart(line: &Value, place: &Value) -> Value {
    json!({
        "id": "c1", "currency": "EUR", "lines": [line], "destination": place,
        "groups": [{ "id": "g", "lines": ["1"], "origin": place, "destination": place }],
        "buyer": { "kind": "consumer", "segments": ["vip"] }, "prices_include_tax": true, "tax": 100,
        "payment_methods": [{ "id": "card", "name": "Card" }], "codes": [{ "code": "SUMMER" }],
        "attributes": [{ "key": "gift-note", "value": "hi" }],
    })
}

/// Some hundred cases; `what` is told with the seed when one fails.
fn for_each_case<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    mut case: impl AsyncFnMut(T) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config { cases, ..Config::with_source_file(file!()) });
    let case = std::cell::RefCell::new(&mut case);
    let ran = tokio::task::block_in_place(|| {
        runner.run(&strategy, |value| runtime.block_on((**case.borrow_mut())(value)))
    });
    if let Err(error) = ran {
        panic!("{error}\n{runner}");
    }
}

/// A refusal says where and what, and is the client's to mend.
fn is_clear(answer: &Answer, sent: &Value) -> Result<(), TestCaseError> {
    prop_assert!(
        matches!(answer.status.as_u16(), 400 | 422),
        "{}: {} of {}",
        answer.status,
        answer.text,
        sent
    );
    prop_assert!(
        ["invalid-body", "invalid", "too-deep"].contains(&answer.problem().as_str()),
        "{}",
        answer.text
    );
    let problem = answer.json();
    let error = &problem["errors"][0];
    prop_assert!(error["path"].as_str().is_some_and(|path| !path.is_empty()), "{}", answer.text);
    prop_assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", answer.text);
    Ok(())
}

/// The event as it is stored: checked, and naming the customer by an id alone.
fn expected(wired: &Wired, hook: &str, sent: &Value) -> Event {
    let tagged = json!({ "type": hook, "data": sent });
    let mut event: Event = serde_json::from_value(tagged).expect("what was accepted has this form");
    let shop = &wired.registry.current().shops["demo"];
    check::event(&mut event, &shop.config, NOW).expect("what was accepted is good");
    anonymous(&mut event);
    if let Event::OrderPlaced(placed) = &mut event {
        // No quote here is signed.
        placed.order.quote = None;
        if let Some(delivery) = &mut placed.order.delivery {
            delivery.promised = None;
        }
    }
    event
}

fn anonymous(event: &mut Event) {
    match event {
        Event::OrderPlaced(placed) => {
            placed.customer = None;
            // What is not said of the order is the customer's.
            placed.locale = None;
        }
        Event::FeedbackReceived(received) => received.customer = None,
        Event::CustomerCreated(created) => created.customer = CustomerInput::default(),
        Event::CartAbandoned(abandoned) => abandoned.customer = CustomerInput::default(),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_an_event_it_is_refused_with_its_place_or_read_back_as_sent() {
    let wired = wired_with("[http]\nrequests_per_second = 1000000\n").await;
    let forms = good();
    for (hook, body) in &forms {
        let answer = wired.as_backend(&format!("/v1/hooks/{hook}"), body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{hook}: {}", answer.text);
    }
    for (hook, body) in forms {
        let path = format!("/v1/hooks/{hook}");
        let (mut accepted, mut number) = (0, 0);
        for_each_case(128, mutated(body), async |mut sent| {
            number += 1;
            if hook == "order-placed" && sent["order"]["id"] == "1" {
                // An order is placed once: changed, it would be a conflict.
                sent["order"]["id"] = json!(format!("order-{number}"));
            }
            let answer = wired.as_backend(&path, &sent).await;
            if !answer.status.is_success() {
                return is_clear(&answer, &sent);
            }
            accepted += 1;
            let id = answer.json()["event_id"].as_str().unwrap().to_owned();
            let stored = wired.store.event(&id).await.unwrap().expect("an accepted event is stored");
            let mut read: Event = serde_json::from_str(&stored.payload).expect("a stored event can be read");
            // What is said of the customer stays with the customer.
            let mut elsewhere = sent.clone();
            elsewhere.as_object_mut().unwrap().remove("customer");
            let elsewhere = elsewhere.to_string();
            for detail in ["Lovelace", "ada@shop.example", "601 234 567"] {
                let told = elsewhere.contains(detail) || !stored.payload.contains(detail);
                prop_assert!(told, "{}", stored.payload);
            }
            anonymous(&mut read);
            prop_assert_eq!(read, expected(&wired, hook, &sent));
            Ok(())
        });
        assert!(accepted > 0, "{hook}: no change at all was harmless, so nothing was read back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_a_cart_it_is_refused_with_its_place_or_answered() {
    let wired = wired_with("[http]\nrequests_per_second = 1000000\n").await;
    let (line, place) = (cart()["cart"]["lines"][0].clone(), json!({ "country": "PL", "city": "Kraków" }));
    let body = json!({ "cart": whole_cart(&line, &place), "locale": "pl", "zone": "Europe/Warsaw", "viewed": ["mug"] });
    for hook in ["cart", "checkout"] {
        let path = format!("/v1/hooks/{hook}");
        assert_eq!(wired.as_backend(&path, &body).await.status, StatusCode::OK);
        for_each_case(200, mutated(body.clone()), async |sent| {
            let answer = wired.as_backend(&path, &sent).await;
            if answer.status != StatusCode::OK {
                return is_clear(&answer, &sent);
            }
            let totals = answer.json()["totals"].clone();
            for name in ["subtotal", "discount", "tax", "total"] {
                prop_assert!(totals[name].as_i64().is_some_and(|amount| amount >= 0), "{}", answer.text);
            }
            Ok(())
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_a_line_of_the_catalogue_the_others_are_kept() {
    let wired = wired_with("[http]\nrequests_per_second = 1000000\n").await;
    let good = json!({
        "id": "mug", "title": "Mug", "url": "https://shop.example/mug", "image": "/mug.png", "currency": "EUR",
        "price": 1290, "in_stock": true, "tags": ["kitchen"], "category": "kitchen", "related": ["tea"],
        "fields": { "fabric": "wool" },
    });
    for_each_case(200, mutated(good.clone()), async |sent| {
        let mut last = good.clone();
        last["id"] = json!("the-last");
        let body = format!("{good}\n{sent}\n{last}");
        let headers =
            [("authorization", bearer(SECRET)), ("content-type", "application/x-ndjson".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = wired.send(request(Method::PUT, catalog::PATH, &headers, &body)).await;
        prop_assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let import = answer.json();
        let stored = import["stored"].as_u64().unwrap();
        prop_assert_eq!(stored + import["rejected"].as_u64().unwrap(), 3, "{}", import);
        if stored == 3 {
            let entry: crate::domain::CatalogEntry = serde_json::from_value(sent).unwrap();
            let id = entry.product.id.clone();
            let kept =
                Reads::products(&wired.store, "demo", std::slice::from_ref(&id)).await.unwrap().remove(0);
            if id != "the-last" {
                prop_assert_eq!(kept.as_ref(), Some(&entry.product));
            }
        } else {
            let error = &import["errors"][0];
            prop_assert_eq!(&error["line"], &json!(2));
            prop_assert!(error["path"].as_str().is_some_and(|path| !path.is_empty()), "{}", import);
        }
        Ok(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_one_of_many_events_the_others_are_taken() {
    let wired = wired_with("[http]\nrequests_per_second = 1000000\n").await;
    let forms: Vec<Value> =
        good().into_iter().map(|(hook, data)| json!({ "hook": hook, "data": data })).collect();
    let any_form = (0..forms.len()).prop_flat_map(move |at| mutated(forms[at].clone()));
    let mut number = 0;
    for_each_case(200, any_form, async |sent| {
        number += 1;
        let cancelled = json!({ "order_id": "1", "reason": format!("no. {number}") });
        let [first, last] = ["first", "last"].map(
            |id| json!({ "hook": "order-cancelled", "id": format!("{id}-{number}"), "data": cancelled }),
        );
        let body = format!("{first}\n{sent}\n{last}");
        let headers =
            [("authorization", bearer(SECRET)), ("content-type", "application/x-ndjson".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = wired.send(request(Method::POST, "/v1/events", &headers, &body)).await;
        prop_assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let results = answer.json()["results"].clone();
        for at in [0, 2] {
            prop_assert_eq!(&results[at]["status"], &json!(202), "{}", results);
        }
        let status = results[1]["status"].as_u64().unwrap();
        prop_assert!([200, 202, 400, 409, 422].contains(&status), "{} of {}", results, sent);
        if status >= 400 {
            let error = &results[1]["problem"]["errors"][0];
            prop_assert!(
                error["path"].as_str().is_some_and(|path| !path.is_empty()) || status == 409,
                "{}",
                results
            );
        }
        Ok(())
    });
}
