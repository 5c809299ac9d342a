//! From files to a snapshot. What is broken is replaced by what was live, and becomes a problem.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::accepted::Accepted;
use super::files::{self, Source};
use super::public::public;
use super::refusals::Refusals;
use super::{LivePlugin, LiveShop, Plugin, Problem, Snapshot};
use crate::config::{ConfigError, HostConfig, ShopConfig, load_host, load_shops};
use crate::plugins::cache::Cache;
use crate::plugins::call::shown;
use crate::plugins::code::Code;
use crate::plugins::engine::{Built, Sandbox};
use crate::plugins::inspect;
use crate::plugins::manifest::Manifest;
use crate::plugins::upgrade::Waiting;
use crate::wording::{Assets, Library};

/// What stays between reloads beside the snapshot.
#[derive(Default)]
pub(super) struct Kept {
    cache: Option<Cache>,
    pub(super) accepted: Option<Accepted>,
    /// Shop → name → the merchant's live templates and texts.
    pub(super) overrides: BTreeMap<String, BTreeMap<String, Assets>>,
    /// Files that were offered and not taken.
    refusals: Refusals,
    /// What shops share of their wordings.
    pub(super) library: Library,
}

impl Kept {
    /// Whether it `keeps` what is live for the next start.
    pub(super) fn new(sandbox: &Sandbox, data_dir: &Path, keeps: bool) -> Self {
        Self {
            cache: Some(Cache::open(data_dir, &sandbox.engine)),
            accepted: Some(Accepted::open(data_dir, keeps)),
            ..Self::default()
        }
    }
}

/// `cartwright.toml` as it is now, or as it was when it is broken now.
pub(super) fn host(
    folder: &Path,
    sandbox: &Sandbox,
    before: &Arc<HostConfig>,
) -> (Arc<HostConfig>, Vec<Problem>) {
    let host = match load_host(folder) {
        Ok(host) if host.origin.text == before.origin.text => before.clone(),
        Ok(host) => Arc::new(host),
        Err(error) => return (before.clone(), vec![problem("host", &error)]),
    };
    let mut problems = Vec::new();
    if !sandbox.built.holds(Built::of(&host.limits)) {
        problems.push(Problem {
            kind: "host".to_owned(),
            file: host.origin.file.display().to_string(),
            shop: None,
            plugin: None,
            message:
                "limits.stack_kib, concurrent_decisions and concurrent_events, and more memory_mib, table_elements or \
                 instances than before, are built into the sandbox; restart the host to change them"
                    .to_owned(),
            report: None,
        });
    }
    (host, problems)
}

/// Everything that the host's file names. `before` is what is live.
pub(super) fn snapshot(
    sandbox: &Sandbox,
    runtime: &Handle,
    host: Arc<HostConfig>,
    problems: Vec<Problem>,
    before: Option<&Snapshot>,
    kept: &mut Kept,
) -> Snapshot {
    let mut compiled = HashMap::new();
    for live in before.into_iter().flat_map(|before| before.shops.values()).flat_map(|shop| &shop.plugins) {
        compiled.insert(live.plugin.sha256.clone(), Ok(live.plugin.clone()));
    }
    let mut builder = Builder {
        sandbox,
        runtime,
        host: host.clone(),
        before,
        kept,
        sources: HashMap::new(),
        compiled,
        problems,
        waiting: Vec::new(),
        all_read: true,
    };
    let shops: BTreeMap<String, Arc<LiveShop>> = builder
        .configs()
        .into_iter()
        .filter_map(|config| Some((config.id.clone(), builder.shop(config)?)))
        .collect();
    let Builder { problems, waiting, sources, all_read, .. } = builder;
    let offered: HashSet<String> = sources.values().flatten().map(|source| source.sha256.clone()).collect();
    kept.refusals.only(&offered);
    if let Some(accepted) = &mut kept.accepted {
        let read: HashMap<&str, &[u8]> =
            sources.values().flatten().map(|read| (read.sha256.as_str(), read.bytes.as_slice())).collect();
        accepted.keep(&shops, all_read, |sha256| read.get(sha256).copied());
    }
    kept.overrides.retain(|id, _| shops.contains_key(id));
    Snapshot { generation: before.map_or(1, |before| before.generation + 1), host, shops, problems, waiting }
}

pub(super) struct Builder<'a> {
    sandbox: &'a Sandbox,
    /// For trials of plugins; the builder runs on a thread that may block.
    runtime: &'a Handle,
    pub(super) host: Arc<HostConfig>,
    pub(super) before: Option<&'a Snapshot>,
    pub(super) kept: &'a mut Kept,
    /// Files read for this snapshot, by `source`.
    sources: HashMap<String, Result<Arc<Source>, String>>,
    /// By hash; those that are live are here from the start.
    compiled: HashMap<String, Result<Arc<Plugin>, String>>,
    pub(super) problems: Vec<Problem>,
    pub(super) waiting: Vec<Waiting>,
    /// No shop's file is broken.
    all_read: bool,
}

