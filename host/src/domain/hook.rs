//! The hooks: when a plugin is called, and which a storefront asks.

use serde::{Deserialize, Serialize};

/// What a plugin exports: a decision stage, an event hook, or the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    Pricing,
    Delivery,
    Content,
    Review,
    OrderPlaced,
    OrderShipped,
    DeliveryUpdated,
    OrderDelivered,
    OrderCancelled,
    OrderReturned,
    CustomerCreated,
    CartAbandoned,
    FeedbackReceived,
    Timer,
}

impl Hook {
    pub const ALL: [Self; 14] = [
        Self::Pricing,
        Self::Delivery,
        Self::Content,
        Self::Review,
        Self::OrderPlaced,
        Self::OrderShipped,
        Self::DeliveryUpdated,
        Self::OrderDelivered,
        Self::OrderCancelled,
        Self::OrderReturned,
        Self::CustomerCreated,
        Self::CartAbandoned,
        Self::FeedbackReceived,
        Self::Timer,
    ];

    /// Name of the WIT interface, which is also the hook's name everywhere else.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pricing => "pricing",
            Self::Delivery => "delivery",
            Self::Content => "content",
            Self::Review => "review",
            Self::OrderPlaced => "order-placed",
            Self::OrderShipped => "order-shipped",
            Self::DeliveryUpdated => "delivery-updated",
            Self::OrderDelivered => "order-delivered",
            Self::OrderCancelled => "order-cancelled",
            Self::OrderReturned => "order-returned",
            Self::CustomerCreated => "customer-created",
            Self::CartAbandoned => "cart-abandoned",
            Self::FeedbackReceived => "feedback-received",
            Self::Timer => "timer",
        }
    }

    /// Name of the function in that interface.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::Pricing => "price",
            Self::Delivery => "offer",
            Self::Content => "fill",
            Self::Review => "review",
            Self::Timer => "fire",
            _ => "handle",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// A stage of a decision: it reads and proposes, and changes nothing.
    #[must_use]
    pub fn is_stage(self) -> bool {
        matches!(self, Self::Pricing | Self::Delivery | Self::Content | Self::Review)
    }
}

/// What a storefront asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionHook {
    ProductPage,
    Cart,
    Checkout,
    OrderStatus,
}

impl DecisionHook {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ProductPage => "product-page",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::OrderStatus => "order-status",
        }
    }

    /// The stages that run, in order; `content` runs beside them.
    #[must_use]
    pub fn stages(self) -> &'static [Hook] {
        match self {
            Self::ProductPage => &[Hook::Delivery],
            Self::Cart | Self::Checkout => &[Hook::Pricing, Hook::Delivery, Hook::Review],
            Self::OrderStatus => &[],
        }
    }
}
