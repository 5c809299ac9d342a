//! When a plugin is called: one trait for each hook, named as the hook is.
//!
//! A handler returns `Ok(())`, or `Err` with a sentence for the merchant when something is wrong with
//! the plugin. After an `Err` everything that the handler asked for is forgotten. To refuse a
//! checkout is no error: see [`refusal`](crate::refusal).

use crate::bindings;
use crate::types::{Cart, DeliveryUpdate, DueTimer, Feedback, Order, OrderReturn, Shipment};

/// What a handler returns. `?` works on a [`settings::Error`](crate::settings::Error) and on a `String`.
pub type Outcome = Result<(), String>;

/// Stands between a hook's trait and the export of its world.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<P>(core::marker::PhantomData<P>);

/// Decides discounts, in a cart and at checkout: [`Discount`](crate::types::Discount).
pub trait Pricing {
    /// What it asks for is kept when it returns `Ok`.
    fn price(cart: Cart) -> Outcome;
}

impl<P: Pricing> bindings::pricing::exports::cartwright::plugin::pricing::Guest for Exported<P> {
    fn price(cart: Cart) -> Outcome {
        P::price(cart)
    }
}

/// Offers ways of delivery: [`DeliveryOption`](crate::types::DeliveryOption). On a product page the cart has one line.
pub trait Delivery {
    /// What it asks for is kept when it returns `Ok`.
    fn offer(cart: Cart) -> Outcome;
}

impl<P: Delivery> bindings::delivery::exports::cartwright::plugin::delivery::Guest for Exported<P> {
    fn offer(cart: Cart) -> Outcome {
        P::offer(cart)
    }
}

/// Fills a page with recommendations, notices and blocks.
///
/// `page` is `product-page`, `cart`, `checkout`, `order-status` or `message`; later versions may know more.
pub trait Content {
    /// What it asks for is kept when it returns `Ok`.
    fn fill(page: String, cart: Option<Cart>, product: Option<String>) -> Outcome;
}

impl<P: Content> bindings::content::exports::cartwright::plugin::content::Guest for Exported<P> {
    fn fill(page: String, cart: Option<Cart>, product: Option<String>) -> Outcome {
        P::fill(page, cart, product)
    }
}

/// Sees the merged results of all plugins ([`offers`](crate::offers)) and may adjust, hide, rename and refuse.
pub trait Review {
    /// What it asks for is kept when it returns `Ok`.
    fn review(cart: Cart) -> Outcome;
}

impl<P: Review> bindings::review::exports::cartwright::plugin::review::Guest for Exported<P> {
    fn review(cart: Cart) -> Outcome {
        P::review(cart)
    }
}

/// An order was placed.
pub trait OrderPlaced {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order) -> Outcome;
}

impl<P: OrderPlaced> bindings::order_placed::exports::cartwright::plugin::order_placed::Guest
    for Exported<P>
{
    fn handle(order: Order) -> Outcome {
        P::handle(order)
    }
}

/// A parcel of an order is on its way.
pub trait OrderShipped {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order, shipment: Shipment) -> Outcome;
}

impl<P: OrderShipped> bindings::order_shipped::exports::cartwright::plugin::order_shipped::Guest
    for Exported<P>
{
    fn handle(order: Order, shipment: Shipment) -> Outcome {
        P::handle(order, shipment)
    }
}

/// The carrier says where a parcel is.
pub trait DeliveryUpdated {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome;
}

impl<P: DeliveryUpdated> bindings::delivery_updated::exports::cartwright::plugin::delivery_updated::Guest
    for Exported<P>
{
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome {
        P::handle(order, shipment, update)
    }
}

/// A parcel has arrived.
pub trait OrderDelivered {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome;
}

impl<P: OrderDelivered> bindings::order_delivered::exports::cartwright::plugin::order_delivered::Guest
    for Exported<P>
{
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome {
        P::handle(order, shipment, update)
    }
}

/// An order was cancelled.
pub trait OrderCancelled {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order) -> Outcome;
}

impl<P: OrderCancelled> bindings::order_cancelled::exports::cartwright::plugin::order_cancelled::Guest
    for Exported<P>
{
    fn handle(order: Order) -> Outcome {
        P::handle(order)
    }
}

/// Goods came back.
pub trait OrderReturned {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(order: Order, goods: OrderReturn) -> Outcome;
}

impl<P: OrderReturned> bindings::order_returned::exports::cartwright::plugin::order_returned::Guest
    for Exported<P>
{
    fn handle(order: Order, goods: OrderReturn) -> Outcome {
        P::handle(order, goods)
    }
}

/// An account was opened. Who it is: [`customers::current`](crate::customers::current).
pub trait CustomerCreated {
    /// What it asks for is kept when it returns `Ok`.
    fn handle() -> Outcome;
}

impl<P: CustomerCreated> bindings::customer_created::exports::cartwright::plugin::customer_created::Guest
    for Exported<P>
{
    fn handle() -> Outcome {
        P::handle()
    }
}

/// A cart was left behind.
pub trait CartAbandoned {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(cart: Cart) -> Outcome;
}

impl<P: CartAbandoned> bindings::cart_abandoned::exports::cartwright::plugin::cart_abandoned::Guest
    for Exported<P>
{
    fn handle(cart: Cart) -> Outcome {
        P::handle(cart)
    }
}

/// A customer rated or wrote something; contact details are taken out.
pub trait FeedbackReceived {
    /// What it asks for is kept when it returns `Ok`.
    fn handle(feedback: Feedback) -> Outcome;
}

impl<P: FeedbackReceived> bindings::feedback_received::exports::cartwright::plugin::feedback_received::Guest
    for Exported<P>
{
    fn handle(feedback: Feedback) -> Outcome {
        P::handle(feedback)
    }
}

/// A timer of this plugin's is due ([`timers`](crate::timers)).
pub trait Timer {
    /// What it asks for is kept when it returns `Ok`.
    fn fire(timer: DueTimer) -> Outcome;
}

impl<P: Timer> bindings::timer::exports::cartwright::plugin::timer::Guest for Exported<P> {
    fn fire(timer: DueTimer) -> Outcome {
        P::fire(timer)
    }
}
