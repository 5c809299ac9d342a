//! The event path, tested with a fake sandbox and a clock that stands still.

mod by_hand;
mod fairness;
mod growth;
mod intake;
mod journal;
mod leases;
mod limits;
mod order;
mod pressure;
mod retention;
mod simulation;
mod support;
mod timeline;
mod worker;
