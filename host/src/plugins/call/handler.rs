//! The signature of each hook's handler: for calling it, and for refusing a plugin that has another.

use std::sync::{Arc, OnceLock};

use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lower, TypedFunc};

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

/// A component's handler of one hook.
pub(in crate::plugins) struct Handler {
    hook: Hook,
    export: ComponentExportIndex,
    /// That it has the signature of its hook was seen: comparing all of the records costs as much as a small call.
    fits: OnceLock<()>,
}

impl Handler {
    pub(in crate::plugins) fn new(hook: Hook, export: ComponentExportIndex) -> Self {
        Self { hook, export, fits: OnceLock::new() }
    }

    /// `Parameters` go by the handler's own hook, so that they are the same at each call.
    fn typed<Parameters>(
        &self,
        store: &mut Store<CallState>,
        instance: Instance,
    ) -> wasmtime::Result<TypedFunc<Parameters, Handled>>
    where
        Parameters: ComponentNamedList + Lower,
    {
        if self.fits.get().is_none() {
            let typed = instance.get_typed_func(&mut *store, self.export)?;
            let _ = self.fits.set(());
            return Ok(typed);
        }
        let function = instance.get_func(&mut *store, self.export);
        let function = function.ok_or_else(|| wasmtime::Error::msg("its handler is gone"))?;
        // SAFETY: `get_typed_func` above has compared the signature of this export of this component.
        #[expect(unsafe_code)]
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}

/// Calls the handler with the input of its hook.
pub(super) async fn handle(
    store: &mut Store<CallState>,
    instance: Instance,
    handler: &Handler,
    input: Input,
) -> wasmtime::Result<Result<(), String>> {
    macro_rules! call {
        ($parameters:ty, $values:expr) => {{
            let typed = handler.typed::<$parameters>(&mut *store, instance)?;
            typed.call_async(&mut *store, $values).await.map(|(result,)| result)
        }};
    }
    match (handler.hook, input) {
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
        (hook, _) => {
            Err(Fault::Host(format!("`{}` was called with the input of another hook", hook.name())).into())
        }
    }
}

/// Whether an instance's handler has the signature of its hook.
pub fn fits(store: &mut Store<CallState>, instance: Instance, handler: &Handler) -> wasmtime::Result<()> {
    macro_rules! fits {
        ($parameters:ty) => {
            handler.typed::<$parameters>(&mut *store, instance).map(|_| ())
        };
    }
    match handler.hook {
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
