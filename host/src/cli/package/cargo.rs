//! Asking cargo: what a project is, and compiling it for wasm.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::Progress;
use super::toolchain::{NO_RUST, TARGET, run};

/// A plugin's crate.
#[derive(Debug, Clone)]
pub struct Project {
    pub name: String,
    pub version: String,
    /// One line; the `description` of `Cargo.toml`.
    pub summary: String,
    pub folder: PathBuf,
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
    /// The folder of the workspace, which is its own for a crate alone.
    pub workspace: PathBuf,
    /// Where it is compiled.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Project {
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let manifest = folder.join("Cargo.toml");
        let Ok(manifest) = manifest.canonicalize() else {
            bail!("{} is no plugin: it has no Cargo.toml", folder.display());
        };
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest);
        let output = run(&mut command, "cargo")?;
        let metadata: Metadata = serde_json::from_slice(&output).context("cargo metadata cannot be read")?;
        let package = metadata
            .packages
            .into_iter()
            .find(|package| same_file(&package.manifest_path, &manifest))
            .with_context(|| format!("{} describes a workspace, not a plugin", manifest.display()))?;
        if !package.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib")) {
            bail!(
                "`{}` builds no WebAssembly module: write\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\ninto {}",
                package.name,
                manifest.display()
            );
        }
        let summary = package.description.unwrap_or_default();
        Ok(Self {
            name: package.name,
            version: package.version,
            summary: summary.split_whitespace().collect::<Vec<_>>().join(" "),
            folder: manifest.parent().unwrap_or(folder).to_owned(),
            manifest,
            workspace: metadata.workspace_root,
            // Not the folder of an outer cargo (`cargo demo`, `cargo test`), whose lock we would wait for.
            target: metadata.target_directory.join("plugins"),
        })
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| one == other)
}

/// The cargo that runs us, else the one on the path.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// One message of cargo's; others than artifacts are left out.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Compiles projects of one workspace: their `Cargo.toml` → the module.
pub fn compile(
    projects: &[&Project],
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<BTreeMap<PathBuf, PathBuf>> {
    let Some(first) = projects.first() else {
        return Ok(BTreeMap::new());
    };
    let mut command = cargo();
    command
        .args([
            "build",
            "--release",
            "--lib",
            "--target",
            TARGET,
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(if projects.len() == 1 { first.manifest.clone() } else { first.workspace.join("Cargo.toml") })
        .current_dir(&first.workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for project in projects {
        command.args(["--package", &project.name]);
    }
    for (name, value) in environment(first) {
        command.env(name, value);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("`cargo` {NO_RUST}"),
        Err(error) => return Err(error).context("cannot run `cargo`"),
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Read beside the progress, or a full pipe would stop cargo.
    let messages = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.map(|mut stdout| stdout.read_to_string(&mut text)).transpose().map(|_| text)
    });
    let mut words = Vec::new();
    for line in stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines()) {
        let line = line.context("cannot read what cargo says")?;
        progress(Progress::Compiling { plugin: plugin_of(&line, projects), line: line.trim().to_owned() });
        words.push(line);
    }
    let status = child.wait().context("cannot wait for cargo")?;
    let messages = messages.join().map_err(|_| anyhow::anyhow!("reading what cargo built failed"))??;
    if !status.success() {
        let names: Vec<&str> = projects.iter().map(|project| project.name.as_str()).collect();
        bail!("cargo could not build {}:\n{}", names.join(", "), complaint(&words));
    }
    let mut modules = BTreeMap::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
        let module =
            message.filenames.into_iter().find(|file| file.extension().is_some_and(|own| own == "wasm"));
        if let (Some(manifest), Some(module), "compiler-artifact") =
            (message.manifest_path, module, message.reason.as_str())
        {
            modules.insert(manifest.canonicalize().unwrap_or(manifest), module);
        }
    }
    Ok(modules)
}

/// What a plugin's own `Cargo.toml` need not say: fast and small code, a stack of 64 KiB (a page of
/// which is the whole cost of a call that needs no more), and no folder of this machine in the file.
fn environment(project: &Project) -> Vec<(&'static str, OsString)> {
    let mut flags = vec!["-Clink-arg=-zstack-size=65536".to_owned()];
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    for (folder, name) in [(cargo_home.as_deref(), "cargo"), (Some(project.workspace.as_path()), "plugin")] {
        if let Some(folder) = folder {
            flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
        }
    }
    vec![
        ("CARGO_TARGET_DIR", project.target.clone().into_os_string()),
        // Stands above `RUSTFLAGS` and every config file, so that all get the same plugin.
        ("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}").into()),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3".into()),
        ("CARGO_PROFILE_RELEASE_LTO", "fat".into()),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1".into()),
        ("CARGO_PROFILE_RELEASE_PANIC", "abort".into()),
        ("CARGO_PROFILE_RELEASE_DEBUG", "false".into()),
        // An amount that wraps is worse than a call that ends.
        ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true".into()),
        // Names stay, so that a trap says where.
        ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo".into()),
        ("CARGO_TERM_COLOR", "never".into()),
    ]
}

/// Of which plugin a line speaks: `Compiling cross-sell v0.1.0 (…)`.
fn plugin_of(line: &str, projects: &[&Project]) -> String {
    let named = line.split_whitespace().nth(1);
    let project = match projects {
        [only] => Some(only),
        several => several.iter().find(|project| Some(project.name.as_str()) == named),
    };
    project.map(|project| project.name.clone()).unwrap_or_default()
}

/// What the compiler has against it, without the lines of progress.
fn complaint(words: &[String]) -> String {
    let progress =
        ["Compiling ", "Downloading ", "Downloaded ", "Updating ", "Locking ", "Blocking ", "Adding "];
    let lines = words.iter().filter(|line| !progress.iter().any(|word| line.trim_start().starts_with(word)));
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(name: &str) -> Project {
        Project {
            name: name.into(),
            version: "0.1.0".into(),
            summary: String::new(),
            folder: "/p".into(),
            manifest: "/p/Cargo.toml".into(),
            workspace: "/p".into(),
            target: "/p/target/plugins".into(),
        }
    }

    #[test]
    fn a_line_of_cargo_is_about_the_plugin_it_names() {
        let (one, two) = (project("one"), project("two"));
        let line = "   Compiling two v0.1.0 (/p/two)";
        assert_eq!(plugin_of(line, &[&one, &two]), "two");
        assert_eq!(plugin_of("   Compiling syn v2.0.0", &[&one, &two]), "");
        assert_eq!(plugin_of("   Compiling syn v2.0.0", &[&one]), "one");
    }

    #[test]
    fn a_complaint_is_what_the_compiler_says_without_the_progress() {
        let words = [
            "   Compiling syn v2",
            "error[E0425]: cannot find `x`",
            "  --> src/lib.rs:1:1",
            "",
            "warning: y",
        ];
        let words: Vec<String> = words.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(complaint(&words), "error[E0425]: cannot find `x`\n  --> src/lib.rs:1:1\n\nwarning: y");
    }

    #[test]
    fn a_folder_without_a_project_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = Project::read(folder.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{} is no plugin: it has no Cargo.toml", folder.path().display()));
    }

    #[test]
    fn a_crate_that_makes_no_module_says_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let toml = "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::write(folder.path().join("Cargo.toml"), toml).unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/lib.rs"), "").unwrap();
        let error = Project::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("crate-type = [\"cdylib\", \"rlib\"]"), "{error}");
    }
}
