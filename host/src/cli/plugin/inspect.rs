//! `cartwright plugin inspect`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{inspected, listed, size, title, visible_json};
use crate::cli::Ending;
use crate::cli::terminal::{Paint, Table, wrapped};
use crate::domain::plain::harmless;
use crate::plugins::inspect::Inspection;
use crate::plugins::schema::{self, Setting};
use crate::plugins::trust;

/// Show what a plugin is, when it is called, what it may read and do, and what can be set
///
/// Reads it off the file; nothing of it is run. What its author wrote is shown harmless: signs that would
/// move, hide or turn something on your screen are written out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright plugin inspect plugins/cross_sell.wasm
  cartwright plugin inspect plugins/cross_sell.wasm --json | jq .permissions")]
pub struct Inspect {
    /// The plugin's .wasm file.
    file: PathBuf,
    /// As JSON.
    #[arg(long, conflicts_with_all = ["schema", "readme"])]
    json: bool,
    /// Also the schema of its settings.
    #[arg(long)]
    schema: bool,
    /// Also its README.
    #[arg(long)]
    readme: bool,
}

/// Names of languages and templates that are listed.
const NAMES: usize = 40;
/// Characters of a default and of a description in the table.
const CELL: usize = 60;

pub(super) fn run(_: &Path, arguments: &Inspect) -> Ending {
    let inspection = inspected(&arguments.file)?;
    let signature = trust::beside(&arguments.file);
    if arguments.json {
        crate::cli::print(&visible_json(&as_json(&inspection, &signature))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = described(&inspection, &arguments.file, &signature, Paint::for_output());
    if arguments.schema {
        match &inspection.manifest.schema {
            Some(schema) => text.push_str(&format!("\n{}\n", visible_json(schema)?)),
            None => text.push_str("\nThis plugin has no settings.\n"),
        }
    }
    if arguments.readme {
        text.push('\n');
        for line in inspection.manifest.readme.lines() {
            text.push_str(&harmless(line, 2_000));
            text.push('\n');
        }
    }
    crate::cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The signature that lies beside a file, or why it cannot be read.
type Beside = Result<Option<String>, String>;

/// Nothing is verified: the key is the one that the signature names.
fn signature_told(signature: &Beside) -> String {
    match signature {
        Ok(None) => "none beside the file".to_owned(),
        Ok(Some(text)) => match trust::signed_with(text) {
            Some(id) => format!("names the key {id} (`plugin check` verifies it)"),
            None => "beside the file is none of minisign".to_owned(),
        },
        Err(why) => format!("beside the file {why}"),
    }
}

fn as_json(inspection: &Inspection, signature: &Beside) -> Value {
    let manifest = &inspection.manifest;
    let names = |permissions: &std::collections::BTreeSet<crate::plugins::permissions::Permission>| {
        permissions.iter().map(|permission| permission.0.clone()).collect::<Vec<_>>()
    };
    json!({
        "name": manifest.name,
        "version": manifest.version,
        "summary": manifest.summary,
        "hooks": inspection.hooks.iter().map(|hook| hook.name()).collect::<Vec<_>>(),
        "permissions": names(&inspection.permissions),
        "optional_permissions": names(&inspection.optional),
        "settings": schema::settings(manifest.schema.as_ref()),
        "languages": manifest.languages(),
        "templates": manifest.templates(),
        "bytes": inspection.bytes,
        "sha256": inspection.sha256,
        "signature_names_key": signature.as_ref().ok().and_then(|text| trust::signed_with(text.as_deref()?)),
    })
}

fn described(inspection: &Inspection, file: &Path, signature: &Beside, paint: Paint) -> String {
    let manifest = &inspection.manifest;
    let hooks: Vec<&str> = inspection.hooks.iter().map(|hook| hook.name()).collect();
    let settings = schema::settings(manifest.schema.as_ref());
    let mut table = Table::default();
    let mut line = |title: &str, text: String, none: &str| {
        table.row([title, if text.is_empty() { none } else { &text }]);
    };
    line("called at", hooks.join(", "), "nothing: it exports no hook");
    line("needs", listed(&inspection.permissions), "no grant");
    if inspection.permissions.iter().any(|permission| permission.0 == "http") {
        line("asks", "other servers: those that `hosts` lists in the shop's file".to_owned(), "-");
    }
    line("can do without", listed(&inspection.optional), "-");
    if settings.is_empty() {
        line("settings", String::new(), "none");
    }
    line("languages", some_of(&manifest.languages()), "none");
    line("templates", some_of(&manifest.templates()), "none");
    line("size", size(inspection.bytes), "-");
    line("sha256", inspection.sha256.clone(), "-");
    line("signature", signature_told(signature), "-");
    let mut text = format!("{}\n", paint.title(&title(inspection, file)));
    if !manifest.summary.is_empty() {
        text.push_str(&wrapped(&harmless(&manifest.summary, 1_000), "", 96));
    }
    text.push('\n');
    text.push_str(
        &table.lines("  ", |column, cell| if column == 0 { paint.quiet(cell) } else { cell.to_owned() }),
    );
    if !settings.is_empty() {
        text.push_str(&format!("\n{}\n", paint.title("Settings (* must be set)")));
        text.push_str(&settings_table(&settings).lines("  ", |column, cell| match column {
            0 => paint.name(cell),
            _ => cell.to_owned(),
        }));
    }
    text
}

/// Name, type, default and description of each.
fn settings_table(settings: &[Setting]) -> Table {
    let mut table = Table::default();
    for setting in settings {
        let star = if setting.required { "*" } else { "" };
        table.row([
            &format!("{}{star}", harmless(&setting.name, CELL)),
            &harmless(&setting.kind, CELL),
            &default(setting),
            &harmless(&setting.description, CELL + CELL),
        ]);
    }
    table
}

/// `= 4`.
pub(super) fn default(setting: &Setting) -> String {
    setting
        .default
        .as_ref()
        .map_or_else(String::new, |value| format!("= {}", harmless(&value.to_string(), CELL)))
}

fn some_of(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| harmless(name, CELL)).collect();
    let more = names.len().saturating_sub(NAMES);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::plain::{is_hidden, is_unseen};
    use crate::plugins::manifest::Manifest;

    fn inspection(manifest: Manifest) -> Inspection {
        Inspection {
            manifest,
            sha256: "ab".repeat(32),
            bytes: 23_456,
            hooks: [crate::domain::Hook::Pricing].into(),
            permissions: [crate::plugins::permissions::Permission("discounts".to_owned())].into(),
            optional: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn a_plugin_is_a_table() {
        let schema = json!({ "required": ["zones"], "properties": {
            "most": { "type": "integer", "default": 4, "description": "Of a page." },
            "zones": { "type": "array", "items": { "type": "string" } },
        } });
        let manifest = Manifest {
            name: "guest".to_owned(),
            version: "1.2.0".to_owned(),
            summary: "A guest.".to_owned(),
            schema: Some(schema),
            assets: Arc::new([("locales/en.ftl".to_owned(), String::new())].into()),
            ..Manifest::default()
        };
        let told = described(&inspection(manifest), Path::new("g.wasm"), &Ok(None), Paint::plain());
        insta::assert_snapshot!(told.replace(&"ab".repeat(32), "ab…"), @r"
        guest 1.2.0
        A guest.

          called at       pricing
          needs           discounts
          can do without  -
          languages       en
          templates       none
          size            24 KB
          sha256          ab…
          signature       none beside the file

        Settings (* must be set)
          most    whole number  = 4  Of a page.
          zones*  list of text
        ");
    }

    #[test]
    fn a_hostile_manifest_says_nothing_to_a_terminal() {
        let bad = "\u{1b}]0;owned\u{7}\u{202e}\r\n\u{200b}".repeat(2_000);
        let manifest = Manifest {
            name: "guest".to_owned(),
            version: "1".to_owned(),
            summary: bad.clone(),
            schema: Some(
                json!({ "properties": { &bad: { "default": bad, "description": bad, "type": bad } } }),
            ),
            assets: Arc::new((0..500).map(|at| (format!("templates/{at}{bad}"), String::new())).collect()),
            ..Manifest::default()
        };
        let inspection = inspection(manifest);
        let told = described(&inspection, Path::new("\u{1b}[2J.wasm"), &Ok(Some(bad)), Paint::plain());
        let machine = visible_json(&as_json(&inspection, &Ok(None))).unwrap();
        for text in [&told, &machine] {
            assert!(text.chars().all(|c| c == '\n' || !is_hidden(c) && !is_unseen(c)), "{text:?}");
        }
        assert!(told.len() < 20_000, "{}", told.len());
        assert!(told.contains("and 460 more"), "{told}");
    }
}
