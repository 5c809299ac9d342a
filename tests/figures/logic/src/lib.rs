//! The reference logic: what a shop would decide at a checkout, from a cart and the customer's past orders. Pure.
//!
//! Every side of a comparison runs [`decide`], whole, for each of its stages, and hands over what the stage takes: the
//! plugins in the sandbox, the same in the host's own process, Extism's plugin, the services behind HTTP. All amounts
//! are minor units; a cart is in the shop's one currency.

mod assortment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is asked. Borrowed from the JSON, or from whoever's own records; unknown fields are not looked at.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Question<'a> {
    #[serde(borrow)]
    pub cart: Cart<'a>,
    #[serde(borrow, default)]
    pub customer: Option<Customer<'a>>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Cart<'a> {
    #[serde(borrow)]
    pub lines: Vec<Line<'a>>,
    #[serde(borrow, default)]
    pub destination: Option<Place<'a>>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Line<'a> {
    pub id: &'a str,
    pub product: &'a str,
    pub quantity: u32,
    pub unit_price: i64,
    #[serde(default)]
    pub weight_grams: u32,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Place<'a> {
    pub country: &'a str,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Customer<'a> {
    /// Newest first.
    #[serde(borrow, default)]
    pub orders: Vec<PastOrder<'a>>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct PastOrder<'a> {
    pub total: i64,
    #[serde(borrow, default)]
    pub products: Vec<&'a str>,
}

/// What is decided; a stage hands over its part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Decision<'a> {
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub delivery: Vec<DeliveryOption<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<Recommendation<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub hidden_payments: Vec<HiddenPayment<'a>>,
}

/// A text of the plugin's, with a value to put in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Text<'a> {
    pub key: &'a str,
    pub fallback: &'a str,
    #[serde(borrow)]
    pub argument: Argument<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument<'a> {
    Count(i64),
    Money(i64),
    Product(&'a str),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Discount<'a> {
    pub id: &'a str,
    #[serde(borrow)]
    pub title: Text<'a>,
    /// None: the order.
    #[serde(borrow)]
    pub line: Option<&'a str>,
    pub basis_points: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeliveryOption<'a> {
    pub id: &'a str,
    #[serde(borrow)]
    pub title: Text<'a>,
    pub kind: &'a str,
    pub carrier: &'a str,
    pub price: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Recommendation<'a> {
    pub product: &'a str,
    #[serde(borrow)]
    pub reason: Text<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct HiddenPayment<'a> {
    pub id: &'a str,
    pub reason: &'a str,
}

/// A stage of the checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Pricing,
    Delivery,
    Content,
    Review,
}

impl Stage {
    pub const ALL: [Self; 4] = [Self::Pricing, Self::Delivery, Self::Content, Self::Review];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pricing => "pricing",
            Self::Delivery => "delivery",
            Self::Content => "content",
            Self::Review => "review",
        }
    }
}

impl<'a> Decision<'a> {
    /// The part that a stage takes.
    #[must_use]
    pub fn of(self, stage: Stage) -> Self {
        let none = Self::default();
        match stage {
            Stage::Pricing => Self { discounts: self.discounts, ..none },
            Stage::Delivery => Self { delivery: self.delivery, ..none },
            Stage::Content => Self { recommendations: self.recommendations, ..none },
            Stage::Review => Self { hidden_payments: self.hidden_payments, ..none },
        }
    }
}

/// How often a product is in the cart, and how often it was bought before.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    in_cart: u32,
    bought: u32,
}

/// What all parts go by.
struct Basket<'a> {
    subtotal: i64,
    grams: u64,
    past_orders: u32,
    /// Total of a past order, on average.
    usual: i64,
    seen: BTreeMap<&'a str, Seen>,
}

const MOST_BASIS_POINTS: u32 = 500;
const PAST_ORDER_BASIS_POINTS: u32 = 50;
const FAVOURITE_BASIS_POINTS: u32 = 1_000;
/// Free from here on, of the discounted goods.
const FREE_FROM: i64 = 30_000;
const RECOMMENDED: usize = 4;
/// Beyond it nobody takes cash at the door.
const CASH_GRAMS: u64 = 2_000;

/// Two discounts for a returning customer, three ways of delivery, four recommendations, and whether cash is taken.
#[must_use]
pub fn decide<'a>(question: &Question<'a>) -> Decision<'a> {
    let basket = Basket::of(question);
    let discounts = basket.discounts(question);
    let off = discounts.iter().map(|discount| basket.worth(discount, question)).sum::<i64>();
    Decision {
        delivery: basket.delivery(question, basket.subtotal - off),
        recommendations: basket.recommendations(),
        hidden_payments: basket.hidden_payments(),
        discounts,
    }
}

