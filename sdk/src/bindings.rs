//! What wit-bindgen makes of `wit/`: the imports, and one world for each hook, so that a plugin
//! exports only what it implements. All share the types of the first.

/// The imports and the vocabulary.
pub mod base {
    wit_bindgen::generate!({
        path: "wit",
        world: "imports",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq],
    });
}

pub mod pricing {
    wit_bindgen::generate!({
        path: "wit",
        world: "pricing-hook",
        pub_export_macro: true,
        export_macro_name: "__export_pricing",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod delivery {
    wit_bindgen::generate!({
        path: "wit",
        world: "delivery-hook",
        pub_export_macro: true,
        export_macro_name: "__export_delivery",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod content {
    wit_bindgen::generate!({
        path: "wit",
        world: "content-hook",
        pub_export_macro: true,
        export_macro_name: "__export_content",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod review {
    wit_bindgen::generate!({
        path: "wit",
        world: "review-hook",
        pub_export_macro: true,
        export_macro_name: "__export_review",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod order_placed {
    wit_bindgen::generate!({
        path: "wit",
        world: "order-placed-hook",
        pub_export_macro: true,
        export_macro_name: "__export_order_placed",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod order_shipped {
    wit_bindgen::generate!({
        path: "wit",
        world: "order-shipped-hook",
        pub_export_macro: true,
        export_macro_name: "__export_order_shipped",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod delivery_updated {
    wit_bindgen::generate!({
        path: "wit",
        world: "delivery-updated-hook",
        pub_export_macro: true,
        export_macro_name: "__export_delivery_updated",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod order_delivered {
    wit_bindgen::generate!({
        path: "wit",
        world: "order-delivered-hook",
        pub_export_macro: true,
        export_macro_name: "__export_order_delivered",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod order_cancelled {
    wit_bindgen::generate!({
        path: "wit",
        world: "order-cancelled-hook",
        pub_export_macro: true,
        export_macro_name: "__export_order_cancelled",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod order_returned {
    wit_bindgen::generate!({
        path: "wit",
        world: "order-returned-hook",
        pub_export_macro: true,
        export_macro_name: "__export_order_returned",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod customer_created {
    wit_bindgen::generate!({
        path: "wit",
        world: "customer-created-hook",
        pub_export_macro: true,
        export_macro_name: "__export_customer_created",
    });
}

pub mod cart_abandoned {
    wit_bindgen::generate!({
        path: "wit",
        world: "cart-abandoned-hook",
        pub_export_macro: true,
        export_macro_name: "__export_cart_abandoned",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod feedback_received {
    wit_bindgen::generate!({
        path: "wit",
        world: "feedback-received-hook",
        pub_export_macro: true,
        export_macro_name: "__export_feedback_received",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}

pub mod timer {
    wit_bindgen::generate!({
        path: "wit",
        world: "timer-hook",
        pub_export_macro: true,
        export_macro_name: "__export_timer",
        with: { "cartwright:plugin/types@0.1.0": crate::bindings::base::cartwright::plugin::types },
    });
}
