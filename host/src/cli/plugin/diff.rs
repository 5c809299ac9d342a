//! `cartwright plugin diff`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::inspect::default;
use super::{inspected, listed, size, title};
use crate::cli::Ending;
use crate::cli::terminal::{Paint, Table};
use crate::domain::plain::harmless;
use crate::plugins::inspect::Inspection;
use crate::plugins::schema::Setting;
use crate::plugins::upgrade::{Change, SettingChange, Upgrade};

/// Show what a new version of a plugin adds and takes away
///
/// Hooks, permissions, settings, templates, languages and size, read off the two files; nothing of them is
/// run. Ends with 0 when the new version asks for no permission that the old one did not ask for, with 1 when
/// it asks for more: a host goes on serving the old one until the shop grants it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cartwright plugin diff plugins/cross_sell.wasm ~/Downloads/cross_sell.wasm")]
pub struct Diff {
    /// The .wasm file of the version that is used.
    old: PathBuf,
    /// The .wasm file of the version that is to replace it.
    new: PathBuf,
}

pub(super) fn run(arguments: &Diff) -> Ending {
    let (old, new) = (inspected(&arguments.old)?, inspected(&arguments.new)?);
    let upgrade = Upgrade::between(&old, &new);
    let names = (title(&old, &arguments.old), title(&new, &arguments.new));
    crate::cli::print(&described(&names, (&old, &new), &upgrade, Paint::for_output()))?;
    Ok(if upgrade.asked.more().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn described(
    names: &(String, String),
    (old, new): (&Inspection, &Inspection),
    upgrade: &Upgrade,
    paint: Paint,
) -> String {
    let mut table = Table::default();
    let asked = &upgrade.asked;
    rows(&mut table, "called at", &asked.hooks, |hook| hook.name().to_owned());
    rows(&mut table, "needs", &asked.permissions, ToString::to_string);
    rows(&mut table, "can do without", &asked.optional, ToString::to_string);
    for change in &upgrade.settings {
        match change {
            SettingChange::Added(setting) => table.row(["+", "setting", &told(setting)]),
            SettingChange::Removed(setting) => table.row(["-", "setting", &name(setting)]),
            SettingChange::Changed(before, after) => {
                table.row(["~", "setting", &format!("{} → {}", told(before), rest(after))]);
            }
        }
    }
    rows(&mut table, "template", &upgrade.templates, |name| harmless(name, 80));
    rows(&mut table, "language", &upgrade.languages, |name| harmless(name, 80));
    let sizes = (size(old.bytes), size(new.bytes));
    if sizes.0 != sizes.1 {
        table.row(["~", "size", &format!("{} → {}", sizes.0, sizes.1)]);
    }
    let mut text = format!("{} → {}\n\n", paint.title(&names.0), paint.title(&names.1));
    text.push_str(&table.lines("  ", |column, cell| match (column, cell) {
        (0, "+") => paint.doubtful(cell),
        (1, _) => paint.quiet(cell),
        _ => cell.to_owned(),
    }));
    let more = asked.more();
    if old.sha256 == new.sha256 {
        text.push_str("  the two files are the same\n");
    } else if more.is_empty() {
        text.push_str(&format!("\n{} asks for nothing more\n", paint.good("✓")));
    } else {
        text.push_str(&format!("\n{} asks for more: {}\n", paint.bad("×"), listed(more)));
        if !asked.permissions.added.is_empty() {
            text.push_str(
                "  a host serves the old version until `grants` in the shop's file names what it needs\n",
            );
        }
    }
    text
}

fn rows<T>(table: &mut Table, what: &str, change: &Change<T>, name: impl Fn(&T) -> String) {
    for (sign, list) in [("+", &change.added), ("-", &change.removed)] {
        for item in list {
            table.row([sign, what, &name(item)]);
        }
    }
}

fn name(setting: &Setting) -> String {
    harmless(&setting.name, 60)
}

/// `max_items: whole number = 4`.
fn told(setting: &Setting) -> String {
    format!("{}: {}", name(setting), rest(setting))
}

fn rest(setting: &Setting) -> String {
    let must = if setting.required { " (must be set)" } else { "" };
    let kind = harmless(&setting.kind, 60);
    format!("{kind} {}", default(setting)).trim_end().to_owned() + must
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::Hook;
    use crate::plugins::manifest::Manifest;
    use crate::plugins::permissions::Permission;

    fn version(version: &str, hook: Hook, needs: &str, schema: serde_json::Value, asset: &str) -> Inspection {
        Inspection {
            manifest: Manifest {
                name: "guest".to_owned(),
                version: version.to_owned(),
                schema: Some(schema),
                assets: Arc::new([(asset.to_owned(), String::new())].into()),
                ..Manifest::default()
            },
            sha256: version.to_owned(),
            bytes: 20_000,
            hooks: [hook].into(),
            permissions: [Permission(needs.to_owned())].into(),
            optional: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn an_upgrade_is_told_line_by_line() {
        let old = version(
            "1.0.0",
            Hook::Timer,
            "timers",
            json!({ "properties": { "a": { "type": "integer", "default": 1 }, "gone": { "type": "string" } } }),
            "locales/en.ftl",
        );
        let mut new = version(
            "2.0.0",
            Hook::OrderPlaced,
            "points",
            json!({ "required": ["a"], "properties": { "a": { "type": "string" }, "b\u{1b}": { "type": "boolean" } } }),
            "templates/thanks.html",
        );
        new.bytes = 31_000;
        let told = |old: &Inspection, new: &Inspection| {
            let names = (title(old, "o".as_ref()), title(new, "n".as_ref()));
            described(&names, (old, new), &Upgrade::between(old, new), Paint::plain())
        };
        insta::assert_snapshot!(told(&old, &new), @r"
        guest 1.0.0 → guest 2.0.0

          +  called at  order-placed
          -  called at  timer
          +  needs      points
          -  needs      timers
          ~  setting    a: whole number = 1 → text (must be set)
          +  setting    b\u{1b}: true or false
          -  setting    gone
          +  template   thanks.html
          -  language   en
          ~  size       20 KB → 31 KB

        × asks for more: points
          a host serves the old version until `grants` in the shop's file names what it needs
        ");
        assert!(told(&old, &old).contains("the two files are the same"));
        let mut less = old.clone();
        less.sha256 = "other".to_owned();
        less.permissions.clear();
        assert!(told(&old, &less).ends_with("✓ asks for nothing more\n"), "{}", told(&old, &less));
    }
}
