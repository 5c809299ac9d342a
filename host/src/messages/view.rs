//! What a template sees: the shop, the customer's first name, the order, the message's own data, each value
//! raw and as its reader writes it. No contact detail of the customer is put here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Seen;
use minijinja::value::{Object, ObjectRepr, ValueKind};

use crate::domain::{Arrival, Coupon, Order, OrderRecord, Product, Shipment, Shop, Value};
use crate::wording::texts::{Argument, Arguments, Shown};
use crate::wording::{self, Reader, Wording};

/// A value that prints as its reader writes it and has parts.
#[derive(Debug)]
pub(super) struct Item {
    shown: Shown,
    parts: BTreeMap<&'static str, Seen>,
    /// Whether `{% if value %}` holds.
    holds: bool,
}

impl Object for Item {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        self.parts.get(key.as_str()?).cloned()
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.holds
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.text)
    }
}

/// A coupon that the message may show.
#[derive(Debug, Clone)]
pub struct KnownCoupon {
    pub code: String,
    /// Its terms, when the store still knows them.
    pub coupon: Option<Coupon>,
}

/// Everything is written for this reader.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub wording: &'a Wording,
    pub reader: &'a Reader,
    pub plugin: &'a str,
}

impl View<'_> {
    pub fn money(&self, amount: i64) -> Seen {
        let text = wording::money(amount, self.reader);
        item(
            Shown { text: text.clone(), forms: Vec::new() },
            [
                ("amount", Seen::from(amount)),
                ("text", Seen::from(text)),
                ("negative", Seen::from(wording::money(amount.saturating_neg(), self.reader))),
            ],
            amount != 0,
        )
    }

    pub fn date(&self, iso: &str) -> Seen {
        let shown = self.wording.shown_date(iso, self.reader);
        let parts = [
            ("iso", Seen::from(iso)),
            ("text", Seen::from(shown.text.clone())),
            ("short", Seen::from(shown.form("short"))),
            ("relative", Seen::from(shown.form("relative"))),
            ("weekday", Seen::from(wording::weekday(iso, self.reader))),
        ];
        item(shown, parts, true)
    }

    pub fn instant(&self, at_ms: i64) -> Seen {
        let shown = self.wording.shown_instant(at_ms, self.reader);
        let parts = [
            ("ms", Seen::from(at_ms)),
            ("text", Seen::from(shown.text.clone())),
            ("date", Seen::from(shown.form("date"))),
            ("short_date", Seen::from(shown.form("short"))),
            ("time", Seen::from(shown.form("time"))),
            ("relative", Seen::from(shown.form("relative"))),
        ];
        item(shown, parts, true)
    }

    pub fn arrival(&self, arrival: &Arrival) -> Seen {
        let text = wording::arrival(arrival, self.reader);
        item(
            Shown { text: text.clone(), forms: Vec::new() },
            [
                ("text", Seen::from(text)),
                ("earliest", self.date(&arrival.earliest)),
                ("latest", self.date(&arrival.latest)),
            ],
            true,
        )
    }

    pub fn product(&self, product: &Product) -> Seen {
        Self::priced(
            &product.id,
            &product.title,
            product.url.as_deref(),
            product.image.as_deref(),
            self.price_of(product),
            [("in_stock", Seen::from(product.in_stock))],
        )
    }

    /// A product as a plugin recommends it, with the plugin's reason.
    pub fn recommendation(shown: &crate::decide::answer::ShownRecommendation) -> Seen {
        Self::priced(
            &shown.product,
            &shown.title,
            shown.url.as_deref(),
            shown.image.as_deref(),
            Seen::from(shown.price.text.clone()),
            [("in_stock", Seen::from(true)), ("reason", text_or_nothing(shown.reason.as_deref()))],
        )
    }

    fn priced<const N: usize>(
        id: &str,
        title: &str,
        url: Option<&str>,
        image: Option<&str>,
        price: Seen,
        more: [(&'static str, Seen); N],
    ) -> Seen {
        let mut parts = BTreeMap::from([
            ("id", Seen::from(id)),
            ("title", Seen::from(title)),
            ("url", text_or_nothing(url)),
            ("image", text_or_nothing(image)),
            ("price", price),
        ]);
        parts.extend(more);
        Seen::from_object(Item {
            shown: Shown { text: title.to_owned(), forms: Vec::new() },
            parts,
            holds: true,
        })
    }

    /// In the product's own currency.
    fn price_of(&self, product: &Product) -> Seen {
        if product.currency == self.reader.currency {
            return self.money(product.price);
        }
        let exponent = crate::domain::money::exponent(&product.currency).unwrap_or(2);
        let reader = Reader { currency: product.currency.clone(), exponent, ..self.reader.clone() };
        View { reader: &reader, ..*self }.money(product.price)
    }

    pub fn coupon(&self, known: &KnownCoupon) -> Seen {
        let mut parts = BTreeMap::from([("code", Seen::from(known.code.clone()))]);
        if let Some(coupon) = &known.coupon {
            let kind = match coupon.value {
                crate::domain::CouponValue::Percent(_) => "percent",
                crate::domain::CouponValue::Amount(_) => "amount",
                crate::domain::CouponValue::FreeDelivery => "free-delivery",
            };
            parts.insert("value", Seen::from(self.wording.coupon_value(&coupon.value, self.reader)));
            parts.insert("kind", Seen::from(kind));
            if let Some(at_ms) = coupon.expires_at {
                parts.insert("expires_at", self.instant(at_ms));
            }
            if let Some(amount) = coupon.min_subtotal {
                parts.insert("min_subtotal", self.money(amount));
            }
        }
        Seen::from_object(Item {
            shown: Shown { text: known.code.clone(), forms: Vec::new() },
            parts,
            holds: !known.code.is_empty(),
        })
    }

    pub fn shop(shop: &Shop) -> Seen {
        let host = url::Url::parse(&shop.url)
            .ok()
            .and_then(|url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned()))
            .unwrap_or_else(|| shop.url.clone());
        map([
            ("id", Seen::from(shop.id.clone())),
            ("name", Seen::from(shop.name.clone())),
            ("url", Seen::from(shop.url.clone())),
            ("host", Seen::from(host)),
            ("country", Seen::from(shop.country.clone())),
            ("currency", Seen::from(shop.currency.clone())),
            ("email", text_or_nothing(shop.contact.email.as_deref())),
            ("phone", text_or_nothing(shop.contact.phone.as_deref())),
            ("phone_url", text_or_nothing(shop.contact.phone.as_deref().map(phone_url).as_deref())),
            ("contact_url", text_or_nothing(shop.contact.url.as_deref())),
        ])
    }

    pub fn order(&self, record: &OrderRecord, products: &BTreeMap<String, Product>) -> Seen {
        let order = &record.order;
        let lines: Vec<Seen> = order
            .lines
            .iter()
            .map(|line| {
                let product = products.get(&line.product);
                map([
                    ("id", Seen::from(line.id.clone())),
                    ("product", Seen::from(line.product.clone())),
                    ("title", Seen::from(title(line, product))),
                    ("quantity", Seen::from(line.quantity)),
                    ("unit_price", self.money(line.unit_price)),
                    ("total", self.money(line.total().unwrap_or(line.unit_price))),
                    ("url", text_or_nothing(product.and_then(|product| product.url.as_deref()))),
                    ("image", text_or_nothing(product.and_then(|product| product.image.as_deref()))),
                ])
            })
            .collect();
        let has_images = order
            .lines
            .iter()
            .any(|line| products.get(&line.product).is_some_and(|product| product.image.is_some()));
        let shipments: Vec<Seen> =
            record.shipments.iter().map(|shipment| self.shipment(shipment, order, products)).collect();
        let newest = record
            .shipments
            .iter()
            .max_by_key(|shipment| shipment.shipped_at)
            .map_or(Seen::UNDEFINED, |shipment| self.shipment(shipment, order, products));
        map([
            ("id", Seen::from(order.id.clone())),
            ("number", Seen::from(if order.number.is_empty() { &order.id } else { &order.number }.clone())),
            ("placed_at", self.instant(order.placed_at)),
            ("status", Seen::from(record.status.clone())),
            ("lines", Seen::from(lines)),
            ("has_images", Seen::from(has_images)),
            ("subtotal", self.money(order.subtotal)),
            ("discount", self.money(order.discount)),
            ("delivery", self.delivery(order)),
            ("tax", self.money(order.tax)),
            ("adjustments", self.adjustments(order)),
            ("total", self.money(order.total)),
            ("prices_include_tax", Seen::from(order.prices_include_tax)),
            ("payment_method", text_or_nothing(order.payment_method.as_deref())),
            (
                "destination",
                order.destination.as_ref().map_or(Seen::UNDEFINED, |place| {
                    map([
                        ("country", Seen::from(place.country.clone())),
                        ("region", text_or_nothing(place.region.as_deref())),
                        ("city", text_or_nothing(place.city.as_deref())),
                        ("postcode", text_or_nothing(place.postcode.as_deref())),
                    ])
                }),
            ),
            ("shipments", Seen::from(shipments)),
            ("shipment", newest),
        ])
    }

    fn delivery(&self, order: &Order) -> Seen {
        order.delivery.as_ref().map_or(Seen::UNDEFINED, |choice| {
            map([
                ("id", Seen::from(choice.id.clone())),
                ("title", Seen::from(choice.title.clone())),
                ("price", self.money(choice.price)),
                ("promised", self.arrival_or_nothing(choice.promised.as_ref())),
            ])
        })
    }

    fn adjustments(&self, order: &Order) -> Seen {
        let all: Vec<Seen> = order
            .adjustments
            .iter()
            .map(|adjustment| {
                map([
                    ("kind", Seen::from(adjustment.kind.clone())),
                    ("label", Seen::from(adjustment.label.clone())),
                    ("amount", self.money(adjustment.amount)),
                ])
            })
            .collect();
        Seen::from(all)
    }

    fn shipment(&self, shipment: &Shipment, order: &Order, products: &BTreeMap<String, Product>) -> Seen {
        let lines: Vec<Seen> = shipment
            .lines
            .iter()
            .filter_map(|shipped| {
                let line = order.lines.iter().find(|line| line.id == shipped.line)?;
                Some(map([
                    ("title", Seen::from(title(line, products.get(&line.product)))),
                    ("quantity", Seen::from(shipped.quantity)),
                ]))
            })
            .collect();
        map([
            ("id", Seen::from(shipment.id.clone())),
            ("carrier", text_or_nothing(shipment.carrier.as_deref())),
            ("tracking_number", text_or_nothing(shipment.tracking_number.as_deref())),
            ("tracking_url", text_or_nothing(shipment.tracking_url.as_deref())),
            ("shipped_at", self.instant(shipment.shipped_at)),
            ("promised", self.arrival_or_nothing(shipment.promised.as_ref())),
            ("estimated", self.arrival_or_nothing(shipment.estimated.as_ref())),
            ("lines", Seen::from(lines)),
        ])
    }

    fn arrival_or_nothing(&self, arrival: Option<&Arrival>) -> Seen {
        arrival.map_or(Seen::UNDEFINED, |arrival| self.arrival(arrival))
    }

    /// The message's own values, by name. Each is a finished value: nothing of it is read as a template.
    pub fn data(
        &self,
        data: &[(String, Value)],
        products: &BTreeMap<String, Product>,
        coupons: &BTreeMap<u32, KnownCoupon>,
    ) -> BTreeMap<String, Seen> {
        let mut seen: BTreeMap<String, Seen> = data
            .iter()
            .filter_map(|(name, value)| {
                let value = match value {
                    Value::Text(_) => return None,
                    Value::String(text) | Value::Url(text) => Seen::from(text.clone()),
                    Value::Int(number) => Seen::from(*number),
                    Value::Money(amount) => self.money(*amount),
                    Value::Instant(at_ms) => self.instant(*at_ms),
                    Value::Date(iso) => self.date(iso),
                    Value::Products(ids) => Seen::from(
                        ids.iter()
                            .filter_map(|id| products.get(id))
                            .map(|product| self.product(product))
                            .collect::<Vec<_>>(),
                    ),
                    Value::Coupon(handle) => {
                        coupons.get(handle).map_or(Seen::UNDEFINED, |known| self.coupon(known))
                    }
                };
                Some((name.clone(), value))
            })
            .collect();
        let arguments = arguments(seen.iter().map(|(name, value)| (name.as_str(), value)));
        for (name, value) in data {
            if let Value::Text(key) = value {
                let text = self.wording.find(Some(self.plugin), key, &arguments, self.reader);
                seen.insert(name.clone(), text.map_or(Seen::UNDEFINED, Seen::from));
            }
        }
        seen
    }
}

