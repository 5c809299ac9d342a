//! Servers on loopback that behave as badly as they can, and a resolver that says what it is told.

mod server;

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::Resolve as _;

use super::*;
use crate::domain::{GrantedHost, HttpRequest};
use server::{Server, gzip_bomb};

/// Each look-up takes the next answer; the last one stays.
struct Script(Mutex<VecDeque<Vec<IpAddr>>>);

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |addresses: &&[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parsed).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Lookup for Script {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        answer.ok_or_else(|| io::Error::other("no such name"))
    }
}

fn fetcher(limits: &FetchLimits, lookup: Arc<Script>) -> Fetcher {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Fetcher::new(limits, lookup).unwrap()
}

fn home() -> Arc<Script> {
    Script::new(&[&["127.0.0.1"]])
}

fn granted(host: &str) -> GrantedHost {
    GrantedHost { host: host.parse().unwrap(), allow_private: true, secrets: Vec::new() }
}

async fn get(fetcher: &Fetcher, url: &str, hosts: &[GrantedHost]) -> Result<HttpResponse, Unanswered> {
    within_time(fetcher, url, hosts, Duration::from_secs(30)).await
}

async fn within_time(
    fetcher: &Fetcher,
    url: &str,
    hosts: &[GrantedHost],
    left: Duration,
) -> Result<HttpResponse, Unanswered> {
    let request = HttpRequest { url: url.to_owned(), headers: vec![("x-mine".to_owned(), "1".to_owned())] };
    let until = Instant::now() + left;
    fetcher.get(Errand { shop: "lipa", plugin: "rates", request: &request, hosts, until }).await
}

const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nset-cookie: a=b\r\ncontent-length: 5\r\n\r\nhello";

fn redirect_to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn an_answer_is_its_status_its_body_and_few_headers() {
    let server = Server::plain(|_| OK.into()).await;
    let url = server.url("api.example", "/rates?to=DE");
    let hosts = [granted(&server.grant("api.example"))];
    let answer = get(&fetcher(&FetchLimits::default(), home()), &url, &hosts).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(answer.headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    let [asked] = server.asked().try_into().unwrap();
    assert!(asked.starts_with("GET /rates?to=DE HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-mine: 1") && asked.contains("user-agent: Cartwright/"), "{asked}");
    assert!(!asked.contains("cookie"), "{asked}");
}

#[tokio::test]
async fn an_error_status_is_an_answer_too() {
    let server =
        Server::plain(|_| "HTTP/1.1 503 No\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n".into()).await;
    let hosts = [granted(&server.grant("api.example"))];
    let answer = get(&fetcher(&FetchLimits::default(), home()), &server.url("api.example", "/"), &hosts)
        .await
        .unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers, [("retry-after".to_owned(), "5".to_owned())]);
}

#[tokio::test]
async fn what_lies_out_of_bounds_is_never_connected_to_and_looks_like_nobody_there() {
    let server = Server::plain(|_| OK.into()).await;
    let url = server.url("api.example", "/");
    for (addresses, allow_private) in [
        (&["127.0.0.1"][..], false),
        (&["::ffff:127.0.0.1"], false),
        (&["64:ff9b::127.0.0.1"], false),
        (&["8.8.8.8", "127.0.0.1"], false),
        (&["169.254.169.254"], true),
        (&["fd00:ec2::254"], true),
        (&["127.0.0.1", "169.254.169.254"], true),
        (&["0.0.0.0"], true),
        (&[], true),
    ] {
        let hosts = [GrantedHost { allow_private, ..granted(&server.grant("api.example")) }];
        let fetcher = fetcher(&FetchLimits::default(), Script::new(&[addresses]));
        let answer = get(&fetcher, &url, &hosts).await;
        assert_eq!(answer, Err(Unanswered::Unreachable), "{addresses:?}");
    }
    // The granted address itself is looked at too.
    let hosts = [GrantedHost { allow_private: false, ..granted(&server.grant("127.0.0.1")) }];
    let fetcher = fetcher(&FetchLimits::default(), home());
    assert_eq!(get(&fetcher, &server.url("127.0.0.1", "/"), &hosts).await, Err(Unanswered::Unreachable));
    assert_eq!(server.asked(), Vec::<String>::new());
    let hosts = [granted(&server.grant("127.0.0.1"))];
    assert!(get(&fetcher, &server.url("127.0.0.1", "/"), &hosts).await.is_ok());
}

