//! Formatters are dear to make and cannot be shared between threads: each thread keeps its own.

use std::collections::HashMap;

/// Locales and currencies are few; a merchant who has more only makes them again.
const MOST: usize = 64;

/// What is kept under `key`, or made now. An answer has dozens of amounts: only what is made costs a copy of the key.
pub fn kept<'a, V>(
    all: &'a mut HashMap<String, V>,
    key: &str,
    make: impl FnOnce() -> V,
) -> Option<&'a mut V> {
    if !all.contains_key(key) {
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key.to_owned(), make());
    }
    all.get_mut(key)
}
