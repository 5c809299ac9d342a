//! `cartwright plugin build|inspect|check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::Ending;
use super::package::{self, Progress};
use super::terminal::{Paint, Table, wrapped};
use crate::config;
use crate::plugins::inspect::{self, Inspection};

/// Build plugins, and look at them
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Build(Build),
    Inspect(Inspect),
    Check(Check),
}

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

/// Show what a plugin is, when it is called, what it may read and do, and what can be set
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// The plugin's .wasm file.
    file: PathBuf,
    /// Also the schema of its settings.
    #[arg(long)]
    schema: bool,
    /// Also its README.
    #[arg(long)]
    readme: bool,
}

/// Say whether a host would load a plugin, and if not, why
///
/// Compiles it and starts it once. With a shop, also checks the shop's grants and settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright plugin check plugins/cross_sell.wasm
  cartwright plugin check plugins/cross_sell.wasm --shop lipa")]
pub struct Check {
    /// The plugin's .wasm file.
    file: PathBuf,
    /// A shop that enables it.
    #[arg(long)]
    shop: Option<String>,
    /// Its name in the shop's file, when that is not found by the file's name.
    #[arg(long, requires = "shop")]
    name: Option<String>,
}

pub fn run(folder: &Path, command: Command) -> Ending {
    match command {
        Command::Build(arguments) => build(folder, &arguments),
        Command::Inspect(arguments) => show(&arguments),
        Command::Check(arguments) => check(folder, &arguments),
    }
}

