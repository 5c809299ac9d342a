//! Keys, limits and problems, as a storefront meets them.

use harness::{Setup, World};
use serde_json::{Value, json};

use crate::goods::{cart, line};

async fn problem(world: &World, request: reqwest::RequestBuilder, status: u16) -> Value {
    let answer = world.send(request).await;
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text);
    let problem = answer.json(status);
    assert!(problem["type"].as_str().is_some_and(|kind| !kind.is_empty()), "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert!(problem["title"].is_string(), "{problem}");
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_what_its_kind_may_and_nothing_else() {
    let world = Setup::new().start().await;
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let post = |path: &str| world.client.post(world.url(path)).json(&body);

    problem(&world, post("/v1/hooks/cart"), 401).await;
    problem(&world, post("/v1/hooks/cart").bearer_auth("cw_sk_demo_wrong"), 401).await;
    problem(&world, post("/v1/hooks/cart").bearer_auth("cw_sk_nowhere_wrong"), 401).await;
    assert_eq!(world.send(post("/v1/hooks/cart").bearer_auth(&world.secret_key)).await.status, 200);

    let browser =
        |path: &str| post(path).bearer_auth(&world.publishable_key).header("Origin", "https://grove.example");
    let answer = world.send(browser("/v1/hooks/cart")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://grove.example"));
    problem(&world, browser("/v1/hooks/cart?explain=true"), 403).await;
    problem(
        &world,
        post("/v1/hooks/cart").bearer_auth(&world.publishable_key).header("Origin", "https://evil.example"),
        403,
    )
    .await;
    for path in ["/v1/hooks/order-placed", "/v1/hooks/customer-created", "/v1/hooks/order-shipped"] {
        problem(&world, browser(path), 403).await;
    }
    for path in ["/v1/plugins", "/v1/jobs", "/v1/customers/c-anna"] {
        let request = world.client.get(world.url(path)).bearer_auth(&world.publishable_key);
        problem(&world, request.header("Origin", "https://grove.example"), 403).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_body_is_a_problem_that_names_its_place() {
    let world = Setup::new().start().await;
    let post = |body: String| {
        world
            .client
            .post(world.url("/v1/hooks/checkout"))
            .bearer_auth(&world.secret_key)
            .header("Content-Type", "application/json")
            .body(body)
    };
    problem(&world, post("{".to_owned()), 400).await;
    let wrong_type =
        problem(&world, post(r#"{"cart":{"id":"c","currency":"PLN","lines":"none"}}"#.to_owned()), 400).await;
    assert!(wrong_type.to_string().contains("cart.lines"), "{wrong_type}");
    let currency = problem(
        &world,
        post(r#"{"cart":{"id":"c","currency":"ZZZ","lines":[],"prices_include_tax":true}}"#.to_owned()),
        422,
    )
    .await;
    assert!(currency.to_string().contains("ZZZ"), "{currency}");
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    problem(&world, post(deep), 400).await;
    problem(&world, post(format!("\"{}\"", "a".repeat(3 << 20))), 413).await;
    let request = world.client.post(world.url("/v1/hooks/checkout")).bearer_auth(&world.secret_key);
    problem(&world, request.header("Content-Type", "text/plain").body("{}"), 415).await;
    problem(&world, world.client.get(world.url("/v1/nothing-here")), 404).await;
    problem(&world, world.client.delete(world.url("/v1/hooks/checkout")), 405).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_line_of_the_catalogue_is_reported_by_its_number() {
    let world = Setup::new().start().await;
    let good = crate::goods::product("mug", "Stoneware mug", 4_900, true, &[]);
    let body =
        format!("{good}\n{{\"id\":\"x\"\n\n{}\n", json!({"id": "y", "price": "cheap", "currency": "PLN"}));
    let request = world.client.put(world.url("/v1/catalog/products")).bearer_auth(&world.secret_key);
    let answer = world.send(request.header("Content-Type", "application/x-ndjson").body(body)).await;
    let report = answer.json(200);
    assert_eq!(report["stored"], 1, "{report}");
    let bad: Vec<u64> =
        report["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert_eq!(bad, [2, 4], "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_served_without_the_internet() {
    let world = Setup::new().start().await;
    let document = world.send(world.client.get(world.url("/openapi.json"))).await.json(200);
    for path in [
        "/v1/hooks/checkout",
        "/v1/hooks/order-placed",
        "/v1/catalog/products",
        "/v1/webhooks/woocommerce/{shop}",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path} is not in the document");
    }
    let page = world.send(world.client.get(world.url("/docs/"))).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("src=\"http"), "the page loads nothing from elsewhere");
    assert_eq!(world.send(world.client.get(world.url("/healthz"))).await.status, 200);
    assert_eq!(world.send(world.client.get(world.url("/readyz"))).await.status, 200);
    let answer = world.post("/v1/hooks/cart", &json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("x-request-id").is_some());
    let metrics = world.send(world.client.get(world.url("/metrics"))).await;
    assert!(metrics.text.contains("cartwright_"), "{}", metrics.text);
}
