//! What a plugin's file says of itself, in custom sections: name, version, settings schema, texts,
//! templates, README. Nothing in them is compressed, and each has a greatest size, so that a hostile
//! file cannot swell when it is read.

mod bounds;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasm_encoder::{ComponentSection, CustomSection, RawSection};
use wasmparser::{Encoding, Parser, Payload};

use crate::domain::plain;
use crate::wording::Assets;

/// The version of `sdk/wit` that this host speaks.
pub const CONTRACT: &str = "0.1.0";

const IDENTITY: &str = "cartwright:manifest";
/// The guest's own module carries a section of this name too, from where `plugin build` takes it.
pub const SETTINGS: &str = "cartwright:settings";
const ASSETS: &str = "cartwright:assets";
const README: &str = "cartwright:readme";
/// Each name, and the greatest size of it in bytes.
const SECTIONS: [(&str, usize); 4] =
    [(IDENTITY, 16 << 10), (SETTINGS, 256 << 10), (ASSETS, 4 << 20), (README, 256 << 10)];
/// Texts and templates of one plugin.
const MAX_ASSETS: usize = 500;

/// Read from a component's custom sections; written by `cartwright plugin build`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// Small letters, digits and hyphens. Empty for a component that says nothing of itself.
    pub name: String,
    pub version: String,
    pub summary: String,
    /// The version of the contract it was built against.
    pub contract: String,
    /// JSON Schema of the settings; `None`: the plugin has no settings.
    pub schema: Option<serde_json::Value>,
    /// `locales/*.ftl`, `templates/*`; shops share what is made of them.
    pub assets: Arc<Assets>,
    pub readme: String,
}

/// The section `cartwright:manifest`. What a later version adds is ignored.
#[derive(Serialize, Deserialize)]
struct Identity {
    name: String,
    version: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    contract: String,
}

/// Why a file's sections cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    #[error("section `{section}`: {what}")]
    Section { section: String, what: String },
}

impl ManifestError {
    fn section(section: &str, what: impl Into<String>) -> Self {
        Self::Section { section: section.to_owned(), what: what.into() }
    }
}

impl Manifest {
    /// From the bytes of a component; sections of nested modules do not count. A component without
    /// any is a plugin that says nothing of itself.
    pub fn read(component: &[u8]) -> Result<Self, ManifestError> {
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for payload in outermost(component)? {
            let Payload::CustomSection(section) = payload else { continue };
            let name = section.name();
            let Some((name, limit)) = SECTIONS.iter().find(|(own, _)| *own == name) else { continue };
            let data = section.data();
            if data.len() > *limit {
                let what = format!("it has {} bytes; {limit} are allowed", data.len());
                return Err(ManifestError::section(name, what));
            }
            let text =
                std::str::from_utf8(data).map_err(|_| ManifestError::section(name, "it is not UTF-8"))?;
            if found.insert(name, text).is_some() {
                return Err(ManifestError::section(name, "it is there twice; build the plugin again"));
            }
        }
        let mut manifest = Self::default();
        if let Some(text) = found.get(IDENTITY) {
            let identity: Identity = parse(IDENTITY, text)?;
            manifest.name = identity.name;
            manifest.version = identity.version;
            manifest.summary = identity.summary;
            manifest.contract = identity.contract;
            manifest.check_identity()?;
        }
        if let Some(text) = found.get(SETTINGS) {
            manifest.schema = Some(schema(text)?);
        }
        if let Some(text) = found.get(ASSETS) {
            manifest.assets = Arc::new(parse(ASSETS, text)?);
            manifest.check_assets()?;
        }
        if let Some(text) = found.get(README) {
            (*text).clone_into(&mut manifest.readme);
        }
        Ok(manifest)
    }

    /// The component with these sections in place of those it has.
    pub fn write(&self, component: &[u8]) -> Result<Vec<u8>, ManifestError> {
        self.check_identity()?;
        self.check_assets()?;
        let mut out = without_sections(component)?;
        let identity = Identity {
            name: self.name.clone(),
            version: self.version.clone(),
            summary: self.summary.clone(),
            contract: self.contract.clone(),
        };
        append(&mut out, IDENTITY, &to_json(IDENTITY, &identity)?)?;
        if let Some(schema) = &self.schema {
            append(&mut out, SETTINGS, &to_json(SETTINGS, schema)?)?;
        }
        if !self.assets.is_empty() {
            append(&mut out, ASSETS, &to_json(ASSETS, &*self.assets)?)?;
        }
        if !self.readme.is_empty() {
            append(&mut out, README, &self.readme)?;
        }
        Ok(out)
    }

    /// The files of its templates.
    #[must_use]
    pub fn templates(&self) -> Vec<&str> {
        self.assets.keys().filter_map(|path| path.strip_prefix("templates/")).collect()
    }

