//! The vocabulary is written by hand beside the WIT, and a difference is no compile error: these tests
//! find it. A stub of every world is instantiated, and its functions are compared with the types.

use wit_parser::Resolve;

use crate::domain::Hook;
use crate::plugins::code::Code;
use crate::plugins::fixtures;
use crate::plugins::{inspect, permissions};

async fn loads(bytes: &[u8]) -> Result<(), String> {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    let asks = inspect::asks(bytes).map_err(|refusal| refusal.to_string())?;
    let code = Code::compile(&sandbox, None, bytes, "", asks.hooks)?;
    code.try_out(&sandbox, &limits).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_of_each_hook_fits_the_vocabulary() {
    for hook in Hook::ALL {
        let stub = fixtures::stub(&["context"], &[hook.name()]);
        assert_eq!(loads(&stub).await, Ok(()), "{}", hook.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_with_every_import_fits_the_vocabulary() {
    let interfaces = interfaces_of("imports");
    let all: Vec<&str> = interfaces.iter().map(String::as_str).collect();
    assert_eq!(loads(&fixtures::stub(&all, &["timer"])).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_between_contract_and_vocabulary_is_found() {
    let cases = [
        // A field more in what a handler takes.
        ("record cart {", "record cart { gift: bool,", "context", "pricing"),
        // A field of another type in what an import gives.
        ("postcode: option<string>", "postcode: string", "orders", "timer"),
        // A case more in what an import takes.
        ("free-delivery,", "free-delivery, free-gift,", "coupons", "timer"),
        // Another function.
        ("now-ms: func() -> s64;", "now-ms: func() -> u64;", "context", "timer"),
        ("fill: func(page: string,", "fill: func(page: u32,", "context", "content"),
    ];
    for (from, to, import, hook) in cases {
        let stub = fixtures::stub_against(from, to, &[import], &[hook]);
        let sentence = loads(&stub).await.unwrap_err();
        assert!(
            sentence.starts_with("does not fit version 0.1.0 of cartwright:plugin: "),
            "{to}: {sentence}"
        );
        assert!(sentence.ends_with("build it with the SDK of that version"), "{to}: {sentence}");
    }
}

#[test]
fn every_import_of_the_contract_is_free_or_can_be_granted() {
    for name in interfaces_of("imports") {
        let import = format!("{}/{name}@0.1.0", permissions::PACKAGE);
        let asks = permissions::Asks::read([import.as_str()], ["cartwright:plugin/timer@0.1.0"]).unwrap();
        for permission in &asks.permissions {
            assert_eq!(permission.0, name);
            assert!(permissions::GRANTS.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn every_hook_of_the_contract_has_a_world_and_a_name() {
    for hook in Hook::ALL {
        let exports = interfaces_of(&format!("{}-hook", hook.name()));
        assert!(exports.iter().any(|name| name == hook.name()), "{}: {exports:?}", hook.name());
    }
}

/// Names of what a world of the contract imports and exports, but for the types that it uses.
fn interfaces_of(world: &str) -> Vec<String> {
    let mut resolve = Resolve::default();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit");
    let (package, _) = resolve.push_dir(path).unwrap();
    let world = &resolve.worlds[resolve.select_world(&[package], Some(world)).unwrap()];
    world
        .imports
        .values()
        .chain(world.exports.values())
        .filter_map(|item| match item {
            wit_parser::WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone(),
            _ => None,
        })
        .filter(|name| name != "types")
        .collect()
}
