//! A thread that gives way must not stand still for ever: while questions take every processor, they pause now and
//! then for a moment, and those that gave way go on.
//!
//! Only the kernel knows that a thread wants a processor and has none (proc_pid_stat(5)); on other systems no thread
//! gives way.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often is looked who stands still.
const LOOK: Duration = Duration::from_millis(100);
/// Who computed less since the last look, and wants to.
const STILL: Duration = Duration::from_millis(1);
/// How long questions pause: with the looks, about a tenth of the time.
const PAUSE: Duration = Duration::from_millis(10);
/// Looks after which threads that began meanwhile are found. To look at all, which may be hundreds, takes a processor's
/// millisecond from questions.
const FIND_EVERY: u64 = 10;

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Milliseconds after `BEGUN`.
static PAUSE_ENDS: AtomicU64 = AtomicU64::new(0);
/// Began on the thread of a question, whose claim to the processor it has.
static WATCH: LazyLock<()> = LazyLock::new(|| {
    let watch = std::thread::Builder::new().name("starvation".to_owned()).spawn(watch);
    if let Err(error) = watch {
        tracing::warn!(%error, "nobody watches over threads that give way");
    }
});

/// Returns at once, but in a pause: then at its end.
pub async fn pause() {
    LazyLock::force(&WATCH);
    let ends = Duration::from_millis(PAUSE_ENDS.load(Ordering::Relaxed));
    if let Some(left) = ends.checked_sub(BEGUN.elapsed()) {
        tokio::time::sleep(left).await;
    }
}

#[cfg(not(target_os = "linux"))]
fn watch() {}

#[cfg(target_os = "linux")]
fn watch() {
    let mut before = linux::find();
    for look in 1_u64.. {
        std::thread::sleep(LOOK);
        let now = if look % FIND_EVERY == 0 { linux::find() } else { linux::look(before.keys().cloned()) };
        let stands_still = |(folder, one): (&std::path::PathBuf, &linux::Thread)| {
            let before = before.get(folder);
            before.is_some_and(|before| before.wants && one.wants && one.computed < before.computed + STILL)
        };
        if now.iter().any(stands_still) {
            let ends = (BEGUN.elapsed() + PAUSE).as_millis();
            PAUSE_ENDS.store(u64::try_from(ends).unwrap_or_default(), Ordering::Relaxed);
        }
        before = now;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    pub struct Thread {
        /// Has a processor or waits for one.
        pub wants: bool,
        pub computed: Duration,
    }

    /// Threads of this process that give way, by their folders.
    pub fn find() -> HashMap<PathBuf, Thread> {
        let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        look(threads.map(|thread| thread.path()))
    }

    /// Those of these.
    pub fn look(folders: impl Iterator<Item = PathBuf>) -> HashMap<PathBuf, Thread> {
        // One that has just ended is none.
        folders.filter_map(|folder| idle(&folder).map(|thread| (folder, thread))).collect()
    }

    fn idle(folder: &Path) -> Option<Thread> {
        /// `SCHED_IDLE` of sched(7).
        const IDLE: &str = "5";
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        // A name may hold spaces and parentheses; state is the field after it, the third of all, policy the 41st.
        let mut fields = stat.rsplit(") ").next()?.split(' ');
        let wants = fields.next()? == "R";
        if fields.nth(37)? != IDLE {
            return None;
        }
        let schedule = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        let computed = Duration::from_nanos(schedule.split(' ').next()?.parse().ok()?);
        Some(Thread { wants, computed })
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::threads;

    fn compute(time: Duration) {
        let until = threads::computed() + time;
        while threads::computed() < until {
            std::hint::spin_loop();
        }
    }

    /// Without pauses, such a thread gets a three hundredth of a processor.
    #[test]
    fn a_thread_that_gives_way_goes_on_while_questions_take_every_processor() {
        let questions = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        for _ in 0..4 * threads::processors() {
            questions.spawn(async {
                loop {
                    pause().await;
                    compute(Duration::from_millis(1));
                    tokio::task::yield_now().await;
                }
            });
        }
        let begun = Instant::now();
        let mut done = threads::long_calls().spawn(async { compute(Duration::from_millis(200)) });
        let done =
            questions.block_on(async { tokio::time::timeout(Duration::from_secs(60), &mut done).await });
        questions.shutdown_background();
        assert!(done.is_ok(), "{:?}", begun.elapsed());
    }
}
