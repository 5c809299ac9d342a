//! Carts, orders and customers for tests, in few words.

use crate::types::{
    Adjustment, Arrival, Attribute, Buyer, Cart, Consent, Customer, DeliveryChoice, DeliveryUpdate, DueTimer,
    EnteredCode, Feedback, Line, Order, OrderReturn, PastOrder, PaymentMethod, Place, Product, Shipment,
    ShippedLine,
};

fn consumer() -> Buyer {
    Buyer { kind: "consumer".into(), tax_exempt: false, segments: Vec::new() }
}

fn arrival(earliest: &str, latest: &str) -> Arrival {
    Arrival { earliest: earliest.to_owned(), latest: latest.to_owned() }
}

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
        placed_at: super::at("2026-11-30T10:00:00+01:00"),
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
        self.0.placed_at = super::at(time);
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

/// A customer who has bought nothing yet.
pub fn customer(id: &str) -> CustomerBuilder {
    CustomerBuilder(Customer {
        id: id.to_owned(),
        first_name: None,
        locale: None,
        zone: None,
        buyer: consumer(),
        created_at: super::at("2026-01-01T12:00:00Z"),
        first_order_at: None,
        orders_count: 0,
        spent: 0,
        orders: Vec::new(),
        points: 0,
        tier: None,
        consents: Vec::new(),
    })
}

/// A customer being built; taken wherever a customer is.
#[derive(Debug, Clone)]
pub struct CustomerBuilder(Customer);

impl CustomerBuilder {
    /// The first name.
    pub fn first_name(mut self, name: &str) -> Self {
        self.0.first_name = Some(name.to_owned());
        self
    }

    /// The language.
    pub fn locale(mut self, locale: &str) -> Self {
        self.0.locale = Some(locale.to_owned());
        self
    }

    /// The time zone.
    pub fn zone(mut self, zone: &str) -> Self {
        self.0.zone = Some(zone.to_owned());
        self
    }

    /// One more past order, newer than those before: its count, sum and first date follow.
    pub fn bought(mut self, id: &str, time: &str, total: i64, products: &[&str]) -> Self {
        let placed_at = super::at(time);
        self.0.orders_count = self.0.orders_count.saturating_add(1);
        self.0.spent = self.0.spent.saturating_add(total);
        self.0.first_order_at.get_or_insert(placed_at);
        self.0.orders.insert(
            0,
            PastOrder {
                id: id.to_owned(),
                placed_at,
                currency: "EUR".into(),
                total,
                products: products.iter().map(|id| (*id).to_owned()).collect(),
            },
        );
        self
    }

    /// How many orders, and their sum.
    pub fn history(mut self, orders: u32, spent: i64) -> Self {
        self.0.orders_count = orders;
        self.0.spent = spent;
        self
    }

    /// When the first order was placed: RFC 3339.
    pub fn first_order(mut self, time: &str) -> Self {
        self.0.first_order_at = Some(super::at(time));
        self
    }

    /// Points.
    pub fn points(mut self, points: i64) -> Self {
        self.0.points = points;
        self
    }

    /// The tier.
    pub fn tier(mut self, tier: &str) -> Self {
        self.0.tier = Some(tier.to_owned());
        self
    }

    /// Agreed to a category on a channel.
    pub fn consents(mut self, category: &str, channel: &str) -> Self {
        self.0.consents.push(Consent {
            channel: channel.to_owned(),
            category: category.to_owned(),
            granted: true,
        });
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Customer)) -> Self {
        change(&mut self.0);
        self
    }

    /// The customer.
    pub fn build(self) -> Customer {
        self.0
    }
}

impl From<CustomerBuilder> for Customer {
    fn from(builder: CustomerBuilder) -> Self {
        builder.build()
    }
}

/// A product in stock, for 10.00 EUR.
pub fn product(id: &str) -> ProductBuilder {
    ProductBuilder(Product {
        id: id.to_owned(),
        title: id.to_owned(),
        url: Some(format!("https://shop.example/{id}")),
        image: None,
        currency: "EUR".into(),
        price: 1000,
        in_stock: true,
        tags: Vec::new(),
        category: None,
    })
}

/// A product being built; taken wherever a product is.
#[derive(Debug, Clone)]
pub struct ProductBuilder(Product);

impl ProductBuilder {
    /// The title; else the id.
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.0.title);
        self
    }

    /// The price in minor units.
    pub fn price(mut self, amount: i64) -> Self {
        self.0.price = amount;
        self
    }

    /// It cannot be had.
    pub fn out_of_stock(mut self) -> Self {
        self.0.in_stock = false;
        self
    }

    /// One more tag.
    pub fn tagged(mut self, tag: &str) -> Self {
        self.0.tags.push(tag.to_owned());
        self
    }

    /// The category.
    pub fn category(mut self, category: &str) -> Self {
        self.0.category = Some(category.to_owned());
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Product)) -> Self {
        change(&mut self.0);
        self
    }

    /// The product.
    pub fn build(self) -> Product {
        self.0
    }
}

