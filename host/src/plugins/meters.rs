//! Counts and times calls.

/// The metrics of one live plugin.
#[derive(Debug, Default)]
pub struct CallMeters {}
