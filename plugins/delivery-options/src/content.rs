//! Delivery to the visitor's region on the product page; what is missing to free delivery in the cart.

use cartwright_sdk::prelude::*;

use crate::{Found, Offer};

/// The countries that `locales/*.ftl` name.
pub const NAMED: &str = "AT AU BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT JP LT LU LV MT NL NO PL PT RO SE SI SK UA US";

/// The cheapest and the fastest way to the visitor's place, before anything is in a cart.
pub fn summarise(offer: &Offer) -> Outcome {
    let found = offer.options()?;
    let Some(cheapest) = found.iter().min_by_key(|found| (found.option.price, &found.latest)) else {
        return Ok(());
    };
    if cheapest.option.kind == "digital" {
        let body = text("delivery-digital").or("Nothing to ship.");
        Block::new("delivery", body).placement("delivery").show();
        return Ok(());
    }
    Block::new("delivery", sentence("delivery-cheapest", cheapest))
        .title(text("delivery-to").arg("place", name_of(offer.destination())).or("Delivery"))
        .placement("delivery")
        .show();
    let fastest = found.iter().min_by_key(|found| (&found.latest, found.option.price));
    if let Some(fastest) = fastest.filter(|fastest| fastest.latest < cheapest.latest) {
        Notice::new("delivery-fastest", sentence("delivery-fastest", fastest)).placement("delivery").show();
    }
    if let Some(threshold) = offer.threshold()?.filter(|_| cheapest.option.price > 0) {
        Notice::new("delivery-free-from", free_from(threshold)).placement("delivery").show();
    }
    Ok(())
}

/// How far the cart is from free delivery, when there is such a thing for its destination. Free is
/// judged after discounts, which are being decided at the same time: with a code in the cart only the
/// threshold is certain.
pub fn show_free_delivery(offer: &Offer) -> Outcome {
    if !offer.cart.requires_shipping() {
        return Ok(());
    }
    let Some(threshold) = offer.threshold()?.filter(|threshold| *threshold > 0) else { return Ok(()) };
    let missing = threshold.saturating_sub(offer.goods);
    if offer.cart.codes.iter().any(|code| code.status == "own" || code.status == "unknown") {
        Notice::new("delivery-free", free_from(threshold)).show();
    } else if missing > 0 {
        let text = text("delivery-free-missing")
            .arg("missing", value::money(missing))
            .or("A little more, and delivery is free.");
        Notice::new("delivery-free", text).show();
    }
    Ok(())
}

fn free_from(threshold: i64) -> Text {
    text("delivery-free-from")
        .arg("threshold", value::money(threshold))
        .or("Delivery is free for larger orders.")
}

/// `<key>`, with `-free` when it costs nothing and `-range` when the arrival is more than one day.
fn sentence(key: &str, found: &Found) -> Text {
    let Some(arrival) = &found.option.arrival else { return found.option.title.clone() };
    let free = if found.option.price == 0 { "-free" } else { "" };
    let range = if arrival.earliest == arrival.latest { "" } else { "-range" };
    text(&format!("{key}{free}{range}"))
        .arg("title", found.name.clone())
        .arg("price", value::money(found.option.price))
        .arg("earliest", value::earliest(arrival))
        .arg("latest", value::latest(arrival))
        .or(&found.option.title.fallback)
}

/// The city when it is known, else the country by its name in the shopper's language.
fn name_of(place: &Place) -> Value {
    match &place.city {
        Some(city) => Value::String(city.clone()),
        None if NAMED.split(' ').any(|code| code == place.country) => {
            value::text(&format!("country-{}", place.country))
        }
        None => Value::String(place.country.clone()),
    }
}
