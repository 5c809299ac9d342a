//! Monday, 30 November 2026, 10:00 in Warsaw, unless a test says otherwise.

use std::collections::BTreeSet;

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

use crate::OrderUpdates;

fn mug() -> OrderBuilder {
    order().line("mug", 2, 1_500)
}

fn parcel() -> ShipmentBuilder {
    shipment("s-1").carrier("DHL").tracking("JD01", "https://dhl.example/JD01")
}

fn told(host: &mut MockHost, update: UpdateBuilder) -> Option<Message> {
    let effects = host.delivery_updated::<OrderUpdates>(mug(), parcel(), update).unwrap();
    assert!(effects.messages().len() < 2);
    effects.messages().first().map(|message| (*message).clone())
}

#[test]
fn an_order_is_confirmed_once_and_at_once() {
    let mut host =
        MockHost::new().settings(r#"{"order_url": "https://shop.example/orders/{order}?n={number}"}"#);
    let effects = host.order_placed::<OrderUpdates>(mug()).unwrap();
    let mail = effects.message("confirmation").unwrap();
    assert_eq!((mail.category.as_str(), mail.when), ("transactional", None));
    assert_eq!(mail.dedupe_key.as_deref(), Some("confirmation/1001"));
    assert_eq!(mail.value("ships"), Some(&Value::Int(1)));
    assert_eq!(mail.value("order_url"), Some(&value::url("https://shop.example/orders/1001?n=%231001")));

    let effects = host.order_placed::<OrderUpdates>(order().line("e-book", 1, 900).not_shipped()).unwrap();
    assert_eq!(effects.message("confirmation").unwrap().value("ships"), None);
}

#[test]
fn a_dispatch_names_its_parcel_and_says_when_more_is_to_come() {
    let mut host = MockHost::new();
    let order = || order().line("mug", 2, 1_500).line("e-book", 1, 900).not_shipped();
    let effects = host.order_shipped::<OrderUpdates>(order(), parcel().line("line-1", 1)).unwrap();
    let mail = effects.message("shipped").unwrap();
    assert_eq!((mail.value("shipment"), mail.value("carrier")), (Some(&"s-1".into()), Some(&"DHL".into())));
    assert_eq!(mail.value("partial"), Some(&Value::Int(1)), "one of two mugs");

    let effects = host.order_shipped::<OrderUpdates>(order(), shipment("s-2").line("line-1", 1)).unwrap();
    let mail = effects.message("shipped").unwrap();
    assert_eq!(mail.value("partial"), None, "the other mug; an e-book needs no parcel");
    assert_eq!(mail.dedupe_key.as_deref(), Some("shipped/s-2"));
}

#[test]
fn repeated_reports_of_a_stage_have_one_key_and_news_has_another() {
    let mut host = MockHost::new();
    let mut keys = BTreeSet::new();
    let mut new = |update: UpdateBuilder| keys.insert(told(&mut host, update).unwrap().dedupe_key.unwrap());
    let on = |stage: &str, day: &str| update(stage).at(&format!("2026-12-{day}T09:00:00+01:00"));
    assert!(new(on("in-transit", "01").location("Łódź")));
    assert!(!new(on("in-transit", "02").location("Poznań")), "once");
    assert!(new(on("out-for-delivery", "02")));
    assert!(new(on("attempted", "02")));
    assert!(!new(on("attempted", "02")));
    assert!(new(on("out-for-delivery", "03")), "another day, another visit");
    assert!(new(on("attempted", "03")));
    assert!(new(on("delayed", "03").estimated("2026-12-04", "2026-12-05")));
    assert!(!new(on("delayed", "04").estimated("2026-12-05", "2026-12-05")), "the same last day");
    assert!(new(on("delayed", "05").estimated("2026-12-07", "2026-12-08")));
    assert!(new(on("problem", "05")));
    assert!(!new(on("problem", "06")));
}

#[test]
fn trouble_is_told_at_once_on_the_channels_for_it() {
    let mut host = MockHost::new().settings(r#"{"urgent_channels": ["sms", "email"]}"#);
    let delayed = update("delayed").estimated("2026-12-04", "2026-12-05").note("Snow in Berlin");
    let mail = told(&mut host, delayed).unwrap();
    assert_eq!(
        (mail.template.as_str(), mail.category.as_str(), mail.when),
        ("trouble", "transactional", None)
    );
    assert_eq!(mail.channels, ["sms", "email"]);
    assert_eq!(mail.value("latest"), Some(&value::date("2026-12-05")));
    assert_eq!(mail.value("note"), Some(&"Snow in Berlin".into()));

    let mail = told(&mut host, update("out-for-delivery")).unwrap();
    assert_eq!((mail.template.as_str(), mail.category.as_str()), ("progress", "updates"));
    assert!(mail.channels.is_empty());
    assert!(mail.not_after.is_some(), "it comes today: of no use tomorrow");
}

#[test]
fn the_merchant_chooses_the_stages_and_unknown_ones_are_left_alone() {
    assert_eq!(told(&mut MockHost::new(), update("arrived-at-facility")), None);
    assert_eq!(told(&mut MockHost::new(), update("weighed-again")), None);
    assert_eq!(told(&mut MockHost::new(), update("delivered")), None, "a hook of its own tells that");
    let mut host = MockHost::new().settings(r#"{"stages": ["arrived-at-facility"]}"#);
    assert!(told(&mut host, update("arrived-at-facility")).is_some());
    assert_eq!(told(&mut host, update("in-transit")), None);
}

#[test]
fn delivery_asks_for_a_review_and_a_day_later_whether_all_is_well() {
    let settings = r#"{"review_url": "https://shop.example/review/{order}?mark={rating}",
        "feedback_url": "https://shop.example/feedback/{order}"}"#;
    let mut host = MockHost::new().settings(settings).now("2026-12-02T15:00:00+01:00");
    let delivered = update("delivered").at("2026-12-02T14:30:00+01:00");
    let effects = host.order_delivered::<OrderUpdates>(mug(), parcel(), delivered).unwrap();
    let review = effects.message("delivered").unwrap();
    assert_eq!(review.when, None, "right at delivery");
    assert_eq!(
        review.value("rating_url"),
        Some(&value::url("https://shop.example/review/1001?mark={rating}"))
    );
    assert_eq!((review.value("review_url"), review.value("ask")), (None, Some(&Value::Int(1))));

    let later = effects.message("check-in").unwrap();
    assert_eq!(later.when, Some(at("2026-12-03T15:00:00+01:00")));
    assert_eq!(later.cancel_on, ["order-returned", "order-cancelled"]);
    assert_eq!(later.value("feedback_url"), Some(&value::url("https://shop.example/feedback/1001")));
    assert_eq!(later.dedupe_key.as_deref(), Some("check-in/1001"));
    assert_eq!(
        later.value("delivered"),
        Some(&value::date("2026-12-02")),
        "\"arrived yesterday\", a day later"
    );
}

#[test]
fn questions_can_be_switched_off() {
    let mut host = MockHost::new().settings(r#"{"ask_for_review": false, "check_in_hours": 0}"#);
    let effects = host.order_delivered::<OrderUpdates>(mug(), parcel(), update("delivered")).unwrap();
    let [only] = effects.messages()[..] else { panic!("one message") };
    assert_eq!((only.template.as_str(), only.value("ask")), ("delivered", None));
}

#[test]
fn an_order_in_two_parcels_has_arrived_with_the_second() {
    let mut host = MockHost::new();
    let first = || parcel().line("line-1", 1);
    let second = || shipment("s-2").line("line-1", 1);
    host.order_shipped::<OrderUpdates>(mug(), first()).unwrap();
    host.order_shipped::<OrderUpdates>(mug(), second()).unwrap();

    let effects = host.order_delivered::<OrderUpdates>(mug(), second(), update("delivered")).unwrap();
    let [only] = effects.messages()[..] else { panic!("one message") };
    assert_eq!((only.template.as_str(), only.value("stage")), ("progress", Some(&"delivered".into())));
    assert!(only.cancel_on.is_empty(), "its own event does not cancel it");

    let effects = host.order_delivered::<OrderUpdates>(mug(), first(), update("delivered")).unwrap();
    let templates: Vec<_> = effects.messages().iter().map(|message| message.template.as_str()).collect();
    assert_eq!(templates, ["delivered", "check-in"]);
}

fn on(stage: &str, time: &str) -> UpdateBuilder {
    update(stage).at(&format!("2026-11-29T{time}:00+01:00"))
}

fn delivered(host: &mut MockHost, time: &str) -> Vec<String> {
    let effects = host.order_delivered::<OrderUpdates>(mug(), parcel(), on("delivered", time)).unwrap();
    effects.messages().iter().map(|message| message.template.clone()).collect()
}

#[test]
fn what_is_older_than_the_newest_report_of_its_parcel_is_not_told() {
    let mut host = MockHost::new();
    assert!(told(&mut host, on("out-for-delivery", "09:00")).is_some());
    assert_eq!(told(&mut host, on("in-transit", "08:00")), None);
    assert_eq!(told(&mut host, on("delayed", "08:00")), None);
    assert!(told(&mut host, on("problem", "08:00")).is_some(), "a problem is told however late");
    assert!(told(&mut host, on("attempted", "09:00")).is_some(), "at the same minute");

    let mut host = MockHost::new();
    assert_eq!(told(&mut host, on("arrived-at-facility", "09:00")), None, "it is not told by default");
    assert_eq!(told(&mut host, on("in-transit", "08:00")), None, "and yet the parcel has moved on");

    let other = host.delivery_updated::<OrderUpdates>(mug(), shipment("s-2"), on("in-transit", "08:00"));
    assert_eq!(other.unwrap().messages().len(), 1, "another parcel has a way of its own");
}

#[test]
fn a_clock_that_is_fast_silences_nothing() {
    let mut host = MockHost::new();
    assert!(told(&mut host, update("in-transit").at("2031-01-01T00:00:00Z")).is_some());
    let mut host = host.now("2026-12-01T09:00:00+01:00");
    assert!(told(&mut host, update("out-for-delivery").at("2026-12-01T08:30:00+01:00")).is_some());
}

#[test]
fn after_delivery_only_a_new_problem_and_a_way_back_are_told() {
    let mut host = MockHost::new();
    assert_eq!(delivered(&mut host, "14:00"), ["delivered", "check-in"]);
    for stage in ["in-transit", "out-for-delivery", "ready-for-pickup", "attempted", "delayed"] {
        assert_eq!(told(&mut host, on(stage, "13:00")), None, "{stage}");
        assert_eq!(told(&mut host, on(stage, "15:00")), None, "{stage}");
    }
    assert_eq!(told(&mut host, on("problem", "13:00")), None, "the delivery was its end");
    let problem = told(&mut host, on("problem", "15:00")).unwrap();
    assert!(problem.cancel_on.is_empty(), "a delivery that is reported again does not take it back");
    assert!(told(&mut host, on("returning", "16:00")).is_some());
    assert!(delivered(&mut host, "17:00").is_empty(), "reported again: at the shop's door, perhaps");
}

#[test]
fn a_parcel_that_arrives_takes_back_its_own_messages_and_no_others() {
    let mut host = MockHost::new();
    assert_eq!(told(&mut host, on("in-transit", "08:00")).unwrap().cancel_on, ["order-delivered"]);
    host.order_shipped::<OrderUpdates>(mug(), shipment("s-2").line("line-1", 1)).unwrap();
    let mail = told(&mut host, on("out-for-delivery", "09:00")).unwrap();
    assert!(mail.cancel_on.is_empty(), "the other parcel's arrival does not take it back");

    let arrived = |host: &mut MockHost, parcel: ShipmentBuilder| {
        let effects = host.order_delivered::<OrderUpdates>(mug(), parcel, on("delivered", "10:00")).unwrap();
        effects.cancelled_messages().iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()
    };
    assert!(arrived(&mut host, shipment("s-2").line("line-1", 1)).is_empty());
    assert_eq!(arrived(&mut host, parcel()), ["stage/s-1/out-for-delivery/2026-11-29"]);
}

#[test]
fn a_stage_of_delivery_is_told_by_its_own_hook_and_long_names_of_places_have_short_keys() {
    let mut host = MockHost::new().settings(r#"{"stages": ["delivered", "arrived-at-facility"]}"#);
    assert_eq!(told(&mut host, update("delivered")), None);
    let mut key = |place: &str| {
        let report = update("arrived-at-facility").location(place);
        told(&mut host, report).unwrap().dedupe_key.unwrap()
    };
    let (one, other) = (key(&"Depot ".repeat(300)), key("Łódź\nWidzew"));
    assert!(one.len() < 60 && other.len() < 60 && one != other, "{one}, {other}");
}

#[test]
fn a_parcel_that_names_lines_of_its_own_is_taken_as_the_whole_order() {
    let odd = shipment("s-1").line("sku-77", 1);
    let effects = MockHost::new().order_delivered::<OrderUpdates>(mug(), odd, update("delivered")).unwrap();
    assert_eq!(effects.messages()[0].template, "delivered");
}

#[test]
fn a_parcel_delivered_while_goods_are_left_is_not_the_end() {
    let effects = MockHost::new()
        .order_delivered::<OrderUpdates>(mug(), parcel().line("line-1", 1), update("delivered"))
        .unwrap();
    assert_eq!(effects.messages()[0].template, "progress");
}

const EN: &str = include_str!("../locales/en.ftl");
const PL: &str = include_str!("../locales/pl.ftl");

fn keys(ftl: &'static str) -> Vec<&'static str> {
    ftl.lines()
        .filter(|line| !line.starts_with([' ', '#']))
        .filter_map(|line| Some(line.split_once(" =")?.0))
        .collect()
}

#[test]
fn both_languages_have_the_same_texts() {
    assert_eq!(keys(EN), keys(PL));
}

#[test]
fn every_stage_has_its_three_texts() {
    let keys = keys(EN);
    let stages = "in-transit arrived-at-facility out-for-delivery ready-for-pickup attempted delayed problem returning delivered";
    for stage in stages.split(' ') {
        assert_eq!(crate::Stage::named(stage).map(crate::Stage::name), Some(stage));
        for part in ["subject", "title", "intro"] {
            assert!(keys.contains(&format!("stage-{stage}-{part}").as_str()), "stage-{stage}-{part}");
        }
    }
}
