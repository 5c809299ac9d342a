//! The command a person types.

use std::path::PathBuf;
use std::process::{Command, Output};

use harness::project;

pub fn cartwright() -> Command {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from);
    let binary = target.join("debug/cartwright");
    assert!(binary.exists(), "build it first: cargo build --package cartwright");
    let mut command = Command::new(binary);
    command.env("NO_COLOR", "1").env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
    command
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_first_shop_is_written_once_and_passes_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let init = cartwright().current_dir(&folder).arg("init").output().unwrap();
    assert!(init.status.success(), "{}", said(&init));
    assert!(said(&init).contains("cw_sk_"), "the keys are shown once: {}", said(&init));
    let config = std::fs::read_to_string(folder.path().join("cartwright.toml")).unwrap();
    assert!(!config.contains("cw_sk_"));
    let check = cartwright().current_dir(&folder).args(["config", "check"]).output().unwrap();
    assert!(check.status.success(), "{}", said(&check));
    let again = cartwright().current_dir(&folder).arg("init").output().unwrap();
    assert_eq!(again.status.code(), Some(1), "it overwrites nothing: {}", said(&again));
}

#[test]
fn a_mistake_is_shown_with_its_file_line_and_the_right_word() {
    let folder = tempfile::tempdir().unwrap();
    assert!(cartwright().current_dir(&folder).arg("init").output().unwrap().status.success());
    std::fs::write(
        folder.path().join("cartwright.toml"),
        "listen = \"127.0.0.1:8080\"\ndata_dri = \"data\"\n",
    )
    .unwrap();
    let check = cartwright().current_dir(&folder).args(["config", "check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    let text = said(&check);
    for expected in ["cartwright.toml", "2", "data_dri", "data_dir"] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
}

#[test]
fn a_port_in_use_is_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    assert!(cartwright().current_dir(&folder).arg("init").output().unwrap().status.success());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = cartwright().current_dir(&folder).args(["serve", "--listen", &address]).output().unwrap();
    assert_eq!(serve.status.code(), Some(1));
    let text = said(&serve);
    assert!(text.contains(&address) && text.contains("in use"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// A host that was started as a person starts one: in its folder, by the command.
pub struct Served {
    process: std::process::Child,
    pub address: String,
    key: String,
    log: Option<std::io::Lines<std::io::BufReader<std::process::ChildStderr>>>,
}

impl Served {
    pub fn start(folder: &std::path::Path) -> Self {
        Self::start_on(folder, None)
    }

    /// On a PostgreSQL database.
    pub fn start_on(folder: &std::path::Path, database: Option<&str>) -> Self {
        use std::io::BufRead as _;

        let init = cartwright().current_dir(folder).arg("init").output().unwrap();
        assert!(init.status.success(), "{}", said(&init));
        let text = said(&init);
        let key =
            text.split_whitespace().find(|word| word.starts_with("cw_sk_")).expect("a secret key").to_owned();
        let mut command = cartwright();
        if let Some(database) = database {
            command.env("CARTWRIGHT_DATABASE", database);
        }
        let mut process = command
            .current_dir(folder)
            .env("CARTWRIGHT_LOG", "debug")
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = std::io::BufReader::new(process.stderr.take().unwrap()).lines();
        let address = log
            .find_map(|line| {
                let line = line.unwrap();
                let rest = line.split("127.0.0.1:").nth(1)?;
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                line.contains("listening").then(|| format!("127.0.0.1:{port}"))
            })
            .expect("the log names the address");
        Self { process, address, key, log: Some(log) }
    }

    fn get(&self, path: &str) -> String {
        use std::io::{Read as _, Write as _};

        let mut wire = std::net::TcpStream::connect(&self.address).unwrap();
        let key = &self.key;
        write!(
            wire,
            "GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to stop, and gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let kill = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(kill.success());
        drop(self.log.take());
        self.process.wait().unwrap().code()
    }
}

/// The log goes to a reader that dies: log lines are lost, and nothing else.
#[test]
fn a_log_that_nobody_reads_any_more_stops_no_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path());
    drop(served.log.take());
    for (path, status) in
        [("/readyz", 200), ("/v1/nothing-here", 404), ("/v1/plugins", 200), ("/readyz", 200)]
    {
        let answer = served.get(path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
    assert_eq!(served.stop(), Some(0));
}

/// The folder of a host started in it is `.`; what watches files speaks of absolute paths.
#[test]
fn a_plugin_that_the_merchant_enables_is_live_when_the_file_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path());
    // Read on, so that the log never fills its pipe.
    let log = served.log.take().unwrap();
    let reader = std::thread::spawn(move || log.map_while(Result::ok).count());
    assert!(!served.get("/v1/plugins").contains("stamp-one"));
    std::fs::copy(
        harness::plugin_files().join("stamp_one.wasm"),
        folder.path().join("plugins/stamp_one.wasm"),
    )
    .unwrap();
    let shop = std::fs::read_dir(folder.path().join("shops"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .expect("a first shop");
    let mut text = std::fs::read_to_string(&shop).unwrap();
    text.push_str(
        "\n[[plugins]]\nname = \"stamp-one\"\nsource = \"stamp_one.wasm\"\ngrants = [\"delivery-options\"]\n",
    );
    std::fs::write(&shop, text).unwrap();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !served.get("/v1/plugins").contains("stamp-one") {
        assert!(
            std::time::Instant::now() < patience,
            "the watcher saw nothing: {}",
            served.get("/v1/plugins")
        );
    }
    assert_eq!(served.stop(), Some(0));
    assert!(reader.join().unwrap() > 0);
}

#[test]
fn the_demo_plays_a_whole_journey() {
    let output = cartwright().current_dir(project()).args(["demo", "--", "--once"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = said(&output);
    assert!(!text.contains('\u{1b}'), "plain in a pipe: {text}");
    let outbox = project().join("data/outbox");
    let count = |kind: &str| {
        std::fs::read_dir(&outbox)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ext| ext == kind))
            .count()
    };
    assert!(count("eml") >= 5, "the mails of the journey: {text}");
    assert_eq!(count("eml"), count("html"));
}

#[test]
fn a_plugin_can_be_read_off_its_file() {
    let file = harness::plugin_files().join("order_updates.wasm");
    let inspect = cartwright().args(["plugin", "inspect"]).arg(file).output().unwrap();
    assert!(inspect.status.success(), "{}", said(&inspect));
    let text = said(&inspect);
    for expected in ["order-placed", "order-delivered", "messages", "order-updates"] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
    let core = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(core.path(), b"\0asm\x01\0\0\0").unwrap();
    let refused = cartwright().args(["plugin", "inspect"]).arg(core.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("component"), "{}", said(&refused));
}

#[test]
fn every_command_can_be_learned_from_its_help() {
    let commands: [&[&str]; 16] = [
        &["serve"],
        &["demo"],
        &["init"],
        &["key", "create"],
        &["config", "check"],
        &["doctor"],
        &["plugin", "build"],
        &["plugin", "inspect"],
        &["plugin", "check"],
        &["template", "preview"],
        &["completions"],
        &["jobs", "list"],
        &["jobs", "show"],
        &["jobs", "retry"],
        &["jobs", "drop"],
        &[],
    ];
    for command in commands {
        let help = cartwright().args(command).arg("--help").output().unwrap();
        assert!(help.status.success(), "{command:?}");
        assert!(help.stdout.len() > 150, "{command:?} says too little: {}", said(&help));
    }
    let completions = cartwright().args(["completions", "bash"]).output().unwrap();
    assert!(said(&completions).contains("cartwright"));
}
