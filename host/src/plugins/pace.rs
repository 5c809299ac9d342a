//! How a call computes: its time on a thread is measured, and bounded; one that computes for long takes turns.
//!
//! A guest yields its thread at each tick of the epoch. One that has used up its sprint goes on only when it has
//! a turn, for one tick; shops have turns in rotation, and there are fewer turns than threads. So guests that
//! compute without an end leave threads to all others, whatever number of them there are.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::plugins::slots::{Lane, Shares, Slots};

/// What a call computes without waiting for a turn: most calls need a tenth of it.
const SPRINT: Duration = Duration::from_millis(2);

/// All calls that have turns are alike.
static ANY: LazyLock<Arc<Lane>> = LazyLock::new(Arc::default);
const OPEN: Shares = Shares { plugin: u32::MAX, shop: u32::MAX };

/// It computed for longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Runs `call`, which computes no longer than `most` (to the tick).
pub(super) async fn paced<F: Future>(
    call: F,
    turns: &Slots,
    shop: &str,
    most: Duration,
) -> Result<F::Output, Exhausted> {
    let mut call = pin!(call);
    let mut computed = Duration::ZERO;
    loop {
        let turn = if computed < SPRINT { None } else { Some(turns.take(shop, &ANY, OPEN).await) };
        let polled = poll_fn(|context| {
            let began = Instant::now();
            let polled = call.as_mut().poll(context);
            computed += began.elapsed();
            Poll::Ready(polled)
        })
        .await;
        drop(turn);
        match polled {
            Poll::Ready(done) => return Ok(done),
            Poll::Pending if computed > most => return Err(Exhausted),
            Poll::Pending => woken().await,
        }
    }
}

/// Until the task is woken: `call` has seen to that.
async fn woken() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes for a while at each poll.
    async fn busy(times: u32, each: Duration) {
        for _ in 0..times {
            let until = Instant::now() + each;
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn computing_is_bounded_and_waiting_is_not_counted() {
        let turns = Slots::new(1);
        let most = Duration::from_millis(20);
        let endless = busy(u32::MAX, Duration::from_millis(2));
        assert_eq!(paced(endless, &turns, "a", most).await, Err(Exhausted));
        let waits = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert_eq!(paced(waits, &turns, "a", most).await, Ok(()));
    }

    #[tokio::test]
    async fn after_its_sprint_a_call_needs_a_turn() {
        let turns = Slots::new(1);
        let most = Duration::from_secs(60);
        let turn = turns.take("b", &ANY, OPEN).await;
        let mut long = pin!(paced(busy(3, Duration::from_millis(3)), &turns, "a", most));
        for _ in 0..100 {
            assert!(futures::poll!(&mut long).is_pending(), "it waits for the turn");
            assert!(futures::poll!(pin!(paced(busy(1, Duration::ZERO), &turns, "b", most))).is_pending());
        }
        paced(busy(1, Duration::ZERO), &turns, "b", most).await.expect("a short one needs none");
        drop(turn);
        assert_eq!(long.await, Ok(()));
    }
}
