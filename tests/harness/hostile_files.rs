//! Hostile files that are too large or too broken to be kept: made, some of them from the plugin beside their
//! `case.toml`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const HOOK: &str = "cartwright:plugin/pricing@0.1.0";

/// Writes what is made by the name that `made` has in a `case.toml`; `beside`: the plugin in its folder.
pub fn make(made: &str, beside: Option<Vec<u8>>, file: &Path) -> anyhow::Result<()> {
    let plugin = || beside.context("it has no source to be made from");
    let bytes = match made {
        "truncated" => {
            let mut good = plugin()?;
            good.truncate(good.len() / 2);
            good
        }
        "bit-flipped" => bit_flipped(plugin()?, 0),
        "empty-file" => Vec::new(),
        "two-hundred-megabytes" => return sparse(file, 200 << 20),
        "section-lies" => [plugin()?, vec![0, 0x80, 0x80, 0x40, 1, b'x']].concat(),
        "section-dust" => [plugin()?, [0, 1, 0].repeat(10_000_000)].concat(),
        "sections-twice" => {
            let says = section("cartwright:manifest", br#"{"name":"a","version":"1"}"#);
            [plugin()?, says.clone(), says].concat()
        }
        "schema-deep-json" => with_schema(plugin()?, &nested("{\"default\":", '[', ']', 100_000, "}")),
        "schema-large" => with_schema(plugin()?, &json!({ "description": "x".repeat(300_000) }).to_string()),
        "schema-many-patterns" => {
            let properties: Map<String, Value> = (0..4_000)
                .map(|n| (format!("p{n}"), json!({ "pattern": format!("^\\p{{L}}{{40}}{n}$") })))
                .collect();
            with_schema(plugin()?, &json!({ "properties": properties }).to_string())
        }
        "schema-doubles" => {
            let mut definitions: Map<String, Value> = (0..30)
                .map(|n| {
                    let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
                    (format!("d{n}"), json!({ "allOf": [next, next] }))
                })
                .collect();
            definitions.insert("d30".to_owned(), json!({}));
            let schema = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
            with_schema(plugin()?, &schema.to_string())
        }
        "texts-deep" => with_asset(plugin()?, "locales/en.ftl", &nested("bomb = ", '{', '}', 500_000, "\n")),
        "texts-broken" => with_asset(plugin()?, "locales/en.ftl", &"!\nx\n".repeat(50_000)),
        "text-of-a-megabyte" => {
            let (laugh, many) = ("ha".repeat(500_000), "{ a }".repeat(90));
            with_asset(plugin()?, "locales/en.ftl", &format!("a = {laugh}\nbomb = {many}\n"))
        }
        "template-deep" => {
            with_asset(plugin()?, "templates/deep.html", &nested("{{ ", '(', ')', 100_000, " }}"))
        }
        "mistakes-flood" => {
            let mistakes: String = (0..100_000).map(|n| format!("{{{{ t(\"no-{n}\") }}}}\n")).collect();
            let template = format!("{{% extends \"base.html\" %}}\n{mistakes}");
            with_asset(plugin()?, "templates/wrong.html", &template)
        }
        "import-flood" => [wat::parse_str(component("", ""))?, imports(100_000)].concat(),
        "nested-deep" => {
            let nested = (0..10_000)
                .fold(COMPONENT.to_vec(), |inner, _| [COMPONENT, &[4], &leb(inner.len()), &inner].concat());
            [wat::parse_str(component("", ""))?, vec![4], leb(nested.len()), nested].concat()
        }
        "nested-doubling" => wat::parse_str(doubling(28)?)?,
        "many-instances" => {
            let instances = "(core instance (instantiate $empty))".repeat(100);
            wat::parse_str(component(&format!("(core module $empty) {instances}"), ""))?
        }
        "deep-types" => {
            let mut types = "(type $t0 (list u8))\n".to_owned();
            for n in 1..50_000 {
                writeln!(types, "(type $t{n} (list $t{}))", n - 1)?;
            }
            wat::parse_str(component(&types, "(param \"c\" $t49999)"))?
        }
        "function-flood" => {
            let module = format!("(core module $empty {})", "(func)".repeat(200_000));
            wat::parse_str(component(&module, ""))?
        }
        "locals-flood" => {
            let (mut sets, mut gets) = (String::new(), String::new());
            for n in 0..10_000 {
                write!(sets, "(local.set {n} (call 0))")?;
                write!(gets, "(call 1 (local.get {n}))")?;
            }
            let locals = "i64 ".repeat(10_000);
            let module = format!(
                "(core module $large (func (result i64) (i64.const 1)) (func (param i64)) \
                 (func (local {locals}) {sets} (loop {gets} (br 0))))"
            );
            wat::parse_str(component(&module, ""))?
        }
        _ => bail!("nothing is made by the name `{made}`"),
    };
    std::fs::write(file, bytes)?;
    Ok(())
}

/// With one bit of each hundred bytes turned, from `first` on and behind the header.
#[must_use]
pub fn bit_flipped(mut good: Vec<u8>, first: usize) -> Vec<u8> {
    for (n, byte) in good.iter_mut().skip(8 + first).step_by(100).enumerate() {
        *byte ^= 1 << (n % 8);
    }
    good
}

/// So many bytes of which the disk keeps a few.
fn sparse(file: &Path, bytes: u64) -> anyhow::Result<()> {
    std::fs::write(file, COMPONENT)?;
    std::fs::File::options().write(true).open(file)?.set_len(bytes)?;
    Ok(())
}

/// A component that exports a hook with a function of these parameters, and has more in it.
fn component(more: &str, parameters: &str) -> String {
    let core = if parameters.is_empty() { "" } else { "(param i32 i32)" };
    format!(
        "(component {more}
          (core module $m (memory (export \"memory\") 1)
            (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export \"price\") {core}))
          (core instance $i (instantiate $m))
          (func $price {parameters} (canon lift (core func $i \"price\")
            (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))))
          (instance $hook (export \"price\" (func $price)))
          (export \"{HOOK}\" (instance $hook)))"
    )
}

/// Components of which each is made of two of the one before.
fn doubling(levels: u32) -> anyhow::Result<String> {
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))\n".to_owned();
    for n in 1..=levels {
        let twice = format!("(instance (instantiate $c{}))", n - 1).repeat(2);
        writeln!(text, "(component $c{n} {twice})")?;
    }
    writeln!(text, "(instance (instantiate $c{levels}))")?;
    Ok(component(&text, ""))
}

/// Sections that import the same instance again and again.
fn imports(count: usize) -> Vec<u8> {
    let name = "cartwright:plugin/context@0.1.0";
    let import = [&[0], leb(name.len()).as_slice(), name.as_bytes(), &[5, 0]].concat();
    let body = [leb(count), import.repeat(count)].concat();
    // A section of one type, an instance of nothing; and that of the imports.
    [&[7, 3, 1, 0x42, 0, 10], leb(body.len()).as_slice(), &body].concat()
}

fn nested(before: &str, open: char, close: char, depth: usize, after: &str) -> String {
    let (open, close) = (open.to_string().repeat(depth), close.to_string().repeat(depth));
    format!("{before}{open}1{close}{after}")
}

fn with_schema(plugin: Vec<u8>, schema: &str) -> Vec<u8> {
    [plugin, section("cartwright:settings", schema.as_bytes())].concat()
}

fn with_asset(plugin: Vec<u8>, path: &str, content: &str) -> Vec<u8> {
    [plugin, section("cartwright:assets", json!({ path: content }).to_string().as_bytes())].concat()
}

/// A custom section, whatever is in it.
#[must_use]
pub fn section(name: &str, data: &[u8]) -> Vec<u8> {
    let body = [leb(name.len()).as_slice(), name.as_bytes(), data].concat();
    [&[0], leb(body.len()).as_slice(), &body].concat()
}

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
