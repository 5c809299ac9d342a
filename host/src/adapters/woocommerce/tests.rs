//! The adapter on a real payload, and on what a shop may make of one.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::mutations::{any_json, mutated};
use crate::domain::{Event, OrderRecord};

const ORDER: &str = include_str!("../../../../tests/fixtures/woocommerce/order.json");
const VECTORS: &str = include_str!("../../../../tests/fixtures/signature-vectors.json");
/// 2023-07-06T14:17:03Z, when the fixture's order was made.
const PLACED: i64 = 1_688_653_023_000;

/// 2026-11-30T09:00:00Z.
const NOW: i64 = 1_796_029_200_000;

/// A shop that lets plugins see no attributes.
fn shop() -> crate::config::ShopConfig {
    toml::from_str(
        "name = 'Demo'\nurl = 'https://demo.example'\ncountry = 'US'\ncurrency = 'USD'\nzone = 'UTC'",
    )
    .unwrap()
}

fn payload() -> Value {
    serde_json::from_str(ORDER).unwrap()
}

/// The fixture with some fields of its top level changed.
fn changed(fields: Value) -> Value {
    let mut order = payload();
    for (name, value) in fields.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn read_order(order: &Value) -> OrderReading {
    match read("order.updated", order.to_string().as_bytes(), &TimeZone::UTC) {
        Ok(Reading::Order(order)) => *order,
        other => panic!("{other:?}"),
    }
}

fn refused(order: &Value) -> Unreadable {
    read("order.updated", order.to_string().as_bytes(), &TimeZone::UTC).unwrap_err()
}

/// The order as it would be stored after it was placed.
fn stored(order: &Value, status: &str) -> OrderRecord {
    let placed = read_order(order).placed;
    OrderRecord {
        order: placed.order,
        customer_id: None,
        locale: None,
        status: status.to_owned(),
        shipments: Vec::new(),
        labels: std::collections::BTreeMap::new(),
    }
}

fn step(order: &Value, stored: Option<&OrderRecord>) -> Step {
    of_order(read_order(order), stored, None)
}

/// The identity of what is reported, `-` for nothing, `!` for a conflict.
fn identity(step: &Step) -> &str {
    match step {
        Step::Report { id, .. } => id,
        Step::Nothing(_) => "-",
        Step::Differs(_) => "!",
    }
}

#[test]
fn a_real_order_is_read_whole() {
    let reading = read_order(&payload());
    assert_eq!(reading.standing, Standing::Placed);
    assert_eq!((reading.since, reading.refunded), (PLACED, 0));
    let placed = serde_json::to_value(&reading.placed).unwrap();
    assert_eq!(
        placed,
        json!({
            "order": {
                "id": "17",
                "number": "17",
                "placed_at": "2023-07-06T14:17:03Z",
                "currency": "USD",
                "exponent": 2,
                "lines": [{
                    "id": "9",
                    "product": "12",
                    "title": "First Product",
                    "quantity": 2,
                    "unit_price": 100,
                    "tags": [],
                    "weight_grams": 0,
                    "requires_shipping": true,
                    "gift_card": false,
                    "taxable": true,
                    "tax": 0,
                    "attributes": [],
                }],
                "destination": { "country": "CO", "region": "State", "city": "City", "postcode": "11111" },
                "buyer": { "kind": "consumer", "tax_exempt": false, "segments": [] },
                "delivery": { "id": "free_shipping:1", "title": "Free shipping", "price": 0 },
                "payment_method": "cod",
                "codes": [],
                "prices_include_tax": false,
                "subtotal": 200,
                "discount": 0,
                "tax": 0,
                "adjustments": [],
                "total": 200,
                "attributes": [{ "key": "is_vat_exempt", "value": "no" }],
            },
            "customer": {
                "id": "1",
                "first_name": "First",
                "last_name": "Last",
                "email": "email@example.com",
                "phone": "123123123",
            },
        })
    );
}

#[test]
fn the_order_that_plugins_see_names_no_street_surname_or_address() {
    let order = serde_json::to_string(&read_order(&payload()).placed.order).unwrap();
    for secret in ["1 Street", "Last", "email@example.com", "123123123"] {
        assert!(!order.contains(secret), "{secret}");
    }
}

#[test]
fn the_signature_of_a_known_body_fits() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let vector = &vectors["shopify"];
    let text = |name: &str| vector[name].as_str().unwrap();
    assert!(signature_fits(
        text("secret").as_bytes(),
        text("body").as_bytes(),
        text("X-Shopify-Hmac-Sha256")
    ));
}

