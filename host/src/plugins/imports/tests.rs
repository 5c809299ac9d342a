//! Imports called as a guest would, without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::{
    Block, Coupon, CouponValue, Customer, DeliveryOption, Discount, DiscountTarget, DiscountValue, Message,
    Notice, Text, Value,
};
use crate::plugins::fixtures::{self, Memory as Stored};
use contract::{
    blocks, calendar, context, coupons, customers, customers_if_granted, delivery_options, discounts, labels,
    messages, points, state, state_write, timers, webhooks,
};

fn call(hook: Hook) -> CallState {
    with(hook, &[], Stored::default(), |_| {})
}

pub(super) fn with(
    hook: Hook,
    grants: &[&str],
    stored: Stored,
    change: impl FnOnce(&mut crate::plugins::call::Invocation),
) -> CallState {
    let plugin = crate::plugins::registry::Plugin {
        manifest: crate::plugins::manifest::Manifest::default(),
        sha256: String::new(),
        bytes: 0,
        hooks: [hook].into(),
        permissions: std::collections::BTreeSet::new(),
        optional: std::collections::BTreeSet::new(),
        code: crate::plugins::code::Code::default(),
    };
    let entry = fixtures::entry("guest", grants);
    let plugin = LivePlugin::new("lipa", entry, Arc::new(plugin), "{\"a\":1}", &fixtures::limits());
    let mut invocation = fixtures::invocation(Arc::new(plugin), hook, &Arc::new(stored));
    change(&mut invocation);
    CallState::new(invocation, &fixtures::limits())
}

fn sentence<T: std::fmt::Debug>(answer: wasmtime::Result<T>) -> String {
    answer.unwrap_err().downcast_ref::<Fault>().unwrap().to_string()
}

fn text(fallback: &str) -> Text {
    Text { key: "k".to_owned(), args: Vec::new(), fallback: fallback.to_owned() }
}

fn discount(value: DiscountValue) -> Discount {
    Discount {
        id: "spring".to_owned(),
        title: text("Spring"),
        target: DiscountTarget::Order,
        value,
        class: "campaign".to_owned(),
        code: None,
    }
}

