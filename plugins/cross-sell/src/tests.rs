//! What is learned, what is shown, and why.

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

use crate::CrossSell;

fn host() -> MockHost {
    ["shirt", "shorts", "socks", "cap", "belt", "scarf"]
        .into_iter()
        .fold(MockHost::new(), |host, id| host.product(product(id).title(&id.to_uppercase())))
}

fn place(host: &mut MockHost, id: &str, products: &[&str]) {
    let order = products.iter().fold(order().id(id), |order, product| order.line(product, 1, 1_000));
    host.order_placed::<CrossSell>(order).unwrap();
}

fn shown(effects: &Effects) -> Vec<(&str, &str)> {
    effects
        .recommendations()
        .into_iter()
        .map(|one| (one.product.as_str(), one.reason.as_ref().unwrap().key.as_str()))
        .collect()
}

#[test]
fn what_was_bought_together_twice_is_recommended_with_the_reason() {
    let mut host = host();
    place(&mut host, "1", &["shirt", "shorts"]);
    let cart = || cart().line("shirt", 1, 1_000).titled("Linen shirt");
    let once = host.fill::<CrossSell>("cart", cart()).unwrap();
    assert_eq!(shown(&once), [("shorts", "reason-popular")], "once is chance");

    place(&mut host, "2", &["shorts", "shirt", "cap"]);
    let twice = host.fill::<CrossSell>("cart", cart()).unwrap();
    assert_eq!(shown(&twice), [("shorts", "reason-bought-with"), ("cap", "reason-popular")]);
    let reason = twice.recommendations()[0].reason.clone().unwrap();
    assert_eq!(reason.value("product"), Some(&"Linen shirt".into()));
}

#[test]
fn the_merchants_pairs_come_first_then_learned_then_popular() {
    let settings = r#"{"pairs": [{"product": "shirt", "with": ["belt"]}], "min_together": 1}"#;
    let mut host = host().settings(settings).related("shirt", &["scarf"]);
    place(&mut host, "1", &["shirt", "shorts"]);
    place(&mut host, "2", &["cap"]);
    let effects = host.fill::<CrossSell>("cart", cart().line("shirt", 1, 1_000)).unwrap();
    assert_eq!(
        shown(&effects),
        [
            ("belt", "reason-goes-with"),
            ("scarf", "reason-goes-with"),
            ("shorts", "reason-bought-with"),
            ("cap", "reason-popular"),
        ]
    );
}

#[test]
fn nothing_in_the_cart_out_of_stock_or_unknown_is_recommended() {
    let settings =
        r#"{"pairs": [{"product": "shirt", "with": ["socks", "gone", "unknown", "shirt", "cap"]}]}"#;
    let mut host = host().settings(settings).product(product("gone").out_of_stock());
    let effects =
        host.fill::<CrossSell>("cart", cart().line("shirt", 1, 1_000).line("socks", 1, 500)).unwrap();
    assert_eq!(effects.recommended(), ["cap"]);
}

#[test]
fn every_product_of_the_cart_has_its_turn() {
    let settings = r#"{"max_items": 3, "pairs": [
        {"product": "shirt", "with": ["shorts", "cap"]}, {"product": "socks", "with": ["belt"]}]}"#;
    let mut host = host().settings(settings);
    let effects =
        host.fill::<CrossSell>("cart", cart().line("shirt", 1, 1_000).line("socks", 1, 500)).unwrap();
    assert_eq!(effects.recommended(), ["shorts", "belt", "cap"]);
}

#[test]
fn what_was_looked_at_and_bought_before_counts_after_the_page() {
    let settings = r#"{"pairs": [{"product": "shirt", "with": ["belt"]}, {"product": "socks", "with": ["scarf"]},
        {"product": "cap", "with": ["shorts"]}]}"#;
    let ada = customer("ada").bought("1", "2026-10-01T10:00:00Z", 1_000, &["cap"]);
    let mut host = host().settings(settings).viewed(&["socks"]).customer(ada);
    let effects = host.fill_product::<CrossSell>("shirt").unwrap();
    assert_eq!(
        shown(&effects),
        [
            ("belt", "reason-goes-with"),
            ("scarf", "reason-goes-with-viewed"),
            ("shorts", "reason-goes-with-owned")
        ]
    );
    let reason = effects.recommendations()[1].reason.clone().unwrap();
    assert_eq!(reason.value("product"), Some(&"SOCKS".into()), "the title comes from the catalogue");
}

#[test]
fn it_works_without_knowing_the_customer() {
    let mut host = host().customers_not_granted().related("shirt", &["cap"]);
    assert_eq!(host.fill_product::<CrossSell>("shirt").unwrap().recommended(), ["cap"]);
}

#[test]
fn the_footer_of_a_mail_shows_what_goes_with_the_last_order() {
    let ada = customer("ada").bought("1", "2026-11-30T08:00:00Z", 1_000, &["shirt", "cap"]);
    let mut host = host().customer(ada).related("shirt", &["cap", "belt"]);
    let effects = host.fill_page::<CrossSell>("message").unwrap();
    assert_eq!(effects.recommended(), ["belt"], "the cap is bought already");
    assert_eq!(effects.recommendations()[0].placement, "footer");
}

