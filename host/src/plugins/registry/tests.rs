//! Loading, and reloads that keep what was live.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::plugins::fixtures::{Author, handler};

const SHOP: &str = r#"
name = "Lipa"
url = "https://lipa.example"
country = "PL"
currency = "PLN"
locales = ["en", "pl"]
zone = "Europe/Warsaw"
"#;

/// A host's folder with one shop, `lipa`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write(
            "cartwright.toml",
            "[limits]\nmemory_mib = 4\nconcurrent_decisions = 2\nconcurrent_events = 2\n",
        );
        for name in ["plugins", "shops", "templates"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn shop(&self, plugins: &str) {
        self.write("shops/lipa.toml", format!("{SHOP}{plugins}"));
    }

    async fn open(&self) -> Arc<Registry> {
        Registry::open(self.path()).await.unwrap()
    }
}

/// A plugin with a schema; `mark` makes its bytes another's.
fn guest(mark: &str, imports: &str) -> Vec<u8> {
    manifest(mark).write(&handler(Hook::OrderPlaced, imports, "")).unwrap()
}

fn manifest(mark: &str) -> Manifest {
    Manifest {
        name: "guest".to_owned(),
        version: "1.0.0".to_owned(),
        summary: mark.to_owned(),
        schema: Some(serde_json::json!({
            "type": "object", "additionalProperties": false,
            "properties": { "most": { "type": "integer", "maximum": 10, "default": 4 } }
        })),
        assets: Arc::new([("locales/en.ftl".to_owned(), "hello = Hello\n".to_owned())].into()),
        ..Manifest::default()
    }
}

const GUEST: &str = "[[plugins]]\nname = \"guest\"\nsource = \"guest.wasm\"\n";
const POINTS: &str = r#"(import "cartwright:plugin/points@0.1.0" "set" (func $set (param i32 i32 i64)))"#;

fn live<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Arc<LivePlugin> {
    snapshot.shops["lipa"].plugins.iter().find(|live| live.entry.name == name).unwrap()
}

fn mark(snapshot: &Snapshot) -> &str {
    &live(snapshot, "guest").plugin.manifest.summary
}

fn only(snapshot: &Snapshot) -> &Problem {
    let [problem] = snapshot.problems.as_slice() else { panic!("{:#?}", snapshot.problems) };
    problem
}

