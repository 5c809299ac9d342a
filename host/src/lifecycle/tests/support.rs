//! A shop, a store in a folder of its own, and plugins that are closures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tempfile::TempDir;

use crate::config::calendar::Calendar;
use crate::config::{HostConfig, Limits, PluginEntry, ShopConfig};
use crate::domain::*;
use crate::lifecycle::{Accepted, Identity, IntakeError, Lifecycle, Plugins};
use crate::plugins::call::{Fault, Invocation, Outcome};
use crate::plugins::code::Code;
use crate::plugins::manifest::Manifest;
use crate::plugins::registry::{LivePlugin, LiveShop, Plugin, Snapshot};
use crate::store::{JobFilter, JobState, JobView, Store};
use crate::wording::Wording;

pub const NOW: i64 = 1_795_000_000_000;
pub const MINUTE: i64 = 60_000;
pub const QUOTE_KEY: [u8; 32] = [7; 32];

pub type Asked = Result<(Vec<Effect>, Vec<StateRead>), Fault>;
pub type Script = Arc<dyn Fn(Invocation) -> BoxFuture<'static, Asked> + Send + Sync>;

/// What a call was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub plugin: String,
    pub hook: Hook,
    pub order: Option<String>,
    pub seed: u64,
    pub now_ms: i64,
    pub late: bool,
}

pub struct Fake {
    snapshot: Mutex<Arc<Snapshot>>,
    script: Mutex<Script>,
    calls: Mutex<Vec<Call>>,
}

#[async_trait]
impl Plugins for Fake {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap())
    }

    async fn call(&self, invocation: Invocation) -> Outcome {
        self.calls.lock().unwrap().push(Call {
            plugin: invocation.plugin.entry.name.clone(),
            hook: invocation.hook,
            order: invocation.order_id.clone(),
            seed: invocation.surroundings.seed,
            now_ms: invocation.surroundings.now_ms,
            late: invocation.surroundings.late,
        });
        let script = Arc::clone(&self.script.lock().unwrap());
        let (result, reads) = match script(invocation).await {
            Ok((effects, reads)) => (Ok(effects), reads),
            Err(fault) => (Err(fault), Vec::new()),
        };
        Outcome { result, reads, elapsed: Duration::ZERO }
    }
}

pub struct House {
    pub lifecycle: Lifecycle,
    pub store: Store,
    pub clock: Clock,
    pub fake: Arc<Fake>,
    pub shop: Arc<LiveShop>,
    pub folder: TempDir,
    names: AtomicUsize,
}

impl House {
    /// A shop `demo` with these plugins, subscribed to every event hook.
    pub async fn new(plugins: &[&str]) -> Self {
        Self::open(tempfile::tempdir().unwrap(), plugins, NOW).await
    }

    pub async fn open(folder: TempDir, plugins: &[&str], now_ms: i64) -> Self {
        let store = open_store(&folder).await.unwrap();
        let clock = Clock::still_at(now_ms);
        let shop = live_shop("demo", plugins);
        let fake = Arc::new(Fake {
            snapshot: Mutex::new(snapshot([Arc::clone(&shop)])),
            script: Mutex::new(Arc::new(|_| Box::pin(async { Ok((Vec::new(), Vec::new())) }))),
            calls: Mutex::default(),
        });
        let plugins: Arc<dyn Plugins> = Arc::clone(&fake) as _;
        let lifecycle = Lifecycle::new(plugins, store.clone(), clock.clone(), Arc::new(QUOTE_KEY));
        Self { lifecycle, store, clock, fake, shop, folder, names: AtomicUsize::new(0) }
    }

    /// As after a crash: nothing is closed in order.
    pub async fn crash(self, plugins: &[&str]) -> Self {
        let Self { lifecycle, store, clock, fake, shop, folder, .. } = self;
        // Where hosts share a database, what one of them had in hand comes free when its time is over.
        let shared = std::env::var_os("CARTWRIGHT_TEST_DATABASE").is_some();
        let now_ms = clock.now_ms() + if shared { 5 * MINUTE } else { 0 };
        drop((lifecycle, store, clock, fake, shop));
        Self::open(folder, plugins, now_ms).await
    }

