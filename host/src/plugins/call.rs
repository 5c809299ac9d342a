//! One call of one plugin: a fresh instance, caps, a deadline; effects are kept only on `ok`.

use std::sync::Arc;
use std::time::Duration;

use crate::config::calendar::Calendar;
use crate::domain::{
    Cart, Customer, DeliveryOption, DeliveryUpdate, Discount, DueTimer, Effect, Feedback, Hook, Order,
    OrderReturn, PaymentMethod, Shipment, Shop, Totals,
};
pub use crate::domain::{ReadError, Reads, StateOwner, StateRead, Versioned};
use crate::plugins::registry::{LivePlugin, Registry};

/// What the hook is called with.
#[derive(Debug, Clone)]
pub enum Input {
    /// `pricing`, `delivery`, `review`, `cart-abandoned`.
    Cart(Arc<Cart>),
    Content {
        page: String,
        cart: Option<Arc<Cart>>,
        product: Option<String>,
    },
    /// `order-placed`, `order-cancelled`.
    Order(Arc<Order>),
    Shipped(Arc<Order>, Arc<Shipment>),
    /// `delivery-updated`, `order-delivered`.
    Updated(Arc<Order>, Arc<Shipment>, Arc<DeliveryUpdate>),
    Returned(Arc<Order>, Arc<OrderReturn>),
    /// `customer-created`.
    Nothing,
    Feedback(Arc<Feedback>),
    Timer(Arc<DueTimer>),
}

/// The merged result of the stages before.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    pub discounts: Vec<Discount>,
    /// Ids are the stable ids of the answer.
    pub delivery: Vec<DeliveryOption>,
    pub payments: Vec<PaymentMethod>,
    pub totals: Option<Totals>,
}

/// What a call knows beside its input; shared by the plugins of one question or event.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// `checkout`, `order-placed`, …
    pub hook_name: String,
    pub now_ms: i64,
    /// The customer's zone, else the shop's.
    pub zone: String,
    pub seed: u64,
    pub locale: String,
    pub viewed: Vec<String>,
    pub late: bool,
    pub shop: Arc<Shop>,
    pub calendar: Arc<Calendar>,
    pub customer: Option<Arc<Customer>>,
    pub order: Option<Arc<Order>>,
    pub shipments: Arc<Vec<Shipment>>,
    pub offers: Arc<Offers>,
    /// For log lines.
    pub request_id: String,
}

#[derive(Clone)]
pub struct Invocation {
    pub plugin: Arc<LivePlugin>,
    pub hook: Hook,
    pub input: Input,
    pub surroundings: Arc<Surroundings>,
    /// Of the customer and order scopes; `None`: those scopes trap.
    pub customer_id: Option<String>,
    pub order_id: Option<String>,
    pub reads: Arc<dyn Reads>,
    /// The shorter of this and the plugin's own limit holds.
    pub deadline: Duration,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The handler returned `err`.
    #[error("{0}")]
    Refused(String),
    /// A trap: unreachable, out of bounds, stack overflow, an import in a hook where it is not allowed.
    #[error("{0}")]
    Trapped(String),
    #[error(
        "took longer than {0} ms (limits.decision_ms, limits.event_ms, or what was left of the hook's budget)"
    )]
    Late(u64),
    /// A cap: its setting, its value.
    #[error("passed limits.{setting} = {value}")]
    Limit { setting: &'static str, value: u64 },
    #[error("the host could not read what the plugin asked for: {0}")]
    Host(String),
}

impl Fault {
    /// `err`, `trap`, `late`, `limit`, `host`: for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "err",
            Self::Trapped(_) => "trap",
            Self::Late(_) => "late",
            Self::Limit { .. } => "limit",
            Self::Host(_) => "host",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Outcome {
    pub result: Result<Vec<Effect>, Fault>,
    pub reads: Vec<StateRead>,
    pub elapsed: Duration,
}

impl Registry {
    /// Calls one hook of one plugin in a fresh instance. Never an error of its own: what goes wrong is
    /// the outcome's fault.
    pub async fn call(&self, invocation: Invocation) -> Outcome {
        let _ = invocation;
        todo!()
    }
}
