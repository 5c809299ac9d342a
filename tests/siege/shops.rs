//! The two shops: a calm one with the first-party plugins, and the one that is hostile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use harness::hostile::Case;
use harness::plugin_files;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::load::Make;

const CALM: &str = include_str!("../../host/src/cli/demo/shop/lipa.toml");
const PRODUCTS: &str = include_str!("../../host/src/cli/demo/shop/products.ndjson");
const HOSTILE: &str = r#"
name = "Elsewhere"
url = "https://elsewhere.example"
country = "PL"
currency = "PLN"
locales = ["en"]
zone = "Europe/Warsaw"
mode = "live"
live_since = "2026-01-01T00:00:00Z"
"#;
/// A plugin that does no harm, before the hostile one comes.
pub const HARMLESS: &str = "\n[[plugins]]\nname = \"stamp-one\"\nsource = \"stamp_one.wasm\"\n\
                            grants = [\"delivery-options\"]\nsettings = { mark = \"a\" }\n";

/// The calm shop has several: the default rate holds for each key.
const CALM_KEYS: [&str; 8] = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];

fn key(shop: &str, name: &str) -> String {
    format!("cw_sk_{shop}_{name:A<43}")
}

fn key_entry(shop: &str, name: &str) -> String {
    let hash: String = Sha256::digest(key(shop, name)).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\n[[keys]]\nname = \"{name}\"\nkind = \"secret\"\nsha256 = \"{hash}\"\n")
}

/// Writes both, with a host's file that leaves the limits as they are by default.
pub fn write(folder: &Path) -> anyhow::Result<()> {
    for name in ["shops", "plugins", "templates"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    std::fs::write(folder.join("cartwright.toml"), "[log]\nfilter = \"warn\"\n")?;
    std::fs::write(folder.join("shops/woocommerce.secret"), "a woocommerce secret")?;
    let keys: String = CALM_KEYS.iter().map(|name| key_entry("lipa", name)).collect();
    std::fs::write(folder.join("shops/lipa.toml"), format!("{CALM}{keys}"))?;
    // Those that its plugins name, and the harmless one.
    for source in CALM.lines().chain(HARMLESS.lines()).filter_map(|line| line.strip_prefix("source = ")) {
        let source = source.trim_matches('"');
        std::fs::copy(plugin_files().join(source), folder.join("plugins").join(source))?;
    }
    enable(folder, HARMLESS)
}

/// What the hostile shop's file says of plugins.
pub fn enable(folder: &Path, entries: &str) -> anyhow::Result<()> {
    // The second key is the siege's own: the first may ask no more under load.
    let keys = key_entry("hostile", "k1") + &key_entry("hostile", "k2");
    let text = format!("{HOSTILE}{keys}{entries}");
    // As an editor does: nobody sees half a file.
    let part = folder.join("shops/hostile.toml.part");
    std::fs::write(&part, text)?;
    Ok(std::fs::rename(part, folder.join("shops/hostile.toml"))?)
}

/// Puts the plugin's file where the host looks for it.
pub fn offer(folder: &Path, case: &Case) -> anyhow::Result<()> {
    let part = folder.join("plugins/offered.part");
    std::fs::copy(&case.file, &part)?;
    Ok(std::fs::rename(part, offered(folder, case))?)
}

/// The same again: the host sees that it was written, and reads it anew.
pub fn offer_again(folder: &Path, case: &Case) -> std::io::Result<()> {
    let file = std::fs::File::options().append(true).open(offered(folder, case))?;
    file.set_modified(std::time::SystemTime::now())
}

fn offered(folder: &Path, case: &Case) -> PathBuf {
    folder.join("plugins").join(format!("{}.wasm", case.name))
}

/// A client of one host.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub fn new(address: std::net::SocketAddr) -> anyhow::Result<Self> {
        // Half of `http.idle_seconds`: a host that was stopped for longer closes what idled when it goes on.
        let idle = Duration::from_secs(10);
        let http =
            reqwest::Client::builder().pool_max_idle_per_host(1_024).pool_idle_timeout(idle).build()?;
        Ok(Self { http, base: format!("http://{address}") })
    }

    /// Products and customers of the calm shop.
    pub async fn furnish(&self) -> anyhow::Result<()> {
        let request = self.http.put(format!("{}/v1/catalog/products", self.base));
        let request = request.bearer_auth(key("lipa", CALM_KEYS[0])).body(PRODUCTS);
        let answer = request.header("Content-Type", "application/x-ndjson").send().await?;
        anyhow::ensure!(answer.status().is_success(), "{}", answer.text().await?);
        let ania = json!({ "first_name": "Ania", "locale": "en", "zone": "Europe/Warsaw" });
        let request = self.http.put(format!("{}/v1/customers/7", self.base));
        let answer = request.bearer_auth(key("lipa", CALM_KEYS[0])).json(&ania).send().await?;
        anyhow::ensure!(answer.status().is_success(), "{}", answer.text().await?);
        Ok(())
    }

    /// The calm shop's checkout.
    pub fn checkouts(&self) -> Make {
        let client = self.clone();
        let body: Arc<str> = json!({ "cart": cart(), "customer_id": "7", "locale": "en" }).to_string().into();
        Arc::new(move |number| {
            let name = CALM_KEYS[number as usize % CALM_KEYS.len()];
            client.post("/v1/hooks/checkout", "lipa", name, body.to_string())
        })
    }

    /// What makes a hook of the hostile shop's plugin be called.
    pub fn pressure(&self, hook: &str) -> anyhow::Result<Make> {
        let client = self.clone();
        if harness::hostile::is_decision(hook) {
            return Ok(Arc::new(move |number| {
                // Each is another's cart: a plugin's seed is made from it.
                let mut cart = cart();
                cart["id"] = json!(format!("cart-{number}"));
                let body = json!({ "cart": cart, "locale": "en" }).to_string();
                client.post("/v1/hooks/checkout", "hostile", "k1", body)
            }));
        }
        // A timer is set by an order.
        anyhow::ensure!(
            ["order-placed", "timer"].contains(&hook),
            "the siege places orders only; `{hook}` is called by none"
        );
        Ok(Arc::new(move |number| {
            let id = format!("order-{number}");
            client
                .post("/v1/hooks/order-placed", "hostile", "k1", order(&id).to_string())
                .header("Idempotency-Key", id)
        }))
    }

    fn post(&self, path: &str, shop: &str, name: &str, body: String) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(key(shop, name));
        request.header("Content-Type", "application/json").body(body)
    }

    /// `GET /v1/plugins` of the hostile shop.
    pub async fn plugins(&self) -> anyhow::Result<Value> {
        self.get("/v1/plugins").await
    }

    /// A failed attempt of a plugin of the hostile shop, when there is one.
    pub async fn failure(&self, plugin: &str) -> anyhow::Result<Option<Value>> {
        let failed = self.get(&format!("/v1/jobs?state=failed&plugin={plugin}&limit=1")).await?;
        let Some(id) = failed["jobs"][0]["id"].as_str() else { return Ok(None) };
        Ok(self.get(&format!("/v1/jobs/{id}")).await?["failures"].get(0).cloned())
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(key("hostile", "k2"));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    pub async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.http.get(format!("{}/metrics", self.base)).send().await?.text().await?)
    }
}

