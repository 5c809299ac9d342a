//! The order as WooCommerce reports it: a real payload, re-dated, with the journey's lines and quote.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sha2::Sha256;

/// Captured from a shop.
const PAYLOAD: &str = include_str!("../../../../tests/fixtures/woocommerce/order.json");

/// What was sold in the journey; amounts in minor units.
pub(super) struct Sale {
    pub(super) id: u64,
    pub(super) placed_at_ms: i64,
    pub(super) currency: String,
    /// Decimal places of the currency.
    pub(super) exponent: u32,
    pub(super) lines: Vec<SoldLine>,
    pub(super) code: String,
    pub(super) discount: i64,
    /// As the checkout offered it.
    pub(super) delivery_title: String,
    pub(super) delivery_price: i64,
    pub(super) quote: String,
    pub(super) cart: String,
    pub(super) locale: String,
}

pub(super) struct SoldLine {
    pub(super) id: u64,
    pub(super) product: u64,
    pub(super) title: String,
    pub(super) quantity: u32,
    /// Of the line, before and after discounts.
    pub(super) full: i64,
    pub(super) paid: i64,
}

/// The payload of `order.created`.
pub(super) fn order(sale: &Sale, zone: &TimeZone) -> anyhow::Result<Value> {
    let mut payload: Value = serde_json::from_str(PAYLOAD)?;
    let order = payload.as_object_mut().context("the payload is no object")?;
    let amount = |minor: i64| Value::String(decimal(minor, sale.exponent));
    let placed = Timestamp::from_millisecond(sale.placed_at_ms)?;
    let clock = |zone: TimeZone| placed.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let subtotal: i64 = sale.lines.iter().map(|line| line.full).sum();
    let total = subtotal - sale.discount + sale.delivery_price;

    order.insert("id".to_owned(), json!(sale.id));
    order.insert("number".to_owned(), json!(sale.id.to_string()));
    order.insert("currency".to_owned(), json!(sale.currency));
    order.insert("currency_symbol".to_owned(), json!("zł"));
    order.insert("prices_include_tax".to_owned(), json!(true));
    for (name, zone) in [
        ("date_created", zone.clone()),
        ("date_created_gmt", TimeZone::UTC),
        ("date_modified", zone.clone()),
        ("date_modified_gmt", TimeZone::UTC),
    ] {
        order.insert(name.to_owned(), json!(clock(zone)));
    }
    order.insert("discount_total".to_owned(), amount(sale.discount));
    order.insert("shipping_total".to_owned(), amount(sale.delivery_price));
    order.insert("total".to_owned(), amount(total));
    order.insert("customer_id".to_owned(), json!(7));
    for (part, contact) in [("billing", true), ("shipping", false)] {
        let mut address = json!({
            "first_name": "Ania", "last_name": "Kowalska", "company": "", "address_1": "ul. Krótka 5/2",
            "address_2": "", "city": "Kraków", "state": "", "postcode": "31-147", "country": "PL",
            "phone": "+48 600 000 000",
        });
        if let Some(address) = address.as_object_mut().filter(|_| contact) {
            address.insert("email".to_owned(), json!("ania@mail.example"));
        }
        order.insert(part.to_owned(), address);
    }
    let lines: Vec<Value> = sale
        .lines
        .iter()
        .map(|line| {
            json!({
                "id": line.id, "name": line.title, "product_id": line.product, "variation_id": 0,
                "quantity": line.quantity, "tax_class": "", "subtotal": amount(line.full),
                "subtotal_tax": amount(0), "total": amount(line.paid), "total_tax": amount(0), "taxes": [],
                "meta_data": [], "sku": "", "image": { "id": "", "src": "" }, "parent_name": null,
            })
        })
        .collect();
    order.insert("line_items".to_owned(), json!(lines));
    order.insert(
        "shipping_lines".to_owned(),
        json!([{
            "id": 91, "method_title": sale.delivery_title, "method_id": "cartwright", "instance_id": "1",
            "total": amount(sale.delivery_price), "total_tax": amount(0), "taxes": [],
            "meta_data": [{ "id": 75, "key": "_cartwright_quote", "value": sale.quote }],
        }]),
    );
    order.insert(
        "coupon_lines".to_owned(),
        json!([{
            "id": 92, "code": sale.code.to_lowercase(), "discount": amount(sale.discount),
            "discount_tax": amount(0), "meta_data": [],
        }]),
    );
    if let Some(meta) = order.get_mut("meta_data").and_then(Value::as_array_mut) {
        meta.push(json!({ "id": 229, "key": "_cartwright_cart", "value": sale.cart }));
        meta.push(json!({ "id": 230, "key": "_cartwright_locale", "value": sale.locale }));
    }
    Ok(payload)
}

/// `X-WC-Webhook-Signature`: base64 of the HMAC-SHA256 of the body.
pub(super) fn sign(secret: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(body);
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// `12.30` for 1230 with two places; WooCommerce writes amounts as texts.
fn decimal(minor: i64, places: u32) -> String {
    rust_decimal::Decimal::new(minor, places).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale() -> Sale {
        Sale {
            id: 1042,
            placed_at_ms: "2026-12-01T09:32:00Z".parse::<Timestamp>().unwrap().as_millisecond(),
            currency: "PLN".to_owned(),
            exponent: 2,
            lines: vec![
                SoldLine {
                    id: 1,
                    product: 101,
                    title: "Linen shirt".to_owned(),
                    quantity: 1,
                    full: 19_900,
                    paid: 17_910,
                },
                SoldLine {
                    id: 2,
                    product: 102,
                    title: "Stoneware mug".to_owned(),
                    quantity: 2,
                    full: 9_800,
                    paid: 8_820,
                },
            ],
            code: "WELCOME10".to_owned(),
            discount: 2_970,
            delivery_title: "Parcel locker".to_owned(),
            delivery_price: 999,
            quote: "a.quote".to_owned(),
            cart: "cart-7f3a".to_owned(),
            locale: "en".to_owned(),
        }
    }

    #[test]
    fn the_payload_is_re_dated_and_adds_up() {
        let order = order(&sale(), &TimeZone::get("Europe/Warsaw").unwrap()).unwrap();
        assert_eq!(order["date_created"], "2026-12-01T10:32:00");
        assert_eq!(order["date_created_gmt"], "2026-12-01T09:32:00");
        assert_eq!(order["total"], "277.29");
        assert_eq!(order["line_items"][1]["subtotal"], "98.00");
        assert_eq!(order["shipping_lines"][0]["meta_data"][0]["value"], "a.quote");
        assert_eq!(order["status"], "processing", "the rest is as it was captured");
        assert!(!order.to_string().contains("2023-"), "no old date is left");
    }

    #[test]
    fn a_signature_is_the_base64_of_the_hmac() {
        assert_eq!(
            sign("hush", b"\"my secret message\"").unwrap(),
            "hMTq0K2x7oyOjoBwGYeTj5oxfnaVYXzbanUG9aajpKI="
        );
    }

    #[test]
    fn amounts_are_written_with_the_places_of_their_currency() {
        assert_eq!(
            (decimal(5, 2), decimal(1_234, 0), decimal(1_234, 3)),
            ("0.05".to_owned(), "1234".to_owned(), "1.234".to_owned())
        );
    }
}
