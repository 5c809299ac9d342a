//! Working days, holidays and clocks, in the shop's calendar. Needs no grant.

use crate::raw::calendar as raw;
use crate::types::Civil;

/// What a wall clock in `zone` shows at an instant (UTC milliseconds).
pub fn local(at_ms: i64, zone: &str) -> Civil {
    raw::local(at_ms, zone)
}

/// What a wall clock in the shop shows now.
pub fn now_in_shop() -> Civil {
    local(crate::context::now(), &crate::context::shop().zone)
}

/// What the customer's wall clock shows now (the shop's, when their zone is unknown).
pub fn now_for_customer() -> Civil {
    local(crate::context::now(), &crate::context::zone())
}

/// The instant (UTC milliseconds) of a date (`YYYY-MM-DD`) and time of day (`HH:MM`) in a zone. A
/// time that a clock change skips is moved forward.
pub fn instant(date: &str, time: &str, zone: &str) -> i64 {
    raw::instant(date, time, zone)
}

/// Whether the shop works on that date.
pub fn working_day(date: &str) -> bool {
    raw::working_day(date)
}

/// So many working days later. 0 days: the date itself when it is a working day, else the next one.
pub fn add_working_days(date: &str, days: u32) -> String {
    raw::add_working_days(date, days)
}

/// So many days later, or earlier when negative.
pub fn add_days(date: &str, days: i32) -> String {
    raw::add_days(date, days)
}

/// So many minutes, in milliseconds.
pub const fn minutes(n: u32) -> i64 {
    n as i64 * 60_000
}

/// So many hours, in milliseconds.
pub const fn hours(n: u32) -> i64 {
    n as i64 * 3_600_000
}

/// So many days of 24 hours, in milliseconds.
pub const fn days(n: u32) -> i64 {
    n as i64 * 86_400_000
}
