//! `cartwright completions`.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Ending};

/// Print what a shell needs to complete commands
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright completions bash > ~/.local/share/bash-completion/completions/cartwright
  cartwright completions zsh  > \"${fpath[1]}/_cartwright\"
  cartwright completions fish > ~/.config/fish/completions/cartwright.fish")]
pub struct Arguments {
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "cartwright", &mut script);
    super::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
