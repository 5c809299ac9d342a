//! The shop's products. Needs the grant `catalog`.

use crate::raw::catalog as raw;
use crate::types::Product;

/// A product by its id.
pub fn get(id: &str) -> Option<Product> {
    raw::get(id)
}

/// Several at once, in the order asked; unknown ones are left out.
pub fn get_many<S: AsRef<str>>(ids: impl IntoIterator<Item = S>) -> Vec<Product> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    raw::get_many(&ids).into_iter().flatten().collect()
}

/// Ids that the merchant names as belonging together with this product.
pub fn related(id: &str, limit: u32) -> Vec<String> {
    raw::related(id, limit)
}

/// A field of the shop's own, e.g. `fabric`.
pub fn field(product: &str, key: &str) -> Option<String> {
    raw::field(product, key)
}
