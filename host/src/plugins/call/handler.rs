//! The signature of each hook's handler: for calling it, and for refusing a plugin that has another.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance};

use super::{Fault, Input};
use crate::domain::{Cart, DeliveryUpdate, DueTimer, Feedback, Hook, Order, OrderReturn, Shipment};
use crate::plugins::imports::CallState;

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
pub(super) async fn handle(
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
pub fn fits(
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
