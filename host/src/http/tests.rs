//! The router as clients meet it, on a store and a registry of its own, without plugins and without a port.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::*;

mod forms;

/// 2026-11-28T09:00:00Z.
const NOW: i64 = 1_795_856_400_000;
const SECRET: &str = "cw_sk_demo_aaaaaaaaaaaaaaaaaaaa";
const PUBLISHABLE: &str = "cw_pk_demo_bb-bb_bbbbbbbbbbbbbb";
const ORIGIN: &str = "https://demo.example";
const TOKEN_SECRET: &str = "a secret for customer tokens, long enough";
const WOO_SECRET: &str = "a secret for webhooks";
const ORDER: &str = include_str!("../../../tests/fixtures/woocommerce/order.json");

struct Wired {
    router: Router,
    store: Store,
    registry: Arc<Registry>,
    #[expect(dead_code, reason = "the folder lives as long as the test")]
    folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The last part of the problem's type, after checking its form.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        let id = self.header("x-request-id");
        assert_eq!(problem["instance"], format!("urn:cartwright:request:{id}"));
        problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }
}

async fn wired() -> Wired {
    wired_with("").await
}

async fn wired_with(host: &str) -> Wired {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let hash = |key: &str| keys::hex(&Sha256::digest(key));
    write("cartwright.toml", host);
    write("plugins/.keep", "");
    write("shops/tokens.secret", TOKEN_SECRET);
    write("shops/woo.secret", WOO_SECRET);
    write("shops/mail.secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    write(
        "shops/demo.toml",
        &format!(
            r#"
name = "Demo"
url = "https://demo.example"
country = "PL"
currency = "EUR"
locales = ["en", "pl"]
zone = "Europe/Warsaw"
live_since = "2023-01-01T00:00:00Z"
customer_tokens = {{ secret = {{ file = "tokens.secret" }} }}
woocommerce = {{ secret = {{ file = "woo.secret" }} }}
mail_feedback = {{ secret = {{ file = "mail.secret" }} }}

[[keys]]
name = "backend"
kind = "secret"
sha256 = "{}"

[[keys]]
name = "browser"
kind = "publishable"
sha256 = "{}"
origins = ["{ORIGIN}"]
"#,
            hash(SECRET),
            hash(PUBLISHABLE)
        ),
    );
    let store = crate::store::testing::open(folder.path()).await.unwrap();
    let registry = Registry::open(folder.path()).await.unwrap();
    assert!(registry.current().problems.is_empty(), "{:?}", registry.current().problems);
    let clock = Clock::still_at(NOW);
    let quote_key = Arc::new([7; 32]);
    let app = App {
        decider: Decider::new(
            Arc::clone(&registry) as _,
            store.clone(),
            clock.clone(),
            Arc::clone(&quote_key),
        ),
        lifecycle: Lifecycle::new(Arc::clone(&registry) as _, store.clone(), clock.clone(), quote_key),
        metrics: metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle(),
        registry: Arc::clone(&registry),
        store: store.clone(),
        clock,
    };
    Wired { router: router(app), store, registry, folder }
}

impl Wired {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, path, headers, "")).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(request(Method::POST, path, &all, &body.to_string())).await
    }

    async fn as_backend(&self, path: &str, body: &Value) -> Answer {
        self.post(path, &[("authorization", &bearer(SECRET))], body).await
    }

    async fn woocommerce(&self, topic: &str, body: &str) -> Answer {
        let mut mac = Hmac::<Sha256>::new_from_slice(WOO_SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let headers = [("x-wc-webhook-topic", topic), ("x-wc-webhook-signature", signature.as_str())];
        self.send(request(Method::POST, "/v1/webhooks/woocommerce/demo", &headers, body)).await
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn cart() -> Value {
    json!({ "cart": {
        "id": "c1", "currency": "EUR",
        "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 1, "unit_price": 1290 }],
    } })
}

fn order_placed(id: &str) -> Value {
    json!({
        "order": {
            "id": id, "number": id, "placed_at": "2026-11-28T08:59:00Z", "currency": "EUR",
            "lines": [{ "id": "1", "product": "mug", "title": "Mug", "quantity": 1, "unit_price": 1290 }],
            "subtotal": 1290, "total": 1290,
        },
        "customer": { "id": "42", "first_name": "Ada", "email": "ada@shop.example" },
    })
}

/// A token of the shop's backend for a customer, for an hour.
fn token(customer: &str, secret: &str) -> String {
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "sub": customer, "aud": "demo", "exp": NOW / 1_000 + 3_600 });
    let signed = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Every path and method of the description.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "x").replace("{name}", "x").replace("{shop}", "demo");
            operations.push((method.to_ascii_uppercase().parse().unwrap(), path));
        }
    }
    operations
}

