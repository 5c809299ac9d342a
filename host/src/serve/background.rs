//! The loops beside the server: they call the rooms' steps and sleep between them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::messages::Courier;
use crate::serve::telemetry;

/// The courier looks at least so often: a message may come due that nobody told it of.
const COURIER_POLL: Duration = Duration::from_millis(250);
/// After an error, which is of the database: the next look.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// Metrics forget old samples so often.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// Steps of one `settle`; more is a circle of work that makes work.
const SETTLE_ROUNDS: u32 = 10_000;

/// Hands over messages until the host stops; a message under way is finished.
pub(super) async fn deliver(courier: Courier, clock: Clock, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        let pause = match courier.step().await {
            Ok(next) => next.map_or(COURIER_POLL, |next| {
                let ahead = u64::try_from(next.saturating_sub(clock.now_ms())).unwrap_or(0);
                Duration::from_millis(ahead.max(10)).min(COURIER_POLL)
            }),
            Err(error) => {
                tracing::error!(%error, "messages could not be handed over");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Keeps the recorder's memory bounded.
pub(super) async fn tidy_metrics(stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        telemetry::metrics().run_upkeep();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(METRICS_UPKEEP) => {}
        }
    }
}

/// Steps until neither events nor messages have anything due.
pub(super) async fn settle(lifecycle: &Lifecycle, courier: &Courier, clock: &Clock) -> anyhow::Result<()> {
    for _ in 0..SETTLE_ROUNDS {
        let work = lifecycle.step().await?;
        let messages = courier.step().await?;
        let now = clock.now_ms();
        if [work, messages].into_iter().flatten().all(|due| due > now) {
            return Ok(());
        }
    }
    anyhow::bail!("the work never ends: {SETTLE_ROUNDS} rounds, and there is still something due")
}
