//! A host as a process of its own, in a folder of its own: the program that starts it, started again.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What makes this program a host.
pub const ARGUMENT: &str = "be-a-host";

/// Ends this program when the one that started it is gone, however that ended: the pipe to it closes.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
}

/// `cartwright serve`.
#[must_use]
pub fn be() -> ExitCode {
    end_with_parent();
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
    /// Starts one on a free port, and waits until it is ready.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut host = Command::new(std::env::current_exe()?);
        host.arg(ARGUMENT).env("CARTWRIGHT_FOLDER", folder);
        Self::of(host, folder).await
    }

    /// The same of any program that listens where `CARTWRIGHT_LISTEN` says, and answers `/readyz` when it is ready.
    pub async fn of(program: Command, folder: &Path) -> anyhow::Result<Self> {
        let mut process = Self::begin(program, folder)?;
        let patience = Instant::now() + Duration::from_secs(60);
        while !ready(process.address).await {
            if !process.is_alive() || Instant::now() > patience {
                bail!("the host is not ready:\n{}", tail(folder));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    /// Starts it, and does not wait. What it says is in the folder's `host.log`.
    pub fn begin(mut program: Command, folder: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::options().create(true).append(true).open(folder.join("host.log"))?;
        let child = program
            .env("CARTWRIGHT_LISTEN", address.to_string())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the host does not start")?;
        Ok(Self { child, address })
    }

    /// SIGKILL, and the end of it.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and the end of it: whether it ended well, in time.
    pub async fn stop(&mut self, patience: Duration) -> anyhow::Result<bool> {
        self.signal("TERM")?;
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            if Instant::now() > end {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Files that it has open.
    pub fn open_files(&self) -> anyhow::Result<u64> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count() as u64)
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
#[must_use]
pub fn tail(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("host.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}
