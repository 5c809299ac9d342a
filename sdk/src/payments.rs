//! Hiding, renaming and ordering payment methods, in `review`. Needs the grant `payments`.

use crate::raw::payments as raw;
use crate::types::Text;

/// Takes a method away; the merchant reads the reason.
pub fn hide(id: &str, reason: &str) {
    raw::hide(id, reason);
}

/// Shows a method under another name.
pub fn rename(id: &str, name: Text) {
    raw::rename(id, &name);
}

/// Puts a method at this position, 0 = first.
pub fn move_to(id: &str, position: u32) {
    raw::move_(id, position);
}
