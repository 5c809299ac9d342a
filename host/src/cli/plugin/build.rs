//! `cartwright plugin build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::size;
use crate::cli::Ending;
use crate::cli::package::{self, Progress};
use crate::cli::terminal::{Paint, Table};
use crate::config;

/// Build a plugin from source into one .wasm file
///
/// The file holds the code and all that travels with it: name, version, schema of the settings, texts,
/// templates and README. Needs rustup.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright plugin build                       the plugin in this folder
  cartwright plugin build plugins/cross-sell    the plugin in that folder
  cartwright plugin build --all plugins         each plugin below that folder")]
pub struct Build {
    /// The folder of the plugin's Cargo.toml.
    #[arg(default_value = ".")]
    source: PathBuf,
    /// Each plugin in a subfolder of it.
    #[arg(long)]
    all: bool,
    /// Where the file goes; without, `plugins_dir` of cartwright.toml, or else here.
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(super) fn run(folder: &Path, arguments: &Build) -> Ending {
    let paint = Paint::for_output();
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => config::load_host(folder).map_or_else(|_| PathBuf::from("."), |host| host.plugins_dir),
    };
    std::fs::create_dir_all(&output)
        .with_context(|| format!("the folder {} cannot be made", output.display()))?;
    if package::ensure_target()? {
        crate::cli::print("Added the target for WebAssembly to the toolchain.")?;
    }
    let bar = Bar::new();
    let built = if arguments.all {
        package::build_all(&arguments.source, &output, &mut |progress| bar.show(&progress))
    } else {
        package::build(&arguments.source, &output, &mut |progress| bar.show(&progress))
            .map(|built| vec![built])
    };
    bar.clear();
    let mut table = Table::default();
    for plugin in built? {
        table.row([&plugin.name, &plugin.version, &size(plugin.bytes), &plugin.file.display().to_string()]);
    }
    crate::cli::print(
        &table.lines("", |column, cell| if column == 0 { paint.name(cell) } else { cell.to_owned() }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// One line of progress on a terminal, a line for each plugin in a pipe.
pub(in crate::cli) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(in crate::cli) fn new() -> Self {
        let bar = Paint::for_errors().colours().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        Self { bar }
    }

    pub(in crate::cli) fn show(&self, progress: &Progress) {
        match (&self.bar, progress) {
            (Some(bar), Progress::Compiling { plugin, line }) if plugin.is_empty() => {
                bar.set_message(line.clone());
            }
            (Some(bar), Progress::Compiling { plugin, line }) => bar.set_message(format!("{plugin}: {line}")),
            (Some(bar), Progress::Done { plugin, built, of }) => {
                bar.println(format!("  {plugin} is built ({built} of {of})"));
            }
            (None, Progress::Done { plugin, built, of }) => {
                eprintln!("  {plugin} is built ({built} of {of})");
            }
            (None, Progress::Compiling { .. }) => {}
        }
    }

    pub(in crate::cli) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
