//! Whether there is room for more: what is open in the queue, and what is on its way into the store. The queue
//! is counted once a second at most, seldomer when that takes long, and what this host adds in between is added to the
//! figure.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{IntakeError, Lifecycle};

/// A figure is as old as this, or as this many times what it took to count, before it is counted anew: a million open
/// jobs cost no more of the database's time than a thousand.
const FRESH: Duration = Duration::from_secs(1);
const SHARE: u32 = 20;

/// Events that may be on their way into the store at once: half of what its queue of writes holds, so that the
/// other half is for the work on those that are in.
const UNDER_WAY: usize = 512;

/// Seconds until it is worth to come again: a queue takes longer to shrink than the writer to catch up.
const QUEUE_RETRY: u64 = 10;
const WRITER_RETRY: u64 = 1;

#[derive(Default)]
pub(super) struct Pressure {
    under_way: AtomicUsize,
    figure: Mutex<Figure>,
    /// Only one counts.
    counting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Figure {
    counted: Option<Instant>,
    took: Duration,
    /// Open jobs by shop.
    open: BTreeMap<String, u64>,
}

/// An event on its way into the store.
pub(super) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pressure {
    pub(super) fn enter(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(&self.under_way)
    }

    /// An event that came in brought so many jobs.
    pub(super) fn add(&self, shop: &str, jobs: usize) {
        let mut figure = self.figure.lock().unwrap_or_else(PoisonError::into_inner);
        let open = figure.open.entry(shop.to_owned()).or_default();
        *open = open.saturating_add(jobs as u64);
    }

    /// Open jobs of the shop, and of all shops, and whether the figure is fresh.
    fn open(&self, shop: &str) -> (u64, u64, bool) {
        let figure = self.figure.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = figure.counted.is_some_and(|at| at.elapsed() < FRESH.max(figure.took * SHARE));
        (figure.open.get(shop).copied().unwrap_or(0), figure.open.values().sum(), fresh)
    }

    fn was_counted(&self) -> bool {
        self.figure.lock().unwrap_or_else(PoisonError::into_inner).counted.is_some()
    }

    fn set(&self, open: BTreeMap<String, u64>, took: Duration) {
        let mut figure = self.figure.lock().unwrap_or_else(PoisonError::into_inner);
        *figure = Figure { counted: Some(Instant::now()), took, open };
    }
}

impl Lifecycle {
    /// [`IntakeError::Overloaded`] when an API client had better come again later. A platform, which does not
    /// come again, is not asked to.
    pub async fn room(&self, shop: &str) -> Result<(), IntakeError> {
        let pressure = &self.pressure;
        if pressure.under_way.load(Ordering::SeqCst) >= UNDER_WAY {
            return Err(IntakeError::Overloaded {
                why: "The database is slower than events come in.".to_owned(),
                retry_after: WRITER_RETRY,
            });
        }
        let (of_shop, of_all) = self.open_jobs(shop).await?;
        let snapshot = self.plugins.current();
        let limits = &snapshot.host.limits;
        for (open, bound, setting, whose) in [
            (of_shop, limits.open_jobs_per_shop, "open_jobs_per_shop", "of this shop"),
            (of_all, limits.open_jobs, "open_jobs", "of all shops together"),
        ] {
            if open >= u64::from(bound) {
                return Err(IntakeError::Overloaded {
                    why: format!(
                        "{bound} jobs {whose} may be open (limits.{setting} of cartwright.toml), and that many are."
                    ),
                    retry_after: QUEUE_RETRY,
                });
            }
        }
        Ok(())
    }

    async fn open_jobs(&self, shop: &str) -> Result<(u64, u64), IntakeError> {
        let pressure = &self.pressure;
        let (of_shop, of_all, fresh) = pressure.open(shop);
        if fresh {
            return Ok((of_shop, of_all));
        }
        let counting = if pressure.was_counted() {
            // Who comes while another counts is content with the old figure.
            let Ok(counting) = pressure.counting.try_lock() else { return Ok((of_shop, of_all)) };
            counting
        } else {
            pressure.counting.lock().await
        };
        if !pressure.open(shop).2 {
            let began = Instant::now();
            match self.store.open_jobs().await {
                Ok(open) => pressure.set(open, began.elapsed()),
                // It may be the readers alone that are in trouble: an old figure will do.
                Err(error) if pressure.was_counted() && error.is_trouble() => {}
                Err(error) => return Err(error.into()),
            }
        }
        drop(counting);
        let (of_shop, of_all, _) = pressure.open(shop);
        Ok((of_shop, of_all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_counts_at_once_and_a_figure_grows_old() {
        let pressure = Pressure::default();
        assert_eq!(pressure.open("a"), (0, 0, false));
        let open: BTreeMap<_, _> = [("a".to_owned(), 5), ("b".to_owned(), 2)].into();
        pressure.set(open.clone(), FRESH / SHARE);
        pressure.add("a", 3);
        pressure.add("c", 1);
        assert_eq!(pressure.open("a"), (8, 11, true));
        tokio::time::advance(FRESH).await;
        assert_eq!(pressure.open("c"), (1, 11, false));
        pressure.set(open, FRESH);
        tokio::time::advance(FRESH * (SHARE - 1)).await;
        assert_eq!(pressure.open("a"), (5, 7, true), "counting takes its time");
    }
}
