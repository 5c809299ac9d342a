//! Decisions with stand-ins for the plugins and the store.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::answer::{CodeStatus, Completeness};
use super::explain::Verdict;
use super::stand_ins::{NOW, cart, shop};
use super::*;
use crate::domain::{
    Arrival, CodeReason, Coupon, CouponValue, DeliveryOption, Discount, DiscountTarget, DiscountValue,
    Effect, EnteredCode, Notice, Product, Recommendation, Text, Value,
};
use crate::plugins::call::Fault;
use crate::store::CouponStanding;

fn text(fallback: &str) -> Text {
    Text { key: String::new(), args: Vec::new(), fallback: fallback.to_owned() }
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
        arrival: Some(Arrival { earliest: "2026-12-01".to_owned(), latest: "2026-12-03".to_owned() }),
        order_before: None,
        pickup_points: Vec::new(),
    }
}

fn offer(option: DeliveryOption) -> Effect {
    Effect::AddDeliveryOption { option }
}

fn discount(id: &str, target: DiscountTarget, value: DiscountValue) -> Effect {
    let class = String::new();
    Effect::AddDiscount {
        discount: Discount { id: id.to_owned(), title: text(id), target, value, class, code: None },
    }
}

fn notice(id: &str) -> Effect {
    let notice = Notice {
        id: id.to_owned(),
        text: text(id),
        severity: "info".to_owned(),
        placement: "main".to_owned(),
    };
    Effect::ShowNotice { notice }
}

fn entered(codes: &[&str]) -> Vec<EnteredCode> {
    codes.iter().map(|code| EnteredCode { code: (*code).to_owned(), status: "own".to_owned() }).collect()
}

fn issued(value: CouponValue, reason: Option<CodeReason>) -> CouponStanding {
    CouponStanding {
        coupon: Coupon {
            value,
            prefix: String::new(),
            expires_at: None,
            max_uses: 1,
            min_subtotal: None,
            personal: false,
            purpose: "test".to_owned(),
        },
        reason,
        currency: "EUR".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn each_stage_sees_what_the_stages_before_came_to() {
    let mut stage = shop(&["one", "two"], "");
    let plugins = Arc::clone(&stage.plugins);
    plugins.on("one", Hook::Pricing, 0, |_| {
        Ok(vec![discount("ten", DiscountTarget::Order, DiscountValue::Percent(1_000))])
    });
    plugins.on("two", Hook::Pricing, 0, |_| {
        Ok(vec![discount("ship", DiscountTarget::Delivery, DiscountValue::Amount(200))])
    });
    plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("home", 700))]));
    plugins.on("two", Hook::Delivery, 0, |_| Ok(vec![offer(option("locker", 500))]));
    plugins.on("two", Hook::Review, 0, |call| {
        let hidden = call.surroundings.offers.delivery.first().unwrap().id.clone();
        Ok(vec![Effect::HideDeliveryOption { id: hidden, reason: "slow".to_owned() }])
    });
    let answer = stage.checkout(cart()).await;

    let offers = |hook| Arc::clone(&plugins.called("one", hook)[0].surroundings.offers);
    assert_eq!(offers(Hook::Pricing).totals.as_ref().unwrap().total, 4_999);
    assert!(offers(Hook::Pricing).discounts.is_empty());
    let delivery = offers(Hook::Delivery);
    assert_eq!(delivery.totals.as_ref().unwrap().total, 4_499);
    assert_eq!(
        delivery.discounts.iter().map(|discount| discount.id.as_str()).collect::<Vec<_>>(),
        ["one/ten", "two/ship"]
    );
    let review = offers(Hook::Review);
    assert_eq!(
        review.delivery.iter().map(|option| option.id.as_str()).collect::<Vec<_>>(),
        ["one/home", "two/locker"]
    );
    assert_eq!(review.totals.as_ref().unwrap().delivery, Some(300));

    let [locker] = answer.delivery_options.as_slice() else { panic!("{:?}", answer.delivery_options) };
    assert_eq!((locker.id.as_str(), locker.price.amount, locker.full_price.amount), ("two/locker", 300, 500));
    assert_eq!(locker.price.text, "€3.00");
    let totals = answer.totals.unwrap();
    assert_eq!(
        (totals.totals.discount, totals.totals.delivery, totals.totals.total),
        (500, Some(300), 4_799)
    );
    assert_eq!(totals.total_text, "€47.99");
    assert_eq!(answer.discounts[1].amount.amount, 200);
    assert_eq!(answer.sections.review, Some(Completeness::Complete));
}

