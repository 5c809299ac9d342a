//! Log lines of a plugin, so many a second; of those left out only the number is told.

use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The lines of one plugin in one shop.
#[derive(Debug)]
pub(super) struct Lines {
    limiter: DefaultDirectRateLimiter,
    per_second: u32,
    left_out: AtomicU64,
}

impl Lines {
    pub(super) fn new(per_second: u32) -> Self {
        let quota = Quota::per_second(per_second.max(1).try_into().unwrap_or(std::num::NonZeroU32::MIN));
        Self { limiter: RateLimiter::direct(quota), per_second, left_out: AtomicU64::new(0) }
    }

    /// Whether a line may be written. The first that may not, and the number of those once one may again,
    /// are told in its place.
    pub(super) fn admit(&self, shop: &str, plugin: &str) -> bool {
        if self.limiter.check().is_err() {
            metrics::counter!(
                "cartwright_plugin_log_lines_left_out_total",
                "shop" => shop.to_owned(), "plugin" => plugin.to_owned()
            )
            .increment(1);
            if self.left_out.fetch_add(1, Ordering::Relaxed) == 0 {
                let most = self.per_second;
                tracing::warn!(
                    shop,
                    plugin,
                    "more than limits.log_lines_per_second = {most}: lines of the plugin are left out"
                );
            }
            return false;
        }
        // Looking is cheaper than writing, and nearly always enough.
        if self.left_out.load(Ordering::Relaxed) > 0 {
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                tracing::warn!(shop, plugin, left_out, "lines of the plugin were left out");
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let lines = Lines::new(5);
        let admitted = (0..1_000).filter(|_| lines.admit("demo", "flood")).count();
        assert!((5..20).contains(&admitted), "{admitted}");
        assert_eq!(lines.left_out.load(Ordering::Relaxed), 1_000 - admitted as u64);
    }
}
