//! What a stolen publishable key opens: decision hooks, and no customer. And where keys and secrets do not show.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, RequestBuilder};
use sha2::Sha256;

use super::*;
use crate::command::{cartwright, said as printed};
use crate::goods::{anna, order_placed, product};

const DECISIONS: [&str; 4] =
    ["/v1/hooks/product-page", "/v1/hooks/cart", "/v1/hooks/checkout", "/v1/hooks/order-status"];
const NOW: &str = "2026-11-30T09:00:00Z";
const TOKEN_SECRET: &[u8] = b"a customer token secret of 32 bytes!";
const ORIGIN: &str = "https://grove.example";

fn mac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A JWT (RFC 7519).
fn token(secret: &[u8], header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac(secret, signed.as_bytes())))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publishable_key_opens_decision_hooks_and_nothing_else() {
    let world = shop().await;
    let document = world.get("/openapi.json").await.json(200);
    let (mut opened, mut closed) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let what = format!("{method} {path}");
            let filled = path.replace("{shop}", "demo").replace(['{', '}'], "x");
            let request = || world.client.request(method.clone(), world.url(&filled)).json(&json!({}));
            let browser = || request().bearer_auth(&world.publishable_key).header("Origin", ORIGIN);
            let bare = world.send(request()).await;
            let stolen = world.send(browser()).await;
            let keys = operation["security"].as_array().map_or(&[][..], Vec::as_slice);
            let names = |kind: &str| keys.iter().any(|key| key.get(kind).is_some());
            if keys.is_empty() {
                // Without a key, and a key changes nothing.
                assert_eq!(stolen.status, bare.status, "{what}");
                assert!(!DECISIONS.contains(&path.as_str()), "{what}");
                continue;
            }
            assert_eq!(bare.status, 401, "{what}: {}", bare.text);
            for wrong in ["cw_sk_demo_x", "cw_pk_demo_x", &world.publishable_key.replace("_pk_", "_sk_")] {
                assert_eq!(world.send(request().bearer_auth(wrong)).await.status, 401, "{what} with {wrong}");
            }
            assert_eq!(names("publishable_key"), DECISIONS.contains(&path.as_str()), "{what}");
            assert!(names("secret_key"), "{what}");
            if names("publishable_key") {
                assert!(![401, 403].contains(&stolen.status), "{what}: {}", stolen.text);
                let elsewhere = request().bearer_auth(&world.publishable_key);
                let elsewhere = elsewhere.header("Origin", "https://evil.example");
                assert_eq!(world.send(elsewhere).await.status, 403, "{what}");
                let elsewhere = request().bearer_auth(&world.publishable_key);
                assert_eq!(world.send(elsewhere).await.status, 403, "{what} from no browser");
                opened += 1;
            } else {
                assert_eq!(stolen.status, 403, "{what}: {}", stolen.text);
                assert_eq!(stolen.json(403)["type"], "/problems/secret-key-required", "{what}");
                closed += 1;
            }
        }
    }
    assert_eq!(opened, 5, "four hooks, one of them in two methods");
    assert!(closed >= 25, "{closed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_customer_is_named_without_a_token_of_the_shop() {
    let grants = &[
        "catalog",
        "customers",
        "orders",
        "state",
        "state-write",
        "discounts",
        "delivery-options",
        "refusal",
        "timers",
    ];
    let world = Setup::new().plugin("spy", grants, "{}").start().await;
    world.catalogue(&[product("mug", "Stoneware mug", 4_900, true, &[])]).await;
    world.event("customer-created", "e0", &json!({ "customer": anna() })).await.json(202);
    let mut order = order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]);
    order["customer"] = anna();
    world.event("order-placed", "e1", &order).await.json(202);
    world.settle().await;
    let now = world.clock.now_ms() / 1_000;
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({ "sub": "c-anna", "aud": "demo", "exp": now + 60 });
        change(&mut claims);
        token(TOKEN_SECRET, &header, &claims)
    };
    let good = claims(&|_| ());
    let unsigned = |alg: &str| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({ "alg": alg })), good.split('.').nth(1).unwrap())
    };
    let another = json!({ "sub": "c-anna", "aud": "demo", "exp": now + 60 });
    let bad = [
        ("of another shop", claims(&|claims| claims["aud"] = json!("other"))),
        ("for many, not this one", claims(&|claims| claims["aud"] = json!(["other", "demo2", "DEMO"]))),
        ("for nobody", claims(&|claims| drop(claims.as_object_mut().unwrap().remove("aud")))),
        ("of no one", claims(&|claims| claims["sub"] = json!(""))),
        ("expired", claims(&|claims| claims["exp"] = json!(now - 1))),
        ("without an end", claims(&|claims| drop(claims.as_object_mut().unwrap().remove("exp")))),
        ("for too long", claims(&|claims| claims["exp"] = json!(now + 3 * 86_400))),
        ("not yet", claims(&|claims| claims["nbf"] = json!(now + 3_600))),
        ("of another secret", token(b"another shop's secret of 32 bytes", &header, &another)),
        ("signed with what a browser has", token(world.publishable_key.as_bytes(), &header, &another)),
        ("signed with nothing", token(b"", &header, &another)),
        ("of no algorithm", unsigned("none")),
        ("of no algorithm, written large", unsigned("None")),
        ("of another algorithm", token(TOKEN_SECRET, &json!({ "alg": "HS512" }), &another)),
        ("without its signature", unsigned("HS256")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("no token", "anna".to_owned()),
        ("empty", String::new()),
    ];
    let cart = cart(&[line("1", "mug", 1, 4_900)]);
    for path in DECISIONS {
        let ask = |name: &str, value: &str| -> RequestBuilder {
            let mut body = match path {
                "/v1/hooks/product-page" => json!({ "product": "mug" }),
                "/v1/hooks/order-status" => json!({ "order_id": "1001" }),
                _ => json!({ "cart": cart }),
            };
            if !name.is_empty() {
                body[name] = json!(value);
            }
            let request = world.client.post(world.url(path)).bearer_auth(&world.publishable_key);
            request.header("Origin", ORIGIN).json(&body)
        };
        let by_id = world.send(ask("customer_id", "c-anna")).await;
        assert_eq!(by_id.status, 403, "{path}: {}", by_id.text);
        for (what, token) in &bad {
            let answer = world.send(ask("customer_token", token)).await;
            assert_eq!(answer.status, 403, "{path}: a token {what}: {}", answer.text);
            assert_eq!(answer.json(403)["type"], "/problems/customer-token", "{path}: {what}");
            assert!(!answer.text.contains("Anna") && !answer.text.contains("c-anna"), "{path}: {what}");
        }
        // Nobody: no name in the answer, and no order.
        let nobody = world.send(ask("", "")).await;
        assert!(!nobody.text.contains("Anna"), "{path}: {}", nobody.text);
        assert_eq!(nobody.status == 200, path != "/v1/hooks/order-status", "{path}: {}", nobody.text);
        let named = world.send(ask("customer_token", &good)).await;
        assert_eq!(named.status, 200, "{path}: {}", named.text);
        assert!(named.text.contains("Anna"), "{path}: {}", named.text);
    }
}

