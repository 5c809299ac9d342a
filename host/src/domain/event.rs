//! What a shop reports after the sale. The same JSON is the body of `POST /v1/hooks/<hook>`, the
//! `data` of a CloudEvent, and the stored payload.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cart, CustomerInput, DeliveryUpdate, Feedback, Hook, Order, OrderReturn, Shipment};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPlaced {
    pub order: Order,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerInput>,
    /// The shopper's language at the checkout, else the customer's, else the shop's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderShipped {
    pub order_id: String,
    pub shipment: Shipment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryUpdated {
    pub order_id: String,
    pub shipment_id: String,
    pub update: DeliveryUpdate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderCancelled {
    pub order_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderReturned {
    pub order_id: String,
    #[serde(rename = "return")]
    pub order_return: OrderReturn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerCreated {
    pub customer: CustomerInput,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartAbandoned {
    pub cart: Cart,
    pub customer: CustomerInput,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackReceived {
    pub feedback: Feedback,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerInput>,
}

/// An event of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "an event is held once, on its way into or out of the store")]
pub enum Event {
    OrderPlaced(OrderPlaced),
    OrderShipped(OrderShipped),
    DeliveryUpdated(DeliveryUpdated),
    OrderDelivered(DeliveryUpdated),
    OrderCancelled(OrderCancelled),
    OrderReturned(OrderReturned),
    CustomerCreated(CustomerCreated),
    CartAbandoned(CartAbandoned),
    FeedbackReceived(FeedbackReceived),
}

impl Event {
    #[must_use]
    pub fn hook(&self) -> Hook {
        match self {
            Self::OrderPlaced(_) => Hook::OrderPlaced,
            Self::OrderShipped(_) => Hook::OrderShipped,
            Self::DeliveryUpdated(_) => Hook::DeliveryUpdated,
            Self::OrderDelivered(_) => Hook::OrderDelivered,
            Self::OrderCancelled(_) => Hook::OrderCancelled,
            Self::OrderReturned(_) => Hook::OrderReturned,
            Self::CustomerCreated(_) => Hook::CustomerCreated,
            Self::CartAbandoned(_) => Hook::CartAbandoned,
            Self::FeedbackReceived(_) => Hook::FeedbackReceived,
        }
    }

    /// The order it belongs to.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        match self {
            Self::OrderPlaced(event) => Some(&event.order.id),
            Self::OrderShipped(event) => Some(&event.order_id),
            Self::DeliveryUpdated(event) | Self::OrderDelivered(event) => Some(&event.order_id),
            Self::OrderCancelled(event) => Some(&event.order_id),
            Self::OrderReturned(event) => Some(&event.order_id),
            Self::FeedbackReceived(event) => event.order_id.as_deref(),
            Self::CustomerCreated(_) | Self::CartAbandoned(_) => None,
        }
    }

    /// What the event says of the customer.
    #[must_use]
    pub fn customer(&self) -> Option<&CustomerInput> {
        match self {
            Self::OrderPlaced(event) => event.customer.as_ref(),
            Self::CustomerCreated(event) => Some(&event.customer),
            Self::CartAbandoned(event) => Some(&event.customer),
            Self::FeedbackReceived(event) => event.customer.as_ref(),
            _ => None,
        }
    }
}
