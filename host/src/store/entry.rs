//! Where an event stands when it comes, and what it changes of its order and shipments.

use super::events::Row;
use super::orders::{self, Placed};
use super::writer::Tx;
use super::{Result, coupons};
use crate::domain::{Event, Hook};

/// Where an event stands when it comes.
pub(super) enum Standing {
    Ready {
        seq: i64,
        customer_id: Option<String>,
        locale: Option<String>,
        /// Codes of which nothing was left when the order came.
        overused: Vec<String>,
        /// Held events of the order may be possible now.
        awaited: bool,
    },
    TooEarly,
    /// The order had been placed already.
    Placed,
}

/// What comes with an event beside it.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    /// JSON of the verified quote.
    pub quote: Option<&'a str>,
    /// The shop's.
    pub currency: &'a str,
    /// What an order uses: locked before.
    pub codes: &'a [String],
}

/// Gives the event its place, and changes the order and its shipments as it says.
pub(super) async fn enter(
    tx: &mut Tx,
    row: &Row,
    event: &Event,
    beside: Beside<'_>,
    now_ms: i64,
) -> Result<Standing> {
    let Beside { quote, currency, codes } = beside;
    let shop = row.shop.as_str();
    if let Event::OrderPlaced(placed) = event {
        let order = &placed.order;
        let new = orders::NewOrder {
            shop,
            order,
            customer_id: row.customer_id.as_deref(),
            locale: row.locale.as_deref(),
            quote,
            spent: if order.currency == currency { order.total } else { 0 },
            event_id: &row.id,
            now_ms,
        };
        let Some(placed) = orders::place(tx, &new).await? else { return Ok(Standing::Placed) };
        let spending = coupons::Spending {
            shop,
            event_id: &row.id,
            order,
            customer_id: new.customer_id,
            codes,
            cancelled: placed.cancelled,
            now_ms,
        };
        let overused = coupons::spend(tx, &spending).await?;
        let Placed { seq, awaited, .. } = placed;
        return Ok(Standing::Ready { seq, customer_id: None, locale: None, overused, awaited });
    }
    let Some(order_id) = event.order_id() else {
        return Ok(Standing::Ready {
            seq: 0,
            customer_id: None,
            locale: None,
            overused: Vec::new(),
            awaited: false,
        });
    };
    let shipment = match event {
        Event::DeliveryUpdated(update) | Event::OrderDelivered(update) => {
            let found = orders::shipment(tx, shop, order_id, &update.shipment_id).await?;
            if found.is_none() && !row.late {
                return Ok(Standing::TooEarly);
            }
            found
        }
        _ => None,
    };
    let Some(order) = orders::advance(tx, shop, order_id, row.late, now_ms).await? else {
        return Ok(Standing::TooEarly);
    };
    let mut status = None;
    match event {
        Event::OrderShipped(shipped) => {
            let mut shipment = shipped.shipment.clone();
            if let Some(known) = orders::payload(tx, shop, order_id).await? {
                shipment.promised = known.delivery.and_then(|delivery| delivery.promised);
                shipment.destination = shipment.destination.or(known.destination);
            }
            orders::put_shipment(tx, shop, order_id, &shipment, now_ms).await?;
            status = match order.status.as_str() {
                "placed" | "unknown" => Some("shipped"),
                "delivered" if orders::under_way(tx, shop, order_id).await? => Some("shipped"),
                _ => None,
            };
        }
        Event::DeliveryUpdated(update) | Event::OrderDelivered(update) => {
            let delivered = event.hook() == Hook::OrderDelivered;
            if let Some(shipment) = shipment {
                orders::update_shipment(tx, shop, order_id, shipment, &update.update, delivered, now_ms)
                    .await?;
            }
            let open = matches!(order.status.as_str(), "placed" | "shipped" | "unknown");
            if delivered && open && !orders::under_way(tx, shop, order_id).await? {
                status = Some("delivered");
            }
        }
        Event::OrderCancelled(_) => {
            coupons::give_back(tx, shop, order_id, now_ms).await?;
            status = Some("cancelled");
        }
        // What came of a cancelled order may still be sent back: it stays cancelled.
        Event::OrderReturned(_) if order.status != "cancelled" => status = Some("returned"),
        _ => {}
    }
    if let Some(status) = status {
        orders::set_status(tx, shop, order_id, status).await?;
        // Cancelled orders do not count among a customer's.
        if let Some(customer) = &order.customer_id {
            tx.touched.customers.push((shop.to_owned(), customer.clone()));
        }
    }
    Ok(Standing::Ready {
        seq: order.seq,
        customer_id: order.customer_id,
        locale: order.locale,
        overused: Vec::new(),
        awaited: matches!(event, Event::OrderShipped(_)),
    })
}
