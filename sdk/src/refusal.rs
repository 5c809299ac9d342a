//! Refusing a checkout, in `review`: the shopper may not go on. Needs the grant `refusal`.

use crate::types::Text;

/// `code` is for programs, `target` is a line id, `cart`, `delivery` or `payment`, `text` tells the
/// shopper what to do.
pub fn reject(code: &str, target: &str, text: Text) {
    crate::raw::refusal::reject(code, target, &text);
}
