//! Mistakes in what a shop lets in: its keys and its plugins.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use super::super::{KeyKind, PluginEntry, Step};
use super::shop::Checked;
use super::{is_name, is_origin, is_sha256};

impl Checked<'_> {
    pub(super) fn keys(&mut self) {
        let config = self.config;
        let again = format!("make one with `cartwright key create --shop {}`", config.id);
        for (index, key) in config.keys.iter().enumerate() {
            let at = |part: &str| [Step::from("keys"), index.into(), part.into()];
            if !is_sha256(&key.sha256) {
                self.wrong(
                    &at("sha256"),
                    "this is not a SHA-256 in 64 small hexadecimal digits; a key itself does not belong here",
                    again.clone(),
                );
            }
            match key.kind {
                KeyKind::Secret if !key.origins.is_empty() => self.wrong(
                    &at("origins"),
                    "a secret key must not be in a browser, so it has no origins",
                    "take `origins` out, or make this key `publishable`",
                ),
                KeyKind::Secret => {}
                KeyKind::Publishable => {
                    for (position, origin) in key.origins.iter().enumerate() {
                        if !is_origin(origin) {
                            let mut path = at("origins").to_vec();
                            path.push(position.into());
                            self.wrong(
                                &path,
                                format!("`{origin}` is not an origin"),
                                "write what a browser sends, without a path: \"https://shop.example\"",
                            );
                        }
                    }
                }
            }
        }
        self.twice("keys", Some("name"), config.keys.iter().map(|key| key.name.as_str()), "the key");
        self.twice("keys", Some("sha256"), config.keys.iter().map(|key| key.sha256.as_str()), "the hash");
    }

    pub(super) fn plugins(&mut self) {
        let config = self.config;
        for (index, plugin) in config.plugins.iter().enumerate() {
            self.plugin(index, plugin);
        }
        self.twice(
            "plugins",
            Some("name"),
            config.plugins.iter().map(|plugin| plugin.name.as_str()),
            "the plugin",
        );
    }

    fn plugin(&mut self, index: usize, plugin: &PluginEntry) {
        let at = |part: &str| [Step::from("plugins"), index.into(), part.into()];
        if !is_name(&plugin.name) {
            self.wrong(
                &at("name"),
                format!("`{}` cannot be the name of a plugin", plugin.name),
                "small letters, digits and hyphens, beginning with a letter or digit",
            );
        } else if plugin.name == "shop" {
            self.wrong(
                &at("name"),
                "the name `shop` is taken: it stands for the shop's own texts and templates",
                "choose another name",
            );
        }
        let file = Path::new(&plugin.source);
        let plain = file.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || file.extension().is_none_or(|extension| extension != "wasm") {
            self.wrong(
                &at("source"),
                format!("`{}` is not the name of a plugin's file", plugin.source),
                "write the name of a `.wasm` file in the folder of plugins",
            );
        }
        if plugin.sha256.as_deref().is_some_and(|sha256| !is_sha256(sha256)) {
            self.wrong(
                &at("sha256"),
                "this is not a SHA-256 in 64 small hexadecimal digits",
                format!("`cartwright plugin inspect {}` shows the right one", plugin.source),
            );
        }
        if !plugin.settings.is_table() {
            self.wrong(
                &at("settings"),
                "settings are a table",
                "write `settings = { key = value }` or a table `[plugins.settings]`",
            );
        }
        for (limit, value, (least, most)) in plugin.limits.set() {
            if !(least..=most).contains(&value) {
                let mut path = at("limits").to_vec();
                path.push(limit.into());
                self.wrong(
                    &path,
                    format!("{value} is out of range"),
                    format!("choose a number from {least} to {most}"),
                );
            }
        }
        self.hosts(index, plugin);
        let mut seen = BTreeSet::new();
        for (position, grant) in plugin.grants.iter().enumerate() {
            if !seen.insert(grant) {
                let mut path = at("grants").to_vec();
                path.push(position.into());
                self.wrong(&path, format!("`{grant}` is granted twice"), "keep one");
            }
        }
    }

    fn hosts(&mut self, index: usize, plugin: &PluginEntry) {
        let mut seen = BTreeSet::new();
        for (position, grant) in plugin.hosts.iter().enumerate() {
            let at = [Step::from("plugins"), index.into(), "hosts".into(), position.into()];
            if !seen.insert(grant.host.to_string()) {
                self.wrong(&at, format!("the host `{}` is there twice", grant.host), "keep one");
            }
            if !grant.secrets.is_empty() && grant.host.is_many() {
                self.wrong(
                    &at,
                    format!("`{}` is any number of hosts, and each would be told the secrets", grant.host),
                    "name the hosts that have secrets one by one",
                );
            }
            for name in grant.no_headers() {
                self.wrong(
                    &at,
                    format!("`{name}` is not a header that can carry a secret"),
                    "write the header that the server asks for, like Authorization or X-Api-Key",
                );
            }
        }
    }
}
