//! The mock host does what the real one does: it tells, collects, keeps on `Ok` and forgets on `Err`.

use cartwright_sdk::mock::*;
use cartwright_sdk::prelude::*;

struct Busy;

impl Pricing for Busy {
    fn price(cart: Cart) -> Outcome {
        for code in cart.unknown_codes() {
            Discount::percent("campaign", 10, text("campaign").arg("code", code)).for_code(code).add();
        }
        if let Some(line) = cart.lines.first() {
            Discount::amount("first", 100, text("first")).on_line(&line.id).add();
        }
        Discount::free_delivery("free", text("free")).add();
        Ok(())
    }
}

impl Delivery for Busy {
    fn offer(cart: Cart) -> Outcome {
        let today = calendar::now_in_shop().date;
        let earliest = calendar::add_working_days(&today, 1);
        let latest = calendar::add_working_days(&today, 2);
        let price = i64::try_from(cart.weight()).map_err(|_| "too heavy")?;
        DeliveryOption::new("dpd", text("dpd")).carrier("DPD").price(price).arrival(&earliest, &latest).add();
        Ok(())
    }
}

impl Content for Busy {
    fn fill(page: String, cart: Option<Cart>, product: Option<String>) -> Outcome {
        let seen = product.into_iter().chain(cart.iter().flat_map(Cart::products).map(ToOwned::to_owned));
        for id in seen.flat_map(|id| catalog::related(&id, 2)) {
            Recommendation::new(&id).because(text("goes-well")).placement("footer").show();
        }
        Block::new("page", literal(&page)).link("https://shop.example/x", text("more")).show();
        Ok(())
    }
}

impl Review for Busy {
    fn review(cart: Cart) -> Outcome {
        for option in offers::delivery() {
            cartwright_sdk::delivery_options::reprice(&option.id, option.price / 2);
            cartwright_sdk::delivery_options::hide(&option.id, "because");
        }
        payments::hide("cod", "abroad");
        payments::move_to("card", 0);
        if cart.pieces() > 100 {
            refusal::reject("too-many", "cart", text("too-many"));
        }
        Ok(())
    }
}

impl OrderPlaced for Busy {
    fn handle(order: Order) -> Outcome {
        state::shop().add("orders", 1);
        state::customer().put("last", &order.id);
        let coupon =
            Coupon::free_delivery("next").prefix("THX").expires_at(context::now() + days(30)).issue();
        Message::new("thanks").data("code", coupon).updates().at(context::now() + hours(1)).send();
        points::set(&order.id, order.goods_total() / 100);
        timers::at_local("ask", "2026-12-24", "09:30", &context::zone(), &order.id);
        labels::customer("tier", "gold");
        webhooks::send("order", &json::Json::object().with("id", &order.id).write());
        if order.pieces() == 13 {
            return Err("thirteen".into());
        }
        Ok(())
    }
}

impl Timer for Busy {
    fn fire(timer: DueTimer) -> Outcome {
        messages::cancel(&timer.key);
        timers::after(&timer.key, minutes(5), "");
        Ok(())
    }
}

fn host() -> MockHost {
    MockHost::new().customer(customer("ada").first_name("Ada").zone("America/New_York"))
}

#[test]
fn stages_are_told_of_the_cart_and_propose() {
    let mut host = host()
        .related("mug", &["spoon", "saucer", "pot"])
        .offered_delivery(DeliveryOption::new("dpd", text("dpd")).price(500));
    let goods =
        || cart().line("mug", 2, 1500).weighing(300).line("card", 1, 500).gift_card().code("SUMMER").to("PL");

    let priced = host.price::<Busy>(goods()).unwrap();
    let campaign = priced.discount("campaign").unwrap();
    assert_eq!((campaign.class.as_str(), campaign.code.as_deref()), ("campaign", Some("SUMMER")));
    assert_eq!(campaign.value, DiscountValue::Percent(1000));
    assert_eq!(campaign.title.value("code"), Some(&Value::String("SUMMER".into())));
    assert_eq!(priced.discount("first").unwrap().target, DiscountTarget::Line("line-1".into()));
    assert_eq!(priced.discount("free").unwrap().target, DiscountTarget::Delivery);

    let offered = host.offer::<Busy>(goods()).unwrap();
    let option = offered.delivery_option("dpd").unwrap();
    assert_eq!(option.price, 600);
    let arrival = option.arrival.as_ref().unwrap();
    assert_eq!((arrival.earliest.as_str(), arrival.latest.as_str()), ("2026-12-01", "2026-12-02"));

    let filled = host.fill::<Busy>("cart", goods()).unwrap();
    assert_eq!(filled.recommended(), ["spoon", "saucer"]);
    assert_eq!(filled.blocks()[0].body.fallback, "cart");
    assert_eq!(host.fill_product::<Busy>("mug").unwrap().recommended(), ["spoon", "saucer"]);
    assert_eq!(host.fill_page::<Busy>("order-status").unwrap().recommended(), [""; 0]);

    let reviewed = host.review::<Busy>(goods()).unwrap();
    assert_eq!(reviewed.repriced(), [("dpd", 250)]);
    assert_eq!(reviewed.hidden_delivery(), ["dpd"]);
    assert_eq!(reviewed.hidden_payments(), ["cod"]);
    assert!(reviewed.refusals().is_empty());
    let refused = host.review::<Busy>(cart().line("mug", 101, 1)).unwrap();
    assert_eq!(refused.refusals()[0].0, "too-many");
}

