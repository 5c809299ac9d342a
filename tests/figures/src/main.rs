//! `cargo figures`: what Cartwright costs, measured beside what one would use instead.
//!
//! Each side of a comparison is a process of its own (this program, started again), and the sides take turns in one run,
//! so that what moves the machine moves all of them. See FIGURES.md for what each name means.

mod baseline;
mod figure;
mod findings;
mod ground;
mod host;
mod load;
mod measures;
mod peers;
mod report;
mod requests;
mod sides;
mod targets;

use std::process::ExitCode;

use clap::Parser;
use harness::{process, project};

use measures::Run;

/// Measures everything that is to be reached, and prints a table.
///
/// Takes some minutes. Writes target/figures.json and target/figures.html.
#[derive(Debug, Parser)]
#[command(name = "cargo figures --")]
struct Arguments {
    /// Shorter turns: five minutes, and more noise.
    #[arg(long)]
    quick: bool,
    /// Rounds of each comparison, at least 5.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(5..))]
    rounds: u8,
    /// Only what gives these figures; without, all.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Ends with 1 when a ratio is worse by more than a third than in tests/figures/baseline.json.
    #[arg(long)]
    check: bool,
    /// Makes the ratios of this run the baseline.
    #[arg(long, conflicts_with = "only")]
    baseline: bool,
}

fn main() -> ExitCode {
    // The sides are this program, too.
    match std::env::args().nth(1).as_deref() {
        Some(process::ARGUMENT) => return host::be(),
        Some(peers::service::ARGUMENT) => return peers::service::be(),
        Some(peers::merger::ARGUMENT) => return peers::merger::be(),
        _ => {}
    }
    match measure(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // Here is said where cargo builds.
    std::env::set_current_dir(project().join("tests/figures"))?;
    cartwright::serve::telemetry::install_crypto();
    let run =
        Run { rounds: usize::from(arguments.rounds), quick: arguments.quick, only: arguments.only.clone() };
    ground::plugin_files()?;
    let found =
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measures::all(&run));
    report::print(&found);
    report::write(&found)?;
    if arguments.baseline {
        baseline::write(&found)?;
    }
    if arguments.check {
        let fallen = baseline::check(&found, run.only.is_empty())?;
        for ratio in &fallen {
            eprintln!("Worse than in the baseline: {ratio}.");
        }
        return Ok(if fallen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    Ok(ExitCode::SUCCESS)
}
