//! A sample order, customer and message data: for previews and tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view::KnownCoupon;
use crate::domain::{
    Arrival, Buyer, Coupon, CouponValue, DeliveryChoice, Line, Order, OrderRecord, Place, Product, Shipment,
    ShippedLine,
};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// First name and company of nobody in particular.
pub(super) const FIRST_NAME: &str = "Ola";

/// Three products, priced for the currency's exponent.
pub(super) fn products(shop_url: &str, currency: &str, exponent: u8) -> BTreeMap<String, Arc<Product>> {
    let base = shop_url.trim_end_matches('/');
    [
        ("linen-shirt", "Linen shirt, white", 79),
        ("wool-socks", "Merino socks", 12),
        ("belt", "Leather belt", 45),
    ]
    .into_iter()
    .map(|(id, title, price)| {
        let product = Product {
            id: id.to_owned(),
            title: title.to_owned(),
            url: Some(format!("{base}/products/{id}")),
            image: None,
            currency: currency.to_owned(),
            price: minor(price, exponent),
            in_stock: true,
            tags: Vec::new(),
            category: None,
        };
        (id.to_owned(), Arc::new(product))
    })
    .collect()
}

/// Placed two hours ago, shipped an hour ago.
pub(super) fn order(shop_url: &str, country: &str, currency: &str, exponent: u8, now_ms: i64) -> OrderRecord {
    let products = products(shop_url, currency, exponent);
    let line = |id: &str, product: &str, quantity: u32| {
        let known = products.get(product);
        Line {
            id: id.to_owned(),
            product: product.to_owned(),
            variant: None,
            title: known.map(|product| product.title.clone()).unwrap_or_default(),
            quantity,
            unit_price: known.map_or(0, |product| product.price),
            tags: Vec::new(),
            weight_grams: 300,
            requires_shipping: true,
            gift_card: false,
            taxable: true,
            tax: 0,
            parent_line: None,
            attributes: Vec::new(),
        }
    };
    let arrival = || Arrival { earliest: day(now_ms + 2 * DAY), latest: day(now_ms + 4 * DAY) };
    let order = Order {
        id: "1001".to_owned(),
        number: "#1001".to_owned(),
        cart_id: None,
        quote: None,
        placed_at: now_ms - 2 * 60 * 60 * 1_000,
        currency: currency.to_owned(),
        exponent,
        lines: vec![line("1", "linen-shirt", 1), line("2", "wool-socks", 3)],
        destination: Some(Place {
            country: country.to_owned(),
            region: None,
            city: Some("Kraków".to_owned()),
            postcode: None,
        }),
        buyer: Buyer::default(),
        delivery: Some(DeliveryChoice {
            id: "courier".to_owned(),
            title: "Courier, to your door".to_owned(),
            price: minor(5, exponent),
            promised: Some(arrival()),
        }),
        payment_method: Some("card".to_owned()),
        codes: Vec::new(),
        prices_include_tax: true,
        subtotal: minor(115, exponent),
        discount: minor(10, exponent),
        tax: minor(20, exponent),
        adjustments: Vec::new(),
        total: minor(110, exponent),
        attributes: Vec::new(),
    };
    let shipment = Shipment {
        id: "parcel-1".to_owned(),
        carrier: Some("InPost".to_owned()),
        tracking_number: Some("620012345678901234567890".to_owned()),
        tracking_url: Some("https://carrier.example/track/620012345678901234567890".to_owned()),
        lines: vec![
            ShippedLine { line: "1".to_owned(), quantity: 1 },
            ShippedLine { line: "2".to_owned(), quantity: 3 },
        ],
        shipped_at: now_ms - 60 * 60 * 1_000,
        promised: Some(arrival()),
        estimated: Some(Arrival { earliest: day(now_ms + 2 * DAY), latest: day(now_ms + 2 * DAY) }),
        destination: None,
    };
    OrderRecord {
        order,
        customer_id: None,
        locale: None,
        status: "shipped".to_owned(),
        shipments: vec![shipment],
        labels: BTreeMap::new(),
    }
}

/// Ten per cent until midnight tomorrow.
pub(super) fn coupon(now_ms: i64) -> KnownCoupon {
    KnownCoupon {
        code: "THANKS-7F3K9Q".to_owned(),
        coupon: Some(Coupon {
            value: CouponValue::Percent(1_000),
            prefix: "THANKS".to_owned(),
            expires_at: Some(now_ms + DAY),
            max_uses: 1,
            min_subtotal: None,
            personal: true,
            purpose: "sample".to_owned(),
        }),
    }
}

/// UTC; good enough for a sample.
fn day(at_ms: i64) -> String {
    crate::config::calendar::Calendar::local(at_ms, &jiff::tz::TimeZone::UTC).date().to_string()
}

fn minor(major: i64, exponent: u8) -> i64 {
    major.saturating_mul(10_i64.saturating_pow(u32::from(exponent.min(4))))
}
