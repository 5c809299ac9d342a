//! What a plugin's file says of itself, from the binary alone.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::domain::plain::harmless;
use crate::domain::{Hook, plain};
use crate::plugins::call::shown;
use crate::plugins::extent::Extent;
use crate::plugins::manifest::Manifest;
use crate::plugins::permissions::{Asks, Permission, Refusal};

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

impl Inspection {
    #[must_use]
    pub fn asks(&self) -> Asks {
        Asks {
            hooks: self.hooks.clone(),
            permissions: self.permissions.clone(),
            optional: self.optional.clone(),
        }
    }
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

/// Hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the outermost component imports and exports.
pub(super) fn asks(bytes: &[u8]) -> Result<Asks, Refusal> {
    let broken = |error: wasmparser::BinaryReaderError| Refusal::NotWasm(harmless(error.message(), 300));
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