#[test]
fn only_the_ping_is_a_ping() {
    assert!(is_ping(b"webhook_id=7"));
    assert!(is_ping(b"webhook_id=1234567"));
    for body in [&b""[..], b"webhook_id=", b"webhook_id=7&x=1", b"webhook_id=7x", b"{\"webhook_id\":7}"] {
        assert!(!is_ping(body));
    }
}

#[test]
fn each_currency_keeps_its_own_exponent() {
    for (currency, written, total) in
        [("JPY", "1290", 1_290), ("KWD", "1.290", 1_290), ("EUR", "12.9000", 1_290)]
    {
        let mut order = changed(json!({ "currency": currency, "total": written }));
        order["line_items"][0]["subtotal"] = json!(written);
        let order = read_order(&order).placed.order;
        assert_eq!(
            (order.total, order.lines[0].unit_price, order.subtotal),
            (total, 645, total),
            "{currency}"
        );
        assert!(order.adjustments.is_empty(), "{currency}");
    }
    assert_eq!(refused(&changed(json!({ "currency": "ZZZ" }))).field, "currency");
    assert_eq!(refused(&changed(json!({ "total": "a lot" }))).field, "total");
    assert_eq!(refused(&changed(json!({ "total": 2.5 }))).field, "total");
}

#[test]
fn prices_with_tax_have_it_in_them_and_still_sum_exactly() {
    let mut order = changed(json!({
        "currency": "PLN", "prices_include_tax": true, "discount_total": "8.13", "discount_tax": "1.87",
        "shipping_total": "12.19", "shipping_tax": "2.81", "total": "128.00", "total_tax": "23.93",
    }));
    order["line_items"] = json!([{
        "id": 1, "name": "Mug", "product_id": 5, "variation_id": 6, "quantity": 3, "sku": "MUG-B",
        "subtotal": "100.01", "subtotal_tax": "22.99", "total": "91.88", "total_tax": "21.12", "price": 30.626_667,
    }]);
    let order = read_order(&order).placed.order;
    let line = &order.lines[0];
    assert_eq!((line.unit_price, line.tax, line.variant.as_deref()), (4_100, 2_112, Some("6")));
    assert_eq!((order.subtotal, order.discount, order.tax, order.total), (12_300, 1_000, 2_393, 12_800));
    assert_eq!(order.delivery.as_ref().unwrap().price, 1_500);
    let adjustments: i64 = order.adjustments.iter().map(|adjustment| adjustment.amount).sum();
    assert_eq!(order.subtotal - order.discount + 1_500 + adjustments, order.total);
    assert!(order.adjustments.is_empty(), "{:?}", order.adjustments);
}

#[test]
fn fees_are_adjustments_and_what_no_part_explains_is_one_too() {
    let order = read_order(&changed(json!({
        "total": "14.00",
        "fee_lines": [
            { "id": 1, "name": "Gift wrap", "total": "5.00", "total_tax": "0.00" },
            { "id": 2, "name": "", "total": "-1.00", "total_tax": "0.00" },
        ],
        "coupon_lines": [{ "id": 3, "code": "summer", "discount": "0.00" }],
    })))
    .placed
    .order;
    let adjustments: Vec<_> = order
        .adjustments
        .iter()
        .map(|adjustment| (adjustment.kind.as_str(), adjustment.label.as_str(), adjustment.amount))
        .collect();
    assert_eq!(adjustments, [("fee", "Gift wrap", 500), ("fee", "Fee", -100), ("other", "Other", 800)]);
    assert_eq!(order.codes, ["summer"]);
    assert_eq!(order.subtotal + adjustments.iter().map(|(_, _, amount)| amount).sum::<i64>(), order.total);
}

#[test]
fn a_line_that_does_not_divide_keeps_its_sum() {
    let mut order = changed(json!({ "total": "10.00" }));
    order["line_items"][0]["quantity"] = json!(3);
    order["line_items"][0]["subtotal"] = json!("10.00");
    let order = read_order(&order).placed.order;
    let lines: Vec<_> =
        order.lines.iter().map(|line| (line.id.as_str(), line.quantity, line.unit_price)).collect();
    assert_eq!(lines, [("9", 2, 333), ("9-2", 1, 334)], "what a customer reads adds up");
    assert_eq!((order.subtotal, order.total), (1_000, 1_000));
    assert!(order.adjustments.is_empty());
}

