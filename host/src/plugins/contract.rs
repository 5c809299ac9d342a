//! The contract's imports, bound to the vocabulary.

wasmtime::component::bindgen!({
    path: "../sdk/wit",
    world: "imports",
    with: { "cartwright:plugin/types": crate::plugins::contract::types },
    imports: {
        "cartwright:plugin/catalog.get": async | trappable,
        "cartwright:plugin/catalog.get-many": async | trappable,
        "cartwright:plugin/catalog.related": async | trappable,
        "cartwright:plugin/catalog.field": async | trappable,
        "cartwright:plugin/state.get": async | trappable,
        "cartwright:plugin/state.get-many": async | trappable,
        "cartwright:plugin/state.list": async | trappable,
        "cartwright:plugin/http.get": async | trappable,
        default: trappable,
    },
});

/// The vocabulary, as it is handed to a guest: what all calls of a question share is not copied for each.
pub mod types {
    use std::sync::Arc;

    pub use crate::domain::*;

    pub type Customer = Arc<crate::domain::Customer>;
    pub type Order = Arc<crate::domain::Order>;
    pub type Product = Arc<crate::domain::Product>;
    pub type Shop = Arc<crate::domain::Shop>;
}

#[cfg(test)]
mod tests;
