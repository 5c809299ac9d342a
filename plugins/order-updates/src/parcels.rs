//! An order may travel in several parcels.

use cartwright_sdk::prelude::*;

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

/// Notes that this parcel has been delivered; whether it was the last of the order.
pub fn last_one(order: &Order, shipment: &Shipment) -> bool {
    let delivered = |id: &str| format!("delivered/{id}");
    state::order().put(&delivered(&shipment.id), "1");
    let others = orders::shipments().into_iter().filter(|parcel| parcel.id != shipment.id);
    let all = state::order().get_many(others.map(|parcel| delivered(&parcel.id))).iter().all(Option::is_some);
    all && !more_to_come(order, shipment)
}