#[tokio::test(start_paused = true)]
async fn plugins_of_a_stage_run_at_once_and_content_beside_them() {
    let mut stage = shop(&["one", "two"], "");
    for plugin in ["one", "two"] {
        for hook in [Hook::Pricing, Hook::Delivery, Hook::Review] {
            stage.plugins.on(plugin, hook, 100, |_| Ok(Vec::new()));
        }
        stage.plugins.on(plugin, Hook::Content, 300, |_| Ok(vec![notice("n")]));
    }
    let started = Instant::now();
    let answer = stage.checkout(cart()).await;
    assert_eq!(started.elapsed(), Duration::from_millis(300));
    assert_eq!(answer.notices.len(), 2);
    assert!(answer.warnings.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_late_is_left_out_and_named() {
    let mut stage = shop(&["slow", "quick"], "");
    stage.plugins.on("slow", Hook::Pricing, 450, |_| {
        Ok(vec![discount("half", DiscountTarget::Order, DiscountValue::Percent(5_000))])
    });
    stage.plugins.on("slow", Hook::Delivery, 60, |_| Ok(vec![offer(option("slow", 1))]));
    stage.plugins.on("quick", Hook::Delivery, 0, |_| Ok(vec![offer(option("quick", 2))]));
    let started = Instant::now();
    let answer = stage.checkout(cart()).await;
    // The checkout's budget is 500 ms over all stages: 50 are left for delivery, none for review.
    assert_eq!(started.elapsed(), Duration::from_millis(500));
    assert_eq!(answer.discounts.len(), 1);
    assert_eq!(answer.delivery_options.len(), 1);
    assert_eq!(answer.sections.discounts, Some(Completeness::Complete));
    assert_eq!(answer.sections.delivery_options, Some(Completeness::Partial));
    assert_eq!(answer.sections.review, Some(Completeness::Partial));
    let warnings: Vec<_> = answer
        .warnings
        .iter()
        .map(|warning| (warning.plugin.as_str(), warning.stage.as_str(), warning.kind.as_str()))
        .collect();
    assert_eq!(
        warnings,
        [("slow", "delivery", "late"), ("slow", "review", "late"), ("quick", "review", "late")]
    );
    assert_eq!(answer.valid_until, NOW + PARTIAL_HOLDS, "asked again soon");
}

#[tokio::test]
async fn faults_are_warnings_and_on_late_is_honoured() {
    let mut stage = shop(&["plain", "essential:fail", "steady:last-good"], "");
    let offers = |id: &'static str| move |_: &_| Ok(vec![offer(option(id, 100))]);
    let breaks = |_: &_| Err(Fault::Trapped("unreachable at secret place".to_owned()));
    let plugins = Arc::clone(&stage.plugins);
    plugins.on("steady", Hook::Delivery, 0, offers("steady"));
    assert_eq!(stage.checkout(cart()).await.delivery_options.len(), 1);

    // Left out.
    plugins.on("plain", Hook::Delivery, 0, breaks);
    let answer = stage.checkout(cart()).await;
    assert_eq!(answer.sections.delivery_options, Some(Completeness::Partial));
    assert!(answer.warnings[0].message.contains("unreachable"), "{:?}", answer.warnings);

    // The last good answer to the same question stands in, and only to the same.
    plugins.on("steady", Hook::Delivery, 0, breaks);
    let answer = stage.checkout(cart()).await;
    assert_eq!(answer.delivery_options[0].id, "steady/steady");
    assert_eq!(answer.sections.delivery_options, Some(Completeness::Partial));
    let call = answer.explain.unwrap().calls.into_iter().find(|call| call.last_good).unwrap();
    assert_eq!((call.plugin.as_deref(), call.stage.as_str()), (Some("steady"), "delivery"));
    let mut other = cart();
    other.lines[0].quantity = 3;
    assert!(stage.checkout(other).await.delivery_options.is_empty());
    // Nor after a reload.
    stage.generation += 1;
    assert!(stage.checkout(cart()).await.delivery_options.is_empty());

    plugins.on("essential", Hook::Delivery, 0, breaks);
    let answer = stage.checkout(cart()).await;
    assert_eq!(answer.sections.delivery_options, Some(Completeness::Failed));

    // A browser learns who is missing, not why.
    let question = Question { cart: Some(cart()), secret: false, ..stage.question(DecisionHook::Checkout) };
    let answer = stage.decider().decide(question).await.unwrap();
    assert_eq!(answer.warnings.len(), 3);
    assert!(answer.warnings.iter().all(|warning| !warning.message.contains("secret")));
}

const FALLBACK: &str = "
    [[fallback]]
    id = 'post'
    title = 'By post'
    price = 590
    working_days = [1, 3]
";

#[tokio::test]
async fn the_shops_own_options_when_nothing_came() {
    let mut stage = shop(&["one"], FALLBACK);
    let answer = stage.checkout(cart()).await;
    let [post] = answer.delivery_options.as_slice() else { panic!("{:?}", answer.delivery_options) };
    assert_eq!((post.id.as_str(), post.plugin.as_deref()), ("fallback/post", None));
    assert_eq!((post.title.as_str(), post.price.text.as_str()), ("By post", "€5.90"));
    // Saturday: the first working day is Monday.
    let arrival = post.arrival.as_ref().unwrap();
    assert_eq!((arrival.earliest.as_str(), arrival.latest.as_str()), ("2026-11-30", "2026-12-02"));
    assert_eq!(answer.totals.unwrap().totals.delivery, Some(590));
    let quote = quote::verify(&[7; 32], post.quote.as_ref().unwrap(), "test", NOW).unwrap();
    assert!(quote.contributors.is_empty());

    let mut digital = cart();
    digital.lines.iter_mut().for_each(|line| line.requires_shipping = false);
    assert!(stage.checkout(digital).await.delivery_options.is_empty());
    let zloty = Cart { currency: "PLN".to_owned(), ..cart() };
    assert!(stage.checkout(zloty).await.delivery_options.is_empty(), "the file's prices are in EUR");

    stage.plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("broken", -1))]));
    assert_eq!(stage.checkout(cart()).await.delivery_options[0].id, "fallback/post");
    stage.plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("home", 1))]));
    assert_eq!(stage.checkout(cart()).await.delivery_options[0].id, "one/home");
}

