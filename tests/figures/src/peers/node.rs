//! A webhook service in Node with Express, installed when it is first used.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use harness::project;

fn folder() -> PathBuf {
    project().join("tests/figures/node")
}

pub fn command() -> Command {
    let mut command = Command::new("node");
    command.arg(folder().join("service.mjs")).env("NODE_ENV", "production");
    command
}

/// The error is the reason why there is none.
pub fn install() -> anyhow::Result<()> {
    if folder().join("node_modules/express").is_dir() {
        return Ok(());
    }
    let npm = Command::new("npm")
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(folder())
        .stdin(Stdio::null())
        .output();
    let npm = npm.context("npm is not there")?;
    ensure!(npm.status.success(), "npm could not install Express: {}", String::from_utf8_lossy(&npm.stderr));
    Ok(())
}