/// What a request without a body gets that passes the keys: anything but 401 and 403.
async fn refusal(wired: &Wired, method: &Method, path: &str, headers: &[(&str, &str)]) -> Option<String> {
    let answer = wired.send(request(method.clone(), path, headers, "")).await;
    matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN).then(|| answer.problem())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_reaches_what_its_kind_may_and_nothing_else() {
    let wired = wired().await;
    let operations = operations();
    assert!(operations.len() >= 24, "{operations:?}");
    for (method, path) in operations {
        // A link to unsubscribe carries its own proof.
        let open = ["/healthz", "/readyz", "/metrics"].contains(&path.as_str())
            || path.starts_with("/v1/unsubscribe/");
        // Of a platform; those out are the shop's own.
        let webhook = path.starts_with("/v1/webhooks/") && path.ends_with("/demo");
        let decision = ["product-page", "cart", "checkout", "order-status"]
            .iter()
            .any(|hook| path == format!("/v1/hooks/{hook}"));
        let what = format!("{method} {path}");
        let expected = |when: bool, problem: &str| when.then(|| problem.to_owned());

        let nobody = refusal(&wired, &method, &path, &[]).await;
        assert_eq!(
            nobody,
            if webhook { Some("bad-signature".to_owned()) } else { expected(!open, "unauthorized") },
            "{what}"
        );
        for wrong in ["cw_sk_demo_wrong", "cw_sk_nowhere_x", "cw_pk_demo_aaaaaaaaaaaaaaaaaaaa", "nonsense"] {
            let wrong = refusal(&wired, &method, &path, &[("authorization", &bearer(wrong))]).await;
            assert_eq!(wrong.is_some(), !open, "{what}");
        }
        if open || webhook {
            continue;
        }
        let secret = refusal(&wired, &method, &path, &[("authorization", &bearer(SECRET))]).await;
        assert_eq!(secret, None, "{what}");
        let publishable = bearer(PUBLISHABLE);
        let here = [("authorization", publishable.as_str()), ("origin", ORIGIN)];
        let browser = refusal(&wired, &method, &path, &here).await;
        assert_eq!(browser, expected(!decision, "secret-key-required"), "{what}");
        for elsewhere in [
            &[("authorization", publishable.as_str()), ("origin", "https://evil.example")][..],
            &[("authorization", publishable.as_str())][..],
        ] {
            let elsewhere = refusal(&wired, &method, &path, elsewhere).await;
            let problem = if decision { "origin-not-allowed" } else { "secret-key-required" };
            assert_eq!(elsewhere.as_deref(), Some(problem), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_path_that_is_no_text_is_a_problem() {
    let wired = wired().await;
    for path in ["/v1/jobs/%ff", "/v1/customers/%ff/points", "/v1/coupons/%ff", "/v1/unsubscribe/%ff"] {
        let answer = wired.send(request(Method::GET, path, &[("authorization", &bearer(SECRET))], "")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "invalid-request"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_for_allowed_origins_only() {
    let wired = wired().await;
    let preflight = |path: &'static str, origin: &'static str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        request(Method::OPTIONS, path, &headers, "")
    };
    let allowed = wired.send(preflight("/v1/hooks/cart", ORIGIN)).await;
    assert_eq!(allowed.status, StatusCode::NO_CONTENT);
    assert_eq!(allowed.header("access-control-allow-origin"), ORIGIN);
    assert!(allowed.header("access-control-allow-headers").contains("Authorization"));
    let refused = wired.send(preflight("/v1/hooks/cart", "https://evil.example")).await;
    assert_eq!(refused.problem(), "origin-not-allowed");
    assert_eq!(refused.header("access-control-allow-origin"), "");
    let backend = wired.send(preflight("/v1/hooks/order-placed", ORIGIN)).await;
    assert_eq!(backend.header("access-control-allow-origin"), "", "the backend's paths are not for browsers");
    let problem = wired.post("/v1/hooks/cart", &[("origin", ORIGIN)], &cart()).await;
    assert_eq!(problem.problem(), "unauthorized");
    assert_eq!(problem.header("access-control-allow-origin"), ORIGIN, "a page can read its problems");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_names_a_customer_only_by_a_signed_token() {
    let wired = wired().await;
    let publishable = bearer(PUBLISHABLE);
    let browser = [("authorization", publishable.as_str()), ("origin", ORIGIN)];
    let with = |name: &str, value: &str| {
        let mut body = cart();
        body[name] = json!(value);
        body
    };
    let named = wired.post("/v1/hooks/cart", &browser, &with("customer_id", "42")).await;
    assert_eq!(named.problem(), "customer-token");
    let forged = with("customer_token", &token("42", "another secret"));
    assert_eq!(wired.post("/v1/hooks/cart", &browser, &forged).await.problem(), "customer-token");
    let signed = with("customer_token", &token("42", TOKEN_SECRET));
    let answer = wired.post("/v1/hooks/cart", &browser, &signed).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(wired.as_backend("/v1/hooks/cart", &with("customer_id", "42")).await.status, StatusCode::OK);
    let mut two = signed;
    two["customer_id"] = json!("43");
    assert_eq!(wired.as_backend("/v1/hooks/cart", &two).await.problem(), "invalid");
    let explain = wired.post("/v1/hooks/cart?explain=true", &browser, &cart()).await;
    assert_eq!(explain.problem(), "secret-key-required");
    let explain = wired.as_backend("/v1/hooks/cart?explain=true", &cart()).await;
    assert!(explain.json()["explain"].is_object(), "{}", explain.text);
    let unknown = wired.as_backend("/v1/hooks/cart?explian=true", &cart()).await;
    assert_eq!(unknown.problem(), "invalid-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_the_bodys_else_the_headers() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let headers = [("authorization", secret.as_str()), ("accept-language", "pl;q=0.9, de")];
    let answer = wired.post("/v1/hooks/cart", &headers, &cart()).await;
    assert_eq!(answer.json()["locale"], "pl");
    let mut body = cart();
    body["locale"] = json!("en");
    assert_eq!(wired.post("/v1/hooks/cart", &headers, &body).await.json()["locale"], "en");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_page_may_be_kept_and_is_not_sent_twice() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let line = r#"{"id":"mug","title":"Mug","currency":"EUR","price":1290,"in_stock":true}"#;
    let headers = [("authorization", secret.as_str()), ("content-type", "application/x-ndjson")];
    let put = wired.send(request(Method::PUT, "/v1/catalog/products", &headers, line)).await;
    assert_eq!(put.json(), json!({ "stored": 1, "rejected": 0, "errors": [] }));
    let first = wired.get("/v1/hooks/product-page?product=mug", &[("authorization", &secret)]).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert!(first.header("cache-control").starts_with("private, max-age="), "{:?}", first.headers);
    let etag = first.header("etag").to_owned();
    let headers = [("authorization", secret.as_str()), ("if-none-match", etag.as_str())];
    let again = wired.get("/v1/hooks/product-page?product=mug", &headers).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let posted = wired.as_backend("/v1/hooks/product-page", &json!({ "product": "mug" })).await;
    assert_eq!(posted.status, StatusCode::OK);
    assert_eq!(posted.header("cache-control"), "no-store");
    let nothing = wired.get("/v1/hooks/product-page", &[("authorization", &secret)]).await;
    assert_eq!(nothing.problem(), "invalid-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_known_by_its_name_or_by_its_body() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let send = async |headers: &[(&str, &str)], body: &Value| {
        let mut all = vec![("authorization", secret.as_str())];
        all.extend_from_slice(headers);
        wired.post("/v1/hooks/order-placed", &all, body).await
    };
    let key = [("idempotency-key", "k1")];
    let first = send(&key, &order_placed("1")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
    let event = first.json()["event_id"].clone();
    assert_eq!(first.json(), json!({ "event_id": event, "duplicate": false }));
    let again = send(&key, &order_placed("1")).await;
    assert_eq!(
        (again.status, again.json()),
        (StatusCode::OK, json!({ "event_id": event, "duplicate": true }))
    );
    let other = send(&key, &order_placed("2")).await;
    assert_eq!((other.problem().as_str(), &other.json()["event_id"]), ("conflict", &event));
    let hook = wired
        .post("/v1/hooks/order-cancelled", &[("authorization", &secret), key[0]], &json!({ "order_id": "1" }))
        .await;
    assert_eq!(hook.problem(), "conflict", "a name is one event's over all hooks");

    let ce = [("ce-id", "k1"), ("ce-source", "/shop")];
    assert_eq!(send(&ce, &order_placed("3")).await.status, StatusCode::ACCEPTED);
    assert_eq!(send(&ce, &order_placed("3")).await.json()["duplicate"], true);
    assert_eq!(send(&ce[..1], &order_placed("3")).await.problem(), "invalid-request");

    assert_eq!(send(&[], &order_placed("4")).await.status, StatusCode::ACCEPTED);
    assert_eq!(send(&[], &order_placed("4")).await.json()["duplicate"], true);
    assert_eq!(send(&[], &order_placed("5")).await.status, StatusCode::ACCEPTED);

    let waited = send(&[("idempotency-key", "k6"), ("prefer", "wait=3")], &order_placed("6")).await;
    assert_eq!(waited.header("preference-applied"), "wait=3");
    assert_eq!(
        (waited.status, waited.json()["state"].as_str()),
        (StatusCode::OK, Some("done")),
        "{}",
        waited.text
    );

    let wrong = send(&[], &json!({ "order": { "id": "7" } })).await;
    assert_eq!(wrong.problem(), "invalid-body");
    let order = wired.get("/v1/orders/1", &[("authorization", &secret)]).await.json();
    assert_eq!((&order["order"]["id"], &order["status"]), (&json!("1"), &json!("placed")));
    assert_eq!(wired.get("/v1/orders/7", &[("authorization", &secret)]).await.problem(), "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_woocommerce_becomes_one_event() {
    let wired = wired().await;
    let first = wired.woocommerce("order.created", ORDER).await;
    assert_eq!(
        (first.status, &first.json()["outcome"]),
        (StatusCode::OK, &json!("accepted")),
        "{}",
        first.text
    );
    let again = wired.woocommerce("order.updated", ORDER).await;
    assert_eq!((again.status, &again.json()["outcome"]), (StatusCode::OK, &json!("ignored")));
    let changed = ORDER.replace("\"total\": \"2.000\"", "\"total\": \"7.000\"");
    let changed = wired.woocommerce("order.updated", &changed).await;
    assert_eq!((changed.status, &changed.json()["outcome"]), (StatusCode::OK, &json!("conflict")));
    let stored = wired.store.order("demo", "17").await.unwrap().unwrap();
    assert_eq!(stored.order.total, 200, "the first is kept");
    let cancelled = ORDER.replace("\"processing\"", "\"cancelled\"");
    assert_eq!(wired.woocommerce("order.updated", &cancelled).await.json()["outcome"], "accepted");
    for (topic, body) in [("order.updated", "{"), ("order.updated", ""), ("order.updated", &"[".repeat(100))]
    {
        let answer = wired.woocommerce(topic, body).await;
        assert_eq!(
            (answer.status, &answer.json()["outcome"]),
            (StatusCode::OK, &json!("unreadable")),
            "{body}"
        );
    }
    let deleted = wired.woocommerce("order.deleted", "{\"id\": 17}").await;
    assert_eq!((deleted.status, &deleted.json()["outcome"]), (StatusCode::OK, &json!("ignored")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_bad_signature_or_an_unknown_shop_refuses_a_webhook() {
    let wired = wired().await;
    let path = "/v1/webhooks/woocommerce/demo";
    let forged = [("x-wc-webhook-topic", "order.created"), ("x-wc-webhook-signature", "AAAA")];
    assert_eq!(wired.post(path, &forged, &json!({})).await.problem(), "bad-signature");
    assert_eq!(wired.post("/v1/webhooks/woocommerce/nowhere", &[], &json!({})).await.problem(), "not-found");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ping = wired.send(request(Method::POST, path, &form, "webhook_id=12")).await;
    assert_eq!((ping.status, &ping.json()["outcome"]), (StatusCode::OK, &json!("pong")));
    assert!(wired.store.order("demo", "17").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_of_a_catalogue_are_named_and_the_good_ones_kept() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let headers = [("authorization", secret.as_str()), ("content-type", "application/x-ndjson")];
    let mut lines: Vec<String> = (0..1_200)
        .map(|n| json!({ "id": format!("p{n}"), "currency": "EUR", "price": n }).to_string())
        .collect();
    lines[7] = "{\"id\": ".to_owned();
    lines[700] = json!({ "id": "p700", "currency": "EUR", "price": "cheap" }).to_string();
    let put = wired.send(request(Method::PUT, "/v1/catalog/products", &headers, &lines.join("\n"))).await;
    let report = put.json();
    assert_eq!((&report["stored"], &report["rejected"]), (&json!(1_198), &json!(2)));
    let named: Vec<_> =
        report["errors"].as_array().unwrap().iter().map(|error| (&error["line"], &error["path"])).collect();
    assert_eq!(named, [(&json!(8), &json!("id")), (&json!(701), &json!("price"))], "{report}");
    let found = wired
        .store
        .products("demo", &["p0".to_owned(), "p700".to_owned(), "p1199".to_owned()])
        .await
        .unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let headers = [("authorization", secret.as_str()), ("content-type", "text/csv")];
    let csv = wired.send(request(Method::PUT, "/v1/catalog/products", &headers, "id;price")).await;
    assert_eq!(csv.problem(), "unsupported-media-type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_stored_and_read_back() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let put = async |path: &str, body: &Value| {
        let headers = [("authorization", secret.as_str()), ("content-type", "application/json")];
        wired.send(request(Method::PUT, path, &headers, &body.to_string())).await
    };
    let get = async |path: &str| wired.get(path, &[("authorization", &secret)]).await;
    assert_eq!(get("/v1/customers/42").await.problem(), "not-found");
    let stored = put("/v1/customers/42", &json!({ "first_name": "Ada", "email": "ada@shop.example" })).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    put("/v1/customers/42", &json!({ "zone": "Europe/Warsaw" })).await;
    let customer = get("/v1/customers/42").await.json();
    assert_eq!(
        (&customer["id"], &customer["first_name"], &customer["zone"], &customer["contact"]["email"]),
        (&json!("42"), &json!("Ada"), &json!("Europe/Warsaw"), &json!("ada@shop.example"))
    );
    assert_eq!(put("/v1/customers/42", &json!({ "id": "43" })).await.problem(), "invalid");
    assert_eq!(put("/v1/customers/42", &json!({ "zone": "Mars/Base" })).await.problem(), "invalid");
    assert_eq!(put("/v1/customers/42", &json!({ "surname": "x" })).await.problem(), "invalid-body");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_turn_is_a_problem() {
    let wired = wired().await;
    let secret = bearer(SECRET);
    let auth = ("authorization", secret.as_str());
    let json_type = ("content-type", "application/json");
    let bomb = "[".repeat(100_000);
    let long = format!("\"{}\"", "x".repeat(3 << 20));
    for (method, path, headers, body, problem) in [
        (Method::GET, "/v1/nothing", &[][..], "", "not-found"),
        (Method::DELETE, "/v1/hooks/cart", &[][..], "", "method-not-allowed"),
        (Method::GET, "/v1/hooks/order-placed", &[][..], "", "method-not-allowed"),
        (Method::POST, "/healthz", &[][..], "", "method-not-allowed"),
        (Method::POST, "/v1/hooks/cart", &[auth][..], "{}", "unsupported-media-type"),
        (Method::POST, "/v1/hooks/cart", &[auth, json_type][..], "{", "malformed-json"),
        (Method::POST, "/v1/hooks/cart", &[auth, json_type][..], "{\"cart\": 1}", "invalid-body"),
        (Method::POST, "/v1/hooks/cart", &[auth, json_type][..], &bomb, "too-deep"),
        (Method::POST, "/v1/hooks/cart", &[auth, json_type][..], &long, "too-large"),
        (Method::POST, "/v1/webhooks/woocommerce/demo", &[][..], &long, "too-large"),
        (Method::GET, "/v1/jobs?limit=many", &[auth][..], "", "invalid-request"),
        (Method::GET, "/problems/nothing", &[][..], "", "not-found"),
    ] {
        let answer = wired.send(request(method.clone(), path, headers, body)).await;
        assert_eq!(answer.problem(), problem, "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let delete = wired.send(request(Method::DELETE, "/v1/hooks/product-page", &[], "")).await;
    let mut allowed: Vec<_> = delete.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    for kind in Kind::ALL {
        let page = wired.get(&format!("/problems/{}", kind.name()), &[]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains(kind.name()));
    }
    assert!(wired.get("/problems", &[]).await.text.contains("/problems/rate-limited"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let wired = wired_with("[http]\nrequests_per_second = 1\n").await;
    let secret = bearer(SECRET);
    let mut last = None;
    for _ in 0..20 {
        let answer = wired.get("/v1/plugins", &[("authorization", &secret)]).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            last = Some(answer);
            break;
        }
    }
    let answer = last.expect("twenty requests are more than a burst of two");
    assert_eq!(answer.problem(), "rate-limited");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_its_id() {
    let wired = wired().await;
    let answer = wired.get("/healthz", &[("x-request-id", "from-the-proxy-1")]).await;
    assert_eq!(answer.header("x-request-id"), "from-the-proxy-1");
    let answer = wired.get("/healthz", &[("x-request-id", "two words")]).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_the_host_sees_how_it_does() {
    let wired = wired().await;
    assert_eq!(wired.get("/healthz", &[]).await.json()["status"], "ok");
    let ready = wired.get("/readyz", &[]).await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!((&ready.json()["database"], &ready.json()["shops"]), (&json!(true), &json!(1)));
    let metrics = wired.get("/metrics", &[]).await;
    assert!(metrics.text.contains("\ncartwright_messages_due 0\n"), "{}", metrics.text);
    let secret = bearer(SECRET);
    let plugins = wired.get("/v1/plugins", &[("authorization", &secret)]).await.json();
    assert_eq!(
        (&plugins["plugins"], &plugins["problems"], &plugins["mode"]),
        (&json!([]), &json!([]), &json!("test"))
    );
    let jobs = wired.get("/v1/jobs", &[("authorization", &secret)]).await.json();
    assert_eq!(jobs, json!({ "jobs": [] }));
    wired.store.close().await;
    let ready = wired.get("/readyz", &[]).await;
    assert_eq!((ready.status, &ready.json()["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    let placed = wired.as_backend("/v1/hooks/order-placed", &order_placed("1")).await;
    assert_eq!(placed.problem(), "unavailable", "what is not stored is not accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_whole_and_its_page_needs_no_network() {
    let wired = wired().await;
    let document = wired.get("/openapi.json", &[]).await.json();
    assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["summary"].is_string(), "{id} has no summary");
            if !["/healthz", "/readyz", "/metrics"].contains(&path.as_str()) {
                assert!(operation["responses"]["default"].is_object(), "{id} has no problem");
            }
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name} is not described");
    }
    assert!(document["components"]["securitySchemes"]["publishable_key"].is_object());
    let page = wired.get("/docs/", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("src=\"http") && !page.text.contains("href=\"http"), "{}", page.text);
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(wired.get(&format!("/docs/{asset}"), &[]).await.status, StatusCode::OK, "{asset}");
    }
}