#[test]
fn the_merchant_chooses_the_pages() {
    let mut host = host().settings(r#"{"pages": ["checkout"]}"#).related("shirt", &["cap"]);
    assert!(host.fill::<CrossSell>("cart", cart().line("shirt", 1, 1_000)).unwrap().is_empty());
    assert_eq!(
        host.fill::<CrossSell>("checkout", cart().line("shirt", 1, 1_000)).unwrap().recommended(),
        ["cap"]
    );
}

#[test]
fn memory_stays_small_and_what_is_frequent_is_kept() {
    let mut host = MockHost::new().product(product("best"));
    for number in 0..200 {
        place(&mut host, &format!("once-{number}"), &["shirt", &format!("rare-{number}")]);
        if number % 2 == 0 {
            place(&mut host, &format!("again-{number}"), &["shirt", "best"]);
        }
    }
    let effects = host
        .call(|| {
            assert_eq!(state::shop().list("pair/5:shirt/", 1_000).len(), 48);
            assert_eq!(state::shop().list("sold/", 1_000).len(), 48);
            // Space-saving never counts too few.
            assert!(state::shop().number("pair/5:shirt/best") >= 100);
            Ok(())
        })
        .unwrap();
    assert!(effects.is_empty());
    let effects = host.fill::<CrossSell>("cart", cart().line("shirt", 1, 1_000)).unwrap();
    assert_eq!(shown(&effects), [("best", "reason-bought-with")]);
}

#[test]
fn counters_are_added_to_so_that_two_orders_at_once_both_count() {
    let mut host = host();
    let order = order().line("shirt", 1, 1_000).line("cap", 1, 500);
    let effects = host.order_placed::<CrossSell>(order).unwrap();
    let added: Vec<_> = effects
        .0
        .iter()
        .filter_map(|effect| match effect {
            Effect::AddState { key, amount, .. } => Some((key.as_str(), *amount)),
            _ => None,
        })
        .collect();
    assert_eq!(added, [("sold/shirt", 1), ("sold/cap", 1), ("pair/5:shirt/cap", 1), ("pair/3:cap/shirt", 1)]);
}

#[test]
fn ids_with_slashes_keep_to_themselves() {
    let mut host = MockHost::new().settings(r#"{"min_together": 1, "popular": false}"#);
    host = ["a", "a/b", "c"].into_iter().fold(host, |host, id| host.product(product(id)));
    place(&mut host, "1", &["a/b", "c"]);
    assert_eq!(host.fill_product::<CrossSell>("a/b").unwrap().recommended(), ["c"]);
    place(&mut host, "2", &["a", "d"]);
    let effects = host.fill_product::<CrossSell>("a").unwrap();
    assert!(effects.is_empty(), "`d` is unknown, and `b/c` is no product");
}

#[test]
fn a_mail_tells_what_is_bought_together_while_the_parcel_is_on_its_way() {
    let mut host = host().related("shirt", &["belt"]);
    let order = || order().line("shirt", 1, 1_000);
    let effects = host.order_shipped::<CrossSell>(order(), shipment("s-1")).unwrap();
    let mail = effects.message("together").unwrap();
    assert_eq!(mail.value("products"), Some(&value::products(["belt"])));
    assert_eq!(mail.when, Some(at("2026-12-01T06:00:00+01:00")));
    assert_eq!(mail.category, "marketing");
    assert!(mail.cancel_on.contains(&"order-delivered".to_owned()));

    let mut silent = host.settings(r#"{"mail_hours_after_shipping": 0}"#);
    assert!(silent.order_shipped::<CrossSell>(order(), shipment("s-1")).unwrap().is_empty());
}

#[test]
fn a_dispatch_that_is_reported_again_or_after_a_cancellation_sends_no_mail() {
    let order = || order().line("shirt", 1, 1_000);
    let mailed = |host: &mut MockHost, parcel: &str| {
        !host.order_shipped::<CrossSell>(order(), shipment(parcel)).unwrap().messages().is_empty()
    };
    let mut again = host().related("shirt", &["belt"]);
    assert!(mailed(&mut again, "s-1"));
    assert!(!mailed(&mut again, "s-1"), "the parcel's arrival may have taken the first one back");
    assert!(!mailed(&mut again, "s-2"), "one for the order");

    let mut cancelled = host().related("shirt", &["belt"]);
    cancelled.order_cancelled::<CrossSell>(order()).unwrap();
    assert!(!mailed(&mut cancelled, "s-1"));
}

#[test]
fn without_anything_to_recommend_no_mail_is_sent() {
    let effects =
        host().order_shipped::<CrossSell>(order().line("shirt", 1, 1_000), shipment("s-1")).unwrap();
    assert!(effects.is_empty());
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
