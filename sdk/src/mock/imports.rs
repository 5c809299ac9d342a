//! The imports as wit-bindgen would have them, answered by the mock's world.

mod asks;
mod memory;
mod reads;

pub(crate) use asks::{
    blocks, coupons, delivery_options, discounts, labels, messages, payments, points, refusal, timers,
    webhooks,
};
pub(crate) use memory::{state, state_write};
pub(crate) use reads::{calendar, catalog, context, customers, customers_if_granted, http, offers, orders};
