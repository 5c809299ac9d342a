//! Compiled plugins.

/// A plugin's compiled code. The default has none: every call is a fault.
#[derive(Debug, Clone, Default)]
pub struct Code {}
