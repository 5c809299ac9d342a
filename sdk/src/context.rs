//! The call and its surroundings. Needs no grant.

use crate::raw::context as raw;
use crate::types::{Level, Shop};

/// Name of the hook, e.g. `order-placed`, `checkout`.
pub fn hook() -> String {
    raw::hook()
}

/// The time of the call, UTC milliseconds; the same in a re-run of the same event.
pub fn now() -> i64 {
    raw::now_ms()
}

/// The customer's time zone, else the shop's: an IANA name.
pub fn zone() -> String {
    raw::zone()
}

/// The shopper's language, one of the shop's.
pub fn locale() -> String {
    raw::locale()
}

/// The shop.
pub fn shop() -> Shop {
    raw::shop()
}

/// Ids of the products the shopper looked at, newest first.
pub fn viewed() -> Vec<String> {
    raw::viewed()
}

/// The event waited for an elder that did not come, e.g. a delivery without its shipment.
pub fn late() -> bool {
    raw::late()
}

/// A start for random numbers: below 2^53, the same in a re-run.
pub fn seed() -> u64 {
    raw::seed()
}

/// Random numbers, the same in a re-run of the same event (`SplitMix64`; not for secrets).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins at the call's [`seed`].
    pub fn new() -> Self {
        Self(seed())
    }

    /// The next number, from 0 up to but not including `below`; 0 when `below` is 0.
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(below).unwrap_or(0)
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

/// Lines for the merchant's log. Write nothing there that names a person.
pub mod log {
    use super::{Level, raw};

    /// For the plugin's developer.
    pub fn debug(message: &str) {
        raw::log(Level::Debug, message);
    }

    /// Something worth knowing.
    pub fn info(message: &str) {
        raw::log(Level::Info, message);
    }

    /// Something the merchant should look at.
    pub fn warn(message: &str) {
        raw::log(Level::Warn, message);
    }

    /// Something is wrong.
    pub fn error(message: &str) {
        raw::log(Level::Error, message);
    }
}
