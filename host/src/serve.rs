//! The one place that constructs services.