/// Whatever a name answers at the second look, the connection goes to what was looked at in the first; and
/// the next connection is looked at anew.
#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let server = Server::plain(|_| OK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")).await;
    let url = server.url("api.example", "/");
    // A public address first, then this machine: the first look gives the first address and no other.
    let script = Script::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let strict = Guarded { lookup: Arc::clone(&script) as _, allow_private: false };
    let resolve = || strict.resolve("api.example".parse().unwrap());
    let first: Vec<IpAddr> = resolve().await.ok().unwrap().map(|address| address.ip()).collect();
    assert_eq!(first, ["8.8.8.8".parse::<IpAddr>().unwrap()]);
    assert!(resolve().await.is_err());
    // This machine first, as the merchant allows; then a cloud's metadata.
    let script = Script::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let lenient = fetcher(&FetchLimits::default(), Arc::clone(&script));
    let hosts = [granted(&server.grant("api.example"))];
    assert!(get(&lenient, &url, &hosts).await.is_ok());
    assert_eq!(script.left(), 1, "one look-up for one connection");
    assert_eq!(get(&lenient, &url, &hosts).await, Err(Unanswered::Unreachable));
    assert_eq!(server.asked().len(), 1);
}

/// One plugin's leave to ask this machine is no other's, not even over a connection that is open.
#[tokio::test]
async fn an_open_private_connection_serves_only_who_may_have_it() {
    let server = Server::plain(|_| OK.into()).await;
    let url = server.url("api.example", "/");
    let fetcher = fetcher(&FetchLimits::default(), home());
    let may = granted(&server.grant("api.example"));
    assert!(get(&fetcher, &url, std::slice::from_ref(&may)).await.is_ok());
    let may_not = GrantedHost { allow_private: false, ..may };
    assert_eq!(get(&fetcher, &url, &[may_not]).await, Err(Unanswered::Unreachable));
}

#[tokio::test]
async fn redirects_are_followed_by_hand_and_not_for_ever() {
    let target = Server::plain(|_| OK.into()).await;
    let grant = target.grant("cdn.example");
    let away = target.url("cdn.example", "/file");
    let server = Server::plain(move |path| match path {
        "/once" | "/1" => redirect_to("/there"),
        "/there" => OK.to_owned(),
        "/away" => redirect_to(&away),
        "/metadata" => redirect_to("http://169.254.169.254/latest/meta-data/"),
        "/file" => redirect_to("file:///etc/passwd"),
        "/3" => redirect_to("/2"),
        "/2" => redirect_to("/1"),
        "/4" => redirect_to("/3"),
        _ => redirect_to("/loop"),
    })
    .await;
    let fetcher = fetcher(&FetchLimits::default(), home());
    let secrets = vec![("authorization".to_owned(), "Bearer 0123456789".to_owned().into())];
    let api = GrantedHost { secrets, ..granted(&server.grant("api.example")) };
    let hosts = [api, granted(&grant)];
    let ask = |path: &str| {
        let url = server.url("api.example", path);
        let (fetcher, hosts) = (&fetcher, &hosts);
        async move { get(fetcher, &url, hosts).await.map(|answer| answer.status) }
    };
    assert_eq!(ask("/once").await, Ok(200));
    assert_eq!(ask("/3").await, Ok(200));
    assert_eq!(ask("/4").await, Err(Unanswered::BadAnswer));
    assert_eq!(ask("/loop").await, Err(Unanswered::BadAnswer));
    assert_eq!(ask("/metadata").await, Err(Unanswered::Denied));
    assert_eq!(ask("/file").await, Err(Unanswered::Denied));
    assert!(server.asked().iter().all(|asked| asked.contains("authorization: Bearer 0123456789")));
    assert_eq!(ask("/away").await, Ok(200));
    let [asked] = target.asked().try_into().unwrap();
    assert!(!asked.contains("authorization") && !asked.contains("x-mine"), "{asked}");
    // Whoever is not granted the second host does not get there.
    assert_eq!(
        get(&fetcher, &server.url("api.example", "/away"), &hosts[..1]).await,
        Err(Unanswered::Denied)
    );
}