#[tokio::test]
async fn a_quote_carries_the_promise() {
    let mut stage = shop(&["one", "two"], "");
    stage.plugins.on("one", Hook::Delivery, 0, |_| {
        let cut_off = Some(NOW + 600_000);
        Ok(vec![offer(DeliveryOption { order_before: cut_off, ..option("express", 1_000) })])
    });
    stage.plugins.on("two", Hook::Pricing, 0, |_| {
        Ok(vec![discount("half", DiscountTarget::Delivery, DiscountValue::Percent(5_000))])
    });
    let answer = stage.checkout(cart()).await;
    assert_eq!(answer.valid_until, NOW + 600_000);
    let shown = &answer.delivery_options[0];
    let text = shown.quote.as_ref().unwrap();
    let quote = quote::verify(&[7; 32], text, "test", NOW + 600_000).unwrap();
    assert_eq!((quote.cart.as_str(), quote.option.as_str()), ("cart-1", "one/express"));
    assert_eq!((quote.price, quote.currency.as_str(), quote.exponent), (500, "EUR", 2));
    assert_eq!(quote.arrival, shown.arrival);
    assert_eq!(shown.order_before_text.as_deref(), Some("today, 10:10"), "in the shop's zone");
    assert_eq!(quote.contributors, ["one", "two"]);
    assert_eq!(
        quote::verify(&[7; 32], text, "test", NOW + 600_001),
        Err(quote::QuoteError::Expired),
        "after the cut-off the arrival is not promised"
    );

    let question =
        Question { cart: None, product: Some("mug".to_owned()), ..stage.question(DecisionHook::ProductPage) };
    let error = stage.decider().decide(question).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "product: the catalogue has no `mug`: put it there, or send a cart of one line"
    );
}

fn mug(in_stock: bool) -> Product {
    Product {
        id: "mug".to_owned(),
        title: "Mug".to_owned(),
        url: None,
        image: None,
        currency: "JPY".to_owned(),
        price: 1_500,
        in_stock,
        tags: Vec::new(),
        category: None,
    }
}

