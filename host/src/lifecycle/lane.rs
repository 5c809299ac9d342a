//! How many jobs of a plugin are called at once: side by side while they hardly ever conflict, else one at a time, as
//! what a conflict makes void was computed for nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Conflicts of one job, or of several in a row, after which calls are made one at a time.
const CONFLICTS: u32 = 3;
/// A conflict weighs as much as so many jobs that are done: where all conflict, one in so many calls does.
const WEIGHT: u32 = 8;
/// Of conflicts that are held against a plugin at once.
const MOST: u32 = 64 * WEIGHT;

#[derive(Default)]
pub(super) struct Lane {
    turns: RwLock<()>,
    /// A leaky bucket of conflicts.
    level: AtomicU32,
}

/// Held while the plugin is called and what it asks for is committed.
pub(super) enum Turn<'a> {
    Beside { _held: RwLockReadGuard<'a, ()> },
    Alone { _held: RwLockWriteGuard<'a, ()> },
}

impl Lane {
    /// Waits for the turn of a job that has conflicted so many times: who goes alone conflicts with none of this host's.
    pub(super) async fn enter(&self, conflicts: u32) -> Turn<'_> {
        if conflicts >= CONFLICTS || self.level.load(Ordering::Relaxed) >= CONFLICTS * WEIGHT {
            Turn::Alone { _held: self.turns.write().await }
        } else {
            Turn::Beside { _held: self.turns.read().await }
        }
    }

    pub(super) fn conflicted(&self) {
        self.change(|level| level.saturating_add(WEIGHT).min(MOST));
    }

    pub(super) fn done(&self) {
        self.change(|level| level.saturating_sub(1));
    }

    fn change(&self, change: impl Fn(u32) -> u32) {
        let _ = self.level.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |level| Some(change(level)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plugin_whose_jobs_conflict_goes_alone_until_enough_are_done() {
        let lane = Lane::default();
        let alone = async |conflicts| matches!(lane.enter(conflicts).await, Turn::Alone { .. });
        assert!(!alone(CONFLICTS - 1).await && alone(CONFLICTS).await);
        for _ in 0..CONFLICTS {
            assert!(!alone(0).await);
            lane.conflicted();
        }
        assert!(alone(0).await);
        lane.done();
        assert!(!alone(0).await);
        for _ in 0..2 * MOST {
            lane.conflicted();
        }
        for _ in 0..MOST {
            lane.done();
        }
        assert!(!alone(0).await);
    }
}
