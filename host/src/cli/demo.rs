//! `cartwright demo`.

use std::net::SocketAddr;

use super::Ending;

/// See a whole order's life: from the product page to the day after delivery
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// End after the journey: 0 when each step did what it should, else 1 and the step that failed.
    #[arg(long)]
    once: bool,
    /// Where to listen; without, on a free port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let _ = arguments;
    todo!()
}
