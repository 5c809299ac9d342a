//! Who the shopper is: first name, history, points, tier, consents; never a contact detail.

use crate::types::Customer;

/// The customer of this call; `None` for a guest. Needs the grant `customers`; without it the plugin
/// is refused when it is loaded.
pub fn current() -> Option<Customer> {
    crate::raw::customers::current()
}

/// The same for a plugin that can do without: knows nobody when `customers` is not granted.
pub fn current_if_granted() -> Option<Customer> {
    crate::raw::customers_if_granted::current()
}
