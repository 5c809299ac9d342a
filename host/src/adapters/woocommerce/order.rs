//! An order of WooCommerce as an order of Cartwright.
//!
//! WooCommerce always gives amounts without tax and the tax beside them, whatever the shop's prices
//! include; here a line's price has tax in it when the shop's prices do. What is left between the parts
//! and the total (a gift card, a rounding, a line that takes something back) becomes an adjustment, so the sum is always exact.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;

use super::amount::{self, Amounts, sum};
use super::payload::{self, Address, Meta};
use super::{CustomerReading, OrderReading, Standing, Unreadable};
use crate::domain::plain::is_hidden;
use crate::domain::{
    Adjustment, Attribute, Buyer, CustomerCreated, CustomerInput, DeliveryChoice, Line, Order, OrderPlaced,
    Place, money,
};

/// By which a headless checkout sends the promise back, on the order or on a shipping line.
const QUOTE: &str = "_cartwright_quote";
const CART: &str = "_cartwright_cart";
/// The shopper's language: WooCommerce's own payload has none.
const LOCALE: &str = "_cartwright_locale";

/// Longer values are no attributes.
const LONGEST_ATTRIBUTE: usize = 1_024;

/// Characters of an id; so that there is room for what tells two lines apart.
const ID: usize = 180;

/// Characters of the names of several parcels together.
const TITLE: usize = 2_000;

/// More codes than an order may have are left out.
const CODES: usize = 50;

pub fn translate(order: payload::Order, zone: &TimeZone) -> Result<OrderReading, Unreadable> {
    let id = order.id.id().ok_or_else(|| Unreadable::new("id", "an order must have an id"))?;
    let exponent = money::exponent(&order.currency)
        .ok_or_else(|| Unreadable::new("currency", "is not a currency of ISO 4217"))?;
    let amounts = Amounts { exponent, with_tax: order.prices_include_tax };
    let created = instant(order.date_created_gmt.as_deref(), order.date_created.as_deref(), zone)
        .ok_or_else(|| {
            Unreadable::new("date_created_gmt", "must be a date and time like 2026-11-28T09:30:00")
        })?;
    let paid = instant(order.date_paid_gmt.as_deref(), None, zone);
    let changed = instant(order.date_modified_gmt.as_deref(), None, zone);

    let mut lines = Vec::with_capacity(order.line_items.len());
    let mut subtotal = 0;
    for (index, item) in order.line_items.iter().enumerate() {
        let Some((sold, shown)) = line(index, item, &amounts)? else { continue };
        subtotal = sum("line_items", [subtotal, shown])?;
        lines.extend(exact(sold, shown));
    }
    name_apart(&mut lines);
    let mut adjustments = Vec::new();
    for (index, fee) in order.fee_lines.iter().enumerate() {
        let amount = amounts.shown(&format!("fee_lines[{index}].total"), &fee.total, &fee.total_tax)?;
        let label = fee.name.text().unwrap_or_else(|| "Fee".to_owned());
        adjustments.push(Adjustment { kind: "fee".to_owned(), label, amount });
    }
    let discount = amounts.shown("discount_total", &order.discount_total, &order.discount_tax)?;
    let shipping = amounts.shown("shipping_total", &order.shipping_total, &order.shipping_tax)?.max(0);
    let tax = amounts.minor("total_tax", &order.total_tax)?;
    let total = amounts.minor("total", &order.total)?;
    if discount < 0 {
        return Err(Unreadable::new("discount_total", "must not be negative"));
    }
    let on_top = if order.prices_include_tax { 0 } else { tax };
    let parts = [subtotal, -discount, shipping, on_top];
    let parts = sum("total", parts.into_iter().chain(adjustments.iter().map(|fee| fee.amount)))?;
    let rest = sum("total", [total, -parts])?;
    if rest != 0 {
        adjustments.push(Adjustment { kind: "other".to_owned(), label: "Other".to_owned(), amount: rest });
    }
    let mut refunded = 0;
    for (index, refund) in order.refunds.iter().enumerate() {
        let amount = amounts.minor(&format!("refunds[{index}].total"), &refund.total)?;
        refunded = sum("refunds", [refunded, amount.abs()])?;
    }

    let metas = || order.meta_data.iter().chain(order.shipping_lines.iter().flat_map(|line| &line.meta_data));
    let named = |key: &str| metas().find(|meta| meta.key.0 == key).and_then(|meta| text(&meta.value));
    let standing = standing(&order.status);
    let placed = OrderPlaced {
        locale: named(LOCALE),
        order: Order {
            number: order.number.name().unwrap_or_else(|| id.clone()),
            id,
            cart_id: named(CART),
            quote: named(QUOTE),
            placed_at: created,
            currency: order.currency.clone(),
            exponent,
            lines,
            destination: place(&order.shipping).or_else(|| place(&order.billing)),
            buyer: buyer(&order),
            delivery: delivery(&order, shipping),
            payment_method: order.payment_method.text(),
            codes: order.coupon_lines.iter().filter_map(|coupon| coupon.code.name()).take(CODES).collect(),
            prices_include_tax: order.prices_include_tax,
            subtotal,
            discount,
            tax,
            adjustments,
            total,
            attributes: attributes(&order.meta_data),
        },
        customer: customer(&order),
    };
    Ok(OrderReading {
        standing,
        placed,
        since: paid.map_or(created, |paid| paid.max(created)),
        refunded,
        changed_at: changed.unwrap_or(created),
    })
}

