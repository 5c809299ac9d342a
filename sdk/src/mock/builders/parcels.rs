//! Shipments, what carriers say of them, and what comes back.

use super::super::at;
use super::arrival;
use crate::types::{DeliveryUpdate, OrderReturn, Shipment, ShippedLine};

/// A shipment that left when the mock host begins.
pub fn shipment(id: &str) -> ShipmentBuilder {
    ShipmentBuilder(Shipment {
        id: id.to_owned(),
        carrier: None,
        tracking_number: None,
        tracking_url: None,
        lines: Vec::new(),
        shipped_at: at("2026-11-30T10:00:00+01:00"),
        promised: None,
        estimated: None,
        destination: None,
    })
}

/// A shipment being built; taken wherever a shipment is.
#[derive(Debug, Clone)]
pub struct ShipmentBuilder(Shipment);

impl ShipmentBuilder {
    /// Who carries it.
    pub fn carrier(mut self, carrier: &str) -> Self {
        self.0.carrier = Some(carrier.to_owned());
        self
    }

    /// Its number and where to follow it.
    pub fn tracking(mut self, number: &str, url: &str) -> Self {
        self.0.tracking_number = Some(number.to_owned());
        self.0.tracking_url = Some(url.to_owned());
        self
    }

    /// A line of the order that is in it.
    pub fn line(mut self, line: &str, quantity: u32) -> Self {
        self.0.lines.push(ShippedLine { line: line.to_owned(), quantity });
        self
    }

    /// When it left: RFC 3339.
    pub fn shipped(mut self, time: &str) -> Self {
        self.0.shipped_at = at(time);
        self
    }

    /// What was promised at checkout, `YYYY-MM-DD`.
    pub fn promised(mut self, earliest: &str, latest: &str) -> Self {
        self.0.promised = Some(arrival(earliest, latest));
        self
    }

    /// What the carrier says, `YYYY-MM-DD`.
    pub fn estimated(mut self, earliest: &str, latest: &str) -> Self {
        self.0.estimated = Some(arrival(earliest, latest));
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Shipment)) -> Self {
        change(&mut self.0);
        self
    }

    /// The shipment.
    pub fn build(self) -> Shipment {
        self.0
    }
}

impl From<ShipmentBuilder> for Shipment {
    fn from(builder: ShipmentBuilder) -> Self {
        builder.build()
    }
}

/// What the carrier says of a parcel, e.g. `out-for-delivery`.
pub fn update(stage: &str) -> UpdateBuilder {
    UpdateBuilder(DeliveryUpdate {
        stage: stage.to_owned(),
        at: at("2026-12-01T10:00:00+01:00"),
        location: None,
        estimated: None,
        note: None,
    })
}

/// A delivery update being built; taken wherever an update is.
#[derive(Debug, Clone)]
pub struct UpdateBuilder(DeliveryUpdate);

impl UpdateBuilder {
    /// When: RFC 3339.
    pub fn at(mut self, time: &str) -> Self {
        self.0.at = at(time);
        self
    }

    /// Where the parcel is.
    pub fn location(mut self, location: &str) -> Self {
        self.0.location = Some(location.to_owned());
        self
    }

    /// When it will arrive, `YYYY-MM-DD`.
    pub fn estimated(mut self, earliest: &str, latest: &str) -> Self {
        self.0.estimated = Some(arrival(earliest, latest));
        self
    }

    /// What else is said.
    pub fn note(mut self, note: &str) -> Self {
        self.0.note = Some(note.to_owned());
        self
    }

    /// The update.
    pub fn build(self) -> DeliveryUpdate {
        self.0
    }
}

impl From<UpdateBuilder> for DeliveryUpdate {
    fn from(builder: UpdateBuilder) -> Self {
        builder.build()
    }
}

/// Lines that came back, with how many of each, and the money given back for them.
pub fn order_return(id: &str, lines: &[(&str, u32)], refunded: i64) -> OrderReturn {
    OrderReturn {
        id: id.to_owned(),
        lines: lines
            .iter()
            .map(|(line, quantity)| ShippedLine { line: (*line).to_owned(), quantity: *quantity })
            .collect(),
        refunded,
        reason: None,
        at: at("2026-12-10T10:00:00+01:00"),
    }
}