#[test]
fn an_event_acts_and_its_state_stays() {
    let mut host = host();
    let placed = host.order_placed::<Busy>(order().line("mug", 2, 1500).discounted(1000)).unwrap();
    let message = placed.message("thanks").unwrap();
    // The coupon is the third effect of the call.
    assert_eq!(message.value("code"), Some(&Value::Coupon(2)));
    assert_eq!(message.when, Some(at("2026-11-30T10:00:00Z")));
    assert_eq!(placed.points(), [("1001", 20)]);
    assert_eq!(placed.timers(), [("ask", at("2026-12-24T09:30:00-05:00"))]);
    assert_eq!(placed.customer_labels(), [("tier", "gold")]);
    assert_eq!(placed.webhooks(), [("order", r#"{"id":"1001"}"#)]);

    host.order_placed::<Busy>(order().id("1002").line("mug", 1, 1500)).unwrap();
    assert_eq!(host.state(Scope::Shop, "orders").as_deref(), Some("2"));
    assert_eq!(host.state(Scope::Customer, "last").as_deref(), Some("1002"));

    let fired = host.fire::<Busy>(due_timer("ask", "")).unwrap();
    assert_eq!(fired.cancelled_messages(), ["ask"]);
    assert_eq!(fired.timers(), [("ask", at("2026-12-01T10:05:00+01:00"))]);
}

#[test]
fn an_error_forgets_what_the_handler_asked_for() {
    let mut host = host();
    host.order_placed::<Busy>(order().line("mug", 1, 1500)).unwrap();
    let fault = host.order_placed::<Busy>(order().id("1013").line("mug", 13, 1500)).unwrap_err();
    assert_eq!(fault, "thirteen");
    assert_eq!(host.state(Scope::Shop, "orders").as_deref(), Some("1"));
    assert_eq!(host.state(Scope::Customer, "last").as_deref(), Some("1001"));
}

#[test]
fn a_guest_and_a_missing_grant_look_the_same_to_who_can_do_without() {
    let known = || -> Outcome { customers::current_if_granted().map(|_| ()).ok_or_else(|| "nobody".into()) };
    assert_eq!(host().call(known).map(|_| ()), Ok(()));
    assert_eq!(host().guest().call(known).unwrap_err(), "nobody");
    assert_eq!(host().customers_not_granted().call(known).unwrap_err(), "nobody");
}

#[test]
fn the_calendar_knows_weekends_holidays_and_clock_changes() {
    MockHost::new()
        .holidays(&["2026-12-25"])
        .call(|| {
            assert!(!calendar::working_day("2026-12-26"));
            assert!(!calendar::working_day("2026-12-25"));
            assert_eq!(calendar::add_working_days("2026-12-24", 0), "2026-12-24");
            assert_eq!(calendar::add_working_days("2026-12-25", 0), "2026-12-28");
            assert_eq!(calendar::add_working_days("2026-12-24", 1), "2026-12-28");
            assert_eq!(calendar::add_days("2026-12-31", 1), "2027-01-01");
            // 2026-03-29, 02:30 does not exist in Warsaw.
            let skipped = calendar::instant("2026-03-29", "02:30", "Europe/Warsaw");
            assert_eq!(skipped, at("2026-03-29T03:30:00+02:00"));
            let civil = calendar::local(at("2026-11-29T23:30:00Z"), "Europe/Warsaw");
            assert_eq!((civil.date.as_str(), civil.time.as_str(), civil.weekday), ("2026-11-30", "00:30", 1));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_panic_in_a_test_leaves_the_next_host_in_peace() {
    let result = std::panic::catch_unwind(|| host().call(|| panic!("of the plugin")));
    assert!(result.is_err());
    assert!(host().order_placed::<Busy>(order().line("mug", 1, 1)).is_ok());
}

/// What the real host answers with a trap.
fn trap(act: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let Err(panic) = std::panic::catch_unwind(act) else { return "no panic".to_owned() };
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}

#[test]
fn what_the_host_would_stop_is_a_panic_with_a_sentence() {
    struct Wrong;
    impl Pricing for Wrong {
        fn price(_: Cart) -> Outcome {
            Message::new("thanks").send();
            Ok(())
        }
    }
    impl OrderPlaced for Wrong {
        fn handle(order: Order) -> Outcome {
            Message::new("thanks").category(&order.number).send();
            Ok(())
        }
    }
    assert_eq!(
        trap(|| drop(host().price::<Wrong>(cart()))),
        "`messages.send` works in events and timers, not in `pricing` of `checkout`: the host ends the call here"
    );
    assert_eq!(
        trap(|| drop(host().order_placed::<Wrong>(order().number("spam")))),
        "`category` = `spam`; there are transactional, updates, marketing"
    );
    let call = |act: fn()| {
        trap(move || {
            drop(MockHost::new().call(|| {
                act();
                Ok(())
            }));
        })
    };
    assert!(call(|| state::customer().put("a", "b")).contains("ask `customers::current` first"));
    assert!(call(|| _ = Discount::amount("x", -1, text("x")).add()).contains("may not be negative"));
    assert!(call(|| _ = Discount::percent("x", 101, text("x")).add()).contains("10000 are 100 %"));
    assert!(call(|| webhooks::send("x", "{")).contains("not JSON at byte 1"));
    assert!(call(|| webhooks::send("message.sent", "{}")).contains("only the host tells"));
    assert!(call(|| webhooks::send("an order", "{}")).contains("joined by full stops"));
    assert!(call(|| _ = Message::new("x").cancel_on("pricing").send()).contains("`cancel-on` = `pricing`"));
    assert!(call(|| _ = Message::new("x").data("code", Value::Coupon(0)).send()).contains("did not issue"));
    assert!(call(|| _ = calendar::local(0, "Mars/Base")).contains("no IANA time zone"));
    assert!(trap(|| _ = context::now()).contains("call the plugin through"));
}
