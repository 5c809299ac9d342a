//! Carts and orders.

use super::super::at;
use super::{arrival, consumer};
use crate::types::{
    Adjustment, Attribute, Cart, DeliveryChoice, EnteredCode, Line, Order, PaymentMethod, Place,
};

/// An empty cart in EUR, tax included.
pub fn cart() -> CartBuilder {
    CartBuilder(Cart {
        id: "cart-1".into(),
        currency: "EUR".into(),
        exponent: 2,
        lines: Vec::new(),
        destination: None,
        groups: Vec::new(),
        buyer: consumer(),
        prices_include_tax: true,
        tax: 0,
        payment_methods: Vec::new(),
        codes: Vec::new(),
        attributes: Vec::new(),
    })
}

/// An empty order in EUR, tax included, placed when the mock host begins.
pub fn order() -> OrderBuilder {
    OrderBuilder(Order {
        id: "1001".into(),
        number: "#1001".into(),
        cart_id: Some("cart-1".into()),
        quote: None,
        placed_at: at("2026-11-30T10:00:00+01:00"),
        currency: "EUR".into(),
        exponent: 2,
        lines: Vec::new(),
        destination: None,
        buyer: consumer(),
        delivery: None,
        payment_method: None,
        codes: Vec::new(),
        prices_include_tax: true,
        subtotal: 0,
        discount: 0,
        tax: 0,
        adjustments: Vec::new(),
        total: 0,
        attributes: Vec::new(),
    })
}

/// A cart being built; it is taken wherever a cart is.
#[derive(Debug, Clone)]
pub struct CartBuilder(Cart);

/// An order being built; its sums follow its parts. It is taken wherever an order is.
#[derive(Debug, Clone)]
pub struct OrderBuilder(Order);

macro_rules! lines {
    ($builder:ty, $built:ty) => {
        impl $builder {
            /// One more line: a product, how many, and the price of one in minor units. Lines are
            /// called `line-1`, `line-2` …; what follows describes the last one.
            pub fn line(mut self, product: &str, quantity: u32, unit_price: i64) -> Self {
                let id = format!("line-{}", self.0.lines.len().saturating_add(1));
                self.0.lines.push(Line {
                    id,
                    product: product.to_owned(),
                    variant: None,
                    title: product.to_owned(),
                    quantity,
                    unit_price,
                    tags: Vec::new(),
                    weight_grams: 500,
                    requires_shipping: true,
                    gift_card: false,
                    taxable: true,
                    tax: 0,
                    parent_line: None,
                    attributes: Vec::new(),
                });
                self
            }

            /// Changes the last line in any way.
            ///
            /// # Panics
            /// When there is no line yet.
            pub fn with_line(mut self, change: impl FnOnce(&mut Line)) -> Self {
                match self.0.lines.last_mut() {
                    Some(line) => change(line),
                    None => panic!("there is no line yet: begin with `.line(…)`"),
                }
                self
            }

            /// A tag of the last line.
            pub fn tagged(self, tag: &str) -> Self {
                self.with_line(|line| line.tags.push(tag.to_owned()))
            }

            /// The weight of one piece of the last line, in grams; else 500.
            pub fn weighing(self, grams: u32) -> Self {
                self.with_line(|line| line.weight_grams = grams)
            }

            /// The title of the last line; else the product's id.
            pub fn titled(self, title: &str) -> Self {
                self.with_line(|line| title.clone_into(&mut line.title))
            }

            /// The last line is not shipped.
            pub fn not_shipped(self) -> Self {
                self.with_line(|line| line.requires_shipping = false)
            }

            /// The last line is a gift card.
            pub fn gift_card(self) -> Self {
                self.with_line(|line| {
                    line.gift_card = true;
                    line.requires_shipping = false;
                    line.taxable = false;
                })
            }

            /// The id; a second one in a test needs it.
            pub fn id(mut self, id: &str) -> Self {
                id.clone_into(&mut self.0.id);
                self
            }

            /// The currency and its decimal places.
            pub fn currency(mut self, currency: &str, exponent: u8) -> Self {
                currency.clone_into(&mut self.0.currency);
                self.0.exponent = exponent;
                self
            }

            /// It goes to a country.
            pub fn to(mut self, country: &str) -> Self {
                self.0.destination = Some(Place::country(country));
                self
            }

            /// It goes to a place in a country.
            pub fn to_city(mut self, country: &str, city: &str, postcode: &str) -> Self {
                let (city, postcode) = (Some(city.to_owned()), Some(postcode.to_owned()));
                self.0.destination =
                    Some(Place { country: country.to_owned(), region: None, city, postcode });
                self
            }

            /// The buyer is a business.
            pub fn business(mut self) -> Self {
                "business".clone_into(&mut self.0.buyer.kind);
                self
            }

            /// A segment that the buyer belongs to.
            pub fn segment(mut self, segment: &str) -> Self {
                self.0.buyer.segments.push(segment.to_owned());
                self
            }

            /// An attribute.
            pub fn attribute(mut self, key: &str, value: &str) -> Self {
                self.0.attributes.push(Attribute { key: key.to_owned(), value: value.to_owned() });
                self
            }

            /// Prices are without this tax.
            pub fn tax_added(mut self, tax: i64) -> Self {
                self.0.prices_include_tax = false;
                self.0.tax = tax;
                self
            }

            /// Changes anything else.
            pub fn with(mut self, change: impl FnOnce(&mut $built)) -> Self {
                change(&mut self.0);
                self
            }
        }

        impl From<$builder> for $built {
            fn from(builder: $builder) -> Self {
                builder.build()
            }
        }
    };
}

