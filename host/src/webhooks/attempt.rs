//! One attempt at a delivery, from its lease to its end.

use super::Dispatcher;
use super::address::{address, endpoint};
use super::request::request;
use super::schedule::{self, rest_ms};
use super::send::{Answer, send};
use crate::plugins::registry::Snapshot;
use crate::store::{Attempted, Delivery, DeliveryFate, Result, Settled};

/// How long a delivery rests when this side could not do its part, ms.
const TROUBLE_REST_MS: i64 = 60_000;

impl Dispatcher {
    pub(super) async fn attempt(&self, snapshot: &Snapshot, delivery: Delivery) -> Result<()> {
        let (fate, hash) = self.try_it(snapshot, &delivery).await;
        let now_ms = self.clock.now_ms();
        let attempted = Attempted {
            delivery: delivery.clone(),
            fate: fate.clone(),
            address: hash,
            off_before: now_ms.saturating_sub(schedule::PATIENCE),
            now_ms,
        };
        let settled = self.store.settle_delivery(attempted).await?;
        tell(&delivery, &fate, settled);
        Ok(())
    }

    /// Gives the hash of the address too; empty when nothing was sent.
    async fn try_it(&self, snapshot: &Snapshot, delivery: &Delivery) -> (DeliveryFate, String) {
        let unsent = |reason: String| DeliveryFate::Unsent {
            at_ms: self.clock.now_ms().saturating_add(TROUBLE_REST_MS),
            reason,
        };
        let Some(endpoint) = endpoint(snapshot, &delivery.shop, &delivery.endpoint) else {
            return (unsent("the endpoint is not in the shop's file".to_owned()), String::new());
        };
        let address = match address(endpoint, &snapshot.host.folder) {
            Ok(address) => address,
            Err(error) => return (unsent(error.to_string()), String::new()),
        };
        let now_ms = self.clock.now_ms();
        let request = request(delivery, &address.secrets, now_ms);
        let answer = send(&self.client, endpoint, request, now_ms).await;
        (fate(answer, delivery, self.clock.now_ms()), address.hash)
    }
}

fn fate(answer: Answer, delivery: &Delivery, now_ms: i64) -> DeliveryFate {
    let (status, reason, wish) = match answer {
        Answer::Taken(status) => return DeliveryFate::Done { status },
        Answer::Gone => {
            return DeliveryFate::Gone { status: 410, reason: "it answered 410: it is gone".to_owned() };
        }
        Answer::Refused { status, reason, wish } => (Some(status), reason, wish),
        Answer::Nothing(reason) => (None, reason, None),
    };
    let attempts = delivery.attempts.saturating_add(1);
    match rest_ms(attempts, &delivery.id, wish) {
        Some(rest) => DeliveryFate::Later { at_ms: now_ms.saturating_add(rest), status, reason },
        None => {
            DeliveryFate::Failed { status, reason: format!("given up after {attempts} attempts: {reason}") }
        }
    }
}

/// Once, where it is settled.
fn tell(delivery: &Delivery, fate: &DeliveryFate, settled: Settled) {
    let Delivery { id, shop, endpoint, topic, .. } = delivery;
    let outcome = match fate {
        _ if settled == Settled::Fenced => "lost",
        DeliveryFate::Done { status } => {
            tracing::debug!(delivery = id, shop, endpoint, topic, status, "webhook delivered");
            "done"
        }
        DeliveryFate::Later { reason, .. } => {
            tracing::warn!(delivery = id, shop, endpoint, topic, reason, "a webhook is tried again later");
            "later"
        }
        DeliveryFate::Failed { reason, .. } => {
            tracing::error!(delivery = id, shop, endpoint, topic, reason, "a webhook was given up");
            "failed"
        }
        DeliveryFate::Gone { .. } => "gone",
        DeliveryFate::Unsent { reason, .. } => {
            tracing::error!(delivery = id, shop, endpoint, topic, reason, "a webhook cannot be sent");
            "unsent"
        }
    };
    if settled == Settled::SwitchedOff {
        tracing::error!(
            shop,
            endpoint,
            "a webhook endpoint is switched off; POST /v1/webhooks/endpoints/{{name}}/enable, or another `url` \
             or `secret` in the shop's file, switches it on again, and what waits goes on"
        );
    }
    metrics::counter!(
        "cartwright_webhook_deliveries_total",
        "shop" => shop.clone(), "endpoint" => endpoint.clone(), "outcome" => outcome
    )
    .increment(1);
}
