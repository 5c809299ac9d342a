//! Who bought, as a shop tells it.

use super::email::is_email;
use super::fields::{Checked, at_most, id, instant, invalid, optional, plain};
use crate::domain::plain::ID;
use crate::domain::{Buyer, CustomerInput};

/// Characters of a language tag.
pub(super) const LOCALE: usize = 35;
const SEGMENTS: usize = 100;
const CONSENTS: usize = 100;

/// Also for what a shop says of a customer outside events.
pub fn customer(customer: &mut CustomerInput, now_ms: i64) -> Checked {
    if let Some(given) = &customer.id {
        id("customer.id", given)?;
    }
    for (field, value) in [
        ("customer.first_name", &mut customer.first_name),
        ("customer.last_name", &mut customer.last_name),
        ("customer.company", &mut customer.company),
        ("customer.phone", &mut customer.phone),
    ] {
        optional(field, value.as_ref(), ID)?;
        blank_is_none(value);
    }
    blank_is_none(&mut customer.email);
    if let Some(email) = &mut customer.email {
        *email = email.trim().to_owned();
        if !is_email(email) {
            return invalid(
                "customer.email",
                "is not an e-mail address like ada@shop.example, without a name around it; leave it out when \
                 there is none",
            );
        }
    }
    if let Some(zone) = &customer.zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        return invalid("customer.zone", "not an IANA time zone; write one like Europe/Warsaw");
    }
    optional("customer.locale", customer.locale.as_ref(), LOCALE)?;
    if let Some(created_at) = customer.created_at {
        instant("customer.created_at", created_at, now_ms)?;
    }
    if let Some(given) = &customer.buyer {
        buyer("customer.buyer", given)?;
    }
    let consents = customer.consents.as_deref().unwrap_or_default();
    at_most("customer.consents", consents.len(), CONSENTS, "consents")?;
    for (at, consent) in consents.iter().enumerate() {
        let field = |name: &str| format!("customer.consents[{at}].{name}");
        if !matches!(consent.channel.as_str(), "email" | "sms" | "push") {
            return invalid(&field("channel"), "must be `email`, `sms` or `push`");
        }
        if !matches!(consent.category.as_str(), "marketing" | "updates") {
            return invalid(&field("category"), "must be `marketing` or `updates`");
        }
    }
    Ok(())
}

/// Somebody who can be told from others.
pub(super) fn known(input: &mut CustomerInput, now_ms: i64) -> Checked {
    customer(input, now_ms)?;
    if input.id.is_none() && input.email.is_none() {
        return invalid("customer", "needs an `id`, or an `email` to be known by as a guest");
    }
    Ok(())
}

pub(super) fn buyer(field: &str, buyer: &Buyer) -> Checked {
    if !matches!(buyer.kind.as_str(), "consumer" | "business") {
        return invalid(&format!("{field}.kind"), "must be `consumer` or `business`");
    }
    at_most(&format!("{field}.segments"), buyer.segments.len(), SEGMENTS, "segments")?;
    for (at, segment) in buyer.segments.iter().enumerate() {
        plain(&format!("{field}.segments[{at}]"), segment, ID)?;
    }
    Ok(())
}

fn blank_is_none(text: &mut Option<String>) {
    if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        *text = None;
    }
}