#[test]
fn a_guest_is_known_by_the_e_mail_and_nobody_by_nothing() {
    let guest = read_order(&changed(json!({ "customer_id": 0 }))).placed.customer.unwrap();
    assert_eq!((guest.id, guest.email.as_deref()), (None, Some("email@example.com")));
    let mut order = changed(json!({ "customer_id": 0 }));
    order["billing"]["email"] = json!("");
    assert_eq!(read_order(&order).placed.customer, None);
}

#[test]
fn an_order_without_shipping_address_goes_to_the_billing_address() {
    for nothing in [json!([]), Value::Null, json!({ "country": "" })] {
        let order = read_order(&changed(json!({ "shipping": nothing }))).placed.order;
        assert_eq!(order.destination.unwrap().country, "CO");
    }
    let order = changed(json!({ "shipping": [], "billing": [], "shipping_lines": [] }));
    let order = read_order(&order).placed.order;
    assert_eq!((order.destination, order.delivery), (None, None));
}

#[test]
fn harmless_oddities_cost_no_order() {
    let takes_in = |order: &Value| {
        let mut event = Event::OrderPlaced(read_order(order).placed);
        let taken = crate::lifecycle::check::event(&mut event, &shop(), NOW);
        assert!(taken.is_ok(), "{taken:?}");
        let Event::OrderPlaced(placed) = event else { unreachable!() };
        let order = &placed.order;
        let adjustments: i64 = order.adjustments.iter().map(|adjustment| adjustment.amount).sum();
        let delivery = order.delivery.as_ref().map_or(0, |delivery| delivery.price);
        assert_eq!(order.subtotal - order.discount + delivery + order.tax + adjustments, order.total);
        placed
    };
    let lists = ["meta_data", "line_items", "shipping_lines", "fee_lines", "coupon_lines", "refunds"];
    for list in lists {
        takes_in(&changed(json!({ list: null })));
        let mut without = payload();
        without.as_object_mut().unwrap().remove(list);
        takes_in(&without);
    }
    let mut order = changed(json!({ "prices_include_tax": null, "payment_method": null, "number": null }));
    for part in ["line_items", "shipping_lines"] {
        order[part][0]["meta_data"] = Value::Null;
    }
    for name in ["first_name", "last_name", "company", "phone", "state", "city", "postcode"] {
        order["billing"][name] = Value::Null;
    }
    assert_eq!(takes_in(&order).customer.unwrap().first_name, None);

    let mut long = payload();
    long["line_items"][0]["name"] = json!("ż".repeat(2_500));
    long["shipping_lines"][0]["method_title"] = json!("x".repeat(2_500));
    long["shipping_lines"][0]["method_id"] = json!("y".repeat(300));
    long["number"] = json!("n".repeat(300));
    long["fee_lines"] = json!([{ "name": "f".repeat(2_500), "total": "0.00" }]);
    long["coupon_lines"] = (0..60).map(|_| json!({ "code": "c".repeat(300) })).collect();
    for name in ["first_name", "last_name", "company", "phone", "state", "city", "postcode"] {
        long["billing"][name] = json!("z".repeat(300));
        long["shipping"][name] = json!("z".repeat(300));
    }
    let placed = takes_in(&long);
    assert_eq!(placed.order.lines[0].title, "ż".repeat(2_000));
    assert_eq!((placed.order.number.len(), placed.order.codes.len()), (200, 50));

    let mut hidden = payload();
    hidden["line_items"][0]["name"] = json!("Mug\u{202E}\r\nBcc");
    hidden["shipping"]["country"] = json!("12");
    let placed = takes_in(&hidden);
    assert_eq!(placed.order.lines[0].title, "Mug   Bcc");
}