impl Builder<'_> {
    /// Every shop's file, or what was live of it.
    fn configs(&mut self) -> Vec<ShopConfig> {
        let (mut configs, errors) = load_shops(&self.host.shops_dir);
        self.all_read = errors.is_empty();
        let before = self.before.filter(|before| before.host.shops_dir == self.host.shops_dir);
        let broken: Vec<String> =
            errors.iter().filter_map(|error| Some(error.file().file_stem()?.to_str()?.to_owned())).collect();
        for (error, id) in errors.iter().zip(&broken) {
            let shop = (error.file() != self.host.shops_dir).then(|| id.clone());
            self.problems.push(Problem { shop, ..problem("shop", error) });
        }
        for (id, live) in before.into_iter().flat_map(|before| &before.shops) {
            if configs.iter().any(|config| config.id == *id) {
                continue;
            }
            if errors.is_empty() || !broken.contains(id) {
                let file = live.config.origin.file.display().to_string();
                self.problems.push(Problem {
                    kind: "shop".to_owned(),
                    message: format!(
                        "{file} is gone; the shop stays as it was until the host is restarted: \
                         put the file back, or restart"
                    ),
                    file,
                    shop: Some(id.clone()),
                    plugin: None,
                    report: None,
                });
            }
            configs.push(live.config.clone());
        }
        configs
    }

    fn shop(&mut self, config: ShopConfig) -> Option<Arc<LiveShop>> {
        let old = self.before.and_then(|before| before.shops.get(&config.id)).cloned();
        let (public, calendar) = match public(&config) {
            Ok(public) => public,
            Err(message) => {
                self.problems.push(Problem {
                    kind: "shop".to_owned(),
                    file: config.origin.file.display().to_string(),
                    shop: Some(config.id),
                    plugin: None,
                    message,
                    report: None,
                });
                return old;
            }
        };
        let mut plugins: Vec<Arc<LivePlugin>> = Vec::new();
        for (index, entry) in config.plugins.iter().enumerate().filter(|(_, entry)| entry.enabled) {
            let live =
                old.as_ref().and_then(|old| old.plugins.iter().find(|live| live.entry.name == entry.name));
            plugins.extend(self.plugin(&config, index, entry, live));
        }
        let (wording, plugins) = self.wording(&config, plugins, old.as_deref())?;
        if let Some(old) = old
            && old.config.origin.text == config.origin.text
            && Arc::ptr_eq(&old.wording, &wording)
            && old.plugins.len() == plugins.len()
            && old.plugins.iter().zip(&plugins).all(|(one, two)| Arc::ptr_eq(one, two))
        {
            return Some(old);
        }
        Some(Arc::new(LiveShop {
            public: Arc::new(public),
            calendar: Arc::new(calendar),
            wording,
            plugins,
            config,
        }))
    }

    /// Reads a plugin's file; once for each snapshot.
    pub(super) fn source(&mut self, source: &str) -> Result<Arc<Source>, String> {
        if let Some(read) = self.sources.get(source) {
            return read.clone();
        }
        let read = files::source(&self.host.plugins_dir, source, &self.host.security).map(Arc::new);
        self.sources.insert(source.to_owned(), read.clone());
        read
    }

    /// Compiles a plugin and tries it; once for all shops and for as long as it is live.
    pub(super) fn compiled(&mut self, source: &Source) -> Result<Arc<Plugin>, String> {
        if let Some(known) = self.compiled.get(&source.sha256) {
            return known.clone();
        }
        let refused = self.kept.refusals.of(&source.sha256, &self.host.limits);
        let plugin = match refused {
            Some(sentence) => Err(sentence),
            None => self.first(source).map(Arc::new),
        };
        self.compiled.insert(source.sha256.clone(), plugin.clone());
        plugin
    }

    /// A file that was not seen before. A panic is the host's fault, and this file's trouble alone.
    fn first(&mut self, source: &Source) -> Result<Plugin, String> {
        let compiled = catch_unwind(AssertUnwindSafe(|| self.compile(source)));
        let compiled =
            compiled.unwrap_or_else(|_| Err("breaks the host that reads it; tell both authors".into()));
        compiled.map_err(|sentence| {
            let sentence = shown(&sentence);
            self.kept.refusals.keep(&source.sha256, &self.host.limits, &sentence);
            sentence
        })
    }

    fn compile(&self, source: &Source) -> Result<Plugin, String> {
        let asks = inspect::asks(&source.bytes).map_err(|refusal| refusal.to_string())?;
        let manifest =
            Manifest::read(&source.bytes).map_err(|error| format!("has a broken manifest: {error}"))?;
        let cache = self.kept.cache.as_ref();
        let hooks = asks.hooks.iter().copied();
        let code = Code::compile(self.sandbox, cache, &source.bytes, &source.sha256, hooks)?;
        self.runtime.block_on(code.try_out(self.sandbox, &self.host.limits))?;
        Ok(Plugin {
            manifest,
            sha256: source.sha256.clone(),
            bytes: source.bytes.len() as u64,
            hooks: asks.hooks,
            permissions: asks.permissions,
            optional: asks.optional,
            code,
        })
    }
}

/// A problem that a configuration file has.
pub(super) fn problem(kind: &str, error: &ConfigError) -> Problem {
    let line = error.line().map(|line| format!(":{line}")).unwrap_or_default();
    Problem {
        kind: kind.to_owned(),
        file: format!("{}{line}", error.file().display()),
        shop: None,
        plugin: None,
        message: error.to_string(),
        report: Some(error.report()),
    }
}
