//! The vocabulary: one hand-written struct is the WIT record, the HTTP JSON, the OpenAPI schema
//! and the stored payload. `sdk/wit/types.wit` is its model; a test holds the two together.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod anything;
mod call;
mod cart;
mod clock;
mod code;
mod content;
mod customer;
mod effect;
mod event;
mod fetch;
mod hook;
mod host;
pub mod instant;
mod message;
pub mod money;
#[cfg(test)]
pub(crate) mod mutations;
pub mod objects;
mod offer;
mod order;
mod place;
pub mod plain;
mod product;
mod quote;
mod record;
pub mod scrub;
mod shop;
pub mod signature;
mod state;
mod suppression;
mod text;
pub mod topic;

pub use call::{Civil, DueTimer, HttpRequest, HttpResponse, Level, Scope};
pub use cart::{Buyer, Cart, DeliveryGroup, EnteredCode, Line, PaymentMethod};
pub use clock::Clock;
pub use code::CodeReason;
pub use content::{Block, Notice, Recommendation};
pub use customer::{Consent, Customer, PastOrder};
pub use effect::Effect;
pub use event::{
    CartAbandoned, CustomerCreated, DeliveryUpdated, Event, FeedbackReceived, OrderCancelled, OrderPlaced,
    OrderReturned, OrderShipped,
};
pub use fetch::{Errand, Fetch, GrantedHost, Journal, Unanswered};
pub use hook::{DecisionHook, Hook};
pub use host::{HostPattern, NotAHost};
pub use message::{Coupon, CouponValue, Message};
pub use offer::{DeliveryOption, Discount, DiscountTarget, DiscountValue, PickupPoint, Totals};
pub use order::{
    Adjustment, Arrival, DeliveryChoice, DeliveryUpdate, Feedback, Order, OrderReturn, Shipment, ShippedLine,
};
pub use place::{Attribute, Place};
pub use product::Product;
pub use quote::Quote;
pub use record::{CatalogEntry, Contact, CustomerInput, CustomerRecord, OrderRecord};
pub use shop::{Shop, ShopContact};
pub use state::{ReadError, Reads, StateOwner, StateRead, Versioned};
pub use suppression::{Cause, FeedbackKind};
pub use text::{Text, Value};

// What `bindgen!` expects of a module it is given for an interface without functions.
#[doc(hidden)]
pub trait Host {}
impl<T: ?Sized> Host for T {}
#[doc(hidden)]
pub trait HostWithStore<T>: wasmtime::component::HasData {}
impl<T, U: ?Sized + wasmtime::component::HasData> HostWithStore<T> for U {}
#[doc(hidden)]
pub fn add_to_linker<T: 'static, D: HostWithStore<T>>(
    _: &mut wasmtime::component::Linker<T>,
    _: fn(&mut T) -> D::Data<'_>,
) -> wasmtime::Result<()> {
    Ok(())
}
