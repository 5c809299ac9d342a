//! What the platform reads.

use cartwright_sdk::calendar;
use cartwright_sdk::json::Json;
use cartwright_sdk::prelude::*;

use crate::LogisticsSettings;

/// `None`: nothing of the order is sent in a parcel.
pub(crate) fn handover(order: &Order, settings: &LogisticsSettings) -> Option<Json> {
    let lines: Vec<Json> =
        order.lines.iter().filter(|line| line.requires_shipping && !line.gift_card).map(goods).collect();
    if lines.is_empty() {
        return None;
    }
    Some(
        reference(order, settings)
            .with("placed_at", instant(order.placed_at))
            .with("lines", lines)
            .with("destination", order.destination.as_ref().map(place))
            .with("delivery", order.delivery.as_ref().map(delivery)),
    )
}

pub(crate) fn cancellation(order: &Order, settings: &LogisticsSettings) -> Json {
    reference(order, settings)
}

fn reference(order: &Order, settings: &LogisticsSettings) -> Json {
    Json::object()
        .with("order", &order.id)
        .with("number", &order.number)
        .with("shop", context::shop().id)
        .with("warehouse", settings.warehouse.clone())
}

fn goods(line: &Line) -> Json {
    Json::object()
        .with("line", &line.id)
        // A variant is what lies on a shelf.
        .with("sku", line.variant.as_ref().unwrap_or(&line.product))
        .with("product", &line.product)
        .with("title", &line.title)
        .with("quantity", line.quantity)
        .with("weight_grams", line.weight_grams)
}

fn place(place: &Place) -> Json {
    Json::object()
        .with("country", &place.country)
        .with("region", place.region.clone())
        .with("city", place.city.clone())
        .with("postcode", place.postcode.clone())
}

fn delivery(choice: &DeliveryChoice) -> Json {
    let promised = choice
        .promised
        .as_ref()
        .map(|arrival| Json::object().with("earliest", &arrival.earliest).with("latest", &arrival.latest));
    Json::object().with("option", &choice.id).with("title", &choice.title).with("promised", promised)
}

/// RFC 3339, to the minute.
fn instant(at_ms: i64) -> String {
    let clock = calendar::local(at_ms, "UTC");
    [&clock.date, "T", &clock.time, ":00Z"].concat()
}
