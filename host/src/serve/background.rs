//! The loops beside the server: they call the rooms' steps and sleep between them.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::messages::Courier;
use crate::plugins::registry::Registry;
use crate::serve::telemetry;
use crate::webhooks::Dispatcher;

/// Metrics forget old samples so often.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// What is old is looked for so often.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// The certificate's end is looked at so often.
const CERTIFICATE: Duration = Duration::from_secs(12 * 60 * 60);
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

/// Says when the certificate ends soon, as long as nobody renews it.
pub(super) async fn watch_certificate(registry: Arc<Registry>, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(CERTIFICATE) => registry.tell_of_end(),
        }
    }
}

/// Deletes what is finished and old.
pub(super) async fn forget(lifecycle: Lifecycle, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        if let Err(error) = lifecycle.forget(&stopping).await {
            tracing::warn!(%error, "what is old could not be deleted; it is tried again later");
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(FORGET) => {}
        }
    }
}

/// Steps until neither events nor messages nor webhooks have anything due; then deletes what is
/// old.
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
            lifecycle.forget(&CancellationToken::new()).await?;
            return Ok(());
        }
    }
    anyhow::bail!("the work never ends: {SETTLE_ROUNDS} rounds, and there is still something due")
}
