//! What the mock host knows while a handler runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::effects::Effect;
use crate::types::{
    Customer, DeliveryOption, Discount, HttpRequest, HttpResponse, Level, Order, PaymentMethod, Product,
    Scope, Shipment, Shop, ShopContact, Totals,
};

/// Where a call is, to know which imports work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Pricing,
    Delivery,
    Content,
    Review,
    Event,
    /// Not said: everything works.
    Any,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pricing => "`pricing`",
            Self::Delivery => "`delivery`",
            Self::Content => "`content`",
            Self::Review => "`review`",
            Self::Event => "events and timers",
            Self::Any => "every hook",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub settings: String,
    pub now: i64,
    pub zone: Option<String>,
    pub locale: Option<String>,
    pub shop: Shop,
    pub seed: u64,
    pub late: bool,
    pub viewed: Vec<String>,
    pub working_days: BTreeSet<u8>,
    pub holidays: BTreeSet<String>,
    pub customer: Option<Customer>,
    pub customers_granted: bool,
    pub order: Option<Order>,
    pub shipments: Vec<Shipment>,
    pub products: BTreeMap<String, Product>,
    pub related: BTreeMap<String, Vec<String>>,
    pub fields: BTreeMap<(String, String), String>,
    pub discounts: Vec<Discount>,
    pub delivery: Vec<DeliveryOption>,
    pub payments: Vec<PaymentMethod>,
    pub totals: Totals,
    pub pages: BTreeMap<String, VecDeque<Result<HttpResponse, String>>>,
    pub asked: Vec<HttpRequest>,
    /// Of this call.
    pub questions: u32,
    /// Scope, owner's id, key.
    pub state: BTreeMap<(Scope, String, String), String>,
    pub stage: Stage,
    pub hook: String,
    pub effects: Vec<Effect>,
    pub log: Vec<(Level, String)>,
}

impl World {
    pub fn new() -> Self {
        Self {
            settings: "{}".into(),
            now: 0,
            zone: None,
            locale: None,
            shop: Shop {
                id: "demo".into(),
                name: "Demo".into(),
                url: "https://shop.example".into(),
                currency: "EUR".into(),
                exponent: 2,
                locales: vec!["en".into(), "pl".into()],
                zone: "Europe/Warsaw".into(),
                country: "PL".into(),
                contact: ShopContact {
                    email: Some("help@shop.example".into()),
                    phone: None,
                    url: Some("https://shop.example/help".into()),
                },
            },
            seed: 1,
            late: false,
            viewed: Vec::new(),
            working_days: (1..=5).collect(),
            holidays: BTreeSet::new(),
            customer: None,
            customers_granted: true,
            order: None,
            shipments: Vec::new(),
            products: BTreeMap::new(),
            related: BTreeMap::new(),
            fields: BTreeMap::new(),
            discounts: Vec::new(),
            delivery: Vec::new(),
            payments: Vec::new(),
            totals: Totals { subtotal: 0, discount: 0, delivery: None, tax: 0, total: 0 },
            pages: BTreeMap::new(),
            asked: Vec::new(),
            questions: 0,
            state: BTreeMap::new(),
            stage: Stage::Any,
            hook: String::new(),
            effects: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Whose keys.
    ///
    /// # Panics
    /// When the call has no such owner: the real host ends it.
    pub fn owner(&self, scope: Scope) -> String {
        match (scope, &self.customer, &self.order) {
            (Scope::Shop, ..) => String::new(),
            (Scope::Customer, Some(customer), _) => customer.id.clone(),
            (Scope::Order, _, Some(order)) => order.id.clone(),
            (Scope::Customer, ..) => {
                panic!("state or label of the customer in a call without one; ask `customers::current` first")
            }
            (Scope::Order, ..) => {
                panic!("state or label of the order in a call without one; ask `orders::current` first")
            }
        }
    }

    pub fn read(&self, scope: Scope, key: &str) -> Option<String> {
        self.state.get(&(scope, self.owner(scope), key.to_owned())).cloned()
    }

    /// Where the call is, for a sentence.
    pub fn place(&self) -> String {
        match self.stage {
            Stage::Event | Stage::Any => format!("`{}`", self.hook),
            stage => format!("{} of `{}`", stage.name(), self.hook),
        }
    }

    pub fn push(&mut self, effect: Effect) -> u32 {
        let index = u32::try_from(self.effects.len()).unwrap_or(u32::MAX);
        self.effects.push(effect);
        index
    }
}

thread_local! {
    static CURRENT: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Puts a world in place for the thread and gives the one that was there.
pub(crate) fn swap(world: Option<World>) -> Option<World> {
    CURRENT.with(|current| current.replace(world))
}

/// The world of the running handler.
///
/// # Panics
/// Outside a call of a `MockHost`.
pub(crate) fn with<T>(act: impl FnOnce(&mut World) -> T) -> T {
    CURRENT.with(|current| match current.borrow_mut().as_mut() {
        Some(world) => act(world),
        None => panic!(
            "there is no host: call the plugin through `cartwright_sdk::mock::MockHost`, e.g. `MockHost::new().call(|| …)`"
        ),
    })
}
