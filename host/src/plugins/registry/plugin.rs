//! Which version of a plugin becomes live in a shop: the new one with the new settings when they fit,
//! else as much of the new as fits the old.

use std::sync::Arc;

use super::build::{Builder, problem};
use super::files::Source;
use super::{LivePlugin, Plugin, Problem};
use crate::config::{Limits, PluginEntry, ShopConfig, Step};
use crate::plugins::trust::{self, Signed};
use crate::plugins::upgrade::{AskedChange, Waiting};
use crate::plugins::{inspect, settings};

/// Why a version of a plugin with an entry is not live.
struct Unfit {
    /// `plugin`, `settings` or `limits`.
    kind: &'static str,
    /// From the entry on; none: it is about the plugin's file.
    path: Option<Vec<Step>>,
    message: String,
}

/// The version that goes on being served when the newest is refused.
pub(super) struct Former {
    plugin: Arc<Plugin>,
    /// Those that it ran with.
    settings: Arc<toml::Value>,
    signed: Option<Signed>,
    /// It is live in this host; else it was in the one before.
    live: bool,
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
            Ok((plugin, signed)) => match whole(plugin, entry, &shop.id, limits) {
                Ok(joined) => return Some(unchanged(joined.signed_by(signed.clone()), live)),
                Err(unfit) => unfit,
            },
            Err(message) => {
                Unfit { kind: "plugin", path: None, message: format!("{} {message}", entry.source) }
            }
        };
        let former = self.former(&shop.id, entry, live);
        let stays = former.as_ref().map(|former| {
            let upgraded = newest.as_ref().ok().and_then(|(plugin, signed)| {
                let joined = join(plugin, entry, &former.settings, &shop.id, limits).ok()?;
                Some(joined.signed_by(signed.clone()))
            });
            upgraded.map_or_else(|| self.older(entry, former, &shop.id), Ok)
        });
        let fate = match (&former, &stays) {
            (Some(former), Some(Ok(_))) if former.live => "; what was live before stays live".to_owned(),
            (Some(former), Some(Ok(_))) => {
                let version = &former.plugin.manifest.version;
                format!("; the version that was accepted last ({version}) is live")
            }
            (Some(_), Some(Err(Some(why)))) => {
                format!("; it is switched off until then: what was live {why}")
            }
            (Some(_), _) => "; it is switched off until then".to_owned(),
            (None, _) => String::new(),
        };
        let stays = stays.and_then(Result::ok);
        if let Some(stays) = &stays {
            let newest = newest.as_ref().ok().map(|(plugin, _)| &**plugin);
            self.waits(&shop.id, entry, &stays.plugin, newest, &first.message);
        }
        self.report(shop, index, entry, &first, &fate);
        stays.map(|joined| unchanged(joined, live))
    }

    /// The plugin that the entry's file holds now.
    fn newest(&mut self, entry: &PluginEntry) -> Result<(Arc<Plugin>, Option<Signed>), String> {
        let source = self.source(&entry.source)?;
        if let Some(sentence) = entry.another_than_pinned(&source.sha256) {
            return Err(sentence);
        }
        let signed = source.signed.clone().map_err(|distrust| distrust.to_string())?;
        Ok((self.compiled(&source)?, signed))
    }

    /// What is live of an entry, or what a host before this one accepted last.
    pub(super) fn former(
        &mut self,
        shop: &str,
        entry: &PluginEntry,
        live: Option<&Arc<LivePlugin>>,
    ) -> Option<Former> {
        if let Some(live) = live {
            return Some(Former {
                plugin: live.plugin.clone(),
                settings: live.entry.settings.clone(),
                signed: live.signed.clone(),
                live: true,
            });
        }
        let accepted = self.kept.accepted.as_ref()?;
        let record = accepted.record(shop, &entry.name)?.clone();
        if entry.another_than_pinned(&record.sha256).is_some() {
            return None;
        }
        let bytes = accepted.component(&record.sha256)?;
        let verified = trust::verify(&self.host.security, &bytes, Ok(record.signature.as_deref()));
        // Not compiled before somebody answers for it.
        let signed = verified.ok()?;
        let source = Source { bytes, sha256: record.sha256, signed: Ok(signed.clone()) };
        let plugin = self.compiled(&source).ok()?;
        Some(Former { plugin, settings: record.settings, signed, live: false })
    }

    /// The former version under a new entry, with the old settings when the new do not fit. Grants, pin and
    /// trusted keys are always those of the files: what is taken away is gone at once. The error says what it is
    /// that the former version may no longer be, when that is not its grants.
    pub(super) fn older(
        &mut self,
        entry: &PluginEntry,
        former: &Former,
        shop: &str,
    ) -> Result<LivePlugin, Option<String>> {
        if let Some(sentence) = entry.another_than_pinned(&former.plugin.sha256) {
            return Err(Some(sentence));
        }
        trust::still(&self.host.security, former.signed.as_ref())
            .map_err(|distrust| Some(distrust.to_string()))?;
        // Nobody answered for it, and what lies beside the same bytes now is refused.
        if former.signed.is_none()
            && let Ok(source) = self.source(&entry.source)
            && source.sha256 == former.plugin.sha256
            && source.signed.is_err()
        {
            return Err(None);
        }
        [&entry.settings, &former.settings]
            .into_iter()
            .find_map(|settings| join(&former.plugin, entry, settings, shop, &self.host.limits).ok())
            .map(|joined| joined.signed_by(former.signed.clone()))
            .ok_or(None)
    }

    /// Notes what the entry's file holds when that is another version than the one that stays live.
    pub(super) fn waits(
        &mut self,
        shop: &str,
        entry: &PluginEntry,
        live: &Plugin,
        newest: Option<&Plugin>,
        why: &str,
    ) {
        let (asks, version, sha256) = match newest {
            Some(plugin) => (plugin.asks(), plugin.manifest.version.clone(), plugin.sha256.clone()),
            // Refused before it was compiled: what it says of itself can be read all the same.
            None => match self.source(&entry.source).map(|source| inspect::inspect(&source.bytes)) {
                Ok(Ok(told)) => (told.asks(), told.manifest.version, told.sha256),
                _ => return,
            },
        };
        if sha256 == live.sha256 {
            return;
        }
        self.waiting.push(Waiting {
            shop: shop.to_owned(),
            plugin: entry.name.clone(),
            version,
            sha256,
            why: why.to_owned(),
            asked: AskedChange::between(&live.asks(), &asks),
        });
    }

    fn report(&mut self, shop: &ShopConfig, index: usize, entry: &PluginEntry, unfit: &Unfit, fate: &str) {
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
    settings: &Arc<toml::Value>,
    shop: &str,
    limits: &Limits,
) -> Result<LivePlugin, Unfit> {
    plugin.asks().check(&entry.grants).map_err(|refusal| Unfit {
        kind: "plugin",
        path: Some(vec!["grants".into()]),
        message: refusal.to_string(),
    })?;
    let text = settings::fit(plugin.manifest.schema.as_ref(), settings).map_err(|misfit| {
        let mut path: Vec<Step> = vec!["settings".into()];
        path.extend(misfit.path);
        Unfit { kind: "settings", path: Some(path), message: misfit.message }
    })?;
    let entry = PluginEntry { settings: Arc::clone(settings), ..entry.clone() };
    Ok(LivePlugin::new(shop, entry, plugin.clone(), &text, limits))
}

/// The one that is live when nothing is different: it keeps its counters, and its shop need not be built.
pub(super) fn unchanged(joined: LivePlugin, live: Option<&Arc<LivePlugin>>) -> Arc<LivePlugin> {
    match live {
        Some(live)
            if Arc::ptr_eq(&live.plugin, &joined.plugin)
                && live.entry == joined.entry
                && live.signed == joined.signed
                && live.limits == joined.limits =>
        {
            live.clone()
        }
        _ => Arc::new(joined),
    }
}
