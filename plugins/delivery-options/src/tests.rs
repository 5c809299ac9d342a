//! Monday, 30 November 2026, 10:00 in Warsaw, unless a test says otherwise.

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

use crate::DeliveryOptions;
use crate::schedule::countdown;

fn offered(host: &mut MockHost, cart: CartBuilder) -> Vec<(String, i64, String, String)> {
    let effects = host.offer::<DeliveryOptions>(cart).unwrap();
    let told = |option: &&DeliveryOption| {
        let arrival = option.arrival.clone().unwrap();
        (option.id.clone(), option.price, arrival.earliest, arrival.latest)
    };
    effects.delivery_options().iter().map(told).collect()
}

fn option(id: &str, price: i64, earliest: &str, latest: &str) -> (String, i64, String, String) {
    (id.to_owned(), price, earliest.to_owned(), latest.to_owned())
}

fn arrival(host: &mut MockHost, id: &str) -> (String, String, i64) {
    let effects = host.offer::<DeliveryOptions>(cart().line("mug", 1, 1_500)).unwrap();
    let option = effects.delivery_option(id).unwrap().clone();
    let arrival = option.arrival.unwrap();
    (arrival.earliest, arrival.latest, option.order_before.unwrap())
}

#[test]
fn without_settings_longer_is_cheaper_and_free_above_a_threshold() {
    let mut host = MockHost::new();
    assert_eq!(
        offered(&mut host, cart().line("mug", 1, 1_500)),
        [
            option("economy", 390, "2026-12-03", "2026-12-07"),
            option("standard", 590, "2026-12-01", "2026-12-02"),
            option("express", 990, "2026-12-01", "2026-12-01"),
        ]
    );
    assert_eq!(offered(&mut host, cart().line("mug", 4, 1_250))[0].1, 0, "50.00 is the threshold");
    assert_eq!(offered(&mut host, cart().line("mug", 1, 4_999))[0].1, 390, "49.99 is below it");
}

#[test]
fn abroad_has_rates_of_its_own_and_no_express() {
    let abroad = offered(&mut MockHost::new(), cart().line("mug", 1, 9_000).to("DE"));
    let ids: Vec<_> = abroad.iter().map(|(id, price, ..)| (id.as_str(), *price)).collect();
    assert_eq!(ids, [("economy", 990), ("standard", 1_490)]);
}

#[test]
fn free_is_judged_after_discounts() {
    let totals = Totals { subtotal: 5_500, discount: 600, delivery: None, tax: 0, total: 4_900 };
    let mut host = MockHost::new().totals(totals);
    assert_eq!(offered(&mut host, cart().line("mug", 1, 5_500))[0].1, 390);
}

#[test]
fn the_cut_off_is_a_minute_sharp_and_in_the_shops_zone() {
    let express = |now: &str, zone: &str| arrival(&mut MockHost::new().now(now).zone(zone), "express");
    let (before, after) = ("2026-12-01".to_owned(), "2026-12-02".to_owned());
    // The customer's clock shows another hour, and it does not matter.
    assert_eq!(express("2026-11-30T13:59:00+01:00", "America/New_York").0, before);
    assert_eq!(express("2026-11-30T14:00:00+01:00", "America/New_York").0, after);
    assert_eq!(express("2026-11-30T13:59:00+01:00", "Asia/Tokyo").2, at("2026-11-30T14:00:00+01:00"));
    assert_eq!(express("2026-11-30T14:00:00+01:00", "Asia/Tokyo").2, at("2026-12-01T14:00:00+01:00"));
}

#[test]
fn weekends_and_holidays_are_no_working_days() {
    let mut host = MockHost::new().now("2026-12-24T15:00:00+01:00").holidays(&["2026-12-25"]);
    // After Thursday's cut-off, with Friday off: it leaves on Monday and arrives on Tuesday.
    let (earliest, latest, order_before) = arrival(&mut host, "express");
    assert_eq!((earliest.as_str(), latest.as_str()), ("2026-12-29", "2026-12-29"));
    assert_eq!(order_before, at("2026-12-28T14:00:00+01:00"));
}

