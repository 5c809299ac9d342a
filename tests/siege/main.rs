//! `cargo siege`: while each plugin of the hostile collection runs in one shop under load, another shop's
//! checkout is measured beside it, and alone, in turns.
//!
//! Two hosts, each a process of its own, made alike: one is alone with the calm shop, in the other the hostile
//! shop is under load. While one is measured the other is stopped (SIGSTOP), so that work the load left behind
//! does not disturb the measure without it.

mod load;
mod report;
mod round;
mod shops;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use harness::hostile::{Case, collection};
use harness::process;

/// Siege: hostile plugins in one shop under load, another shop's checkout beside them.
///
/// Takes about twelve seconds for each plugin. Ends with 1 when one of them is not contained.
#[derive(Debug, Parser)]
#[command(name = "cargo siege --")]
struct Arguments {
    /// Only these plugins (folders of tests/fixtures/hostile); without, all.
    names: Vec<String>,
    /// Rounds, each with and without the load.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Checkouts of a round that are measured with the load, and as many without.
    #[arg(long, default_value_t = 1_000)]
    requests: u32,
    /// What the calm shop's load is of what its host could do, %.
    #[arg(long, default_value_t = 30)]
    capacity_percent: u32,
}

fn main() -> ExitCode {
    // The hosts under siege are this program, too: their code is built once.
    if std::env::args().nth(1).as_deref() == Some(process::ARGUMENT) {
        return process::be();
    }
    match besiege(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all of them are contained.
fn besiege(arguments: &Arguments) -> anyhow::Result<bool> {
    cartwright::serve::telemetry::install_crypto();
    let cases = chosen(&arguments.names)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let alone = round::Ground::prepare().await?;
        let capacity = round::capacity(&alone).await?;
        let rate = capacity * f64::from(arguments.capacity_percent) / 100.0;
        report::begin(capacity, rate, arguments.rounds, arguments.requests);
        let mut results = Vec::new();
        for case in cases {
            let result = round::siege(case, &alone, rate, arguments.rounds, arguments.requests)
                .await
                .with_context(|| format!("under siege by {}", case.name))?;
            report::line(&result);
            results.push(result);
            // Also of a run that is broken off something is left to read.
            report::write(&results)?;
        }
        report::end(&results);
        Ok(results.iter().all(|result| result.contained()))
    })
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Case>> {
    let all = collection();
    if names.is_empty() {
        return Ok(all.iter().collect());
    }
    names
        .iter()
        .map(|name| all.iter().find(|case| case.name == *name))
        .map(|case| case.context("no such plugin in tests/fixtures/hostile"))
        .collect()
}
