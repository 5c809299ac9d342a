//! What the platform is told, and that it is told once.

use cartwright_sdk::json::Json;
use cartwright_sdk::mock::*;

use crate::Logistics;

fn mugs() -> OrderBuilder {
    order()
        .placed("2026-11-30T09:12:30Z")
        .to_city("PL", "Warszawa", "00-001")
        .delivered_by("delivery-options/courier", "Courier", 1_500)
        .promised("2026-12-01", "2026-12-02")
        .line("mug", 2, 1_500)
        .weighing(300)
        .line("e-book", 1, 900)
        .not_shipped()
        .line("voucher", 1, 5_000)
        .gift_card()
}

fn told(effects: &Effects) -> Vec<(String, Json)> {
    let sent = effects.webhooks().into_iter();
    sent.map(|(topic, payload)| (topic.to_owned(), Json::parse(payload).unwrap())).collect()
}

#[test]
fn an_order_is_handed_over_with_what_lies_in_the_parcel() {
    let mut host = MockHost::new().settings(r#"{"warehouse": "WAW-2"}"#);
    let effects = host.order_placed::<Logistics>(mugs()).unwrap();
    let [(topic, order)] = &told(&effects)[..] else { panic!("one webhook") };
    assert_eq!(topic, "logistics.order");
    let text = |place: &Json, name: &str| place.get(name).and_then(Json::as_str).map(str::to_owned);
    assert_eq!(text(order, "number").as_deref(), Some("#1001"));
    assert_eq!(text(order, "warehouse").as_deref(), Some("WAW-2"));
    assert_eq!(text(order, "placed_at").as_deref(), Some("2026-11-30T09:12:00Z"));
    let [mug] = order.get("lines").and_then(Json::as_array).unwrap() else { panic!("only what is sent") };
    assert_eq!(text(mug, "sku").as_deref(), Some("mug"));
    assert_eq!(mug.get("quantity").and_then(Json::as_i64), Some(2));
    assert_eq!(mug.get("weight_grams").and_then(Json::as_i64), Some(300));
    let destination = order.get("destination").unwrap();
    assert_eq!(text(destination, "postcode").as_deref(), Some("00-001"));
    let delivery = order.get("delivery").unwrap();
    assert_eq!(text(delivery, "option").as_deref(), Some("delivery-options/courier"));
    assert_eq!(text(delivery.get("promised").unwrap(), "latest").as_deref(), Some("2026-12-02"));
}

#[test]
fn a_variant_is_what_lies_on_the_shelf() {
    let effects = MockHost::new()
        .order_placed::<Logistics>(
            order().line("shirt", 1, 9_900).with_line(|line| line.variant = Some("shirt-xl".to_owned())),
        )
        .unwrap();
    let [(_, order)] = &told(&effects)[..] else { panic!("one webhook") };
    let [line] = order.get("lines").and_then(Json::as_array).unwrap() else { panic!("one line") };
    assert_eq!(line.get("sku").and_then(Json::as_str), Some("shirt-xl"));
    assert_eq!(line.get("product").and_then(Json::as_str), Some("shirt"));
    assert_eq!(order.get("warehouse"), Some(&Json::Null));
}

#[test]
fn each_stage_is_told_once() {
    let mut host = MockHost::new();
    assert_eq!(told(&host.order_placed::<Logistics>(mugs()).unwrap()).len(), 1);
    assert!(host.order_placed::<Logistics>(mugs()).unwrap().is_empty());
    let taken_back = told(&host.order_cancelled::<Logistics>(mugs()).unwrap());
    let [(topic, order)] = &taken_back[..] else { panic!("one webhook") };
    assert_eq!(topic, "logistics.cancel");
    assert_eq!(order.get("order").and_then(Json::as_str), Some("1001"));
    assert!(host.order_cancelled::<Logistics>(mugs()).unwrap().is_empty());
    assert!(host.order_placed::<Logistics>(mugs()).unwrap().is_empty(), "it is not handed over again");
}

#[test]
fn what_the_platform_does_not_have_is_not_taken_back() {
    assert!(MockHost::new().order_cancelled::<Logistics>(mugs()).unwrap().is_empty());
}

#[test]
fn a_changed_topic_takes_back_under_the_one_that_handed_over() {
    let mut host = MockHost::new().settings(r#"{"topic": "north"}"#);
    assert_eq!(told(&host.order_placed::<Logistics>(mugs()).unwrap())[0].0, "north.order");
    let mut host = host.settings(r#"{"topic": "south"}"#);
    assert_eq!(told(&host.order_cancelled::<Logistics>(mugs()).unwrap())[0].0, "north.cancel");
}

#[test]
fn the_merchant_chooses_the_delivery_options() {
    for (options, wanted) in [
        (r#"["delivery-options/courier"]"#, true),
        (r#"["delivery-options/*"]"#, true),
        (r#"["delivery-options/courier-express", "post/*"]"#, false),
        ("[]", true),
    ] {
        let mut host = MockHost::new().settings(&format!(r#"{{"delivery_options": {options}}}"#));
        let effects = host.order_placed::<Logistics>(mugs()).unwrap();
        assert_eq!(!effects.is_empty(), wanted, "{options}");
    }
    let mut host = MockHost::new().settings(r#"{"delivery_options": ["delivery-options/*"]}"#);
    assert!(host.order_placed::<Logistics>(order().line("mug", 1, 1_500)).unwrap().is_empty());
}

#[test]
fn what_needs_no_parcel_is_not_handed_over() {
    let only_books = order().line("e-book", 1, 900).not_shipped();
    assert!(MockHost::new().order_placed::<Logistics>(only_books).unwrap().is_empty());
}
