//! The loops beside the server: they call the rooms' steps and sleep between them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::messages::Courier;
use crate::serve::telemetry;
use crate::webhooks::Dispatcher;

/// Metrics forget old samples so often.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// Steps of one `settle`; more is a circle of work that makes work.
const SETTLE_ROUNDS: u32 = 10_000;

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

/// Steps until neither events nor messages nor webhooks have anything due.
pub(super) async fn settle(
    lifecycle: &Lifecycle,
    courier: &Courier,
    dispatcher: &Dispatcher,
    clock: &Clock,
) -> anyhow::Result<()> {
    for _ in 0..SETTLE_ROUNDS {
        let work = lifecycle.step().await?;
        let messages = courier.step().await?;
        let webhooks = dispatcher.step().await?;
        let now = clock.now_ms();
        if [work, messages, webhooks].into_iter().flatten().all(|due| due > now) {
            return Ok(());
        }
    }
    anyhow::bail!("the work never ends: {SETTLE_ROUNDS} rounds, and there is still something due")
}