#[test]
fn packing_takes_working_days_and_some_carriers_come_on_all_days() {
    let settings = r#"{"packing_days": 2, "methods": [
        {"id": "usual", "rates": [{"price": {"EUR": 5}, "days_min": 1, "days_max": 1}]},
        {"id": "weekend", "every_day": true, "rates": [{"price": {"EUR": 9}, "days_min": 1, "days_max": 1}]}]}"#;
    let mut host = MockHost::new().settings(settings).now("2026-12-02T10:00:00+01:00");
    // Wednesday and two days of packing: it leaves on Friday.
    assert_eq!(arrival(&mut host, "usual").0, "2026-12-07");
    assert_eq!(arrival(&mut host, "weekend").0, "2026-12-05");
}

#[test]
fn same_day_is_offered_only_while_it_is_true() {
    let settings = r#"{"methods": [{"id": "same-day", "cut_off": "9:30", "only_before_cut_off": true,
        "rates": [{"zone": "warsaw", "price": {"EUR": 12}, "days_min": 0, "days_max": 0}]}],
        "zones": [{"id": "warsaw", "countries": ["PL"], "postcodes": ["00-", "01-"]}]}"#;
    let offered_at = |now: &str, postcode: &str| {
        let mut host = MockHost::new().settings(settings).now(now);
        let cart = cart().line("mug", 1, 1_000).to_city("PL", "Warszawa", postcode);
        host.offer::<DeliveryOptions>(cart).unwrap().delivery_options().len()
    };
    assert_eq!(offered_at("2026-11-30T09:00:00+01:00", "00-120"), 1);
    assert_eq!(offered_at("2026-11-30T09:30:00+01:00", "00-120"), 0, "after the cut-off");
    assert_eq!(offered_at("2026-11-29T09:00:00+01:00", "00-120"), 0, "a Sunday");
    assert_eq!(offered_at("2026-11-30T09:00:00+01:00", "30-001"), 0, "another zone");
}

#[test]
fn the_first_rate_that_fits_weight_and_total_is_the_price() {
    let settings = r#"{"methods": [{"id": "parcel", "rates": [
        {"max_grams": 10000, "from_total": {"EUR": 200}, "price": {"EUR": 0}},
        {"max_grams": 1000, "price": {"EUR": 3}},
        {"max_grams": 10000, "price": {"EUR": 7.50}}]}]}"#;
    let price = |pieces: u32, unit: i64| {
        let mut host = MockHost::new().settings(settings);
        let cart = cart().line("book", pieces, unit).weighing(500);
        offered(&mut host, cart).first().map(|(_, price, ..)| *price)
    };
    assert_eq!(price(2, 1_000), Some(300), "a thousand grams");
    assert_eq!(price(3, 1_000), Some(750));
    assert_eq!(price(3, 10_000), Some(0), "a large order");
    assert_eq!(price(21, 10_000), None, "too heavy for all");
}

#[test]
fn lockers_near_the_shopper_are_listed() {
    let settings = r#"{"methods": [{"id": "locker", "kind": "locker", "rates": [{"price": {"EUR": 2}}], "points": [
        {"id": "W1", "name": "Warszawa, Centralna", "country": "PL", "city": "Warszawa"},
        {"id": "K1", "name": "Kraków, Rynek", "country": "PL", "city": "Kraków"}]}]}"#;
    let points = |cart: CartBuilder| {
        let effects = MockHost::new().settings(settings).offer::<DeliveryOptions>(cart).unwrap();
        let options = effects.delivery_options();
        options
            .iter()
            .flat_map(|option| &option.pickup_points)
            .map(|point| point.id.clone())
            .collect::<Vec<_>>()
    };
    let mug = || cart().line("mug", 1, 1_000);
    assert_eq!(points(mug().to_city("PL", "kraków", "30-001")), ["K1"]);
    assert_eq!(points(mug().to_city("PL", "Gdynia", "81-001")), ["W1", "K1"]);
    assert!(points(mug().to("DE")).is_empty(), "a locker in another country is no option");
}

#[test]
fn what_is_not_shipped_is_offered_as_a_download() {
    let mut host = MockHost::new();
    let effects = host.offer::<DeliveryOptions>(cart().line("e-book", 1, 900).not_shipped()).unwrap();
    let [option] = effects.delivery_options()[..] else { panic!("one option") };
    assert_eq!((option.kind.as_str(), option.price, &option.arrival), ("digital", 0, &None));
    assert!(host.offer::<DeliveryOptions>(cart()).unwrap().is_empty(), "an empty cart");
}

