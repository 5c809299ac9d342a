//! The stages of a delivery, and which report of one is news.

use cartwright_sdk::prelude::*;

/// Where a parcel is.
#[derive(Settings, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    InTransit,
    ArrivedAtFacility,
    OutForDelivery,
    ReadyForPickup,
    Attempted,
    Delayed,
    Problem,
    Returning,
    Delivered,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::InTransit,
        Self::ArrivedAtFacility,
        Self::OutForDelivery,
        Self::ReadyForPickup,
        Self::Attempted,
        Self::Delayed,
        Self::Problem,
        Self::Returning,
        Self::Delivered,
    ];

    /// As the contract names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InTransit => "in-transit",
            Self::ArrivedAtFacility => "arrived-at-facility",
            Self::OutForDelivery => "out-for-delivery",
            Self::ReadyForPickup => "ready-for-pickup",
            Self::Attempted => "attempted",
            Self::Delayed => "delayed",
            Self::Problem => "problem",
            Self::Returning => "returning",
            Self::Delivered => "delivered",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// What the customer will not be glad to read.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Attempted | Self::Delayed | Self::Problem | Self::Returning)
    }

    /// Reports with the same news are told once: carriers repeat themselves. A later day of arrival is
    /// news, a second visit on another day is news, another depot is news.
    pub fn news(self, update: &DeliveryUpdate) -> String {
        let name = self.name();
        let detail = match self {
            Self::Delayed => update.estimated.as_ref().map(|arrival| arrival.latest.clone()),
            Self::ArrivedAtFacility => update.location.as_deref().map(mark),
            Self::OutForDelivery | Self::Attempted => {
                Some(calendar::local(update.at, &context::shop().zone).date)
            }
            _ => None,
        };
        detail.map_or_else(|| name.to_owned(), |detail| format!("{name}/{detail}"))
    }
}

/// Carriers name places at any length, and a key is short: FNV-1a.
fn mark(place: &str) -> String {
    let mark = place.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |mark, byte| {
        (mark ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{mark:016x}")
}
