//! From the compiler's core module to a component.

use anyhow::{Context, bail};
use wasm_encoder::{RawSection, Section};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::plugins::manifest;

/// A component from a core module that carries the types of its world, as wit-bindgen leaves it.
/// Imports that the module does not use are left out: they are what the plugin asks to be granted.
pub fn componentise(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    check_imports(module)?;
    let encoder = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module does not say which hooks it exports; does it call `cartwright_sdk::export!`?")?;
    { encoder }
        .encode()
        .context("the module does not fit the contract; build it with the cartwright-sdk of this host")
}

/// The module without the settings' schema, and the schema: in the plugin's file it has its own place.
pub fn take_schema(module: &[u8]) -> anyhow::Result<(Vec<u8>, Option<serde_json::Value>)> {
    let mut out = wasm_encoder::Module::HEADER.to_vec();
    let mut schema = None;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("the compiler's file is no WebAssembly module")?;
        if let Payload::CustomSection(section) = &payload
            && section.name() == manifest::SETTINGS
        {
            let text =
                std::str::from_utf8(section.data()).context("the schema of the settings is not UTF-8")?;
            let read = manifest::schema(text).context(
                "the schema of the settings cannot be read; is every `default_json` JSON, and `settings:` given to one `export!` only?",
            );
            schema = Some(read?);
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = module.get(range).context("a section reaches beyond the end of the module")?;
            RawSection { id, data }.append_to(&mut out);
        }
    }
    Ok((out, schema))
}

/// A plugin reaches nothing but the contract: say so in words, before the encoder does.
fn check_imports(module: &[u8]) -> anyhow::Result<()> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(imports) = payload.context("not a WebAssembly module")? else { continue };
        for import in imports.into_imports() {
            let import = import.context("not a WebAssembly module")?;
            if !import.module.starts_with("cartwright:plugin/") {
                bail!(
                    "it imports `{}` from `{}`, which no host offers: a plugin has no files, clock, network or \
                     JavaScript of its own. Leave out the dependency that wants it (often `getrandom`, `chrono` or \
                     `wasm-bindgen`); `context` has the time and a seed for random numbers",
                    import.name,
                    import.module
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{CustomSection, EntityType, ImportSection, Module, TypeSection};

    use super::*;

    fn module_that_imports(from: &str) -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        imports.import(from, "now", EntityType::Function(0));
        module.section(&imports);
        module.finish()
    }

    #[test]
    fn a_module_that_wants_more_than_the_contract_is_told_what_to_leave_out() {
        for from in ["wasi_snapshot_preview1", "__wbindgen_placeholder__", "env"] {
            let error = componentise(&module_that_imports(from)).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("it imports `now` from `{from}`, which no host offers")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_schema_moves_out_of_the_module() {
        let mut module = Module::new();
        let schema = br#"{"type":"object","properties":{"n":{"minimum":0,"minimum":3}}}"#;
        module.section(&CustomSection { name: manifest::SETTINGS.into(), data: schema[..].into() });
        module.section(&CustomSection { name: "name".into(), data: b""[..].into() });
        let (rest, schema) = take_schema(&module.finish()).unwrap();
        let schema = schema.unwrap();
        // Of a field's bounds, those that the field states.
        assert_eq!(schema["properties"]["n"], serde_json::json!({ "minimum": 3 }));
        assert_eq!(take_schema(&rest).unwrap(), (rest.clone(), None));
        assert_eq!(
            Parser::new(0).parse_all(&rest).filter(|p| matches!(p, Ok(Payload::CustomSection(_)))).count(),
            1
        );
    }

    #[test]
    fn a_schema_written_twice_is_refused() {
        let mut module = Module::new();
        module.section(&CustomSection { name: manifest::SETTINGS.into(), data: b"{}{}"[..].into() });
        let error = format!("{:#}", take_schema(&module.finish()).unwrap_err());
        assert!(error.contains("`settings:` given to one `export!` only"), "{error}");
    }
}