fn option(price: i64) -> DeliveryOption {
    DeliveryOption {
        id: "courier".to_owned(),
        title: text("Courier"),
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

fn message() -> Message {
    Message {
        template: "thanks".to_owned(),
        data: Vec::new(),
        category: "updates".to_owned(),
        channels: Vec::new(),
        when: None,
        not_after: None,
        dedupe_key: None,
        cancel_on: Vec::new(),
    }
}

fn coupon() -> Coupon {
    Coupon {
        value: CouponValue::Percent(1_000),
        prefix: "THX".to_owned(),
        expires_at: None,
        max_uses: 1,
        min_subtotal: None,
        personal: true,
        purpose: "thanks".to_owned(),
    }
}

fn customer() -> Customer {
    serde_json::from_value(serde_json::json!({
        "id": "c9", "buyer": {}, "created_at": "2026-01-01T00:00:00Z", "orders_count": 1, "spent": 0, "points": 0
    }))
    .unwrap()
}

#[test]
fn proposals_that_cannot_be_are_stopped_with_a_sentence() {
    let mut pricing = call(Hook::Pricing);
    let mut add = |value| discounts::Host::add(&mut pricing, discount(value));
    assert_eq!(add(DiscountValue::Percent(10_000)).unwrap(), 0);
    assert_eq!(add(DiscountValue::Amount(500)).unwrap(), 1);
    assert!(sentence(add(DiscountValue::Percent(10_001))).contains("10001 basis points; 10000 are 100 %"));
    assert!(sentence(add(DiscountValue::Amount(-1))).contains("may not be negative"));
    assert!(sentence(add(DiscountValue::Amount(1 << 53))).contains("at most 2^53-1"));

    let mut delivery = call(Hook::Delivery);
    let mut add = |option| delivery_options::Host::add(&mut delivery, option);
    add(option(0)).unwrap();
    assert!(sentence(add(option(-1))).contains("`price` = -1"));
    let odd = DeliveryOption { kind: "drone".to_owned(), ..option(1) };
    assert!(sentence(add(odd)).contains("`kind` = `drone`; there are home, work, locker"));
    let arrival = |earliest: &str, latest: &str| DeliveryOption {
        arrival: Some(crate::domain::Arrival { earliest: earliest.to_owned(), latest: latest.to_owned() }),
        ..option(1)
    };
    add(arrival("2026-12-01", "2026-12-01")).unwrap();
    assert!(sentence(add(arrival("2026-12-02", "2026-12-01"))).contains("the earliest day comes first"));
    assert!(sentence(add(arrival("2026-12-32", "2026-12-01"))).contains("a date is like 2026-11-28"));
    let nameless = DeliveryOption { id: String::new(), ..option(1) };
    assert!(sentence(add(nameless)).contains("an empty `id`"));
    let long = DeliveryOption { id: "x".repeat(201), ..option(1) };
    assert!(sentence(add(long)).contains("`id` of 201 bytes; 200 is the most"));
}

#[test]
fn links_are_made_whole_or_stopped() {
    let mut content = with(Hook::Content, &[], Stored::default(), |call| {
        let mut plugin = Arc::into_inner(std::mem::replace(&mut call.plugin, placeholder())).unwrap();
        plugin.entry.hosts = vec!["partner.example".parse::<crate::domain::HostPattern>().unwrap().into()];
        call.plugin = Arc::new(plugin);
    });
    let block = |link: &str| Block {
        id: "b".to_owned(),
        title: None,
        body: Text { args: vec![("more".to_owned(), Value::Url("/more".to_owned()))], ..text("x") },
        link: Some(link.to_owned()),
        link_title: None,
        image: None,
        placement: "main".to_owned(),
    };
    blocks::Host::block(&mut content, block("/gifts")).unwrap();
    blocks::Host::block(&mut content, block("https://partner.example/a")).unwrap();
    let refused = sentence(blocks::Host::block(&mut content, block("https://evil.example/")));
    assert!(refused.contains("hosts = [\"evil.example\"]"), "{refused}");
    let notice = Notice {
        id: "n".to_owned(),
        text: Text {
            args: vec![("x".to_owned(), Value::Url("https://evil.example".to_owned()))],
            ..text("x")
        },
        severity: "info".to_owned(),
        placement: "main".to_owned(),
    };
    assert!(sentence(blocks::Host::notice(&mut content, notice)).contains("evil.example"));
    let (effects, _) = content.finish();
    let links: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ShowBlock { block } => block.link.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(links, ["https://shop.example/gifts", "https://partner.example/a"]);
    let Some(Effect::ShowBlock { block }) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(block.body.args, [("more".to_owned(), Value::Url("https://shop.example/more".to_owned()))]);
}

fn placeholder() -> Arc<LivePlugin> {
    call(Hook::Content).plugin.unwrap()
}

#[test]
fn a_message_shows_only_coupons_of_its_own_call() {
    let mut placed = call(Hook::OrderPlaced);
    messages::Host::send(&mut placed, message()).unwrap();
    let handle = coupons::Host::issue(&mut placed, coupon()).unwrap();
    assert_eq!(handle, 1);
    let with = |handle| Message { data: vec![("code".to_owned(), Value::Coupon(handle))], ..message() };
    messages::Host::send(&mut placed, with(handle)).unwrap();
    assert!(sentence(messages::Host::send(&mut placed, with(0))).contains("which this call did not issue"));
    assert!(sentence(messages::Host::send(&mut placed, with(9))).contains("coupon 9"));
}

#[test]
fn messages_and_coupons_say_what_they_are() {
    let mut placed = call(Hook::OrderPlaced);
    let mut send = |message| messages::Host::send(&mut placed, message);
    let promo = Message { category: "promo".to_owned(), ..message() };
    assert!(sentence(send(promo)).contains("there are transactional, updates, marketing"));
    for (hook, fine) in [("order-cancelled", true), ("pricing", false), ("order-eaten", false)] {
        let cancelled = Message { cancel_on: vec![hook.to_owned()], ..message() };
        assert_eq!(send(cancelled).is_ok(), fine, "{hook}");
    }
    let mut issue = |coupon| coupons::Host::issue(&mut placed, coupon);
    assert!(sentence(issue(Coupon { max_uses: 0, ..coupon() })).contains("1 is single use"));
    assert!(sentence(issue(Coupon { prefix: "A B".to_owned(), ..coupon() })).contains("`prefix`"));
}

#[test]
fn a_customer_is_known_only_as_granted() {
    let knows = |grants: &[&str]| {
        let mut call = with(Hook::Pricing, grants, Stored::default(), |call| {
            Arc::get_mut(&mut call.surroundings).unwrap().customer = Some(Arc::new(customer()));
        });
        customers_if_granted::Host::current(&mut call).unwrap().is_some()
    };
    assert!(!knows(&["orders"]));
    assert!(knows(&["customers"]));
    let mut nobody = with(Hook::Pricing, &["customers"], Stored::default(), |_| {});
    assert_eq!(customers::Host::current(&mut nobody).unwrap(), None);
}

#[test]
fn a_customer_that_was_asked_for_is_compared_at_commit_and_only_of_an_event() {
    let of = |hook, asked| {
        let mut call = with(hook, &["customers"], Stored::default(), |call| {
            Arc::get_mut(&mut call.surroundings).unwrap().customer = Some(Arc::new(customer()));
            call.customer_id = Some(customer().id);
        });
        for _ in 0..asked {
            customers::Host::current(&mut call).unwrap();
            customers_if_granted::Host::current(&mut call).unwrap();
        }
        call.finish().1
    };
    let shop = "lipa".to_owned();
    let read = StateRead::Customer { shop, id: customer().id, seen: Some(Arc::new(customer())) };
    assert_eq!(of(Hook::OrderPlaced, 2), [read]);
    assert_eq!(of(Hook::OrderPlaced, 0), []);
    assert_eq!(of(Hook::Pricing, 1), []);
}

#[test]
fn clocks_and_working_days_are_the_shops() {
    let mut call = call(Hook::Delivery);
    let noon = calendar::Host::instant(
        &mut call,
        "2026-11-28".to_owned(),
        "12:30".to_owned(),
        "Europe/Warsaw".to_owned(),
    );
    let noon = noon.unwrap();
    assert_eq!(crate::domain::instant::to_rfc3339(noon), "2026-11-28T11:30:00Z");
    let civil = calendar::Host::local(&mut call, noon, "Asia/Shanghai".to_owned()).unwrap();
    assert_eq!((civil.date.as_str(), civil.time.as_str(), civil.weekday), ("2026-11-28", "19:30", 6));
    // Skipped by the change to summer time.
    let skipped = calendar::Host::instant(
        &mut call,
        "2026-03-29".to_owned(),
        "02:30".to_owned(),
        "Europe/Warsaw".to_owned(),
    );
    assert_eq!(crate::domain::instant::to_rfc3339(skipped.unwrap()), "2026-03-29T01:30:00Z");
    for (date, time, zone, about) in [
        ("tomorrow", "12:30", "Europe/Warsaw", "a date is like"),
        ("2026-11-28", "noon", "Europe/Warsaw", "a time is like"),
        ("2026-11-28", "12:30", "Mars/Olympus", "one is like Europe/Warsaw"),
    ] {
        let answer = calendar::Host::instant(&mut call, date.to_owned(), time.to_owned(), zone.to_owned());
        assert!(sentence(answer).contains(about), "{about}");
    }
}

#[test]
fn timers_know_when_they_are_due() {
    let mut placed = call(Hook::OrderPlaced);
    let now = context::Host::now_ms(&mut placed).unwrap();
    timers::Host::after(&mut placed, "a".to_owned(), 1_000, "{}".to_owned()).unwrap();
    let day = ("2026-12-01".to_owned(), "09:00".to_owned(), "Europe/Warsaw".to_owned());
    timers::Host::at_local(&mut placed, "b".to_owned(), day.0, day.1, day.2, String::new()).unwrap();
    let far = timers::Host::after(&mut placed, "c".to_owned(), u64::MAX, String::new());
    assert!(sentence(far).contains("more than ten years"));
    let (effects, _) = placed.finish();
    let due: Vec<String> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::SetTimer { due_at, .. } => Some(crate::domain::instant::to_rfc3339(*due_at)),
            _ => None,
        })
        .collect();
    assert_eq!(due, [crate::domain::instant::to_rfc3339(now + 1_000), "2026-12-01T08:00:00Z".to_owned()]);
}

