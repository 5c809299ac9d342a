//! Being called later, in `timer`. Setting a key again moves the timer. A timer that sets a timer waits at least a
//! minute for it. Needs the grant `timers`.

use crate::raw::timers as raw;

/// After so many milliseconds: `calendar::hours(24)`. A negative delay is now.
pub fn after(key: &str, delay_ms: i64, payload: &str) {
    raw::after(key, u64::try_from(delay_ms).unwrap_or(0), payload);
}

/// On a date (`YYYY-MM-DD`) at a time of day (`HH:MM`) in a zone.
pub fn at_local(key: &str, date: &str, time: &str, zone: &str, payload: &str) {
    raw::at_local(key, date, time, zone, payload);
}

/// Not at all.
pub fn cancel(key: &str) {
    raw::cancel(key);
}
