//! Components for tests: small core modules in text, componentised against the contract.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::config::{Limits, OnLate, PluginEntry};
use crate::domain::{Cart, Hook, Order, Product, ReadError, Reads, StateOwner, Versioned};
use crate::plugins::call::{Input, Invocation, Surroundings};
use crate::plugins::code::Code;
use crate::plugins::engine::Sandbox;
use crate::plugins::inspect;
use crate::plugins::registry::{LivePlugin, Plugin};

#[path = "../../../tests/harness/author.rs"]
mod author;
pub(super) use author::Author;

/// A guest's allocator, memory, and a result at 16 that is `ok`.
const BASE: &str = r#"
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
      (i32.xor (i32.sub (local.get 2) (i32.const 1)) (i32.const -1))))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
"#;

/// One handler whose only parameter is in memory (`pricing`, `order-placed`, …). `imports` is text of
/// core imports; `body` leaves nothing behind, and the handler then returns `ok`.
pub(super) fn handler(hook: Hook, imports: &str, body: &str) -> Vec<u8> {
    let parameters = if hook == Hook::CustomerCreated { "" } else { "(param i32)" };
    let module = format!(
        "(module {imports} {BASE} (func (export \"cartwright:plugin/{}@0.1.0#{}\") {parameters} (result i32) \
         {body} (i32.const 16)))",
        hook.name(),
        hook.function()
    );
    let imported: Vec<String> = imports
        .split("\"cartwright:plugin/")
        .skip(1)
        .filter_map(|rest| rest.split('@').next().map(str::to_owned))
        .collect();
    component(&module, &imported, &[hook.name().to_owned()])
}

/// A component from a core module, with the interfaces of the contract that it imports and exports.
pub(super) fn component(module: &str, imports: &[String], exports: &[String]) -> Vec<u8> {
    let (resolve, id) = resolved(&contract(), &world(imports, exports));
    componentise(wat::parse_str(module).unwrap(), &resolve, id)
}

/// A component that has all that the world has, and does nothing.
pub(super) fn stub(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    stub_in(&contract(), &owned_world(imports, exports))
}

fn stub_in(contract: &Path, world: &str) -> Vec<u8> {
    let (resolve, id) = resolved(contract, world);
    let mangling = wit_parser::ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync);
    componentise(wit_component::dummy_module(&resolve, id, mangling), &resolve, id)
}

fn owned_world(imports: &[&str], exports: &[&str]) -> String {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    world(&owned(imports), &owned(exports))
}

fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit")
}

/// The same against a contract that was changed: `from` → `to` in its text.
pub(super) fn stub_against(from: &str, to: &str, imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut changed = false;
    for entry in std::fs::read_dir(contract()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        changed |= text.contains(from);
        std::fs::write(folder.path().join(path.file_name().unwrap()), text.replace(from, to)).unwrap();
    }
    assert!(changed, "the contract has no `{from}`");
    stub_in(folder.path(), &owned_world(imports, exports).replace(from, to))
}

fn world(imports: &[String], exports: &[String]) -> String {
    let mut text = "package test:guest;\nworld guest {\n".to_owned();
    for import in imports {
        let line = format!("import cartwright:plugin/{import}@0.1.0;\n");
        if !text.contains(&line) {
            text.push_str(&line);
        }
    }
    for export in exports {
        text.push_str(&format!("export cartwright:plugin/{export}@0.1.0;\n"));
    }
    text.push('}');
    text
}

fn resolved(contract: &Path, world: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    resolve.push_dir(contract).unwrap();
    let package = resolve.push_str("guest.wit", world).unwrap();
    let id = resolve.select_world(&[package], Some("guest")).unwrap();
    (resolve, id)
}

