//! When a delivery is tried again. Pure.

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Rests between attempts, ms, as Standard Webhooks 1.0 recommends them: ten attempts in a bit over three days.
const RESTS: [i64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// An endpoint that has only failed for so long is switched off, ms.
pub(super) const PATIENCE: i64 = 3 * DAY;

/// A delivery that nobody takes is given up after so long, ms: its endpoint is off, or not in the shop's file.
/// One that has ended is forgotten after as long.
pub(super) const KEPT: i64 = 30 * DAY;

/// An endpoint cannot ask to be left alone for longer, ms.
const LONGEST_WISH: i64 = DAY;

/// Milliseconds to rest after so many failed attempts (1 = the first), `None` when there have been enough. Up
/// to a tenth is added by `seed`, so that what failed together is not tried together. `wish`: the endpoint's
/// `Retry-After`, ms.
pub(super) fn rest_ms(attempts: i64, seed: &str, wish: Option<i64>) -> Option<i64> {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let rest = *RESTS.get(index)?;
    let jitter = rest / 10 * thousandths(seed, attempts) / 1_000;
    Some((rest + jitter).max(wish.unwrap_or(0).min(LONGEST_WISH)))
}

/// 0 to 999, from FNV-1a of the seed.
fn thousandths(seed: &str, attempts: i64) -> i64 {
    let hash = seed.bytes().chain(attempts.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash % 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_take_three_days_and_never_come_before_their_time() {
        for seed in ["dlv_1", "dlv_2", ""] {
            let mut sum = 0;
            for attempts in 1..=9 {
                let rest = rest_ms(attempts, seed, None).unwrap();
                let wanted = RESTS[usize::try_from(attempts).unwrap() - 1];
                assert!((wanted..wanted + wanted / 10 + 1).contains(&rest), "{attempts}: {rest}");
                sum += rest;
            }
            assert!((3 * DAY..4 * DAY).contains(&sum), "{sum}");
            assert_eq!(rest_ms(10, seed, None), None);
            assert_eq!(rest_ms(i64::MAX, seed, Some(1)), None);
        }
    }

    #[test]
    fn what_failed_together_is_not_tried_together() {
        assert_ne!(rest_ms(4, "dlv_1", None), rest_ms(4, "dlv_2", None));
    }

    #[test]
    fn a_wish_is_granted_when_it_is_longer_and_not_too_long() {
        assert_eq!(rest_ms(1, "a", Some(HOUR)), Some(HOUR));
        assert_eq!(rest_ms(1, "a", Some(400 * DAY)), Some(DAY));
        assert_eq!(rest_ms(4, "a", Some(1)), rest_ms(4, "a", None));
        assert_eq!(rest_ms(4, "a", Some(-5)), rest_ms(4, "a", None));
    }
}
