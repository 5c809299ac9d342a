//! Stand-ins for the sandbox and the store, and a shop to decide for.
#![allow(clippy::unwrap_used, reason = "tests alone are built with it")]
#![cfg_attr(not(test), allow(dead_code))]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::config::calendar::Calendar;
use crate::config::{HostConfig, Limits, PluginEntry, ShopConfig};
use crate::decide::facts::Facts;
use crate::decide::stages::Caller;
use crate::decide::{Answer, Decider, Question};
use crate::domain::{
    Cart, Clock, CustomerRecord, DecisionHook, Effect, Hook, OrderRecord, Product, ReadError, Reads, Shop,
    ShopContact, StateOwner, Versioned,
};
use crate::plugins::call::{Fault, Invocation, Outcome};
use crate::plugins::code::Code;
use crate::plugins::manifest::Manifest;
use crate::plugins::registry::{LivePlugin, LiveShop, Plugin, Snapshot};
use crate::store::{CouponStanding, Holder, StoreError};
use crate::wording::{Assets, Wording};

/// 2026-11-28T09:00:00Z, a Saturday.
pub const NOW: i64 = 1_795_856_400_000;

/// How a stand-in plugin answers one stage.
pub type Behaviour = Box<dyn Fn(&Invocation) -> Result<Vec<Effect>, Fault> + Send + Sync>;

/// Answers as it was told, after as long as it was told.
#[derive(Default)]
pub struct Plugins {
    behaviours: Mutex<BTreeMap<(String, Hook), (u64, Behaviour)>>,
    pub called: Mutex<Vec<Invocation>>,
}

impl Plugins {
    pub fn on(
        &self,
        plugin: &str,
        hook: Hook,
        after_ms: u64,
        behaviour: impl Fn(&Invocation) -> Result<Vec<Effect>, Fault> + Send + Sync + 'static,
    ) {
        let key = (plugin.to_owned(), hook);
        self.behaviours.lock().unwrap().insert(key, (after_ms, Box::new(behaviour)));
    }

    /// The calls of a stage, in the order they were made.
    pub fn called(&self, plugin: &str, hook: Hook) -> Vec<Invocation> {
        let called = self.called.lock().unwrap();
        called.iter().filter(|call| call.plugin.entry.name == plugin && call.hook == hook).cloned().collect()
    }
}

#[async_trait]
impl Caller for Plugins {
    async fn call(&self, invocation: Invocation) -> Outcome {
        self.called.lock().unwrap().push(invocation.clone());
        let key = (invocation.plugin.entry.name.clone(), invocation.hook);
        let (after_ms, result) = match self.behaviours.lock().unwrap().get(&key) {
            Some((after_ms, behaviour)) => (*after_ms, behaviour(&invocation)),
            None => (0, Ok(Vec::new())),
        };
        let elapsed = Duration::from_millis(after_ms);
        if after_ms > 0 {
            tokio::time::sleep(elapsed).await;
        }
        Outcome { result, reads: Vec::new(), elapsed }
    }
}

#[derive(Default)]
pub struct Knowledge {
    pub customers: BTreeMap<String, CustomerRecord>,
    pub orders: BTreeMap<String, OrderRecord>,
    pub coupons: BTreeMap<String, CouponStanding>,
    pub products: BTreeMap<String, Arc<Product>>,
}

#[async_trait]
impl Facts for Knowledge {
    async fn customer(&self, _: &str, id: &str) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.customers.get(id).cloned())
    }

    async fn order(&self, _: &str, id: &str) -> Result<Option<OrderRecord>, StoreError> {
        Ok(self.orders.get(id).cloned())
    }

    async fn coupon_standing(
        &self,
        _: &str,
        code: &str,
        _: Holder<'_>,
        _: i64,
    ) -> Result<Option<CouponStanding>, StoreError> {
        Ok(self.coupons.get(&code.to_ascii_uppercase()).cloned())
    }
}

#[async_trait]
impl Reads for Knowledge {
    async fn products(&self, _: &str, ids: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError> {
        Ok(ids.iter().map(|id| self.products.get(id).cloned()).collect())
    }

    async fn related(&self, _: &str, _: &str, _: u32) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }

    async fn field(&self, _: &str, _: &str, _: &str) -> Result<Option<String>, ReadError> {
        Ok(None)
    }

    async fn state(&self, _: &StateOwner, _: &[String]) -> Result<Vec<Versioned>, ReadError> {
        Ok(Vec::new())
    }

