//! The mock host: what the plugin is told, and what stays between calls.

use super::effects::Effects;
use super::world::{self, Stage, World};
use crate::hooks;
use crate::types::{
    Customer, DeliveryOption, Discount, HttpRequest, HttpResponse, Level, Order, PaymentMethod, Product,
    Scope, Shipment, Shop, Totals,
};

/// UTC milliseconds of an RFC 3339 time: `at("2026-11-30T09:00:00+01:00")`.
///
/// # Panics
/// When it is none.
pub fn at(time: &str) -> i64 {
    let instant: jiff::Timestamp = time
        .parse()
        .unwrap_or_else(|_| panic!("`{time}` is no RFC 3339 time, e.g. 2026-11-30T09:00:00+01:00"));
    instant.as_millisecond()
}

/// A host for one test. It stands on Monday, 30 November 2026, 10:00 in Warsaw, in the shop `demo`
/// (EUR; `en` and `pl`; it works Monday to Friday), and knows nobody, until told otherwise. What a
/// plugin keeps in its state stays from call to call.
#[derive(Debug, Clone)]
pub struct MockHost(pub(super) World);

impl Default for MockHost {
    fn default() -> Self {
        Self::new()
    }
}

/// What the plugin is told.
impl MockHost {
    /// See the type.
    pub fn new() -> Self {
        let mut world = World::new();
        world.now = at("2026-11-30T10:00:00+01:00");
        Self(world)
    }

    /// The merchant's settings, as JSON.
    pub fn settings(mut self, json: &str) -> Self {
        json.clone_into(&mut self.0.settings);
        self
    }

    /// The time: RFC 3339.
    pub fn now(mut self, time: &str) -> Self {
        self.0.now = at(time);
        self
    }

    /// The customer's time zone; else that of the [`customer`](Self::customer), else the shop's.
    pub fn zone(mut self, zone: &str) -> Self {
        self.0.zone = Some(zone.to_owned());
        self
    }

    /// The shopper's language.
    pub fn locale(mut self, locale: &str) -> Self {
        self.0.locale = Some(locale.to_owned());
        self
    }

    /// The shop.
    pub fn shop(mut self, shop: Shop) -> Self {
        self.0.shop = shop;
        self
    }

    /// The start of random numbers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// The event waited for an elder that did not come.
    pub fn late(mut self) -> Self {
        self.0.late = true;
        self
    }

