//! Amounts are minor units in one currency: `i64`, at most 2^53 - 1 in size, so that every language
//! a plugin may be written in can hold them exactly.

use std::str::FromStr;

/// The largest amount, in minor units: 2^53 - 1.
pub const MAX_AMOUNT: i64 = 9_007_199_254_740_991;

/// Whether a number of minor units is an amount that Cartwright carries.
#[must_use]
pub fn is_amount(minor: i64) -> bool {
    (-MAX_AMOUNT..=MAX_AMOUNT).contains(&minor)
}

/// Decimal places of an ISO 4217 currency (`EUR` 2, `JPY` 0, `KWD` 3); `None` for an unknown one
/// and for those that have no minor unit defined (gold, test codes).
#[must_use]
pub fn exponent(currency: &str) -> Option<u8> {
    iso_currency::Currency::from_str(currency).ok()?.exponent().and_then(|places| u8::try_from(places).ok())
}
