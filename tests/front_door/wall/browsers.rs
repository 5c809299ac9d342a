//! What every answer tells a browser.

use super::*;

const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let world = shop().await;
    world.catalogue(&crate::goods::products()).await;
    let cart = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let client = &world.client;
    let get = |path: &str| client.get(world.url(path)).bearer_auth(&world.secret_key);
    let browser = client.post(world.url("/v1/hooks/cart")).bearer_auth(&world.publishable_key);
    let preflight = client
        .request(reqwest::Method::OPTIONS, world.url("/v1/hooks/cart"))
        .header("Origin", "https://grove.example")
        .header("Access-Control-Request-Method", "POST");
    let post = |path: &str| client.post(world.url(path)).bearer_auth(&world.secret_key);
    for (status, request) in [
        (200, post("/v1/hooks/checkout").json(&cart)),
        (200, browser.header("Origin", "https://grove.example").json(&cart)),
        (204, preflight),
        (200, get("/v1/hooks/product-page?product=mug")),
        (200, get("/v1/plugins")),
        (404, get("/v1/orders/none")),
        (200, get("/healthz")),
        (200, get("/metrics")),
        (200, get("/openapi.json")),
        (200, get("/docs/")),
        (200, get("/docs/swagger-ui.css")),
        (200, get("/problems")),
        (200, get("/problems/invalid")),
        (404, get("/v1/unsubscribe/none")),
        (404, get("/nothing")),
        (405, client.delete(world.url("/v1/hooks/cart"))),
        (401, client.get(world.url("/v1/plugins"))),
        (401, post("/v1/webhooks/woocommerce/demo").json(&json!({}))),
        (413, post("/v1/hooks/cart").header("Content-Type", "application/json").body("x".repeat(3 << 20))),
        (415, post("/v1/hooks/cart").body("{}")),
        (422, post("/v1/hooks/cart").json(&json!({ "cart": { "id": "c", "currency": "ZZZ", "lines": [] } }))),
    ] {
        let what = format!("{:?}", request);
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), Some(value), "{what}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{what}: {policy}"
        );
        assert!(policy.contains("base-uri 'none'") && !policy.contains("unsafe-eval"), "{what}: {policy}");
        let kept = answer.header("cache-control").expect("said");
        assert!(kept == "no-store" || kept.starts_with("private, max-age="), "{what}: {kept}");
        // By plain HTTP it would be ignored, or lie.
        assert_eq!(answer.header("strict-transport-security"), None, "{what}");
        assert_eq!(answer.header("server"), None, "{what}");
        assert!(answer.header("x-request-id").is_some(), "{what}");
    }
}
