//! What was bought.

use std::collections::BTreeSet;

use super::LINES;
use super::customer::buyer;
use super::fields::{
    Checked, TOO_LARGE, amount, at_most, currency, id, instant, invalid, keep_allowed, not_negative,
    optional, place, plain,
};
use crate::domain::plain::{ID, TEXT, shown};
use crate::domain::{Line, Order};

const CODES: usize = 50;
const ADJUSTMENTS: usize = 200;
const TAGS: usize = 100;
/// Characters of a signed quote.
const QUOTE: usize = 8_192;

/// `allowed`: attributes that plugins may see; others are dropped, for they may hold anything.
pub(super) fn order(order: &mut Order, allowed: &[String], now_ms: i64) -> Checked {
    id("order.id", &order.id)?;
    if order.number.trim().is_empty() {
        order.number.clone_from(&order.id);
    }
    plain("order.number", &order.number, ID)?;
    optional("order.cart_id", order.cart_id.as_ref(), ID)?;
    optional("order.quote", order.quote.as_ref(), QUOTE)?;
    instant("order.placed_at", order.placed_at, now_ms)?;
    order.exponent = currency("order.currency", &mut order.currency)?;
    lines(&mut order.lines, allowed)?;
    place("order.destination", order.destination.as_mut())?;
    buyer("order.buyer", &order.buyer)?;
    if let Some(delivery) = &order.delivery {
        id("order.delivery.id", &delivery.id)?;
        plain("order.delivery.title", &delivery.title, TEXT)?;
        not_negative("order.delivery.price", delivery.price)?;
    }
    optional("order.payment_method", order.payment_method.as_ref(), TEXT)?;
    at_most("order.codes", order.codes.len(), CODES, "codes")?;
    for (at, code) in order.codes.iter().enumerate() {
        plain(&format!("order.codes[{at}]"), code, ID)?;
    }
    not_negative("order.subtotal", order.subtotal)?;
    not_negative("order.discount", order.discount)?;
    not_negative("order.total", order.total)?;
    amount("order.tax", order.tax)?;
    at_most("order.adjustments", order.adjustments.len(), ADJUSTMENTS, "adjustments")?;
    for (at, adjustment) in order.adjustments.iter().enumerate() {
        let field = |name: &str| format!("order.adjustments[{at}].{name}");
        plain(&field("kind"), &adjustment.kind, ID)?;
        plain(&field("label"), &adjustment.label, TEXT)?;
        amount(&field("amount"), adjustment.amount)?;
    }
    keep_allowed("order.attributes", &mut order.attributes, allowed)
}

fn lines(lines: &mut [Line], allowed: &[String]) -> Checked {
    at_most("order.lines", lines.len(), LINES, "lines")?;
    let mut ids = BTreeSet::new();
    for (at, line) in lines.iter_mut().enumerate() {
        let field = |name: &str| format!("order.lines[{at}].{name}");
        id(&field("id"), &line.id)?;
        id(&field("product"), &line.product)?;
        optional(&field("variant"), line.variant.as_ref(), ID)?;
        plain(&field("title"), &line.title, TEXT)?;
        if !ids.insert(line.id.clone()) {
            return invalid(&field("id"), &format!("`{}` comes twice", shown(&line.id)));
        }
        if line.quantity == 0 {
            return invalid(&field("quantity"), "must be at least 1; leave the line out instead");
        }
        not_negative(&field("unit_price"), line.unit_price)?;
        amount(&field("tax"), line.tax)?;
        if line.total().is_none() {
            return invalid(&field("unit_price"), TOO_LARGE);
        }
        at_most(&field("tags"), line.tags.len(), TAGS, "tags")?;
        for (tag_at, tag) in line.tags.iter().enumerate() {
            plain(&format!("{}[{tag_at}]", field("tags")), tag, ID)?;
        }
        optional(&field("parent_line"), line.parent_line.as_ref(), ID)?;
        keep_allowed(&field("attributes"), &mut line.attributes, allowed)?;
    }
    Ok(())
}
