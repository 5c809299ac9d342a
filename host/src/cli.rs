//! The commands. Each file is one of them; errors come here and are printed as sentences.

pub mod backup;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod init;
pub mod jobs;
pub mod key;
pub mod openapi;
pub mod package;
pub mod plugin;
pub mod restore;
pub mod serve;
pub mod status;
pub mod template;
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::domain::plain::harmless;
use terminal::Paint;

/// A plugin host for storefronts: your shop asks, sandboxed plugins answer.
///
/// A shop calls hooks over HTTP: before the sale for delivery options, discounts and recommendations,
/// after it to report orders and deliveries. Plugins that you enable in a file answer, and the host
/// keeps what is promised to shoppers.
#[derive(Debug, Parser)]
#[command(name = "cartwright", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// The folder of cartwright.toml.
    #[arg(
        short = 'C',
        long,
        global = true,
        env = "CARTWRIGHT_FOLDER",
        default_value = ".",
        value_name = "FOLDER"
    )]
    pub folder: PathBuf,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
First steps:
  cartwright demo                        see the whole life of an order
  cartwright init                        write cartwright.toml and a first shop, with its keys
  cartwright plugin build my-plugin      build a plugin into plugins/
  cartwright config check                look for mistakes before a host does
  cartwright serve                       answer the shop

`cartwright help <command>` tells more about each.";

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(serve::Arguments),
    Demo(demo::Arguments),
    Init(init::Arguments),
    #[command(subcommand)]
    Key(key::Command),
    #[command(subcommand)]
    Jobs(jobs::Command),
    #[command(subcommand)]
    Config(config::Command),
    /// Look for what is wrong with this installation, and say what to do
    ///
    /// Looks at the files, folders, port, database, clock, secrets, plugins, and the tools that builders
    /// of plugins need. Changes nothing, but keeps what it compiles of plugins. Ends with 1 when something
    /// must be repaired.
    Doctor,
    #[command(subcommand)]
    Plugin(plugin::Command),
    #[command(subcommand)]
    Template(template::Command),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Status(status::Arguments),
    Openapi(openapi::Arguments),
    Completions(completions::Arguments),
}

/// What was typed. `cargo demo -- --once` hands over a `--` of its own, which is taken out.
#[must_use]
pub fn arguments(typed: impl IntoIterator<Item = OsString>) -> Cli {
    Cli::parse_from(without_second_dashes(typed))
}

fn without_second_dashes(typed: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut typed: Vec<OsString> = typed.into_iter().collect();
    if typed.get(1).is_some_and(|command| command == "demo")
        && typed.get(2).is_some_and(|dashes| dashes == "--")
    {
        typed.remove(2);
    }
    typed
}

/// How a command ended.
pub type Ending = anyhow::Result<ExitCode>;

/// Prints an error as sentences; a mistake in a file with its lines.
#[must_use]
pub fn exit(ending: Ending) -> ExitCode {
    match ending {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            // Whoever closed standard error does not want to know.
            let _ = write!(std::io::stderr().lock(), "{}", sentences(&error, Paint::for_errors()));
            ExitCode::FAILURE
        }
    }
}

/// Characters of a line of an error.
const LONGEST_LINE: usize = 4_000;

fn sentences(error: &anyhow::Error, paint: Paint) -> String {
    if let Some(mistake) = error.downcast_ref::<ConfigError>() {
        let report = if paint.colours() { mistake.coloured_report() } else { mistake.report() };
        let context = error.to_string();
        return if context == mistake.to_string() {
            report
        } else {
            format!("{} {context}\n{report}", paint.bad("error:"))
        };
    }
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    // A file's name may hold anything.
    let lines: Vec<String> = chain.join(": ").lines().map(|line| harmless(line, LONGEST_LINE)).collect();
    format!("{} {}\n", paint.bad("error:"), lines.join("\n"))
}

/// Prints a text; a reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// For commands that wait for something.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_second_dashes_of_cargo_are_taken_out() {
        let typed = |words: &str| without_second_dashes(words.split(' ').map(OsString::from));
        assert_eq!(typed("cartwright demo -- --once"), typed("cartwright demo --once"));
        assert_eq!(typed("cartwright serve -- x").len(), 4);
    }

    #[test]
    fn an_error_is_one_line_without_a_backtrace() {
        let error = anyhow::anyhow!("port 8080 is in use").context("the host could not start");
        assert_eq!(
            sentences(&error, Paint::plain()),
            "error: the host could not start: port 8080 is in use\n"
        );
    }

    #[test]
    fn every_command_explains_itself() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{} {}", command.get_name(), sub.get_name());
            }
        }
    }
}
