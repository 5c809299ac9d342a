//! Hands an order over to a logistics platform when it is placed, and takes it back when it is cancelled:
//! once each, as webhooks that the host signs and repeats until the platform has them.

mod handover;
#[cfg(test)]
mod tests;

use cartwright_sdk::prelude::*;

use handover::{cancellation, handover};

/// What is handed over, and under which name.
#[derive(Settings)]
pub struct LogisticsSettings {
    /// Delivery options whose orders are handed over, by the ids that the checkout answers; one that ends
    /// in `*` stands for all that begin so. Empty: all orders.
    #[setting(default = [])]
    pub delivery_options: Vec<String>,
    /// Sent along with each order, when the platform knows several warehouses.
    pub warehouse: Option<String>,
    /// First word of the topics: `logistics.order` and `logistics.cancel`.
    #[setting(default = "logistics", pattern = "^[A-Za-z0-9_-]{1,50}$")]
    pub topic: String,
}

struct Logistics;

export!(Logistics: order_placed, order_cancelled; settings: LogisticsSettings);

/// In the order's memory: the stage that the platform knows of, and the topic that told it.
const STAGE: &str = "stage";
const TOPIC: &str = "topic";

impl OrderPlaced for Logistics {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<LogisticsSettings>()?;
        if state::order().get(STAGE).is_some() || !settings.wants(&order) {
            return Ok(());
        }
        let Some(payload) = handover(&order, &settings) else { return Ok(()) };
        state::order().put(STAGE, "handed-over");
        state::order().put(TOPIC, &settings.topic);
        webhooks::send(&[&settings.topic, ".order"].concat(), &payload.write());
        Ok(())
    }
}

impl OrderCancelled for Logistics {
    fn handle(order: Order) -> Outcome {
        // What was never handed over, or taken back before, is nothing to the platform.
        if state::order().get(STAGE).as_deref() != Some("handed-over") {
            return Ok(());
        }
        let settings = settings::<LogisticsSettings>()?;
        // The platform that has the order is told, whatever the settings say by now.
        let topic = state::order().get(TOPIC).unwrap_or_else(|| settings.topic.clone());
        state::order().put(STAGE, "cancelled");
        webhooks::send(&[&topic, ".cancel"].concat(), &cancellation(&order, &settings).write());
        Ok(())
    }
}

impl LogisticsSettings {
    fn wants(&self, order: &Order) -> bool {
        let chosen = order.delivery.as_ref().map_or("", |delivery| delivery.id.as_str());
        self.delivery_options.is_empty()
            || self.delivery_options.iter().any(|option| match option.strip_suffix('*') {
                Some(beginning) => chosen.starts_with(beginning),
                None => chosen == option,
            })
    }
}
