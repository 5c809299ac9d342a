//! Threads that give way: the kernel takes the processor from them as soon as a shopper's question wants it.
//! On systems other than Linux, where a thread has no priority of its own, they are like all others.

use std::io;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// Nice levels, see setpriority(2): of two threads that want the same processor, one that is five levels below gets
/// a quarter of it, one that is fifteen below a thirtieth.
const BACKGROUND: i32 = 5;
const LONG: i32 = 15;

static BACKGROUND_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("background", BACKGROUND, processors()));
static LONG_THREADS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| threads("long-calls", LONG, long_calls_at_once()));

/// For what no shopper waits for: events, messages, webhooks.
#[must_use]
pub fn background() -> Handle {
    handle(&BACKGROUND_THREADS)
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

/// The calling thread gives way from now on, like those of the background.
pub fn give_way() {
    lower(LONG);
}

fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

fn threads(name: &str, nice: i32, number: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(number)
        .thread_name(name)
        .enable_all()
        .on_thread_start(move || lower(nice))
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
mod tests {
    use super::*;

    fn nice() -> Option<i32> {
        rustix::process::getpriority_process(None).ok()
    }

    #[test]
    fn work_that_gives_way_does_and_its_caller_does_not() {
        let before = nice();
        assert!(before.is_some());
        let runtime = Builder::new_current_thread().build().unwrap();
        let (background, long) = runtime.block_on(async {
            (
                background().spawn(async { nice() }).await.unwrap(),
                long_calls().spawn(async { nice() }).await.unwrap(),
            )
        });
        assert_eq!(
            (background, long),
            (before.map(|nice| nice + BACKGROUND), before.map(|nice| nice + LONG))
        );
        assert_eq!(nice(), before);
    }
}
