//! A host as a process of its own: this program, started again. The logic of its plugins runs in the sandbox, in the
//! host's own process, or behind HTTP; all else is the same.

pub mod effects;
pub mod native;
mod sink;
pub mod webhooks;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::Context as _;
use cartwright::decide::stages::Caller;
use cartwright::serve::{Host, StartOptions, telemetry};
use harness::process::{ARGUMENT, Process, end_with_parent};

use native::Native;
use sink::Sink;
use webhooks::Webhooks;

const LOGIC: &str = "CARTWRIGHT_FIGURES_LOGIC";
const ONLY_INTAKE: &str = "CARTWRIGHT_FIGURES_ONLY_INTAKE";

/// Where the plugins' logic runs.
#[derive(Debug, Clone)]
pub enum Logic {
    Sandbox,
    Native,
    /// The services, in the order of the stages.
    Webhooks(Vec<SocketAddr>),
}

/// Starts a host and waits until it is ready.
pub async fn start(folder: &Path, logic: &Logic) -> anyhow::Result<Process> {
    Process::of(command(folder, logic)?, folder).await
}

/// One that takes events and does no work.
pub async fn start_for_intake(folder: &Path) -> anyhow::Result<Process> {
    let mut command = command(folder, &Logic::Sandbox)?;
    command.env(ONLY_INTAKE, "yes");
    Process::of(command, folder).await
}

pub fn command(folder: &Path, logic: &Logic) -> anyhow::Result<Command> {
    let logic = match logic {
        Logic::Sandbox => "sandbox".to_owned(),
        Logic::Native => "native".to_owned(),
        Logic::Webhooks(services) => services.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).env("CARTWRIGHT_FOLDER", folder).env(LOGIC, logic);
    Ok(command)
}

/// As `cartwright serve`, but that messages go nowhere.
pub fn be() -> ExitCode {
    end_with_parent();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::var_os("CARTWRIGHT_FOLDER").context("CARTWRIGHT_FOLDER")?);
    telemetry::log(&cartwright::config::load_host(&folder)?.log, None)?;
    let caller: Option<Arc<dyn Caller>> = match std::env::var(LOGIC)?.as_str() {
        "sandbox" => None,
        "native" => Some(Arc::new(Native)),
        services => Some(Arc::new(Webhooks::new(services)?)),
    };
    let options = StartOptions {
        background: std::env::var_os(ONLY_INTAKE).is_none(),
        channels: Some(vec![Arc::new(Sink)]),
        caller,
        ..StartOptions::default()
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut host = Host::start(&folder, options).await?;
        let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = asked.recv() => host.stop().await,
            broken = host.ended() => Err(broken),
        }
    })
}
