//! Who is kept from whom: customers from plugins without the permission, one shop from another, one plugin from
//! another, and shoppers from where no plugin may send them.

use harness::{Setup, World, plugin_files};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::goods::{anna, cart, line, order_placed, product, products};
use crate::privacy::{EVENTS, EVERYTHING, everything_is_asked, everything_is_reported, seen};

const NOW: &str = "2026-11-30T09:00:00Z";
const LOYALTY: &[&str] = &["customers", "labels", "messages", "points", "state", "state-write", "timers"];
const STRANGER: &[&str] =
    &["catalog", "orders", "state", "state-write", "discounts", "delivery-options", "refusal", "timers"];

/// Whatever of an answer is a plugin's own.
fn own(answer: &Value, plugin: &str, found: &mut String) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| own(item, plugin, found)),
        Value::Object(fields) => {
            let named = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
            if named("plugin") == plugin || named("id").starts_with(&format!("{plugin}/")) {
                // The quote's signature is the host's: in so many letters any name may come up.
                let whole = fields.iter().filter(|(key, _)| *key != "quote");
                found.push_str(
                    &Value::Object(whole.map(|(key, value)| (key.clone(), value.clone())).collect())
                        .to_string(),
                );
            } else {
                fields.values().for_each(|value| own(value, plugin, found));
            }
        }
        _ => {}
    }
}

