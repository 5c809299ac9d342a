//! Whatever is sent: an answer that says what is wrong and where, and not a byte of it in the store.

use harness::{Setup, World};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::goods::{anna, cart, line, order_placed, product, shipped, update};

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];
const NOW: &str = "2026-11-30T09:00:00Z";

async fn shop() -> World {
    let world = Setup::new()
        .host("[http]\nrequests_per_second = 100000\n")
        .plugin("order-updates", UPDATES, "{}")
        .start()
        .await;
    // What the bad ones could be mixed up with.
    world.event("order-placed", "before", &an_order("1")).await.json(202);
    world
}

fn an_order(id: &str) -> Value {
    order_placed(id, NOW, &[line("1", "mug", 2, 4_900)])
}

/// A good body of each event hook.
fn good(hook: &str) -> Value {
    match hook {
        "order-placed" => an_order("2"),
        "order-shipped" => {
            let mut shipped = shipped("1", "s", NOW);
            shipped["shipment"]["lines"] = json!([{ "line": "1", "quantity": 2 }]);
            shipped["shipment"]["estimated"] = json!({ "earliest": "2026-12-01", "latest": "2026-12-02" });
            shipped
        }
        "delivery-updated" => update("1", "s", "in-transit", NOW),
        "order-delivered" => update("1", "s", "delivered", NOW),
        "order-cancelled" => json!({ "order_id": "1", "reason": "changed my mind" }),
        "order-returned" => json!({
            "order_id": "1",
            "return": { "id": "r", "lines": [{ "line": "1", "quantity": 1 }], "refunded": 4_900, "at": NOW },
        }),
        "customer-created" => json!({ "customer": anna() }),
        "cart-abandoned" => json!({ "cart": cart(&[line("1", "mug", 2, 4_900)]), "customer": anna() }),
        "feedback-received" => json!({
            "feedback": { "rating": 9, "subject": "goods", "text": "Good.", "at": NOW }, "order_id": "1",
        }),
        other => panic!("no such hook: {other}"),
    }
}

const HOOKS: [&str; 9] = [
    "order-placed",
    "order-shipped",
    "delivery-updated",
    "order-delivered",
    "order-cancelled",
    "order-returned",
    "customer-created",
    "cart-abandoned",
    "feedback-received",
];

/// A good body with one value changed; the pointer's parents must be there.
fn changed(hook: &str, pointer: &str, value: Value) -> Value {
    let mut body = good(hook);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("{hook} has no {parent}"));
    match parent {
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} leads nowhere"),
    }
    body
}

/// Everything that is stored, as one number.
async fn stored(world: &World) -> Vec<u8> {
    let mut hash = Sha256::new();
    if std::env::var_os("CARTWRIGHT_TEST_DATABASE").is_none() {
        for file in ["data/cartwright.db", "data/cartwright.db-wal"] {
            hash.update(std::fs::read(world.path(file)).unwrap_or_default());
        }
    }
    for path in ["/v1/jobs", "/v1/orders/1", "/v1/orders/2", "/v1/customers/c-anna"] {
        let answer = world.get(path).await;
        // A problem has the request's id in it.
        hash.update(if answer.status == 200 { answer.text } else { answer.status.to_string() });
    }
    hash.finalize().to_vec()
}

fn raw(world: &World, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    world
        .client
        .post(world.url(path))
        .bearer_auth(&world.secret_key)
        .header("Content-Type", "application/json")
        .body(body)
}

struct Judge<'a> {
    world: &'a World,
    before: Vec<u8>,
}

impl<'a> Judge<'a> {
    async fn of(world: &'a World) -> Self {
        Self { world, before: stored(world).await }
    }

    /// Refused with this status and type, naming the field (where there is one), and nothing stored.
    async fn refuses(&self, what: &str, request: RequestBuilder, status: u16, kind: &str, field: &str) {
        let answer = self.world.send(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        let problem = answer.json(status);
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{what}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what}: {problem}");
        if !field.is_empty() {
            assert_eq!(problem["errors"][0]["path"], field, "{what}: {problem}");
        }
        assert_eq!(stored(self.world).await, self.before, "{what} left something behind");
    }

    async fn refuses_event(&self, hook: &str, body: &Value, status: u16, kind: &str, field: &str) {
        let what = format!("{hook} with another {field}");
        let request = raw(self.world, &format!("/v1/hooks/{hook}"), body.to_string());
        self.refuses(&what, request, status, kind, field).await;
    }