/// What `t(key, name=value)` fills a text with.
pub(super) fn arguments<'a>(values: impl Iterator<Item = (&'a str, &'a Seen)>) -> Arguments {
    values
        .filter_map(|(name, value)| {
            let argument = if let Some(item) = value.downcast_object_ref::<Item>() {
                Argument::Shown(item.shown.clone())
            } else {
                match value.kind() {
                    ValueKind::Undefined | ValueKind::None => return None,
                    ValueKind::Number => match value.as_i64() {
                        Some(number) => Argument::Number(number),
                        None => Argument::Text(value.to_string()),
                    },
                    ValueKind::Seq | ValueKind::Iterable => {
                        Argument::Number(i64::try_from(value.len().unwrap_or(0)).unwrap_or(i64::MAX))
                    }
                    _ => Argument::Text(value.to_string()),
                }
            };
            Some((name.to_owned(), argument))
        })
        .collect()
}

/// `tel:` (RFC 3966): digits and a leading plus.
pub(super) fn phone_url(phone: &str) -> String {
    let number: String = phone
        .trim()
        .chars()
        .enumerate()
        .filter(|(index, letter)| letter.is_ascii_digit() || (*index == 0 && *letter == '+'))
        .map(|(_, letter)| letter)
        .collect();
    format!("tel:{number}")
}

fn title(line: &crate::domain::Line, product: Option<&Product>) -> String {
    if line.title.is_empty() {
        product.map_or_else(|| line.product.clone(), |product| product.title.clone())
    } else {
        line.title.clone()
    }
}

fn item<const N: usize>(shown: Shown, parts: [(&'static str, Seen); N], holds: bool) -> Seen {
    Seen::from_object(Item { shown, parts: BTreeMap::from(parts), holds })
}

fn map<const N: usize>(fields: [(&'static str, Seen); N]) -> Seen {
    Seen::from_pairs(fields.into_iter().filter(|(_, value)| !value.is_undefined()))
}

fn text_or_nothing(text: Option<&str>) -> Seen {
    text.filter(|text| !text.is_empty()).map_or(Seen::UNDEFINED, Seen::from)
}
