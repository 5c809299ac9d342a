//! `cartwright config check`.

use std::path::Path;
use std::process::ExitCode;

use super::Ending;
use super::terminal::{Paint, Table, counted};
use crate::config::{self, Mode};
use crate::plugins::registry::Registry;

/// Look at the configuration
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Check(Check),
}

/// Look for mistakes before a host does
///
/// Reads cartwright.toml, every shop, every plugin with its grants and settings, texts and templates,
/// as a host would. Shows each mistake with file, line and what to do. Ends with 1 when there are any.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Leave plugins, texts and templates out: only the two kinds of TOML files.
    #[arg(long)]
    files_only: bool,
}

pub fn run(folder: &Path, command: &Command) -> Ending {
    let Command::Check(arguments) = command;
    let paint = Paint::for_output();
    let host = config::load_host(folder)?;
    let (shops, errors) = config::load_shops(&host.shops_dir);
    for error in &errors {
        super::print(&if paint.colours() { error.coloured_report() } else { error.report() })?;
    }
    let mut mistakes = errors.iter().map(config::ConfigError::count).sum::<usize>();
    if !arguments.files_only {
        let snapshot = super::runtime()?.block_on(Registry::open(folder))?.current();
        for problem in snapshot.problems.iter().filter(|problem| problem.kind != "shop") {
            // The report has the line and the caret.
            let told = problem.report.as_ref().unwrap_or(&problem.message);
            super::print(&format!("{} {told}", paint.bad("×")))?;
            mistakes = mistakes.saturating_add(1);
        }
    }
    if mistakes > 0 {
        super::print(&format!("\n{}", paint.bad(&counted(mistakes, "mistake"))))?;
        return Ok(ExitCode::FAILURE);
    }
    let mut table = Table::default();
    for shop in &shops {
        let enabled = shop.plugins.iter().filter(|plugin| plugin.enabled).count();
        table.row([
            &shop.id,
            match shop.mode {
                Mode::Test => "test",
                Mode::Live => "live",
            },
            &format!("{} {}", shop.currency, shop.locales.join(", ")),
            &match shop.plugins.len() {
                0 => format!("no plugins, {}", counted(shop.keys.len(), "key")),
                all => format!("{enabled} of {all} plugins enabled, {}", counted(shop.keys.len(), "key")),
            },
        ]);
    }
    super::print(&format!(
        "{} {} is right\n{}",
        paint.good("✓"),
        config::shown(&folder.join(config::HOST_FILE)),
        table.lines("  ", |column, cell| if column == 0 { paint.name(cell) } else { cell.to_owned() })
    ))?;
    Ok(ExitCode::SUCCESS)
}
