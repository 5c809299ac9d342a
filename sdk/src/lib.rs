//! Write a Cartwright plugin.
#![deny(missing_docs)]

extern crate self as cartwright_sdk;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "an allocator is unsafe by its nature")]
mod allocator;
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, clippy::indexing_slicing)]
pub mod bindings;
mod cart;
mod export;

pub mod blocks;
pub mod calendar;
pub mod catalog;
pub mod context;
pub mod coupons;
pub mod customers;
pub mod delivery_options;
pub mod discounts;
pub mod hooks;
pub mod http;
pub mod json;
pub mod labels;
pub mod messages;
#[cfg(not(target_family = "wasm"))]
pub mod mock;
pub mod offers;
pub mod orders;
pub mod payments;
pub mod points;
pub mod refusal;
pub mod settings;
pub mod state;
mod text;
pub mod timers;
pub mod types;
pub mod webhooks;

pub use cart::Priced;
pub use context::log;
pub use text::{literal, text, value};

/// The host's functions as the contract has them; in a native test, the mock's.
#[cfg(target_family = "wasm")]
pub(crate) use bindings::base::cartwright::plugin as raw;
#[cfg(not(target_family = "wasm"))]
pub(crate) use mock::imports as raw;

/// All that a plugin writes with: `use cartwright_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::calendar::{days, hours, minutes};
    pub use crate::hooks::{
        CartAbandoned, Content, CustomerCreated, Delivery, DeliveryUpdated, FeedbackReceived, OrderCancelled,
        OrderDelivered, OrderPlaced, OrderReturned, OrderShipped, Outcome, Pricing, Review, Timer,
    };
    pub use crate::settings::{Money, Percent, settings};
    pub use crate::types::*;
    pub use crate::{
        calendar, catalog, context, customers, delivery_options, export, json, labels, literal, log,
        messages, offers, orders, payments, points, refusal, state, text, timers, value, webhooks,
    };
    pub use cartwright_sdk_derive::Settings;
}
