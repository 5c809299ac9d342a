//! What a new version of a plugin adds and takes away, for whoever is to grant it. Pure.

use std::collections::BTreeSet;
use std::fmt;

use super::inspect::Inspection;
use super::permissions::{Asks, Permission};
use super::schema::{self, Setting};
use crate::domain::Hook;

/// What only the new version has, and what only the old one had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<T> {
    pub added: Vec<T>,
    pub removed: Vec<T>,
}

impl<T: Ord + Clone> Change<T> {
    fn between(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Self {
        Self {
            added: new.difference(old).cloned().collect(),
            removed: old.difference(new).cloned().collect(),
        }
    }
}

impl<T> Change<T> {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// When it is called, and what it may read and do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedChange {
    pub hooks: Change<Hook>,
    /// Those that it needs.
    pub permissions: Change<Permission>,
    /// Those that it uses when granted.
    pub optional: Change<Permission>,
}

impl AskedChange {
    #[must_use]
    pub fn between(old: &Asks, new: &Asks) -> Self {
        Self {
            hooks: Change::between(&old.hooks, &new.hooks),
            permissions: Change::between(&old.permissions, &new.permissions),
            optional: Change::between(&old.optional, &new.optional),
        }
    }

    /// The permissions that were not asked for before, needed or not.
    #[must_use]
    pub fn more(&self) -> Vec<&Permission> {
        // One that was needed and can be done without now is nothing more.
        let optional = self.optional.added.iter().filter(|asked| !self.permissions.removed.contains(asked));
        self.permissions.added.iter().chain(optional).collect()
    }
}

/// `asks also for points; is called also at timer; does without timers`.
impl fmt::Display for AskedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permissions = |list: &[Permission]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let hooks = |list: &[Hook]| list.iter().map(|hook| hook.name().to_owned()).collect::<Vec<_>>();
        let parts: Vec<String> = [
            ("asks also for", permissions(&self.permissions.added)),
            ("is called also at", hooks(&self.hooks.added)),
            ("asks no longer for", permissions(&self.permissions.removed)),
            ("is called no longer at", hooks(&self.hooks.removed)),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} {}", names.join(", ")))
        .collect();
        f.write_str(if parts.is_empty() { "asks for the same" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}

/// A version that the host has before it and does not serve, while an older one is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Ids.
    pub shop: String,
    pub plugin: String,
    pub version: String,
    /// Of the file, hex.
    pub sha256: String,
    /// A sentence that says what to do.
    pub why: String,
    /// Against what is live.
    pub asked: AskedChange,
}

/// What became of one setting.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingChange {
    Added(Setting),
    Removed(Setting),
    /// Old, new: another type or default, or it must be set now.
    Changed(Setting, Setting),
}

/// Everything that two versions of a plugin differ in and a merchant may see.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgrade {
    pub asked: AskedChange,
    pub settings: Vec<SettingChange>,
    pub templates: Change<String>,
    pub languages: Change<String>,
}

impl Upgrade {
    #[must_use]
    pub fn between(old: &Inspection, new: &Inspection) -> Self {
        let set = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        Self {
            asked: AskedChange::between(&old.asks(), &new.asks()),
            settings: settings(
                &schema::settings(old.manifest.schema.as_ref()),
                &schema::settings(new.manifest.schema.as_ref()),
            ),
            templates: Change::between(&set(old.manifest.templates()), &set(new.manifest.templates())),
            languages: Change::between(&set(old.manifest.languages()), &set(new.manifest.languages())),
        }
    }
}

/// Those of the new version, then those that are gone.
fn settings(old: &[Setting], new: &[Setting]) -> Vec<SettingChange> {
    let find = |list: &[Setting], name: &str| list.iter().find(|setting| setting.name == name).cloned();
    let kept_or_added = new.iter().filter_map(|setting| match find(old, &setting.name) {
        None => Some(SettingChange::Added(setting.clone())),
        Some(before) => {
            let told = |setting: &Setting| (setting.kind.clone(), setting.default.clone(), setting.required);
            (told(&before) != told(setting)).then(|| SettingChange::Changed(before, setting.clone()))
        }
    });
    let removed = old.iter().filter(|setting| find(new, &setting.name).is_none()).cloned();
    kept_or_added.chain(removed.map(SettingChange::Removed)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::manifest::Manifest;

    fn permissions(names: &[&str]) -> BTreeSet<Permission> {
        names.iter().map(|name| Permission((*name).to_owned())).collect()
    }

    fn version(hooks: &[Hook], needs: &[&str], optional: &[&str], schema: serde_json::Value) -> Inspection {
        Inspection {
            manifest: Manifest { schema: Some(schema), ..Manifest::default() },
            sha256: String::new(),
            bytes: 0,
            hooks: hooks.iter().copied().collect(),
            permissions: permissions(needs),
            optional: permissions(optional),
        }
    }

    #[test]
    fn what_is_asked_for_is_compared_both_ways() {
        let none = || json!({});
        let old = version(&[Hook::Timer, Hook::OrderPlaced], &["orders", "timers"], &["customers"], none());
        let new = version(&[Hook::OrderPlaced, Hook::Pricing], &["customers", "orders"], &[], none());
        let change = Upgrade::between(&old, &new).asked;
        assert_eq!(
            change.to_string(),
            "asks also for customers; is called also at pricing; asks no longer for timers; is called no longer at timer"
        );
        // It could do without before.
        assert_eq!(change.more(), [&Permission("customers".to_owned())]);
        let back = Upgrade::between(&new, &old).asked;
        assert_eq!(back.more(), [&Permission("timers".to_owned())], "{back:?}");
        let wish = version(&[Hook::OrderPlaced, Hook::Pricing], &["orders"], &["customers"], none());
        assert!(Upgrade::between(&new, &wish).asked.more().is_empty());
        let same = Upgrade::between(&new, &new).asked;
        assert_eq!((same.to_string().as_str(), same.more().len()), ("asks for the same", 0));
    }

    #[test]
    fn settings_are_added_removed_and_changed() {
        let old = json!({ "properties": {
            "a": { "type": "integer" }, "b": { "type": "string" }, "c": { "type": "string", "default": "x" },
            "d": { "type": "boolean", "description": "old words" }, "gone": {},
        } });
        let new = json!({ "required": ["b"], "properties": {
            "a": { "type": "string" }, "b": { "type": "string" }, "c": { "type": "string", "default": "y" },
            "d": { "type": "boolean", "description": "new words" }, "fresh": {},
        } });
        let told: Vec<String> = Upgrade::between(&version(&[], &[], &[], old), &version(&[], &[], &[], new))
            .settings
            .iter()
            .map(|change| match change {
                SettingChange::Added(setting) => format!("+{}", setting.name),
                SettingChange::Removed(setting) => format!("-{}", setting.name),
                SettingChange::Changed(before, after) => {
                    assert_eq!(before.name, after.name);
                    format!("~{}", after.name)
                }
            })
            .collect();
        assert_eq!(told, ["~a", "~b", "~c", "+fresh", "-gone"]);
    }
}
