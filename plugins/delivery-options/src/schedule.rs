//! When a parcel leaves and when it arrives, by the shop's working days and clock.

use cartwright_sdk::prelude::*;

/// A cut-off, the day it belongs to, and what follows from it.
pub struct Schedule {
    /// UTC milliseconds: ordering before then keeps the arrival.
    pub order_before: i64,
    /// The cut-off is today's, and still to come.
    pub today: bool,
    pub arrival: Arrival,
}

/// How long things take.
pub struct Pace<'a> {
    pub cut_off: &'a str,
    pub packing_days: u32,
    pub every_day: bool,
    pub days: (u32, u32),
}

/// The next cut-off in the shop's zone, and the days on which a parcel ordered before it arrives.
pub fn schedule(now_ms: i64, zone: &str, pace: &Pace) -> Result<Schedule, String> {
    let cut_off = time_of_day(pace.cut_off)?;
    let here = calendar::local(now_ms, zone);
    let today = calendar::working_day(&here.date) && here.time < cut_off;
    let handled =
        if today { here.date } else { calendar::add_working_days(&calendar::add_days(&here.date, 1), 0) };
    let leaves = calendar::add_working_days(&handled, pace.packing_days);
    let arrives = |days: u32| {
        if pace.every_day {
            calendar::add_days(&leaves, i32::try_from(days).unwrap_or(i32::MAX))
        } else {
            calendar::add_working_days(&leaves, days)
        }
    };
    let (earliest, latest) = pace.days;
    Ok(Schedule {
        order_before: calendar::instant(&handled, &cut_off, zone),
        today,
        arrival: Arrival { earliest: arrives(earliest), latest: arrives(latest.max(earliest)) },
    })
}

/// `9:30` and `09:30` as `09:30`; anything else is the merchant's mistake.
fn time_of_day(written: &str) -> Result<String, String> {
    written
        .split_once(':')
        .and_then(|(hours, minutes)| Some((hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?)))
        .filter(|(hours, minutes)| *hours < 24 && *minutes < 60)
        .map(|(hours, minutes)| format!("{hours:02}:{minutes:02}"))
        .ok_or_else(|| format!("cut_off = \"{written}\" is no time of day; write it like \"14:00\""))
}

/// "Order within 2 h 10 min", while that is less than `hours` away.
pub fn countdown(order_before: i64, now_ms: i64, hours: u32) -> Option<Text> {
    let left = order_before - now_ms;
    if left < 60_000 || left > calendar::hours(hours) {
        return None;
    }
    let minutes = left / 60_000;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let text = match (hours, minutes) {
        (0, _) => text("order-within-minutes").or(&format!("Order within {minutes} min")),
        (_, 0) => text("order-within-hours").or(&format!("Order within {hours} h")),
        _ => text("order-within").or(&format!("Order within {hours} h {minutes} min")),
    };
    Some(text.arg("hours", hours).arg("minutes", minutes))
}
