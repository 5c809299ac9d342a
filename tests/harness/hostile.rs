//! The hostile collection, `tests/fixtures/hostile/`: a folder for each plugin that wants to do harm, with what
//! must happen.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use wit_component::{StringEncoding, embed_component_metadata};

use crate::hostile_files;
pub use crate::hostile_files::bit_flipped;
use crate::project;

/// A plugin that wants to do harm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Of its folder.
    #[serde(skip)]
    pub name: String,
    /// Its file, built.
    #[serde(skip)]
    pub file: PathBuf,
    /// What it does, in a sentence.
    pub about: String,
    /// When it is called: `pricing`, `delivery`, `content`, `review` or an event hook.
    #[serde(default = "pricing")]
    pub hook: String,
    #[serde(default)]
    pub grants: Vec<String>,
    /// More lines of its `[[plugins]]` entry.
    #[serde(default)]
    pub entry: String,
    /// The file is made (`hostile_files.rs`), from the folder's source where it has one.
    pub made: Option<String>,
    pub expect: Expect,
}

/// What must happen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub outcome: Outcome,
    /// What a person must find in the sentence that tells of it.
    #[serde(default)]
    pub says: Vec<String>,
}

/// What the host makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It does not become live; `GET /v1/plugins` says why.
    Refused,
    /// Its calls fail, as `Fault::kind` names it.
    Err,
    Trap,
    Late,
    Limit,
    /// What it asked for cannot be, as is seen when an event's effects are put together.
    Effects,
    Host,
    /// It is called, and what it says is taken as far as it may be said.
    Corrected,
}

impl Outcome {
    /// The same word as in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Err => "err",
            Self::Trap => "trap",
            Self::Late => "late",
            Self::Limit => "limit",
            Self::Effects => "effects",
            Self::Host => "host",
            Self::Corrected => "corrected",
        }
    }
}

/// Whether a hook is called while a shopper waits.
#[must_use]
pub fn is_decision(hook: &str) -> bool {
    ["pricing", "delivery", "content", "review"].contains(&hook)
}

fn pricing() -> String {
    "pricing".to_owned()
}

impl Case {
    /// Its `[[plugins]]` entry, under its own name, with a file of that name.
    #[must_use]
    pub fn entry(&self) -> String {
        let Self { name, grants, entry, .. } = self;
        format!("\n[[plugins]]\nname = \"{name}\"\nsource = \"{name}.wasm\"\ngrants = {grants:?}\n{entry}\n")
    }
}

/// The whole collection, built once in a run, sorted by name.
pub fn collection() -> &'static [Case] {
    static BUILT: OnceLock<Vec<Case>> = OnceLock::new();
    BUILT.get_or_init(|| build().expect("the hostile collection builds"))
}

/// One of it.
pub fn case(name: &str) -> &'static Case {
    collection().iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no hostile plugin {name}"))
}

fn build() -> anyhow::Result<Vec<Case>> {
    let folder = project().join("tests/fixtures/hostile");
    let out = project().join("target/hostile-plugins");
    cartwright::cli::package::build_all(&folder, &out, &mut |_| {})?;
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.is_dir() {
            cases.push(read(&path, &out).with_context(|| path.display().to_string())?);
        }
    }
    cases.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(cases)
}

fn read(folder: &Path, out: &Path) -> anyhow::Result<Case> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("a name")?;
    let mut case: Case = toml::from_str(&std::fs::read_to_string(folder.join("case.toml"))?)?;
    name.clone_into(&mut case.name);
    case.file = out.join(format!("{}.wasm", name.replace('-', "_")));
    let [module, component] = ["module.wat", "component.wat"].map(|source| folder.join(source));
    let source = if module.is_file() {
        Some(componentised(&wat::parse_file(module)?)?)
    } else if component.is_file() {
        Some(wat::parse_file(component)?)
    } else {
        None
    };
    let source = source.map(|bytes| with_sections(folder, bytes)).transpose()?;
    match (&case.made, source) {
        (Some(made), source) => hostile_files::make(made, source, &case.file)?,
        (None, Some(bytes)) => std::fs::write(&case.file, bytes)?,
        (None, None) => ensure!(folder.join("Cargo.toml").is_file(), "it has no source"),
    }
    Ok(case)
}

/// The component with what lies beside its text: sections just as they are, texts and templates.
fn with_sections(folder: &Path, mut component: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    for name in ["manifest", "settings", "assets"] {
        if let Ok(data) = std::fs::read(folder.join(format!("{name}.json"))) {
            component.extend(hostile_files::section(&format!("cartwright:{name}"), &data));
        }
    }
    let assets = cartwright::cli::package::assets(folder)?;
    if !assets.is_empty() {
        let data = serde_json::to_vec(&assets)?;
        component.extend(hostile_files::section("cartwright:assets", &data));
    }
    Ok(component)
}

/// A component from a core module that imports and exports by the names of the contract
/// (`cartwright:plugin/pricing@0.1.0#price`), as a compiler would leave it.
pub fn componentised(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    use wasmparser::{Parser, Payload};
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports.push(import?.module.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    // `cabi_post_…` belongs to the export of that name.
                    let interface = export?.name.split_once('#').map(|(interface, _)| interface);
                    let interface = interface.filter(|name| !name.starts_with("cabi_post_"));
                    exports.extend(interface.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    imports.dedup();
    exports.dedup();
    let mut world = "package hostile:plugin;\nworld plugin {\n".to_owned();
    for (word, names) in [("import", imports), ("export", exports)] {
        for name in names {
            if !name.starts_with("cartwright:plugin/") {
                bail!("`{name}` is not of the contract: write the component itself");
            }
            writeln!(world, "{word} {name};")?;
        }
    }
    world.push('}');
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_dir(project().join("sdk/wit"))?;
    let package = resolve.push_str("plugin.wit", &world)?;
    let world = resolve.select_world(&[package], None)?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    wit_component::ComponentEncoder::default().validate(true).module(&module)?.encode()
}
