//! An order may travel in several parcels.

use cartwright_sdk::prelude::*;

use crate::stage::Stage;

/// Of the order: its arrival has been told.
const ARRIVED: &str = "arrived";

/// Whether goods are left after this parcel and those before it. A parcel that does not say what is
/// in it, or says it in other words than the order's, holds all there is.
pub fn more_to_come(order: &Order, shipment: &Shipment) -> bool {
    let mut parcels = orders::shipments();
    if !parcels.iter().any(|parcel| parcel.id == shipment.id) {
        parcels.push(shipment.clone());
    }
    let known = |sent: &ShippedLine| order.lines.iter().any(|line| line.id == sent.line);
    if parcels.iter().any(|parcel| parcel.lines.is_empty() || !parcel.lines.iter().all(known)) {
        return false;
    }
    let sent = |line: &Line| -> u64 {
        let lines = parcels.iter().flat_map(|parcel| &parcel.lines).filter(|sent| sent.line == line.id);
        lines.map(|sent| u64::from(sent.quantity)).sum()
    };
    order.lines.iter().any(|line| line.requires_shipping && sent(line) < u64::from(line.quantity))
}

/// Whether the report moves the parcel on, and notes how far it is. Reports come in any order: what is
/// older than the newest is no news, and neither is what comes after delivery; but a problem and a way
/// back are, unless the delivery was their end.
pub fn moves_on(shipment: &Shipment, stage: Option<Stage>, update: &DeliveryUpdate) -> bool {
    let memory = state::order();
    let key = format!("newest/{}", shipment.id);
    let newest = memory.number(&key);
    // A carrier's clock that is fast must not silence what follows.
    let at = update.at.min(context::now());
    if at > newest {
        memory.put(&key, &at.to_string());
    }
    let always = matches!(stage, Some(Stage::Problem | Stage::Returning));
    match memory.get(&delivered(shipment)) {
        Some(delivered) => always && delivered.parse().is_ok_and(|delivered: i64| update.at >= delivered),
        None => always || update.at >= newest,
    }
}

/// Notes that this parcel has been delivered; whether it was the last of the order.
pub fn last_one(order: &Order, shipment: &Shipment, update: &DeliveryUpdate) -> bool {
    if !is_delivered(shipment) {
        state::order().put(&delivered(shipment), &update.at.min(context::now()).to_string());
    }
    let others = orders::shipments().into_iter().filter(|parcel| parcel.id != shipment.id);
    let all = state::order().get_many(others.map(|parcel| delivered(&parcel))).iter().all(Option::is_some);
    all && !more_to_come(order, shipment)
}

/// Notes that the order's arrival is being told; whether it was before.
pub fn all_told_before() -> bool {
    let before = state::order().get(ARRIVED).is_some();
    if !before {
        state::order().put(ARRIVED, "1");
    }
    before
}

pub fn is_delivered(shipment: &Shipment) -> bool {
    state::order().get(&delivered(shipment)).is_some()
}

pub fn is_only_one(shipment: &Shipment) -> bool {
    orders::shipments().iter().all(|parcel| parcel.id == shipment.id)
}

/// Notes the message about the parcel that may still wait.
pub fn note_waiting(shipment: &Shipment, dedupe_key: &str) {
    state::order().put(&waiting(shipment), dedupe_key);
}

/// Takes back the message about the parcel that may still wait.
pub fn forget_waiting(shipment: &Shipment) {
    if let Some(dedupe_key) = state::order().get(&waiting(shipment)) {
        messages::cancel(&dedupe_key);
        state::order().delete(&waiting(shipment));
    }
}

/// When the parcel was delivered.
fn delivered(shipment: &Shipment) -> String {
    format!("delivered/{}", shipment.id)
}

fn waiting(shipment: &Shipment) -> String {
    format!("waiting/{}", shipment.id)
}
