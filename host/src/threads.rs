//! Threads that give way: the kernel takes the processor from them as soon as a shopper's question wants it. Where
//! questions would take every processor for long, they pause for those that gave way ([`pause`]).
//! On systems other than Linux, where a thread has no priority of its own, they are like all others.

mod starvation;

use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

pub use starvation::pause;

/// Level of nice(2): of two threads that want the same processor, one that is five levels below gets a quarter of it.
const WRITING: i32 = 5;
/// A third of what those get that write.
const READING: i32 = 10;

thread_local! {
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

static BACKGROUND_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("background", processors(), give_way));
static WRITING_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("writing", 1, || lower(WRITING)));
static READING_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("reading", 1, || lower(READING)));
static LONG_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("long-calls", long_calls_at_once(), give_way));

/// For what no shopper waits for: events, messages, webhooks.
#[must_use]
pub fn background() -> Handle {
    handle(&BACKGROUND_THREADS)
}

/// For what makes durable: it gets its share of a busy processor, so that what is accepted is answered.
#[must_use]
pub fn writing() -> Handle {
    handle(&WRITING_THREADS)
}

/// For what the background reads: little of a busy processor, but more than what computes for long there, so that one
/// shop's messages do not keep the events of others.
#[must_use]
pub fn reading() -> Handle {
    handle(&READING_THREADS)
}

/// For calls of plugins that compute for long.
#[must_use]
pub fn long_calls() -> Handle {
    handle(&LONG_THREADS)
}

/// How many of them go on at once.
#[must_use]
pub fn long_calls_at_once() -> usize {
    (processors() / 2).max(1)
}

/// How long the calling thread has computed since it began. What it waited for a processor is not counted.
#[must_use]
pub fn computed() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    // There is no such clock: what passes on the wall is an upper bound.
    #[cfg(not(unix))]
    {
        static BEGUN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
        BEGUN.elapsed()
    }
}

/// The calling thread runs from now on when no other wants its processor, and is stopped at once when one does
/// (`SCHED_IDLE` of sched(7)): a thread that only has a lower level runs its slice to the end, and a question takes
/// a few such turns.
pub fn give_way() {
    GIVES_WAY.set(true);
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{
            NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let set =
            set_thread_priority_and_policy(thread_native_id(), thread_priority::ThreadPriority::Min, idle);
        // Nobody may be forbidden to ask for less.
        if let Err(error) = set {
            tracing::debug!(?error, "a thread does not give way");
        }
    }
}

/// Whether the calling thread does.
#[must_use]
pub fn gives_way() -> bool {
    GIVES_WAY.get()
}

#[must_use]
pub fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

fn threads(name: &str, number: usize, start: fn()) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(number)
        .thread_name(name)
        .enable_all()
        .on_thread_start(start)
        .build()
}

/// Without threads of its own, work is done beside all other.
fn handle(threads: &io::Result<Runtime>) -> Handle {
    match threads {
        Ok(runtime) => runtime.handle().clone(),
        Err(error) => {
            tracing::warn!(%error, "no threads that give way could be started");
            Handle::current()
        }
    }
}

#[cfg(target_os = "linux")]
fn lower(nice: i32) {
    // Of the calling thread alone. Nobody may be forbidden to ask for less.
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower(_: i32) {}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use thread_priority::unix::{NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy};

    use super::*;

    fn way() -> (Option<i32>, bool) {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let nice = rustix::process::getpriority_process(None).ok();
        assert_eq!(thread_schedule_policy().unwrap() == idle, gives_way());
        (nice, gives_way())
    }

    #[test]
    fn work_that_gives_way_does_and_its_caller_does_not() {
        let (nice, idle) = way();
        assert!(nice.is_some() && !idle);
        let runtime = Builder::new_current_thread().build().unwrap();
        let of = |handle: Handle| runtime.block_on(async { handle.spawn(async { way() }).await.unwrap() });
        assert!(of(background()).1 && of(long_calls()).1);
        assert_eq!(of(writing()), (nice.map(|nice| nice + WRITING), false));
        assert_eq!(of(reading()), (nice.map(|nice| nice + READING), false));
        assert_eq!(way(), (nice, false));
    }
}
