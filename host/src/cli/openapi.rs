//! `cartwright openapi`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::Ending;

/// Print the description of the HTTP interface (OpenAPI)
///
/// The same document as a running host's /openapi.json; clients are generated from it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write it to a file instead.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let document = crate::http::openapi().to_pretty_json()?;
    match &arguments.output {
        Some(file) => std::fs::write(file, format!("{document}\n"))
            .with_context(|| format!("{} cannot be written", file.display()))?,
        None => super::print(&document)?,
    }
    Ok(ExitCode::SUCCESS)
}
