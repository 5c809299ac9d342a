//! What several plugins offer becomes one answer: golden cases, and laws that hold for any offers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::config::DiscountRules;
use crate::decide::explain::Verdict;
use crate::decide::totals::{Sheet, cap_of};
use crate::domain::{
    Arrival, Block, Buyer, Cart, DeliveryGroup, DeliveryOption, Discount, DiscountTarget, DiscountValue,
    EnteredCode, Line, Notice, PaymentMethod, PickupPoint, Place, Product, Recommendation, Text,
};

fn text(fallback: &str) -> Text {
    Text { key: String::new(), args: Vec::new(), fallback: fallback.to_owned() }
}

fn line(id: &str, quantity: u32, unit_price: i64) -> Line {
    Line {
        id: id.to_owned(),
        product: format!("product-{id}"),
        variant: None,
        title: id.to_owned(),
        quantity,
        unit_price,
        tags: Vec::new(),
        weight_grams: 0,
        requires_shipping: true,
        gift_card: id.starts_with("gift"),
        taxable: true,
        tax: 0,
        parent_line: None,
        attributes: Vec::new(),
    }
}

/// 20.00, 10.00 and a gift card of 50.00.
fn cart() -> Cart {
    let code = |code: &str, status: &str| EnteredCode { code: code.to_owned(), status: status.to_owned() };
    let method = |id: &str| PaymentMethod { id: id.to_owned(), name: id.to_uppercase() };
    Cart {
        id: "cart".to_owned(),
        currency: "EUR".to_owned(),
        exponent: 2,
        lines: vec![line("a", 2, 1_000), line("b", 1, 1_000), line("gift", 1, 5_000)],
        destination: None,
        groups: vec![DeliveryGroup {
            id: "north".to_owned(),
            lines: vec!["a".to_owned()],
            origin: None,
            destination: None,
        }],
        buyer: Buyer::default(),
        prices_include_tax: true,
        tax: 0,
        payment_methods: vec![method("card"), method("transfer"), method("cash")],
        codes: vec![code("SPRING", "unknown"), code("OWN", "own"), code("OLD", "expired")],
        attributes: Vec::new(),
    }
}

fn discount(id: &str, target: DiscountTarget, value: DiscountValue, class: &str) -> Effect {
    Effect::AddDiscount {
        discount: Discount {
            id: id.to_owned(),
            title: text(id),
            target,
            value,
            class: class.to_owned(),
            code: None,
        },
    }
}

fn with_code(mut effect: Effect, entered: &str) -> Effect {
    if let Effect::AddDiscount { discount } = &mut effect {
        discount.code = Some(entered.to_owned());
    }
    effect
}

fn of_line(id: &str) -> DiscountTarget {
    DiscountTarget::Line(id.to_owned())
}

fn percent(basis_points: u32) -> DiscountValue {
    DiscountValue::Percent(basis_points)
}

fn amount(amount: i64) -> DiscountValue {
    DiscountValue::Amount(amount)
}