#[test]
fn a_line_of_nothing_or_less_is_no_line_and_the_sum_stays_exact() {
    let line = |id: u32, quantity: i64, subtotal: &str| {
        json!({ "id": id, "name": "Mug", "product_id": 5, "quantity": quantity, "subtotal": subtotal,
            "subtotal_tax": "0.00", "total": subtotal, "total_tax": "0.00" })
    };
    for (odd, total, rest) in [
        (line(2, 0, "0.00"), "20.00", 0),
        (line(2, 0, "3.00"), "23.00", 300),
        (line(2, 1, "-5.00"), "15.00", -500),
        (line(2, -1, "-5.00"), "15.00", -500),
    ] {
        let lines = json!([line(1, 2, "20.00"), odd]);
        let mut event =
            Event::OrderPlaced(read_order(&changed(json!({ "line_items": lines, "total": total }))).placed);
        crate::lifecycle::check::event(&mut event, &shop(), NOW).unwrap();
        let Event::OrderPlaced(placed) = event else { unreachable!() };
        assert_eq!((placed.order.lines.len(), placed.order.subtotal), (1, 2_000));
        let adjustments: Vec<_> = placed.order.adjustments.iter().map(|other| other.amount).collect();
        assert_eq!(adjustments, if rest == 0 { vec![] } else { vec![rest] });
    }
    let mut many = payload();
    many["line_items"][0]["quantity"] = json!(5_000_000_000_i64);
    assert_eq!(refused(&many).field, "line_items[0].quantity");
}

#[test]
fn a_company_buys_as_a_business_and_may_be_exempt() {
    let mut order = changed(json!({ "meta_data": [{ "id": 1, "key": "is_vat_exempt", "value": "yes" }] }));
    order["billing"]["company"] = json!("Loom Ltd");
    let buyer = read_order(&order).placed.order.buyer;
    assert_eq!((buyer.kind.as_str(), buyer.tax_exempt), ("business", true));
}

