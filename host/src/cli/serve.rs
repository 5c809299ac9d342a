//! `cartwright serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use super::Ending;
use crate::config;
use crate::serve::{Host, StartOptions, telemetry};

/// Answer shops until Ctrl-C or SIGTERM
///
/// Reads cartwright.toml and what it names, and reads it again when a file changes. A broken file
/// leaves what was live before live. Ends when it has finished what it holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright serve
  cartwright serve --listen 127.0.0.1:0      on a free port, which the log names
  CARTWRIGHT_LOG=debug cartwright serve      with more to read

These variables win over cartwright.toml: CARTWRIGHT_LISTEN, CARTWRIGHT_DATABASE,
CARTWRIGHT_DATA_DIR, CARTWRIGHT_LOG, CARTWRIGHT_LOG_FORMAT (text or json).")]
pub struct Arguments {
    /// Instead of `listen` in cartwright.toml; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub fn run(folder: &Path, arguments: Arguments) -> Ending {
    telemetry::log(&config::load_host(folder)?.log, None)?;
    super::runtime()?.block_on(async {
        let options = StartOptions { listen: arguments.listen, ..StartOptions::default() };
        let mut host = Host::start(folder, options).await?;
        tokio::select! {
            asked = stop_signal() => asked?,
            broken = host.ended() => return Err(broken),
        }
        tracing::info!("stopping; what is under way is finished first");
        host.stop().await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Ctrl-C, or SIGTERM where there is one.
pub(super) async fn stop_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