#[tokio::test]
async fn a_product_page_has_delivery_and_content() {
    let mut stage = shop(&["one"], "");
    stage.knowledge.products.insert("mug".to_owned(), Arc::new(mug(true)));
    stage.plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("home", 500))]));
    stage.plugins.on("one", Hook::Content, 0, |_| Ok(vec![notice("n")]));
    let question = Question { product: Some("mug".to_owned()), ..stage.question(DecisionHook::ProductPage) };
    let answer = stage.decider().decide(question).await.unwrap();
    assert_eq!((answer.currency.as_str(), answer.exponent), ("JPY", 0));
    assert_eq!(answer.delivery_options[0].price.text, "¥500");
    assert_eq!(answer.delivery_options[0].quote, None);
    assert_eq!(answer.notices[0].id, "one/n");
    assert_eq!(answer.sections.discounts, None);
    assert_eq!(answer.sections.review, None);
    assert!(stage.plugins.called("one", Hook::Pricing).is_empty());
    let call = &stage.plugins.called("one", Hook::Content)[0];
    let Input::Content { page, cart, product } = &call.input else { panic!("{:?}", call.input) };
    assert_eq!((page.as_str(), product.as_deref()), ("product-page", Some("mug")));
    assert_eq!(cart.as_ref().unwrap().lines[0].unit_price, 1_500);
}

#[tokio::test]
async fn the_host_applies_its_own_coupons_and_plugins_judge_the_unknown() {
    let mut stage = shop(&["one"], FALLBACK);
    let coupons = &mut stage.knowledge.coupons;
    coupons.insert("TEN".to_owned(), issued(CouponValue::Percent(1_000), None));
    coupons.insert("FREE".to_owned(), issued(CouponValue::FreeDelivery, None));
    let mut old = issued(CouponValue::Percent(9_000), Some(CodeReason::Expired));
    old.coupon.expires_at = Some(NOW - 1);
    coupons.insert("OLD".to_owned(), old);
    coupons.insert("USED".to_owned(), issued(CouponValue::Percent(9_000), Some(CodeReason::UsedUp)));
    let mut zloty = issued(CouponValue::Amount(100), None);
    "PLN".clone_into(&mut zloty.currency);
    coupons.insert("ZLOTY".to_owned(), zloty);
    let mut large = issued(CouponValue::Amount(100), None);
    large.coupon.min_subtotal = Some(5_000);
    coupons.insert("LARGE".to_owned(), large);
    let mut soon = issued(CouponValue::Amount(100), None);
    soon.coupon.expires_at = Some(NOW + 90_000);
    coupons.insert("SOON".to_owned(), soon);
    stage.plugins.on("one", Hook::Pricing, 0, |call| {
        let Input::Cart(cart) = &call.input else { panic!() };
        let unknown: Vec<_> = cart.codes.iter().filter(|code| code.status == "unknown").collect();
        assert_eq!(unknown.len(), 2);
        assert_eq!(call.surroundings.offers.totals.as_ref().unwrap().discount, 600);
        let mut spring = discount("spring", DiscountTarget::Order, DiscountValue::Amount(1));
        if let Effect::AddDiscount { discount } = &mut spring {
            discount.code = Some("SPRING".to_owned());
        }
        Ok(vec![spring])
    });
    let codes = entered(&["ten", "FREE", "OLD", "USED", "ZLOTY", "LARGE", "SOON", "SPRING", "MOON", "TEN"]);
    let answer = stage.checkout(Cart { codes, ..cart() }).await;
    let codes: Vec<_> = answer.codes.iter().map(|code| (code.code.as_str(), code.status)).collect();
    assert_eq!(
        codes,
        [
            ("ten", CodeStatus::Applied),
            ("FREE", CodeStatus::Applied),
            ("OLD", CodeStatus::Expired),
            ("USED", CodeStatus::Used),
            ("ZLOTY", CodeStatus::NotApplied),
            ("LARGE", CodeStatus::NotApplied),
            ("SOON", CodeStatus::Applied),
            ("SPRING", CodeStatus::Applied),
            ("MOON", CodeStatus::Unknown),
        ]
    );
    let texts: Vec<_> =
        answer.codes.iter().filter_map(|code| Some((code.reason?, code.text.as_deref()?))).collect();
    assert_eq!(
        texts,
        [
            (CodeReason::Expired, "This code was valid until Saturday 28 November, 09:59."),
            (CodeReason::UsedUp, "This code has been used."),
            (CodeReason::WrongCurrency, "This code is for orders in another currency."),
            (CodeReason::BelowMinimum, "This code is for orders from €50.00."),
            (CodeReason::Unknown, "We do not know this code, or it is not for this cart."),
        ]
    );
    let discounts: Vec<_> = answer
        .discounts
        .iter()
        .map(|discount| (discount.id.as_str(), discount.title.as_str(), discount.amount.amount))
        .collect();
    assert_eq!(
        discounts,
        [
            ("coupon/TEN", "10% off", 500),
            ("coupon/SOON", "€1.00 off", 100),
            ("one/spring", "spring", 1),
            ("coupon/FREE", "Free delivery", 590),
        ]
    );
    assert_eq!(answer.valid_until, NOW + 90_000, "until the coupon expires");
    let totals = answer.totals.unwrap();
    assert_eq!((totals.totals.discount, totals.totals.delivery), (601, Some(0)));
    let own = &answer.explain.unwrap().calls[0];
    assert_eq!((own.plugin.as_deref(), own.proposals.len()), (None, 3));
}