#[test]
fn each_delivery_group_has_options_of_its_own() {
    let group = |id: &str, line: &str, country: &str| DeliveryGroup {
        id: id.to_owned(),
        lines: vec![line.to_owned()],
        origin: None,
        destination: Some(Place::country(country)),
    };
    let cart = cart().line("mug", 1, 1_000).line("e-book", 1, 900).not_shipped().line("plate", 1, 1_000);
    let cart = cart.with(|cart| {
        cart.groups =
            vec![group("a", "line-1", "PL"), group("b", "line-2", "PL"), group("c", "line-3", "DE")];
    });
    let effects = MockHost::new().offer::<DeliveryOptions>(cart).unwrap();
    let groups: Vec<_> =
        effects.delivery_options().iter().map(|option| option.group.clone().unwrap()).collect();
    assert_eq!(groups, ["a", "a", "a", "c", "c"], "nothing to ship in b; no express to Germany");
}

#[test]
fn a_currency_without_a_price_offers_nothing_and_tells_the_merchant() {
    let mut host = MockHost::new();
    let effects = host.offer::<DeliveryOptions>(cart().line("mug", 1, 1_500).currency("JPY", 0)).unwrap();
    assert!(effects.is_empty());
    assert!(host.log().iter().any(|(level, line)| *level == Level::Warn && line.contains("JPY")));
}

#[test]
fn prices_follow_the_decimals_of_the_currency() {
    let settings = r#"{"methods": [{"id": "m", "rates": [{"price": {"JPY": 500, "KWD": 1.255}}]}]}"#;
    let price = |currency: &str, exponent: u8| {
        let cart = cart().line("mug", 1, 1_500).currency(currency, exponent);
        offered(&mut MockHost::new().settings(settings), cart)[0].1
    };
    assert_eq!((price("JPY", 0), price("KWD", 3)), (500, 1_255));
}

#[test]
fn the_countdown_says_hours_and_minutes_while_they_are_few() {
    let key = |left: i64| countdown(left, 0, 12).map(|text| (text.key.clone(), text.args));
    let told = |key: &str, hours: i64, minutes: i64| {
        let args = vec![("hours".to_owned(), Value::Int(hours)), ("minutes".to_owned(), Value::Int(minutes))];
        Some((key.to_owned(), args))
    };
    assert_eq!(key(minutes(130)), told("order-within", 2, 10));
    assert_eq!(key(minutes(120)), told("order-within-hours", 2, 0));
    assert_eq!(key(minutes(59)), told("order-within-minutes", 0, 59));
    assert_eq!(key(minutes(1) - 1), None);
    assert_eq!(key(hours(12) + 1), None);
}

