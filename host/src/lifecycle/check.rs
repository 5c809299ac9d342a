//! What an event must be like to be taken in: checked and brought into one form. Pure.

mod fields;

use std::collections::BTreeSet;

use crate::domain::{
    Cart, CustomerInput, DeliveryUpdate, Event, Feedback, Line, Order, OrderReturn, Shipment,
};
pub use fields::is_hidden;
use fields::{
    Checked, ID, TOO_LARGE, amount, arrival, blank_is_none, currency, id, invalid, keep_allowed,
    not_negative, place, plain, web_address, words,
};

/// Characters of a name, title or note.
const TEXT: usize = 2_000;
/// Characters of a customer's own words.
const WORDS: usize = 10_000;
const LINES: usize = 2_000;
const CODES: usize = 50;

/// `allowed`: attributes that plugins may see; others are dropped, for they may hold anything.
pub(crate) fn event(event: &mut Event, allowed: &[String]) -> Checked {
    match event {
        Event::OrderPlaced(placed) => {
            order(&mut placed.order, allowed)?;
            placed.customer.as_mut().map_or(Ok(()), customer)
        }
        Event::OrderShipped(shipped) => {
            id("order_id", &shipped.order_id)?;
            shipment(&mut shipped.shipment)
        }
        Event::DeliveryUpdated(updated) | Event::OrderDelivered(updated) => {
            id("order_id", &updated.order_id)?;
            id("shipment_id", &updated.shipment_id)?;
            update(&mut updated.update)
        }
        Event::OrderCancelled(cancelled) => {
            id("order_id", &cancelled.order_id)?;
            words("reason", cancelled.reason.as_mut(), TEXT)
        }
        Event::OrderReturned(returned) => {
            id("order_id", &returned.order_id)?;
            order_return(&mut returned.order_return)
        }
        Event::CustomerCreated(created) => known_customer(&mut created.customer),
        Event::CartAbandoned(abandoned) => {
            cart(&mut abandoned.cart, allowed)?;
            known_customer(&mut abandoned.customer)
        }
        Event::FeedbackReceived(received) => {
            if let Some(order_id) = &received.order_id {
                id("order_id", order_id)?;
            }
            feedback(&mut received.feedback)?;
            received.customer.as_mut().map_or(Ok(()), customer)
        }
    }
}

/// Also for what a shop says of a customer outside events.
pub fn customer(customer: &mut CustomerInput) -> Checked {
    if let Some(given) = &customer.id {
        id("customer.id", given)?;
    }
    for (field, value) in [
        ("customer.first_name", &mut customer.first_name),
        ("customer.last_name", &mut customer.last_name),
        ("customer.company", &mut customer.company),
        ("customer.phone", &mut customer.phone),
    ] {
        if let Some(text) = value {
            plain(field, text, ID)?;
        }
        blank_is_none(value);
    }
    blank_is_none(&mut customer.email);
    if let Some(email) = &mut customer.email {
        *email = email.trim().to_owned();
        if !is_email(email) {
            return invalid("customer.email", "not an e-mail address; leave it out when there is none");
        }
    }
    if let Some(zone) = &customer.zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        return invalid("customer.zone", "not an IANA time zone; write one like Europe/Warsaw");
    }
    if let Some(locale) = &customer.locale {
        plain("customer.locale", locale, 35)?;
    }
    for consent in customer.consents.iter().flatten() {
        if !matches!(consent.channel.as_str(), "email" | "sms" | "push") {
            return invalid("customer.consents.channel", "must be `email`, `sms` or `push`");
        }
        if !matches!(consent.category.as_str(), "marketing" | "updates") {
            return invalid("customer.consents.category", "must be `marketing` or `updates`");
        }
    }
    Ok(())
}

/// An address that a mail can be sent to: one `@`, a domain, nothing that could end a header line.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| is_hidden(c) || c.is_whitespace() || matches!(c, '@' | '<' | '>' | ',' | ';'))
    };
    text.len() <= 254
        && local.len() <= 64
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn known_customer(input: &mut CustomerInput) -> Checked {
    customer(input)?;
    if input.id.is_none() && input.email.is_none() {
        return invalid("customer", "needs an `id`, or an `email` to be known by as a guest");
    }
    Ok(())
}