    /// Products the shopper looked at, newest first.
    pub fn viewed(mut self, products: &[&str]) -> Self {
        self.0.viewed = products.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    /// Days on which the shop does not work, `YYYY-MM-DD`, besides weekends.
    pub fn holidays(mut self, dates: &[&str]) -> Self {
        self.0.holidays.extend(dates.iter().map(|date| (*date).to_owned()));
        self
    }

    /// Weekdays on which the shop works: 1 = Monday … 7 = Sunday.
    pub fn working_days(mut self, weekdays: &[u8]) -> Self {
        self.0.working_days = weekdays.iter().copied().collect();
        self
    }

    /// Who the shopper is.
    pub fn customer(mut self, customer: impl Into<Customer>) -> Self {
        self.0.customer = Some(customer.into());
        self
    }

    /// The shopper is a guest.
    pub fn guest(mut self) -> Self {
        self.0.customer = None;
        self
    }

    /// The merchant did not grant `customers`.
    pub fn customers_not_granted(mut self) -> Self {
        self.0.customers_granted = false;
        self
    }

    /// The order that `orders::current` shows; an order's events set it themselves.
    pub fn order(mut self, order: impl Into<Order>) -> Self {
        self.0.order = Some(order.into());
        self
    }

    /// One more shipment that `orders::shipments` shows.
    pub fn shipment(mut self, shipment: impl Into<Shipment>) -> Self {
        self.0.shipments.push(shipment.into());
        self
    }

    /// One more product in the catalogue.
    pub fn product(mut self, product: impl Into<Product>) -> Self {
        let product = product.into();
        self.0.products.insert(product.id.clone(), product);
        self
    }

    /// Products that the merchant names as belonging together with one.
    pub fn related(mut self, product: &str, others: &[&str]) -> Self {
        self.0.related.insert(product.to_owned(), others.iter().map(|id| (*id).to_owned()).collect());
        self
    }

    /// A field of the shop's own of a product.
    pub fn field(mut self, product: &str, key: &str, value: &str) -> Self {
        self.0.fields.insert((product.to_owned(), key.to_owned()), value.to_owned());
        self
    }

    /// A discount that holds so far.
    pub fn offered_discount(mut self, discount: Discount) -> Self {
        self.0.discounts.push(discount);
        self
    }

    /// A delivery option that was offered so far.
    pub fn offered_delivery(mut self, option: DeliveryOption) -> Self {
        self.0.delivery.push(option);
        self
    }

    /// A payment method that was offered so far.
    pub fn offered_payment(mut self, id: &str, name: &str) -> Self {
        self.0.payments.push(PaymentMethod { id: id.to_owned(), name: name.to_owned() });
        self
    }

    /// The sums so far. Without it a call with a cart shows the cart's subtotal and tax.
    pub fn totals(mut self, totals: Totals) -> Self {
        self.0.totals = totals;
        self
    }

    /// What a GET of an address answers: each time the same, or, said more than once, one after the other and
    /// then the last.
    pub fn page(self, url: &str, status: u16, body: &str) -> Self {
        self.answer(url, HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
    }

    /// The same with headers or bytes.
    pub fn answer(mut self, url: &str, answer: HttpResponse) -> Self {
        self.0.pages.entry(url.to_owned()).or_default().push_back(Ok(answer));
        self
    }

    /// A GET of an address has no answer, for a reason of [`http`](crate::http), e.g. `http::TIMEOUT`.
    pub fn unanswered(mut self, url: &str, why: &str) -> Self {
        self.0.pages.entry(url.to_owned()).or_default().push_back(Err(why.to_owned()));
        self
    }

    /// Something that the plugin kept before, for the shop.
    pub fn kept(mut self, key: &str, value: &str) -> Self {
        self.0.state.insert((Scope::Shop, String::new(), key.to_owned()), value.to_owned());
        self
    }

    /// Something that the plugin kept before, for the present customer or order.
    ///
    /// # Panics
    /// When there is none: name the customer or the order first.
    pub fn kept_for(mut self, scope: Scope, key: &str, value: &str) -> Self {
        let owner = self.0.owner(scope);
        self.0.state.insert((scope, owner, key.to_owned()), value.to_owned());
        self
    }
}

/// Between calls.
impl MockHost {
    /// Moves the clock on: `calendar::hours(24)`.
    pub fn advance(&mut self, ms: i64) {
        self.0.now = self.0.now.saturating_add(ms);
    }

    /// What the plugin keeps under a key, for the shop or the present customer or order.
    ///
    /// # Panics
    /// When there is no such customer or order.
    pub fn state(&self, scope: Scope, key: &str) -> Option<String> {
        self.0.read(scope, key)
    }

    /// What the plugin asked of other servers so far.
    pub fn asked(&self) -> &[HttpRequest] {
        &self.0.asked
    }

    /// What the plugin logged so far.
    pub fn log(&self) -> &[(Level, String)] {
        &self.0.log
    }

    /// Calls anything with the imports in place; all of them work. Gives what it asked for, or the
    /// error, after which everything it asked for is forgotten.
    pub fn call(&mut self, act: impl FnOnce() -> hooks::Outcome) -> Result<Effects, String> {
        self.run(Stage::Any, "test", act)
    }

    pub(super) fn run(
        &mut self,
        stage: Stage,
        hook: &str,
        act: impl FnOnce() -> hooks::Outcome,
    ) -> Result<Effects, String> {
        /// Takes the world back, also after a panic.
        struct Around<'a>(&'a mut World, Option<World>);
        impl Drop for Around<'_> {
            fn drop(&mut self) {
                if let Some(after) = world::swap(self.1.take()) {
                    *self.0 = after;
                }
            }
        }

        self.0.stage = stage;
        hook.clone_into(&mut self.0.hook);
        self.0.effects.clear();
        self.0.questions = 0;
        let before = self.0.clone();
        let outer = world::swap(Some(before.clone()));
        let around = Around(&mut self.0, outer);
        let outcome = act();
        drop(around);
        let effects = std::mem::take(&mut self.0.effects);
        match outcome {
            Ok(()) => Ok(Effects(effects)),
            Err(fault) => {
                self.0.state = before.state;
                Err(fault)
            }
        }
    }
}
