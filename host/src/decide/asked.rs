//! A question made ready: checked, and with all that the host knows of it.

use std::sync::Arc;

use futures::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::cart::{keep_attributes, normalise};
use super::coupons::{self, OwnCoupons};
use super::facts::Facts;
use super::product_page::cart_of_product;
use super::totals::Sheet;
use super::{DecideError, FieldProblem, Question};
use crate::config::calendar::Calendar;
use crate::domain::{Buyer, Cart, Customer, DecisionHook, Order, OrderRecord, Reads};
use crate::plugins::call::{Offers, Surroundings};
use crate::plugins::registry::LiveShop;
use crate::store::Holder;
use crate::wording::Reader;

/// More are no help to anybody.
const MOST_VIEWED: usize = 50;

/// For so long the same question has the same seed, so that a page does not change at each look, ms.
const SEED_HOLDS: i64 = 10 * 60 * 1_000;

/// Ready to be answered.
pub struct Asked {
    pub shop: Arc<LiveShop>,
    /// `order-status` and `message` have none.
    pub basket: Option<Basket>,
    pub product: Option<String>,
    pub customer_id: Option<String>,
    pub order_id: Option<String>,
    pub surroundings: Surroundings,
    pub reader: Reader,
    /// In the shop's zone.
    pub today: Date,
}

pub struct Basket {
    /// With the statuses of its codes.
    pub cart: Arc<Cart>,
    pub sheet: Sheet,
    pub own: OwnCoupons,
}

impl Asked {
    pub async fn of(
        question: Question,
        facts: &dyn Facts,
        reads: &dyn Reads,
        now_ms: i64,
    ) -> Result<Self, DecideError> {
        let Question { hook, shop, cart, product, customer_id, .. } = question;
        let shop_id = shop.config.id.as_str();
        let cart = match (hook, cart) {
            (DecisionHook::OrderStatus, _) => None,
            (_, Some(cart)) => {
                Some(normalise(cart, &shop.config).map_err(|problems| DecideError::Invalid { problems })?)
            }
            (DecisionHook::ProductPage, None) => {
                Some(cart_of_product(&shop, product.as_deref(), reads).await?)
            }
            (_, None) => return Err(invalid("cart", "is missing: send the cart that the shopper has")),
        };
        let product = match (hook, &cart) {
            (DecisionHook::ProductPage, Some(cart)) => match cart.lines.as_slice() {
                [line] => Some(line.product.clone()),
                lines => {
                    let what = format!("has {} lines: a product page has a cart of one line", lines.len());
                    return Err(invalid("cart.lines", what));
                }
            },
            _ => None,
        };
        let customer = match &customer_id {
            Some(id) => facts.customer(shop_id, id).await?.map(|record| record.customer),
            None => None,
        };
        let order = match (hook, &question.order_id) {
            (DecisionHook::OrderStatus, Some(id)) => {
                let order = facts.order(shop_id, id).await?;
                // Whether an order exists is nobody else's business either.
                let own = |order: &OrderRecord| match &customer_id {
                    Some(id) => order.customer_id.as_ref() == Some(id),
                    None => question.secret,
                };
                Some(order.filter(own).ok_or_else(|| DecideError::NoSuchOrder(id.clone()))?)
            }
            (DecisionHook::OrderStatus, None) => {
                return Err(invalid("order_id", "is missing: send the id under which the order was placed"));
            }
            _ => None,
        };

        let (currency, exponent) = match (&cart, &order) {
            (Some(cart), _) => (cart.currency.clone(), cart.exponent),
            (None, Some(order)) => (order.order.currency.clone(), order.order.exponent),
            (None, None) => (shop.public.currency.clone(), shop.public.exponent),
        };
        let order_id = order.as_ref().map(|order| order.order.id.clone());
        let subject = cart.as_ref().map(|cart| cart.id.as_str()).or(order_id.as_deref()).unwrap_or_default();
        let seed = seed(&[hook.name(), shop_id, subject, customer_id.as_deref().unwrap_or_default()], now_ms);
        let locale = question.locale.as_deref();
        let mut surroundings =
            surroundings(&shop, hook.name(), customer, order, locale, question.zone.as_deref(), now_ms);
        surroundings.seed = seed;
        surroundings.viewed = question.viewed;
        surroundings.viewed.truncate(MOST_VIEWED);
        surroundings.request_id = question.request_id;
        let basket = match cart {
            Some(cart) => {
                let basket = basket(cart, &shop, facts, &surroundings, customer_id.as_deref()).await?;
                surroundings.offers = Arc::new(Offers {
                    discounts: Vec::new(),
                    delivery: Vec::new(),
                    payments: basket.cart.payment_methods.clone(),
                    totals: Some(basket.sheet.totals(None)),
                });
                Some(basket)
            }
            None => None,
        };
        let reader = reader(&surroundings, currency, exponent);
        let today = Calendar::local(now_ms, &shop.calendar.zone).date();
        Ok(Self { shop, basket, product, customer_id, order_id, surroundings, reader, today })
    }

