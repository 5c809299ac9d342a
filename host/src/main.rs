//! The `cartwright` command: a switchboard.

use std::process::ExitCode;

use cartwright::cli::{self, Command};

fn main() -> ExitCode {
    let cli = cli::arguments(std::env::args_os());
    let folder = cli.folder;
    cli::exit(match cli.command {
        Command::Serve(arguments) => cli::serve::run(&folder, arguments),
        Command::Demo(arguments) => cli::demo::run(&arguments),
        Command::Init(arguments) => cli::init::run(&folder, &arguments),
        Command::Key(command) => cli::key::run(&folder, &command),
        Command::Jobs(command) => cli::jobs::run(&folder, &command),
        Command::Config(command) => cli::config::run(&folder, &command),
        Command::Doctor => cli::doctor::run(&folder),
        Command::Plugin(command) => cli::plugin::run(&folder, command),
        Command::Template(command) => cli::template::run(&folder, &command),
        Command::Backup(arguments) => cli::backup::run(&folder, &arguments),
        Command::Restore(arguments) => cli::restore::run(&folder, &arguments),
        Command::Status(arguments) => cli::status::run(&folder, &arguments),
        Command::Openapi(arguments) => cli::openapi::run(&arguments),
        Command::Completions(arguments) => cli::completions::run(&arguments),
    })
}