fn componentise(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

pub(super) fn sandbox(limits: &Limits) -> Arc<Sandbox> {
    Arc::new(Sandbox::new(limits).unwrap())
}

/// Small, so that many sandboxes fit into one test process.
pub(super) fn limits() -> Limits {
    Limits {
        memory_mib: 4,
        concurrent_decisions: 4,
        concurrent_events: 2,
        // A busy machine may keep a thread from running for a while.
        decision_ms: 5_000,
        event_ms: 5_000,
        decision_cpu_ms: 10_000,
        event_cpu_ms: 10_000,
        share_percent: 100,
        shop_share_percent: 100,
        ..Limits::default()
    }
}

/// A plugin as it would be live, with these grants.
pub(super) fn live(sandbox: &Sandbox, limits: &Limits, bytes: &[u8], grants: &[&str]) -> Arc<LivePlugin> {
    live_in("lipa", sandbox, limits, bytes, grants)
}

pub(super) fn live_in(
    shop: &str,
    sandbox: &Sandbox,
    limits: &Limits,
    bytes: &[u8],
    grants: &[&str],
) -> Arc<LivePlugin> {
    let asks = inspect::asks(bytes).unwrap();
    let sha256 = inspect::sha256(bytes);
    let code = Code::compile(sandbox, None, bytes, &sha256, asks.hooks.iter().copied()).unwrap();
    let plugin = Plugin {
        manifest: crate::plugins::manifest::Manifest::default(),
        sha256,
        bytes: bytes.len() as u64,
        hooks: asks.hooks,
        permissions: asks.permissions,
        optional: asks.optional,
        code,
    };
    Arc::new(LivePlugin::new(shop, entry("guest", grants), Arc::new(plugin), "{\"a\":1}", limits))
}

pub(super) fn entry(name: &str, grants: &[&str]) -> PluginEntry {
    PluginEntry {
        name: name.to_owned(),
        source: format!("{name}.wasm"),
        sha256: None,
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        hosts: Vec::new(),
        settings: Arc::new(toml::Value::Table(toml::Table::new())),
        on_late: OnLate::default(),
        limits: crate::config::PluginLimits::default(),
        enabled: true,
    }
}

pub(super) fn around() -> Surroundings {
    let mut around = crate::plugins::code::nowhere();
    around.now_ms = 1_795_859_400_000;
    around.shop = Arc::new(crate::domain::Shop {
        id: "lipa".to_owned(),
        url: "https://shop.example".to_owned(),
        ..(*around.shop).clone()
    });
    around
}

pub(super) fn invocation(plugin: Arc<LivePlugin>, hook: Hook, store: &Arc<Memory>) -> Invocation {
    let input = match hook {
        Hook::OrderPlaced => Input::Order(Arc::new(order())),
        Hook::CustomerCreated => Input::Nothing,
        Hook::Content => Input::Content { page: "cart".to_owned(), cart: None, product: None },
        _ => Input::Cart(Arc::new(cart())),
    };
    Invocation {
        plugin,
        hook,
        input,
        surroundings: Arc::new(around()),
        customer_id: None,
        order_id: Some("o1".to_owned()),
        reads: store.clone(),
        journal: None,
        until: tokio::time::Instant::now() + Duration::from_secs(10),
    }
}

pub(super) fn cart() -> Cart {
    serde_json::from_value(serde_json::json!({
        "id": "c1", "currency": "EUR", "exponent": 2,
        "lines": [{ "id": "1", "product": "mug", "quantity": 2, "unit_price": 1_250 }]
    }))
    .unwrap()
}

pub(super) fn order() -> Order {
    serde_json::from_value(serde_json::json!({
        "id": "o1", "number": "#1", "placed_at": "2026-11-28T09:30:00Z", "currency": "EUR", "exponent": 2,
        "subtotal": 2_500, "total": 2_500
    }))
    .unwrap()
}

/// State in memory, with a count of what was asked of it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) values: BTreeMap<String, (String, i64)>,
    pub(super) asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Reads for Memory {
    async fn products(&self, _: &str, ids: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError> {
        Ok(ids.iter().map(|_| None).collect())
    }

    async fn related(&self, _: &str, _: &str, _: u32) -> Result<Vec<String>, ReadError> {
        Err(ReadError("the store is away".to_owned()))
    }

    async fn field(&self, _: &str, _: &str, _: &str) -> Result<Option<String>, ReadError> {
        Ok(None)
    }

    async fn state(&self, _: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>, ReadError> {
        self.asked.lock().unwrap().extend(keys.iter().cloned());
        Ok(keys
            .iter()
            .map(|key| match self.values.get(key) {
                Some((value, version)) => Versioned { value: Some(value.clone()), version: *version },
                None => Versioned { value: None, version: 0 },
            })
            .collect())
    }

    async fn state_list(
        &self,
        _: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError> {
        Ok(self
            .values
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .take(limit as usize)
            .map(|(key, (value, version))| {
                (key.clone(), Versioned { value: Some(value.clone()), version: *version })
            })
            .collect())
    }
}
