//! Labels for the shop's own systems, in events and timers. Needs the grant `labels`.

use crate::raw::labels as raw;

/// On the customer, e.g. `tier` = `gold`; an empty value takes it away.
pub fn customer(key: &str, value: &str) {
    raw::customer(key, value);
}

/// On the order; an empty value takes it away.
pub fn order(key: &str, value: &str) {
    raw::order(key, value);
}
