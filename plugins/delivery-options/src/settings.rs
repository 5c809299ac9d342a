//! What the merchant may set, and what holds when nothing is set.

use cartwright_sdk::prelude::*;

/// Ways of delivery. Without methods of your own there are three: economy, standard and express.
#[derive(Settings)]
pub struct DeliverySettings {
    /// Ordered by then on a working day, a parcel leaves on that day. HH:MM on the shop's clock.
    #[setting(default = "14:00", pattern = "^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]
    pub cut_off: String,
    /// Working days that packing takes before a parcel leaves.
    #[setting(default = 0, min = 0, max = 60)]
    pub packing_days: u32,
    /// "Order within 2 h 10 min" is shown when the cut-off is at most so many hours away; 0 = never.
    #[setting(default = 12, min = 0, max = 72)]
    pub countdown_hours: u32,
    /// Areas that rates speak of, beside `home` (the shop's country) and `world` (everywhere).
    #[setting(default = [])]
    pub zones: Vec<Zone>,
    /// Ways of delivery, in the order in which they are offered.
    /// The three for a start: the longer it takes, the cheaper it is.
    #[setting(default_json = r#"[
        {"id": "economy", "kind": "post", "rates": [
            {"zone": "home", "days_min": 3, "days_max": 5, "price": {"EUR": 3.9, "GBP": 3.5, "PLN": 9.99, "USD": 4.9}, "free_from": {"EUR": 50, "GBP": 45, "PLN": 200, "USD": 50}},
            {"days_min": 7, "days_max": 14, "price": {"EUR": 9.9, "GBP": 8.9, "PLN": 44.9, "USD": 12.9}}]},
        {"id": "standard", "rates": [
            {"zone": "home", "days_min": 1, "days_max": 2, "price": {"EUR": 5.9, "GBP": 4.9, "PLN": 14.9, "USD": 7.9}},
            {"days_min": 4, "days_max": 7, "price": {"EUR": 14.9, "GBP": 12.9, "PLN": 64.9, "USD": 19.9}}]},
        {"id": "express", "rates": [
            {"zone": "home", "days_min": 1, "days_max": 1, "price": {"EUR": 9.9, "GBP": 8.9, "PLN": 24.9, "USD": 14.9}}]}]"#)]
    pub methods: Vec<Method>,
}

/// An area. A place lies in it when each list that is not empty names it.
#[derive(Settings)]
pub struct Zone {
    /// The name that rates use.
    pub id: String,
    /// Two letters each, e.g. `PL`.
    #[setting(default = [])]
    pub countries: Vec<String>,
    /// Regions as the shop's platform names them, e.g. `MZ`.
    #[setting(default = [])]
    pub regions: Vec<String>,
    /// Beginnings of postcodes, e.g. `00-`.
    #[setting(default = [])]
    pub postcodes: Vec<String>,
}

/// One way of delivery.
#[derive(Settings)]
pub struct Method {
    /// Stays the same. Without a title the text `method-<id>` is the name, in each language.
    pub id: String,
    /// Its name, the same in all languages.
    pub title: Option<String>,
    /// Where the parcel is handed over.
    #[setting(default = "home")]
    pub kind: Kind,
    /// Who carries it.
    pub carrier: Option<String>,
    /// HH:MM on the shop's clock, when it is not the shop's own cut-off.
    #[setting(pattern = "^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]
    pub cut_off: Option<String>,
    /// Offered only on working days before the cut-off: for "same day", which is no such thing later.
    #[setting(default = false)]
    pub only_before_cut_off: bool,
    /// The carrier brings parcels on every day: `days` are then days, not working days.
    #[setting(default = false)]
    pub every_day: bool,
    /// Places to fetch it from; those in the shopper's city when it is known, else in their country.
    #[setting(default = [])]
    pub points: Vec<Point>,
    /// The first rate that fits is the price.
    pub rates: Vec<Rate>,
}

/// Where a parcel is handed over.
#[derive(Settings, Clone, Copy)]
pub enum Kind {
    Home,
    Work,
    Locker,
    PickupPoint,
    Post,
    Store,
}

impl Kind {
    /// As the contract names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Work => "work",
            Self::Locker => "locker",
            Self::PickupPoint => "pickup-point",
            Self::Post => "post",
            Self::Store => "store",
        }
    }
}

/// What a method costs, and how long it takes.
#[derive(Settings)]
pub struct Rate {
    /// `home` (the shop's country), `world` (everywhere), or a zone's id.
    #[setting(default = "world")]
    pub zone: String,
    /// Only for parcels up to this weight in grams.
    pub max_grams: Option<u32>,
    /// Only for carts of at least so much, after discounts.
    pub from_total: Option<Money>,
    /// For each currency; not offered in others.
    pub price: Money,
    /// Free for carts of at least so much, after discounts.
    pub free_from: Option<Money>,
    /// Working days on the road, at least.
    #[setting(default = 1, max = 120)]
    pub days_min: u32,
    /// Working days on the road, at most.
    #[setting(default = 3, min = 0, max = 120)]
    pub days_max: u32,
}

/// A locker, a partner's shop, a counter of your own.
#[derive(Settings)]
pub struct Point {
    /// The carrier's id.
    pub id: String,
    /// What the shopper reads.
    pub name: String,
    /// Two letters.
    pub country: String,
    pub city: Option<String>,
    pub postcode: Option<String>,
}