#[test]
fn dates_without_a_zone_are_utc_or_the_shops() {
    let at = |fields: Value, zone: &str| {
        let zone = TimeZone::get(zone).unwrap();
        match read("order.created", changed(fields).to_string().as_bytes(), &zone).unwrap() {
            Reading::Order(order) => order.placed.order.placed_at,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(at(json!({}), "Asia/Tokyo"), PLACED, "date_created_gmt is UTC whatever the shop's zone");
    let old = json!({ "date_created_gmt": null, "date_created": "2023-07-06T23:17:03" });
    assert_eq!(at(old, "Asia/Tokyo"), PLACED, "an old API version gives the shop's time alone");
    assert_eq!(at(json!({ "date_created_gmt": "2023-07-06T16:17:03+02:00" }), "UTC"), PLACED);
    assert_eq!(
        refused(&changed(json!({ "date_created_gmt": "soon", "date_created": null }))).field,
        "date_created_gmt"
    );
}

#[test]
fn the_promise_comes_back_on_the_order_or_on_its_shipping_line() {
    let meta = json!([
        { "id": 1, "key": "_cartwright_quote", "value": "q1.a.b" },
        { "id": 2, "key": "_cartwright_cart", "value": "c-1" },
        { "id": 3, "key": "_cartwright_locale", "value": "pl" },
        { "id": 4, "key": "gift-note", "value": "Hello" },
        { "id": 5, "key": "boxes", "value": 2 },
        { "id": 6, "key": "nested", "value": { "phone": "123" } },
        { "id": 7, "key": "long", "value": "x".repeat(2_000) },
    ]);
    let mut on_line = payload();
    on_line["shipping_lines"][0]["meta_data"] = meta.clone();
    for order in [changed(json!({ "meta_data": meta })), on_line] {
        let placed = read_order(&order).placed;
        assert_eq!(placed.order.quote.as_deref(), Some("q1.a.b"));
        assert_eq!(placed.order.cart_id.as_deref(), Some("c-1"));
        assert_eq!(placed.locale.as_deref(), Some("pl"));
    }
    let order = read_order(&changed(json!({ "meta_data": meta }))).placed.order;
    let attributes: Vec<_> = order.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
    assert_eq!(attributes, [("gift-note", "Hello"), ("boxes", "2")]);
}

#[test]
fn several_parcels_are_one_choice() {
    let order = read_order(&changed(json!({
        "shipping_total": "12.00", "total": "14.00",
        "shipping_lines": [
            { "id": 1, "method_id": "flat_rate", "instance_id": "3", "method_title": "Courier" },
            { "id": 2, "method_id": "local_pickup", "instance_id": "0", "method_title": "Pick-up" },
        ],
    })))
    .placed
    .order;
    let delivery = order.delivery.unwrap();
    assert_eq!(
        (delivery.id.as_str(), delivery.title.as_str(), delivery.price),
        ("flat_rate:3", "Courier + Pick-up", 1_200)
    );
}

#[test]
fn what_a_status_means_depends_on_what_is_known() {
    let known = |status: &str| Some(stored(&payload(), status));
    for (status, stored, expected) in [
        ("processing", None, "order/17/placed"),
        ("on-hold", None, "order/17/placed"),
        ("completed", None, "order/17/placed"),
        ("wc-processing", None, "order/17/placed"),
        ("pending", None, "-"),
        ("checkout-draft", None, "-"),
        ("failed", None, "-"),
        ("trash", None, "-"),
        ("packed-by-robot", None, "-"),
        ("cancelled", None, "-"),
        ("refunded", None, "-"),
        ("processing", known("placed"), "-"),
        ("completed", known("placed"), "-"),
        ("completed", known("shipped"), "-"),
        ("pending", known("placed"), "-"),
        ("processing", known("cancelled"), "-"),
        ("cancelled", known("placed"), "order/17/cancelled"),
        ("cancelled", known("shipped"), "order/17/cancelled"),
        ("cancelled", known("cancelled"), "-"),
        ("refunded", known("delivered"), "order/17/returned"),
        ("refunded", known("returned"), "-"),
    ] {
        let order = changed(json!({ "status": status }));
        assert_eq!(
            identity(&step(&order, stored.as_ref())),
            expected,
            "{status}, known: {:?}",
            stored.map(|s| s.status)
        );
    }
}

#[test]
fn an_old_order_touched_again_is_not_new() {
    let since = |order: &Value| identity(&of_order(read_order(order), None, Some(PLACED + 1_000))).to_owned();
    assert_eq!(since(&payload()), "-");
    assert_eq!(since(&changed(json!({ "date_created_gmt": "2023-07-06T14:17:04" }))), "order/17/placed");
    let paid_later = changed(json!({ "date_paid_gmt": "2023-07-07T08:00:00" }));
    assert_eq!(since(&paid_later), "order/17/placed", "an order is new when it is paid");
}

#[test]
fn an_edit_of_a_placed_order_is_a_conflict_only_when_the_purchase_differs() {
    let known = stored(&payload(), "placed");
    let mut moved = payload();
    moved["shipping"]["city"] = json!("Elsewhere");
    moved["date_modified_gmt"] = json!("2023-07-08T00:00:00");
    assert_eq!(identity(&step(&moved, Some(&known))), "-");
    let mut more = payload();
    more["line_items"][0]["quantity"] = json!(3);
    assert_eq!(identity(&step(&more, Some(&known))), "!");
    assert_eq!(identity(&step(&changed(json!({ "total": "3.000" })), Some(&known))), "!");
}

#[test]
fn two_deliveries_of_one_transition_are_the_same_event() {
    let print = |order: &Value, stored: Option<&OrderRecord>| match step(order, stored) {
        Step::Report { fingerprint, .. } => fingerprint,
        other => panic!("{other:?}"),
    };
    let touched = changed(json!({ "date_modified_gmt": "2023-07-09T00:00:00", "status": "completed" }));
    assert_eq!(print(&payload(), None), print(&touched, None));
    assert_ne!(print(&payload(), None), print(&changed(json!({ "total": "9.00" })), None));
    let known = stored(&payload(), "placed");
    let refunds = json!([{ "id": 5, "reason": "Mr Last asked", "total": "-2.000" }]);
    let first = changed(json!({ "status": "refunded", "refunds": refunds }));
    let second = changed(
        json!({ "status": "refunded", "refunds": refunds, "date_modified_gmt": "2023-07-09T00:00:00" }),
    );
    assert_eq!(print(&first, Some(&known)), print(&second, Some(&known)));
}

#[test]
fn a_refund_gives_the_money_and_the_lines_but_not_the_staffs_words() {
    let known = stored(&payload(), "delivered");
    let order = changed(json!({
        "status": "refunded",
        "date_modified_gmt": "2023-07-09T00:00:00",
        "refunds": [{ "id": 5, "reason": "Mr Last asked", "total": "-1.500" }, { "id": 6, "reason": "", "total": "-0.500" }],
    }));
    let Step::Report { event, .. } = step(&order, Some(&known)) else { panic!("nothing reported") };
    let Event::OrderReturned(returned) = *event else { panic!("{event:?}") };
    assert_eq!(
        serde_json::to_value(&returned).unwrap(),
        json!({
            "order_id": "17",
            "return": {
                "id": "refund",
                "lines": [{ "line": "9", "quantity": 2 }],
                "refunded": 200,
                "at": "2023-07-09T00:00:00Z",
            },
        })
    );
}

#[test]
fn a_new_customer_is_read_and_an_old_account_is_not_new() {
    let customer = json!({
        "id": 25, "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "username": "ada",
        "date_created_gmt": "2026-11-28T09:00:00", "billing": { "company": "", "phone": "555" }, "role": "customer",
    });
    let read = || match read("customer.created", customer.to_string().as_bytes(), &TimeZone::UTC).unwrap() {
        Reading::Customer(customer) => *customer,
        other => panic!("{other:?}"),
    };
    let Step::Report { id, event, .. } = of_customer(read(), Some(PLACED)) else {
        panic!("nothing reported")
    };
    assert_eq!(id, "customer/25/created");
    let Event::CustomerCreated(created) = *event else { panic!("{event:?}") };
    assert_eq!(created.customer.email.as_deref(), Some("ada@example.com"));
    assert_eq!(created.customer.phone.as_deref(), Some("555"));
    assert_eq!(identity(&of_customer(read(), Some(i64::MAX))), "-");
}

#[test]
fn a_list_may_come_as_an_object_and_notes_of_any_form_cost_no_order() {
    let item = payload()["line_items"][0].clone();
    let gap =
        changed(json!({ "line_items": { "3": item, "7": { "id": 10, "quantity": 1, "subtotal": "0.00" } } }));
    let lines = read_order(&gap).placed.order.lines;
    assert_eq!(lines.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), ["9", "10"]);
    let cart = json!({ "id": 1, "key": "_cartwright_cart", "value": "cart-7" });
    for metas in [
        json!([cart]),
        json!({ "2": cart }),
        json!({ "_cartwright_cart": "cart-7", "list": [1], "nothing": null }),
        json!([["a", "b"], 7, null, cart, { "value": "x" }]),
    ] {
        let order = read_order(&changed(json!({ "meta_data": metas })));
        assert_eq!(order.placed.order.cart_id.as_deref(), Some("cart-7"), "{metas}");
    }
    for nothing in [json!(null), json!([]), json!({}), json!(false), json!("")] {
        let order =
            read_order(&changed(json!({ "meta_data": nothing, "fee_lines": nothing, "refunds": nothing })));
        assert!(order.placed.order.attributes.is_empty() && order.refunded == 0);
    }
}

#[test]
fn what_is_sold_by_measure_is_one_piece_of_it() {
    let sold = |quantity: Value| {
        let mut order = payload();
        order["line_items"][0]["quantity"] = quantity;
        let order = read_order(&order).placed.order;
        let lines: Vec<_> =
            order.lines.into_iter().map(|line| (line.quantity, line.unit_price, line.title)).collect();
        (lines, order.subtotal)
    };
    let by_measure = (vec![(1, 200, "1.5 × First Product".to_owned())], 200);
    assert_eq!(sold(json!(1.5)), by_measure);
    assert_eq!(sold(json!("1.50")), by_measure);
    let pieces = (vec![(2, 100, "First Product".to_owned())], 200);
    for two in [json!(2), json!(2.0), json!("2"), json!("2.000"), json!(" 2 ")] {
        assert_eq!(sold(two.clone()), pieces, "{two}");
    }
    for nothing in [json!(0), json!(-1.5), json!("0.0")] {
        assert_eq!(sold(nothing.clone()), (vec![], 0), "{nothing}");
    }
    for wrong in [json!("two"), json!(1e21), json!("1e3"), json!(4_294_967_296_i64), json!(null), json!([2])]
    {
        let mut order = payload();
        order["line_items"][0]["quantity"] = wrong.clone();
        assert_eq!(refused(&order).field, "line_items[0].quantity", "{wrong}");
    }
}

#[test]
fn lines_of_one_id_are_told_apart() {
    let mut order = payload();
    let item = order["line_items"][0].clone();
    let mut third = item.clone();
    third.as_object_mut().unwrap().remove("id");
    order["line_items"] = json!([item, item, third, item]);
    order["total"] = json!("8.000");
    let lines = read_order(&order).placed.order.lines;
    assert_eq!(lines.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), ["9", "9-2", "line-3", "9-3"]);
}

