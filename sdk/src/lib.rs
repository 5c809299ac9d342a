//! Write a plugin for Cartwright, the plugin host for storefronts.
//!
//! A plugin is one WebAssembly file. The host calls it at the *hooks* that it exports: before a sale
//! to ask for decisions (discounts, delivery options, recommendations), after it to report events (an
//! order was placed, shipped, delivered). It reads and acts through *imports*, and reaches nothing
//! else: no files, no clock, no network. What a handler asks for is kept when it returns `Ok`, and
//! forgotten when it returns `Err`.
//!
//! # An empty plugin
//!
//! ```
//! use cartwright_sdk::prelude::*;
//! struct Empty;
//! impl OrderPlaced for Empty {
//!     fn handle(_: Order) -> Outcome {
//!         Ok(())
//!     }
//! }
//! export!(Empty: order_placed);
//! ```
//!
//! # Your first plugin
//!
//! It offers gift wrapping as a note in the cart, and thanks whoever ordered a lot.
//!
//! **1. A crate.** `cargo new --lib gift`, and in its `Cargo.toml`:
//!
//! ```toml
//! [package]
//! name = "gift"
//! version = "0.1.0"
//! edition = "2024"
//! description = "Gift wrapping from a value on, and thanks."   # the merchant reads it
//!
//! [lib]
//! crate-type = ["cdylib", "rlib"]   # the first is the plugin, the second is for tests
//!
//! [dependencies]
//! cartwright-sdk = { path = "../cartwright/sdk" }
//! ```
//!
//! **2. The code.** Name the hooks you implement; the compiler tells you what each is called with.
//!
//! ```
//! use cartwright_sdk::prelude::*;
//!
//! struct Gift;
//! export!(Gift: content, order_placed; settings: GiftSettings);
//!
//! /// What the merchant may set. The host checks it before you see it.
//! #[derive(Settings)]
//! struct GiftSettings {
//!     /// Wrapped as a gift from this value on, for each currency.
//!     #[setting(default_json = r#"{"EUR": 50, "PLN": 200}"#)]
//!     from: Money,
//! }
//!
//! impl Content for Gift {
//!     fn fill(page: String, cart: Option<Cart>, _product: Option<String>) -> Outcome {
//!         let (Some(cart), "cart") = (cart, page.as_str()) else { return Ok(()) };
//!         let settings = settings::<GiftSettings>()?;
//!         let Some(from) = settings.from.of(&cart) else { return Ok(()) };
//!         if cart.subtotal() >= from {
//!             Notice::new("wrapped", text("wrapped").or("We wrap it as a gift.")).success().show();
//!         } else {
//!             let missing = value::money(from - cart.subtotal());
//!             let text = text("missing").arg("amount", missing).or("Almost a gift.");
//!             Notice::new("missing", text).show();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl OrderPlaced for Gift {
//!     fn handle(order: Order) -> Outcome {
//!         if order.pieces() >= 10 {
//!             let coupon = Coupon::percent(5, "thanks").expires_at(context::now() + days(30)).issue();
//!             Message::new("thanks").data("number", &order.number).data("code", coupon).send();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! // In `#[cfg(test)] mod tests`: natively, against a mock of the host.
//! use cartwright_sdk::mock::*;
//!
//! let mut host = MockHost::new().settings(r#"{"from": {"EUR": 20}}"#);
//! let effects = host.fill::<Gift>("cart", cart().line("mug", 1, 1500)).unwrap();
//! assert_eq!(effects.notice("missing").unwrap().text.value("amount"), Some(&value::money(500)));
//!
//! let effects = host.order_placed::<Gift>(order().line("mug", 12, 1500)).unwrap();
//! assert_eq!(effects.coupons().len(), 1);
//! assert!(effects.message("thanks").is_some());
//! ```
//!
//! **3. Its words.** `locales/en.ftl` (and `pl.ftl`, …) holds the texts by their keys, in
//! [Fluent](https://projectfluent.org); the host knows plurals, money and dates of each language:
//!
//! ```text
//! wrapped = We wrap it as a gift.
//! missing = { $amount } more, and we wrap it as a gift.
//! thanks-subject = Thank you for order { $number }
//! thanks-code = With { $code } you get 5 % off the next one.
//! ```
//!
//! `templates/thanks.html` is the mail, on the base that all messages of the shop share
//! ([MiniJinja](https://docs.rs/minijinja); `t` gives a text, `data` is what the message was sent with):
//!
//! ```text
//! {% extends "base.html" %}
//! {% block subject %}{{ t("thanks-subject", number=data.number) }}{% endblock %}
//! {% block body %}<p>{{ t("thanks-code", code=data.code) }}</p>{% endblock %}
//! ```
//!
//! `README.md` tells the merchant what it does. All of them travel in the plugin's file.
//!
//! **4. Build it:** `cartwright plugin build gift`. `cartwright plugin inspect gift.wasm` shows what it
//! asks for: here the hooks `content` and `order-placed`, and the grants `coupons` and `messages`.
//! Nothing is declared twice: the grants are the imports that you used.
//!
//! **5. Enable it** in the shop's file, `shops/<shop>.toml`:
//!
//! ```toml
//! [[plugins]]
//! name = "gift"
//! source = "gift.wasm"
//! grants = ["coupons", "messages"]
//! settings = { from = { EUR = 40 } }
//! ```
//!
//! # Where things are
//!
//! | | |
//! |---|---|
//! | [`hooks`] | when you are called, one trait for each hook |
//! | [`types`] | carts, orders, customers; what you propose |
//! | [`settings`] | what the merchant may set: `#[derive(Settings)]` |
//! | [`context`], [`calendar`], [`offers`], [`customers`], [`orders`], [`catalog`], [`http`] | reading |
//! | [`state`] | the plugin's own memory |
//! | [`discounts`], [`delivery_options`], [`payments`], [`blocks`], [`refusal`] | proposing, in decisions |
//! | [`messages`], [`coupons`], [`points`], [`timers`], [`labels`], [`webhooks`] | acting, in events and timers |
//! | [`text()`], [`literal`], [`value`] | words for shoppers, in their language |
//! | [`mock`] | a host for your tests |
//!
//! # Good to know
//!
//! - A panic ends the call and the merchant sees a fault; return `Err` with a sentence instead.
//! - Every call is a fresh instance: a `static` forgets. Keep things in [`state`].
//! - Decisions change nothing: messages, coupons, points, timers and writing to the state work in
//!   events and timers. [`mock::MockHost`] panics where the host would stop the call.
//! - An event may be run again after a conflict, with the same [`context::now`] and
//!   [`context::seed`]; only the run that succeeds counts. Where a plugin's events often conflict,
//!   they run one at a time: count with [`state::Keys::add`], which never conflicts.
//! - The guest has 64 KiB of stack, and memory that is never freed, for a call is short.
#![deny(missing_docs)]

extern crate self as cartwright_sdk;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "an allocator is unsafe by its nature")]
mod allocator;
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    reason = "generated; which of these it breaks differs from world to world"
)]
pub mod bindings;
mod cart;
#[cfg(any(target_family = "wasm", test))]
#[expect(unsafe_code, reason = "it reads what its callers point to")]
mod compare;
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
        calendar, catalog, context, customers, delivery_options, export, http, json, labels, literal, log,
        messages, offers, orders, payments, points, refusal, state, text, timers, value, webhooks,
    };
    pub use cartwright_sdk_derive::Settings;
}
