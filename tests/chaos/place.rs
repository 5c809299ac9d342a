//! The hosts: processes, each with its folder, one shop on all of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harness::mail_server::MailServer;
use harness::plugin_files;
use harness::process::{self, Process};
use sha2::{Digest as _, Sha256};

pub const SHOP: &str = "chaos";
pub const KEY: &str = "cw_sk_chaos_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Of a job.
pub const LEASE: Duration = Duration::from_secs(3);
/// That a mail may take. A message belongs to a courier five times as long.
const MAIL: Duration = Duration::from_secs(2);
/// Longer than the lease of a job, shorter, longer than that of a message too.
pub const FROZEN: [Duration; 3] =
    [Duration::from_millis(4_500), Duration::from_millis(1_000), Duration::from_millis(11_500)];

/// One of the hosts. Its address changes with each start.
pub struct Place {
    folder: PathBuf,
    process: tokio::sync::Mutex<Option<Process>>,
    address: Mutex<SocketAddr>,
}

impl Place {
    /// Writes its folder and starts it.
    pub async fn open(folder: &Path, database: Option<&str>, mail: &MailServer) -> anyhow::Result<Self> {
        write(folder, database, mail)?;
        let place = Self {
            folder: folder.to_owned(),
            process: tokio::sync::Mutex::default(),
            address: Mutex::new(([127, 0, 0, 1], 9).into()),
        };
        place.start().await?;
        Ok(place)
    }

    pub async fn start(&self) -> anyhow::Result<()> {
        let process = Process::start(&self.folder).await?;
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = process.address;
        *self.process.lock().await = Some(process);
        Ok(())
    }

    pub fn address(&self) -> SocketAddr {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn database_file(&self) -> PathBuf {
        self.folder.join("data/cartwright.db")
    }

    pub fn log(&self) -> String {
        process::tail(&self.folder)
    }

    /// With the process, while there is one.
    pub async fn with<T>(&self, act: impl FnOnce(&mut Process) -> anyhow::Result<T>) -> anyhow::Result<T> {
        match self.process.lock().await.as_mut() {
            Some(process) => act(process),
            None => anyhow::bail!("the host does not run"),
        }
    }

    /// SIGKILL.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.with(Process::kill).await
    }

    /// SIGTERM: whether it ended well.
    pub async fn stop(&self) -> anyhow::Result<bool> {
        match self.process.lock().await.as_mut() {
            Some(process) => process.stop(Duration::from_secs(40)).await,
            None => Ok(true),
        }
    }
}

fn write(folder: &Path, database: Option<&str>, mail: &MailServer) -> anyhow::Result<()> {
    for name in ["shops", "plugins", "templates"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
    let host = format!(
        "{database}[log]\nfilter = \"warn\"\n[http]\nrequests_per_second = 1000000\n\
         [limits]\nlease_seconds = {}\nconcurrent_messages = 2\n{}timeout_seconds = {}\n",
        LEASE.as_secs(),
        mail.toml(),
        MAIL.as_secs(),
    );
    std::fs::write(folder.join("cartwright.toml"), host)?;
    let hash: String = Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut shop = format!(
        "name = \"Chaos\"\nurl = \"https://chaos.example\"\ncountry = \"PL\"\ncurrency = \"PLN\"\n\
         locales = [\"en\"]\nzone = \"Europe/Warsaw\"\nmode = \"live\"\nlive_since = \"2026-01-01T00:00:00Z\"\n\
         daily_messages = 0\ncontact = {{ email = \"help@chaos.example\" }}\n\n\
         [[keys]]\nname = \"backend\"\nkind = \"secret\"\nsha256 = \"{hash}\"\n"
    );
    for (name, grants) in [
        (
            "ledger",
            "\"state\", \"state-write\", \"messages\", \"coupons\", \"points\", \"timers\", \"labels\"",
        ),
        ("counter", "\"state\", \"state-write\""),
    ] {
        shop += &format!("\n[[plugins]]\nname = \"{name}\"\nsource = \"{name}.wasm\"\ngrants = [{grants}]\n");
        let file = format!("{name}.wasm");
        std::fs::copy(plugin_files().join(&file), folder.join("plugins").join(&file))?;
    }
    std::fs::write(folder.join("shops").join(format!("{SHOP}.toml")), shop)?;
    Ok(())
}