#[tokio::test]
async fn texts_are_finished_in_the_shoppers_language() {
    let mut stage = shop(&["one"], "");
    stage.assets.insert(
        "locales/en.ftl".to_owned(),
        "left = { $items ->\n    [one] One more item\n   *[other] { $items } more items\n } for { $gift }\n"
            .to_owned(),
    );
    stage.assets.insert(
        "locales/pl.ftl".to_owned(),
        "left = { $items ->\n    [one] Jeszcze jeden produkt\n    [few] Jeszcze { $items } produkty\n   *[other] Jeszcze { $items } produktów\n } do { $gift }\n"
            .to_owned(),
    );
    stage.plugins.on("one", Hook::Content, 0, |_| {
        let mut notice = notice("left");
        if let Effect::ShowNotice { notice } = &mut notice {
            "left".clone_into(&mut notice.text.key);
            notice.text.args =
                vec![("items".to_owned(), Value::Int(3)), ("gift".to_owned(), Value::Money(1_000))];
        }
        Ok(vec![notice])
    });
    stage.plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("home", 123_450))]));
    let mut shown = Vec::new();
    for locale in ["en-GB", "pl", "de, pl;q=0.5"] {
        let question = Question {
            cart: Some(cart()),
            locale: Some(locale.to_owned()),
            ..stage.question(DecisionHook::Cart)
        };
        let answer = stage.decider().decide(question).await.unwrap();
        let option = &answer.delivery_options[0];
        shown.push(format!(
            "{}: {} | {} | {}",
            answer.locale,
            answer.notices[0].text,
            option.price.text,
            option.arrival_text.as_deref().unwrap()
        ));
    }
    insta::assert_snapshot!(shown.join("\n").replace('\u{a0}', "_"), @r#"
    en: 3 more items for €10.00 | €1,234.50 | Tue 1 – Thu 3 December
    pl: Jeszcze 3 produkty do 10,00_€ | 1234,50_€ | wt. 1 – czw. 3 grudnia
    pl: Jeszcze 3 produkty do 10,00_€ | 1234,50_€ | wt. 1 – czw. 3 grudnia
    "#);
}

#[tokio::test]
async fn recommendations_come_from_the_catalogue() {
    let mut stage = shop(&["one", "two"], "");
    stage.knowledge.products.insert("mug".to_owned(), Arc::new(mug(true)));
    let cap = Product { id: "cap".to_owned(), ..mug(true) };
    stage.knowledge.products.insert("cap".to_owned(), Arc::new(cap));
    for plugin in ["one", "two"] {
        stage.plugins.on(plugin, Hook::Content, 0, |_| {
            let recommend = |product: &str| Effect::Recommend {
                recommendation: Recommendation {
                    product: product.to_owned(),
                    reason: Some(text("Goes well with it")),
                    placement: "main".to_owned(),
                },
            };
            Ok(vec![recommend("mug"), recommend("cap"), recommend("ghost")])
        });
    }
    let answer = stage.checkout(cart()).await;
    let [cap] = answer.recommendations.as_slice() else { panic!("{:?}", answer.recommendations) };
    assert_eq!(
        (cap.id.as_str(), cap.price.text.as_str(), cap.currency.as_str()),
        ("one/cap", "¥1,500", "JPY")
    );
    assert_eq!(cap.reason.as_deref(), Some("Goes well with it"));
}

