//! The one source of "now". Nothing below `serve` reads the system clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that follows the system's, shifted by an offset, or stands still until it is moved.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Of the system clock, or the time itself when the clock stands still.
    milliseconds: Arc<AtomicI64>,
    still: bool,
}

impl Clock {
    /// Stands at `now_ms` (UTC milliseconds) until it is moved.
    #[must_use]
    pub fn still_at(now_ms: i64) -> Self {
        Self { milliseconds: Arc::new(AtomicI64::new(now_ms)), still: true }
    }

    /// UTC milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let milliseconds = self.milliseconds.load(Ordering::SeqCst);
        if self.still {
            milliseconds
        } else {
            jiff::Timestamp::now().as_millisecond().saturating_add(milliseconds)
        }
    }

    /// Moves the clock forward; whoever waits for a time must be woken by the caller.
    pub fn advance(&self, milliseconds: i64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}