#[tokio::test]
async fn large_slow_and_broken_answers_have_a_word_each() {
    let bomb = gzip_bomb(64 << 20);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let server = Server::bytes(move |path| match path {
        "/bomb" => [
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len())
                .into_bytes(),
            bomb.clone(),
        ]
        .concat(),
        "/huge" => [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 1 << 20]].concat(),
        "/fits" => [b"HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n".to_vec(), vec![b'x'; 4096]].concat(),
        "/headers" => format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(500)).into_bytes(),
        "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".to_vec(),
        "/no-gzip" => b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello".to_vec(),
        "/nonsense" => b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        "/nothing" => Vec::new(),
        _ => server::SILENCE.to_vec(),
    })
    .await;
    let limits = FetchLimits { response_bytes: 4_096, ..FetchLimits::default() };
    let fetcher = fetcher(&limits, home());
    let hosts = [granted(&server.grant("api.example"))];
    for (path, word) in [
        ("/bomb", Unanswered::TooLarge),
        ("/huge", Unanswered::TooLarge),
        ("/headers", Unanswered::BadAnswer),
        ("/broken", Unanswered::BadAnswer),
        ("/no-gzip", Unanswered::BadAnswer),
        ("/nonsense", Unanswered::BadAnswer),
        ("/nothing", Unanswered::BadAnswer),
    ] {
        assert_eq!(get(&fetcher, &server.url("api.example", path), &hosts).await, Err(word), "{path}");
    }
    assert!(get(&fetcher, &server.url("api.example", "/fits"), &hosts).await.is_ok());
    let silent = server.url("api.example", "/silence");
    let began = Instant::now();
    let answer = within_time(&fetcher, &silent, &hosts, Duration::from_millis(200)).await;
    assert_eq!(answer, Err(Unanswered::Timeout));
    assert!(began.elapsed() < Duration::from_secs(20), "a tenth is left to the plugin");
    let hasty = FetchLimits { timeout_ms: 10, ..limits };
    let answer = get(&super::tests::fetcher(&hasty, home()), &silent, &hosts).await;
    assert_eq!(answer, Err(Unanswered::Timeout));
    assert_eq!(
        within_time(&fetcher, &silent, &hosts, Duration::ZERO).await,
        Err(Unanswered::Timeout),
        "no time is left"
    );
}

/// Waiting for a place counts like waiting for the server, and a place is free again when a question ends.
#[tokio::test]
async fn few_questions_are_on_their_way_at_once() {
    let server = Server::plain(|path| if path == "/silence" { String::new() } else { OK.to_owned() }).await;
    let limits = FetchLimits { concurrent_per_plugin: 1, ..FetchLimits::default() };
    let fetcher = fetcher(&limits, home());
    let hosts = [granted(&server.grant("api.example"))];
    let (silent, quick) = (server.url("api.example", "/silence"), server.url("api.example", "/"));
    let slow = within_time(&fetcher, &silent, &hosts, Duration::from_secs(3));
    let second = async {
        server.until_asked(1).await;
        within_time(&fetcher, &quick, &hosts, Duration::from_millis(100)).await
    };
    let (slow, second) = tokio::join!(slow, second);
    assert_eq!(second, Err(Unanswered::Timeout));
    assert!(slow.is_err());
    assert_eq!(server.asked().len(), 1, "the second never left");
    assert!(get(&fetcher, &quick, &hosts).await.is_ok());
}

/// Answers when it is told to.
struct Tarpit(tokio::sync::Semaphore, AtomicUsize);