#[test]
fn what_needs_a_customer_or_json_says_so() {
    let mut placed = call(Hook::OrderPlaced);
    let label = labels::Host::customer(&mut placed, "tier".to_owned(), "gold".to_owned());
    assert!(sentence(label).contains("without a customer"));
    labels::Host::order(&mut placed, "gift".to_owned(), "yes".to_owned()).unwrap();
    webhooks::Host::send(&mut placed, "points".to_owned(), "{\"a\":[1]}".to_owned()).unwrap();
    let broken = webhooks::Host::send(&mut placed, "points".to_owned(), "{a:1}".to_owned());
    assert!(sentence(broken).contains("not JSON"));
    let forged = webhooks::Host::send(&mut placed, "message.sent".to_owned(), "{}".to_owned());
    assert!(sentence(forged).contains("only the host tells of `message.sent`"));
    assert!(sentence(points::Host::set(&mut placed, "o".to_owned(), i64::MIN)).contains("2^53-1"));
}

fn stored(values: &[(&str, &str, i64)]) -> Stored {
    let values: BTreeMap<String, (String, i64)> = values
        .iter()
        .map(|(key, value, version)| ((*key).to_owned(), ((*value).to_owned(), *version)))
        .collect();
    Stored { values, ..Stored::default() }
}

