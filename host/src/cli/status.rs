//! `cartwright status`: the hosts on a database, and how far their work is. Reads the database itself, so it answers
//! also when no host does.

mod shown;

use std::path::Path;
use std::process::ExitCode;

use super::Ending;
use super::terminal::Paint;
use crate::config;
use crate::domain::Clock;
use crate::store;

/// See the hosts on this database, what they have in hand, and how far behind they are
///
/// Reads the database that cartwright.toml names, beside hosts that run or without any. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright status
  cartwright status --json | jq .jobs.lag_ms

A host is `gone` when it has said nothing for 15 seconds: it crashed, is frozen, or cannot reach its
database. What it had in hand goes on elsewhere when its leases end.")]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(folder: &Path, arguments: &Arguments) -> Ending {
    let host = config::load_host(folder)?;
    let now_ms = Clock::default().now_ms();
    let survey = super::runtime()?.block_on(store::survey(&host.database(), &host.data_dir, now_ms))?;
    if arguments.json {
        super::print(&serde_json::to_string_pretty(&survey)?)?;
    } else {
        super::print(&shown::survey(&survey, Paint::for_output()))?;
    }
    Ok(ExitCode::SUCCESS)
}
