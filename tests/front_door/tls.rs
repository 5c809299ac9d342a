//! The host speaks TLS itself: both versions of HTTP, certificates that are renewed while it runs, and nothing
//! for who speaks something else.

use std::time::{Duration, Instant};

use harness::{Setup, World};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, ClientBuilder, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::goods::{cart, line};

const NAME: &str = "hooks.grove.example";
const FAR: Duration = Duration::from_secs(60);

/// A certificate for the host, its key, and the authority that signed it, all in PEM.
struct Pair {
    certificate: String,
    key: String,
    authority: String,
}

fn pair() -> Pair {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signing = KeyPair::generate().unwrap();
    let root = authority.self_signed(&signing).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([NAME.to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &Issuer::new(authority, signing)).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), authority: root.pem() }
}

fn setup(pair: &Pair) -> Setup {
    Setup::new()
        .file("cert.pem", &pair.certificate)
        .file("key.pem", &pair.key)
        .host("[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n[http]\nidle_seconds = 2\n")
}

/// Trusts this authority and no other.
fn client(world: &World, pair: &Pair) -> ClientBuilder {
    let root = Certificate::from_pem(pair.authority.as_bytes()).unwrap();
    Client::builder().tls_certs_only([root]).resolve(NAME, world.host().address())
}

fn url(world: &World, path: &str) -> String {
    format!("https://{NAME}:{}{path}", world.host().address().port())
}

async fn checkout(world: &World, client: &Client) -> reqwest::Response {
    let body = json!({ "cart": cart(&[line("1", "mug", 2, 4_900)]) });
    let request = client.post(url(world, "/v1/hooks/checkout")).bearer_auth(&world.secret_key).json(&body);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response
}

async fn problems(world: &World, client: &Client) -> Vec<Value> {
    let request = client.get(url(world, "/v1/plugins")).bearer_auth(&world.secret_key);
    let answer: Value = request.send().await.expect("an answer").json().await.unwrap();
    answer["problems"].as_array().unwrap().clone()
}

/// As tools that renew certificates do it.
fn rename(world: &World, name: &str, content: &str) {
    let beside = format!("{name}.new");
    world.write(&beside, content);
    std::fs::rename(world.path(&beside), world.path(name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_spoken_and_browsers_told_to_stay() {
    let pair = pair();
    let world = setup(&pair).start().await;
    let new = checkout(&world, &client(&world, &pair).build().unwrap()).await;
    assert_eq!(new.version(), Version::HTTP_2);
    let old = checkout(&world, &client(&world, &pair).http1_only().build().unwrap()).await;
    assert_eq!(old.version(), Version::HTTP_11);
    for response in [new, old] {
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["totals"]["total"], 9_800, "{answer}");
    }
    // Another authority's word is not ours.
    let stranger = client(&world, &self::pair()).build().unwrap();
    assert!(stranger.get(url(&world, "/healthz")).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let (first, second) = (pair(), pair());
    let world = setup(&first).start_live().await;
    let before = client(&world, &first).build().unwrap();
    checkout(&world, &before).await;

    rename(&world, "cert.pem", &second.certificate);
    rename(&world, "key.pem", &second.key);
    let patience = Instant::now() + FAR;
    let after = loop {
        let after = client(&world, &second).build().unwrap();
        if after.get(url(&world, "/healthz")).send().await.is_ok() {
            break after;
        }
        assert!(Instant::now() < patience, "the new certificate is never shown");
        // Meanwhile the connection that there was is used on.
        checkout(&world, &before).await;
    };
    checkout(&world, &after).await;
    checkout(&world, &before).await;
    let late = client(&world, &first).build().unwrap();
    assert!(late.get(url(&world, "/healthz")).send().await.is_err(), "the old one is shown no more");
    assert!(problems(&world, &after).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pair_leaves_the_old_one_live_and_says_so() {
    let (first, second) = (pair(), pair());
    let world = setup(&first).start().await;
    for (name, content, told) in [
        ("key.pem", second.key.as_str(), "is not the key of"),
        ("key.pem", "", "holds no private key"),
        ("cert.pem", "nonsense", "holds no certificate"),
    ] {
        world.write(name, content);
        let reloaded = world.reload().await;
        assert!(
            matches!(&reloaded[..], [one] if one.starts_with("tls: ") && one.contains(told)),
            "{reloaded:?}"
        );
        // A new connection, so that the certificate is shown again.
        let client = client(&world, &first).build().unwrap();
        checkout(&world, &client).await;
        let listed = problems(&world, &client).await;
        assert_eq!(listed[0]["kind"], "tls", "{listed:?}");
        assert!(listed[0]["file"].as_str().unwrap().contains("cartwright.toml:"), "{listed:?}");
        assert!(!format!("{listed:?}").contains("PRIVATE KEY-----\\n"), "no key is told: {listed:?}");
        world.write("key.pem", &first.key);
        world.write("cert.pem", &first.certificate);
        assert_eq!(world.reload().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_a_wrong_certificate_does_not_start_and_says_why() {
    let pair = pair();
    let refused = setup(&pair).file("key.pem", &self::pair().key).refused().await;
    assert!(refused.contains("key.pem is not the key of"), "{refused}");
    let without =
        Setup::new().host("[tls]\ncertificate = \"none.pem\"\nkey = \"none.pem\"\n").refused().await;
    assert!(without.contains("none.pem cannot be read"), "{without}");
    let half = Setup::new().host("[tls]\ncertificate = \"none.pem\"\n").refused().await;
    assert!(half.contains("key"), "{half}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_tls_is_closed_and_not_kept_waiting() {
    let pair = pair();
    let world = setup(&pair).start().await;
    let client = client(&world, &pair).build().unwrap();
    checkout(&world, &client).await;
    let beginnings: [&[u8]; 4] = [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        // The beginning of a ClientHello that never goes on, and nothing at all.
        b"\x16\x03\x01\x02\x00\x01",
        b"",
    ];
    for beginning in beginnings {
        let mut stream = TcpStream::connect(world.host().address()).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut heard = Vec::new();
        let ended = tokio::time::timeout(FAR, stream.read_to_end(&mut heard)).await;
        assert!(ended.is_ok(), "{beginning:?} is kept waiting");
        assert!(!heard.windows(5).any(|part| part == b"HTTP/"), "{}", String::from_utf8_lossy(&heard));
        checkout(&world, &client).await;
    }
    let patience = Instant::now() + FAR;
    while world.host().connections().count() > 1 {
        assert!(Instant::now() < patience, "connections are left");
        tokio::task::yield_now().await;
    }
}
