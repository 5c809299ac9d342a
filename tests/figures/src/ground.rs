//! A merchant's folder for a host that is measured: shops, keys, plugins, and limits that stand in nobody's way.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context as _;
use cartwright::cli::package;
use harness::project;
use sha2::{Digest as _, Sha256};
use toml::{Table, Value, toml};

/// The demo's shop: its plugins with their settings.
const DEMO: &str = include_str!("../../../host/src/cli/demo/shop/lipa.toml");
/// One shop, when nothing else is said.
pub const SHOP: &str = "lipa";

/// `[[plugins]]` of a shop.
pub type Entry = Table;

/// Deleted when it is dropped.
#[derive(Debug)]
pub struct Ground(tempfile::TempDir);

impl Ground {
    /// On SQLite in the folder, or on the database of a URL.
    pub fn new(database: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["shops", "plugins", "templates"] {
            std::fs::create_dir_all(folder.path().join(name))?;
        }
        let mut host = toml! {
            [log]
            filter = "warn"
            [http]
            requests_per_second = 1_000_000
            [limits]
            messages_per_day = 1_000_000_000
            open_jobs_per_shop = 1_000_000_000
            open_jobs = 1_000_000_000
        };
        if let Some(url) = database {
            host.insert("database".to_owned(), url.into());
        }
        std::fs::write(folder.path().join("cartwright.toml"), host.to_string())?;
        Ok(Self(folder))
    }

    /// With one shop.
    pub fn with(plugins: &[Entry]) -> anyhow::Result<Self> {
        let ground = Self::new(None)?;
        ground.open_shop(SHOP, plugins)?;
        Ok(ground)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn plugin_file(&self, name: &str) -> PathBuf {
        self.path().join("plugins").join(name)
    }

    /// Writes a shop's file, and the files of its plugins where they are missing.
    pub fn open_shop(&self, id: &str, plugins: &[Entry]) -> anyhow::Result<()> {
        for plugin in plugins {
            let source = plugin.get("source").and_then(Value::as_str).context("a plugin has a `source`")?;
            if !self.plugin_file(source).exists() {
                std::fs::copy(plugin_files()?.join(source), self.plugin_file(source))?;
            }
        }
        let hash: String = Sha256::digest(key(id)).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut shop = toml! {
            name = "Lipa"
            url = "https://lipa.example"
            country = "PL"
            currency = "PLN"
            locales = ["en", "pl"]
            zone = "Europe/Warsaw"
            mode = "live"
            live_since = "2020-01-01T00:00:00Z"
            daily_messages = 0
            [contact]
            email = "hello@lipa.example"
            [[keys]]
            name = "figures"
            kind = "secret"
        };
        if let Some(Value::Table(key)) =
            shop.get_mut("keys").and_then(Value::as_array_mut).and_then(|keys| keys.first_mut())
        {
            key.insert("sha256".to_owned(), hash.into());
        }
        shop.insert("plugins".to_owned(), plugins.to_vec().into());
        Ok(std::fs::write(self.path().join(format!("shops/{id}.toml")), shop.to_string())?)
    }
}

/// A secret key of a shop.
pub fn key(shop: &str) -> String {
    format!("cw_sk_{shop}_{:A<43}", "")
}

/// The demo's five: delivery options, cross-sell, coupons, loyalty, updates of orders.
pub fn first_party() -> anyhow::Result<Vec<Entry>> {
    let mut demo: Table = DEMO.parse()?;
    let Some(Value::Array(plugins)) = demo.remove("plugins") else {
        anyhow::bail!("the demo's shop has plugins")
    };
    plugins.into_iter().map(|plugin| plugin.try_into().context("a plugin's entry")).collect()
}

/// The reference logic's plugin of a stage, or `thanks`, or `idle`, which does nothing.
pub fn reference(part: &str) -> Entry {
    let grants: &[&str] = match part {
        "pricing" => &["customers", "discounts"],
        "delivery" => &["customers", "delivery-options"],
        "content" => &["customers"],
        "review" => &["customers", "payments"],
        "thanks" => &["customers", "messages"],
        _ => &[],
    };
    let mut entry = Entry::new();
    entry.insert("name".to_owned(), format!("reference-{part}").into());
    entry.insert("source".to_owned(), format!("reference_{part}.wasm").into());
    entry.insert("grants".to_owned(), grants.to_vec().into());
    entry
}

/// Four plugins of one stage each.
pub fn four() -> Vec<Entry> {
    figures_logic::Stage::ALL.into_iter().map(|stage| reference(stage.name())).collect()
}

/// Ten plugins: all that the project has, and the four.
pub fn ten() -> anyhow::Result<Vec<Entry>> {
    let logistics = toml! {
        name = "logistics"
        source = "logistics.wasm"
        grants = ["state", "state-write", "webhooks"]
    };
    Ok(first_party()?.into_iter().chain([logistics]).chain(four()).collect())
}

/// The same plugin once more in a shop.
pub fn named(entry: &Entry, name: &str) -> Entry {
    let mut entry = entry.clone();
    entry.insert("name".to_owned(), name.into());
    entry
}

/// A folder with the first-party and the reference plugins, built once in a run.
pub fn plugin_files() -> anyhow::Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let out = project().join("target/figures-plugins");
        for folder in ["plugins", "tests/figures/plugins"] {
            package::build_all(&project().join(folder), &out, &mut |_| {})
                .map_err(|error| format!("{error:#}"))?;
        }
        Ok(out)
    });
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}
