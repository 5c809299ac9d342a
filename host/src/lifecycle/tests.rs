//! The event path, tested with a fake sandbox and a clock that stands still.

mod intake;
mod order;
mod support;
mod worker;