#[tokio::test]
async fn a_call_reads_its_own_writes() {
    let mut call = with(Hook::OrderPlaced, &[], stored(&[("a", "5", 1), ("b", "x", 2)]), |_| {});
    let shop = Scope::Shop;
    let key = |key: &str| key.to_owned();
    state_write::Host::put(&mut call, shop, key("new"), "1".to_owned()).unwrap();
    state_write::Host::add(&mut call, shop, key("new"), 4).unwrap();
    state_write::Host::add(&mut call, shop, key("a"), 2).unwrap();
    state_write::Host::add(&mut call, shop, key("a"), 3).unwrap();
    state_write::Host::add(&mut call, shop, key("b"), 1).unwrap();
    assert!(
        sentence(state::Host::get(&mut call, shop, key("b")).await).contains("`b`, whose value is no number")
    );
    state_write::Host::delete(&mut call, shop, key("b")).unwrap();
    let keys = ["new", "a", "b", "none"].map(str::to_owned).to_vec();
    let values = state::Host::get_many(&mut call, shop, keys).await.unwrap();
    assert_eq!(values, [Some("5".to_owned()), Some("10".to_owned()), None, None]);
    state_write::Host::add(&mut call, shop, key("b"), 7).unwrap();
    assert_eq!(state::Host::get(&mut call, shop, key("b")).await.unwrap(), Some("7".to_owned()));
    // Another scope is another key.
    assert_eq!(state::Host::get(&mut call, Scope::Order, key("new")).await.unwrap(), None);
    let (_, read) = call.finish();
    let seen: Vec<(&str, i64)> = read
        .iter()
        .map(|read| match read {
            StateRead::Key { key, version, .. } => (key.as_str(), *version),
            _ => panic!("{read:?}"),
        })
        .collect();
    // What was put or deleted does not depend on what is stored.
    assert_eq!(seen, [("b", 2), ("a", 1), ("none", 0), ("new", 0)]);
}

