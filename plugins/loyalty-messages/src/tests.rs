//! Monday, 30 November 2026, 10:00 in Warsaw, unless a test says otherwise.

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

use crate::LoyaltyMessages;
use crate::anniversary::next_anniversary;

fn due_at(time: &str) -> DueTimer {
    DueTimer { due_at: at(time), ..due_timer("anniversary/ada", "2025-03-01") }
}

fn order_of(amount: i64) -> OrderBuilder {
    order().line("mug", 1, amount)
}

#[test]
fn an_order_earns_a_point_for_each_whole_unit_of_goods() {
    let mut host = MockHost::new().customer(customer("ada"));
    let order = order_of(4_599).discounted(500).delivered_by("express", "Express", 990);
    let effects = host.order_placed::<LoyaltyMessages>(order).unwrap();
    assert_eq!(effects.points(), [("1001", 40)], "after discounts, without delivery");
}

#[test]
fn the_price_of_a_point_is_the_merchants() {
    let earned = |settings: &str, order: OrderBuilder| {
        MockHost::new().settings(settings).order_placed::<LoyaltyMessages>(order).unwrap().points()[0].1
    };
    assert_eq!(earned(r#"{"spend_per_point": {"EUR": 2.5}}"#, order_of(10_000)), 40);
    assert_eq!(earned(r#"{"spend_per_point": {"JPY": 100}}"#, order_of(2_550).currency("JPY", 0)), 25);
    assert_eq!(earned(r#"{"spend_per_point": {"EUR": 0}}"#, order_of(7)), 7, "no division by zero");
}

#[test]
fn returns_and_cancellations_take_points_back_exactly() {
    let mut host = MockHost::new().customer(customer("ada"));
    host.order_placed::<LoyaltyMessages>(order_of(10_000)).unwrap();
    let back = |id: &str, refunded: i64| order_return(id, &[("line-1", 1)], refunded);
    let mut points = |goods: OrderReturn| {
        host.order_returned::<LoyaltyMessages>(order_of(10_000), goods).unwrap().points()[0].1
    };
    assert_eq!(points(back("r-1", 2_500)), 75);
    assert_eq!(points(back("r-2", 1_000)), 65, "both parts count");
    assert_eq!(points(back("r-2", 1_000)), 65, "each once");
    assert_eq!(points(back("r-3", 90_000)), 0, "never below nothing");
    let effects = host.order_cancelled::<LoyaltyMessages>(order_of(10_000)).unwrap();
    assert_eq!(effects.points(), [("1001", 0)]);
}

fn goods_back(host: &mut MockHost, id: &str, refunded: i64) -> i64 {
    let back = order_return(id, &[("line-1", 1)], refunded);
    host.order_returned::<LoyaltyMessages>(order_of(10_000), back).unwrap().points()[0].1
}

fn cancelled(host: &mut MockHost) -> i64 {
    host.order_cancelled::<LoyaltyMessages>(order_of(10_000)).unwrap().points()[0].1
}

#[test]
fn a_cancelled_order_earns_nothing_whatever_comes_after() {
    let placed =
        |host: &mut MockHost| host.order_placed::<LoyaltyMessages>(order_of(10_000)).unwrap().points()[0].1;

    let mut host = MockHost::new().customer(customer("ada"));
    assert_eq!((placed(&mut host), cancelled(&mut host)), (100, 0));
    assert_eq!(goods_back(&mut host, "r-1", 9_000), 0, "the fee that was kept earns nothing");

    let mut host = MockHost::new().customer(customer("ada"));
    placed(&mut host);
    assert_eq!((goods_back(&mut host, "r-1", 2_500), cancelled(&mut host)), (75, 0));
    assert_eq!(goods_back(&mut host, "r-2", 100), 0);
    assert_eq!(cancelled(&mut host), 0, "said again");

    let mut host = MockHost::new().customer(customer("ada"));
    cancelled(&mut host);
    assert_eq!(placed(&mut host), 0, "the order itself came last");
}

#[test]
fn parts_that_come_back_add_up_however_many_there_are() {
    let mut host = MockHost::new().customer(customer("ada"));
    host.order_placed::<LoyaltyMessages>(order_of(100_000)).unwrap();
    let mut left = 0;
    for part in 0..300 {
        let back = order_return(&format!("r-{part}"), &[("line-1", 1)], 100);
        left = host.order_returned::<LoyaltyMessages>(order_of(100_000), back).unwrap().points()[0].1;
    }
    assert_eq!(left, 700);
    assert_eq!(goods_back(&mut MockHost::new().customer(customer("ada")), "r-1", 4_000), 60);

    let mut early = MockHost::new().customer(customer("ada"));
    goods_back(&mut early, "r-1", 4_000);
    assert_eq!(goods_back(&mut early, "r-1", 5_000), 50, "the same return, corrected");
    let placed = early.order_placed::<LoyaltyMessages>(order_of(10_000)).unwrap();
    assert_eq!(placed.points(), [("1001", 50)], "what came before its order counts");
}

#[test]
fn an_order_that_was_cancelled_has_no_anniversary() {
    let mut host = MockHost::new().customer(customer("ada"));
    host.order_placed::<LoyaltyMessages>(order_of(1_000)).unwrap();
    let effects = host.order_cancelled::<LoyaltyMessages>(order_of(1_000)).unwrap();
    assert_eq!(effects.cancelled_timers(), ["anniversary/ada"]);
    assert!(host.order_placed::<LoyaltyMessages>(order_of(1_000)).unwrap().timers().is_empty());

    let mut host = MockHost::new().customer(customer("ada").first_order("2026-06-01T12:00:00Z"));
    let effects = host.order_cancelled::<LoyaltyMessages>(order_of(1_000)).unwrap();
    assert_eq!(effects.timers(), [("anniversary/ada", at("2027-06-01T10:00:00+02:00"))]);
}

#[test]
fn a_tier_reached_is_a_label_and_a_mail_once() {
    let mut host = MockHost::new().customer(customer("ada").points(150));
    let effects = host.order_placed::<LoyaltyMessages>(order_of(5_000)).unwrap();
    assert_eq!(effects.customer_labels(), [("tier", "silver")]);
    let mail = effects.message("tier").unwrap();
    assert_eq!(mail.value("tier"), Some(&value::text("tier-silver")));
    assert_eq!(mail.value("points"), Some(&Value::Int(200)));
    assert_eq!(
        (mail.value("next"), mail.value("missing")),
        (Some(&value::text("tier-gold")), Some(&Value::Int(300)))
    );
    assert_eq!(mail.dedupe_key.as_deref(), Some("tier/silver"));

    let mut host = MockHost::new().customer(customer("ada").points(200).tier("silver"));
    let effects = host.order_placed::<LoyaltyMessages>(order_of(5_000)).unwrap();
    assert!(effects.customer_labels().is_empty() && effects.messages().is_empty(), "nothing new");
}

#[test]
fn a_tier_is_lost_with_the_order_that_brought_it_and_no_mail_says_so() {
    let mut host = MockHost::new().customer(customer("ada").points(180));
    host.order_placed::<LoyaltyMessages>(order_of(5_000)).unwrap();
    let mut host = host.customer(customer("ada").points(230).tier("silver"));
    let effects = host.order_cancelled::<LoyaltyMessages>(order_of(5_000)).unwrap();
    assert_eq!(effects.customer_labels(), [("tier", "")]);
    assert!(effects.messages().is_empty());
}

#[test]
fn tiers_are_the_merchants_and_may_stand_in_any_order() {
    let settings = r#"{"tiers": [{"id": "vip", "title": "VIP", "points": 50}, {"id": "fan", "points": 10}]}"#;
    let mut host = MockHost::new().settings(settings).customer(customer("ada"));
    let effects = host.order_placed::<LoyaltyMessages>(order_of(6_000)).unwrap();
    assert_eq!(effects.customer_labels(), [("tier", "vip")]);
    assert_eq!(effects.message("tier").unwrap().value("tier"), Some(&"VIP".into()));
    assert_eq!(effects.message("tier").unwrap().value("next"), None);
}

#[test]
fn without_the_grant_points_are_all_there_is() {
    let mut host = MockHost::new().customer(customer("ada")).customers_not_granted();
    let effects = host.order_placed::<LoyaltyMessages>(order_of(50_000)).unwrap();
    assert_eq!(effects.points(), [("1001", 500)]);
    assert!(
        effects.messages().is_empty() && effects.timers().is_empty() && effects.customer_labels().is_empty()
    );
}

fn in_the_cart(host: &mut MockHost, cart: CartBuilder) -> Option<Text> {
    let effects = host.fill::<LoyaltyMessages>("cart", cart).unwrap();
    effects.notice("loyalty").map(|notice| notice.text.clone())
}

#[test]
fn the_cart_says_what_is_missing_and_adding_that_is_enough() {
    let mut host = MockHost::new().customer(customer("ada").points(120));
    let text = in_the_cart(&mut host, cart().line("mug", 1, 1_550)).unwrap();
    assert_eq!(text.key, "cart-missing");
    assert_eq!(
        (text.value("points"), text.value("amount")),
        (Some(&Value::Int(65)), Some(&Value::Money(6_450)))
    );
    let text = in_the_cart(&mut host, cart().line("mug", 1, 1_550).line("more", 1, 6_450)).unwrap();
    assert_eq!((text.key.as_str(), text.value("tier")), ("cart-reaches", Some(&value::text("tier-silver"))));
    let text = in_the_cart(&mut host, cart().line("mug", 1, 1_550).line("less", 1, 6_449)).unwrap();
    assert_eq!(text.key, "cart-missing");
}

#[test]
fn the_cart_names_the_highest_tier_that_it_reaches() {
    let mut host = MockHost::new().customer(customer("ada"));
    let text = in_the_cart(&mut host, cart().line("piano", 1, 60_000)).unwrap();
    assert_eq!(text.value("tier"), Some(&value::text("tier-gold")));
}

#[test]
fn with_a_code_the_cart_promises_no_number_of_its_own() {
    let with_code = || cart().line("piano", 1, 60_000).code("SPRING10");
    let text = in_the_cart(&mut MockHost::new().customer(customer("ada").points(120)), with_code()).unwrap();
    assert_eq!((text.key.as_str(), text.value("points")), ("cart-closer", Some(&Value::Int(80))));
    assert_eq!(in_the_cart(&mut MockHost::new(), with_code()), None);
    let expired = cart().line("mug", 1, 1_550).code_that_is("OLD", "expired");
    assert!(in_the_cart(&mut MockHost::new(), expired).is_some(), "such a code takes nothing off");
}

#[test]
fn guests_and_those_at_the_top_read_what_they_earn() {
    let guest = in_the_cart(&mut MockHost::new(), cart().line("mug", 1, 1_550)).unwrap();
    assert_eq!((guest.key.as_str(), guest.value("points")), ("cart-earns-guest", Some(&Value::Int(15))));
    assert_eq!(in_the_cart(&mut MockHost::new(), cart().line("pin", 1, 99)), None);
    let mut top = MockHost::new().customer(customer("ada").points(9_000));
    assert_eq!(in_the_cart(&mut top, cart().line("mug", 1, 1_550)).unwrap().key, "cart-top");
}

#[test]
fn the_anniversary_of_the_first_purchase_is_thanked_for_each_year() {
    let ada = || customer("ada").zone("America/New_York").points(321);
    let mut host = MockHost::new().customer(ada().bought("1", "2025-03-02T03:00:00Z", 1_000, &[]));
    let effects = host.order_placed::<LoyaltyMessages>(order_of(1_000)).unwrap();
    // In New York it was still the first of March.
    let due = at("2027-03-01T10:00:00-05:00");
    assert_eq!(effects.timers(), [("anniversary/ada", due)]);

    let effects = host.fire::<LoyaltyMessages>(due_at("2027-03-01T10:00:00-05:00")).unwrap();
    let mail = effects.message("anniversary").unwrap();
    assert_eq!(
        (mail.value("years"), mail.value("since")),
        (Some(&Value::Int(2)), Some(&value::date("2025-03-01")))
    );
    assert_eq!(mail.value("points"), Some(&Value::Int(321)));
    assert_eq!(mail.dedupe_key.as_deref(), Some("anniversary/2"));
    assert_eq!(effects.timers(), [("anniversary/ada", at("2028-03-01T10:00:00-05:00"))]);
}

#[test]
fn the_first_order_itself_arms_the_timer() {
    let mut host = MockHost::new().customer(customer("ada"));
    let effects = host.order_placed::<LoyaltyMessages>(order_of(1_000)).unwrap();
    assert_eq!(effects.timers(), [("anniversary/ada", at("2027-11-30T10:00:00+01:00"))]);
}

#[test]
fn an_erased_customer_is_thanked_no_more() {
    assert!(MockHost::new().fire::<LoyaltyMessages>(due_at("2027-03-01T10:00:00Z")).unwrap().is_empty());
}

#[test]
fn anniversaries_know_leap_years() {
    assert_eq!(next_anniversary("2025-11-30", "2026-11-29"), "2026-11-30");
    assert_eq!(next_anniversary("2025-11-30", "2026-11-30"), "2027-11-30", "today's is over");
    assert_eq!(next_anniversary("2026-11-30", "2026-11-30"), "2027-11-30", "the day itself is none");
    assert_eq!(next_anniversary("2024-02-29", "2026-06-01"), "2027-02-28");
    assert_eq!(next_anniversary("2024-02-29", "2027-02-28"), "2028-02-29");
    assert_eq!(next_anniversary("2096-02-29", "2099-12-01"), "2100-02-28", "2100 is no leap year");
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
