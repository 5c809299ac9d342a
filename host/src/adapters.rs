//! Platforms: each file verifies one platform's signature over raw bytes and translates its payload.
//! Pure: no I/O, no clock, no store. What is already known of an order is passed in.

pub mod mail;
mod unreadable;
pub mod woocommerce;