/// Five lines, to Kraków.
fn cart() -> Value {
    let line = |id: &str, product: &str, quantity: u32, price: i64| {
        json!({ "id": id, "product": product, "title": "A thing", "quantity": quantity, "unit_price": price,
                "weight_grams": 280 })
    };
    json!({
        "id": "cart-1", "currency": "PLN", "prices_include_tax": true,
        "lines": [line("1", "101", 1, 19_900), line("2", "102", 2, 4_900), line("3", "103", 1, 3_900),
                  line("4", "104", 1, 32_900), line("5", "105", 3, 1_200)],
        "destination": { "country": "PL", "city": "Kraków", "postcode": "31-147" },
        "payment_methods": [{ "id": "card", "name": "Card" }, { "id": "cod", "name": "Cash on delivery" }],
    })
}

fn order(id: &str) -> Value {
    json!({
        "order": {
            "id": id, "number": id, "placed_at": jiff::Timestamp::now().to_string(), "currency": "PLN",
            "lines": [{ "id": "1", "product": "101", "title": "A thing", "quantity": 1, "unit_price": 4_900 }],
            "destination": { "country": "PL", "postcode": "00-001", "city": "Warszawa" },
            "delivery": { "id": "post", "title": "Post", "price": 1_500 },
            "payment_method": "card", "prices_include_tax": true, "subtotal": 4_900, "total": 6_400,
        },
        "customer": {
            "id": "c-1", "first_name": "Anna", "email": "anna@mail.example", "locale": "en",
            "zone": "Europe/Warsaw", "consents": [],
        },
    })
}
