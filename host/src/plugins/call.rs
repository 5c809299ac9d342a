//! One call of one plugin: a fresh instance, caps, a deadline; effects are kept only on `ok`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::{ComponentExportIndex, Instance};
use wasmtime::{Store, Trap, WasmBacktrace};

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
        Err(error) => {
            Some(state.memory.overrun().filter(|_| is_trap(&error)).unwrap_or_else(|| fault(&error, limits)))
        }
    };
    let (effects, reads) = state.finish();
    match fault {
        None => Ok((effects, reads)),
        Some(fault) => Err((fault, reads)),
    }
}

type Handled = (Result<(), String>,);
type OfCart = (Arc<Cart>,);
type OfContent = (String, Option<Arc<Cart>>, Option<String>);
type OfOrder = (Arc<Order>,);
type OfShipped = (Arc<Order>, Arc<Shipment>);
type OfUpdated = (Arc<Order>, Arc<Shipment>, Arc<DeliveryUpdate>);
type OfReturned = (Arc<Order>, Arc<OrderReturn>);
type OfFeedback = (Arc<Feedback>,);
type OfTimer = (Arc<DueTimer>,);

/// Calls the handler with the input of its hook.
async fn handle(
    hook: Hook,
    store: &mut Store<CallState>,
    instance: Instance,
    handler: &ComponentExportIndex,
    input: Input,
) -> wasmtime::Result<Result<(), String>> {
    macro_rules! call {
        ($parameters:ty, $values:expr) => {{
            let typed = instance.get_typed_func::<$parameters, Handled>(&mut *store, handler)?;
            typed.call_async(&mut *store, $values).await.map(|(result,)| result)
        }};
    }
    match (hook, input) {
        (Hook::Pricing | Hook::Delivery | Hook::Review | Hook::CartAbandoned, Input::Cart(cart)) => {
            call!(OfCart, (cart,))
        }
        (Hook::Content, Input::Content { page, cart, product }) => call!(OfContent, (page, cart, product)),
        (Hook::OrderPlaced | Hook::OrderCancelled, Input::Order(order)) => call!(OfOrder, (order,)),
        (Hook::OrderShipped, Input::Shipped(order, shipment)) => call!(OfShipped, (order, shipment)),
        (Hook::DeliveryUpdated | Hook::OrderDelivered, Input::Updated(order, shipment, update)) => {
            call!(OfUpdated, (order, shipment, update))
        }
        (Hook::OrderReturned, Input::Returned(order, back)) => call!(OfReturned, (order, back)),
        (Hook::CustomerCreated, Input::Nothing) => call!((), ()),
        (Hook::FeedbackReceived, Input::Feedback(feedback)) => call!(OfFeedback, (feedback,)),
        (Hook::Timer, Input::Timer(timer)) => call!(OfTimer, (timer,)),
        _ => Err(Fault::Host(format!("`{}` was called with the input of another hook", hook.name())).into()),
    }
}

/// Whether an instance's handler has the signature of its hook.
pub(super) fn fits(
    hook: Hook,
    store: &mut Store<CallState>,
    instance: Instance,
    handler: &ComponentExportIndex,
) -> wasmtime::Result<()> {
    macro_rules! fits {
        ($parameters:ty) => {
            instance.get_typed_func::<$parameters, Handled>(&mut *store, handler).map(|_| ())
        };
    }
    match hook {
        Hook::Pricing | Hook::Delivery | Hook::Review | Hook::CartAbandoned => fits!(OfCart),
        Hook::Content => fits!(OfContent),
        Hook::OrderPlaced | Hook::OrderCancelled => fits!(OfOrder),
        Hook::OrderShipped => fits!(OfShipped),
        Hook::DeliveryUpdated | Hook::OrderDelivered => fits!(OfUpdated),
        Hook::OrderReturned => fits!(OfReturned),
        Hook::CustomerCreated => fits!(()),
        Hook::FeedbackReceived => fits!(OfFeedback),
        Hook::Timer => fits!(OfTimer),
    }
}

fn is_trap(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Trap>().is_some()
}

/// What stopped a call, as a sentence.
fn fault(error: &wasmtime::Error, limits: &Limits) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        let text = format!("{error:#}");
        // The error that wasmtime gives when a single call hands over too much has no public type.
        if text.contains("fuel allocated for hostcalls") {
            return Fault::Limit { setting: "output_bytes", value: u64::from(limits.output_bytes) };
        }
        return Fault::Trapped(shortened(&text));
    };
    let what = match trap {
        Trap::StackOverflow => {
            format!(
                "used up its stack (limits.stack_kib = {}); a recursion that does not end?",
                limits.stack_kib
            )
        }
        Trap::UnreachableCodeReached => {
            "stopped itself: a panic, a failed assertion or an exception; its log may say more".to_owned()
        }
        Trap::MemoryOutOfBounds => {
            "reached outside its memory; a stack of its own that is too small, or unsafe code".to_owned()
        }
        Trap::IntegerDivisionByZero => "divided by zero".to_owned(),
        Trap::IntegerOverflow | Trap::BadConversionToInteger => {
            "computed a number that does not fit".to_owned()
        }
        other => other.to_string(),
    };
    Fault::Trapped(format!("{what}{}", place(error)))
}

/// The innermost function with a name, when the plugin kept its names.
fn place(error: &wasmtime::Error) -> String {
    error
        .downcast_ref::<WasmBacktrace>()
        .and_then(|trace| trace.frames().iter().find_map(|frame| frame.func_name()))
        .map(|name| format!(" (in `{}`)", shortened(name)))
        .unwrap_or_default()
}

/// What a guest says goes into logs and answers: no longer than a screen.
fn shortened(text: &str) -> String {
    const MOST: usize = 1_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