pub fn translate_customer(
    customer: payload::Customer,
    zone: &TimeZone,
) -> Result<CustomerReading, Unreadable> {
    let id = customer.id.id().ok_or_else(|| Unreadable::new("id", "a customer must have an id"))?;
    let created_at = instant(customer.date_created_gmt.as_deref(), customer.date_created.as_deref(), zone);
    let input = CustomerInput {
        id: Some(id.clone()),
        first_name: customer.first_name.name().or_else(|| customer.billing.first_name.name()),
        last_name: customer.last_name.name().or_else(|| customer.billing.last_name.name()),
        company: customer.billing.company.name(),
        email: customer.email.email().or_else(|| customer.billing.email.email()),
        phone: customer.billing.phone.name(),
        created_at,
        ..CustomerInput::default()
    };
    Ok(CustomerReading { id, created: CustomerCreated { customer: input }, created_at })
}

fn standing(status: &str) -> Standing {
    match status.strip_prefix("wc-").unwrap_or(status) {
        "processing" | "on-hold" | "completed" => Standing::Placed,
        "pending" | "checkout-draft" | "auto-draft" | "draft" | "failed" | "trash" => Standing::NotPlaced,
        "cancelled" => Standing::Cancelled,
        "refunded" => Standing::Refunded,
        _ => Standing::Unknown,
    }
}

/// The line, and its price before discounts. `None` where nothing is bought: no pieces, or something that
/// is taken back, which counts only in the total. What is sold by measure (1.5 kg) is one piece of that measure.
fn line(
    index: usize,
    item: &payload::LineItem,
    amounts: &Amounts,
) -> Result<Option<(Line, i64)>, Unreadable> {
    let field = format!("line_items[{index}]");
    let uncountable =
        || Unreadable::new(format!("{field}.quantity"), "must be a number of pieces, like 2 or 1.5");
    let bought = amount::decimal(&item.quantity.0).ok_or_else(uncountable)?.normalize();
    let shown = amounts.shown(&format!("{field}.subtotal"), &item.subtotal, &item.subtotal_tax)?;
    if bought <= Decimal::ZERO || shown < 0 {
        return Ok(None);
    }
    let name = item.name.text().unwrap_or_default();
    let (quantity, title) = if bought.is_integer() {
        (bought.to_u32().ok_or_else(uncountable)?, name)
    } else {
        (1, payload::cut(&format!("{bought} × {name}"), TITLE))
    };
    let pieces = i64::from(quantity);
    // Some extensions write lines without one.
    let id =
        item.id.id().map_or_else(|| format!("line-{}", index.saturating_add(1)), |id| payload::cut(&id, ID));
    let line = Line {
        // A product that was deleted since has no id: the line still stands.
        product: item.product_id.id().map_or_else(|| format!("line-{id}"), |id| payload::cut(&id, ID)),
        id,
        variant: item.variation_id.name().filter(|id| id != "0"),
        title,
        quantity,
        unit_price: shown.div_euclid(pieces),
        tags: Vec::new(),
        weight_grams: 0,
        requires_shipping: true,
        gift_card: false,
        taxable: true,
        tax: amounts.minor(&format!("{field}.total_tax"), &item.total_tax)?,
        parent_line: None,
        attributes: item
            .sku
            .text()
            .map(|value| Attribute { key: "sku".to_owned(), value })
            .into_iter()
            .chain(attributes(&item.meta_data))
            .collect(),
    };
    Ok(Some((line, shown)))
}

