//! What a plugin's file says of itself, from the binary alone; and whether a host would load it.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::config::{Limits, ShopConfig};
use crate::domain::{Hook, plain};
use crate::plugins::call::shown;
use crate::plugins::code::Code;
use crate::plugins::engine::Sandbox;
use crate::plugins::extent::Extent;
use crate::plugins::manifest::Manifest;
use crate::plugins::permissions::{Asks, Permission, Refusal};
use crate::plugins::settings;

/// Characters of why a file is none.
const SENTENCE: usize = 1_000;

/// For `plugin inspect`.
#[derive(Debug, Clone)]
pub struct Inspection {
    pub manifest: Manifest,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    pub bytes: u64,
    pub hooks: BTreeSet<Hook>,
    /// What it needs: the grants to write in the shop's file.
    pub permissions: BTreeSet<Permission>,
    /// What it uses when granted and can do without.
    pub optional: BTreeSet<Permission>,
}

/// Reads hooks, permissions and manifest; compiles nothing. An error is a sentence that says what to do.
pub fn inspect(component: &[u8]) -> Result<Inspection, String> {
    // It may quote the file, and a terminal is to show it.
    let sentence = |error: String| plain::one_line(&shown(&error), SENTENCE);
    let asks = asks(component).map_err(|refusal| sentence(refusal.to_string()))?;
    let manifest = Manifest::read(component).map_err(|error| sentence(error.to_string()))?;
    Ok(Inspection {
        manifest,
        sha256: sha256(component),
        bytes: component.len() as u64,
        hooks: asks.hooks,
        permissions: asks.permissions,
        optional: asks.optional,
    })
}

/// For `plugin check`: would a host load it? Compiles it and instantiates it once; with a shop and the
/// name of one of its `[[plugins]]` entries, also its grants and settings. Every error is a sentence.
pub async fn check(component: &[u8], entry: Option<(&ShopConfig, &str)>) -> Result<Inspection, Vec<String>> {
    let inspection = inspect(component).map_err(|sentence| vec![sentence])?;
    let limits = Limits { concurrent_decisions: 1, concurrent_events: 1, ..Limits::default() };
    let mut sentences = Vec::new();
    let sandbox =
        Sandbox::new(&limits).map_err(|error| vec![format!("the sandbox does not start: {error:#}")])?;
    let code = Code::compile(&sandbox, None, component, &inspection.sha256, inspection.hooks.iter().copied());
    let tried = match code {
        Ok(code) => code.try_out(&sandbox, &limits).await,
        Err(sentence) => Err(sentence),
    };
    sentences.extend(tried.err());
    if let Some((shop, name)) = entry {
        sentences.extend(misfits(&inspection, shop, name));
    }
    if sentences.is_empty() { Ok(inspection) } else { Err(sentences) }
}

fn misfits(inspection: &Inspection, shop: &ShopConfig, name: &str) -> Vec<String> {
    let Some(entry) = shop.plugins.iter().find(|entry| entry.name == name) else {
        return vec![format!("the shop `{}` has no plugin `{name}`; add a `[[plugins]]` entry", shop.id)];
    };
    let asks = Asks {
        hooks: inspection.hooks.clone(),
        permissions: inspection.permissions.clone(),
        optional: inspection.optional.clone(),
    };
    let grants = asks.check(&entry.grants).err().map(|refusal| refusal.to_string());
    let settings = settings::fit(inspection.manifest.schema.as_ref(), &entry.settings).err();
    grants.into_iter().chain(settings.map(|misfit| misfit.message)).collect()
}

/// Hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the outermost component imports and exports.
pub(super) fn asks(bytes: &[u8]) -> Result<Asks, Refusal> {
    let broken = |error: wasmparser::BinaryReaderError| Refusal::NotWasm(error.message().to_owned());
    let mut imports = Vec::new();
    let mut exports = Vec::new();
    // Modules and components inside have imports of their own, which say nothing of this one's.
    let mut depth = 0_usize;
    let mut extent = Extent::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(broken)?;
        extent.see(&payload)?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(Refusal::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(broken)?.name.name);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(broken)?.name.name);
                }
            }
            _ => {}
        }
    }
    Asks::read(imports, exports)
}