    /// After all that, what is right still works.
    async fn works_still(self) {
        for hook in HOOKS {
            let answer = self.world.event(hook, &format!("right-{hook}"), &good(hook)).await;
            assert_eq!(answer.status, 202, "{hook}: {}", answer.text);
        }
        self.world.settle().await;
        assert_eq!(self.world.get("/v1/orders/2").await.status, 200);
        assert!(!self.world.mails().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_or_of_no_form() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let order = an_order("2").to_string();
    let half = &order[..order.len() / 2];
    let twice = format!("{{\"order\": {}, {}", an_order("2")["order"], &order[1..]);
    let bom = format!("\u{feff}{order}");
    let mut latin = order.replace("Warszawa", "Łódź").into_bytes();
    let at = latin.windows(2).position(|two| two == "Ł".as_bytes()).unwrap();
    latin.splice(at..at + 2, [0xa3]);
    let cases: [(&str, Vec<u8>, &str, &str); 16] = [
        ("nothing", Vec::new(), "malformed-json", "."),
        ("spaces", b" \n".to_vec(), "malformed-json", "."),
        ("words", b"order=1&total=2".to_vec(), "malformed-json", "."),
        ("a half", half.as_bytes().to_vec(), "malformed-json", ""),
        ("two", format!("{order}{order}").into_bytes(), "malformed-json", "."),
        ("a mark of byte order", bom.into_bytes(), "malformed-json", "."),
        ("another encoding", latin, "malformed-json", ""),
        ("half a pair", order.replace("A mug", "\\ud800").into_bytes(), "malformed-json", ""),
        ("a bare line end", order.replace("A mug", "A\nmug").into_bytes(), "malformed-json", ""),
        ("a NUL", order.replace("A mug", "A\0mug").into_bytes(), "malformed-json", ""),
        ("no number", order.replace("11300", "NaN").into_bytes(), "malformed-json", ""),
        ("a field twice", twice.into_bytes(), "invalid-body", ""),
        ("a list", format!("[{order}]").into_bytes(), "invalid-body", "."),
        ("null", b"null".to_vec(), "invalid-body", "."),
        ("depth", [b"[".repeat(100_000), b"]".repeat(100_000)].concat(), "too-deep", ""),
        ("depth without end", b"{\"order\":".repeat(50_000), "too-deep", ""),
    ];
    for (what, body, kind, field) in cases {
        judge.refuses(what, raw(&world, "/v1/hooks/order-placed", body), 400, kind, field).await;
    }
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_none_or_too_large() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let order = an_order("2").to_string();
    assert!(order.contains("\"total\":11300"));
    for (number, status, kind, field) in [
        ("1e400", 400, "malformed-json", ""),
        ("9223372036854775808", 400, "invalid-body", "order.total"),
        ("-9223372036854775809", 400, "invalid-body", "order.total"),
        ("1e3", 400, "invalid-body", "order.total"),
        ("-0", 400, "invalid-body", "order.total"),
        ("11300.0", 400, "invalid-body", "order.total"),
        ("\"11300\"", 400, "invalid-body", "order.total"),
        ("true", 400, "invalid-body", "order.total"),
        ("null", 400, "invalid-body", "order.total"),
        ("9007199254740992", 422, "invalid", "order.total"),
        ("9223372036854775807", 422, "invalid", "order.total"),
        ("-9223372036854775808", 422, "invalid", "order.total"),
        ("-1", 422, "invalid", "order.total"),
    ] {
        let body = order.replace("\"total\":11300", &format!("\"total\":{number}"));
        judge.refuses(number, raw(&world, "/v1/hooks/order-placed", body), status, kind, field).await;
    }
    let most = json!(9_007_199_254_740_991_i64);
    for (hook, pointer, value, status, field) in [
        ("order-placed", "/order/lines/0/quantity", json!(-1), 400, "order.lines[0].quantity"),
        ("order-placed", "/order/lines/0/quantity", json!(4_294_967_296_i64), 400, "order.lines[0].quantity"),
        ("order-placed", "/order/lines/0/quantity", json!("two"), 400, "order.lines[0].quantity"),
        ("order-placed", "/order/lines/0/quantity", json!(0), 422, "order.lines[0].quantity"),
        ("order-placed", "/order/lines/0/unit_price", most.clone(), 422, "order.lines[0].unit_price"),
        ("order-placed", "/order/lines/0/unit_price", json!(-1), 422, "order.lines[0].unit_price"),
        ("order-placed", "/order/discount", json!(-1), 422, "order.discount"),
        ("order-placed", "/order/delivery/price", json!(-1), 422, "order.delivery.price"),
        ("order-returned", "/return/refunded", json!(-1), 422, "return.refunded"),
        ("order-returned", "/return/refunded", json!(9_007_199_254_740_992_i64), 422, "return.refunded"),
        ("feedback-received", "/feedback/rating", json!(0), 422, "feedback.rating"),
        ("feedback-received", "/feedback/rating", json!(11), 422, "feedback.rating"),
        ("feedback-received", "/feedback/rating", json!(256), 400, "feedback.rating"),
        ("cart-abandoned", "/cart/lines/0/unit_price", most, 422, "cart.lines[0].unit_price"),
        ("cart-abandoned", "/cart/lines/0/quantity", json!(0), 422, "cart.lines[0].quantity"),
        ("cart-abandoned", "/cart/tax", json!(-1), 422, "cart.tax"),
    ] {
        let kind = if status == 400 { "invalid-body" } else { "invalid" };
        judge.refuses_event(hook, &changed(hook, pointer, value), status, kind, field).await;
    }
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_kinds_of_values_wherever_they_are() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    for (hook, pointer, value, field) in [
        ("order-placed", "/order", json!([]), "order"),
        ("order-placed", "/order", json!("1"), "order"),
        ("order-placed", "/order/id", json!(7), "order.id"),
        ("order-placed", "/order/lines", json!({}), "order.lines"),
        // A record in the order of its fields is no record.
        ("order-placed", "/order/lines/0", json!(["1", "mug", null, "", 1, 1]), "order.lines[0]"),
        ("order-placed", "/order/destination", json!(["PL"]), "order.destination"),
        ("order-placed", "/order/delivery", json!(["post", "Post", 1]), "order.delivery"),
        ("order-placed", "/order/buyer", json!(["consumer", true, []]), "order.buyer"),
        ("order-placed", "/order/codes", json!("SUMMER"), "order.codes"),
        ("order-placed", "/customer", json!(["1"]), "customer"),
        ("order-placed", "/customer/consents", json!([["email", "marketing", true]]), "customer.consents[0]"),
        ("order-placed", "/order/placed_at", json!(1_700_000_000), "order.placed_at"),
        ("order-shipped", "/shipment/lines/0", json!(["1", 2]), "shipment.lines[0]"),
        ("order-shipped", "/shipment/estimated", json!(["2026-12-01", "2026-12-02"]), "shipment.estimated"),
        ("cart-abandoned", "/cart/groups", json!([["g", []]]), "cart.groups[0]"),
        ("cart-abandoned", "/cart/prices_include_tax", json!("yes"), "cart.prices_include_tax"),
        ("customer-created", "/customer/email", json!(["a@b.example"]), "customer.email"),
        ("feedback-received", "/feedback", json!([9]), "feedback"),
    ] {
        judge.refuses_event(hook, &changed(hook, pointer, value), 400, "invalid-body", field).await;
    }
    for (hook, pointer) in
        [("order-placed", "/odrer"), ("customer-created", "/customer/mail"), ("order-shipped", "/tracking")]
    {
        let body = changed(hook, pointer, json!("x"));
        judge.refuses_event(hook, &body, 400, "invalid-body", "").await;
    }
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_and_countries_that_are_none() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    for code in ["XYZ", "", "EURO", "€", "XAU", "E U", "PLN "] {
        judge
            .refuses_event(
                "order-placed",
                &changed("order-placed", "/order/currency", json!(code)),
                422,
                "invalid",
                "order.currency",
            )
            .await;
    }
    for code in ["XYZ", "", "€"] {
        judge
            .refuses_event(
                "cart-abandoned",
                &changed("cart-abandoned", "/cart/currency", json!(code)),
                422,
                "invalid",
                "cart.currency",
            )
            .await;
        let body = json!({ "cart": changed("cart-abandoned", "/cart/currency", json!(code))["cart"] });
        judge
            .refuses(
                "a question",
                raw(&world, "/v1/hooks/cart", body.to_string()),
                422,
                "invalid",
                "cart.currency",
            )
            .await;
    }
    for country in ["Poland", "P", "", "12", "P\u{202e}"] {
        let body = changed("order-placed", "/order/destination/country", json!(country));
        judge.refuses_event("order-placed", &body, 422, "invalid", "order.destination.country").await;
    }
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_cannot_be() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let instants = [
        ("order-placed", "/order/placed_at", "order.placed_at"),
        ("order-placed", "/customer/created_at", "customer.created_at"),
        ("order-shipped", "/shipment/shipped_at", "shipment.shipped_at"),
        ("delivery-updated", "/update/at", "update.at"),
        ("order-delivered", "/update/at", "update.at"),
        ("order-returned", "/return/at", "return.at"),
        ("customer-created", "/customer/created_at", "customer.created_at"),
        ("feedback-received", "/feedback/at", "feedback.at"),
    ];
    for (hook, pointer, field) in instants {
        for at in
            ["1999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2032-01-01T00:00:00Z", "9999-12-30T00:00:00Z"]
        {
            judge.refuses_event(hook, &changed(hook, pointer, json!(at)), 422, "invalid", field).await;
        }
        for at in ["yesterday", "", "2026-02-30T00:00:00Z", "2026-11-30", "1700000000", "2026-11-30T09:00:00"]
        {
            judge.refuses_event(hook, &changed(hook, pointer, json!(at)), 400, "invalid-body", field).await;
        }
    }
    for (earliest, latest, field) in [
        ("2026-12-02", "2026-12-01", "shipment.estimated"),
        ("2026-02-30", "2026-03-01", "shipment.estimated"),
        ("soon", "later", "shipment.estimated"),
        ("1999-12-31", "2026-12-01", "shipment.estimated.earliest"),
        ("2026-12-01", "2099-12-01", "shipment.estimated.latest"),
    ] {
        let body = changed(
            "order-shipped",
            "/shipment/estimated",
            json!({ "earliest": earliest, "latest": latest }),
        );
        judge.refuses_event("order-shipped", &body, 422, "invalid", field).await;
    }
    // A clock that is ahead or far behind is no reason to refuse an order.
    for (id, at) in [("ahead", "2026-11-30T12:00:00Z"), ("behind", "2026-11-20T09:00:00+02:00")] {
        let mut order = order_placed(id, at, &[line("1", "mug", 1, 4_900)]);
        order["customer"] = Value::Null;
        world.event("order-placed", id, &order).await.json(202);
    }
    Judge::of(&world).await.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_no_mail_can_be_sent_to() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let long = format!("{}@mail.example", "a".repeat(65));
    for email in [
        "anna",
        "anna@",
        "@mail.example",
        "anna@localhost",
        "anna@@mail.example",
        "Anna <anna@mail.example>",
        "\"Anna\" <anna@mail.example>",
        "anna@mail.example, eve@mail.example",
        "anna@mail.example;eve@mail.example",
        "anna@mail.example\r\nBcc: eve@mail.example",
        "anna@mail.example\0",
        "anna@mail.example\u{202e}",
        "\"an na\"@mail.example",
        "anna@[127.0.0.1]",
        "mailto:anna@mail.example",
        ".anna@mail.example",
        long.as_str(),
    ] {
        for hook in ["order-placed", "customer-created", "cart-abandoned"] {
            judge
                .refuses_event(
                    hook,
                    &changed(hook, "/customer/email", json!(email)),
                    422,
                    "invalid",
                    "customer.email",
                )
                .await;
        }
        let put = world
            .client
            .put(world.url("/v1/customers/c-new"))
            .bearer_auth(&world.secret_key)
            .json(&json!({ "email": email }));
        judge.refuses("a customer", put, 422, "invalid", "email").await;
    }
    let nobody = json!({ "customer": { "first_name": "Anna" } });
    judge.refuses_event("customer-created", &nobody, 422, "invalid", "customer").await;
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_characters_and_endless_texts() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let places = [
        ("order-placed", "/order/id", "order.id", 200),
        ("order-placed", "/order/number", "order.number", 200),
        ("order-placed", "/order/cart_id", "order.cart_id", 200),
        ("order-placed", "/order/payment_method", "order.payment_method", 2_000),
        ("order-placed", "/order/lines/0/id", "order.lines[0].id", 200),
        ("order-placed", "/order/lines/0/product", "order.lines[0].product", 200),
        ("order-placed", "/order/lines/0/variant", "order.lines[0].variant", 200),
        ("order-placed", "/order/lines/0/title", "order.lines[0].title", 2_000),
        ("order-placed", "/order/delivery/id", "order.delivery.id", 200),
        ("order-placed", "/order/delivery/title", "order.delivery.title", 2_000),
        ("order-placed", "/order/destination/city", "order.destination.city", 200),
        ("order-placed", "/order/destination/postcode", "order.destination.postcode", 200),
        ("order-placed", "/customer/id", "customer.id", 200),
        ("order-placed", "/customer/first_name", "customer.first_name", 200),
        ("order-placed", "/customer/last_name", "customer.last_name", 200),
        ("order-placed", "/customer/company", "customer.company", 200),
        ("order-placed", "/customer/phone", "customer.phone", 200),
        ("order-placed", "/customer/locale", "customer.locale", 35),
        ("order-placed", "/locale", "locale", 35),
        ("order-shipped", "/order_id", "order_id", 200),
        ("order-shipped", "/shipment/id", "shipment.id", 200),
        ("order-shipped", "/shipment/carrier", "shipment.carrier", 2_000),
        ("order-shipped", "/shipment/tracking_number", "shipment.tracking_number", 2_000),
        ("order-shipped", "/shipment/tracking_url", "shipment.tracking_url", 2_000),
        ("order-shipped", "/shipment/lines/0/line", "shipment.lines[0].line", 200),
        ("delivery-updated", "/shipment_id", "shipment_id", 200),
        ("delivery-updated", "/update/stage", "update.stage", 200),
        ("order-returned", "/return/id", "return.id", 200),
        ("order-returned", "/return/lines/0/line", "return.lines[0].line", 200),
        ("cart-abandoned", "/cart/id", "cart.id", 200),
        ("cart-abandoned", "/cart/lines/0/title", "cart.lines[0].title", 2_000),
        ("cart-abandoned", "/cart/lines/0/product", "cart.lines[0].product", 200),
        ("cart-abandoned", "/cart/destination/city", "cart.destination.city", 200),
        ("cart-abandoned", "/cart/payment_methods/0/name", "cart.payment_methods[0].name", 2_000),
        ("feedback-received", "/feedback/subject", "feedback.subject", 200),
        ("feedback-received", "/order_id", "order_id", 200),
    ];
    for (hook, pointer, field, longest) in places {
        for text in [
            "a\r\nBcc: eve@mail.example",
            "a\nb",
            "a\0b",
            "a\u{7f}",
            "\u{202e}gpj.exe",
            "\u{2067}a",
            "a\u{2028}b",
        ] {
            judge.refuses_event(hook, &changed(hook, pointer, json!(text)), 422, "invalid", field).await;
        }
        let long = "ż".repeat(longest + 1);
        judge.refuses_event(hook, &changed(hook, pointer, json!(long)), 422, "invalid", field).await;
    }
    for (hook, pointer, field) in [
        ("order-placed", "/order/id", "order.id"),
        ("order-placed", "/order/lines/0/product", "order.lines[0].product"),
        ("order-shipped", "/order_id", "order_id"),
        ("cart-abandoned", "/cart/id", "cart.id"),
    ] {
        for blank in ["", "  "] {
            judge.refuses_event(hook, &changed(hook, pointer, json!(blank)), 422, "invalid", field).await;
        }
    }
    let many =
        |count: usize| json!((0..count).map(|at| line(&at.to_string(), "mug", 1, 1)).collect::<Vec<_>>());
    judge
        .refuses_event(
            "order-placed",
            &changed("order-placed", "/order/lines", many(2_001)),
            422,
            "invalid",
            "order.lines",
        )
        .await;
    judge
        .refuses_event(
            "cart-abandoned",
            &changed("cart-abandoned", "/cart/lines", many(1_001)),
            422,
            "invalid",
            "cart.lines",
        )
        .await;
    let codes = json!(vec!["A"; 51]);
    judge
        .refuses_event(
            "order-placed",
            &changed("order-placed", "/order/codes", codes),
            422,
            "invalid",
            "order.codes",
        )
        .await;
    let link = json!("javascript:alert(1)");
    judge
        .refuses_event(
            "order-shipped",
            &changed("order-shipped", "/shipment/tracking_url", link),
            422,
            "invalid",
            "shipment.tracking_url",
        )
        .await;
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_keys_and_places_that_are_wrong() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let order = an_order("2").to_string();
    let path = "/v1/hooks/order-placed";
    let to = |path: &str| world.client.post(world.url(path)).body(order.clone());
    let json = |request: RequestBuilder| request.header("Content-Type", "application/json");
    let key = world.secret_key.as_str();
    for (what, request) in [
        ("no type", to(path).bearer_auth(key)),
        ("text", to(path).bearer_auth(key).header("Content-Type", "text/plain")),
        ("a form", to(path).bearer_auth(key).header("Content-Type", "application/x-www-form-urlencoded")),
        ("a trick", to(path).bearer_auth(key).header("Content-Type", "text/plain; application/json")),
        ("gzip", json(to(path)).bearer_auth(key).header("Content-Encoding", "gzip")),
        ("brotli in two steps", json(to(path)).bearer_auth(key).header("Content-Encoding", "identity, br")),
    ] {
        judge.refuses(what, request, 415, "unsupported-media-type", "").await;
    }
    let elsewhere = key.replace("cw_sk_demo", "cw_sk_other");
    let half = &key[..key.len() - 1];
    for (what, request) in [
        ("no key", json(to(path))),
        ("half a key", json(to(path)).bearer_auth(half)),
        ("a key and more", json(to(path)).bearer_auth(format!("{key}x"))),
        ("the key of another shop", json(to(path)).bearer_auth(elsewhere)),
        ("a key in the query", json(to(&format!("{path}?key={key}")))),
        ("a key in another header", json(to(path)).header("X-Api-Key", key)),
        ("a key as a password", json(to(path)).basic_auth("demo", Some(key))),
        ("a key without its scheme", json(to(path)).header("Authorization", key)),
        (
            "a key in the body",
            json(world.client.post(world.url(path)).body(format!("{{\"key\": \"{key}\"}}"))),
        ),
    ] {
        judge.refuses(what, request, 401, "unauthorized", "").await;
    }
    let publishable =
        json(to(path)).bearer_auth(&world.publishable_key).header("Origin", "https://grove.example");
    judge.refuses("a browser's key", publishable, 403, "secret-key-required", "").await;
    let named = |name: &'static str, value: &str| json(to(path)).bearer_auth(key).header(name, value);
    let long = "a".repeat(256);
    for (what, request) in [
        ("an endless name", named("Idempotency-Key", &long)),
        ("an empty name", named("Idempotency-Key", "\"\"")),
        ("half a CloudEvent", named("ce-id", "1")),
        ("an endless id", named("webhook-id", &long)),
    ] {
        judge.refuses(what, request, 400, "invalid-request", "").await;
    }
    judge
        .refuses("no such path", json(to("/v1/hooks/order-places")).bearer_auth(key), 404, "not-found", "")
        .await;
    let get = world.client.get(world.url(path)).bearer_auth(key);
    judge.refuses("another method", get, 405, "method-not-allowed", "").await;
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_megabytes_are_refused_and_the_answer_arrives() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let body = changed("order-placed", "/order/lines/0/title", json!("x".repeat(5 << 20))).to_string();
    for _ in 0..5 {
        judge
            .refuses("5 MB", raw(&world, "/v1/hooks/order-placed", body.clone()), 413, "too-large", "")
            .await;
        // Without a length, so that it is only known on the way.
        let said = in_pieces(&world, body.clone()).await;
        assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("/problems/too-large"), "{said}");
        // Whoever may not send at all hears so, and not that the line broke.
        let stranger = world.client.post(world.url("/v1/hooks/order-placed")).body(body.clone());
        judge.refuses("5 MB of a stranger", stranger, 401, "unauthorized", "").await;
    }
    let webhook = world.woocommerce("order.created", body.as_bytes()).await;
    assert_eq!(webhook.status, 413, "{}", webhook.text);
    judge.works_still().await;
}

/// By a client that sends all before it reads anything.
async fn in_pieces(world: &World, body: String) -> String {
    use std::io::{Read as _, Write as _};

    let (address, key) = (world.host().address(), world.secret_key.clone());
    tokio::task::spawn_blocking(move || {
        let mut wire = std::net::TcpStream::connect(address).unwrap();
        write!(
            wire,
            "POST /v1/hooks/order-placed HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {key}\r\nContent-Type: \
             application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        for chunk in body.as_bytes().chunks(1 << 16) {
            write!(wire, "{:x}\r\n", chunk.len()).unwrap();
            wire.write_all(chunk).unwrap();
            wire.write_all(b"\r\n").unwrap();
        }
        wire.write_all(b"0\r\n\r\n").unwrap();
        let mut said = String::new();
        wire.read_to_string(&mut said).unwrap();
        said
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    use std::io::{Read as _, Write as _};

    let world = shop().await;
    let judge = Judge::of(&world).await;
    let order = an_order("2").to_string();
    let head = format!(
        "POST /v1/hooks/order-placed HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {}\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\n\r\n",
        world.secret_key,
        order.len()
    );
    let (address, half) = (world.host().address(), order[..order.len() / 2].to_owned());
    tokio::task::spawn_blocking(move || {
        let mut wire = std::net::TcpStream::connect(address).unwrap();
        wire.write_all(head.as_bytes()).unwrap();
        wire.write_all(half.as_bytes()).unwrap();
        wire.shutdown(std::net::Shutdown::Write).unwrap();
        // Until the host has let go of it.
        let _ = wire.read_to_end(&mut Vec::new());
    })
    .await
    .unwrap();
    assert_eq!(stored(&world).await, judge.before);
    judge.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_names_and_never_paths() {
    let world = shop().await;
    for (at, id) in [
        "../../etc/passwd",
        "a/b",
        "..",
        "a%00b",
        "a%2e%2e%2fb",
        "a?b#c",
        "C:\\x",
        "{{ id }}",
        "' OR 1=1 --",
        "Ł 1",
    ]
    .into_iter()
    .enumerate()
    {
        let mut order = order_placed(id, NOW, &[line("1", "mug", 1, 4_900)]);
        order["customer"]["id"] = json!(id);
        let name = format!("path-{at}");
        world.event("order-placed", &name, &order).await.json(202);
        let mut url = reqwest::Url::parse(&world.url("/v1/orders")).unwrap();
        url.path_segments_mut().unwrap().push(&id.replace('.', "\u{0}"));
        // A client writes dots in a path as they are; escaped, they are part of a name.
        let url = url.as_str().replace("%00", "%2E");
        // The client library takes `%2E%2E` alone for the folder above, as browsers do.
        if id != ".." {
            let answer = world.send(world.client.get(url).bearer_auth(&world.secret_key)).await;
            assert_eq!(answer.json(200)["order"]["id"], id);
        }
    }
    world.settle().await;
    let outside: Vec<_> = std::fs::read_dir(world.path("data/outbox")).unwrap().collect();
    assert!(outside.len() >= 10, "each has its mail, in the outbox: {outside:?}");
    let mails = world.mails();
    assert!(mails.iter().any(|mail| mail.html.contains("{{ id }}")), "a name is never a template");
    for path in
        ["/v1/orders/%00", "/v1/orders/a%0d%0ab", "/v1/customers/%00", "/v1/orders/%ff", "/v1/orders/%zz"]
    {
        let answer = world.get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_and_markup_in_names_are_text() {
    let titles = [
        "{{ 7 * 7 }}",
        "{% for x in range(9) %}x{% endfor %}",
        "{# gone #}",
        "{ $number } { -brand }",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "&lt;b&gt; & co",
        "=cmd|' /C calc'!A0",
    ];
    let world = Setup::new()
        .plugin("order-updates", UPDATES, "{}")
        .plugin(
            "cross-sell",
            &["catalog", "messages", "orders", "state", "state-write"],
            "{ pairs = [{ product = \"mug\", with = [\"tea\"] }] }",
        )
        .start()
        .await;
    world
        .catalogue(&[
            product("tea", titles[4], 3_500, true, &[]),
            product("mug", titles[0], 4_900, true, &["tea"]),
        ])
        .await;
    let lines: Vec<Value> = titles
        .iter()
        .enumerate()
        .map(|(at, title)| {
            let mut line = line(&format!("{at}"), &format!("p{at}"), 1, 1_000);
            line["title"] = json!(title);
            line
        })
        .collect();
    let mut order = order_placed("{{ 1 + 1 }}", NOW, &lines);
    order["order"]["number"] = json!("{{ 3 * 3 }}<i>");
    order["customer"]["first_name"] = json!("{{ 6 * 7 }}<b>");
    world.event("order-placed", "e1", &order).await.json(202);
    world.settle().await;
    let mail = world.mails().into_iter().next().expect("a confirmation");
    for title in titles {
        assert!(mail.text.contains(title), "`{title}` is not in: {}", mail.text);
    }
    assert!(mail.text.contains("{{ 6 * 7 }}<b>"), "{}", mail.text);
    assert!(mail.subject.contains("{{ 3 * 3 }}<i>"), "{}", mail.subject);
    for markup in ["<script>alert", "<img src=x", "<i>", "49", "xxxxxxxxx"] {
        assert!(!mail.html.contains(markup), "`{markup}` is in: {}", mail.html);
    }
    assert!(mail.html.contains("&lt;script&gt;"), "{}", mail.html);

    let answer =
        world.post("/v1/hooks/cart", &json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) })).await.json(200);
    assert_eq!(answer["recommendations"][0]["title"], titles[4], "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_not_the_platforms() {
    let world = shop().await;
    let judge = Judge::of(&world).await;
    let body = include_bytes!("../fixtures/woocommerce/order.json");
    let to = |shop: &str| {
        world
            .client
            .post(world.url(&format!("/v1/webhooks/woocommerce/{shop}")))
            .header("X-WC-Webhook-Topic", "order.created")
            .body(body.to_vec())
    };
    judge.refuses("another shop", to("nowhere"), 404, "not-found", "").await;
    judge.refuses("a path for a shop", to("..%2Fdemo"), 404, "not-found", "").await;
    judge.refuses("no signature", to("demo"), 401, "bad-signature", "").await;
    for signature in ["", "AAAA", "not base64 !", "\u{fc}"] {
        let request = to("demo").header("X-WC-Webhook-Signature", signature);
        judge.refuses("a wrong signature", request, 401, "bad-signature", "").await;
    }
    // What cannot be understood is lost, said so, and changes nothing.
    let mut ancient: Value = serde_json::from_slice(body).unwrap();
    ancient["date_created_gmt"] = json!("1970-01-01T00:00:00");
    ancient["date_paid_gmt"] = json!("2026-11-30T08:00:00");
    for (what, body) in [
        ("no JSON", b"{".to_vec()),
        ("a list", b"[]".to_vec()),
        ("another form", b"{\"id\": {}}".to_vec()),
        ("depth", [b"[".repeat(1_000), b"]".repeat(1_000)].concat()),
        ("1970", ancient.to_string().into_bytes()),
    ] {
        let answer = world.woocommerce("order.created", &body).await;
        assert_eq!(answer.json(200)["outcome"], "unreadable", "{what}: {}", answer.text);
        assert_eq!(stored(&world).await, judge.before, "{what}");
    }
    // A replay: the signature is good for ever, the order is known.
    let mut order: Value = serde_json::from_slice(body).unwrap();
    order["date_created_gmt"] = json!("2026-11-30T08:55:00");
    order["currency"] = json!("PLN");
    let order = order.to_string();
    assert_eq!(world.woocommerce("order.created", order.as_bytes()).await.json(200)["outcome"], "accepted");
    let once = stored(&world).await;
    for _ in 0..3 {
        let again = world.woocommerce("order.created", order.as_bytes()).await.json(200);
        assert!(["duplicate", "ignored"].contains(&again["outcome"].as_str().unwrap()), "{again}");
        assert_eq!(stored(&world).await, once);
    }
    Judge::of(&world).await.works_still().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_catalogue_that_are_none() {
    let world = shop().await;
    let good = product("mug", "Mug", 4_900, true, &[]);
    let with = |field: &str, value: Value| {
        let mut product = good.clone();
        product[field] = value;
        product.to_string()
    };
    let bad = [
        ("{".to_owned(), "."),
        ("[]".to_owned(), "."),
        ("null".to_owned(), "."),
        (with("id", json!("")), "id"),
        (with("id", json!("a\nb")), "id"),
        (with("id", json!("x".repeat(201))), "id"),
        (with("currency", json!("XYZ")), "currency"),
        (with("price", json!(-1)), "price"),
        (with("price", json!(1.5)), "price"),
        (with("price", json!(9_007_199_254_740_992_i64)), "price"),
        (with("title", json!("a\u{202e}b")), "title"),
        (with("url", json!("javascript:alert(1)")), "url"),
        (with("tags", json!("new")), "tags"),
        (with("related", json!(["a\0"])), "related"),
        ("[".repeat(1_000), "."),
    ];
    let mut body: String = bad.iter().map(|(line, _)| format!("{line}\n")).collect();
    body.push_str(&good.to_string());
    let put = |body: String| {
        world
            .client
            .put(world.url("/v1/catalog/products"))
            .bearer_auth(&world.secret_key)
            .header("Content-Type", "application/x-ndjson")
            .body(body)
    };
    let import = world.send(put(body)).await.json(200);
    assert_eq!((&import["stored"], &import["rejected"]), (&json!(1), &json!(bad.len())), "{import}");
    for (at, (line, path)) in bad.iter().enumerate() {
        let error = &import["errors"][at];
        assert_eq!((&error["line"], &error["path"]), (&json!(at + 1), &json!(path)), "{line}: {error}");
    }
    let judge = Judge::of(&world).await;
    judge
        .refuses(
            "gzip",
            put(String::new()).header("Content-Encoding", "gzip"),
            415,
            "unsupported-media-type",
            "",
        )
        .await;
    judge.works_still().await;
}