/// The same pieces in lines that add up: a sum that does not divide by the quantity makes a second line of
/// the pieces that cost one minor unit more.
fn exact(line: Line, shown: i64) -> impl Iterator<Item = Line> {
    let pieces = i64::from(line.quantity.max(1));
    let dearer = shown.rem_euclid(pieces);
    let tax = i64::try_from(i128::from(line.tax) * i128::from(dearer) / i128::from(pieces)).unwrap_or(0);
    let dearer = u32::try_from(dearer).unwrap_or(0);
    let second = (dearer > 0).then(|| Line {
        id: format!("{}-2", line.id),
        quantity: dearer,
        unit_price: line.unit_price.saturating_add(1),
        tax,
        ..line.clone()
    });
    let quantity = line.quantity.saturating_sub(dearer);
    let tax = if second.is_some() { line.tax.saturating_sub(tax) } else { line.tax };
    std::iter::once(Line { quantity, tax, ..line }).chain(second)
}

/// Lines must be told apart; a shop's extensions may give two the same id. The first keeps it.
fn name_apart(lines: &mut [Line]) {
    let mut taken = BTreeSet::new();
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for line in lines {
        let first = line.id.clone();
        while !taken.insert(line.id.clone()) {
            let number = numbers.entry(first.clone()).or_insert(1);
            *number = number.saturating_add(1);
            line.id = format!("{first}-{number}");
        }
    }
}

/// Several parcels are one choice here: the first names it, the price is that of all.
fn delivery(order: &payload::Order, price: i64) -> Option<DeliveryChoice> {
    let first = order.shipping_lines.first()?;
    let method = first.method_id.name().unwrap_or_else(|| "shipping".to_owned());
    let id = match first.instance_id.id() {
        Some(instance) => payload::cut(&format!("{method}:{instance}"), ID),
        None => method.clone(),
    };
    let titles: Vec<_> = order.shipping_lines.iter().filter_map(|line| line.method_title.text()).collect();
    let title = if titles.is_empty() { method } else { payload::cut(&titles.join(" + "), TITLE) };
    Some(DeliveryChoice { id, title, price, promised: None })
}

fn place(address: &Address) -> Option<Place> {
    let country = address
        .country
        .text()
        .filter(|country| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    Some(Place {
        country: country.to_ascii_uppercase(),
        region: address.state.name(),
        city: address.city.name(),
        postcode: address.postcode.name(),
    })
}

fn buyer(order: &payload::Order) -> Buyer {
    let exempt = order
        .meta_data
        .iter()
        .any(|meta| meta.key.0 == "is_vat_exempt" && text(&meta.value).as_deref() == Some("yes"));
    let kind = if order.billing.company.text().is_some() { "business" } else { "consumer" };
    Buyer { kind: kind.to_owned(), tax_exempt: exempt, ..Buyer::default() }
}

/// A guest has no id and is known by the e-mail; an order without either names nobody.
fn customer(order: &payload::Order) -> Option<CustomerInput> {
    let billing = &order.billing;
    let (id, email) = (order.customer_id.id(), billing.email.email());
    if id.is_none() && email.is_none() {
        return None;
    }
    Some(CustomerInput {
        id,
        first_name: billing.first_name.name(),
        last_name: billing.last_name.name(),
        company: billing.company.name(),
        email,
        phone: billing.phone.name(),
        ..CustomerInput::default()
    })
}

/// What the shop's allow-list is held against later; our own keys are none.
fn attributes(metas: &[Meta]) -> Vec<Attribute> {
    metas
        .iter()
        .filter(|meta| !meta.key.0.starts_with("_cartwright_"))
        .filter_map(|meta| Some(Attribute { key: meta.key.text()?, value: text(&meta.value)? }))
        .filter(|Attribute { value, .. }| value.len() <= LONGEST_ATTRIBUTE && !value.contains(unreadable))
        .collect()
}

/// A note may have lines; what hides something is no attribute.
fn unreadable(c: char) -> bool {
    is_hidden(c) && !matches!(c, '\n' | '\r' | '\t')
}

/// A plain value; lists and objects of extensions are not attributes.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The `_gmt` date is UTC without saying so; the other one is in the shop's zone. An offset that is there
/// after all is honoured.
fn instant(gmt: Option<&str>, local: Option<&str>, zone: &TimeZone) -> Option<i64> {
    let read = |text: &str, zone: &TimeZone| {
        let text = text.trim();
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(instant.as_millisecond());
        }
        let civil: DateTime = text.parse().ok()?;
        zone.to_ambiguous_zoned(civil).compatible().ok().map(|zoned| zoned.timestamp().as_millisecond())
    };
    gmt.and_then(|text| read(text, &TimeZone::UTC)).or_else(|| local.and_then(|text| read(text, zone)))
}