#[tokio::test]
async fn explain_tells_what_became_of_each_proposal() {
    let mut stage = shop(&["one"], "");
    stage.plugins.on("one", Hook::Pricing, 0, |_| {
        Ok(vec![
            discount("good", DiscountTarget::Order, DiscountValue::Amount(100)),
            discount("large", DiscountTarget::Line("2".to_owned()), DiscountValue::Amount(5_000)),
            discount("bad", DiscountTarget::Order, DiscountValue::Amount(-100)),
            discount("idle", DiscountTarget::Delivery, DiscountValue::Amount(100)),
        ])
    });
    stage.plugins.on("one", Hook::Delivery, 0, |_| Ok(vec![offer(option("free", 0))]));
    stage.plugins.on("one", Hook::Review, 0, |_| Err(Fault::Refused("no idea".to_owned())));
    let answer = stage.checkout(cart()).await;
    assert!(answer.discounts.iter().all(|discount| discount.id != "one/idle"));
    let explain = answer.explain.unwrap();
    assert_eq!((explain.generation, explain.hook.as_str(), explain.budget_ms), (7, "checkout", 500));
    let call = &explain.calls[0];
    assert_eq!((call.plugin.as_deref(), call.version.as_deref()), (Some("one"), Some("1.2.3")));
    let verdicts: Vec<_> = call.proposals.iter().map(|proposal| proposal.verdict).collect();
    assert_eq!(verdicts, [Verdict::Kept, Verdict::Changed, Verdict::Dropped, Verdict::Dropped]);
    assert_eq!(call.proposals[0].proposed["discount"]["id"], json!("good"));
    assert!(call.proposals[1].reason.as_ref().unwrap().contains("999"));
    let review = explain.calls.iter().find(|call| call.stage == "review").unwrap();
    assert_eq!(review.fault.as_deref(), Some("no idea"));

    let question = Question { cart: Some(cart()), explain: false, ..stage.question(DecisionHook::Cart) };
    assert!(stage.decider().decide(question).await.unwrap().explain.is_none());
}

#[tokio::test]
async fn an_order_is_shown_to_its_own_customer() {
    let mut stage = shop(&["one"], "");
    let order: crate::domain::Order = serde_json::from_value(json!({
        "id": "order-1", "placed_at": "2026-11-27T10:00:00Z", "currency": "EUR", "exponent": 2,
        "lines": [{ "id": "1", "product": "mug", "quantity": 1, "unit_price": 100,
                    "attributes": [{ "key": "phone", "value": "1" }, { "key": "gift-wrap", "value": "yes" }] }],
        "subtotal": 100, "total": 100,
    }))
    .unwrap();
    let record = crate::domain::OrderRecord {
        order,
        customer_id: Some("anna".to_owned()),
        locale: Some("pl".to_owned()),
        status: "placed".to_owned(),
        shipments: Vec::new(),
        labels: BTreeMap::new(),
    };
    stage.knowledge.orders.insert("order-1".to_owned(), record);
    stage.plugins.on("one", Hook::Content, 0, |_| Ok(vec![notice("n")]));
    let ask = |stage: &stand_ins::Stage, id: &str, customer: Option<&str>, secret: bool| Question {
        order_id: Some(id.to_owned()),
        customer_id: customer.map(str::to_owned),
        secret,
        locale: None,
        ..stage.question(DecisionHook::OrderStatus)
    };
    let decider = stage.decider();
    for (id, customer, secret, shown) in [
        ("order-1", Some("anna"), false, true),
        ("order-1", None, true, true),
        ("order-1", None, false, false),
        ("order-1", Some("eve"), false, false),
        ("order-1", Some("eve"), true, false),
        ("order-2", Some("anna"), true, false),
    ] {
        let answer = decider.decide(ask(&stage, id, customer, secret)).await;
        assert_eq!(answer.is_ok(), shown, "{id} {customer:?} {secret}");
        if let Ok(answer) = answer {
            assert_eq!((answer.locale.as_str(), answer.notices.len()), ("pl", 1));
            assert!(answer.totals.is_none());
        }
    }
    let call = &stage.plugins.called("one", Hook::Content)[0];
    let order = call.surroundings.order.as_ref().unwrap();
    assert_eq!(order.lines[0].attributes.len(), 1, "attributes pass the shop's list");
    assert_eq!(call.order_id.as_deref(), Some("order-1"));
    let question = Question { order_id: None, ..stage.question(DecisionHook::OrderStatus) };
    assert!(decider.decide(question).await.unwrap_err().to_string().starts_with("order_id: is missing"));

    let live = stage.question(DecisionHook::Cart);
    let content = decider
        .message_content(&live.snapshot, &live.shop, Some("anna"), Some("order-1"), Some("pl"))
        .await
        .unwrap();
    assert_eq!(content.notices.len(), 1);
    let calls = stage.plugins.called("one", Hook::Content);
    let Input::Content { page, cart: None, product: None } = &calls.last().unwrap().input else { panic!() };
    assert_eq!(page, "message");
}