#[test]
fn secrets_are_compared_in_constant_time() {
    for file in [
        "http/keys.rs",
        "http/tokens.rs",
        "http/mail_feedback.rs",
        "domain/signature.rs",
        "adapters/woocommerce/signature.rs",
        "decide/quote.rs",
    ] {
        let text = std::fs::read_to_string(harness::project().join("host/src").join(file)).unwrap();
        assert!(text.contains(".ct_eq(") || text.contains(".verify_slice("), "{file}");
    }
}

/// The command, as it runs in production, with everything of its own in the log.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_secret_or_token_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let init = cartwright().current_dir(&folder).arg("init").output().unwrap();
    let text = printed(&init);
    let key = |kind: &str| text.split_whitespace().find(|word| word.starts_with(kind)).unwrap().to_owned();
    let (secret_key, publishable_key) = (key("cw_sk_"), key("cw_pk_"));
    let (tokens, woo, password) =
        ("kept-for-customer-tokens-32-bytes!!", "kept-for-woocommerce", "kept-for-mails");
    let hooks = STANDARD.encode(b"kept for webhooks out, 32 bytes!");
    let file = folder.path().join("shops/my-shop.toml");
    let shop = std::fs::read_to_string(&file).unwrap();
    for (name, secret) in [("tokens", tokens), ("woo", woo), ("mail", password)] {
        std::fs::write(folder.path().join(format!("shops/{name}.secret")), secret).unwrap();
    }
    std::fs::write(folder.path().join("shops/hooks.secret"), format!("whsec_{hooks}")).unwrap();
    let more = "customer_tokens = { secret = { file = \"tokens.secret\" } }\nwoocommerce = { secret = { file = \"woo.secret\" } }\n\
                mail_feedback = { basic = { username = \"postmark\", password = { file = \"mail.secret\" } } }\n";
    let endpoint = "\n[[webhooks]]\nname = \"erp\"\nurl = \"http://127.0.0.1:9/in\"\ntopics = [\"*\"]\n\
                    secret = { file = \"hooks.secret\" }\n";
    std::fs::write(&file, format!("{more}{shop}{endpoint}")).unwrap();

    let mut process = cartwright()
        .current_dir(&folder)
        .env("CARTWRIGHT_LOG", "trace")
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (told, lines) = mpsc::channel();
    let stderr = BufReader::new(process.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        stderr.lines().map_while(Result::ok).for_each(|line| drop(told.send(line)));
    });
    let mut log = String::new();
    let address = loop {
        let line = lines.recv_timeout(FAR).expect("it listens");
        log.push_str(&line);
        log.push('\n');
        if let Some((_, rest)) = line.split_once("127.0.0.1:").filter(|_| line.contains("listening")) {
            break rest.chars().take_while(char::is_ascii_digit).collect::<String>();
        }
    };
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://127.0.0.1:{address}{path}");
    let now = jiff::Timestamp::now().as_second();
    let good = token(
        tokens.as_bytes(),
        &json!({ "alg": "HS256" }),
        &json!({ "sub": "c-1", "aud": "my-shop", "exp": now + 600 }),
    );
    let forged = token(
        b"forged",
        &json!({ "alg": "HS256" }),
        &json!({ "sub": "c-1", "aud": "my-shop", "exp": now + 600 }),
    );
    let mut cart = cart(&[line("1", "mug", 1, 4_900)]);
    cart["currency"] = json!("EUR");
    let ask = |key: &str, token: &str| {
        let request =
            client.post(url("/v1/hooks/cart")).bearer_auth(key).header("Origin", "https://shop.example");
        request.json(&json!({ "cart": cart, "customer_token": token }))
    };
    let stray = "cw_sk_my-shop_StrayKeyOfSomebodyElse0000000000000000000";
    let body = br#"{"id": 1}"#;
    let signature = STANDARD.encode(mac(woo.as_bytes(), body));
    let webhook = |signature: &str| {
        let request = client.post(url("/v1/webhooks/woocommerce/my-shop")).body(body.to_vec());
        request.header("X-WC-Webhook-Signature", signature).header("X-WC-Webhook-Topic", "order.updated")
    };
    let mails =
        |password: &str| client.post(url("/v1/webhooks/mail/my-shop")).basic_auth("postmark", Some(password));
    let mut asked = 0;
    for (request, expected) in [
        (ask(&publishable_key, &good), &[200][..]),
        (ask(&publishable_key, &forged), &[403]),
        (ask(&secret_key, &good), &[200]),
        (ask(stray, &good), &[401]),
        (client.get(url(&format!("/v1/plugins?key={secret_key}"))).bearer_auth(&secret_key), &[200, 400]),
        (client.get(url(&format!("/v1/{secret_key}"))), &[404]),
        (client.get(url("/v1/plugins")).header("Cookie", format!("key={secret_key}")), &[401]),
        (webhook(&signature), &[200, 202, 400, 422]),
        (webhook(&STANDARD.encode(b"wrong")), &[401]),
        (mails(password).json(&json!({ "RecordType": "Delivery" })), &[200, 202, 204, 400, 422]),
        (mails("guessed-password").json(&json!({})), &[401]),
        (client.post(url("/v1/webhooks/endpoints/erp/test")).bearer_auth(&secret_key), &[200, 202, 502]),
        (client.get(url("/v1/webhooks/endpoints")).bearer_auth(&secret_key), &[200]),
    ] {
        let response = request.send().await.unwrap();
        assert!(expected.contains(&response.status().as_u16()), "{response:?}");
        asked += 1;
    }
    // Until each is in the log: it is written when the answer is.
    while log.matches("answered").count() < asked {
        log.push_str(&lines.recv_timeout(FAR).expect("every request is in the log"));
        log.push('\n');
    }
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap();
    lines.try_iter().for_each(|line| log.push_str(&line));
    // It may have an underscore of its own.
    let random = |key: &str| key.splitn(4, '_').nth(3).unwrap().to_owned();
    for (what, secret) in [
        ("the secret key", random(&secret_key)),
        ("the publishable key", random(&publishable_key)),
        ("a stray key", random(stray)),
        ("a token", good.rsplit('.').next().unwrap().to_owned()),
        ("a forged token", forged.rsplit('.').next().unwrap().to_owned()),
        ("the secret of tokens", tokens.to_owned()),
        ("the secret of WooCommerce", woo.to_owned()),
        ("a webhook's signature", signature),
        ("the password of reports", password.to_owned()),
        ("a guessed password", "guessed-password".to_owned()),
        ("the password in base64", STANDARD.encode(format!("postmark:{password}"))),
        ("the secret of webhooks out", hooks),
    ] {
        assert!(secret.len() > 10 && !log.contains(&secret), "{what} is in the log: {log}");
    }
    assert!(log.contains("key=\"server\"") && log.contains("key=\"browser\""), "keys by their names: {log}");
}
