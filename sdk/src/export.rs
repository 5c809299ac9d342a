//! `export!`.

/// Makes a type the plugin: exports the named hooks, and no others.
///
/// ```
/// use cartwright_sdk::prelude::*;
///
/// struct Gift;
///
/// impl OrderPlaced for Gift {
///     fn handle(order: Order) -> Outcome {
///         let settings = settings::<Options>()?;
///         points::set(&order.id, settings.points);
///         Ok(())
///     }
/// }
///
/// #[derive(Settings)]
/// struct Options {
///     /// What an order earns.
///     #[setting(default = 10, min = 0)]
///     points: i64,
/// }
///
/// export!(Gift: order_placed; settings: Options);
/// ```
///
/// The hooks: `pricing`, `delivery`, `content`, `review`, `order_placed`, `order_shipped`,
/// `delivery_updated`, `order_delivered`, `order_cancelled`, `order_returned`, `customer_created`,
/// `cart_abandoned`, `feedback_received`, `timer`. Without `; settings: …` the plugin has none.
///
/// A hook that there is not, or that the type does not implement, is an error of the compiler:
///
/// ```compile_fail
/// # use cartwright_sdk::prelude::*;
/// struct Gift;
/// export!(Gift: order_eaten);
/// ```
///
/// ```compile_fail,E0277
/// # use cartwright_sdk::prelude::*;
/// struct Gift;
/// export!(Gift: order_placed);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($hook:ident),+ $(,)? $(; settings: $settings:ty $(,)?)?) => {
        $( $crate::__export_one!($hook, $plugin); )+
        $( $crate::__export_settings!($settings); )?
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_settings {
    ($settings:ty) => {
        #[allow(unsafe_code)]
        const _: () = {
            const LENGTH: usize = <$settings as $crate::settings::Setting>::SCHEMA.object_length();
            #[used]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "cartwright:settings"))]
            static SCHEMA: [u8; LENGTH] =
                <$settings as $crate::settings::Setting>::SCHEMA.object_bytes::<LENGTH>();
        };
    };
}

/// On a native target it only checks that the hook is implemented.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_one {
    (pricing, $plugin:ident) => {
        $crate::__export_as!($plugin, Pricing, pricing, __export_pricing);
    };
    (delivery, $plugin:ident) => {
        $crate::__export_as!($plugin, Delivery, delivery, __export_delivery);
    };
    (content, $plugin:ident) => {
        $crate::__export_as!($plugin, Content, content, __export_content);
    };
    (review, $plugin:ident) => {
        $crate::__export_as!($plugin, Review, review, __export_review);
    };
    (order_placed, $plugin:ident) => {
        $crate::__export_as!($plugin, OrderPlaced, order_placed, __export_order_placed);
    };
    (order_shipped, $plugin:ident) => {
        $crate::__export_as!($plugin, OrderShipped, order_shipped, __export_order_shipped);
    };
    (delivery_updated, $plugin:ident) => {
        $crate::__export_as!($plugin, DeliveryUpdated, delivery_updated, __export_delivery_updated);
    };
    (order_delivered, $plugin:ident) => {
        $crate::__export_as!($plugin, OrderDelivered, order_delivered, __export_order_delivered);
    };
    (order_cancelled, $plugin:ident) => {
        $crate::__export_as!($plugin, OrderCancelled, order_cancelled, __export_order_cancelled);
    };
    (order_returned, $plugin:ident) => {
        $crate::__export_as!($plugin, OrderReturned, order_returned, __export_order_returned);
    };
    (customer_created, $plugin:ident) => {
        $crate::__export_as!($plugin, CustomerCreated, customer_created, __export_customer_created);
    };
    (cart_abandoned, $plugin:ident) => {
        $crate::__export_as!($plugin, CartAbandoned, cart_abandoned, __export_cart_abandoned);
    };
    (feedback_received, $plugin:ident) => {
        $crate::__export_as!($plugin, FeedbackReceived, feedback_received, __export_feedback_received);
    };
    (timer, $plugin:ident) => {
        $crate::__export_as!($plugin, Timer, timer, __export_timer);
    };
    ($other:ident, $plugin:ident) => {
        ::core::compile_error!(::core::concat!(
            "there is no hook `",
            ::core::stringify!($other),
            "`; the hooks are pricing, delivery, content, review, order_placed, order_shipped, delivery_updated, order_delivered, order_cancelled, order_returned, customer_created, cart_abandoned, feedback_received, timer"
        ));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_as {
    ($plugin:ident, $trait:ident, $world:ident, $export:ident) => {
        const _: () = {
            const fn implemented<P: $crate::hooks::$trait>() {}
            implemented::<$plugin>();
        };
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = {
            type Exported = $crate::hooks::Exported<$plugin>;
    $crate::bindings::$world::$export!(Exported with_types_in $crate::bindings::$world);
        };
    };
}
