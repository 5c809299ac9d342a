//! The shop's own delivery options, shown when nothing else came. Pure.

use jiff::civil::Date;

use crate::config::ShopConfig;
use crate::config::calendar::Calendar;
use crate::domain::{Arrival, Cart, DeliveryOption, Effect, Text};

/// Before the slash of their stable ids.
pub const PREFIX: &str = "fallback";

/// As proposals of the host. None for a cart that needs no delivery, or in another currency than the
/// shop's, in which the file gives the prices. Working days are counted from the day after `today`.
#[must_use]
pub fn options(shop: &ShopConfig, calendar: &Calendar, cart: &Cart, today: Date) -> Vec<Effect> {
    if cart.currency != shop.currency || !cart.lines.iter().any(|line| line.requires_shipping) {
        return Vec::new();
    }
    let option = |option: &crate::config::FallbackOption| DeliveryOption {
        id: option.id.clone(),
        // The merchant's own words: there is no key to look up.
        title: Text { key: String::new(), args: Vec::new(), fallback: option.title.clone() },
        description: None,
        kind: option.kind.clone(),
        carrier: None,
        group: None,
        price: option.price,
        arrival: option.working_days.map(|(least, most)| Arrival {
            earliest: after(calendar, today, least).to_string(),
            latest: after(calendar, today, most.max(least)).to_string(),
        }),
        order_before: None,
        pickup_points: Vec::new(),
    };
    shop.fallback.iter().map(|each| Effect::AddDeliveryOption { option: option(each) }).collect()
}

/// The given number of working days after `today`, which itself does not count; 0: today, or the next
/// working day.
fn after(calendar: &Calendar, today: Date, days: u32) -> Date {
    match days.checked_sub(1) {
        None => calendar.add_working_days(today, 0),
        Some(more) => calendar.add_working_days(today.tomorrow().unwrap_or(today), more),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        let weekdays =
            [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let calendar = Calendar::new(TimeZone::UTC, weekdays.to_vec(), vec![date(2026, 12, 1)]);
        // 2026-11-27 is a Friday.
        let table = [
            (date(2026, 11, 27), 0, date(2026, 11, 27)),
            (date(2026, 11, 27), 1, date(2026, 11, 30)),
            (date(2026, 11, 27), 2, date(2026, 12, 2)),
            (date(2026, 11, 28), 0, date(2026, 11, 30)),
            (date(2026, 11, 28), 1, date(2026, 11, 30)),
            (date(2026, 11, 28), 2, date(2026, 12, 2)),
        ];
        for (today, days, expected) in table {
            assert_eq!(after(&calendar, today, days), expected, "{days} after {today}");
        }
    }
}
