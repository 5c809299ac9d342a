//! `cargo chaos`: orders' lives are sent to hosts that are killed and frozen and whose database is restarted; in the end
//! every effect is compared with what the accepted events must have come to.

mod books;
mod client;
mod database;
mod faults;
mod life;
mod place;
mod report;
mod run;
mod soak;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use harness::process;

/// Chaos: hosts are killed and frozen, and their database restarted, under load, and no effect may be lost or doubled.
///
/// Prints one JSON object. Ends with 1 when something is lost, doubled or out of order.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo chaos --")]
pub struct Arguments {
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// Of a PostgreSQL database without tables, instead of a server that the run starts and crashes.
    #[arg(long)]
    url: Option<String>,
    /// On SQLite there is one. [default: 3 on PostgreSQL]
    #[arg(long)]
    hosts: Option<usize>,
    /// Events that are sent.
    #[arg(long, default_value_t = 2_000)]
    events: u64,
    #[arg(long, default_value_t = 50)]
    kills: u64,
    /// [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Instead: a constant load for so many seconds, and nothing of a host that lives through it may grow.
    #[arg(long, value_name = "SECONDS")]
    soak: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Sqlite,
    Postgres,
}

fn main() -> ExitCode {
    // The hosts are this program, too: their code is built once.
    if std::env::args().nth(1).as_deref() == Some(process::ARGUMENT) {
        return process::be();
    }
    cartwright::serve::telemetry::install_crypto();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run::run(&Arguments::parse())));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
