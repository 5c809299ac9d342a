//! How long a failed job rests. Pure.

/// Attempts before a job is dead.
pub(super) const ATTEMPTS: i64 = 8;

const FIRST_MS: i64 = 10_000;
const LONGEST_MS: i64 = 6 * 60 * 60 * 1_000;

/// Milliseconds to rest after so many failed attempts (1 = the first), `None` when there have been enough.
/// Each rest is four times the last, give or take a quarter by `seed`, so that what failed together is not
/// tried together.
pub(super) fn rest_ms(attempts: i64, seed: u64) -> Option<i64> {
    if attempts >= ATTEMPTS {
        return None;
    }
    let doublings = u32::try_from(attempts.saturating_sub(1).max(0)).unwrap_or(0).saturating_mul(2);
    let rest = FIRST_MS.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX)).min(LONGEST_MS);
    let quarter = rest / 4;
    let spread = seed.wrapping_add(attempts.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15)) % 1_000;
    let jitter = quarter.saturating_mul(i64::try_from(spread).unwrap_or(0)) / 500;
    Some(rest - quarter + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_stay_within_a_quarter_and_end() {
        let mut wanted = FIRST_MS;
        for attempts in 1..ATTEMPTS {
            for seed in [0, 1, 77, u64::MAX] {
                let rest = rest_ms(attempts, seed).unwrap();
                assert!((wanted * 3 / 4..=wanted * 5 / 4).contains(&rest), "{attempts}: {rest}");
            }
            wanted = (wanted * 4).min(LONGEST_MS);
        }
        assert_eq!(rest_ms(ATTEMPTS, 0), None);
        assert_eq!(rest_ms(i64::MAX, 0), None);
    }

    #[test]
    fn what_failed_together_is_not_tried_together() {
        assert_ne!(rest_ms(1, 3), rest_ms(1, 400));
    }
}