/// All that a spy got hold of by any hook, of a customer with a name, consents, a tier and so many points.
async fn gathered(spy: &str, grants: &[&str]) -> (String, String) {
    let tiers = "{ spend_per_point = { PLN = \"0.06\" }, tiers = [{ id = \"diamond\", points = 1 }] }";
    let world =
        Setup::new().plugin("loyalty-messages", LOYALTY, tiers).plugin(spy, grants, "{}").start().await;
    everything_is_reported(&world).await;
    // By now there is something to know.
    world
        .event("order-placed", "e20", &order_placed("1003", NOW, &[line("1", "mug", 1, 4_900)]))
        .await
        .json(202);
    world.later(2_000).await;
    let points = world.get("/v1/customers/c-anna/points").await.json(200);
    let mut text = seen(&world, spy).await;
    for hook in EVENTS {
        assert!(text.contains(&format!("seen/{hook} ")), "{hook} was seen: {text}");
    }
    for (hook, answer) in everything_is_asked(&world).await {
        let before = text.len();
        own(&answer, spy, &mut text);
        assert!(text.len() > before + 100, "{hook}: the spy answered: {answer}");
    }
    (text, points["points"].to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_without_the_permission_meets_nobody() {
    let (knowing, points) = gathered("spy", EVERYTHING).await;
    assert!(points.len() >= 3, "{points}");
    let customer = ["Anna", "c-anna", points.as_str(), "diamond", "marketing", "Consent"];
    for detail in customer {
        assert!(knowing.contains(detail), "what the permission shows has `{detail}`: {knowing}");
    }
    let (strange, same) = gathered("stranger", STRANGER).await;
    assert_eq!(points, same);
    for detail in customer {
        assert!(!strange.contains(detail), "without the permission there is `{detail}`: {strange}");
    }
    assert!(strange.contains("Stoneware mug") && strange.contains("Lovely!"), "it sees the rest: {strange}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_binary_does_not_ask_for_no_grant_gives() {
    let world = Setup::new().plugin("stranger", EVERYTHING, "{}").start().await;
    let told = world.get("/v1/plugins").await.json(200);
    let permissions = told["plugins"][0]["permissions"].to_string();
    assert!(permissions.contains("orders") && !permissions.contains("customers"), "{told}");
    everything_is_reported(&world).await;
    let strange = seen(&world, "stranger").await;
    assert!(!strange.contains("Anna") && !strange.contains("c-anna"), "{strange}");
}

const OTHER_KEY: &str = "cw_sk_other_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";

/// A second shop, with the same plugins as the first.
fn other_shop(plugins: &str) -> String {
    let hash: String = Sha256::digest(OTHER_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "name = \"Other\"\nurl = \"https://other.example\"\ncountry = \"DE\"\ncurrency = \"EUR\"\nzone = \
         \"Europe/Berlin\"\nmode = \"live\"\nlive_since = \"2026-01-01T00:00:00Z\"\n[[keys]]\nname = \"b\"\nkind = \
         \"secret\"\nsha256 = \"{hash}\"\n{plugins}"
    )
}

async fn as_other(world: &World, path: &str, body: &Value) -> harness::Answer {
    let request = world.client.post(world.url(path)).bearer_auth(OTHER_KEY).header("Idempotency-Key", path);
    world.send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_shop_reaches_nothing_of_another() {
    let grants = serde_json::to_string(EVERYTHING).unwrap();
    let plugins = format!(
        "[[plugins]]\nname = \"spy\"\nsource = \"spy.wasm\"\ngrants = {grants}\n[[plugins]]\nname = \"counter\"\nsource = \
         \"counter.wasm\"\ngrants = [\"state\", \"state-write\"]\n"
    );
    let world = Setup::new()
        .plugin("spy", EVERYTHING, "{}")
        .plugin("counter", &["state", "state-write"], "{}")
        .file("shops/other.toml", &other_shop(&plugins))
        .start()
        .await;
    // In the other shop the same ids are somebody and something else.
    world.catalogue(&products()).await;
    let mut theirs = product("mug", "Their secret mug", 900, true, &["theirs"]);
    theirs["currency"] = json!("EUR");
    theirs["url"] = json!("https://other.example/p/mug");
    let request = world.client.put(world.url("/v1/catalog/products")).bearer_auth(OTHER_KEY);
    let request = request.header("Content-Type", "application/x-ndjson").body(format!("{theirs}\n"));
    world.send(request).await.json(200);
    let mut beata = anna();
    beata["first_name"] = json!("Beata");
    let mut order = order_placed("1001", NOW, &[line("1", "mug", 1, 900)]);
    order["customer"] = beata.clone();
    order["order"]["currency"] = json!("EUR");
    order["order"]["number"] = json!("#their-number");
    as_other(&world, "/v1/hooks/customer-created", &json!({ "customer": beata })).await.json(202);
    as_other(&world, "/v1/hooks/order-placed", &order).await.json(202);
    world.settle().await;

    // Nothing of it is here.
    for path in ["/v1/orders/1001/timeline", "/v1/customers/c-anna/timeline", "/v1/customers/c-anna/points"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    assert_eq!(world.post("/v1/hooks/order-status", &json!({ "order_id": "1001" })).await.status, 404);
    let ask = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]), "customer_id": "c-anna" });
    let alone = world.post("/v1/hooks/cart", &ask).await.json(200).to_string();
    assert!(alone.contains("added 0, put 0"), "{alone}");

    // And when both have an order 1001, a mug, a customer c-anna, each has its own.
    world.event("customer-created", "e1", &json!({ "customer": anna() })).await.json(202);
    let ours = order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]);
    world.event("order-placed", "e2", &ours).await.json(202);
    world.settle().await;
    let here = world.post("/v1/hooks/cart", &ask).await.json(200).to_string() + &seen(&world, "spy").await;
    let mut their_ask = ask.clone();
    their_ask["cart"]["currency"] = json!("EUR");
    let there = as_other(&world, "/v1/hooks/cart", &their_ask).await.json(200).to_string();
    for (text, own, foreign) in [
        (&here, ["Anna", "Stoneware mug", "grove.example"], ["Beata", "secret mug", "their-number"]),
        (&there, ["Beata", "Their secret mug", "other.example"], ["Anna", "Stoneware", "grove.example"]),
    ] {
        for detail in own {
            assert!(text.contains(detail), "no `{detail}` in {text}");
        }
        for detail in foreign {
            assert!(!text.contains(detail), "`{detail}` of the other shop is in {text}");
        }
        assert!(text.contains("added 1, put 1"), "each counted its own order: {text}");
    }
    // A key opens its own shop only.
    let swapped = OTHER_KEY.replace("_other_", "_demo_");
    let answer = world.send(world.client.get(world.url("/v1/plugins")).bearer_auth(swapped)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_plugin_reads_nothing_of_anothers_state() {
    let grants: &[&str] = &["state", "state-write"];
    let mut world = Setup::new().plugin("counter", grants, "{}").start().await;
    let order = |id: &str| order_placed(id, NOW, &[line("1", "mug", 1, 4_900)]);
    world.event("order-placed", "e1", &order("1")).await.json(202);
    world.settle().await;
    // The same file under another name is another plugin.
    world.write("plugins/second.wasm", std::fs::read(plugin_files().join("counter.wasm")).unwrap());
    world.edit(|setup| setup.plugin("second", grants, "{}"));
    assert_eq!(world.reload().await, Vec::<String>::new());
    let counted = async |world: &World| {
        let ask = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
        let answer = world.post("/v1/hooks/cart", &ask).await.json(200);
        let told: Vec<String> = answer["notices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|notice| {
                format!("{}: {}", notice["plugin"].as_str().unwrap(), notice["text"].as_str().unwrap())
            })
            .collect();
        told
    };
    assert_eq!(counted(&world).await, ["counter: added 1, put 1", "second: added 0, put 0"]);
    world.event("order-placed", "e2", &order("2")).await.json(202);
    world.settle().await;
    assert_eq!(counted(&world).await, ["counter: added 2, put 2", "second: added 1, put 1"]);
}

