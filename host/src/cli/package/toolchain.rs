//! Is there a Rust that can build WebAssembly, and if not, what to do.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

pub(super) const TARGET: &str = "wasm32-unknown-unknown";
pub(super) const NO_RUST: &str = "was not found: install Rust from https://rustup.rs, then run this again";

/// Whether the wasm target is there; the error says how to get it.
pub fn has_target() -> anyhow::Result<()> {
    has_target_in(Path::new("."))
}

/// Adds the wasm target when it is missing; true when it was added.
pub fn ensure_target() -> anyhow::Result<bool> {
    ensure_target_in(Path::new("."))
}

/// A folder may choose its own toolchain.
fn has_target_in(folder: &Path) -> anyhow::Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder);
    let library = run(&mut rustc, "rustc")?;
    let library = String::from_utf8_lossy(&library);
    if Path::new(library.trim()).is_dir() {
        Ok(())
    } else {
        bail!(
            "Rust cannot build WebAssembly yet: run `rustup target add {TARGET}`, then this again (without rustup: \
             install the target with what installed Rust, or Rust from https://rustup.rs)"
        )
    }
}

/// See [`ensure_target`].
pub fn ensure_target_in(folder: &Path) -> anyhow::Result<bool> {
    let Err(missing) = has_target_in(folder) else {
        return Ok(false);
    };
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(folder).stdin(Stdio::null());
    match rustup.output() {
        Ok(output) if output.status.success() => has_target_in(folder).map(|()| true),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!(
                "`rustup target add {TARGET}` failed; check the network and run it again:\n{}",
                words.trim()
            )
        }
        // Without rustup only the person knows where their Rust comes from.
        Err(_) => Err(missing),
    }
}

/// What it writes; an error in its own words.
pub(super) fn run(command: &mut Command, name: &str) -> anyhow::Result<Vec<u8>> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("`{name}` {NO_RUST}"),
        Err(error) => return Err(error).with_context(|| format!("cannot run `{name}`")),
    };
    if output.status.success() {
        Ok(output.stdout)
    } else {
        bail!("`{name}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim())
    }
}