impl From<ProductBuilder> for Product {
    fn from(builder: ProductBuilder) -> Self {
        builder.build()
    }
}

/// A shipment that left when the mock host begins.
pub fn shipment(id: &str) -> ShipmentBuilder {
    ShipmentBuilder(Shipment {
        id: id.to_owned(),
        carrier: None,
        tracking_number: None,
        tracking_url: None,
        lines: Vec::new(),
        shipped_at: super::at("2026-11-30T10:00:00+01:00"),
        promised: None,
        estimated: None,
        destination: None,
    })
}

/// A shipment being built; taken wherever a shipment is.
#[derive(Debug, Clone)]
pub struct ShipmentBuilder(Shipment);

impl ShipmentBuilder {
    /// Who carries it.
    pub fn carrier(mut self, carrier: &str) -> Self {
        self.0.carrier = Some(carrier.to_owned());
        self
    }

    /// Its number and where to follow it.
    pub fn tracking(mut self, number: &str, url: &str) -> Self {
        self.0.tracking_number = Some(number.to_owned());
        self.0.tracking_url = Some(url.to_owned());
        self
    }

    /// A line of the order that is in it.
    pub fn line(mut self, line: &str, quantity: u32) -> Self {
        self.0.lines.push(ShippedLine { line: line.to_owned(), quantity });
        self
    }

    /// When it left: RFC 3339.
    pub fn shipped(mut self, time: &str) -> Self {
        self.0.shipped_at = super::at(time);
        self
    }

    /// What was promised at checkout, `YYYY-MM-DD`.
    pub fn promised(mut self, earliest: &str, latest: &str) -> Self {
        self.0.promised = Some(arrival(earliest, latest));
        self
    }

    /// What the carrier says, `YYYY-MM-DD`.
    pub fn estimated(mut self, earliest: &str, latest: &str) -> Self {
        self.0.estimated = Some(arrival(earliest, latest));
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Shipment)) -> Self {
        change(&mut self.0);
        self
    }

    /// The shipment.
    pub fn build(self) -> Shipment {
        self.0
    }
}

impl From<ShipmentBuilder> for Shipment {
    fn from(builder: ShipmentBuilder) -> Self {
        builder.build()
    }
}

/// What the carrier says of a parcel, e.g. `out-for-delivery`.
pub fn update(stage: &str) -> UpdateBuilder {
    UpdateBuilder(DeliveryUpdate {
        stage: stage.to_owned(),
        at: super::at("2026-12-01T10:00:00+01:00"),
        location: None,
        estimated: None,
        note: None,
    })
}

/// A delivery update being built; taken wherever an update is.
#[derive(Debug, Clone)]
pub struct UpdateBuilder(DeliveryUpdate);

impl UpdateBuilder {
    /// When: RFC 3339.
    pub fn at(mut self, time: &str) -> Self {
        self.0.at = super::at(time);
        self
    }

    /// Where the parcel is.
    pub fn location(mut self, location: &str) -> Self {
        self.0.location = Some(location.to_owned());
        self
    }

    /// When it will arrive, `YYYY-MM-DD`.
    pub fn estimated(mut self, earliest: &str, latest: &str) -> Self {
        self.0.estimated = Some(arrival(earliest, latest));
        self
    }

    /// What else is said.
    pub fn note(mut self, note: &str) -> Self {
        self.0.note = Some(note.to_owned());
        self
    }

    /// The update.
    pub fn build(self) -> DeliveryUpdate {
        self.0
    }
}

impl From<UpdateBuilder> for DeliveryUpdate {
    fn from(builder: UpdateBuilder) -> Self {
        builder.build()
    }
}

/// Feedback on `goods`, `delivery`, `service` or `shop`.
pub fn feedback(subject: &str, rating: u8, text: &str) -> Feedback {
    Feedback {
        rating: Some(rating),
        subject: subject.to_owned(),
        text: Some(text.to_owned()),
        at: super::at("2026-12-03T10:00:00+01:00"),
    }
}

/// Lines that came back, with how many of each, and the money given back for them.
pub fn order_return(id: &str, lines: &[(&str, u32)], refunded: i64) -> OrderReturn {
    OrderReturn {
        id: id.to_owned(),
        lines: lines
            .iter()
            .map(|(line, quantity)| ShippedLine { line: (*line).to_owned(), quantity: *quantity })
            .collect(),
        refunded,
        reason: None,
        at: super::at("2026-12-10T10:00:00+01:00"),
    }
}

/// A timer that is due a day after the mock host begins.
pub fn due_timer(key: &str, payload: &str) -> DueTimer {
    DueTimer {
        key: key.to_owned(),
        payload: payload.to_owned(),
        due_at: super::at("2026-12-01T10:00:00+01:00"),
        set_at: super::at("2026-11-30T10:00:00+01:00"),
    }
}
