//! A payload that cannot be understood.

/// Never repeats a value: it may be a contact detail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct Unreadable {
    pub field: String,
    pub what: String,
}

impl Unreadable {
    pub(super) fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }
}
