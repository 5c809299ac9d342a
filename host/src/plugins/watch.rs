//! Watches the files and reloads when they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use notify_debouncer_full::notify::event::{AccessKind, AccessMode, EventKind};
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{HOST_FILE, HostConfig};
use crate::plugins::registry::Registry;

/// Editors and builds touch a file several times; what is quiet for so long is read.
const QUIET: Duration = Duration::from_millis(100);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

type Watcher = Debouncer<RecommendedWatcher, NoCache>;

/// Watching ends when it is dropped.
#[derive(Debug)]
pub struct WatchGuard {
    task: JoinHandle<()>,
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches `cartwright.toml`, shops, plugins, templates and certificates; a change is live within 300 ms. The
/// registry says in the log what became live and what is broken.
pub fn watch(registry: Arc<Registry>) -> anyhow::Result<WatchGuard> {
    let (changed, mut changes) = mpsc::channel::<()>(1);
    let named: Arc<ArcSwap<Vec<PathBuf>>> = Arc::default();
    let ours = named.clone();
    let heard = move |events: DebounceEventResult| {
        let worth = match &events {
            Ok(events) => {
                events.iter().any(|event| is_change(event.kind) && concerns(&event.paths, &ours.load()))
            }
            Err(errors) => {
                tracing::warn!(?errors, "watching files failed; everything is read again");
                true
            }
        };
        if worth {
            // Full: a reload is waiting already and will see this change too.
            let _ = changed.try_send(());
        }
    };
    let settings = notify_debouncer_full::notify::Config::default();
    let watcher =
        new_debouncer_opt::<_, RecommendedWatcher, NoCache>(QUIET, Some(LOOK), heard, NoCache, settings)
            .context("files cannot be watched")?;
    let mut folders = Folders { watcher, watched: BTreeMap::new(), named };
    folders.follow(&registry.current().host);
    let task = tokio::spawn(async move {
        // What changed between the first reading and the first watch.
        folders.follow(&registry.reload().await.host);
        while changes.recv().await.is_some() {
            let live = registry.reload().await;
            if folders.follow(&live.host) {
                // A folder that is new may have been filled before it was watched.
                registry.reload().await;
            }
        }
    });
    Ok(WatchGuard { task })
}

/// Reading counts as access on some systems, and this host reads when it reloads.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// The database and the log may lie beside `cartwright.toml`; they are written all the time.
fn concerns(paths: &[PathBuf], named: &[PathBuf]) -> bool {
    paths.iter().any(|path| {
        path.file_name().is_some_and(|name| name == HOST_FILE)
            || named.iter().any(|folder| path.starts_with(folder))
    })
}

/// The folders that are watched, as the live configuration names them.
struct Folders {
    watcher: Watcher,
    watched: BTreeMap<PathBuf, RecursiveMode>,
    /// Of shops, plugins and templates; and the files of the certificate, or the folder that is theirs.
    named: Arc<ArcSwap<Vec<PathBuf>>>,
}

impl Folders {
    /// Watches what the configuration names now; true when a folder is new.
    fn follow(&mut self, host: &HostConfig) -> bool {
        let mut named = vec![host.shops_dir.clone(), host.plugins_dir.clone(), host.templates_dir.clone()];
        for file in certificates(host) {
            named.push(file.to_owned());
            // A folder of certificates may change by another name: that of a link.
            named.extend(file.parent().filter(|folder| !busy(host, folder)).map(Path::to_owned));
        }
        self.named.store(Arc::new(named));
        let wanted = wanted(host);
        let gone: Vec<PathBuf> = self
            .watched
            .iter()
            .filter(|(folder, mode)| wanted.get(*folder) != Some(mode) || !folder.is_dir())
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in gone {
            // Of a folder that was deleted, the watch ended with it.
            let _ = self.watcher.unwatch(&folder);
            self.watched.remove(&folder);
        }
        let mut new = false;
        for (folder, mode) in wanted {
            if self.watched.contains_key(&folder) || !folder.is_dir() {
                continue;
            }
            match self.watcher.watch(&folder, mode) {
                Ok(()) => {
                    self.watched.insert(folder, mode);
                    new = true;
                }
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "a folder cannot be watched; restart after changes");
                }
            }
        }
        new
    }
}

/// Files are renewed by renaming: their folders are watched.
fn certificates(host: &HostConfig) -> impl Iterator<Item = &Path> {
    host.tls.iter().flat_map(|tls| [tls.certificate.as_path(), tls.key.as_path()])
}

/// Whether a folder holds what the host itself writes.
fn busy(host: &HostConfig, folder: &Path) -> bool {
    host.data_dir.starts_with(folder) || folder.starts_with(&host.data_dir)
}

/// The folder of the host's file also shows when one of the others is made.
fn wanted(host: &HostConfig) -> BTreeMap<PathBuf, RecursiveMode> {
    let here =
        |folder: &Path| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
    let mut wanted: BTreeMap<_, _> = certificates(host)
        .filter_map(Path::parent)
        .map(|folder| (here(folder), RecursiveMode::NonRecursive))
        .collect();
    wanted.extend([
        (here(&host.folder), RecursiveMode::NonRecursive),
        (here(&host.shops_dir), RecursiveMode::NonRecursive),
        (here(&host.plugins_dir), RecursiveMode::NonRecursive),
        (here(&host.templates_dir), RecursiveMode::Recursive),
    ]);
    wanted
}
