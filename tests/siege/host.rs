//! A host under siege: a process of its own, in a folder of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What makes this program a host.
pub const ARGUMENT: &str = "be-a-host";

/// `cartwright serve`.
pub fn be() -> ExitCode {
    let arguments = ["cartwright".to_owned(), "serve".to_owned()];
    let cartwright::cli::Cli { folder, command } =
        cartwright::cli::arguments(arguments.into_iter().map(Into::into));
    match command {
        cartwright::cli::Command::Serve(arguments) => {
            cartwright::cli::exit(cartwright::cli::serve::run(&folder, arguments))
        }
        _ => ExitCode::FAILURE,
    }
}

/// Ended when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// Starts one on a free port and waits until it is ready.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(folder.join("host.log"))?;
        let child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .env("CARTWRIGHT_FOLDER", folder)
            .env("CARTWRIGHT_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the host does not start")?;
        let mut process = Self { child, address };
        let patience = Instant::now() + Duration::from_secs(60);
        while !ready(address).await {
            if !process.is_alive() || Instant::now() > patience {
                bail!("the host is not ready:\n{}", tail(folder));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// It gets no more time until it goes on.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    pub fn go_on(&self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "the host cannot be told {name}");
        Ok(())
    }

    /// Memory that it holds, KiB (`VmRSS` of proc(5)).
    pub fn memory_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.split_whitespace().next().context("a number")?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed, not asked: what it was given would keep it busy. Its folder goes with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(address: SocketAddr) -> bool {
    reqwest::get(format!("http://{address}/readyz")).await.is_ok_and(|answer| answer.status().is_success())
}

/// The end of what it logged.
pub fn tail(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("host.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}