#[test]
fn other_topics_are_of_no_interest() {
    for topic in ["order.deleted", "product.created", "coupon.updated", "action.woocommerce_add_to_cart", ""]
    {
        assert_eq!(read(topic, b"{\"id\":17}", &TimeZone::UTC), Ok(Reading::Unhandled), "{topic}");
    }
}

#[test]
fn what_cannot_be_understood_says_where_and_repeats_nothing() {
    for body in ["", "{", "[]", "{\"id\":17}", "\"x\"", "null"] {
        assert!(read("order.created", body.as_bytes(), &TimeZone::UTC).is_err(), "{body}");
    }
    let mut order = payload();
    order["line_items"][0]["quantity"] = json!("ada@example.com");
    let error = refused(&order);
    assert_eq!(error.field, "line_items[0].quantity");
    order["line_items"][0]["quantity"] = json!({ "ada@example.com": 1 });
    let error = refused(&order);
    assert_eq!(error.field, "line_items[0].quantity");
    assert!(!error.to_string().contains("ada"), "{error}");
}

/// What must not be told to a plugin, wherever the shop's payload has it.
const DETAILS: [&str; 6] =
    ["Zimmermann-Q", "Long Lane 7", "Flat 9-Q", "q.zimmermann@mail.example", "555-0199-Q", "Q-Works Ltd"];