    async fn state_list(
        &self,
        _: &StateOwner,
        _: &str,
        _: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError> {
        Ok(Vec::new())
    }
}

pub struct Stage {
    pub plugins: Arc<Plugins>,
    pub knowledge: Knowledge,
    pub shop: ShopConfig,
    /// Of all plugins: file → text.
    pub assets: Assets,
    pub generation: u64,
    pub decider: Option<Decider>,
}

/// A shop with these plugins, as `name` or `name:on_late`, each subscribed to every stage.
pub fn shop(plugins: &[&str], more: &str) -> Stage {
    let entries: String = plugins
        .iter()
        .map(|plugin| {
            let (name, on_late) = plugin.split_once(':').unwrap_or((plugin, "leave-out"));
            format!("[[plugins]]\nname = '{name}'\nsource = '{name}.wasm'\non_late = '{on_late}'\n")
        })
        .collect();
    let text = format!(
        "name = 'Test'\nurl = 'https://shop.example'\ncountry = 'PL'\ncurrency = 'EUR'\n\
         locales = ['en', 'pl']\nzone = 'Europe/Warsaw'\nattributes = ['gift-wrap']\n{more}\n{entries}"
    );
    let mut config: ShopConfig = toml::from_str(&text).unwrap();
    "test".clone_into(&mut config.id);
    Stage {
        plugins: Arc::default(),
        knowledge: Knowledge::default(),
        shop: config,
        assets: Assets::new(),
        generation: 7,
        decider: None,
    }
}

impl Stage {
    fn live(&self) -> Arc<LiveShop> {
        let weekdays =
            [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let assets = Arc::new(self.assets.clone());
        let by_plugin =
            self.shop.plugins.iter().map(|entry| (entry.name.clone(), Arc::clone(&assets))).collect();
        Arc::new(LiveShop {
            public: Arc::new(Shop {
                id: self.shop.id.clone(),
                name: self.shop.name.clone(),
                url: self.shop.url.clone(),
                currency: self.shop.currency.clone(),
                exponent: 2,
                locales: self.shop.locales.clone(),
                zone: self.shop.zone.clone(),
                country: self.shop.country.clone(),
                contact: ShopContact { email: None, phone: None, url: None },
            }),
            calendar: Arc::new(Calendar::new(
                TimeZone::get(&self.shop.zone).unwrap(),
                weekdays.to_vec(),
                self.shop.holidays.clone(),
            )),
            wording: Arc::new(Wording::build(&self.shop.locales, &by_plugin, &BTreeMap::new()).unwrap()),
            plugins: self.shop.plugins.iter().map(live_plugin).collect(),
            config: self.shop.clone(),
        })
    }

    /// Made at the first question; what is known must be said before.
    pub fn decider(&mut self) -> Decider {
        let knowledge = std::mem::take(&mut self.knowledge);
        let (plugins, key) = (Arc::clone(&self.plugins), Arc::new([7; 32]));
        self.decider
            .get_or_insert_with(|| {
                let known = Arc::new(knowledge);
                Decider::over(plugins, Arc::clone(&known) as _, known, Clock::still_at(NOW), key)
            })
            .clone()
    }

    pub fn question(&self, hook: DecisionHook) -> Question {
        let shop = self.live();
        Question {
            hook,
            snapshot: Arc::new(Snapshot {
                generation: self.generation,
                host: Arc::new(HostConfig::default()),
                shops: BTreeMap::from([(self.shop.id.clone(), Arc::clone(&shop))]),
                problems: Vec::new(),
                waiting: Vec::new(),
            }),
            shop,
            secret: true,
            cart: None,
            product: None,
            order_id: None,
            customer_id: None,
            locale: Some("en".to_owned()),
            zone: None,
            viewed: Vec::new(),
            explain: true,
            request_id: "request".to_owned(),
        }
    }

    pub async fn checkout(&mut self, cart: Cart) -> Answer {
        let question = Question { cart: Some(cart), ..self.question(DecisionHook::Checkout) };
        self.decider().decide(question).await.unwrap()
    }
}

fn live_plugin(entry: &PluginEntry) -> Arc<LivePlugin> {
    let manifest = Manifest { name: entry.name.clone(), version: "1.2.3".to_owned(), ..Manifest::default() };
    let plugin = Plugin {
        manifest,
        sha256: String::new(),
        bytes: 0,
        hooks: BTreeSet::from([Hook::Pricing, Hook::Delivery, Hook::Review, Hook::Content]),
        permissions: BTreeSet::new(),
        optional: BTreeSet::new(),
        code: Code::default(),
    };
    Arc::new(LivePlugin::new("test", entry.clone(), Arc::new(plugin), "{}", &Limits::default()))
}

/// Two shirts of 20.00 and a mug of 9.99, prices with tax.
pub fn cart() -> Cart {
    serde_json::from_value(serde_json::json!({
        "id": "cart-1",
        "currency": "EUR",
        "prices_include_tax": true,
        "tax": 935,
        "destination": { "country": "PL", "postcode": "00-001" },
        "lines": [
            { "id": "1", "product": "shirt", "title": "Shirt", "quantity": 2, "unit_price": 2000, "tax": 748 },
            { "id": "2", "product": "mug", "title": "Mug", "quantity": 1, "unit_price": 999, "tax": 187 },
        ],
        "payment_methods": [{ "id": "card", "name": "Card" }, { "id": "cash", "name": "Cash" }],
    }))
    .unwrap()
}
