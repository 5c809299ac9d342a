//! Loyalty points, in events and timers. Needs the grant `points`.

/// `total` is what this reference (e.g. an order's id) earns in sum; the host adds the difference to
/// what it earned before, so that a repeated event earns nothing twice and 0 takes it back.
pub fn set(reference: &str, total: i64) {
    crate::raw::points::set(reference, total);
}
