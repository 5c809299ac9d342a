//! A whole host for a test: real plugins, a real port, a folder of its own, a clock that stands still.
//!
//! A scenario talks to it as a storefront would (HTTP), changes it as a merchant would (files), and
//! reads what a customer gets (the `.eml` files).

mod author;
pub mod hostile;
mod hostile_files;
pub mod mail_server;
mod names;
pub mod process;
pub mod receiver;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use cartwright::domain::Clock;
use cartwright::fetch::{Lookup, System};
use cartwright::serve::{Host, StartOptions};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use author::Author;
pub use names::Names;

/// Monday, 30 November 2026, 10:00 in Warsaw.
pub const MONDAY_MORNING: &str = "2026-11-30T09:00:00Z";
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// The secret of the WooCommerce webhook of the example shop.
pub const WOOCOMMERCE_SECRET: &str = "a woocommerce secret";

/// Folder of the project.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the project's folder")
}

/// A folder with all first-party and fixture plugins, built once in a run.
pub fn plugin_files() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = project().join("target/test-plugins");
        for folder in ["plugins", "tests/fixtures/plugins"] {
            cartwright::cli::package::build_all(&project().join(folder), &out, &mut |_| {})
                .expect("the plugins build");
        }
        out
    })
}

/// `None`: SQLite in the folder. Where `CARTWRIGHT_TEST_DATABASE` has the URL of a PostgreSQL server, the folder
/// has a database of its own there.
fn test_database(folder: &Path) -> Option<String> {
    let server = std::env::var("CARTWRIGHT_TEST_DATABASE").ok()?;
    let name: String = Sha256::digest(folder.display().to_string())
        .iter()
        .take(8)
        .fold("world_".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    Some(postgres(&["database", &server, &name]))
}

/// What `tests/postgres` prints.
#[must_use]
pub fn postgres(arguments: &[&str]) -> String {
    let script = project().join("tests/postgres");
    let output = std::process::Command::new(script).args(arguments).output().expect("tests/postgres runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// UTC milliseconds of an RFC 3339 instant.
#[must_use]
pub fn at(instant: &str) -> i64 {
    instant.parse::<jiff::Timestamp>().expect("an instant").as_millisecond()
}

/// What a merchant wrote, before the host starts.
#[derive(Debug, Clone)]
pub struct Setup {
    now_ms: i64,
    /// Of a PostgreSQL server; else what [`test_database`] says.
    database: Option<String>,
    host_toml: String,
    names: Option<Names>,
    shop_toml: String,
    plugins: Vec<String>,
    sources: Vec<String>,
    files: Vec<(PathBuf, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// A live shop `demo` in Warsaw, in PLN, in English and Polish, without plugins.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now_ms: at(MONDAY_MORNING),
            database: None,
            host_toml: String::new(),
            names: None,
            shop_toml: r#"
name = "Grove & Loom"
url = "https://grove.example"
country = "PL"
currency = "PLN"
locales = ["en", "pl"]
zone = "Europe/Warsaw"
mode = "live"
live_since = "2026-01-01T00:00:00Z"
contact = { email = "help@grove.example", phone = "+48 22 000 00 00" }
holidays = ["2026-12-25", "2026-12-26"]
attributes = ["gift-note"]
customer_tokens = { secret = { file = "tokens.secret" } }
woocommerce = { secret = { file = "woocommerce.secret" } }
"#
            .to_owned(),
            plugins: Vec::new(),
            sources: Vec::new(),
            files: Vec::new(),
        }
    }

    #[must_use]
    pub fn at(mut self, instant: &str) -> Self {
        self.now_ms = at(instant);
        self
    }

    /// The URL of a PostgreSQL database, whatever the other scenarios are run on.
    #[must_use]
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(url.to_owned());
        self
    }

    /// What names of servers are resolved to.
    #[must_use]
    pub fn names(mut self, names: &Names) -> Self {
        self.names = Some(names.clone());
        self
    }

    /// More lines of `cartwright.toml`.
    #[must_use]
    pub fn host(mut self, toml: &str) -> Self {
        self.host_toml.push_str(toml);
        self
    }

    /// A file in the merchant's folder.
    #[must_use]
    pub fn file(mut self, name: impl Into<PathBuf>, content: &str) -> Self {
        self.files.push((name.into(), content.to_owned()));
        self
    }

    /// Mails go out through this server.
    #[must_use]
    pub fn mail_server(mut self, server: &mail_server::MailServer) -> Self {
        self.files.extend(server.files());
        self.host(&server.toml())
    }

    /// More lines of the shop's file, before its plugins.
    #[must_use]
    pub fn shop(mut self, toml: &str) -> Self {
        self.shop_toml.push_str(toml);
        self.shop_toml.push('\n');
        self
    }

    /// Enables a plugin; `settings` is a TOML inline table.
    #[must_use]
    pub fn plugin(self, name: &str, grants: &[&str], settings: &str) -> Self {
        self.plugin_with(name, grants, &format!("settings = {settings}"))
    }

    /// The same with more lines of its entry.
    #[must_use]
    pub fn plugin_with(mut self, name: &str, grants: &[&str], lines: &str) -> Self {
        let source = format!("{}.wasm", name.replace('-', "_"));
        let grants = serde_json::to_string(grants).expect("grants");
        self.plugins.push(format!(
            "\n[[plugins]]\nname = \"{name}\"\nsource = \"{source}\"\ngrants = {grants}\n{lines}\n"
        ));
        self.sources.push(source);
        self
    }

    /// Writes the folder and starts a host that does its work only when told to (`World::settle`).
    pub async fn start(self) -> World {
        self.start_with(false).await
    }

    /// The same with worker, courier and file watcher running.
    pub async fn start_live(self) -> World {
        self.start_with(true).await
    }

    /// The same for a host that does not start: why not.
    pub async fn refused(self) -> String {
        let world = self.written(false);
        world.open().await.err().map(|error| format!("{error:#}")).expect("a host that does not start")
    }

    async fn start_with(self, background: bool) -> World {
        self.written(background).started().await
    }

    fn written(self, background: bool) -> World {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().to_owned();
        for name in ["shops", "plugins", "templates"] {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        let database = self.database.clone().or_else(|| test_database(&folder));
        let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
        std::fs::write(
            folder.join("cartwright.toml"),
            format!("listen = \"127.0.0.1:0\"\n{database}{}", self.host_toml),
        )
        .expect("cartwright.toml");
        std::fs::write(folder.join("shops/tokens.secret"), "a customer token secret of 32 bytes!")
            .expect("a secret");
        std::fs::write(folder.join("shops/woocommerce.secret"), WOOCOMMERCE_SECRET).expect("a secret");
        for (name, content) in &self.files {
            std::fs::write(folder.join(name), content).expect("a file");
        }
        for source in &self.sources {
            std::fs::copy(plugin_files().join(source), folder.join("plugins").join(source))
                .unwrap_or_else(|error| panic!("no plugin {source}: {error}"));
        }
        let world = World {
            secret_key: "cw_sk_demo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            publishable_key: "cw_pk_demo_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB".to_owned(),
            clock: Clock::still_at(self.now_ms),
            client: reqwest::Client::builder().build().expect("a client"),
            setup: self,
            host: None,
            background,
            folder,
            temporary,
        };
        world.write_shop();
        world
    }

    fn shop_file(&self, secret_key: &str, publishable_key: &str) -> String {
        let mut text = self.shop_toml.clone();
        for (name, kind, key, rest) in [
            ("backend", "secret", secret_key, ""),
            ("browser", "publishable", publishable_key, "origins = [\"https://grove.example\"]\n"),
        ] {
            let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
            let _ =
                write!(text, "\n[[keys]]\nname = \"{name}\"\nkind = \"{kind}\"\nsha256 = \"{hash}\"\n{rest}");
        }
        for plugin in &self.plugins {
            text.push_str(plugin);
        }
        text
    }
}

/// A running host and everything around it.
pub struct World {
    pub folder: PathBuf,
    pub clock: Clock,
    pub secret_key: String,
    pub publishable_key: String,
    pub client: reqwest::Client,
    setup: Setup,
    host: Option<Host>,
    background: bool,
    #[expect(dead_code, reason = "the folder lives as long as the world")]
    temporary: tempfile::TempDir,
}

/// An answer of the host.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON, after checking the status.
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A mail that a customer got.
#[derive(Debug, Clone)]
pub struct Mail {
    pub file: String,
    pub to: String,
    pub subject: String,
    pub html: String,
    pub text: String,
    pub message_id: String,
}

impl World {
    async fn open(&self) -> anyhow::Result<Host> {
        let names = self.setup.names.clone().map(|names| Arc::new(names) as Arc<dyn Lookup>);
        let options = StartOptions {
            lookup: names.unwrap_or_else(|| Arc::new(System)),
            clock: self.clock.clone(),
            background: self.background,
            watch: self.background,
            ..StartOptions::default()
        };
        Host::start(&self.folder, options).await
    }

    async fn started(mut self) -> Self {
        let host = self.open().await.expect("the host starts");
        let problems = &host.registry().current().problems;
        assert!(problems.is_empty(), "the setup is wrong: {problems:#?}");
        self.host = Some(host);
        self
    }

    #[must_use]
    pub fn host(&self) -> &Host {
        self.host.as_ref().expect("a running host")
    }

    /// Stops and starts again, on the same folder.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        self.start_again().await
    }

    pub async fn stop(&mut self) {
        let host = self.host.take().expect("a running host");
        host.stop().await.expect("the host stops");
    }

    /// Starts on the same folder, after it was stopped.
    pub async fn start_again(self) -> Self {
        self.started().await
    }

    /// The same for a host that does not start: why not.
    pub async fn refused_again(&self) -> String {
        self.open().await.err().map(|error| format!("{error:#}")).expect("a host that does not start")
    }

    /// The same beside files of which some are wrong.
    pub async fn start_again_beside_problems(mut self) -> Self {
        self.host = Some(self.open().await.expect("the host starts"));
        self
    }

    /// Lets go of the host without any farewell, and starts again as soon as the database's lock is free; where
    /// hosts share a database, when the leases of the one that is gone have ended.
    pub async fn crash(mut self) -> Self {
        drop(self.host.take());
        if std::env::var_os("CARTWRIGHT_TEST_DATABASE").is_some() {
            self.clock.advance(5 * 60_000);
        }
        // A kept-alive connection would keep its task, and with it the store, alive in this process.
        self.client = reqwest::Client::new();
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            match self.open().await {
                Ok(host) => {
                    self.host = Some(host);
                    return self;
                }
                Err(error) if error.to_string().contains("has this database open") => {
                    assert!(std::time::Instant::now() < patience, "{error}");
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("the host does not start again: {error:#}"),
            }
        }
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host().address())
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Answer { status, headers, text: response.text().await.expect("a body") }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.post(self.url(path)).bearer_auth(&self.secret_key).json(body)).await
    }

    /// An event with a name of its own.
    pub async fn event(&self, hook: &str, id: &str, body: &Value) -> Answer {
        let request = self.client.post(self.url(&format!("/v1/hooks/{hook}"))).bearer_auth(&self.secret_key);
        self.send(request.header("Idempotency-Key", id).json(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.url(path)).bearer_auth(&self.secret_key)).await
    }

    /// Writes products into the catalogue.
    pub async fn catalogue(&self, products: &[Value]) {
        let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
        let request = self.client.put(self.url("/v1/catalog/products")).bearer_auth(&self.secret_key);
        let answer = self.send(request.header("Content-Type", "application/x-ndjson").body(lines)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A WooCommerce webhook, signed.
    pub async fn woocommerce(&self, topic: &str, body: &[u8]) -> Answer {
        use hmac::{KeyInit as _, Mac as _};
        let mut mac =
            hmac::Hmac::<Sha256>::new_from_slice(WOOCOMMERCE_SECRET.as_bytes()).expect("any length");
        mac.update(body);
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let request = self
            .client
            .post(self.url("/v1/webhooks/woocommerce/demo"))
            .header("Content-Type", "application/json")
            .header("X-WC-Webhook-Topic", topic)
            .header("X-WC-Webhook-Signature", signature)
            .body(body.to_vec());
        self.send(request).await
    }

    /// Does all the work that is due.
    pub async fn settle(&self) {
        self.host().settle().await.expect("the work gets done");
    }

    /// Moves the clock and does what falls due.
    pub async fn later(&self, milliseconds: i64) {
        self.clock.advance(milliseconds);
        self.settle().await;
    }

    /// What customers got, in the order of sending.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let Ok(entries) = std::fs::read_dir(self.folder.join("data/outbox")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|ext| ext == "eml"));
        files.sort();
        files.iter().map(|path| mail(path)).collect()
    }

    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        self.mails().into_iter().map(|mail| mail.subject).collect()
    }

    /// What a shop's file holds of a key.
    #[must_use]
    pub fn hash(&self, key: &str) -> String {
        Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Path in the merchant's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Changes what the merchant wrote and writes the shop's file again.
    pub fn edit(&mut self, change: impl FnOnce(Setup) -> Setup) {
        self.setup = change(self.setup.clone());
        self.write_shop();
    }

    fn write_shop(&self) {
        self.write("shops/demo.toml", self.setup.shop_file(&self.secret_key, &self.publishable_key));
    }

    /// Reads the merchant's files again and gives what is wrong with them.
    pub async fn reload(&self) -> Vec<String> {
        let snapshot = self.host().registry().reload().await;
        snapshot.problems.iter().map(|problem| format!("{}: {}", problem.kind, problem.message)).collect()
    }
}

fn mail(path: &Path) -> Mail {
    let raw = std::fs::read(path).expect("a mail");
    let parsed = mail_parser::MessageParser::default().parse(&raw).expect("a mail that parses");
    Mail {
        file: path.file_name().expect("a name").to_string_lossy().into_owned(),
        to: parsed.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
        subject: parsed.subject().unwrap_or_default().to_owned(),
        html: parsed.body_html(0).unwrap_or_default().into_owned(),
        text: parsed.body_text(0).unwrap_or_default().into_owned(),
        message_id: parsed.message_id().unwrap_or_default().to_owned(),
    }
}
