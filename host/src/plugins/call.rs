//! One call of one plugin: a fresh instance, caps, a deadline; effects are kept only on `ok`.

mod fault;
mod handler;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use fault::Fault;
pub(super) use handler::fits;

use crate::config::Limits;
use crate::config::calendar::Calendar;
use crate::domain::{
    Cart, Customer, DeliveryOption, DeliveryUpdate, Discount, DueTimer, Effect, Feedback, Hook, Order,
    OrderReturn, PaymentMethod, Shipment, Shop, Totals,
};
pub use crate::domain::{ReadError, Reads, StateOwner, StateRead, Versioned};
use crate::plugins::engine::Sandbox;
use crate::plugins::imports::CallState;
use crate::plugins::limits::Memory;
use crate::plugins::registry::{LivePlugin, Registry};
use fault::{is_trap, of_error, shortened};
use handler::handle;

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
        let plugin = invocation.plugin.clone();
        let (hook, shop) = (invocation.hook, invocation.surroundings.shop.clone());
        let outcome = bounded(self.sandbox(), invocation, &self.current().host.limits).await;
        let fault = outcome.result.as_ref().err();
        plugin.meters.record(&shop.id, &plugin.entry.name, hook, fault, outcome.elapsed);
        outcome
    }
}

/// Waits for a slot and runs, both within the deadline.
async fn bounded(sandbox: &Sandbox, invocation: Invocation, limits: &Limits) -> Outcome {
    let started = Instant::now();
    let own = if invocation.hook.is_stage() { limits.decision_ms } else { limits.event_ms };
    let deadline = invocation.deadline.min(Duration::from_millis(u64::from(own)));
    let call = run(sandbox, invocation, limits, deadline);
    let (result, reads) = match tokio::time::timeout(deadline, call).await {
        Ok(Ok((effects, reads))) => (Ok(effects), reads),
        Ok(Err((fault, reads))) => (Err(fault), reads),
        Err(_) => (Err(Fault::Late(deadline.as_millis() as u64)), Vec::new()),
    };
    Outcome { result, reads, elapsed: started.elapsed() }
}

type Done = (Vec<Effect>, Vec<StateRead>);

async fn run(
    sandbox: &Sandbox,
    invocation: Invocation,
    limits: &Limits,
    deadline: Duration,
) -> Result<Done, (Fault, Vec<StateRead>)> {
    let hook = invocation.hook;
    let plugin = invocation.plugin.clone();
    let nothing_read = |fault| (fault, Vec::new());
    let _slot = sandbox.slot(hook).await.map_err(nothing_read)?;
    let Some((pre, handler)) = plugin.plugin.code.handler(hook) else {
        return Err(nothing_read(Fault::Host(format!(
            "`{}` does not handle `{}`",
            plugin.entry.name,
            hook.name()
        ))));
    };
    let input = invocation.input.clone();
    let state = CallState::new(invocation, limits, Memory::new(sandbox.memory_mib(limits)));
    let mut store = sandbox.store(state, limits, deadline);
    let called = match pre.instantiate_async(&mut store).await {
        Ok(instance) => handle(hook, &mut store, instance, handler, input).await,
        Err(error) => Err(error),
    };
    let state = store.into_data();
    let fault = match called {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(Fault::Refused(shortened(&reason))),
        Err(error) => Some(
            state.memory.overrun().filter(|_| is_trap(&error)).unwrap_or_else(|| of_error(&error, limits)),
        ),
    };
    let (effects, reads) = state.finish();
    match fault {
        None => Ok((effects, reads)),
        Some(fault) => Err((fault, reads)),
    }
}

#[cfg(test)]
mod tests;
