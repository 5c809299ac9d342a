//! How a call computes: the time that it has a processor is measured, and bounded; one that computes for long gives way.
//!
//! A guest yields its thread at each tick of the epoch. One that has used up its sprint goes on where threads give
//! way to shoppers' questions (`threads::long_calls`), and there only when it has a turn, for one tick; shops have
//! turns in rotation. A plugin that often needs more than a sprint begins its next calls there, until enough are brief.

use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::plugins::slots::{Lane, Shares, Slots};
use crate::threads;

/// What a call computes after its first stride without waiting for a turn: most calls end within the first.
const SPRINT: Duration = Duration::from_millis(2);

/// All calls that have turns are alike.
static ANY: LazyLock<Arc<Lane>> = LazyLock::new(Arc::default);
const OPEN: Shares = Shares { plugin: u32::MAX, shop: u32::MAX };

/// It computed for longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Whether a plugin's calls need more than a sprint: a leaky bucket of those that did. One is no habit: a machine that
/// was taken away for a moment counts as computing, and the calls of all shoppers would wait behind each other.
#[derive(Debug, Default)]
pub(super) struct Habit(AtomicU32);

impl Habit {
    /// A long call weighs as much as so many brief ones.
    const WEIGHT: u32 = 2;
    /// Three long calls in a row, or two of three for a while.
    const LONG: u32 = 3 * Self::WEIGHT;

    fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= Self::LONG
    }

    /// A call was brief, or needs more than a sprint.
    fn learn(&self, long: bool) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |level| {
            let next = if long { (level + Self::WEIGHT).min(Self::LONG) } else { level.saturating_sub(1) };
            (next != level).then_some(next)
        });
    }
}

/// What a call goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace<'a> {
    pub(super) turns: &'a Arc<Slots>,
    pub(super) shop: &'a Arc<str>,
    pub(super) habit: &'a Habit,
    /// Computing, to the tick.
    pub(super) most: Duration,
}

/// Runs `call` at its pace.
pub(super) async fn paced<F>(call: F, pace: Pace<'_>) -> Result<F::Output, Exhausted>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let Pace { turns, shop, habit, most } = pace;
    let mut call = Strides { call: Box::pin(call), computed: Duration::ZERO };
    let sprints = !habit.is_long();
    if sprints {
        let done = call.sprint().await;
        habit.learn(done.is_none());
        if let Some(done) = done {
            return Ok(done);
        }
    }
    let (turns, shop) = (Arc::clone(turns), Arc::clone(shop));
    let task = threads::long_calls().spawn(async move { call.in_turns(&turns, &shop, most).await });
    match AbortOnDropHandle::new(task).await {
        Ok((done, computed)) => {
            if computed < SPRINT {
                habit.learn(false);
            }
            done
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody ends it but who drops this.
            Err(_) => pending().await,
        },
    }
}

/// A call, and how long it has computed.
struct Strides<F> {
    call: Pin<Box<F>>,
    computed: Duration,
}

impl<F: Future> Strides<F> {
    /// As far as a sprint goes. The first stride is not measured: a tick bounds it, and to read the clock of a thread is
    /// a call of the kernel.
    async fn sprint(&mut self) -> Option<F::Output> {
        match poll_fn(|context| Poll::Ready(self.call.as_mut().poll(context))).await {
            Poll::Ready(done) => return Some(done),
            Poll::Pending => woken().await,
        }
        loop {
            match self.stride().await {
                Poll::Ready(done) => return Some(done),
                Poll::Pending if self.computed >= SPRINT => return None,
                Poll::Pending => woken().await,
            }
        }
    }

    async fn in_turns(
        mut self,
        turns: &Slots,
        shop: &str,
        most: Duration,
    ) -> (Result<F::Output, Exhausted>, Duration) {
        loop {
            let turn = turns.take(shop, &ANY, OPEN).await;
            let stride = self.stride().await;
            drop(turn);
            match stride {
                Poll::Ready(done) => return (Ok(done), self.computed),
                Poll::Pending if self.computed > most => return (Err(Exhausted), self.computed),
                Poll::Pending => woken().await,
            }
        }
    }

    /// Until it yields, waits or ends.
    async fn stride(&mut self) -> Poll<F::Output> {
        poll_fn(|context| {
            let before = threads::computed();
            let polled = self.call.as_mut().poll(context);
            self.computed += threads::computed().saturating_sub(before);
            Poll::Ready(polled)
        })
        .await
    }
}

/// Until the task is woken: `call` has seen to that.
async fn woken() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    /// Computes for a while at each poll.
    async fn busy(times: u32, each: Duration) {
        for _ in 0..times {
            let until = threads::computed() + each;
            while threads::computed() < until {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    }

    /// A turn for everybody, of shop `a`.
    struct Track {
        turns: Arc<Slots>,
        shop: Arc<str>,
        habit: Habit,
    }

    impl Track {
        fn new() -> Self {
            Self { turns: Arc::new(Slots::new(1)), shop: "a".into(), habit: Habit::default() }
        }

        fn pace(&self, most: Duration) -> Pace<'_> {
            Pace { turns: &self.turns, shop: &self.shop, habit: &self.habit, most }
        }
    }

    #[tokio::test]
    async fn computing_is_bounded_and_waiting_is_not_counted() {
        let track = Track::new();
        let most = Duration::from_millis(20);
        let endless = busy(u32::MAX, Duration::from_millis(2));
        assert_eq!(paced(endless, track.pace(most)).await, Err(Exhausted));
        let waits = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert_eq!(paced(waits, track.pace(most)).await, Ok(()));
    }

    #[tokio::test]
    async fn after_its_sprint_a_call_needs_a_turn_and_the_plugin_s_next_do_when_it_is_a_habit() {
        let track = Track::new();
        let most = Duration::from_secs(60);
        for _ in 0..2 {
            paced(busy(3, Duration::from_millis(3)), track.pace(most)).await.expect("it ends");
        }
        let turn = track.turns.take("b", &ANY, OPEN).await;
        paced(busy(1, Duration::ZERO), track.pace(most)).await.expect("a brief one needs none");
        track.habit.learn(true);
        let mut long = pin!(paced(busy(3, Duration::from_millis(3)), track.pace(most)));
        for _ in 0..100 {
            assert!(futures::poll!(&mut long).is_pending(), "it waits for the turn");
            tokio::task::yield_now().await;
        }
        let mut next = Box::pin(paced(busy(1, Duration::ZERO), track.pace(most)));
        assert!(futures::poll!(&mut next).is_pending(), "the plugin's next call waits from the start");
        drop(turn);
        assert_eq!(long.await, Ok(()));
        assert_eq!(next.await, Ok(()));
        let _turn = track.turns.take("b", &ANY, OPEN).await;
        paced(busy(1, Duration::ZERO), track.pace(most)).await.expect("the last one was brief");
    }
}