#[tokio::test]
async fn a_cart_that_cannot_be_is_refused_by_field() {
    let mut stage = shop(&[], "");
    let broken: Vec<(serde_json::Value, &str)> = vec![
        (json!({ "currency": "EURO" }), "cart.currency: `EURO` is not an ISO 4217 currency like EUR"),
        (json!({ "currency": "XAU" }), "cart.currency: `XAU` is not an ISO 4217 currency like EUR"),
        (json!({ "id": " " }), "cart.id: is empty: send the id by which your shop knows the cart"),
        (json!({ "tax": -1 }), "cart.tax: is negative: -1"),
        (json!({ "tax": 5000 }), "cart.tax: is more than the lines, whose prices include it"),
        (
            json!({ "destination": { "country": "Poland" } }),
            "cart.destination.country: `Poland` is not an ISO 3166-1 alpha-2 country like PL",
        ),
        (
            json!({ "buyer": { "kind": "robot" } }),
            "cart.buyer.kind: `robot` is neither `consumer` nor `business`",
        ),
        (
            json!({ "payment_methods": [{ "id": "a", "name": "A" }, { "id": "a", "name": "B" }] }),
            "cart.payment_methods[1].id: `a` comes twice",
        ),
        (
            json!({ "groups": [{ "id": "g", "lines": ["9"] }] }),
            "cart.groups[0].lines[0]: the cart has no line `9`",
        ),
        (
            json!({ "groups": [{ "id": "g", "lines": ["1"] }, { "id": "g", "lines": ["1"] }] }),
            "cart.groups[1].id: `g` comes twice; cart.groups[1].lines[0]: line `1` is in a group already",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 0, "unit_price": 1 }], "tax": 0 }),
            "cart.lines[0].quantity: is 0: leave the line out instead",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 1, "unit_price": -1 }], "tax": 0 }),
            "cart.lines[0].unit_price: is negative: -1",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "", "quantity": 1, "unit_price": 1 }, { "id": "1", "product": "b", "quantity": 1, "unit_price": 1 }], "tax": 0 }),
            "cart.lines[0].product: is empty: send the product's id; cart.lines[1].id: `1` is the id of cart.lines[0] already",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 1, "unit_price": 1, "parent_line": "2" }], "tax": 0 }),
            "cart.lines[0].parent_line: the cart has no line `2`",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 1, "unit_price": 1, "parent_line": "1" }], "tax": 0 }),
            "cart.lines[0].parent_line: leads back to the line itself",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 2, "unit_price": 9_007_199_254_740_991_i64 }], "tax": 0 }),
            "cart.lines[0].unit_price: times 2 is more than 2^53-1",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 1, "unit_price": 9_007_199_254_740_991_i64 }, { "id": "2", "product": "b", "quantity": 1, "unit_price": 1 }], "tax": 0 }),
            "cart.lines: come to more than 2^53-1",
        ),
        (
            json!({ "lines": [{ "id": "1", "product": "a", "quantity": 1, "unit_price": 0 }], "tax": 5, "prices_include_tax": false }),
            "cart.tax: is 5 of nothing: the lines cost nothing",
        ),
    ];
    for (change, expected) in broken {
        let mut value = serde_json::to_value(cart()).unwrap();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let question = Question {
            cart: Some(serde_json::from_value(value).unwrap()),
            ..stage.question(DecisionHook::Cart)
        };
        let error = stage.decider().decide(question).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let question = stage.question(DecisionHook::Cart);
    let error = stage.decider().decide(question).await.unwrap_err();
    assert_eq!(error.to_string(), "cart: is missing: send the cart that the shopper has");
    let empty = Cart { lines: Vec::new(), tax: 0, ..cart() };
    assert_eq!(stage.checkout(empty).await.totals.unwrap().totals.total, 0);
}

