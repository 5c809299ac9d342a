//! A shop's texts and templates: those of its plugins, and the merchant's own over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::Builder;
use super::plugin::unchanged;
use super::{LivePlugin, LiveShop, Problem, files};
use crate::config::ShopConfig;
use crate::plugins::call::shown;
use crate::wording::{Assets, Wording, WordingError};

type Overrides = BTreeMap<String, Assets>;
/// So many mistakes are told at once: a plugin's file may have as many as it has lines.
const MISTAKES: usize = 20;
/// The merchant's changes of what every message shares.
const SHARED: &str = "shop";

impl Builder<'_> {
    /// Wording of a shop, and those of its plugins whose texts and templates are sound. Whatever is
    /// broken is replaced by what was live. `None` only when the host's own templates do not build.
    pub(super) fn wording(
        &mut self,
        shop: &ShopConfig,
        plugins: Vec<Arc<LivePlugin>>,
        old: Option<&LiveShop>,
    ) -> Option<(Arc<Wording>, Vec<Arc<LivePlugin>>)> {
        let live = self.kept.overrides.get(&shop.id).cloned().unwrap_or_default();
        let found = self.overrides(shop, &plugins, &live);
        // Parsing takes long: what would come out the same is kept.
        let same = |plugins: &[Arc<LivePlugin>], overrides: &Overrides| {
            let unchanged = |old: &&LiveShop| {
                *overrides == live
                    && old.config.locales == shop.locales
                    && old.plugins.len() == plugins.len()
                    && old.plugins.iter().zip(plugins).all(|(one, two)| {
                        one.entry.name == two.entry.name && Arc::ptr_eq(&one.plugin, &two.plugin)
                    })
            };
            old.filter(unchanged).map(|old| old.wording.clone())
        };
        if let Some(wording) = same(&plugins, &found) {
            return Some((wording, plugins));
        }
        if let Ok(wording) = self.words(shop, &plugins, &found) {
            self.kept.overrides.insert(shop.id.clone(), found);
            return Some((Arc::new(wording), plugins));
        }
        let plugins = self.sound(shop, plugins, old);
        let overrides = self.sound_overrides(shop, &plugins, found, &live);
        if let Some(wording) = same(&plugins, &overrides) {
            return Some((wording, plugins));
        }
        let built = self.words(shop, &plugins, &overrides).map(|wording| (wording, overrides));
        // Each is sound alone; together they may still not be.
        let built = built.or_else(|errors| {
            self.mistakes(shop, &errors, self.was_live(shop));
            self.words(shop, &plugins, &live).map(|wording| (wording, live.clone()))
        });
        let built =
            built.or_else(|_| self.words(shop, &plugins, &Overrides::new()).map(|w| (w, Overrides::new())));
        match built {
            Ok((wording, overrides)) => {
                self.kept.overrides.insert(shop.id.clone(), overrides);
                Some((Arc::new(wording), plugins))
            }
            Err(errors) => {
                self.mistakes(shop, &errors, self.was_live(shop));
                old.map(|old| (old.wording.clone(), old.plugins.clone()))
            }
        }
    }

    /// What the merchant's folder holds now; what cannot be read stays as it was.
    fn overrides(&mut self, shop: &ShopConfig, plugins: &[Arc<LivePlugin>], live: &Overrides) -> Overrides {
        let folder = self.host.templates_dir.join(&shop.id);
        let names = plugins.iter().map(|live| live.entry.name.as_str()).chain([SHARED]);
        let mut found = Overrides::new();
        for name in names {
            match files::overrides(&folder.join(name)) {
                Ok(assets) if assets.is_empty() => {}
                Ok(assets) => {
                    found.insert(name.to_owned(), assets);
                }
                Err(message) => {
                    if let Some(assets) = live.get(name) {
                        found.insert(name.to_owned(), assets.clone());
                    }
                    let error = WordingError { file: name.to_owned(), line: None, what: message };
                    self.mistakes(shop, &[error], self.was_live(shop));
                }
            }
        }
        found
    }

    fn words(
        &mut self,
        shop: &ShopConfig,
        plugins: &[Arc<LivePlugin>],
        overrides: &Overrides,
    ) -> Result<Wording, Vec<WordingError>> {
        let assets: BTreeMap<String, Arc<Assets>> = plugins
            .iter()
            .map(|live| (live.entry.name.clone(), Arc::clone(&live.plugin.manifest.assets)))
            .collect();
        self.kept.library.wording(&shop.locales, &assets, overrides)
    }

    /// Leaves out plugins whose own texts or templates are broken, or puts back what was live of them.
    fn sound(
        &mut self,
        shop: &ShopConfig,
        plugins: Vec<Arc<LivePlugin>>,
        old: Option<&LiveShop>,
    ) -> Vec<Arc<LivePlugin>> {
        let mut sound = Vec::with_capacity(plugins.len());
        for plugin in plugins {
            let Err(errors) = self.words(shop, std::slice::from_ref(&plugin), &Overrides::new()) else {
                sound.push(plugin);
                continue;
            };
            let live =
                old.and_then(|old| old.plugins.iter().find(|live| live.entry.name == plugin.entry.name));
            let stays = self.sound_former(shop, &plugin, live);
            self.mistakes(shop, &errors, stays.is_some());
            if let Some(stays) = stays {
                let why = errors.first().map(|error| shown(&error.to_string())).unwrap_or_default();
                self.waits(&shop.id, &plugin.entry, &stays.plugin, Some(&plugin.plugin), &why);
                sound.push(stays);
            }
        }
        sound
    }

    /// What was live or accepted before, with texts and templates that are sound.
    fn sound_former(
        &mut self,
        shop: &ShopConfig,
        plugin: &LivePlugin,
        live: Option<&Arc<LivePlugin>>,
    ) -> Option<Arc<LivePlugin>> {
        let former = self.former(&shop.id, &plugin.entry, live)?;
        let stays = unchanged(self.older(&plugin.entry, &former, &shop.id).ok()?, live);
        self.words(shop, std::slice::from_ref(&stays), &Overrides::new()).ok()?;
        Some(stays)
    }

    fn sound_overrides(
        &mut self,
        shop: &ShopConfig,
        plugins: &[Arc<LivePlugin>],
        found: Overrides,
        live: &Overrides,
    ) -> Overrides {
        let mut sound = Overrides::new();
        for (name, assets) in found {
            let alone = Overrides::from([(name.clone(), assets)]);
            match self.words(shop, plugins, &alone) {
                Ok(_) => sound.extend(alone),
                Err(errors) => {
                    self.mistakes(shop, &errors, self.was_live(shop));
                    if let Some(assets) = live.get(&name) {
                        sound.insert(name, assets.clone());
                    }
                }
            }
        }
        sound
    }

    fn was_live(&self, shop: &ShopConfig) -> bool {
        self.before.is_some_and(|before| before.shops.contains_key(&shop.id))
    }

    fn mistakes(&mut self, shop: &ShopConfig, errors: &[WordingError], stays: bool) {
        let fate = match (stays, self.was_live(shop)) {
            (true, true) => "what was live before stays live",
            (true, false) => "what was accepted last is live",
            (false, _) => "it is left out until then",
        };
        for error in errors.iter().take(MISTAKES) {
            // `<plugin>: <path>` lies in a plugin's file, `<name>/<path>` in the merchant's folder.
            let (plugin, file) = match error.file.split_once(": ") {
                Some((plugin, path)) => (plugin, format!("{path} in the plugin `{plugin}`")),
                None => {
                    let name = error.file.split('/').next().unwrap_or_default();
                    (name, self.host.templates_dir.join(&shop.id).join(&error.file).display().to_string())
                }
            };
            let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
            let kind = if error.file.ends_with(".ftl") { "texts" } else { "templates" };
            let problem = Problem {
                kind: kind.to_owned(),
                message: format!("{file}{line}: {}; {fate}", shown(&error.what)),
                file: format!("{file}{line}"),
                shop: Some(shop.id.clone()),
                plugin: (plugin != SHARED).then(|| plugin.to_owned()),
                report: None,
            };
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        let more = errors.len().saturating_sub(MISTAKES);
        if more > 0
            && let Some(last) = self.problems.last_mut()
        {
            last.message = format!("{} (and {more} more mistakes)", last.message);
        }
    }
}