/// Where browsers, mail programs or careless parsers could be led astray.
const ASTRAY: [&str; 34] = [
    "https://evil.example/",
    "http://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:\\\\evil.example\\x",
    "/{tab}/evil.example/",
    "{tab}//evil.example/",
    "{line}//evil.example/",
    "https://evil.example\\@grove.example/",
    "https://grove.example@evil.example/",
    "https://grove.example:443@evil.example/",
    "https://user:password@grove.example/",
    "https://evil.example#@grove.example/",
    "https://evil.example?@grove.example/",
    "https://grove.example.evil.example/",
    "https://evilgrove.example/",
    "https://grove.example%2eevil.example/",
    "https://gr\u{43e}ve.example/",
    "https://xn--grve-e5d.example/",
    "https://grove.example\u{3002}evil.example/",
    "https://sub.partner.example/",
    "https://partner.example.evil.example/",
    "https://0x7f000001/",
    "https://[::1]/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//grove.example",
    "java{tab}script:alert(1)",
    "java{line}script:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://grove.example/1",
];
const HOME: [&str; 6] = [
    "https://grove.example/gifts",
    "https://GROVE.example/gifts",
    "/gifts?for=you",
    "https:/gifts",
    "https://partner.example/offer",
    "ht{tab}tps://grove.example/gifts",
];

/// Only to the shop's own host and to the granted one, over HTTPS, by name alone.
fn is_home(link: &str) -> bool {
    let url = reqwest::Url::parse(link).unwrap();
    url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && ["grove.example", "partner.example"].contains(&url.host_str().unwrap_or_default())
        && link.chars().all(|c| c.is_ascii_graphic() && c != '\\')
}

async fn linker() -> World {
    // What is refused again and again would be left alone.
    let setup = Setup::new().host("[breaker]\ncalls = 1000000\n");
    setup.plugin_with("linker", &["messages"], "hosts = [\"partner.example\"]").start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_leads_only_to_the_shop_and_to_granted_hosts() {
    let world = linker().await;
    let ask = async |how: &str, link: &str| {
        let mut cart = cart(&[line("1", "mug", 1, 4_900)]);
        cart["attributes"] = json!([{ "key": "gift-note", "value": format!("{how}|{link}") }]);
        world.post("/v1/hooks/cart", &json!({ "cart": cart })).await.json(200)
    };
    for (how, list, field) in [("block", "blocks", "link"), ("image", "blocks", "image")] {
        for link in HOME {
            let answer = ask(how, link).await;
            let shown = answer[list][0][field].as_str().unwrap_or_else(|| panic!("{how} {link}: {answer}"));
            assert!(is_home(shown), "{how} {link}: {shown}");
        }
        for link in ASTRAY {
            let answer = ask(how, link).await;
            if let Some(shown) = answer[list][0][field].as_str() {
                panic!("{how} `{link}` leads to {shown}: {answer}");
            }
            assert!(answer["warnings"].to_string().contains("linker"), "{how} {link}: {answer}");
        }
    }
    for link in HOME {
        let answer = ask("notice", link).await;
        assert!(answer["notices"][0]["text"].as_str().unwrap().contains("https://"), "{link}: {answer}");
    }
    for link in ASTRAY {
        let answer = ask("notice", link).await;
        assert_eq!(answer["notices"], json!([]), "{link}: {answer}");
        assert!(answer["warnings"].to_string().contains("linker"), "{link}: {answer}");
    }
}

/// The addresses of a mail's links and pictures.
fn addresses(html: &str) -> Vec<String> {
    ["href=\"", "src=\"", "href='", "src='"]
        .iter()
        .flat_map(|start| {
            let end = start.chars().last().unwrap();
            html.split(start).skip(1).map(move |rest| rest.split(end).next().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_leads_only_to_the_shop_and_to_granted_hosts() {
    let world = linker().await;
    let sent = async |how: &str, id: String, link: &str| {
        let mut order = order_placed(&id, NOW, &[line("1", "mug", 1, 4_900)]);
        order["order"]["attributes"] = json!([{ "key": "gift-note", "value": format!("{how}|{link}") }]);
        let before = world.mails().len();
        world.event("order-placed", &id, &order).await.json(202);
        world.settle().await;
        world.mails().split_off(before)
    };
    for (number, link) in HOME.iter().enumerate() {
        let mails = sent("url", format!("home-{number}"), link).await;
        let home = ["https://grove.example/", "https://partner.example/"];
        let leads = addresses(&mails[0].html);
        assert!(
            leads.iter().filter(|link| home.iter().any(|home| link.starts_with(home))).count() >= 3,
            "{leads:?}"
        );
    }
    for (number, link) in ASTRAY.iter().enumerate() {
        // Called a link, it is refused at once; called a word, it is taken out of the finished mail.
        let mails = sent("url", format!("url-{number}"), link).await;
        assert_eq!(mails.len(), 0, "{link}");
        let mails = sent("word", format!("word-{number}"), link).await;
        let [mail] = mails.as_slice() else { panic!("{link}: {mails:?}") };
        for address in addresses(&mail.html) {
            let own = address.starts_with("mailto:help@grove.example") || address.starts_with("tel:+4822");
            assert!(own || is_home(&address), "{link}: {address}");
        }
        for sign in ["evil", "script:", "data:", "blob:", "file:"] {
            assert!(!mail.html.contains(sign) && !mail.text.contains(sign), "{link}: {}", mail.html);
        }
    }
}