lines!(CartBuilder, Cart);
lines!(OrderBuilder, Order);

impl CartBuilder {
    /// A code that was entered and is the plugin's to judge.
    pub fn code(self, code: &str) -> Self {
        self.code_that_is(code, "unknown")
    }

    /// A code that was entered: `own`, `unknown`, `expired`, `used`.
    pub fn code_that_is(mut self, code: &str, status: &str) -> Self {
        self.0.codes.push(EnteredCode { code: code.to_owned(), status: status.to_owned() });
        self
    }

    /// A way to pay.
    pub fn payment(mut self, id: &str, name: &str) -> Self {
        self.0.payment_methods.push(PaymentMethod { id: id.to_owned(), name: name.to_owned() });
        self
    }

    /// The cart.
    pub fn build(self) -> Cart {
        self.0
    }
}

impl OrderBuilder {
    /// What the shopper reads.
    pub fn number(mut self, number: &str) -> Self {
        number.clone_into(&mut self.0.number);
        self
    }

    /// When it was placed: RFC 3339.
    pub fn placed(mut self, time: &str) -> Self {
        self.0.placed_at = at(time);
        self
    }

    /// The way of delivery that was chosen.
    pub fn delivered_by(mut self, id: &str, title: &str, price: i64) -> Self {
        self.0.delivery =
            Some(DeliveryChoice { id: id.to_owned(), title: title.to_owned(), price, promised: None });
        self
    }

    /// What was promised for it, `YYYY-MM-DD`.
    ///
    /// # Panics
    /// When no way of delivery was chosen.
    pub fn promised(mut self, earliest: &str, latest: &str) -> Self {
        match &mut self.0.delivery {
            Some(choice) => choice.promised = Some(arrival(earliest, latest)),
            None => panic!("there is no way of delivery yet: begin with `.delivered_by(…)`"),
        }
        self
    }

    /// How it was paid.
    pub fn paid_by(mut self, method: &str) -> Self {
        self.0.payment_method = Some(method.to_owned());
        self
    }

    /// What was taken off, not negative.
    pub fn discounted(mut self, amount: i64) -> Self {
        self.0.discount = amount;
        self
    }

    /// A code that was used.
    pub fn code(mut self, code: &str) -> Self {
        self.0.codes.push(code.to_owned());
        self
    }

    /// A `fee`, `tip`, `refund` or `other`.
    pub fn adjusted(mut self, kind: &str, label: &str, amount: i64) -> Self {
        self.0.adjustments.push(Adjustment { kind: kind.to_owned(), label: label.to_owned(), amount });
        self
    }

    /// The order, with its sums.
    pub fn build(mut self) -> Order {
        let order = &mut self.0;
        order.subtotal = order.lines.iter().map(Line::total).fold(0, i64::saturating_add);
        let delivery = order.delivery.as_ref().map_or(0, |choice| choice.price);
        let tax = if order.prices_include_tax { 0 } else { order.tax };
        let adjustments = order.adjustments.iter().map(|adjustment| adjustment.amount);
        order.total = [order.subtotal, order.discount.saturating_neg(), delivery, tax]
            .into_iter()
            .chain(adjustments)
            .fold(0, i64::saturating_add);
        self.0
    }
}
