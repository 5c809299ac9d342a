//! The contract's imports, bound to the vocabulary.

wasmtime::component::bindgen!({
    path: "../sdk/wit",
    world: "imports",
    with: { "cartwright:plugin/types": crate::domain },
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

#[cfg(test)]
mod tests;