    /// The languages that it has texts in.
    #[must_use]
    pub fn languages(&self) -> Vec<&str> {
        self.assets.keys().filter_map(|path| path.strip_prefix("locales/")?.strip_suffix(".ftl")).collect()
    }

    fn check_identity(&self) -> Result<(), ManifestError> {
        let name_fits = (1..=64).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !name_fits {
            let what = format!(
                "the name `{}` must be 1 to 64 small letters, digits, hyphens or underscores",
                self.name.escape_default()
            );
            return Err(ManifestError::section(IDENTITY, what));
        }
        let version_fits =
            (1..=64).contains(&self.version.len()) && self.version.bytes().all(|b| b.is_ascii_graphic());
        if !version_fits {
            let what = format!("`{}` is no version, such as 1.2.0", self.version.escape_default());
            return Err(ManifestError::section(IDENTITY, what));
        }
        if self.summary.len() > 1000 || self.summary.chars().any(plain::is_hidden) {
            return Err(ManifestError::section(
                IDENTITY,
                "the summary must be one line of at most 1000 bytes, without marks that turn its direction",
            ));
        }
        Ok(())
    }

    fn check_assets(&self) -> Result<(), ManifestError> {
        if self.assets.len() > MAX_ASSETS {
            let what = format!("{} files; {MAX_ASSETS} are allowed", self.assets.len());
            return Err(ManifestError::section(ASSETS, what));
        }
        match self.assets.keys().find(|path| !asset_path_fits(path)) {
            None => Ok(()),
            Some(path) => {
                let path = path.escape_default();
                let what = format!("`{path}` is neither `locales/<language>.ftl` nor `templates/<file>`");
                Err(ManifestError::section(ASSETS, what))
            }
        }
    }
}

/// One folder deep, so that a path means the same wherever it is looked up.
fn asset_path_fits(path: &str) -> bool {
    let file_fits = |file: &str| {
        !file.is_empty()
            && !file.starts_with('.')
            && file.len() <= 100
            && file.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    match path.split_once('/') {
        Some(("locales", file)) => file.strip_suffix(".ftl").is_some_and(file_fits),
        Some(("templates", file)) => file_fits(file),
        _ => false,
    }
}

/// A schema from a section: an object, with each member once (the SDK writes a field's own bounds
/// after those of its type; the later hold).
pub fn schema(text: &str) -> Result<serde_json::Value, ManifestError> {
    let schema: serde_json::Value = parse(SETTINGS, text)?;
    if !schema.is_object() {
        return Err(ManifestError::section(SETTINGS, "it is no JSON Schema"));
    }
    bounds::check(&schema).map_err(|what| ManifestError::section(SETTINGS, format!("it {what}")))?;
    Ok(schema)
}

fn parse<T: for<'a> Deserialize<'a>>(section: &str, text: &str) -> Result<T, ManifestError> {
    serde_json::from_str(text).map_err(|error| ManifestError::section(section, error.to_string()))
}

fn to_json(section: &str, value: &impl Serialize) -> Result<String, ManifestError> {
    serde_json::to_string(value).map_err(|error| ManifestError::section(section, error.to_string()))
}

/// The payloads of the component itself, without those of what is nested in it.
fn outermost(component: &[u8]) -> Result<Vec<Payload<'_>>, ManifestError> {
    let mut depth = 0_u32;
    let mut payloads = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| ManifestError::NotAComponent(error.to_string()))?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                let what = "it is a core module; `cartwright plugin build` makes a component of it";
                return Err(ManifestError::NotAComponent(what.into()));
            }
            Payload::End(_) if depth > 0 => {
                depth -= 1;
                continue;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                if depth == 0 {
                    payloads.push(payload);
                }
                depth = depth.saturating_add(1);
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            payloads.push(payload);
        }
    }
    Ok(payloads)
}

fn without_sections(component: &[u8]) -> Result<Vec<u8>, ManifestError> {
    let mut out = wasm_encoder::Component::HEADER.to_vec();
    for payload in outermost(component)? {
        if let Payload::CustomSection(section) = &payload
            && SECTIONS.iter().any(|(name, _)| *name == section.name())
        {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = component
                .get(range)
                .ok_or_else(|| ManifestError::NotAComponent("a section reaches beyond the end".into()))?;
            RawSection { id, data }.append_to_component(&mut out);
        }
    }
    Ok(out)
}

fn append(out: &mut Vec<u8>, name: &str, text: &str) -> Result<(), ManifestError> {
    let limit = SECTIONS.iter().find(|(own, _)| *own == name).map_or(0, |(_, limit)| *limit);
    if text.len() > limit {
        let what = format!("it would have {} bytes; {limit} are allowed", text.len());
        return Err(ManifestError::section(name, what));
    }
    CustomSection { name: name.into(), data: text.as_bytes().into() }.append_to_component(out);
    Ok(())
}

#[cfg(test)]
mod tests;
