//! What a plugin's file says of itself, in custom sections: name, version, settings schema, texts,
//! templates, README.

use crate::wording::Assets;

/// Read from a component's custom sections; written by `cartwright plugin build`.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub summary: String,
    /// JSON Schema of the settings; `None`: the plugin has no settings.
    pub schema: Option<serde_json::Value>,
    /// `locales/*.ftl`, `templates/*`.
    pub assets: Assets,
    pub readme: String,
}

/// Why a file's sections cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    #[error("section `{section}`: {what}")]
    Section { section: String, what: String },
}

impl Manifest {
    /// From the bytes of a component; sections of nested modules do not count.
    pub fn read(component: &[u8]) -> Result<Self, ManifestError> {
        let _ = component;
        todo!()
    }

    /// The component with these sections in place of those it has.
    pub fn write(&self, component: &[u8]) -> Result<Vec<u8>, ManifestError> {
        let _ = component;
        todo!()
    }
}