fn build(folder: &Path, arguments: &Build) -> Ending {
    let paint = Paint::for_output();
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => config::load_host(folder).map_or_else(|_| PathBuf::from("."), |host| host.plugins_dir),
    };
    std::fs::create_dir_all(&output)
        .with_context(|| format!("the folder {} cannot be made", output.display()))?;
    if package::ensure_target()? {
        super::print("Added the target for WebAssembly to the toolchain.")?;
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
    super::print(
        &table.lines("", |column, cell| if column == 0 { paint.name(cell) } else { cell.to_owned() }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// One line of progress on a terminal, a line for each plugin in a pipe.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(super) fn new() -> Self {
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

    pub(super) fn show(&self, progress: &Progress) {
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

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn show(arguments: &Inspect) -> Ending {
    let inspection = inspect::inspect(&read(&arguments.file)?)
        .map_err(|why| anyhow::anyhow!("{}: {why}", arguments.file.display()))?;
    let mut text = described(&inspection, Paint::for_output());
    if arguments.schema {
        match &inspection.manifest.schema {
            Some(schema) => text.push_str(&format!("\n{}\n", serde_json::to_string_pretty(schema)?)),
            None => text.push_str("\nThis plugin has no settings.\n"),
        }
    }
    if arguments.readme {
        text.push_str(&format!("\n{}\n", inspection.manifest.readme));
    }
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn described(inspection: &Inspection, paint: Paint) -> String {
    let manifest = &inspection.manifest;
    let names = |permissions: &std::collections::BTreeSet<crate::plugins::permissions::Permission>| {
        permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let hooks: Vec<&str> = inspection.hooks.iter().map(|hook| hook.name()).collect();
    let locales: Vec<&str> = manifest
        .assets
        .keys()
        .filter_map(|path| path.strip_prefix("locales/")?.strip_suffix(".ftl"))
        .collect();
    let templates: Vec<&str> =
        manifest.assets.keys().filter_map(|path| path.strip_prefix("templates/")).collect();
    let mut table = Table::default();
    let mut line = |title: &str, text: String, none: &str| {
        table.row([title, if text.is_empty() { none } else { &text }]);
    };
    line("called at", hooks.join(", "), "nothing: it exports no hook");
    line("needs", names(&inspection.permissions), "no grant");
    if asks_others(inspection) {
        line("asks", "other servers: those that `hosts` lists in the shop's file".to_owned(), "-");
    }
    line("can do without", names(&inspection.optional), "-");
    line("settings", settings(manifest.schema.as_ref()).join(", "), "none");
    line("languages", locales.join(", "), "none");
    line("templates", templates.join(", "), "none");
    line("size", size(inspection.bytes), "-");
    line("sha256", inspection.sha256.clone(), "-");
    let mut text = format!("{} {}\n", paint.title(&manifest.name), manifest.version);
    if !manifest.summary.is_empty() {
        text.push_str(&wrapped(&manifest.summary, "", 96));
    }
    text.push('\n');
    text.push_str(
        &table.lines("  ", |column, cell| if column == 0 { paint.quiet(cell) } else { cell.to_owned() }),
    );
    text
}

fn asks_others(inspection: &Inspection) -> bool {
    inspection.permissions.iter().any(|permission| permission.0 == "http")
}

/// Whom it may ask in a shop, when it asks at all.
fn asked(inspection: &Inspection, shop: &config::ShopConfig, name: &str) -> Option<String> {
    let entry = shop.plugins.iter().find(|entry| entry.name == name).filter(|_| asks_others(inspection))?;
    let hosts: Vec<String> = entry.hosts.iter().map(ToString::to_string).collect();
    Some(if hosts.is_empty() {
        "it asks other servers, and `hosts` lists none: it will reach nobody".to_owned()
    } else {
        format!("it may ask {}", hosts.join(", "))
    })
}

/// Names of the settings, in the schema's order; those that must be set with a star.
fn settings(schema: Option<&serde_json::Value>) -> Vec<String> {
    let Some(properties) = schema.and_then(|schema| schema.get("properties")?.as_object()) else {
        return Vec::new();
    };
    let required = schema.and_then(|schema| schema.get("required")?.as_array());
    properties
        .keys()
        .map(|name| match required {
            Some(required) if required.iter().any(|entry| entry == name.as_str()) => format!("{name}*"),
            _ => name.clone(),
        })
        .collect()
}

fn check(folder: &Path, arguments: &Check) -> Ending {
    let component = read(&arguments.file)?;
    let shop = match &arguments.shop {
        Some(id) => {
            let host = config::load_host(folder)?;
            Some(config::load_shop(&host.shops_dir.join(format!("{id}.toml")))?)
        }
        None => None,
    };
    let entry = match (&shop, &arguments.name) {
        (Some(shop), Some(name)) => Some((shop, name.as_str())),
        (Some(shop), None) => Some((shop, entry_of(shop, &arguments.file)?)),
        _ => None,
    };
    let paint = Paint::for_output();
    match super::runtime()?.block_on(inspect::check(&component, entry)) {
        Ok(inspection) => {
            let place = entry.map_or_else(String::new, |(shop, name)| format!(" as `{name}` of {}", shop.id));
            super::print(&format!(
                "{} a host would load {} {}{place}",
                paint.good("✓"),
                inspection.manifest.name,
                inspection.manifest.version
            ))?;
            if let Some(told) = entry.and_then(|(shop, name)| asked(&inspection, shop, name)) {
                super::print(&format!("  {told}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(reasons) => {
            for reason in reasons {
                super::print(&format!("{} {reason}", paint.bad("×")))?;
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn entry_of<'a>(shop: &'a config::ShopConfig, file: &Path) -> anyhow::Result<&'a str> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let entries: Vec<&str> = shop
        .plugins
        .iter()
        .filter(|entry| Path::new(&entry.source).file_name().and_then(|source| source.to_str()) == Some(name))
        .map(|entry| entry.name.as_str())
        .collect();
    match entries.as_slice() {
        [] => bail!("the shop `{}` has no plugin with the source `{name}`", shop.id),
        [entry] => Ok(entry),
        several => bail!(
            "the shop `{}` uses `{name}` several times; choose one with --name: {}",
            shop.id,
            several.join(", ")
        ),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("the file {} cannot be read", file.display()))
}

/// `23 KB`.
pub(super) fn size(bytes: u64) -> String {
    format!("{} KB", bytes.div_ceil(1_000))
}