fn order(order: &mut Order, allowed: &[String]) -> Checked {
    id("order.id", &order.id)?;
    if order.number.trim().is_empty() {
        order.number.clone_from(&order.id);
    }
    plain("order.number", &order.number, ID)?;
    order.exponent = currency("order.currency", &mut order.currency)?;
    lines("order.lines", &mut order.lines, allowed)?;
    place("order.destination", order.destination.as_mut())?;
    if let Some(delivery) = &order.delivery {
        id("order.delivery.id", &delivery.id)?;
        plain("order.delivery.title", &delivery.title, TEXT)?;
        not_negative("order.delivery.price", delivery.price)?;
    }
    if order.codes.len() > CODES {
        return invalid("order.codes", &format!("more than {CODES} codes"));
    }
    for code in &order.codes {
        plain("order.codes", code, ID)?;
    }
    not_negative("order.subtotal", order.subtotal)?;
    not_negative("order.discount", order.discount)?;
    not_negative("order.total", order.total)?;
    amount("order.tax", order.tax)?;
    for adjustment in &order.adjustments {
        amount("order.adjustments.amount", adjustment.amount)?;
        plain("order.adjustments.label", &adjustment.label, TEXT)?;
    }
    keep_allowed(&mut order.attributes, allowed);
    Ok(())
}

fn cart(cart: &mut Cart, allowed: &[String]) -> Checked {
    id("cart.id", &cart.id)?;
    cart.exponent = currency("cart.currency", &mut cart.currency)?;
    lines("cart.lines", &mut cart.lines, allowed)?;
    place("cart.destination", cart.destination.as_mut())?;
    for group in &mut cart.groups {
        id("cart.groups.id", &group.id)?;
        place("cart.groups.origin", group.origin.as_mut())?;
        place("cart.groups.destination", group.destination.as_mut())?;
    }
    amount("cart.tax", cart.tax)?;
    if cart.codes.len() > CODES {
        return invalid("cart.codes", &format!("more than {CODES} codes"));
    }
    for code in &mut cart.codes {
        "unknown".clone_into(&mut code.status);
    }
    keep_allowed(&mut cart.attributes, allowed);
    Ok(())
}

fn lines(field: &str, lines: &mut [Line], allowed: &[String]) -> Checked {
    if lines.len() > LINES {
        return invalid(field, &format!("more than {LINES} lines"));
    }
    let mut ids = BTreeSet::new();
    for line in lines {
        id(&format!("{field}.id"), &line.id)?;
        id(&format!("{field}.product"), &line.product)?;
        plain(&format!("{field}.title"), &line.title, TEXT)?;
        if !ids.insert(line.id.clone()) {
            return invalid(&format!("{field}.id"), &format!("`{}` comes twice", line.id));
        }
        if line.quantity == 0 {
            return invalid(&format!("{field}.quantity"), "must be at least 1; leave the line out instead");
        }
        not_negative(&format!("{field}.unit_price"), line.unit_price)?;
        amount(&format!("{field}.tax"), line.tax)?;
        if line.total().is_none() {
            return invalid(&format!("{field}.unit_price"), TOO_LARGE);
        }
        keep_allowed(&mut line.attributes, allowed);
    }
    Ok(())
}

fn shipment(shipment: &mut Shipment) -> Checked {
    id("shipment.id", &shipment.id)?;
    for (field, text) in [
        ("shipment.carrier", &shipment.carrier),
        ("shipment.tracking_number", &shipment.tracking_number),
        ("shipment.tracking_url", &shipment.tracking_url),
    ] {
        if let Some(text) = text {
            plain(field, text, TEXT)?;
        }
    }
    if let Some(url) = &shipment.tracking_url {
        web_address("shipment.tracking_url", url)?;
    }
    // A promise is what a quote says, not what is said of it now.
    shipment.promised = None;
    arrival("shipment.estimated", shipment.estimated.as_ref())?;
    place("shipment.destination", shipment.destination.as_mut())
}

fn update(update: &mut DeliveryUpdate) -> Checked {
    id("update.stage", &update.stage)?;
    arrival("update.estimated", update.estimated.as_ref())?;
    words("update.location", update.location.as_mut(), TEXT)?;
    words("update.note", update.note.as_mut(), TEXT)
}

fn order_return(returned: &mut OrderReturn) -> Checked {
    id("return.id", &returned.id)?;
    not_negative("return.refunded", returned.refunded)?;
    words("return.reason", returned.reason.as_mut(), TEXT)
}

fn feedback(feedback: &mut Feedback) -> Checked {
    if feedback.rating.is_some_and(|rating| !(1..=10).contains(&rating)) {
        return invalid("feedback.rating", "must be 1 to 10");
    }
    id("feedback.subject", &feedback.subject)?;
    words("feedback.text", feedback.text.as_mut(), WORDS)
}
