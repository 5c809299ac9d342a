//! One call of one plugin: a fresh instance, caps, a deadline; effects are kept only on `ok`.

mod fault;
mod handler;
mod waiting;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

pub use fault::{Fault, Within};
pub(super) use handler::{Handler, fits};

use crate::config::Limits;
use crate::config::calendar::Calendar;
use crate::domain::{
    Cart, Customer, DeliveryOption, DeliveryUpdate, Discount, DueTimer, Effect, Feedback, Hook, Journal,
    Order, OrderReturn, PaymentMethod, Shipment, Shop, Totals,
};
pub use crate::domain::{ReadError, Reads, StateOwner, StateRead, Versioned};
use crate::plugins::engine::Sandbox;
use crate::plugins::imports::CallState;
use crate::plugins::pace::{Exhausted, Pace, paced};
use crate::plugins::registry::{LivePlugin, Registry};
use fault::is_trap;
pub(super) use fault::{is_the_guests, of_error, shown};
use handler::handle;
use waiting::Waiting;

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
    /// What earlier attempts were answered from outside; none for what is not tried again.
    pub journal: Option<Arc<dyn Journal>>,
    /// Waiting for a slot and the call are over by then; the plugin's own limits may be over before.
    pub until: tokio::time::Instant,
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
        let (plugin, hook) = (Arc::clone(&invocation.plugin), invocation.hook);
        let live = self.current();
        let (host, alone) = (&live.host, live.shops.len() == 1);
        let outcome = match plugin.admit(&host.breaker, self.now_ms()) {
            Ok(admitted) => {
                let (outcome, fair) = bounded(self.sandbox(), invocation, alone).await;
                admitted.settle(&host.breaker, self.now_ms(), outcome.result.as_ref().err(), fair);
                outcome
            }
            Err(fault) => Outcome { result: Err(fault), reads: Vec::new(), elapsed: Duration::ZERO },
        };
        let fault = outcome.result.as_ref().err();
        plugin.standing.meters.record(&plugin.shop, &plugin.entry.name, hook, fault, outcome.elapsed);
        outcome
    }
}

/// A call that was given less than this part of its own time, and was late, may not be slow at all.
const FAIR: u32 = 4;

/// Waits for a slot, then runs: both until the caller's deadline, and the second no longer than the plugin's
/// own limits. Whether it had a fair part of its time, too.
async fn bounded(sandbox: &Arc<Sandbox>, mut invocation: Invocation, alone: bool) -> (Outcome, bool) {
    let started = Instant::now();
    let plugin = Arc::clone(&invocation.plugin);
    let (hook, until) = (invocation.hook, invocation.until);
    let ended = |result, reads| Outcome { result, reads, elapsed: started.elapsed() };
    let slot = match sandbox.slot(&plugin, hook, until, alone).await {
        Ok(slot) => slot,
        Err(fault) => return (ended(Err(fault), Vec::new()), false),
    };
    let limits = sandbox.within(&plugin.limits);
    let (own_ms, cpu, cpu_ms, within) = if hook.is_stage() {
        (limits.decision_ms, "decision_cpu_ms", limits.decision_cpu_ms, Within::Decision)
    } else {
        (limits.event_ms, "event_cpu_ms", limits.event_cpu_ms, Within::Event)
    };
    let own = Duration::from_millis(u64::from(own_ms));
    let left = until.saturating_duration_since(tokio::time::Instant::now());
    let (given, within) = if left < own { (left, Within::Budget) } else { (own, within) };
    let until = until.min(tokio::time::Instant::now() + own);
    invocation.until = until;
    let waiting = Arc::new(Waiting::new(invocation.reads));
    invocation.reads = Arc::clone(&waiting) as _;
    let most = Duration::from_millis(u64::from(cpu_ms));
    let (turns, habit) = (&sandbox.turns, &plugin.standing.habit);
    let called = {
        let call = run(Arc::clone(sandbox), invocation, limits);
        let mut call = pin!(paced(call, Pace { turns, shop: &plugin.shop, habit, most }));
        // One that asks without end is late by itself; one question that takes most of the time is the store's.
        timeout_at(until, call.as_mut()).await.map_err(|_| waiting.since() >= given / 2)
    };
    let (result, reads) = match called {
        Ok(Ok(Ok((effects, reads)))) => (Ok(effects), reads),
        Ok(Ok(Err((fault, reads)))) => (Err(fault), reads),
        Ok(Err(Exhausted)) => (Err(Fault::Limit { setting: cpu, value: u64::from(cpu_ms) }), Vec::new()),
        Err(true) => (Err(Fault::Host("the store did not answer in time".to_owned())), Vec::new()),
        Err(false) => (Err(Fault::Late { ms: given.as_millis() as u64, within }), Vec::new()),
    };
    drop(slot);
    let fair = !matches!(result, Err(Fault::Late { .. })) || given >= own / FAIR;
    (ended(result, reads), fair)
}

type Done = (Vec<Effect>, Vec<StateRead>);

async fn run(
    sandbox: Arc<Sandbox>,
    invocation: Invocation,
    limits: Limits,
) -> Result<Done, (Fault, Vec<StateRead>)> {
    let hook = invocation.hook;
    let plugin = invocation.plugin.clone();
    let Some((pre, handler)) = plugin.plugin.code.handler(hook) else {
        let fault = Fault::Host(format!("`{}` does not handle `{}`", plugin.entry.name, hook.name()));
        return Err((fault, Vec::new()));
    };
    let input = invocation.input.clone();
    let outside = sandbox.outside(&invocation);
    let mut state = CallState::new(invocation, &limits);
    state.outside = outside;
    let mut store = sandbox.store(state, &limits);
    let called = match pre.instantiate_async(&mut store).await {
        Ok(instance) => handle(&mut store, instance, handler, input).await,
        Err(error) => Err(error),
    };
    let state = store.into_data();
    let fault = match called {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(Fault::Refused(shown(&reason))),
        Err(error) => {
            let overrun = state.memory.overrun().filter(|_| is_trap(&error));
            Some(overrun.unwrap_or_else(|| of_error(&error, &limits)))
        }
    };
    let (effects, reads) = state.finish();
    match fault {
        None => Ok((effects, reads)),
        Some(fault) => Err((fault, reads)),
    }
}

#[cfg(test)]
mod tests;