    pub fn script(&self, script: impl Fn(Invocation) -> BoxFuture<'static, Asked> + Send + Sync + 'static) {
        *self.fake.script.lock().unwrap() = Arc::new(script);
    }

    /// Each call asks for the same.
    pub fn effects(&self, effects: impl Fn(&Invocation) -> Vec<Effect> + Send + Sync + 'static) {
        self.script(move |invocation| {
            let effects = effects(&invocation);
            Box::pin(async move { Ok((effects, Vec::new())) })
        });
    }

    pub fn calls(&self) -> Vec<Call> {
        self.fake.calls.lock().unwrap().clone()
    }

    pub fn hooks(&self) -> Vec<Hook> {
        self.calls().iter().map(|call| call.hook).collect()
    }

    pub fn snapshot(&self, shops: impl IntoIterator<Item = Arc<LiveShop>>) {
        *self.fake.snapshot.lock().unwrap() = snapshot(shops);
    }

    pub fn live(&self, snapshot: Arc<Snapshot>) {
        *self.fake.snapshot.lock().unwrap() = snapshot;
    }

    pub async fn accept(&self, name: &str, event: Event) -> Result<Accepted, IntakeError> {
        self.accept_body(name, 0, event).await
    }

    pub async fn accept_body(&self, name: &str, body: u8, event: Event) -> Result<Accepted, IntakeError> {
        let identity = Identity { source: "api".to_owned(), id: name.to_owned(), fingerprint: [body; 32] };
        self.lifecycle.accept(&self.shop, identity, event).await
    }

    /// Accepts it as new, under a name of its own.
    pub async fn report(&self, event: Event) -> String {
        let name = self.names.fetch_add(1, Ordering::SeqCst).to_string();
        match self.accept(&name, event).await.unwrap() {
            Accepted::New { event_id } => event_id,
            other => panic!("not new: {other:?}"),
        }
    }

    pub async fn step(&self) -> Option<i64> {
        self.lifecycle.step().await.unwrap()
    }

    /// The newest first.
    pub async fn jobs(&self, state: Option<JobState>) -> Vec<JobView> {
        let filter = JobFilter { state, limit: 1_000, ..JobFilter::default() };
        self.store.jobs("demo", &filter).await.unwrap()
    }

    pub async fn state(&self, key: &str) -> Option<String> {
        let owner = owner("p");
        self.store.state(&owner, &[key.to_owned()]).await.unwrap().remove(0).value
    }
}

pub async fn open_store(folder: &TempDir) -> crate::store::Result<Store> {
    crate::store::testing::open(folder.path()).await
}

pub fn owner(plugin: &str) -> StateOwner {
    StateOwner {
        shop: "demo".to_owned(),
        plugin: plugin.to_owned(),
        scope: Scope::Shop,
        subject: String::new(),
    }
}

/// A host that does so much at once.
pub fn snapshot_of(concurrent_events: u32, shops: impl IntoIterator<Item = Arc<LiveShop>>) -> Arc<Snapshot> {
    let mut host = HostConfig::default();
    host.limits.concurrent_events = concurrent_events;
    let Snapshot { generation, shops, problems, waiting, .. } = Arc::into_inner(snapshot(shops)).unwrap();
    Arc::new(Snapshot { generation, host: Arc::new(host), shops, problems, waiting })
}

fn snapshot(shops: impl IntoIterator<Item = Arc<LiveShop>>) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        generation: 1,
        host: Arc::new(HostConfig::default()),
        shops: shops.into_iter().map(|shop| (shop.config.id.clone(), shop)).collect(),
        problems: Vec::new(),
        waiting: Vec::new(),
    })
}