impl<'a> Basket<'a> {
    fn of(question: &Question<'a>) -> Self {
        let mut seen: BTreeMap<&'a str, Seen> = BTreeMap::new();
        let (mut subtotal, mut grams) = (0, 0);
        for line in &question.cart.lines {
            seen.entry(line.product).or_default().in_cart += line.quantity;
            subtotal += line.unit_price * i64::from(line.quantity);
            grams += u64::from(line.weight_grams) * u64::from(line.quantity);
        }
        let orders =
            question.customer.as_ref().map(|customer| customer.orders.as_slice()).unwrap_or_default();
        let mut spent = 0;
        for order in orders {
            spent += order.total;
            for product in &order.products {
                seen.entry(product).or_default().bought += 1;
            }
        }
        let past_orders = orders.len() as u32;
        Self { subtotal, grams, past_orders, usual: spent / i64::from(past_orders.max(1)), seen }
    }

    fn of_product(&self, product: &str) -> Seen {
        self.seen.get(product).copied().unwrap_or_default()
    }

    /// On what they buy most often, and on the whole for each past order.
    fn discounts(&self, question: &Question<'a>) -> Vec<Discount<'a>> {
        if self.past_orders == 0 {
            return Vec::new();
        }
        let mut favourite: Option<(&Line<'a>, u32)> = None;
        for line in &question.cart.lines {
            let bought = self.of_product(line.product).bought;
            if bought > favourite.map_or(0, |(_, most)| most) {
                favourite = Some((line, bought));
            }
        }
        let mut discounts = Vec::with_capacity(2);
        if let Some((line, bought)) = favourite {
            discounts.push(Discount {
                id: "favourite",
                title: Text {
                    key: "favourite",
                    fallback: "Your favourite",
                    argument: Argument::Count(i64::from(bought)),
                },
                line: Some(line.id),
                basis_points: FAVOURITE_BASIS_POINTS,
            });
        }
        discounts.push(Discount {
            id: "returning",
            title: Text {
                key: "returning",
                fallback: "Thank you for coming back",
                argument: Argument::Count(i64::from(self.past_orders)),
            },
            line: None,
            basis_points: (self.past_orders * PAST_ORDER_BASIS_POINTS).min(MOST_BASIS_POINTS),
        });
        discounts
    }

    fn worth(&self, discount: &Discount<'a>, question: &Question<'a>) -> i64 {
        let of = match discount.line {
            None => self.subtotal,
            Some(id) => question
                .cart
                .lines
                .iter()
                .find(|line| line.id == id)
                .map_or(0, |line| line.unit_price * i64::from(line.quantity)),
        };
        of * i64::from(discount.basis_points) / 10_000
    }

    /// The slowest is free from a value on, and from what they usually spend.
    fn delivery(&self, question: &Question<'a>, discounted: i64) -> Vec<DeliveryOption<'a>> {
        let abroad = question.cart.destination.as_ref().is_some_and(|place| place.country != "PL");
        let zone = if abroad { 3 } else { 1 };
        let kilos = i64::try_from(self.grams.div_ceil(1_000)).unwrap_or(i64::MAX);
        let free_from = if self.past_orders > 0 { FREE_FROM.min(self.usual) } else { FREE_FROM };
        let missing = (free_from - discounted).max(0);
        let ways = [
            ("economy", "post", "Post", 990, 100),
            ("standard", "home", "Courier", 1_490, 150),
            ("express", "home", "Courier", 2_990, 250),
        ];
        ways.iter()
            .enumerate()
            .map(|(place, &(id, kind, carrier, base, each_kilo))| {
                let free = place == 0 && missing == 0;
                let price = if free { 0 } else { (base + each_kilo * kilos) * zone };
                let argument = Argument::Money(if place == 0 { missing } else { price });
                DeliveryOption { id, title: Text { key: id, fallback: id, argument }, kind, carrier, price }
            })
            .collect()
    }

    /// What goes best with the cart and with what was bought before, but for what is in the cart.
    fn recommendations(&self) -> Vec<Recommendation<'a>> {
        let mut ranked: Vec<(i64, usize)> = assortment::PRODUCTS
            .iter()
            .enumerate()
            .filter(|(_, product)| self.of_product(product.id).in_cart == 0)
            .map(|(place, product)| {
                let fit = product.goes_with.iter().map(|other| {
                    let seen = self.of_product(other);
                    i64::from(seen.in_cart) * 3 + i64::from(seen.bought)
                });
                (fit.sum::<i64>() - i64::from(self.of_product(product.id).bought) * 2, place)
            })
            .collect();
        ranked.sort_unstable_by(|(fit, place), (other_fit, other_place)| {
            other_fit.cmp(fit).then(place.cmp(other_place))
        });
        ranked
            .iter()
            .take(RECOMMENDED)
            .filter_map(|(_, place)| assortment::PRODUCTS.get(*place))
            .map(|product| {
                let with = product.goes_with.iter().find(|other| self.of_product(other).in_cart > 0);
                let with = with.or(product.goes_with.first()).copied().unwrap_or(product.id);
                Recommendation {
                    product: product.id,
                    reason: Text {
                        key: "goes-with",
                        fallback: "Goes well with it",
                        argument: Argument::Product(with),
                    },
                }
            })
            .collect()
    }

    fn hidden_payments(&self) -> Vec<HiddenPayment<'a>> {
        if self.grams <= CASH_GRAMS {
            return Vec::new();
        }
        vec![HiddenPayment { id: "cod", reason: "too heavy for cash on delivery" }]
    }
}
