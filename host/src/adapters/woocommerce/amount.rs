//! Decimal strings to minor units, by the currency's own exponent and never through a float.
//!
//! WooCommerce writes amounts with as many places as the shop displays (`"2.000"` for dollars). Places
//! beyond the currency's are rounded half away from zero, as WooCommerce rounds.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::Unreadable;
use super::payload::Loose;
use crate::domain::money;

/// Longer texts are no amounts.
const LONGEST: usize = 40;

/// Amounts of one order.
pub struct Amounts {
    pub exponent: u8,
    pub with_tax: bool,
}

impl Amounts {
    pub fn minor(&self, field: &str, amount: &Loose) -> Result<i64, Unreadable> {
        minor(&amount.0, self.exponent).map_err(|what| Unreadable::new(field, what))
    }

    /// With its tax when the shop's prices include it.
    pub fn shown(&self, field: &str, net: &Loose, tax: &Loose) -> Result<i64, Unreadable> {
        let net = self.minor(field, net)?;
        let tax = if self.with_tax { self.minor(field, tax)? } else { 0 };
        sum(field, [net, tax])
    }
}

/// A number of any kind; `None` for what is none.
pub fn decimal(text: &str) -> Option<Decimal> {
    Some(text.trim()).filter(|text| is_decimal(text))?.parse().ok()
}

/// Minor units; the error is a sentence.
pub fn minor(text: &str, exponent: u8) -> Result<i64, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    if !is_decimal(text) {
        return Err("must be a decimal number like \"12.90\"");
    }
    let too_large = "is larger than 2^53-1 minor units";
    let value: Decimal = text.parse().map_err(|_| too_large)?;
    let factor = Decimal::from(10_i64.checked_pow(u32::from(exponent)).ok_or(too_large)?);
    let minor = value
        .checked_mul(factor)
        .ok_or(too_large)?
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()
        .ok_or(too_large)?;
    if money::is_amount(minor) { Ok(minor) } else { Err(too_large) }
}

pub fn sum(field: &str, parts: impl IntoIterator<Item = i64>) -> Result<i64, Unreadable> {
    parts
        .into_iter()
        .try_fold(0_i64, i64::checked_add)
        .filter(|sum| money::is_amount(*sum))
        .ok_or_else(|| Unreadable::new(field, "sums to more than 2^53-1 minor units"))
}

/// A sign, digits, and at most one point with digits after it: less than the parser would take.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.len() <= LONGEST
        && match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole.is_empty() || digits(whole)) && digits(fraction),
            None => digits(unsigned),
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_currency_has_its_own_places() {
        for (text, currency, expected) in [
            ("2.000", "USD", 200),
            ("12.9", "EUR", 1_290),
            ("12", "EUR", 1_200),
            ("1290", "JPY", 1_290),
            ("1290.00", "JPY", 1_290),
            ("1.290", "KWD", 1_290),
            ("1.29", "KWD", 1_290),
            ("1.2905", "KWD", 1_291),
            ("0.1", "EUR", 10),
            (".5", "EUR", 50),
            ("-3.50", "EUR", -350),
            ("", "EUR", 0),
            ("0.00", "EUR", 0),
            // What a float gets wrong.
            ("1.005", "EUR", 101),
            ("2.675", "EUR", 268),
            ("1.115", "PLN", 112),
            ("90071992547409.91", "EUR", 9_007_199_254_740_991),
            // Half away from zero, both ways.
            ("0.125", "EUR", 13),
            ("-0.125", "EUR", -13),
            ("0.1249999999", "EUR", 12),
            ("999.5", "JPY", 1_000),
            ("1.49", "JPY", 1),
        ] {
            let exponent = money::exponent(currency).unwrap();
            assert_eq!(minor(text, exponent), Ok(expected), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in [
            "1,50",
            "1.2.3",
            "abc",
            "1e3",
            "1_000",
            "--1",
            "-",
            ".",
            "1.",
            "NaN",
            "0x10",
            "١٢",
            "90071992547409.92",
        ] {
            assert!(minor(text, 2).is_err(), "{text}");
        }
        assert!(minor(&"9".repeat(41), 2).is_err());
        assert!(minor(&"9".repeat(30), 2).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(amount in -money::MAX_AMOUNT..=money::MAX_AMOUNT, zeros in 0_usize..4) {
            let sign = if amount < 0 { "-" } else { "" };
            let (whole, cents) = (amount.unsigned_abs() / 100, amount.unsigned_abs() % 100);
            let text = format!("{sign}{whole}.{cents:02}{}", "0".repeat(zeros));
            prop_assert_eq!(minor(&text, 2), Ok(amount));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", exponent in 0_u8..20) {
            let _ = minor(&text, exponent);
        }
    }
}
