//! What a template sees: the shop, the customer's first name, the order, the message's own data, each value
//! raw and as its reader writes it. No contact detail of the customer is put here.

mod item;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value as Seen;

pub(super) use item::arguments;

use crate::domain::{Arrival, Coupon, Product, Shop, Value};
use crate::wording::texts::Shown;
use crate::wording::{self, Reader, Wording};
use item::{Item, item, map, text_or_nothing};

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

    fn arrival_or_nothing(&self, arrival: Option<&Arrival>) -> Seen {
        arrival.map_or(Seen::UNDEFINED, |arrival| self.arrival(arrival))
    }

    /// The message's own values, by name. Each is a finished value: nothing of it is read as a template.
    pub fn data(
        &self,
        data: &[(String, Value)],
        products: &BTreeMap<String, Arc<Product>>,
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
