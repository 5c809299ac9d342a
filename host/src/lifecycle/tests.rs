//! The event path, tested with a fake sandbox.