fn with_details() -> Value {
    let mut order = payload();
    for who in ["billing", "shipping"] {
        let fields = ["last_name", "address_1", "address_2", "email", "phone", "company"];
        for (field, detail) in fields.into_iter().zip(DETAILS) {
            order[who][field] = json!(detail);
        }
    }
    order["refunds"] = json!([{ "id": 5, "reason": "Mr Zimmermann-Q asked", "total": "-1.00" }]);
    order["customer_note"] = json!("ring at Zimmermann-Q");
    order
}

/// What holds for every order that comes out of any payload.
fn holds(reading: &OrderReading) {
    let order = &reading.placed.order;
    let tax = if order.prices_include_tax { 0 } else { order.tax };
    let adjustments = order.adjustments.iter().map(|adjustment| adjustment.amount).sum::<i64>();
    if let Some(delivery) = &order.delivery {
        assert_eq!(order.subtotal - order.discount + delivery.price + tax + adjustments, order.total);
    }
    let lines = order.lines.iter().map(|line| line.total().expect("a line's total is an amount"));
    assert_eq!(lines.sum::<i64>(), order.subtotal, "{:?}", order.lines);
    assert!(order.lines.iter().all(|line| line.quantity > 0 && line.unit_price >= 0), "{:?}", order.lines);
    assert!(order.discount >= 0 && reading.refunded >= 0);
    let ids: std::collections::BTreeSet<_> = order.lines.iter().map(|line| &line.id).collect();
    assert_eq!(ids.len(), order.lines.len(), "{:?}", order.lines);
    // What is taken in, or refused with its field, has no contact detail in what plugins see.
    let mut event = Event::OrderPlaced(OrderPlaced { customer: None, ..reading.placed.clone() });
    match crate::lifecycle::check::event(&mut event, &shop(), NOW) {
        Ok(()) => {
            let told = serde_json::to_string(&event).unwrap();
            assert!(order.total >= 0);
            assert!(DETAILS.iter().all(|detail| !told.contains(detail)), "{told}");
        }
        Err(crate::lifecycle::IntakeError::Invalid { field, what }) => {
            assert!(!field.is_empty() && !what.is_empty());
            assert!(DETAILS.iter().all(|detail| !what.contains(detail)), "{what}");
        }
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_becomes_of_a_payload_it_is_read_the_same_way_and_adds_up_or_is_refused(
        order in mutated(with_details()), known in any::<bool>()
    ) {
        let text = order.to_string();
        let read = || read("order.updated", text.as_bytes(), &TimeZone::UTC);
        let first = read();
        prop_assert_eq!(&first, &read());
        match first {
            Ok(Reading::Order(reading)) => {
                holds(&reading);
                let known = known.then(|| stored(&payload(), "placed"));
                let step = || of_order(*reading.clone(), known.as_ref(), Some(0));
                prop_assert_eq!(step(), step());
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                prop_assert!(!error.field.is_empty() && !error.what.is_empty());
                prop_assert!(DETAILS.iter().all(|detail| !error.to_string().contains(detail)), "{}", error);
            }
        }
    }

    #[test]
    fn no_json_makes_it_panic(value in any_json()) {
        for topic in ["order.created", "customer.created"] {
            let _ = read(topic, value.to_string().as_bytes(), &TimeZone::UTC);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read("order.created", &bytes, &TimeZone::UTC);
        let _ = read("customer.created", &bytes, &TimeZone::UTC);
    }
}
