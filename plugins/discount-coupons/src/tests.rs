//! Monday, 30 November 2026, 10:00 in Warsaw, unless a test says otherwise.

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

use crate::DiscountCoupons;

fn with_campaign(campaign: &str) -> MockHost {
    MockHost::new().settings(&format!(r#"{{"campaigns": [{campaign}]}}"#))
}

/// Why the code does not hold: the key of the notice; and no discount.
fn refused(host: &mut MockHost, cart: &CartBuilder) -> String {
    assert!(host.price::<DiscountCoupons>(cart.clone()).unwrap().is_empty());
    let effects = host.fill::<DiscountCoupons>("cart", cart.clone()).unwrap();
    let [notice] = effects.notices()[..] else { panic!("one notice, not {:?}", effects.0) };
    notice.text.key.clone()
}

fn holds(host: &mut MockHost, cart: &CartBuilder) -> bool {
    let said = host.fill::<DiscountCoupons>("cart", cart.clone()).unwrap();
    assert!(said.is_empty(), "a code that holds needs no word: {:?}", said.0);
    !host.price::<DiscountCoupons>(cart.clone()).unwrap().discounts().is_empty()
}

fn entered(code: &str) -> CartBuilder {
    cart().line("mug", 2, 1_500).tagged("kitchen").line("shirt", 1, 4_000).code(code)
}

#[test]
fn a_code_takes_its_percentage_off_the_order_however_it_is_written() {
    let mut host = with_campaign(r#"{"code": "SPRING10", "percent": 10, "title": "Spring"}"#);
    let effects = host.price::<DiscountCoupons>(entered("spring10")).unwrap();
    let [discount] = effects.discounts()[..] else { panic!("one discount") };
    assert_eq!(discount.value, DiscountValue::Percent(1_000));
    assert_eq!(discount.target, DiscountTarget::Order);
    assert_eq!((discount.class.as_str(), discount.code.as_deref()), ("campaign", Some("spring10")));
    assert_eq!(
        (discount.title.key.as_str(), discount.title.fallback.as_str()),
        ("campaign-spring10", "Spring")
    );
}

#[test]
fn codes_that_are_not_ours_to_judge_are_left_alone() {
    let mut host = with_campaign(r#"{"code": "SPRING10", "percent": 10}"#);
    assert!(host.price::<DiscountCoupons>(entered("OTHER")).unwrap().is_empty());
    assert!(host.fill::<DiscountCoupons>("cart", entered("OTHER")).unwrap().is_empty());
    let own = cart().line("mug", 1, 1_500).code_that_is("SPRING10", "own");
    assert!(host.price::<DiscountCoupons>(own).unwrap().is_empty(), "the host has applied it");
}

#[test]
fn a_code_for_some_products_takes_off_their_lines_only() {
    let mut host = with_campaign(r#"{"code": "KITCHEN", "percent": 20, "tags": ["kitchen"]}"#);
    let effects = host.price::<DiscountCoupons>(entered("KITCHEN")).unwrap();
    let targets: Vec<_> = effects.discounts().iter().map(|discount| discount.target.clone()).collect();
    assert_eq!(targets, [DiscountTarget::Line("line-1".into())]);

    let mut host = with_campaign(r#"{"code": "LESS", "amount": {"EUR": 50}, "products": ["mug"]}"#);
    let effects = host.price::<DiscountCoupons>(entered("LESS")).unwrap();
    assert_eq!(effects.discounts()[0].value, DiscountValue::Amount(3_000), "no more than the mugs cost");
    let other = cart().line("shirt", 1, 4_000).code("LESS");
    assert_eq!(refused(&mut host, &other), "code-products");
}

#[test]
fn gift_cards_are_money_and_have_no_discount() {
    let mut host = with_campaign(r#"{"code": "ALL", "percent": 50, "tags": ["gift"]}"#);
    let cart = cart().line("card", 1, 5_000).tagged("gift").gift_card().code("ALL");
    assert_eq!(refused(&mut host, &cart), "code-products");
}

#[test]
fn free_delivery_and_a_discount_may_come_of_one_code() {
    let mut host = with_campaign(r#"{"code": "BOTH", "percent": 5, "free_delivery": true}"#);
    let effects = host.price::<DiscountCoupons>(entered("BOTH")).unwrap();
    let [off, delivery] = effects.discounts()[..] else { panic!("two discounts") };
    assert_eq!((&off.target, &delivery.target), (&DiscountTarget::Order, &DiscountTarget::Delivery));
    assert_ne!(off.id, delivery.id);
}

#[test]
fn the_first_and_the_last_day_count_by_the_shops_clock() {
    let dated = |now: &str| {
        with_campaign(r#"{"code": "BF", "percent": 30, "starts": "2026-11-27", "ends": "2026-11-30"}"#)
            .now(now)
            .zone("America/New_York")
    };
    assert_eq!(refused(&mut dated("2026-11-26T23:59:00+01:00"), &entered("BF")), "code-not-started");
    assert!(holds(&mut dated("2026-11-27T00:00:00+01:00"), &entered("BF")));
    assert!(holds(&mut dated("2026-11-30T23:59:00+01:00"), &entered("BF")));
    assert_eq!(refused(&mut dated("2026-12-01T00:00:00+01:00"), &entered("BF")), "code-ended");
}

#[test]
fn a_minimum_says_how_much_is_missing() {
    let mut host =
        with_campaign(r#"{"code": "BIG", "percent": 10, "min_subtotal": {"EUR": 80, "PLN": 300}}"#);
    let effects = host.fill::<DiscountCoupons>("checkout", entered("BIG")).unwrap();
    let notice = effects.notices()[0];
    assert_eq!(
        (notice.text.key.as_str(), notice.text.value("missing")),
        ("code-minimum", Some(&Value::Money(1_000)))
    );
    assert!(holds(&mut host, &entered("BIG").line("shirt", 1, 1_000)));
    assert_eq!(refused(&mut host, &entered("BIG").currency("USD", 2)), "code-currency");
}

#[test]
fn segments_are_honoured() {
    let mut host = with_campaign(r#"{"code": "PRO", "percent": 10, "segments": ["trade", "press"]}"#);
    assert_eq!(refused(&mut host, &entered("PRO")), "code-segment");
    assert!(holds(&mut host, &entered("PRO").segment("press")));
}

#[test]
fn a_code_for_the_first_order_needs_a_customer_without_one() {
    let campaign = r#"{"code": "HELLO", "percent": 10, "first_order": true}"#;
    assert!(holds(&mut with_campaign(campaign).customer(customer("new")), &entered("HELLO")));
    let old = customer("old").history(1, 5_000);
    assert_eq!(refused(&mut with_campaign(campaign).customer(old), &entered("HELLO")), "code-first-order");
    assert_eq!(refused(&mut with_campaign(campaign), &entered("HELLO")), "code-sign-in");
    let trusting = r#"{"code": "HELLO", "percent": 10, "first_order": true, "guests": true}"#;
    assert!(holds(&mut with_campaign(trusting), &entered("HELLO")));
}

#[test]
fn once_per_customer_is_remembered_and_given_back_with_a_cancelled_order() {
    let mut host = with_campaign(r#"{"code": "ONCE", "percent": 10, "once_per_customer": true}"#)
        .customer(customer("ada"));
    let order = |id: &str| order().id(id).line("mug", 1, 1_500).code("once");
    assert!(holds(&mut host, &entered("ONCE")));
    host.order_placed::<DiscountCoupons>(order("1")).unwrap();
    assert_eq!(refused(&mut host, &entered("ONCE")), "code-used");

    host.order_cancelled::<DiscountCoupons>(order("another")).unwrap();
    assert_eq!(refused(&mut host, &entered("ONCE")), "code-used", "that was not the order that used it");
    host.order_cancelled::<DiscountCoupons>(order("1")).unwrap();
    assert!(holds(&mut host, &entered("ONCE")));

    host.order_placed::<DiscountCoupons>(order("2")).unwrap();
    let mut host = host.customer(customer("bob"));
    assert!(holds(&mut host, &entered("ONCE")), "each customer once");
}

#[test]
fn a_gift_card_brings_no_cart_to_the_minimum() {
    let mut host = with_campaign(r#"{"code": "BIG", "percent": 10, "min_subtotal": {"EUR": 80}}"#);
    let with_card = entered("BIG").line("card", 1, 5_000).gift_card();
    assert_eq!(refused(&mut host, &with_card), "code-minimum");
}

#[test]
fn a_code_used_in_two_orders_at_once_is_not_free_again_with_one_of_them() {
    let mut host = with_campaign(r#"{"code": "ONCE", "percent": 10, "once_per_customer": true}"#)
        .customer(customer("ada"));
    let order = |id: &str| order().id(id).line("mug", 1, 1_500).code("ONCE");
    host.order_placed::<DiscountCoupons>(order("1")).unwrap();
    host.order_placed::<DiscountCoupons>(order("2")).unwrap();
    host.order_cancelled::<DiscountCoupons>(order("2")).unwrap();
    assert_eq!(refused(&mut host, &entered("ONCE")), "code-used", "order 1 has used it");
    host.order_cancelled::<DiscountCoupons>(order("1")).unwrap();
    assert!(holds(&mut host, &entered("ONCE")));
    host.order_placed::<DiscountCoupons>(order("1")).unwrap();
    assert!(holds(&mut host, &entered("ONCE")), "a cancelled order uses nothing, though it came last");
}

#[test]
fn an_order_that_came_to_nothing_earns_no_coupon() {
    let mug = || order().line("mug", 1, 1_500);
    let silent = |host: &mut MockHost| {
        let delivered = host.order_delivered::<DiscountCoupons>(mug(), shipment("s-1"), update("delivered"));
        let effects = [host.order_placed::<DiscountCoupons>(mug()).unwrap(), delivered.unwrap()];
        effects.iter().all(Effects::is_empty)
    };
    let mut host = MockHost::new().customer(customer("ada"));
    assert!(!silent(&mut host));
    host.order_returned::<DiscountCoupons>(mug(), order_return("r-1", &[("line-1", 1)], 1_500)).unwrap();
    assert!(silent(&mut host), "a delivery that is reported again after the return");
    let mut host = MockHost::new().customer(customer("ada"));
    host.order_cancelled::<DiscountCoupons>(mug()).unwrap();
    assert!(silent(&mut host));
}

#[test]
fn a_coupons_minimum_is_in_the_currency_of_its_order() {
    let minimum = |currency: &str, exponent: u8| {
        let settings = r#"{"today": {"min_subtotal": {"EUR": 20, "JPY": 3000}},
            "next": {"min_subtotal": {"EUR": 20, "JPY": 3000}}}"#;
        let mut host = MockHost::new().settings(settings).customer(customer("ada"));
        let mug = || order().line("mug", 1, 1_500).currency(currency, exponent);
        let placed = host.order_placed::<DiscountCoupons>(mug()).unwrap();
        let delivered =
            host.order_delivered::<DiscountCoupons>(mug(), shipment("s-1"), update("delivered")).unwrap();
        let coupons = placed.coupons().into_iter().chain(delivered.coupons());
        coupons.map(|coupon| coupon.min_subtotal).collect::<Vec<_>>()
    };
    assert_eq!(minimum("EUR", 2), [Some(2_000), Some(2_000)]);
    assert_eq!(minimum("JPY", 0), [Some(3_000), Some(3_000)], "though the shop is in EUR");
    assert!(minimum("USD", 2).is_empty(), "20 EUR are no minimum in USD");
}

#[test]
fn a_coupon_until_the_customers_midnight_is_sent_after_the_order() {
    let mut host = MockHost::new().customer(customer("ada").zone("America/New_York"));
    let effects = host.order_placed::<DiscountCoupons>(order().line("mug", 1, 1_500)).unwrap();
    let [coupon] = effects.coupons()[..] else { panic!("one coupon") };
    assert_eq!(coupon.value, CouponValue::Percent(1_000));
    assert_eq!(coupon.expires_at, Some(at("2026-12-01T00:00:00-05:00") - 1));
    assert_eq!((coupon.max_uses, coupon.personal, coupon.prefix.as_str()), (1, true, "TODAY"));
    let mail = effects.message("today").unwrap();
    assert_eq!(mail.when, Some(at("2026-11-30T10:15:00+01:00")));
    assert!(mail.not_after.unwrap() < coupon.expires_at.unwrap());
    assert_eq!(mail.category, "marketing");
    assert_eq!(mail.cancel_on, ["order-shipped", "order-cancelled"]);
    assert!(matches!(mail.value("coupon"), Some(Value::Coupon(_))));
}

#[test]
fn no_coupon_for_today_when_it_would_be_of_no_use() {
    let silent = |host: MockHost, order: OrderBuilder, why: &str| {
        let mut host = host.customer(customer("ada"));
        let effects = host.order_placed::<DiscountCoupons>(order).unwrap();
        assert!(effects.coupons().is_empty() && effects.messages().is_empty(), "{why}");
    };
    let mug = || order().line("mug", 1, 1_500);
    let evening = "2026-11-30T21:00:00+01:00";
    silent(MockHost::new().now(evening), mug().placed(evening), "the day is nearly over");
    silent(MockHost::new(), order().line("e-book", 1, 900).not_shipped(), "nothing is shipped");
    silent(MockHost::new(), mug().code("today-7KQ2"), "it came of such a coupon");
    silent(MockHost::new(), mug().placed("2026-11-28T10:00:00Z"), "the order is old");
    silent(MockHost::new().settings(r#"{"today": {"enabled": false}}"#), mug(), "switched off");
    let effects = MockHost::new().order_placed::<DiscountCoupons>(mug()).unwrap();
    assert!(effects.coupons().is_empty() && effects.messages().is_empty(), "nobody to give it to");
}

#[test]
fn after_delivery_the_next_one_is_free_for_thirty_days() {
    let mut host =
        MockHost::new().customer(customer("ada")).settings(r#"{"next": {"min_subtotal": {"EUR": 20}}}"#);
    let parcel = (shipment("s-1"), update("delivered"));
    let effects =
        host.order_delivered::<DiscountCoupons>(order().line("mug", 1, 1_500), parcel.0, parcel.1).unwrap();
    let [coupon] = effects.coupons()[..] else { panic!("one coupon") };
    assert_eq!(coupon.value, CouponValue::FreeDelivery);
    assert_eq!(coupon.expires_at, Some(at("2026-12-31T00:00:00+01:00") - 1), "the end of the thirtieth day");
    assert_eq!(coupon.min_subtotal, Some(2_000));
    assert_eq!(coupon.purpose, "next/1001", "a second parcel of the order earns no second coupon");
    let mail = effects.message("next").unwrap();
    assert_eq!(mail.when, Some(at("2026-11-30T12:00:00+01:00")));
    assert_eq!(mail.dedupe_key.as_deref(), Some("next/1001"));
}

#[test]
fn shares_of_a_percent_are_exact() {
    let effects = MockHost::new()
        .customer(customer("ada"))
        .settings(r#"{"today": {"percent": 7.5}}"#)
        .order_placed::<DiscountCoupons>(order().line("mug", 1, 1_500))
        .unwrap();
    assert_eq!(effects.coupons()[0].value, CouponValue::Percent(750));
}

#[test]
fn both_languages_have_the_same_texts() {
    let keys = |ftl: &'static str| -> Vec<&str> {
        ftl.lines()
            .filter(|line| !line.starts_with([' ', '#']))
            .filter_map(|line| Some(line.split_once(" =")?.0))
            .collect()
    };
    assert_eq!(keys(include_str!("../locales/en.ftl")), keys(include_str!("../locales/pl.ftl")));
}
