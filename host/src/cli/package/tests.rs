//! Builds the smallest plugin, for real.

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/plugins").join(name)
}

#[test]
fn an_empty_plugin_is_small_and_reaches_nothing() {
    let out = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let built = build(&fixture("empty"), out.path(), &mut |step| seen.push(step)).unwrap();
    assert_eq!(built.file, out.path().join("empty.wasm"));
    assert_eq!((built.name.as_str(), built.version.as_str()), ("empty", "0.1.0"));
    assert_eq!(seen.last(), Some(&Progress::Done { plugin: "empty".into(), built: 1, of: 1 }));

    let bytes = std::fs::read(&built.file).unwrap();
    assert_eq!(bytes.len() as u64, built.bytes);
    assert!(bytes.len() < 60_000, "{} bytes", bytes.len());

    let decoded = wit_component::decode(&bytes).unwrap();
    let resolve = decoded.resolve();
    let (_, world) = resolve.worlds.iter().find(|(_, world)| !world.exports.is_empty()).unwrap();
    let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
        items.keys().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>()
    };
    assert_eq!(names(&world.exports), ["cartwright:plugin/order-placed@0.1.0"]);
    // Types only: it reads nothing, does nothing, and knows no WASI.
    assert_eq!(names(&world.imports), ["cartwright:plugin/types@0.1.0"]);

    let manifest = Manifest::read(&bytes).unwrap();
    assert_eq!(manifest.name, "empty");
    assert_eq!(manifest.summary, "Does nothing.");
    assert_eq!(manifest.contract, CONTRACT);
    assert_eq!(manifest.schema, None);
}