pub fn live_shop(id: &str, plugins: &[&str]) -> Arc<LiveShop> {
    let mut config: ShopConfig = toml::from_str(
        "name = 'Demo'\nurl = 'https://demo.example'\ncountry = 'PL'\ncurrency = 'EUR'\nzone = 'Europe/Warsaw'\n\
         locales = ['en', 'pl']\nattributes = ['gift']\nlive_since = '2020-01-01T00:00:00Z'",
    )
    .unwrap();
    config.id = id.to_owned();
    let public = Shop {
        id: id.to_owned(),
        name: config.name.clone(),
        url: config.url.clone(),
        currency: config.currency.clone(),
        exponent: 2,
        locales: config.locales.clone(),
        zone: config.zone.clone(),
        country: config.country.clone(),
        contact: config.contact.clone(),
    };
    let hooks: BTreeSet<Hook> = Hook::ALL.into_iter().filter(|hook| !hook.is_stage()).collect();
    let plugins = plugins
        .iter()
        .map(|name| {
            let entry: PluginEntry = toml::from_str(&format!("name = '{name}'\nsource = 'x.wasm'")).unwrap();
            let plugin = Plugin {
                manifest: Manifest::default(),
                sha256: String::new(),
                bytes: 0,
                hooks: hooks.clone(),
                permissions: BTreeSet::new(),
                optional: BTreeSet::new(),
                code: Code::default(),
            };
            Arc::new(LivePlugin::new(id, entry, Arc::new(plugin), "{}", &Limits::default()))
        })
        .collect();
    let wording = Wording::build(&config.locales, &BTreeMap::new(), &BTreeMap::new()).unwrap();
    Arc::new(LiveShop {
        public: Arc::new(public),
        calendar: Arc::new(Calendar::new(jiff::tz::TimeZone::UTC, Vec::new(), Vec::new())),
        wording: Arc::new(wording),
        plugins,
        config,
    })
}

pub fn order(id: &str) -> Order {
    serde_json::from_value(serde_json::json!({
        "id": id, "placed_at": "2026-11-18T10:00:00Z", "currency": "EUR", "subtotal": 2000, "total": 2000,
        "lines": [{"id": "1", "product": "mug", "title": "Mug", "quantity": 2, "unit_price": 1000}],
    }))
    .unwrap()
}

pub fn anna() -> CustomerInput {
    CustomerInput {
        first_name: Some("Anna".to_owned()),
        last_name: Some("Kowalska".to_owned()),
        email: Some("Anna@Example.com".to_owned()),
        phone: Some("+48601234567".to_owned()),
        ..CustomerInput::default()
    }
}

pub fn placed(id: &str) -> Event {
    Event::OrderPlaced(OrderPlaced { order: order(id), customer: Some(anna()), locale: None })
}

pub fn shipped(order_id: &str, shipment: &str) -> Event {
    let shipment = serde_json::json!({"id": shipment, "shipped_at": "2026-11-19T10:00:00Z"});
    Event::OrderShipped(OrderShipped {
        order_id: order_id.to_owned(),
        shipment: serde_json::from_value(shipment).unwrap(),
    })
}

fn update(order_id: &str, shipment: &str, stage: &str) -> DeliveryUpdated {
    let update = serde_json::json!({"stage": stage, "at": "2026-11-20T10:00:00Z"});
    DeliveryUpdated {
        order_id: order_id.to_owned(),
        shipment_id: shipment.to_owned(),
        update: serde_json::from_value(update).unwrap(),
    }
}

pub fn under_way(order_id: &str, shipment: &str) -> Event {
    Event::DeliveryUpdated(update(order_id, shipment, "in-transit"))
}

pub fn delivered(order_id: &str, shipment: &str) -> Event {
    Event::OrderDelivered(update(order_id, shipment, "delivered"))
}

pub fn cancelled(order_id: &str) -> Event {
    Event::OrderCancelled(OrderCancelled { order_id: order_id.to_owned(), reason: None })
}

pub fn add(key: &str, amount: i64) -> Effect {
    Effect::AddState { scope: Scope::Shop, key: key.to_owned(), amount }
}

pub fn message(template: &str) -> Message {
    Message {
        template: template.to_owned(),
        data: Vec::new(),
        category: "transactional".to_owned(),
        channels: Vec::new(),
        when: None,
        not_after: None,
        dedupe_key: None,
        cancel_on: Vec::new(),
    }
}

pub fn send(message: Message) -> Effect {
    Effect::SendMessage { message }
}

/// Free delivery, once, for the customer alone.
pub fn gift(purpose: &str) -> Coupon {
    Coupon {
        value: CouponValue::FreeDelivery,
        prefix: String::new(),
        expires_at: None,
        max_uses: 1,
        min_subtotal: None,
        personal: true,
        purpose: purpose.to_owned(),
    }
}
