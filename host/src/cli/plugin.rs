//! `cartwright plugin build|inspect|check|diff`.

mod build;
mod check;
mod diff;
mod inspect;

use std::path::Path;

use anyhow::{Context as _, bail};

use super::Ending;
use crate::domain::plain::{harmless, is_hidden, is_unseen};
use crate::plugins::inspect::Inspection;
use crate::plugins::permissions::Permission;

pub(super) use build::Bar;

/// Build plugins, and look at them
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Build(build::Build),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Diff(diff::Diff),
}

pub fn run(folder: &Path, command: Command) -> Ending {
    match command {
        Command::Build(arguments) => build::run(folder, &arguments),
        Command::Inspect(arguments) => inspect::run(folder, &arguments),
        Command::Check(arguments) => check::run(folder, &arguments),
        Command::Diff(arguments) => diff::run(&arguments),
    }
}

/// More is no plugin.
const LARGEST: u64 = 64 << 20;

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let reading = || format!("the file {} cannot be read", file.display());
    let about = std::fs::metadata(file).with_context(reading)?;
    // A device or a pipe has no length, and may have no end.
    if !about.is_file() {
        bail!("{} is no file", file.display());
    }
    let bytes = about.len();
    if bytes > LARGEST {
        bail!("the file {} has {bytes} bytes; a plugin has {LARGEST} at most", file.display());
    }
    std::fs::read(file).with_context(reading)
}

/// What a file says of itself.
fn inspected(file: &Path) -> anyhow::Result<Inspection> {
    crate::plugins::inspect::inspect(&read(file)?).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

/// `guest 1.2.0`; a file that says nothing of itself is called by its name.
fn title(inspection: &Inspection, file: &Path) -> String {
    let manifest = &inspection.manifest;
    if manifest.name.is_empty() {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return format!("{} (it says nothing of itself)", harmless(&name, 80));
    }
    format!("{} {}", manifest.name, manifest.version)
}

fn listed<'a>(permissions: impl IntoIterator<Item = &'a Permission>) -> String {
    permissions.into_iter().map(|permission| permission.0.as_str()).collect::<Vec<_>>().join(", ")
}

/// `23 KB`.
pub(super) fn size(bytes: u64) -> String {
    format!("{} KB", bytes.div_ceil(1_000))
}

/// JSON whose texts say nothing to a terminal: what cannot be seen is written as `\u…`, which reads the same.
fn visible_json(value: &serde_json::Value) -> anyhow::Result<String> {
    let mut text = String::new();
    for c in serde_json::to_string_pretty(value)?.chars() {
        if c != '\n' && (is_hidden(c) || is_unseen(c)) {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_a_terminal_reads_the_same() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}[2J\u{202e}\u{e0001}ż\n" });
        let text = visible_json(&value).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c) && !is_unseen(c)), "{text}");
        assert!(text.contains("\\udb40\\udc01ż"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
