//! From what a shop reports to what is stored: checked, contact details apart, the quote verified.

use std::sync::Arc;

use super::{Identity, IntakeError, check};
use crate::decide::quote;
use crate::domain::{CustomerInput, DeliveryChoice, Event, Hook, Order};
use crate::plugins::registry::LiveShop;
use crate::store::{Intake, Store, Subscribers, new_id};

/// How long an event that is too early waits for its elder, ms.
const HOLD_MS: i64 = 15 * 60_000;

/// Ready for its transaction.
pub(super) fn prepare(
    store: &Store,
    shop: &LiveShop,
    quote_key: &[u8; 32],
    identity: &Identity,
    mut event: Event,
    now_ms: i64,
) -> Result<Intake, IntakeError> {
    for (field, text) in [("source", &identity.source), ("id", &identity.id)] {
        if text.is_empty() || text.len() > 500 {
            return Err(IntakeError::Invalid {
                field: format!("event {field}"),
                what: "must have 1 to 500 characters".to_owned(),
            });
        }
    }
    check::event(&mut event, &shop.config, now_ms)?;
    let locale = match &event {
        Event::OrderPlaced(placed) => placed.locale.clone(),
        _ => None,
    };
    let customer = take_customer(store, &mut event);
    let mut subscribers = subscribers(shop);
    let mut quoted = None;
    if let Event::OrderPlaced(placed) = &mut event {
        quoted = promise(quote_key, &shop.config.id, &mut placed.order);
        // An old order that a platform touched again is not news for anybody.
        let live_since = shop.config.live_since.map(jiff::Timestamp::as_millisecond);
        if live_since.is_some_and(|since| placed.order.placed_at < since) {
            subscribers.remove(&Hook::OrderPlaced);
        }
    }
    Ok(Intake {
        shop: shop.config.id.clone(),
        source: identity.source.clone(),
        id: identity.id.clone(),
        fingerprint: identity.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
        event_id: new_id("evt", now_ms),
        event,
        customer,
        locale,
        quote: quoted,
        currency: shop.config.currency.clone(),
        subscribers: Arc::new(subscribers),
        hold_until: now_ms.saturating_add(HOLD_MS),
        now_ms,
    })
}

/// Event hooks and the plugins that export them, as the snapshot has them.
pub(super) fn subscribers(shop: &LiveShop) -> Subscribers {
    Hook::ALL
        .into_iter()
        .filter(|hook| !hook.is_stage() && *hook != Hook::Timer)
        .map(|hook| (hook, shop.subscribed(hook).map(|live| live.entry.name.clone()).collect()))
        .collect()
}

/// Takes who it is out of the event: the stored payload names the customer by id alone.
fn take_customer(store: &Store, event: &mut Event) -> Option<(String, CustomerInput)> {
    let known = |input: CustomerInput| store.customer_id(&input).map(|id| (id, input));
    let by_id = |customer: &Option<(String, CustomerInput)>| CustomerInput {
        id: customer.as_ref().map(|(id, _)| id.clone()),
        ..CustomerInput::default()
    };
    match event {
        Event::OrderPlaced(placed) => placed.customer.take().and_then(known),
        Event::FeedbackReceived(received) => received.customer.take().and_then(known),
        Event::CustomerCreated(created) => {
            let customer = known(std::mem::take(&mut created.customer));
            created.customer = by_id(&customer);
            customer
        }
        Event::CartAbandoned(abandoned) => {
            let customer = known(std::mem::take(&mut abandoned.customer));
            abandoned.customer = by_id(&customer);
            customer
        }
        _ => None,
    }
}

/// The promise is the quote's or none: what the storefront says of it does not count. Gives the quote.
fn promise(key: &[u8; 32], shop: &str, order: &mut Order) -> Option<String> {
    if let Some(delivery) = &mut order.delivery {
        delivery.promised = None;
    }
    let quoted = match quote::verify(key, order.quote.as_deref()?, shop, order.placed_at) {
        Ok(quoted) if quoted.currency == order.currency => quoted,
        Ok(_) => {
            tracing::warn!(shop, "a quote in another currency came with an order; it has no promise");
            order.quote = None;
            return None;
        }
        Err(error) => {
            tracing::warn!(shop, %error, "an order's quote does not hold; it has no promise");
            order.quote = None;
            return None;
        }
    };
    let stored = serde_json::to_string(&quoted).ok();
    match &mut order.delivery {
        Some(delivery) => delivery.promised = quoted.arrival,
        None => {
            order.delivery = Some(DeliveryChoice {
                id: quoted.option,
                title: quoted.title,
                price: quoted.price,
                promised: quoted.arrival,
            });
        }
    }
    stored
}
