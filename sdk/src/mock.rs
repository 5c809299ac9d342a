//! A host for tests: it runs natively, in the same thread, without wasm.
//!
//! ```
//! use cartwright_sdk::prelude::*;
//! use cartwright_sdk::mock::*;
//!
//! struct Thanks;
//!
//! impl OrderPlaced for Thanks {
//!     fn handle(order: Order) -> Outcome {
//!         Message::new("thanks").data("number", &order.number).send();
//!         state::customer().add("orders", 1);
//!         Ok(())
//!     }
//! }
//!
//! let mut host = MockHost::new().customer(customer("ada").first_name("Ada"));
//! let effects = host.order_placed::<Thanks>(order().line("mug", 2, 1500)).unwrap();
//! assert_eq!(effects.message("thanks").unwrap().category, "transactional");
//! assert_eq!(host.state(Scope::Customer, "orders").as_deref(), Some("1"));
//! ```
//!
//! What the real host refuses is a panic here, with a sentence: an import outside the hooks where it
//! works, a negative amount, an unknown time zone.

mod builders;
mod calls;
mod checks;
mod effects;
mod host;
pub(crate) mod imports;
mod world;

pub use builders::{
    CartBuilder, CustomerBuilder, OrderBuilder, ProductBuilder, ShipmentBuilder, UpdateBuilder, cart,
    customer, due_timer, feedback, order, order_return, product, shipment, update,
};
pub use effects::{Effect, Effects};
pub use host::{MockHost, at};
