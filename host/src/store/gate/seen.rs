//! What goes through the gate, written down for who looks at the statements themselves (`tests/plans.rs`).

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static SEEN: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// From here on what the calling thread's tasks send is written down.
pub(crate) fn record() {
    SEEN.set(Some(BTreeSet::new()));
}

/// All that was, once.
pub(crate) fn recorded() -> BTreeSet<String> {
    SEEN.take().unwrap_or_default()
}

pub(super) fn note(text: &str) {
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen
            && !seen.contains(text)
        {
            seen.insert(text.to_owned());
        }
    });
}

/// A statement that goes around the gate, by a connection that is held for several.
pub(in crate::store) fn around<T: AsRef<str>>(text: T) -> T {
    note(text.as_ref());
    text
}