    /// For what fills a mail: nobody asks, so an unknown customer or order is left out.
    pub async fn of_message(
        shop: &Arc<LiveShop>,
        customer_id: Option<&str>,
        order_id: Option<&str>,
        locale: Option<&str>,
        facts: &dyn Facts,
        now_ms: i64,
    ) -> Result<Self, DecideError> {
        let shop_id = shop.config.id.as_str();
        let customer = match customer_id {
            Some(id) => facts.customer(shop_id, id).await?.map(|record| record.customer),
            None => None,
        };
        let order = match order_id {
            Some(id) => facts.order(shop_id, id).await?,
            None => None,
        };
        let (currency, exponent) = match &order {
            Some(order) => (order.order.currency.clone(), order.order.exponent),
            None => (shop.public.currency.clone(), shop.public.exponent),
        };
        let mut surroundings = surroundings(shop, "message", customer, order, locale, None, now_ms);
        surroundings.seed = seed(
            &["message", shop_id, order_id.unwrap_or_default(), customer_id.unwrap_or_default()],
            now_ms,
        );
        Ok(Self {
            shop: Arc::clone(shop),
            basket: None,
            product: None,
            customer_id: customer_id.map(str::to_owned),
            order_id: order_id.map(str::to_owned),
            reader: reader(&surroundings, currency, exponent),
            surroundings,
            today: Calendar::local(now_ms, &shop.calendar.zone).date(),
        })
    }

    /// What the shopper has in the cart, in the order, or before the eyes.
    #[must_use]
    pub fn had(&self) -> std::collections::BTreeSet<&str> {
        let cart = self.basket.iter().flat_map(|basket| &basket.cart.lines);
        let order = self.surroundings.order.iter().flat_map(|order| &order.lines);
        cart.chain(order).map(|line| line.product.as_str()).collect()
    }
}

/// The sums of the cart, and what the host knows of its codes and its buyer.
async fn basket(
    mut cart: Cart,
    shop: &LiveShop,
    facts: &dyn Facts,
    surroundings: &Surroundings,
    customer_id: Option<&str>,
) -> Result<Basket, DecideError> {
    let sheet = Sheet::new(&cart).ok_or_else(|| invalid("cart.lines", "come to more than 2^53-1"))?;
    if let Some(customer) = &surroundings.customer
        && cart.buyer == Buyer::default()
    {
        cart.buyer.clone_from(&customer.buyer);
    }
    let shop_id = shop.config.id.as_str();
    let holder = Holder { customer: customer_id, cart: Some(&cart.id) };
    let standings = try_join_all(
        cart.codes
            .iter()
            .map(|entered| facts.coupon_standing(shop_id, &entered.code, holder, surroundings.now_ms)),
    )
    .await?;
    let own = coupons::apply(&mut cart, &sheet, &standings, &surroundings.locale);
    Ok(Basket { cart: Arc::new(cart), sheet, own })
}

/// The shop's list of attributes may have become shorter since the order was placed.
fn visible(mut order: Order, shop: &LiveShop) -> Order {
    keep_attributes(&mut order.attributes, &shop.config);
    for line in &mut order.lines {
        keep_attributes(&mut line.attributes, &shop.config);
    }
    order
}

/// What a call knows beside its input; language and zone are those asked for, else the customer's.
fn surroundings(
    shop: &LiveShop,
    hook_name: &str,
    customer: Option<Arc<Customer>>,
    order: Option<OrderRecord>,
    locale: Option<&str>,
    zone: Option<&str>,
    now_ms: i64,
) -> Surroundings {
    let of_customer = customer.as_deref();
    let locale = locale
        .or(of_customer.and_then(|customer| customer.locale.as_deref()))
        .or(order.as_ref().and_then(|order| order.locale.as_deref()));
    let locale = shop.wording.negotiate(locale);
    let zone = known_zone(zone)
        .or_else(|| known_zone(of_customer.and_then(|customer| customer.zone.as_deref())))
        .unwrap_or(&shop.config.zone);
    let (order, shipments) = match order {
        Some(order) => (Some(Arc::new(visible(order.order, shop))), Arc::new(order.shipments)),
        None => (None, Arc::default()),
    };
    Surroundings {
        hook_name: hook_name.to_owned(),
        now_ms,
        zone: zone.to_owned(),
        seed: 0,
        locale,
        viewed: Vec::new(),
        late: false,
        shop: Arc::clone(&shop.public),
        calendar: Arc::clone(&shop.calendar),
        customer,
        order,
        shipments,
        offers: Arc::default(),
        request_id: String::new(),
    }
}

fn reader(surroundings: &Surroundings, currency: String, exponent: u8) -> Reader {
    Reader {
        locale: surroundings.locale.clone(),
        currency,
        exponent,
        zone: surroundings.zone.clone(),
        now_ms: surroundings.now_ms,
    }
}

fn known_zone(zone: Option<&str>) -> Option<&str> {
    zone.filter(|zone| TimeZone::get(zone).is_ok())
}

/// Below 2^53; the same for a while for the same shopper and cart.
fn seed(parts: &[&str], now_ms: i64) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(now_ms.div_euclid(SEED_HOLDS).to_le_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0_u64, |seed, byte| (seed << 8) | u64::from(*byte)) >> 11
}

pub fn invalid(field: &str, what: impl Into<String>) -> DecideError {
    DecideError::Invalid { problems: vec![FieldProblem { field: field.to_owned(), what: what.into() }] }
}