#[tokio::test]
async fn what_a_plugin_sees_of_the_cart_is_the_hosts() {
    let mut stage = shop(&["one"], "");
    let mut sent = cart();
    let attribute = |key: &str| crate::domain::Attribute { key: key.to_owned(), value: "x".to_owned() };
    sent.attributes = vec![attribute("phone"), attribute("gift-wrap")];
    sent.lines[0].attributes = vec![attribute("phone")];
    sent.currency = "kwd".to_owned();
    sent.codes = entered(&[" A ", "a", ""]);
    stage.checkout(sent).await;
    let call = &stage.plugins.called("one", Hook::Pricing)[0];
    let Input::Cart(cart) = &call.input else { panic!() };
    assert_eq!((cart.currency.as_str(), cart.exponent), ("KWD", 3));
    assert_eq!(cart.attributes, [attribute("gift-wrap")]);
    assert!(cart.lines[0].attributes.is_empty());
    assert_eq!(cart.codes, [EnteredCode { code: "A".to_owned(), status: "unknown".to_owned() }]);
    assert_eq!(call.surroundings.zone, "Europe/Warsaw");
    assert!(call.surroundings.seed < 1 << 53);
    assert_eq!(call.surroundings.hook_name, "checkout");
}

#[tokio::test(start_paused = true)]
async fn whatever_a_plugin_writes_is_shown_as_one_line_and_its_quote_verifies() {
    let mut stage = shop(&["one"], "");
    stage.plugins.on("one", Hook::Delivery, 0, |_| {
        let turned = DeliveryOption {
            title: text(&format!("Home\r\nBcc: {}\u{202e}", "ż".repeat(1_900))),
            carrier: Some("Post\u{2066}".to_owned()),
            ..option("home", 500)
        };
        Ok(vec![offer(turned), offer(option("\u{202e}emoh", 400)), offer(option("a\nb", 300))])
    });
    stage.plugins.on("one", Hook::Review, 0, |_| {
        let (code, target) = ("no\u{202e}".to_owned(), "cart".to_owned());
        Ok(vec![Effect::Refuse { code, target, text: text("Not\ntoday\u{7}") }])
    });
    let answer = stage.checkout(cart()).await;
    let [home] = answer.delivery_options.as_slice() else { panic!("{:?}", answer.delivery_options) };
    assert!(home.title.starts_with("Home Bcc: żżż") && home.title.ends_with('ż'), "{}", home.title);
    assert_eq!(home.carrier.as_deref(), Some("Post"));
    let quote = quote::verify(&[7; 32], home.quote.as_ref().unwrap(), "test", NOW).unwrap();
    assert_eq!((quote.price, quote.title.chars().count()), (500, 200));
    let [refusal] = answer.refusals.as_slice() else { panic!("{:?}", answer.refusals) };
    assert_eq!((refusal.id.as_str(), refusal.text.as_str()), ("one/no/cart", "Not today"));
}

#[tokio::test(start_paused = true)]
async fn delivery_groups_are_paid_for_together_and_share_what_room_is_left() {
    let most = crate::domain::money::MAX_AMOUNT;
    let mut sent = cart();
    sent.tax = 0;
    sent.lines.iter_mut().for_each(|line| line.tax = 0);
    sent.lines[0].quantity = 1;
    sent.lines[0].unit_price = most - 999 - 1_000;
    sent.groups =
        serde_json::from_value(json!([{ "id": "north", "lines": ["1"] }, { "id": "south" }])).unwrap();
    for (each, delivery) in [(500, Some(1_000)), (501, None)] {
        let mut stage = shop(&["one"], "");
        stage.plugins.on("one", Hook::Delivery, 0, move |_| {
            let of = |group: &str| DeliveryOption { group: Some(group.to_owned()), ..option(group, each) };
            Ok(vec![offer(of("north")), offer(of("south"))])
        });
        let totals = stage.checkout(sent.clone()).await.totals.unwrap().totals;
        assert_eq!((totals.delivery, totals.total), (delivery, most - 1_000 + delivery.unwrap_or(0)));
    }
}
