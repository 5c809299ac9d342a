//! Decimal numbers without a float.

/// What happens to digits beyond those asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// They are an error, unless zero.
    Exact,
    /// Half away from zero.
    HalfUp,
}

/// A JSON number times 10^`places`, as a whole number. `None` when it is none, does not fit, or is
/// not whole under [`Rounding::Exact`].
pub(crate) fn decimal(digits: &str, places: u8, rounding: Rounding) -> Option<i64> {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at)?, digits.get(at.saturating_add(1)..)?.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // How many of the digits stand before the decimal point of the answer.
    let kept = i32::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(i32::from(places))?;
    let mut amount: i64 = 0;
    let mut position = 0_i32;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if position < kept {
            amount = amount.checked_mul(10)?.checked_add(digit)?;
        } else if rounding == Rounding::Exact && digit != 0 {
            return None;
        } else if position == kept && digit >= 5 {
            amount = amount.checked_add(1)?;
        }
        position = position.checked_add(1)?;
    }
    while position < kept && amount != 0 {
        amount = amount.checked_mul(10)?;
        position = position.checked_add(1)?;
    }
    Some(if negative { amount.checked_neg()? } else { amount })
}