#[tokio::test]
async fn a_listing_shows_the_calls_own_writes() {
    let values = stored(&[("p:a", "1", 1), ("p:b", "2", 2), ("p:c", "3", 3), ("p:d", "4", 4), ("q", "9", 5)]);
    let mut call = with(Hook::OrderPlaced, &[], values, |_| {});
    let shop = Scope::Shop;
    state_write::Host::delete(&mut call, shop, "p:a".to_owned()).unwrap();
    state_write::Host::put(&mut call, shop, "p:bb".to_owned(), "new".to_owned()).unwrap();
    state_write::Host::put(&mut call, shop, "p:z".to_owned(), "far".to_owned()).unwrap();
    state_write::Host::add(&mut call, shop, "p:c".to_owned(), 10).unwrap();
    let shown = |list: Vec<(String, String)>| {
        list.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let list = state::Host::list(&mut call, shop, "p:".to_owned(), 2).await.unwrap();
    assert_eq!(shown(list), "p:b=2 p:bb=new");
    let list = state::Host::list(&mut call, shop, "p:".to_owned(), 3).await.unwrap();
    assert_eq!(shown(list), "p:b=2 p:bb=new p:c=13");
    let list = state::Host::list(&mut call, shop, "p:".to_owned(), 50).await.unwrap();
    assert_eq!(shown(list), "p:b=2 p:bb=new p:c=13 p:d=4 p:z=far");
    let (_, read) = call.finish();
    let Some(StateRead::Prefix { prefix, limit, seen, .. }) = read.first() else { panic!("{read:?}") };
    assert_eq!((prefix.as_str(), *limit), ("p:", 3));
    assert_eq!(seen, &[("p:a".to_owned(), 1), ("p:b".to_owned(), 2), ("p:c".to_owned(), 3)]);
}

#[test]
fn the_seed_fits_into_a_number_of_every_language() {
    let mut call = with(Hook::Pricing, &[], Stored::default(), |call| {
        Arc::get_mut(&mut call.surroundings).unwrap().seed = u64::MAX;
    });
    assert_eq!(context::Host::seed(&mut call).unwrap(), (1 << 53) - 1);
    assert_eq!(context::Host::settings(&mut call).unwrap(), "{\"a\":1}");
}

#[test]
fn a_log_line_says_whose_it_is_and_stays_one_line() {
    #[derive(Clone, Default)]
    struct Written(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let mut call = with(Hook::Pricing, &[], Stored::default(), |invocation| {
        let around = crate::plugins::call::Surroundings {
            request_id: "req_1".to_owned(),
            ..(*invocation.surroundings).clone()
        };
        invocation.surroundings = Arc::new(around);
    });
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..200 {
            context::Host::log(&mut call, crate::domain::Level::Warn, "one\n\u{1b}[31mtwo".to_owned())
                .unwrap();
        }
    });
    let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields = &lines[0]["fields"];
    assert_eq!(fields["message"], "one\\n\\u{1b}[31mtwo");
    assert_eq!(
        (&fields["plugin"], &fields["shop"], &fields["hook"], &fields["request_id"]),
        (&"guest".into(), &"lipa".into(), &"pricing".into(), &"req_1".into())
    );
    // Fifty a second, and one that tells of the others.
    assert!((50..150).contains(&lines.len()), "{}", lines.len());
    let told = lines.iter().filter(|line| line["fields"]["message"].as_str().unwrap().contains("left out"));
    assert!(told.count() >= 1);
}
