//! Manifests round-trip, and a hostile one is a sentence.

use serde_json::json;
use wasm_encoder::{Component, CustomSection, Module, ModuleSection};

use super::*;

fn manifest() -> Manifest {
    Manifest {
        name: "cross-sell".into(),
        version: "0.1.0".into(),
        summary: "What goes together — „razem”".into(),
        contract: CONTRACT.into(),
        schema: Some(json!({ "type": "object", "properties": { "max": { "type": "integer" } } })),
        assets: Arc::new(Assets::from([
            ("locales/en.ftl".into(), "why = Often bought together\n".into()),
            ("templates/thanks.html".into(), "<p>{{ name }}</p>".into()),
        ])),
        readme: "# Cross-sell\n".into(),
    }
}

/// A component with a nested module that has a section of its own.
fn component() -> Vec<u8> {
    let mut module = Module::new();
    module.section(&CustomSection { name: SETTINGS.into(), data: b"of the nested module"[..].into() });
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.section(&CustomSection { name: "producers".into(), data: b"\0"[..].into() });
    component.finish()
}

fn with_section(name: &str, data: &[u8]) -> Vec<u8> {
    let mut component = component();
    CustomSection { name: name.into(), data: data.into() }.append_to_component(&mut component);
    component
}

fn refused(bytes: &[u8]) -> String {
    Manifest::read(bytes).unwrap_err().to_string()
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    let written = manifest().write(&component()).unwrap();
    assert_eq!(Manifest::read(&written).unwrap(), manifest());
}

#[test]
fn writing_again_replaces_the_sections_and_keeps_the_rest() {
    let first = manifest().write(&component()).unwrap();
    let other = Manifest { schema: None, readme: String::new(), version: "0.2.0".into(), ..manifest() };
    let second = other.write(&first).unwrap();
    assert_eq!(Manifest::read(&second).unwrap(), other);
    assert_eq!(without_sections(&second).unwrap(), component());
}

#[test]
fn a_component_without_sections_says_nothing() {
    assert_eq!(Manifest::read(&component()).unwrap(), Manifest::default());
}

#[test]
fn what_is_no_component_is_refused() {
    assert!(refused(b"<html>").starts_with("not a WebAssembly component: "), "{}", refused(b"<html>"));
    let module = Module::new().finish();
    assert!(refused(&module).contains("`cartwright plugin build` makes a component of it"));
    let whole = manifest().write(&component()).unwrap();
    for end in 0..whole.len() {
        // Cut between two sections it is a shorter component.
        if let Ok(read) = Manifest::read(&whole[..end]) {
            assert_ne!(read, manifest());
        }
    }
}

#[test]
fn a_section_that_lies_about_its_length_is_refused() {
    let mut bytes = component();
    // A custom section of 256 MiB, of which nothing follows.
    bytes.extend([0, 0x80, 0x80, 0x80, 0x80, 0x01]);
    assert!(refused(&bytes).starts_with("not a WebAssembly component: "));
}

#[test]
fn a_section_that_is_too_large_twice_or_no_json_is_refused() {
    let huge = with_section(SETTINGS, &vec![b' '; (256 << 10) + 1]);
    assert_eq!(refused(&huge), "section `cartwright:settings`: it has 262145 bytes; 262144 are allowed");
    let mut twice = with_section(README, b"one");
    CustomSection { name: README.into(), data: b"two"[..].into() }.append_to_component(&mut twice);
    assert_eq!(refused(&twice), "section `cartwright:readme`: it is there twice; build the plugin again");
    assert!(refused(&with_section(README, b"\xff")).ends_with("it is not UTF-8"));
    assert!(refused(&with_section(IDENTITY, b"{}")).contains("missing field `name`"));
    assert!(refused(&with_section(SETTINGS, b"[]")).ends_with("it is no JSON Schema"));
    let deep = "[".repeat(200_000);
    assert!(refused(&with_section(SETTINGS, deep.as_bytes())).contains("recursion limit"));
}

#[test]
fn names_and_paths_are_checked_both_ways() {
    for name in ["", "Cross", "a b", "../a", "ż", &"a".repeat(65)] {
        let section = json!({ "name": name, "version": "1.0.0" }).to_string();
        assert!(refused(&with_section(IDENTITY, section.as_bytes())).contains("the name `"), "{name}");
        let written = Manifest { name: name.into(), ..manifest() }.write(&component());
        assert!(written.is_err(), "{name}");
    }
    for path in
        ["locales/en.txt", "locales/../x.ftl", "templates/a/b.html", "/etc/passwd", "templates/.x", "x"]
    {
        let section = json!({ path: "" }).to_string();
        assert!(refused(&with_section(ASSETS, section.as_bytes())).contains("is neither"), "{path}");
    }
    let long = Manifest { readme: "x".repeat((256 << 10) + 1), ..manifest() }.write(&component());
    assert!(long.unwrap_err().to_string().contains("262144 are allowed"));
}