#[async_trait]
impl Lookup for Tarpit {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.acquire().await.unwrap().forget();
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

/// The operating system's look-up goes on when nobody waits for it any more; it keeps its plugin's place, so that
/// a plugin whose names take for ever does not use up what others look up with.
#[tokio::test]
async fn names_that_take_for_ever_fill_their_own_plugins_places() {
    let server = Server::plain(|_| OK.into()).await;
    let limits = FetchLimits { concurrent_per_plugin: 2, ..FetchLimits::default() };
    let tarpit = Arc::new(Tarpit(tokio::sync::Semaphore::new(0), AtomicUsize::new(0)));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fetcher = Fetcher::new(&limits, Arc::clone(&tarpit) as _).unwrap();
    let hosts = [granted(&server.grant("api.example"))];
    let url = server.url("api.example", "/");
    for _ in 0..5 {
        let answer = within_time(&fetcher, &url, &hosts, Duration::from_millis(50)).await;
        assert_eq!(answer, Err(Unanswered::Timeout));
    }
    assert_eq!(tarpit.1.load(Ordering::SeqCst), 2);
    tarpit.0.add_permits(10);
    assert!(get(&fetcher, &url, &hosts).await.is_ok());
}

#[tokio::test]
async fn a_secret_is_added_by_the_host_and_not_given_back_by_an_answer() {
    let server = Server::echo().await;
    let secrets = vec![("X-Api-Key".to_owned(), "0123456789abcdef".to_owned().into())];
    let hosts = [GrantedHost { secrets, ..granted(&server.grant("api.example")) }];
    let fetcher = fetcher(&FetchLimits::default(), home());
    let answer = get(&fetcher, &server.url("api.example", "/"), &hosts).await;
    assert_eq!(answer, Err(Unanswered::Denied));
    assert!(server.asked()[0].contains("x-api-key: 0123456789abcdef"));
}

#[tokio::test]
async fn only_a_certificate_of_that_name_by_a_trusted_authority_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = (server::Authority::new(), server::Authority::new());
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let limits = FetchLimits { ca_file: Some(ca_file.clone()), ..FetchLimits::default() };
    let trusting = fetcher(&limits, home());
    let right = Server::tls(&authority, "api.example", |_| OK.into()).await;
    let grant = |server: &Server| [granted(&server.secure_grant("api.example"))];
    let url = right.secure_url("api.example", "/");
    assert_eq!(get(&trusting, &url, &grant(&right)).await.unwrap().status, 200);
    // Nobody said that this authority is to be trusted.
    let others = fetcher(&FetchLimits::default(), home());
    assert_eq!(get(&others, &url, &grant(&right)).await, Err(Unanswered::Unreachable));
    for server in [
        Server::tls(&authority, "evil.example", |_| OK.into()).await,
        Server::tls(&stranger, "api.example", |_| OK.into()).await,
        Server::plain(|_| OK.into()).await,
    ] {
        let url = server.secure_url("api.example", "/");
        assert_eq!(get(&trusting, &url, &grant(&server)).await, Err(Unanswered::Unreachable));
    }
    // TLS is not left again.
    let plain = Server::plain(|_| OK.into()).await;
    let down = plain.url("api.example", "/");
    let server = Server::tls(&authority, "api.example", move |_| redirect_to(&down)).await;
    let hosts = [granted(&server.secure_grant("api.example")), granted(&plain.grant("api.example"))];
    let answer = get(&trusting, &server.secure_url("api.example", "/"), &hosts).await;
    assert_eq!((answer, plain.asked().len()), (Err(Unanswered::Denied), 0));
    std::fs::write(&ca_file, "nonsense").unwrap();
    let said = Fetcher::new(&limits, home()).err().unwrap().to_string();
    assert!(said.contains("holds no certificate"), "{said}");
}

/// A plugin that makes up hosts cannot write into the log by them.
#[test]
fn the_log_names_hosts_as_the_merchant_wrote_them() {
    let hosts = [granted("api.example")];
    let named = |url: &str| {
        let request = HttpRequest { url: url.to_owned(), headers: Vec::new() };
        host(&Errand { shop: "s", plugin: "p", request: &request, hosts: &hosts, until: Instant::now() })
    };
    assert_eq!(named("https://api.example/ada@example.org?token=1"), "api.example");
    assert_eq!(named("https://ada.example/"), "-");
    assert_eq!(named("nonsense"), "-");
}
