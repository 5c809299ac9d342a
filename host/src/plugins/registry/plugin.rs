//! Which version of a plugin becomes live in a shop: the new one with the new settings when they fit,
//! else as much of the new as fits the old.

use std::sync::Arc;

use super::build::{Builder, problem};
use super::{LivePlugin, Plugin, Problem};
use crate::config::{Limits, PluginEntry, ShopConfig, Step};
use crate::plugins::permissions::Asks;
use crate::plugins::settings;

/// Why a version of a plugin with an entry is not live.
struct Unfit {
    /// `plugin`, `settings` or `limits`.
    kind: &'static str,
    /// From the entry on; none: it is about the plugin's file.
    path: Option<Vec<Step>>,
    message: String,
}

impl Builder<'_> {
    /// The entry at `index` of a shop's plugins; `live` is what it was before.
    pub(super) fn plugin(
        &mut self,
        shop: &ShopConfig,
        index: usize,
        entry: &PluginEntry,
        live: Option<&Arc<LivePlugin>>,
    ) -> Option<Arc<LivePlugin>> {
        let newest = self.newest(entry);
        let limits = &self.host.limits.clone();
        let first = match &newest {
            Ok(plugin) => match whole(plugin, entry, &shop.id, limits) {
                Ok(joined) => return Some(unchanged(joined, live)),
                Err(unfit) => unfit,
            },
            Err(message) => {
                Unfit { kind: "plugin", path: None, message: format!("{} {message}", entry.source) }
            }
        };
        let stays = live.and_then(|live| {
            let upgraded = newest
                .as_ref()
                .ok()
                .and_then(|plugin| join(plugin, entry, &live.entry.settings, &shop.id, limits).ok());
            upgraded.or_else(|| older(entry, live, limits))
        });
        self.report(shop, index, entry, &first, live.is_some(), stays.is_some());
        stays.map(|joined| unchanged(joined, live))
    }

    /// The plugin that the entry's file holds now.
    fn newest(&mut self, entry: &PluginEntry) -> Result<Arc<Plugin>, String> {
        let source = self.source(&entry.source)?;
        if let Some(pin) = &entry.sha256
            && !pin.eq_ignore_ascii_case(&source.sha256)
        {
            return Err(format!(
                "is another file than `sha256` pins: it has {}; if it is the right one, write that hash",
                source.sha256
            ));
        }
        self.compiled(&source)
    }

    fn report(
        &mut self,
        shop: &ShopConfig,
        index: usize,
        entry: &PluginEntry,
        unfit: &Unfit,
        was_live: bool,
        stays: bool,
    ) {
        let fate = match (was_live, stays) {
            (_, true) => "; what was live before stays live",
            (true, false) => "; it is switched off until then",
            (false, false) => "",
        };
        let message = format!("the plugin `{}`: {}{fate}", entry.name, unfit.message);
        let mut problem = match &unfit.path {
            Some(path) => {
                let mut whole: Vec<Step> = vec!["plugins".into(), index.into()];
                whole.extend_from_slice(path);
                problem(unfit.kind, &shop.origin.mistake(&whole, message))
            }
            None => Problem {
                kind: unfit.kind.to_owned(),
                file: self.host.plugins_dir.join(&entry.source).display().to_string(),
                shop: None,
                plugin: None,
                message,
                report: None,
            },
        };
        problem.shop = Some(shop.id.clone());
        problem.plugin = Some(entry.name.clone());
        self.problems.push(problem);
    }
}

/// The live version of a plugin under a new entry, with the old settings when the new do not fit. The
/// grants are always those of the file: what is taken away is gone at once.
pub(super) fn older(entry: &PluginEntry, live: &LivePlugin, limits: &Limits) -> Option<LivePlugin> {
    [&entry.settings, &live.entry.settings]
        .into_iter()
        .find_map(|settings| join(&live.plugin, entry, settings, &live.shop, limits).ok())
}

/// The plugin just as its entry says.
fn whole(
    plugin: &Arc<Plugin>,
    entry: &PluginEntry,
    shop: &str,
    limits: &Limits,
) -> Result<LivePlugin, Unfit> {
    if let (_, Some(beyond)) = limits.of_plugin(&entry.limits) {
        let path = Some(vec!["limits".into(), beyond.limit.into()]);
        return Err(Unfit { kind: "limits", path, message: beyond.to_string() });
    }
    join(plugin, entry, &entry.settings, shop, limits)
}

/// The plugin with the entry's grants and limits (as far as the host allows them), and with settings that fit
/// its schema.
fn join(
    plugin: &Arc<Plugin>,
    entry: &PluginEntry,
    settings: &toml::Value,
    shop: &str,
    limits: &Limits,
) -> Result<LivePlugin, Unfit> {
    let asks =
        Asks { hooks: plugin.hooks.clone(), permissions: plugin.permissions.clone(), ..Asks::default() };
    asks.check(&entry.grants).map_err(|refusal| Unfit {
        kind: "plugin",
        path: Some(vec!["grants".into()]),
        message: refusal.to_string(),
    })?;
    let text = settings::fit(plugin.manifest.schema.as_ref(), settings).map_err(|misfit| {
        let mut path: Vec<Step> = vec!["settings".into()];
        path.extend(misfit.path);
        Unfit { kind: "settings", path: Some(path), message: misfit.message }
    })?;
    let entry = PluginEntry { settings: settings.clone(), ..entry.clone() };
    Ok(LivePlugin::new(shop, entry, plugin.clone(), &text, limits))
}

/// The one that is live when nothing is different: it keeps its counters, and its shop need not be built.
pub(super) fn unchanged(joined: LivePlugin, live: Option<&Arc<LivePlugin>>) -> Arc<LivePlugin> {
    match live {
        Some(live)
            if Arc::ptr_eq(&live.plugin, &joined.plugin)
                && live.entry == joined.entry
                && live.limits == joined.limits =>
        {
            live.clone()
        }
        _ => Arc::new(joined),
    }
}
