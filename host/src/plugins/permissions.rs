//! Permissions: read off a component's imports, checked against the merchant's grants. Pure.

use std::fmt;

/// A permission is the name of an imported interface that is not free.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(pub String);

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