async fn opened(plugins: &str) -> (Folder, Arc<Registry>) {
    let folder = Folder::new();
    folder.write("plugins/guest.wasm", guest("one", ""));
    folder.shop(plugins);
    let registry = folder.open().await;
    assert_eq!(registry.current().problems, []);
    assert_eq!(mark(&registry.current()), "one");
    (folder, registry)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_becomes_a_snapshot() {
    let (_folder, registry) = opened(&format!("{GUEST}settings = {{ most = 7 }}\n")).await;
    let snapshot = registry.current();
    assert_eq!(snapshot.generation, 1);
    let shop = &snapshot.shops["lipa"];
    assert_eq!((shop.public.id.as_str(), shop.public.exponent), ("lipa", 2));
    assert_eq!(&*live(&snapshot, "guest").settings, "{\"most\":7}");
    assert_eq!(shop.subscribed(Hook::OrderPlaced).count(), 1);
    assert_eq!(shop.subscribed(Hook::Pricing).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_broken_host_file_keeps_a_host_from_opening() {
    let folder = Folder::new();
    folder.shop(GUEST);
    folder.write("shops/none.toml", "name = ");
    let snapshot = folder.open().await.current();
    assert_eq!(snapshot.shops.keys().collect::<Vec<_>>(), ["lipa"]);
    assert!(snapshot.shops["lipa"].plugins.is_empty());
    let kinds: Vec<&str> = snapshot.problems.iter().map(|problem| problem.kind.as_str()).collect();
    assert_eq!(kinds, ["shop", "plugin"]);
    assert!(snapshot.problems[1].message.contains("guest.wasm is not there"), "{:?}", snapshot.problems);
    folder.write("cartwright.toml", "lisen = 1");
    assert!(Registry::open(folder.path()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changed_is_no_new_generation() {
    let (folder, registry) = opened(GUEST).await;
    let before = registry.current();
    assert!(Arc::ptr_eq(&before, &registry.reload().await));
    folder.write("plugins/guest.wasm", guest("one", ""));
    folder.shop(GUEST);
    assert!(Arc::ptr_eq(&before, &registry.reload().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_touches_only_its_shop() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("shops/other.toml", format!("{SHOP}{GUEST}"));
    let before = registry.reload().await;
    assert!(Arc::ptr_eq(&before.shops["lipa"].plugins[0].plugin, &before.shops["other"].plugins[0].plugin));
    folder.write("shops/other.toml", format!("{SHOP}{GUEST}settings = {{ most = 2 }}\n"));
    let after = registry.reload().await;
    assert_eq!(after.generation, before.generation + 1);
    assert!(Arc::ptr_eq(&before.shops["lipa"], &after.shops["lipa"]));
    assert_eq!(&*after.shops["other"].plugins[0].settings, "{\"most\":2}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_plugin_leaves_the_old_one_live() {
    let (folder, registry) = opened(GUEST).await;
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let wasi = r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#;
    let newer = crate::plugins::fixtures::stub_against("@0.1.0", "@0.2.0", &[], &["timer"]);
    let cases: [(Vec<u8>, &str); 6] = [
        (half(guest("two", "")), "is not WebAssembly"),
        (b"hello".to_vec(), "is not WebAssembly"),
        (b"\0asm\x01\0\0\0".to_vec(), "is a core WebAssembly module"),
        (wat::parse_str(wasi).unwrap(), "which is WASI"),
        (newer, "is built for version 0.2.0"),
        (
            crate::plugins::fixtures::stub_against(
                "record order {",
                "record order { gift: bool,",
                &[],
                &["order-placed"],
            ),
            "does not fit version 0.1.0",
        ),
    ];
    for (bytes, sentence) in cases {
        folder.write("plugins/guest.wasm", bytes);
        let snapshot = registry.reload().await;
        let problem = only(&snapshot);
        assert_eq!(
            (problem.kind.as_str(), problem.plugin.as_deref()),
            ("plugin", Some("guest")),
            "{problem:?}"
        );
        assert!(problem.message.contains(sentence), "{problem:?}");
        assert!(problem.message.ends_with("what was live before stays live"), "{problem:?}");
        assert_eq!(mark(&snapshot), "one");
    }
    fs::remove_file(folder.path().join("plugins/guest.wasm")).unwrap();
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("is not there"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "one");
    folder.write("plugins/guest.wasm", guest("two", ""));
    let snapshot = registry.reload().await;
    assert_eq!(snapshot.problems, []);
    assert_eq!(mark(&snapshot), "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_entry_holds_even_when_the_new_plugin_is_broken() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("plugins/guest.wasm", b"hello");
    folder.shop(&format!("{GUEST}settings = {{ most = 9 }}\n"));
    let snapshot = registry.reload().await;
    assert_eq!(only(&snapshot).kind, "plugin");
    assert_eq!((mark(&snapshot), &*live(&snapshot, "guest").settings), ("one", "{\"most\":9}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_do_not_fit_leave_the_old_ones_live() {
    let (folder, registry) = opened(&format!("{GUEST}settings = {{ most = 7 }}\n")).await;
    folder.shop(&format!("{GUEST}settings = {{ most = 70 }}\n"));
    folder.write("plugins/guest.wasm", guest("two", ""));
    let snapshot = registry.reload().await;
    let problem = only(&snapshot);
    assert_eq!(problem.kind, "settings");
    assert!(problem.file.ends_with("shops/lipa.toml:11"), "{problem:?}");
    assert!(problem.message.contains("`most`: 70 is greater than the maximum of 10"), "{problem:?}");
    let report = problem.report.as_deref().unwrap();
    assert!(report.contains("settings = { most = 70 }") && report.contains("──"), "{report}");
    assert_eq!(&*live(&snapshot, "guest").settings, "{\"most\":7}");
    // The plugin is another piece, and its new version fits the old settings.
    assert_eq!(mark(&snapshot), "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_shop_leaves_the_old_one_live() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("shops/lipa.toml", "name = \"Lipa");
    let snapshot = registry.reload().await;
    assert_eq!((only(&snapshot).kind.as_str(), only(&snapshot).shop.as_deref()), ("shop", Some("lipa")));
    assert_eq!(mark(&snapshot), "one");
    // Its plugins are pieces of their own.
    folder.write("plugins/guest.wasm", guest("two", ""));
    assert_eq!(mark(&*registry.reload().await), "two");
    fs::remove_file(folder.path().join("shops/lipa.toml")).unwrap();
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("is gone"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_host_file_leaves_the_old_one_live() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("cartwright.toml", "[limits]\nmemory_mb = 4\n");
    let snapshot = registry.reload().await;
    assert_eq!(only(&snapshot).kind, "host");
    assert_eq!(snapshot.host.limits.memory_mib, 4);
    folder.write("cartwright.toml", "[limits]\nmemory_mib = 8\n");
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("restart the host"), "{:?}", snapshot.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_asks_for_more_waits_for_the_grant() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("plugins/guest.wasm", guest("two", POINTS));
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("write `grants = [\"points\"]`"), "{:?}", snapshot.problems);
    assert!(only(&snapshot).file.contains("lipa.toml"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "one");
    let [waiting] = snapshot.waiting.as_slice() else { panic!("{:#?}", snapshot.waiting) };
    assert_eq!((waiting.shop.as_str(), waiting.plugin.as_str()), ("lipa", "guest"));
    assert_eq!(waiting.sha256, inspect_hash(&guest("two", POINTS)));
    assert!(waiting.why.contains("needs `points`"), "{waiting:?}");
    assert_eq!(waiting.asked.to_string(), "asks also for points");
    folder.shop(&format!("{GUEST}grants = [\"points\"]\n"));
    let snapshot = registry.reload().await;
    assert_eq!((snapshot.problems.as_slice(), snapshot.waiting.as_slice()), (&[][..], &[][..]));
    assert_eq!(mark(&snapshot), "two");
    // What is taken away is gone at once, even from what was live.
    folder.shop(GUEST);
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.ends_with("it is switched off until then"), "{:?}", snapshot.problems);
    assert!(snapshot.shops["lipa"].plugins.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_holds_the_plugin_to_its_hash() {
    let pin = inspect_hash(&guest("one", ""));
    let (folder, registry) = opened(&format!("{GUEST}sha256 = \"{pin}\"\n")).await;
    folder.write("plugins/guest.wasm", guest("two", ""));
    let snapshot = registry.reload().await;
    assert!(
        only(&snapshot).message.contains("is another file than `sha256` pins"),
        "{:?}",
        snapshot.problems
    );
    assert_eq!(mark(&snapshot), "one");
    assert_eq!(snapshot.waiting[0].asked.to_string(), "asks for the same");
    // What cannot be read is nothing that waits.
    folder.write("plugins/guest.wasm", b"hello");
    assert_eq!(registry.reload().await.waiting, []);
}

/// A host that keeps what is live for the next one.
async fn host(folder: &Folder) -> Arc<Registry> {
    Registry::open_with(folder.path(), Clock::default(), None).await.unwrap()
}

fn kept(folder: &Folder) -> Vec<PathBuf> {
    let found = fs::read_dir(folder.path().join("data/accepted")).unwrap();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_starts_beside_what_it_refuses_goes_on_with_what_was_accepted_last() {
    let (folder, registry) = opened(&format!("{GUEST}settings = {{ most = 7 }}\n")).await;
    drop(registry);
    assert!(!folder.path().join("data/accepted").exists(), "what only looks keeps nothing");
    drop(host(&folder).await);
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    for (file, sentence) in [
        (Some(guest("two", POINTS)), "needs `points`"),
        (Some(half(guest("two", ""))), "is not WebAssembly"),
        (None, "is not there"),
    ] {
        match &file {
            Some(bytes) => folder.write("plugins/guest.wasm", bytes),
            None => fs::remove_file(folder.path().join("plugins/guest.wasm")).unwrap(),
        }
        for registry in [folder.open().await, host(&folder).await] {
            let snapshot = registry.current();
            assert_eq!(mark(&snapshot), "one", "{sentence}");
            assert_eq!(&*live(&snapshot, "guest").settings, "{\"most\":7}");
            let message = &only(&snapshot).message;
            assert!(message.contains(sentence), "{message}");
            assert!(message.ends_with("; the version that was accepted last (1.0.0) is live"), "{message}");
        }
        assert_eq!(kept(&folder).len(), 1);
    }
    // Settings that only the new version knows.
    folder.write("plugins/guest.wasm", guest("two", POINTS));
    folder.shop(&format!("{GUEST}settings = {{ fresh = 1 }}\n"));
    let snapshot = host(&folder).await.current();
    assert_eq!((mark(&snapshot), &*live(&snapshot, "guest").settings), ("one", "{\"most\":7}"));
    assert_eq!(snapshot.waiting[0].asked.to_string(), "asks also for points");
    // Granted, it is what is accepted, and the old one is swept.
    folder.shop(&format!("{GUEST}grants = [\"points\"]\n"));
    assert_eq!(mark(&host(&folder).await.current()), "two");
    let [file] = kept(&folder).try_into().unwrap();
    assert_eq!(fs::read(file).unwrap(), guest("two", POINTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_obeys_todays_rules() {
    let (folder, _) = opened(&format!("{GUEST}grants = [\"points\"]\n")).await;
    folder.write("plugins/guest.wasm", guest("one", POINTS));
    assert_eq!(mark(&host(&folder).await.current()), "one");
    folder.write("plugins/guest.wasm", b"hello");
    let served = || async {
        let snapshot = host(&folder).await.current();
        !snapshot.shops["lipa"].plugins.is_empty()
    };
    assert!(served().await);
    folder.shop(GUEST);
    assert!(!served().await, "its grant was taken away");
    let pinned = |pin: &str| format!("{GUEST}grants = [\"points\"]\nsha256 = \"{pin}\"\n");
    folder.shop(&pinned(&inspect_hash(&guest("two", POINTS))));
    assert!(!served().await, "another is pinned");
    folder.shop(&pinned(&inspect_hash(&guest("one", POINTS))));
    assert!(served().await, "it is pinned");
    // Out of the shop's file is forgotten, also when the entry comes back.
    folder.shop("");
    assert!(!served().await);
    assert_eq!(kept(&folder), Vec::<PathBuf>::new());
    folder.shop(&format!("{GUEST}grants = [\"points\"]\n"));
    assert!(!served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_also_holds_for_what_is_live() {
    let (folder, registry) = opened(GUEST).await;
    folder.write("plugins/guest.wasm", b"hello");
    let pin = inspect_hash(&guest("two", ""));
    folder.shop(&format!("{GUEST}sha256 = \"{pin}\"\n"));
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("switched off until then: what was live is another file"));
    assert!(snapshot.shops["lipa"].plugins.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_what_was_kept() {
    let (folder, _) = opened(GUEST).await;
    drop(host(&folder).await);
    folder.write("plugins/guest.wasm", b"hello");
    let [file] = kept(&folder).try_into().unwrap();
    let mut flipped = fs::read(&file).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&file, flipped).unwrap();
    assert!(host(&folder).await.current().shops["lipa"].plugins.is_empty());
    assert!(!file.exists(), "a damaged one is taken away");
    // A damaged index, one that leads elsewhere, and a folder that cannot be written cost nothing else.
    folder.write("plugins/guest.wasm", guest("one", ""));
    for index in ["lipa = ", "[lipa.guest]\nsha256 = \"../../plugins/guest\"\nsettings = {}\n"] {
        folder.write("data/accepted/index.toml", index);
        assert_eq!(mark(&host(&folder).await.current()), "one");
        assert_eq!(kept(&folder).len(), 1);
    }
    fs::remove_dir_all(folder.path().join("data/accepted")).unwrap();
    folder.write("data/accepted", b"in the way");
    assert_eq!(mark(&host(&folder).await.current()), "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_whose_file_is_broken_for_a_while_forgets_nothing() {
    let (folder, _) = opened(GUEST).await;
    folder.write("shops/other.toml", format!("{SHOP}{GUEST}"));
    drop(host(&folder).await);
    folder.write("shops/lipa.toml", "name = ");
    drop(host(&folder).await);
    folder.write("plugins/guest.wasm", b"hello");
    folder.shop(GUEST);
    assert_eq!(mark(&host(&folder).await.current()), "one");
    fs::remove_file(folder.path().join("shops/other.toml")).unwrap();
    drop(host(&folder).await);
    folder.write("shops/other.toml", format!("{SHOP}{GUEST}"));
    assert!(host(&folder).await.current().shops["other"].plugins.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_texts_are_stood_in_for_after_a_restart_too() {
    let (folder, _) = opened(GUEST).await;
    drop(host(&folder).await);
    let mut broken = manifest("two");
    Arc::make_mut(&mut broken.assets).insert("locales/en.ftl".to_owned(), "hello = { $x\n".to_owned());
    folder.write("plugins/guest.wasm", broken.write(&handler(Hook::OrderPlaced, "", "")).unwrap());
    let snapshot = host(&folder).await.current();
    assert_eq!(only(&snapshot).kind, "texts");
    assert!(only(&snapshot).message.ends_with("what was accepted last is live"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "one");
    assert_eq!(snapshot.waiting.len(), 1);
}

const HOST: &str = "[limits]\nmemory_mib = 4\nconcurrent_decisions = 2\nconcurrent_events = 2\n";

fn trusting(keys: &[String], more: &str) -> String {
    format!("{HOST}[security]\ntrusted_keys = {}\n{more}", serde_json::to_string(keys).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_trusted_author_signed_is_loaded() {
    let (ada, eve) = (Author::new(), Author::new());
    let (folder, registry) = opened(GUEST).await;
    folder.write("cartwright.toml", trusting(&[ada.key()], ""));
    assert_eq!(registry.reload().await.problems, [], "unsigned is allowed");
    let two = guest("two", "");
    for (signature, sentence) in [
        (eve.sign(&two), "which is not among `trusted_keys`"),
        (ada.sign(&guest("one", "")), "is not what was signed with the key"),
        ("hello".to_owned(), "is none of minisign"),
        ("a".repeat(5_000), "has 5000 bytes"),
    ] {
        folder.write("plugins/guest.wasm", &two);
        folder.write("plugins/guest.wasm.minisig", signature);
        let snapshot = registry.reload().await;
        assert!(only(&snapshot).message.contains(sentence), "{:?}", snapshot.problems);
        assert_eq!((mark(&snapshot), snapshot.waiting.len()), ("one", 1));
    }
    folder.write("plugins/guest.wasm.minisig", ada.sign(&two));
    let snapshot = registry.reload().await;
    assert_eq!(snapshot.problems, []);
    assert_eq!(mark(&snapshot), "two");
    assert!(live(&snapshot, "guest").signed_with().is_some());
    // What is live was signed: a signature that is lost or exchanged for a wrong one takes nothing away.
    folder.write("plugins/guest.wasm.minisig", eve.sign(&two));
    assert_eq!(mark(&*registry.reload().await), "two");
    folder.write("cartwright.toml", trusting(&[ada.key()], "require_signed = true\n"));
    fs::remove_file(folder.path().join("plugins/guest.wasm.minisig")).unwrap();
    let snapshot = registry.reload().await;
    assert!(
        only(&snapshot).message.contains("is not signed, and `require_signed`"),
        "{:?}",
        snapshot.problems
    );
    assert!(only(&snapshot).message.ends_with("what was live before stays live"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "two");
    // But trust that is taken away is.
    folder.write("cartwright.toml", trusting(&[eve.key()], ""));
    folder.write("plugins/guest.wasm.minisig", ada.sign(&two));
    let snapshot = registry.reload().await;
    let message = &only(&snapshot).message;
    assert!(
        message.contains("is switched off until then: what was live is signed with the key"),
        "{message}"
    );
    assert!(snapshot.shops["lipa"].plugins.is_empty());
    folder.write("cartwright.toml", trusting(&[eve.key(), ada.key()], ""));
    assert_eq!(mark(&*registry.reload().await), "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_live_unsigned_is_switched_off_when_signatures_become_required() {
    let ada = Author::new();
    let (folder, registry) = opened(GUEST).await;
    folder.write("cartwright.toml", trusting(&[ada.key()], "require_signed = true\n"));
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("it is switched off until then"), "{:?}", snapshot.problems);
    assert!(snapshot.shops["lipa"].plugins.is_empty());
    folder.write("plugins/guest.wasm.minisig", ada.sign(&guest("one", "")));
    assert_eq!(mark(&*registry.reload().await), "one");
    // The same bytes, first taken on nobody's word, then with a word that counts for nothing.
    folder.write("cartwright.toml", HOST);
    folder.write("plugins/guest.wasm.minisig", "hello");
    assert_eq!(mark(&*registry.reload().await), "one");
    folder.write("cartwright.toml", trusting(&[ada.key()], ""));
    let snapshot = registry.reload().await;
    assert!(only(&snapshot).message.contains("none of minisign"), "{:?}", snapshot.problems);
    assert!(snapshot.shops["lipa"].plugins.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_verified_again() {
    let (ada, eve) = (Author::new(), Author::new());
    let (folder, _) = opened(GUEST).await;
    folder.write("cartwright.toml", trusting(&[ada.key()], "require_signed = true\n"));
    folder.write("plugins/guest.wasm.minisig", ada.sign(&guest("one", "")));
    assert_eq!(mark(&host(&folder).await.current()), "one");
    fs::remove_file(folder.path().join("plugins/guest.wasm.minisig")).unwrap();
    let snapshot = host(&folder).await.current();
    assert!(only(&snapshot).message.contains("is not signed"), "{:?}", snapshot.problems);
    assert_eq!(mark(&snapshot), "one");
    folder.write("cartwright.toml", trusting(&[eve.key()], "require_signed = true\n"));
    assert!(host(&folder).await.current().shops["lipa"].plugins.is_empty());
}

fn inspect_hash(bytes: &[u8]) -> String {
    crate::plugins::inspect::inspect(bytes).unwrap().sha256
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_texts_of_the_merchant_leave_the_old_ones_live() {
    let (folder, registry) = opened(GUEST).await;
    let said = |snapshot: &Snapshot| {
        let text =
            crate::domain::Text { key: "hello".to_owned(), args: Vec::new(), fallback: "-".to_owned() };
        let reader = crate::wording::Reader {
            locale: "en".to_owned(),
            currency: "PLN".to_owned(),
            exponent: 2,
            zone: "UTC".to_owned(),
            now_ms: 0,
        };
        snapshot.shops["lipa"].wording.text("guest", &text, &reader)
    };
    assert_eq!(said(&registry.current()), "Hello");
    folder.write("templates/lipa/guest/locales/en.ftl", "hello = Good day\n");
    let snapshot = registry.reload().await;
    assert_eq!(snapshot.problems, []);
    assert_eq!(said(&snapshot), "Good day");
    folder.write("templates/lipa/guest/locales/en.ftl", "hello = { $x\n");
    let snapshot = registry.reload().await;
    let problem = only(&snapshot);
    assert_eq!((problem.kind.as_str(), problem.plugin.as_deref()), ("texts", Some("guest")));
    assert!(problem.file.contains("templates/lipa/guest/locales/en.ftl"), "{problem:?}");
    assert_eq!(said(&snapshot), "Good day");
    assert!(Arc::ptr_eq(&snapshot, &registry.reload().await), "a broken file is no news twice");
    fs::remove_dir_all(folder.path().join("templates/lipa")).unwrap();
    let snapshot = registry.reload().await;
    assert_eq!(snapshot.problems, []);
    assert_eq!(said(&snapshot), "Hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_share_what_is_made_of_a_plugins_words_and_what_a_reload_replaces_is_freed() {
    let (folder, registry) = opened(GUEST).await;
    let spoken = |snapshot: &Snapshot, shop: &str| snapshot.shops[shop].wording.words_of("guest").unwrap();
    folder.write("shops/other.toml", format!("{SHOP}{GUEST}"));
    let shared = spoken(&*registry.reload().await, "lipa");
    assert!(shared.ptr_eq(&spoken(&registry.current(), "other")));

    folder.write("templates/other/guest/locales/en.ftl", "hello = Good day\n");
    let own = spoken(&*registry.reload().await, "other");
    assert!(!shared.ptr_eq(&own) && shared.ptr_eq(&spoken(&registry.current(), "lipa")));
    folder.write("templates/other/guest/locales/en.ftl", "hello = Good evening\n");
    registry.reload().await;
    assert_eq!((own.strong_count(), shared.strong_count()), (0, 1));

    folder.write("plugins/guest.wasm", guest("two", ""));
    registry.reload().await;
    assert_eq!(mark(&registry.current()), "two");
    assert_eq!(shared.strong_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_with_broken_texts_leaves_the_old_one_live() {
    let (folder, registry) = opened(GUEST).await;
    let mut broken = manifest("two");
    Arc::make_mut(&mut broken.assets).insert("locales/en.ftl".to_owned(), "hello = { $x\n".to_owned());
    folder.write("plugins/guest.wasm", broken.write(&handler(Hook::OrderPlaced, "", "")).unwrap());
    let snapshot = registry.reload().await;
    assert_eq!(only(&snapshot).kind, "texts");
    assert_eq!(mark(&snapshot), "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_cache_is_ignored_and_written_again() {
    let (folder, registry) = opened(GUEST).await;
    drop(registry);
    let entries = || -> Vec<PathBuf> {
        let found = fs::read_dir(folder.path().join("data/cache")).unwrap();
        found.map(|entry| entry.unwrap().path()).collect()
    };
    let [file] = entries().try_into().unwrap();
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [flipped, good[..100].to_vec(), Vec::new(), vec![0; 4096]] {
        fs::write(&file, damaged).unwrap();
        let registry = folder.open().await;
        assert_eq!(registry.current().problems, []);
        assert_eq!(mark(&registry.current()), "one");
        assert_eq!(fs::read(&file).unwrap(), good);
    }
    folder.write(&format!("data/cache/{}-0000000000000000.cwasm", "0".repeat(64)), "another version's");
    folder.open().await;
    assert_eq!(entries(), [file]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_file_is_noticed() {
    let (folder, registry) = opened(GUEST).await;
    let _watching = crate::plugins::watch::watch(registry.clone()).unwrap();
    // Beside and renamed, as editors and `plugin build` do.
    folder.write("plugins/guest.wasm.part", guest("two", ""));
    fs::rename(folder.path().join("plugins/guest.wasm.part"), folder.path().join("plugins/guest.wasm"))
        .unwrap();
    wait_until(&registry, |snapshot| mark(snapshot) == "two").await;
    // In place, and in pieces.
    folder.write("shops/lipa.toml", "name = \"Lip");
    folder.shop(&format!("{GUEST}settings = {{ most = 3 }}\n"));
    wait_until(&registry, |snapshot| &*live(snapshot, "guest").settings == "{\"most\":3}").await;
    // In a folder that was not there.
    folder.write("templates/lipa/guest/locales/en.ftl", "hello = { $x\n");
    wait_until(&registry, |snapshot| !snapshot.problems.is_empty()).await;
}

async fn wait_until(registry: &Registry, happened: impl Fn(&Snapshot) -> bool) {
    let waiting = async {
        while !happened(&registry.current()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.unwrap();
}