/// Plugins `p1`, `p2`, … in the merchant's order.
fn contribute<'a>(plugins: &'a [(&'a str, Vec<Effect>)]) -> Vec<Contribution<'a>> {
    plugins
        .iter()
        .enumerate()
        .map(|(at, (name, effects))| Contribution {
            call: at + 1,
            plugin: Some(name),
            prefix: name,
            hosts: &[],
            effects,
        })
        .collect()
}

fn rules(text: &str) -> DiscountRules {
    toml::from_str(text).unwrap()
}

/// What became of each proposal, as a person reads it.
fn rulings(stage: Hook, contributions: &[Contribution<'_>], trace: &Trace) -> String {
    let mut text = String::new();
    for of in contributions {
        for effect in 0..of.effects.len() {
            let (verdict, reason) = trace.of(Source { stage, call: of.call, effect }).unwrap();
            let verdict = match verdict {
                Verdict::Kept => "kept",
                Verdict::Changed => "changed",
                Verdict::Dropped => "dropped",
            };
            text.push_str(&format!("{}[{effect}] {verdict}", of.prefix));
            if let Some(reason) = reason {
                text.push_str(&format!(": {reason}"));
            }
            text.push('\n');
        }
    }
    text
}

fn priced(plugins: &[(&str, Vec<Effect>)], by: &str) -> String {
    let (cart, contributions, mut trace) = (cart(), contribute(plugins), Trace::default());
    let sheet = Sheet::new(&cart).unwrap();
    let pricing = merge_discounts(&cart, &sheet, &contributions, &rules(by), &mut trace);
    let mut text = rulings(Hook::Pricing, &contributions, &trace);
    for applied in &pricing.applied {
        let cuts: Vec<String> =
            applied.cuts.iter().map(|cut| format!("{} {}", cart.lines[cut.line].id, cut.amount)).collect();
        text.push_str(&format!("  {} takes {cuts:?}\n", applied.discount.id));
    }
    let totals = pricing.sheet.totals(None);
    text.push_str(&format!("  {} - {} = {}", totals.subtotal, totals.discount, totals.total));
    text
}

#[test]
fn the_merchants_order_and_percentages_of_what_is_left() {
    let plugins = [
        ("p1", vec![discount("order", DiscountTarget::Order, percent(1_000), "order")]),
        ("p2", vec![discount("line", of_line("a"), percent(5_000), "product")]),
    ];
    insta::assert_snapshot!(priced(&plugins, ""), @r#"
    p1[0] kept
    p2[0] kept
      p2/line takes ["a 1000"]
      p1/order takes ["a 100", "b 100"]
      8000 - 1200 = 6800
    "#);
}

#[test]
fn proposals_that_make_no_sense_are_dropped() {
    let mut no_id = discount("", DiscountTarget::Order, percent(1), "order");
    if let Effect::AddDiscount { discount } = &mut no_id {
        discount.id.clear();
    }
    let order = DiscountTarget::Order;
    let plugins = [(
        "p1",
        vec![
            no_id,
            discount("zero", order.clone(), percent(0), "order"),
            discount("nothing", order.clone(), amount(0), "order"),
            discount("negative", order.clone(), amount(-500), "order"),
            discount("nobody", of_line("z"), percent(1_000), "product"),
            discount("gift", of_line("gift"), percent(1_000), "product"),
            discount("good", of_line("a"), amount(300), ""),
            discount("good", of_line("a"), amount(300), ""),
            discount("too much", of_line("b"), amount(9_999), "product"),
            discount("too late", of_line("b"), percent(1_000), "product"),
            discount("more than all", of_line("a"), percent(20_000), "product"),
            discount("tiny", order.clone(), percent(1_000), "order"),
            with_code(discount("code", order.clone(), amount(1), "campaign"), "NOBODY"),
            with_code(discount("own", order.clone(), amount(1), "campaign"), "own"),
            with_code(discount("old", order, amount(1), "campaign"), "OLD"),
            Effect::SetPoints { reference: "x".to_owned(), total: 1 },
        ],
    )];
    insta::assert_snapshot!(priced(&plugins, ""), @r#"
    p1[0] dropped: has no id
    p1[1] dropped: takes nothing off
    p1[2] dropped: takes nothing off
    p1[3] dropped: takes off a negative amount: -500
    p1[4] dropped: the cart has no line `z`
    p1[5] dropped: line `gift` is a gift card: it is not discounted
    p1[6] kept
    p1[7] dropped: `p1/good` was proposed already
    p1[8] changed: 9999 is more than what it is taken off: 1000
    p1[9] dropped: nothing is left to take off
    p1[10] changed: 20000 basis points are more than everything: 10000
    p1[11] dropped: nothing is left to take off
    p1[12] dropped: names a code that was not entered
    p1[13] dropped: names a code of the host's own, which is `own`
    p1[14] dropped: names a code of the host's own, which is `expired`
    p1[15] dropped: has no place in `pricing`
      p1/good takes ["a 300"]
      p1/too much takes ["b 1000"]
      p1/more than all takes ["a 1700"]
      8000 - 3000 = 5000
    "#);
}

#[test]
fn a_code_that_was_entered_may_be_judged() {
    let plugins = [(
        "p1",
        vec![with_code(discount("spring", DiscountTarget::Order, amount(500), "campaign"), "spring")],
    )];
    insta::assert_snapshot!(priced(&plugins, ""), @r#"
    p1[0] kept
      p1/spring takes ["a 333", "b 167"]
      8000 - 500 = 7500
    "#);
}

#[test]
fn stacking_rules() {
    let order = || DiscountTarget::Order;
    let both = [
        ("p1", vec![discount("small", order(), percent(1_000), "order")]),
        (
            "p2",
            vec![
                discount("big", order(), percent(2_000), "campaign"),
                discount("ship", DiscountTarget::Delivery, percent(10_000), "delivery"),
            ],
        ),
        ("p3", vec![discount("line", of_line("a"), amount(400), "order")]),
    ];
    let mut table = String::new();
    for by in [
        "",
        "exclusive = ['campaign']",
        "exclusive = ['order']",
        "exclusive = ['order', 'campaign']",
        "max_basis_points = 1500",
        "class_caps = { order = 1000 }",
        "class_caps = { campaign = 0 }",
        "max_basis_points = 0",
    ] {
        table.push_str(&format!("[{by}]\n{}\n", priced(&both, by)));
    }
    insta::assert_snapshot!(table, @r#"
    []
    p1[0] kept
    p2[0] kept
    p2[1] kept
    p3[0] kept
      p3/line takes ["a 400"]
      p1/small takes ["a 160", "b 100"]
      p2/big takes ["a 288", "b 180"]
      p2/ship takes []
      8000 - 1128 = 6872
    [exclusive = ['campaign']]
    p1[0] kept
    p2[0] dropped: excludes other discounts (discounts.exclusive), and those save more
    p2[1] kept
    p3[0] kept
      p3/line takes ["a 400"]
      p1/small takes ["a 160", "b 100"]
      p2/ship takes []
      8000 - 660 = 7340
    [exclusive = ['order']]
    p1[0] dropped: excludes other discounts (discounts.exclusive), and those save more
    p2[0] kept
    p2[1] kept
    p3[0] dropped: excludes other discounts (discounts.exclusive), and those save more
      p2/big takes ["a 400", "b 200"]
      p2/ship takes []
      8000 - 600 = 7400
    [exclusive = ['order', 'campaign']]
    p1[0] dropped: `p2/big` excludes other discounts (discounts.exclusive) and saves more
    p2[0] kept
    p2[1] dropped: `p2/big` excludes other discounts (discounts.exclusive) and saves more
    p3[0] dropped: `p2/big` excludes other discounts (discounts.exclusive) and saves more
      p2/big takes ["a 400", "b 200"]
      8000 - 600 = 7400
    [max_basis_points = 1500]
    p1[0] changed: cut from 260 to 50 by discounts.max_basis_points
    p2[0] dropped: cut from 510 to 0 by discounts.max_basis_points
    p2[1] kept
    p3[0] kept
      p3/line takes ["a 400"]
      p1/small takes ["a 31", "b 19"]
      p2/ship takes []
      8000 - 450 = 7550
    [class_caps = { order = 1000 }]
    p1[0] dropped: cut from 270 to 0 by discounts.class_caps.order
    p2[0] kept
    p2[1] kept
    p3[0] changed: cut from 400 to 300 by discounts.class_caps.order
      p3/line takes ["a 300"]
      p2/big takes ["a 340", "b 200"]
      p2/ship takes []
      8000 - 840 = 7160
    [class_caps = { campaign = 0 }]
    p1[0] kept
    p2[0] dropped: cut from 468 to 0 by discounts.class_caps.campaign
    p2[1] kept
    p3[0] kept
      p3/line takes ["a 400"]
      p1/small takes ["a 160", "b 100"]
      p2/ship takes []
      8000 - 660 = 7340
    [max_basis_points = 0]
    p1[0] dropped: cut from 300 to 0 by discounts.max_basis_points
    p2[0] dropped: cut from 600 to 0 by discounts.max_basis_points
    p2[1] kept
    p3[0] dropped: cut from 400 to 0 by discounts.max_basis_points
      p2/ship takes []
      8000 - 0 = 8000
    "#);
}

#[test]
fn the_best_of_a_class_on_each_target() {
    let plugins = [
        (
            "p1",
            vec![
                discount("ten", DiscountTarget::Order, percent(1_000), "campaign"),
                discount("four", of_line("a"), amount(400), "campaign"),
            ],
        ),
        (
            "p2",
            vec![
                discount("five hundred", DiscountTarget::Order, amount(500), "campaign"),
                discount("other class", DiscountTarget::Order, amount(100), "loyalty"),
                discount("same", of_line("a"), amount(400), "campaign"),
                discount("other line", of_line("b"), amount(1), "campaign"),
            ],
        ),
    ];
    insta::assert_snapshot!(priced(&plugins, "best_of = ['campaign']"), @r#"
    p1[0] dropped: `p2/five hundred` saves more, and of `campaign` only the best counts (discounts.best_of)
    p1[1] kept
    p2[0] kept
    p2[1] kept
    p2[2] dropped: `p1/four` saves more, and of `campaign` only the best counts (discounts.best_of)
    p2[3] kept
      p1/four takes ["a 400"]
      p2/other line takes ["b 1"]
      p2/five hundred takes ["a 308", "b 192"]
      p2/other class takes ["a 62", "b 38"]
      8000 - 1001 = 6999
    "#);
}

fn option(id: &str, price: i64) -> DeliveryOption {
    DeliveryOption {
        id: id.to_owned(),
        title: text(id),
        description: None,
        kind: "home".to_owned(),
        carrier: None,
        group: None,
        price,
        arrival: None,
        order_before: None,
        pickup_points: Vec::new(),
    }
}

fn arriving(id: &str, earliest: &str, latest: &str) -> DeliveryOption {
    let arrival = Arrival { earliest: earliest.to_owned(), latest: latest.to_owned() };
    DeliveryOption { arrival: Some(arrival), ..option(id, 500) }
}

fn offer(options: Vec<DeliveryOption>) -> Vec<Effect> {
    options.into_iter().map(|option| Effect::AddDeliveryOption { option }).collect()
}

/// It is 2026-11-28, 1000 ms.
fn delivered(plugins: &[(&str, Vec<Effect>)], trace: &mut Trace) -> Vec<OfferedOption> {
    merge_delivery(&cart(), &contribute(plugins), date(2026, 11, 28), 1_000, 1_000_000, trace)
}

#[test]
fn delivery_options_are_checked() {
    let place = Place { country: "PL".to_owned(), region: None, city: None, postcode: None };
    let point = PickupPoint { id: "1".to_owned(), name: "Locker".to_owned(), place };
    let plugins = [
        (
            "p1",
            offer(vec![
                option("a", 500),
                option("a", 400),
                option("", 400),
                option("negative", -1),
                option("huge", 1_000_001),
                DeliveryOption { group: Some("south".to_owned()), ..option("south", 1) },
                DeliveryOption { group: Some("north".to_owned()), ..option("north", 1) },
                arriving("good", "2026-11-30", "2026-12-02"),
                arriving("late", "2026-11-20", "2026-12-02"),
                arriving("past", "2026-11-20", "2026-11-27"),
                arriving("turned", "2026-12-02", "2026-11-30"),
                arriving("words", "Monday", "2026-11-30"),
                arriving("no such day", "2026-11-31", "2026-12-02"),
                DeliveryOption {
                    order_before: Some(1_000),
                    ..arriving("cut off", "2026-11-30", "2026-12-02")
                },
                DeliveryOption {
                    order_before: Some(1_001),
                    ..arriving("in time", "2026-11-30", "2026-12-02")
                },
                DeliveryOption { pickup_points: vec![point.clone(), point], ..option("points", 1) },
            ]),
        ),
        ("p2", offer(vec![DeliveryOption { title: text("a"), ..option("b", 500) }, option("a", 501)])),
    ];
    let mut trace = Trace::default();
    let offered = delivered(&plugins, &mut trace);
    let shown: Vec<String> = offered
        .iter()
        .map(|each| {
            let arrival = each.option.arrival.as_ref();
            let arrival = arrival.map(|arrival| format!(" {} to {}", arrival.earliest, arrival.latest));
            format!("{} {}{}", each.option.id, each.option.price, arrival.unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(
        format!("{}{}", rulings(Hook::Delivery, &contribute(&plugins), &trace), shown.join("\n")),
        @r#"
    p1[0] kept
    p1[1] dropped: `p1/a` was proposed already
    p1[2] dropped: has no id
    p1[3] dropped: has a negative price: -1
    p1[4] dropped: costs 1000001: with the cart, more than 2^53-1
    p1[5] dropped: the cart has no delivery group `south`
    p1[6] kept
    p1[7] kept
    p1[8] changed: arrives today at the earliest, not on 2026-11-20
    p1[9] changed: its arrival is left out: 2026-11-27 is in the past
    p1[10] changed: its arrival is left out: 2026-12-02 is after 2026-11-30
    p1[11] changed: its arrival is left out: `Monday` is not a date like 2026-11-30
    p1[12] changed: its arrival is left out: `2026-11-31` is not a date like 2026-11-30
    p1[13] changed: its `order_before` has passed, so its arrival is not promised
    p1[14] kept
    p1[15] changed: names a pick-up point twice
    p2[0] dropped: is the same as `p1/a`
    p2[1] kept
    p1/a 500
    p1/north 1
    p1/good 500 2026-11-30 to 2026-12-02
    p1/late 500 2026-11-28 to 2026-12-02
    p1/past 500
    p1/turned 500
    p1/words 500
    p1/no such day 500
    p1/cut off 500
    p1/in time 500 2026-11-30 to 2026-12-02
    p1/points 1
    p2/a 501
    "#
    );
}

fn hide(id: &str) -> Effect {
    Effect::HideDeliveryOption { id: id.to_owned(), reason: "too far".to_owned() }
}

fn adjust(id: &str, price: Option<i64>, title: Option<&str>) -> Effect {
    Effect::AdjustDeliveryOption { id: id.to_owned(), price, title: title.map(text) }
}

fn hide_payment(id: &str) -> Effect {
    Effect::HidePayment { id: id.to_owned(), reason: "too risky".to_owned() }
}

fn refuse(target: &str) -> Effect {
    Effect::Refuse { code: "no".to_owned(), target: target.to_owned(), text: text("No.") }
}

#[test]
fn review_changes_options_and_payments() {
    let offers = [("p1", offer(vec![option("a", 500), option("b", 900)]))];
    let plugins = [
        (
            "p2",
            vec![
                adjust("p1/a", Some(450), Some("Cheaper")),
                adjust("p1/a", Some(-1), None),
                adjust("p1/a", Some(-1), Some("Cheap")),
                adjust("p1/a", None, None),
                adjust("p1/z", Some(1), None),
                hide("p1/b"),
                hide("p1/b"),
                Effect::MovePayment { id: "cash".to_owned(), position: 0 },
                Effect::MovePayment { id: "cash".to_owned(), position: 9 },
                Effect::RenamePayment { id: "card".to_owned(), name: text("By card") },
                Effect::RenamePayment { id: "bitcoin".to_owned(), name: text("?") },
                hide_payment("transfer"),
                hide_payment("transfer"),
            ],
        ),
        (
            "p3",
            vec![
                hide_payment("card"),
                hide_payment("cash"),
                refuse("b"),
                refuse("b"),
                refuse("moon"),
                refuse("delivery"),
            ],
        ),
    ];
    let (cart, mut trace) = (cart(), Trace::default());
    let mut options = delivered(&offers, &mut trace);
    let mut payments: Vec<ReviewedPayment> = cart.payment_methods.iter().map(ReviewedPayment::from).collect();
    let refusals =
        merge_review(&cart, &mut options, &mut payments, &contribute(&plugins), 1_000_000, &mut trace);
    let mut shown = rulings(Hook::Delivery, &contribute(&offers), &trace);
    shown.push_str(&rulings(Hook::Review, &contribute(&plugins), &trace));
    for each in &options {
        shown.push_str(&format!(
            "{} {} {:?} by {:?}\n",
            each.option.id, each.option.price, each.option.title.fallback, each.contributors
        ));
    }
    for payment in &payments {
        shown.push_str(&format!("{}\n", payment.id));
    }
    for refusal in &refusals {
        shown.push_str(&format!("{} of {}\n", refusal.id, refusal.target));
    }
    insta::assert_snapshot!(shown, @r#"
    p1[0] changed: `p2` set its price to 450 in `review`; `p2` gave it another title in `review`; `p2` gave it another title in `review`
    p1[1] dropped: `p2` hid it in `review`: too far
    p2[0] kept
    p2[1] dropped: a negative price is not taken: -1
    p2[2] changed: a negative price is not taken: -1
    p2[3] dropped: changes nothing
    p2[4] dropped: no delivery option `p1/z` is offered, or it is hidden already
    p2[5] kept
    p2[6] dropped: no delivery option `p1/b` is offered, or it is hidden already
    p2[7] kept
    p2[8] changed: there is no position 9: it is the last
    p2[9] kept
    p2[10] dropped: the cart has no payment method `bitcoin`, or it is hidden already
    p2[11] kept
    p2[12] dropped: the cart has no payment method `transfer`, or it is hidden already
    p3[0] kept
    p3[1] dropped: is the last payment method: a shopper must be able to pay
    p3[2] kept
    p3[3] dropped: `p3/no/b` was refused already
    p3[4] changed: its target is not in the cart: `cart`
    p3[5] kept
    p1/a 450 "Cheap" by ["p1", "p2"]
    cash
    p3/no/b of b
    p3/no/cart of cart
    p3/no/delivery of delivery
    "#);
}

fn product(id: &str, in_stock: bool) -> (String, Arc<Product>) {
    let product = Product {
        id: id.to_owned(),
        title: id.to_owned(),
        url: None,
        image: None,
        currency: "EUR".to_owned(),
        price: 100,
        in_stock,
        tags: Vec::new(),
        category: None,
    };
    (id.to_owned(), Arc::new(product))
}

fn recommend(product: &str) -> Effect {
    Effect::Recommend {
        recommendation: Recommendation {
            product: product.to_owned(),
            reason: None,
            placement: "main".to_owned(),
        },
    }
}

fn notice(id: &str, severity: &str) -> Effect {
    Effect::ShowNotice {
        notice: Notice {
            id: id.to_owned(),
            text: text(id),
            severity: severity.to_owned(),
            placement: "main".to_owned(),
        },
    }
}

fn block(id: &str, link: &str, image: &str) -> Effect {
    Effect::ShowBlock {
        block: Block {
            id: id.to_owned(),
            title: None,
            body: text(id),
            link: Some(link.to_owned()),
            link_title: Some(text("More")),
            image: Some(image.to_owned()),
            placement: "main".to_owned(),
        },
    }
}

#[test]
fn content_is_of_real_products_and_leads_only_where_it_may() {
    let plugins = [
        (
            "p1",
            vec![
                recommend("new"),
                recommend("had"),
                recommend("sold-out"),
                recommend("nowhere"),
                notice("n", "success"),
                notice("n", "success"),
                notice("m", "shouting"),
                block("good", "/sale", "https://shop.example/sale.png"),
                block("bad", "javascript:alert(1)", "https://evil.example/pixel.gif"),
            ],
        ),
        ("p2", vec![recommend("new"), recommend("other"), notice("n", "info"), refuse("cart")]),
    ];
    let contributions = contribute(&plugins);
    let products = BTreeMap::from([
        product("new", true),
        product("other", true),
        product("had", true),
        product("sold-out", false),
    ]);
    assert_eq!(recommended(&contributions), ["had", "new", "nowhere", "other", "sold-out"]);
    let mut trace = Trace::default();
    let content = merge_content(
        &contributions,
        &products,
        &BTreeSet::from(["had"]),
        "https://shop.example",
        &mut trace,
    );
    let mut shown = rulings(Hook::Content, &contributions, &trace);
    for each in &content.recommendations {
        shown.push_str(&format!("{}\n", each.id));
    }
    for each in &content.notices {
        shown.push_str(&format!("{} {}\n", each.notice.id, each.notice.severity));
    }
    for each in &content.blocks {
        shown.push_str(&format!("{} {:?} {:?}\n", each.block.id, each.block.link, each.block.image));
    }
    insta::assert_snapshot!(shown, @r#"
    p1[0] kept
    p1[1] dropped: the shopper has `had` already
    p1[2] dropped: `sold-out` is out of stock
    p1[3] dropped: the catalogue has no product `nowhere`
    p1[4] kept
    p1[5] dropped: `p1/n` was shown already
    p1[6] changed: there is no severity `shouting`: `info`
    p1[7] kept
    p1[8] changed: its link leads elsewhere than to the shop and the plugin's `hosts`; its image leads elsewhere than to the shop and the plugin's `hosts`
    p2[0] dropped: `new` is recommended already
    p2[1] kept
    p2[2] kept
    p2[3] dropped: has no place in `content`
    p1/new
    p2/other
    p1/n success
    p1/m info
    p2/n info
    p1/good Some("/sale") Some("https://shop.example/sale.png")
    p1/bad None None
    "#);
}

fn any_discount() -> impl Strategy<Value = Effect> {
    let target = prop_oneof![
        Just(DiscountTarget::Order),
        Just(DiscountTarget::Delivery),
        Just(of_line("a")),
        Just(of_line("b")),
        Just(of_line("gift")),
        Just(of_line("z")),
    ];
    let value = prop_oneof![
        (0_u32..15_000).prop_map(DiscountValue::Percent),
        any::<u32>().prop_map(DiscountValue::Percent),
        (-100_i64..5_000).prop_map(DiscountValue::Amount),
        any::<i64>().prop_map(DiscountValue::Amount),
    ];
    let class = prop_oneof![Just("order"), Just("campaign"), Just("product"), Just("")];
    ("[a-d]", target, value, class).prop_map(|(id, target, value, class)| discount(&id, target, value, class))
}

fn any_rules() -> impl Strategy<Value = DiscountRules> {
    let classes =
        || prop::collection::vec(prop_oneof![Just("order"), Just("campaign"), Just("product")], 0..2);
    let caps = prop::collection::btree_map(
        prop_oneof![Just("order".to_owned()), Just("campaign".to_owned())],
        0_u32..12_000,
        0..3,
    );
    (classes(), classes(), prop::option::of(0_u32..12_000), caps).prop_map(
        |(exclusive, best_of, max_basis_points, class_caps)| DiscountRules {
            exclusive: exclusive.into_iter().map(str::to_owned).collect(),
            best_of: best_of.into_iter().map(str::to_owned).collect(),
            max_basis_points,
            class_caps,
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_proposed_the_rules_hold(
        first in prop::collection::vec(any_discount(), 0..6),
        second in prop::collection::vec(any_discount(), 0..6),
        rules in any_rules(),
    ) {
        let (cart, mut trace) = (cart(), Trace::default());
        let sheet = Sheet::new(&cart).unwrap();
        let plugins = [("p1", first), ("p2", second)];
        let contributions = contribute(&plugins);
        let pricing = merge_discounts(&cart, &sheet, &contributions, &rules, &mut trace);

        // Whoever answered first: the result is the merchant's order.
        let mut other_trace = Trace::default();
        let reversed: Vec<_> = contributions.iter().rev().copied().collect();
        let again = merge_discounts(&cart, &sheet, &reversed, &rules, &mut other_trace);
        prop_assert_eq!(&pricing, &again);
        prop_assert_eq!(&trace, &other_trace);

        let base = sheet.discountable();
        let mut by_class: BTreeMap<&str, i64> = BTreeMap::new();
        let mut sum = 0;
        for applied in &pricing.applied {
            let amount: i64 = applied.cuts.iter().map(|cut| cut.amount).sum();
            prop_assert!(applied.cuts.iter().all(|cut| cut.amount > 0));
            prop_assert!(applied.cuts.iter().all(|cut| !cart.lines[cut.line].gift_card));
            prop_assert_eq!(amount == 0, applied.discount.target == DiscountTarget::Delivery);
            *by_class.entry(&applied.discount.class).or_default() += amount;
            sum += amount;
        }
        prop_assert_eq!(pricing.sheet.discount(), sum);
        if let Some(cap) = rules.max_basis_points {
            prop_assert!(sum <= cap_of(base, cap));
        }
        for (class, cap) in &rules.class_caps {
            prop_assert!(by_class.get(class.as_str()).copied().unwrap_or(0) <= cap_of(base, *cap));
        }
        let exclusive = pricing.applied.iter().any(|applied| rules.exclusive.contains(&applied.discount.class));
        prop_assert!(!exclusive || pricing.applied.len() == 1);
        for class in &rules.best_of {
            let mut targets = BTreeSet::new();
            for applied in pricing.applied.iter().filter(|applied| applied.discount.class == *class) {
                if applied.discount.target != DiscountTarget::Delivery {
                    let target = format!("{:?}", applied.discount.target);
                    prop_assert!(targets.insert(target));
                }
            }
        }
        let totals = pricing.sheet.totals(None);
        prop_assert!(totals.total >= 0);
        prop_assert!(pricing.sheet.lines().iter().all(|line| line.total >= 0));
        // Every proposal is ruled on, and the kept ones are exactly those that apply.
        let mut standing = 0;
        for of in &contributions {
            for effect in 0..of.effects.len() {
                let ruling = trace.of(Source { stage: Hook::Pricing, call: of.call, effect });
                standing += usize::from(ruling.unwrap().0 != Verdict::Dropped);
            }
        }
        prop_assert_eq!(standing, pricing.applied.len());
    }
}
