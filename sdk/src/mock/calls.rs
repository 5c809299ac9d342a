//! Calling the hooks of a plugin.

use super::effects::Effects;
use super::host::MockHost;
use super::world::Stage;
use crate::hooks;
use crate::types::{Cart, DeliveryUpdate, DueTimer, Feedback, Order, OrderReturn, Shipment, Totals};

/// The hooks: each calls the plugin and gives what it asked for, or its error.
impl MockHost {
    fn with_cart(&mut self, cart: &Cart) {
        if self.0.totals == (Totals { subtotal: 0, discount: 0, delivery: None, tax: 0, total: 0 }) {
            let subtotal = cart.subtotal();
            let added = if cart.prices_include_tax { 0 } else { cart.tax };
            self.0.totals = Totals {
                subtotal,
                discount: 0,
                delivery: None,
                tax: cart.tax,
                total: subtotal.saturating_add(added),
            };
        }
        if self.0.payments.is_empty() {
            self.0.payments.clone_from(&cart.payment_methods);
        }
    }

    /// `pricing`, at the checkout.
    pub fn price<P: hooks::Pricing>(&mut self, cart: impl Into<Cart>) -> Result<Effects, String> {
        let cart = cart.into();
        self.with_cart(&cart);
        self.run(Stage::Pricing, "checkout", || P::price(cart))
    }

    /// `delivery`, at the checkout.
    pub fn offer<P: hooks::Delivery>(&mut self, cart: impl Into<Cart>) -> Result<Effects, String> {
        let cart = cart.into();
        self.with_cart(&cart);
        self.run(Stage::Delivery, "checkout", || P::offer(cart))
    }

    /// `content` of a page with a cart: `cart`, `checkout`.
    pub fn fill<P: hooks::Content>(&mut self, page: &str, cart: impl Into<Cart>) -> Result<Effects, String> {
        let cart = cart.into();
        self.with_cart(&cart);
        self.run(Stage::Content, page, || P::fill(page.to_owned(), Some(cart), None))
    }

    /// `content` of a product's page.
    pub fn fill_product<P: hooks::Content>(&mut self, product: &str) -> Result<Effects, String> {
        let page = "product-page";
        self.run(Stage::Content, page, || P::fill(page.to_owned(), None, Some(product.to_owned())))
    }

    /// `content` of a page with neither cart nor product: `order-status`, `message`.
    pub fn fill_page<P: hooks::Content>(&mut self, page: &str) -> Result<Effects, String> {
        self.run(Stage::Content, page, || P::fill(page.to_owned(), None, None))
    }

    /// `review`, at the checkout.
    pub fn review<P: hooks::Review>(&mut self, cart: impl Into<Cart>) -> Result<Effects, String> {
        let cart = cart.into();
        self.with_cart(&cart);
        self.run(Stage::Review, "checkout", || P::review(cart))
    }

    fn with_order(&mut self, order: impl Into<Order>) -> Order {
        let order = order.into();
        self.0.order = Some(order.clone());
        order
    }

    fn with_shipment(&mut self, shipment: impl Into<Shipment>) -> Shipment {
        let shipment = shipment.into();
        self.0.shipments.retain(|own| own.id != shipment.id);
        self.0.shipments.push(shipment.clone());
        shipment
    }

    /// `order-placed`.
    pub fn order_placed<P: hooks::OrderPlaced>(
        &mut self,
        order: impl Into<Order>,
    ) -> Result<Effects, String> {
        let order = self.with_order(order);
        self.run(Stage::Event, "order-placed", || P::handle(order))
    }

    /// `order-shipped`.
    pub fn order_shipped<P: hooks::OrderShipped>(
        &mut self,
        order: impl Into<Order>,
        shipment: impl Into<Shipment>,
    ) -> Result<Effects, String> {
        let (order, shipment) = (self.with_order(order), self.with_shipment(shipment));
        self.run(Stage::Event, "order-shipped", || P::handle(order, shipment))
    }

    /// `delivery-updated`.
    pub fn delivery_updated<P: hooks::DeliveryUpdated>(
        &mut self,
        order: impl Into<Order>,
        shipment: impl Into<Shipment>,
        update: impl Into<DeliveryUpdate>,
    ) -> Result<Effects, String> {
        let (order, shipment) = (self.with_order(order), self.with_shipment(shipment));
        let update = update.into();
        self.run(Stage::Event, "delivery-updated", || P::handle(order, shipment, update))
    }

    /// `order-delivered`.
    pub fn order_delivered<P: hooks::OrderDelivered>(
        &mut self,
        order: impl Into<Order>,
        shipment: impl Into<Shipment>,
        update: impl Into<DeliveryUpdate>,
    ) -> Result<Effects, String> {
        let (order, shipment) = (self.with_order(order), self.with_shipment(shipment));
        let update = update.into();
        self.run(Stage::Event, "order-delivered", || P::handle(order, shipment, update))
    }

    /// `order-cancelled`.
    pub fn order_cancelled<P: hooks::OrderCancelled>(
        &mut self,
        order: impl Into<Order>,
    ) -> Result<Effects, String> {
        let order = self.with_order(order);
        self.run(Stage::Event, "order-cancelled", || P::handle(order))
    }

    /// `order-returned`.
    pub fn order_returned<P: hooks::OrderReturned>(
        &mut self,
        order: impl Into<Order>,
        goods: OrderReturn,
    ) -> Result<Effects, String> {
        let order = self.with_order(order);
        self.run(Stage::Event, "order-returned", || P::handle(order, goods))
    }

    /// `customer-created`, for the present customer.
    pub fn customer_created<P: hooks::CustomerCreated>(&mut self) -> Result<Effects, String> {
        self.run(Stage::Event, "customer-created", P::handle)
    }

    /// `cart-abandoned`.
    pub fn cart_abandoned<P: hooks::CartAbandoned>(
        &mut self,
        cart: impl Into<Cart>,
    ) -> Result<Effects, String> {
        let cart = cart.into();
        self.with_cart(&cart);
        self.run(Stage::Event, "cart-abandoned", || P::handle(cart))
    }

    /// `feedback-received`.
    pub fn feedback_received<P: hooks::FeedbackReceived>(
        &mut self,
        feedback: Feedback,
    ) -> Result<Effects, String> {
        self.run(Stage::Event, "feedback-received", || P::handle(feedback))
    }

    /// `timer`: moves the clock to when it is due.
    pub fn fire<P: hooks::Timer>(&mut self, timer: DueTimer) -> Result<Effects, String> {
        self.0.now = self.0.now.max(timer.due_at);
        self.run(Stage::Event, "timer", || P::fire(timer))
    }
}
