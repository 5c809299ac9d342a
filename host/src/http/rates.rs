//! How often one key may ask: a steady rate, with bursts of twice as many (GCRA).

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::problem::{Kind, Problem};

/// Keyed by shop and key name.
type Limiter<C> =
    RateLimiter<String, DefaultKeyedStateStore<String>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Counts in real, monotonic time: a wall clock that is set back must not lock a shop out.
pub struct Rates<C: Clock = DefaultClock> {
    clock: C,
    /// The rate that the limiter was made for: a reload may change it.
    current: Mutex<Option<(u32, Arc<Limiter<C>>)>>,
}

impl Default for Rates {
    fn default() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rates<C> {
    #[must_use]
    pub fn with_clock(clock: C) -> Self {
        Self { clock, current: Mutex::default() }
    }

    /// Counts one request; a rate of 0 counts nothing.
    pub fn check(&self, per_second: u32, key: &str) -> Result<(), Problem> {
        let Some(rate) = NonZeroU32::new(per_second) else { return Ok(()) };
        let limiter = {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            match &*current {
                Some((made_for, limiter)) if *made_for == per_second => Arc::clone(limiter),
                _ => {
                    let quota = Quota::per_second(rate)
                        .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
                    let limiter = Arc::new(RateLimiter::new(
                        quota,
                        DefaultKeyedStateStore::default(),
                        self.clock.clone(),
                    ));
                    *current = Some((per_second, Arc::clone(&limiter)));
                    limiter
                }
            }
        };
        limiter.check_key(&key.to_owned()).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Problem::new(
                Kind::RateLimited,
                format!("This key may ask {per_second} times a second (http.requests_per_second of cartwright.toml)."),
            )
            .retry_after(seconds.max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_burst_of_twice_the_rate_passes_and_time_gives_more() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::with_clock(clock.clone());
        for _ in 0..4 {
            assert!(rates.check(2, "shop/a").is_ok());
        }
        assert!(rates.check(2, "shop/a").is_err());
        assert!(rates.check(2, "shop/b").is_ok(), "each key has its own");
        clock.advance(Duration::from_millis(500));
        assert!(rates.check(2, "shop/a").is_ok());
        assert!(rates.check(2, "shop/a").is_err());
    }

    #[test]
    fn a_reload_that_changes_the_rate_holds_at_once() {
        let rates = Rates::with_clock(FakeRelativeClock::default());
        for _ in 0..2 {
            assert!(rates.check(1, "k").is_ok());
        }
        assert!(rates.check(1, "k").is_err());
        assert!(rates.check(5, "k").is_ok());
        assert!(rates.check(0, "k").is_ok());
    }
}