#[test]
fn a_cut_off_that_is_no_time_is_a_clear_fault() {
    let fault = MockHost::new()
        .settings(r#"{"cut_off": "2 pm"}"#)
        .offer::<DeliveryOptions>(cart().line("mug", 1, 1_500))
        .unwrap_err();
    assert!(fault.contains("\"2 pm\"") && fault.contains("14:00"), "{fault}");
}

#[test]
fn a_product_page_shows_delivery_to_the_visitors_region() {
    let mut host = MockHost::new();
    let effects = host.fill::<DeliveryOptions>("product-page", cart().line("mug", 1, 1_500)).unwrap();
    let [block] = effects.blocks()[..] else { panic!("one block") };
    assert_eq!(block.title.as_ref().unwrap().value("place"), Some(&value::text("country-PL")));
    assert_eq!(block.body.key, "delivery-cheapest-range");
    assert_eq!(block.body.value("price"), Some(&Value::Money(390)));
    let fastest = effects.notice("delivery-fastest").unwrap();
    assert_eq!(fastest.text.key, "delivery-fastest");
    assert_eq!(fastest.text.value("earliest"), Some(&value::date("2026-12-01")));
    let threshold = effects.notice("delivery-free-from").unwrap();
    assert_eq!(threshold.text.value("threshold"), Some(&Value::Money(5_000)));

    let there = cart().line("mug", 1, 1_500).to_city("DE", "Berlin", "10115");
    let effects = host.fill::<DeliveryOptions>("product-page", there).unwrap();
    assert_eq!(effects.blocks()[0].title.as_ref().unwrap().value("place"), Some(&"Berlin".into()));
    assert!(effects.notice("delivery-free-from").is_none(), "nothing is free abroad");
}

#[test]
fn the_cart_says_what_is_missing_to_free_delivery() {
    let notice = |price: i64| {
        let effects = MockHost::new().fill::<DeliveryOptions>("cart", cart().line("mug", 1, price)).unwrap();
        effects.notice("delivery-free").cloned()
    };
    let missing = notice(4_200).unwrap();
    assert_eq!(
        (missing.text.key.as_str(), missing.text.value("missing")),
        ("delivery-free-missing", Some(&Value::Money(800)))
    );
    assert_eq!(notice(5_000), None, "the options themselves say so");
    let with_code = cart().line("mug", 1, 4_200).code("SPRING10");
    let effects = MockHost::new().fill::<DeliveryOptions>("cart", with_code).unwrap();
    assert_eq!(
        effects.notice("delivery-free").unwrap().text.key,
        "delivery-free-from",
        "what a code takes off is unknown"
    );
    let abroad = cart().line("mug", 1, 9_000).to("DE");
    assert!(MockHost::new().fill::<DeliveryOptions>("cart", abroad).unwrap().is_empty());
}

#[test]
fn free_delivery_is_promised_only_where_it_would_be_offered() {
    let notice = |settings: &str, cart: CartBuilder| {
        let effects = MockHost::new().settings(settings).fill::<DeliveryOptions>("cart", cart).unwrap();
        effects.notice("delivery-free").and_then(|notice| notice.text.value("missing").cloned())
    };
    let mug = || cart().line("mug", 1, 1_000);
    let lockers = r#"{"methods": [
        {"id": "locker", "rates": [{"price": {"EUR": 2}, "free_from": {"EUR": 30}}],
            "points": [{"id": "W1", "name": "Centralna", "country": "PL"}]},
        {"id": "home", "rates": [{"price": {"EUR": 5}, "free_from": {"EUR": 90}}]}]}"#;
    assert_eq!(notice(lockers, mug()), Some(Value::Money(2_000)));
    assert_eq!(notice(lockers, mug().to("DE")), Some(Value::Money(8_000)), "no locker there");

    let hidden = r#"{"methods": [{"id": "m", "rates": [
        {"price": {"EUR": 5}}, {"from_total": {"EUR": 30}, "price": {"EUR": 0}}]}]}"#;
    assert_eq!(notice(hidden, mug()), None, "the first rate that fits is the price, whatever the total");
    let both = r#"{"methods": [{"id": "m", "rates": [
        {"from_total": {"EUR": 60}, "price": {"EUR": 4}, "free_from": {"EUR": 30}}, {"price": {"EUR": 5}}]}]}"#;
    assert_eq!(notice(both, mug()), Some(Value::Money(5_000)), "at 30.00 it is not that rate yet");
}

#[test]
fn the_destination_of_the_only_group_is_the_carts() {
    let cart = cart().line("mug", 1, 1_000).with(|cart| {
        cart.groups = vec![DeliveryGroup {
            id: "a".to_owned(),
            lines: vec!["line-1".to_owned()],
            origin: None,
            destination: Some(Place::country("DE")),
        }];
    });
    let abroad = offered(&mut MockHost::new(), cart.clone());
    assert_eq!(abroad.iter().map(|(_, price, ..)| *price).collect::<Vec<_>>(), [990, 1_490]);
    let effects = MockHost::new().fill::<DeliveryOptions>("product-page", cart).unwrap();
    assert_eq!(effects.blocks()[0].title.as_ref().unwrap().value("place"), Some(&value::text("country-DE")));
}

#[test]
fn both_languages_have_the_same_texts_and_name_the_countries() {
    let keys = |ftl: &'static str| -> Vec<&str> {
        ftl.lines()
            .filter(|line| !line.starts_with([' ', '#']))
            .filter_map(|line| Some(line.split_once(" =")?.0))
            .collect()
    };
    let (en, pl) = (keys(include_str!("../locales/en.ftl")), keys(include_str!("../locales/pl.ftl")));
    assert_eq!(en, pl);
    let named: Vec<_> = en.iter().filter_map(|key| key.strip_prefix("country-")).collect();
    assert_eq!(named.join(" "), crate::content::NAMED);
}
