//! Clients that mean ill, on a real socket: each gets less than it wanted, and a checkout beside it is answered
//! as if it were not there. Afterwards nothing of it is left.

mod browsers;
mod http2;
mod keys;

use std::time::{Duration, Instant};

use harness::{Setup, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::goods::{cart, line};

/// Longer than anything here may take; only what is broken reaches it.
const FAR: Duration = Duration::from_secs(60);
/// More than a socket's buffers hold: who could write it was listened to.
const FLOOD: usize = 64 << 20;

/// A host that has little patience.
async fn shop() -> World {
    Setup::new().host("[http]\nidle_seconds = 2\ntimeout_seconds = 3\n").start().await
}

/// A checkout that must be answered whole, whatever else is going on.
async fn checkout(world: &World) {
    let body = json!({ "cart": cart(&[line("1", "mug", 2, 4_900)]) });
    let answer = world.post("/v1/hooks/checkout", &body).await.json(200);
    assert_eq!(answer["totals"]["subtotal"], 9_800, "{answer}");
    assert_eq!(answer["totals"]["total"], 9_800, "{answer}");
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.host().address()).await.expect("a connection")
}

/// All that the host says until it closes.
async fn heard(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // One that is reset has said all it had to say.
    let _ = tokio::time::timeout(FAR, stream.read_to_end(&mut bytes)).await.expect("the host closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What these bytes are answered, until the host closes.
async fn said(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect(world).await;
    let _ = stream.write_all(bytes).await;
    heard(&mut stream).await
}

/// Until no more connections are open than these.
async fn left(world: &World, before: usize) {
    let patience = Instant::now() + FAR;
    while world.host().connections().count() > before {
        assert!(Instant::now() < patience, "{} are open", world.host().connections().count());
        tokio::task::yield_now().await;
    }
}

/// Until more connections are open than these.
async fn entered(world: &World, before: usize) {
    let patience = Instant::now() + FAR;
    while world.host().connections().count() <= before {
        assert!(Instant::now() < patience, "nobody is let in");
        tokio::task::yield_now().await;
    }
}

/// A world that was asked once, and how many connections that left open.
async fn quiet() -> (World, usize) {
    let world = shop().await;
    checkout(&world).await;
    let open = world.host().connections().count();
    assert_eq!(open, 1, "the client of the scenario keeps one");
    (world, open)
}

fn answers(text: &str) -> Vec<u16> {
    text.match_indices("HTTP/1.1 ").map(|(at, _)| text[at + 9..at + 12].parse().expect("a status")).collect()
}

fn ask(world: &World, length: usize) -> String {
    format!(
        "POST /v1/hooks/checkout HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        world.secret_key
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_given_up() {
    let (world, open) = quiet().await;
    let mut stream = connect(&world).await;
    stream.write_all(ask(&world, 100_000).as_bytes()).await.unwrap();
    let began = Instant::now();
    let mut byte = [0_u8];
    // A byte with each checkout, so that it never stands still.
    loop {
        checkout(&world).await;
        if stream.write_all(b" ").await.is_err() {
            break;
        }
        match tokio::time::timeout(Duration::from_millis(20), stream.peek(&mut byte)).await {
            Err(_) => assert!(began.elapsed() < FAR, "it drips for ever"),
            Ok(_) => break,
        }
    }
    let answer = heard(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/slow-body") && answer.contains("connection: close"), "{answer}");
    assert!(!answer.contains("totals"), "{answer}");
    left(&world, open).await;
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_end_hold_no_more_than_their_part() {
    // A quarter of it is as much as the longest body.
    let world = Setup::new().host("[http]\nbodies_mib = 8\ntimeout_seconds = 600\n").start().await;
    checkout(&world).await;
    let long = || {
        let mut body = json!({ "cart": cart(&[line("1", "mug", 2, 4_900)]) }).to_string();
        body.push_str(&" ".repeat(300_000));
        let url = world.url("/v1/hooks/checkout");
        let request = world.client.post(url).bearer_auth(&world.secret_key);
        world.send(request.header("Content-Type", "application/json").body(body))
    };
    assert_eq!(long().await.status, 200);
    let begin = async || {
        let mut begun = connect(&world).await;
        begun.write_all(ask(&world, 2_000_000).as_bytes()).await.unwrap();
        let _ = begun.write_all(&vec![b' '; 1_990_000]).await;
        begun
    };
    let mut begun = begin().await;
    let patience = Instant::now() + FAR;
    let refused = loop {
        let answer = long().await;
        if answer.status != 200 {
            break answer;
        }
        // While both were read it was the other one that found no place.
        if begun.try_read(&mut [0]).is_ok() {
            begun = begin().await;
        }
        assert!(Instant::now() < patience, "whoever sends more is never refused");
    };
    let told = refused.json(503);
    assert_eq!(refused.header("Retry-After"), Some("1"), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("http.bodies_mib"), "{told}");
    checkout(&world).await;
    drop(begun);
    while long().await.status != 200 {
        assert!(Instant::now() < patience, "what was held is not given back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_half_is_let_go() {
    let (world, open) = quiet().await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"PRI * HTTP/2.0",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let mut streams = Vec::new();
    for beginning in beginnings {
        let mut stream = connect(&world).await;
        stream.write_all(beginning).await.unwrap();
        streams.push(stream);
    }
    checkout(&world).await;
    for (stream, beginning) in streams.iter_mut().zip(beginnings) {
        let answer = heard(stream).await;
        let good = usize::from(beginning.ends_with(b"GET"));
        let given = answers(&answer);
        assert_eq!(given.iter().filter(|status| **status == 200).count(), good, "{answer}");
    }
    left(&world, open).await;
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_and_refused_politely() {
    for (limits, setting) in [
        ("connections = 3\n", "http.connections "),
        ("connections_per_address = 3\n", "http.connections_per_address "),
    ] {
        // The scenario's own connection must not end by idling: its place would be free.
        let world = Setup::new().host(&format!("[http]\nidle_seconds = 120\n{limits}")).start().await;
        checkout(&world).await;
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut stream = connect(&world).await;
            stream.write_all(ask(&world, 10).as_bytes()).await.unwrap();
            held.push(stream);
        }
        let patience = Instant::now() + FAR;
        while world.host().connections().count() < 3 {
            assert!(Instant::now() < patience);
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            let answer = said(&world, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
            // Of so many at once some are closed without a word.
            if !answer.is_empty() {
                assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: 1"), "{answer}");
                let problem: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
                assert_eq!(problem["type"], "/problems/too-many-connections");
                assert!(problem["detail"].as_str().unwrap().contains(setting), "{problem}");
            }
        }
        assert_eq!(world.host().connections().count(), 3);
        // Who has a connection is served.
        checkout(&world).await;
        drop(held);
        left(&world, 1).await;
        let metrics = said(&world, b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(metrics.contains("cartwright_http_connections_refused_total"), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_off() {
    // The scenario's own connection may be idle meanwhile: it is counted, too.
    let world = Setup::new().host("[http]\nidle_seconds = 120\ntimeout_seconds = 3\n").start().await;
    checkout(&world).await;
    let open = world.host().connections().count();
    let mut stream = connect(&world).await;
    let one = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(one.repeat(60).as_bytes()).await.unwrap();
    entered(&world, open).await;
    checkout(&world).await;
    // The checkout may have come by a connection of its own, which stays.
    let others = world.host().connections().count() - 1;
    left(&world, others).await;
    let answer = heard(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "));
    assert!(answers(&answer).len() < 60, "what was not taken is not kept");
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order_and_wait_outside() {
    let (world, open) = quiet().await;
    let mut all = String::new();
    for number in 0..200 {
        let last = if number == 199 { "Connection: close\r\n" } else { "" };
        let path = if number % 2 == 0 { "/healthz" } else { "/v1/nothing" };
        all.push_str(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: n{number}\r\n{last}\r\n"));
    }
    let answer = said(&world, all.as_bytes()).await;
    let statuses = answers(&answer);
    assert_eq!(statuses.len(), 200);
    assert!(statuses.chunks(2).all(|two| two == [200, 404]), "{statuses:?}");
    let ids: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids, (0..200).map(|number| format!("n{number}")).collect::<Vec<_>>());

    // Without end, and unread: the host stops listening, and then ends it.
    let mut stream = connect(&world).await;
    let block = all.replace("Connection: close\r\n", "").into_bytes();
    let mut written = 0;
    while written < FLOOD {
        match tokio::time::timeout(FAR, stream.write(&block)).await.expect("the host ends it") {
            Ok(bytes) => written += bytes,
            Err(_) => break,
        }
    }
    assert!(written < FLOOD, "{written} bytes of questions were taken");
    left(&world, open).await;
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_few_and_short() {
    let (world, open) = quiet().await;
    let get = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    assert_eq!(answers(&said(&world, format!("{get}{}\r\n", many(90)).as_bytes()).await), [200]);
    assert_eq!(answers(&said(&world, format!("{get}{}\r\n", many(200)).as_bytes()).await), [431]);
    let long = format!("{get}X-Long: {}\r\n\r\n", "a".repeat(200_000));
    assert_eq!(answers(&said(&world, long.as_bytes()).await), [431]);
    let target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
    assert!(matches!(answers(&said(&world, target.as_bytes()).await)[..], [414 | 431]));

    for endless in ["X-More: 1\r\n".repeat(1_000), "a".repeat(10_000)] {
        let mut stream = connect(&world).await;
        stream.write_all(get.as_bytes()).await.unwrap();
        let mut written = 0;
        while written < FLOOD {
            match tokio::time::timeout(FAR, stream.write(endless.as_bytes())).await.expect("an end") {
                Ok(bytes) => written += bytes,
                Err(_) => break,
            }
        }
        assert!(written < FLOOD, "{written} bytes of headers were taken");
        checkout(&world).await;
    }
    left(&world, open).await;
}

/// What a proxy might read as one request and a host as two, or the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_hides_in_another() {
    let (world, open) = quiet().await;
    let hidden = "GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = "POST /v1/unsubscribe/x HTTP/1.1\r\nHost: x\r\n";
    let chunked = format!("0\r\n\r\n{hidden}");
    let cases = [
        (
            "a length and chunks",
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks and a length",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{chunked}"),
        ),
        ("two lengths", format!("{post}Content-Length: 5\r\nContent-Length: 0\r\n\r\n{hidden}")),
        ("lengths in a list", format!("{post}Content-Length: 5, 0\r\n\r\n{hidden}")),
        ("a length with a sign", format!("{post}Content-Length: +0\r\n\r\n{hidden}")),
        ("a length below zero", format!("{post}Content-Length: -1\r\n\r\n{hidden}")),
        ("a length without end", format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{hidden}")),
        ("a coding that is none", format!("{post}Transfer-Encoding: xchunked\r\n\r\n{chunked}")),
        ("chunks that are not last", format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n{chunked}")),
        ("a space before the colon", format!("{post}Transfer-Encoding : chunked\r\n\r\n{chunked}")),
        ("a folded line", format!("{post}Content-Length: 0\r\nX-A: b\r\n c\r\n\r\n{hidden}")),
        ("a folded coding", format!("{post}Transfer-Encoding:\r\n chunked\r\n\r\n{chunked}")),
        ("a bare carriage return", format!("{post}X-A: b\rContent-Length: 0\r\n\r\n{hidden}")),
        ("a zero byte", format!("{post}X-A: b\0c\r\nContent-Length: 0\r\n\r\n{hidden}")),
        (
            "chunks in HTTP/1.0",
            format!("POST /v1/unsubscribe/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "a chunk's size that is none",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n{chunked}"),
        ),
        (
            "a chunk's size without end",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{hidden}"),
        ),
        ("no host", format!("POST /v1/unsubscribe/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n{hidden}")),
        ("two hosts", format!("{post}Host: y\r\nContent-Length: 0\r\n\r\n{hidden}")),
    ];
    for (what, bytes) in cases {
        let answer = said(&world, bytes.as_bytes()).await;
        let statuses = answers(&answer);
        assert!(matches!(statuses[..], [400..=499]), "{what}: {answer}");
        assert!(!answer.contains("There is no such path"), "{what}: the hidden one was answered: {answer}");
    }
    // Chunks with garbage between are the end of the connection, not the beginning of another request.
    let answer =
        said(&world, format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\nab{hidden}").as_bytes()).await;
    assert!(answers(&answer).len() <= 1, "{answer}");
    checkout(&world).await;
    left(&world, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_targets_and_methods_find_nothing() {
    let (world, open) = quiet().await;
    let close = "Host: x\r\nConnection: close\r\n\r\n";
    for (line, expected) in [
        ("GET http://evil.example/healthz HTTP/1.1", &[200][..]),
        ("GET http://evil.example/v1/plugins HTTP/1.1", &[401]),
        ("GET http://169.254.169.254/latest/meta-data HTTP/1.1", &[404]),
        ("OPTIONS * HTTP/1.1", &[404]),
        ("CONNECT evil.example:443 HTTP/1.1", &[404, 405]),
        ("TRACE /healthz HTTP/1.1", &[405]),
        ("DEBUG /healthz HTTP/1.1", &[405]),
        ("get /healthz HTTP/1.1", &[405]),
        ("GET //healthz HTTP/1.1", &[404]),
        ("GET /docs/../v1/plugins HTTP/1.1", &[404]),
        ("GET /docs/..%2f..%2fcartwright.toml HTTP/1.1", &[404]),
        ("GET /docs/%00 HTTP/1.1", &[404]),
        ("GET /v1/customers/%ff%fe HTTP/1.1", &[400, 401]),
        ("GET /%2e%2e/cartwright.toml HTTP/1.1", &[404]),
        ("GET /healthz HTTP/9.9", &[400]),
        ("GET /healthz", &[400]),
        ("GET\t/healthz HTTP/1.1", &[400]),
        ("\u{1}\u{2}\u{3}", &[400]),
    ] {
        let answer = said(&world, format!("{line}\r\n{close}").as_bytes()).await;
        assert!(matches!(answers(&answer)[..], [status] if expected.contains(&status)), "{line}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("evil.example"), "{line} is repeated: {answer}");
    }
    checkout(&world).await;
    left(&world, open).await;
}

/// Each path of the description that takes a body.
#[tokio::test(flavor = "multi_thread")]
async fn packed_bodies_are_not_unpacked_anywhere() {
    let world = shop().await;
    let document = world.get("/openapi.json").await.json(200);
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else { continue };
            let kind = body["content"].as_object().unwrap().keys().next().unwrap();
            let path = path.replace("{shop}", "demo").replace("{platform}", "postmark");
            let method = method.to_ascii_uppercase().parse().unwrap();
            let request = world.client.request(method, world.url(&path.replace(['{', '}'], "x")));
            let request = request.bearer_auth(&world.secret_key).header("Content-Type", kind);
            // Were it unpacked, it would be broken; it is not even looked at.
            let answer =
                world.send(request.header("Content-Encoding", "gzip").body(vec![0x1f, 0x8b, 8])).await;
            assert!([401, 404, 415].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            let unnamed = operation["security"].is_null();
            assert!(answer.status == 415 || unnamed, "{path}: {} {}", answer.status, answer.text);
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried} paths");
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_all_depth_or_all_keys_costs_its_length() {
    let world = shop().await;
    let post = |path: &str, kind: &str, body: String| {
        let request = world.client.post(world.url(path)).bearer_auth(&world.secret_key);
        world.send(request.header("Content-Type", kind).body(body))
    };
    let json = "application/json";
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1");
    let keys: String = (0..100_000).map(|n| format!("\"k{n}\":{n},")).collect();
    let cart = cart(&[line("1", "mug", 2, 4_900)]);
    for (what, body, kind) in [
        ("depth", deep.clone(), "too-deep"),
        (
            "depth in a place for anything",
            format!("{{\"cart\":{cart},\"x\":{}", "[".repeat(1_000_000)),
            "too-deep",
        ),
        (
            "the same key again",
            format!("{{{}\"cart\":{cart}}}", "\"locale\":\"en\",".repeat(100_000)),
            "invalid-body",
        ),
        ("a cart, then another", format!("{{\"cart\":{cart},\"cart\":{cart}}}"), "invalid-body"),
        (
            "a number without end",
            format!("{{\"cart\":{cart},\"x\":{}}}", "9".repeat(1_000_000)),
            "invalid-body",
        ),
    ] {
        let answer = post("/v1/hooks/checkout", json, body).await;
        let problem = answer.json(400);
        let given = problem["type"].as_str().unwrap();
        assert!(
            given == format!("/problems/{kind}") || given == "/problems/malformed-json",
            "{what}: {problem}"
        );
        checkout(&world).await;
    }
    // Keys that nobody knows are nobody's.
    let answer = post("/v1/hooks/checkout", json, format!("{{{keys}\"cart\":{cart}}}")).await;
    assert!([200, 400].contains(&answer.status), "{}", answer.text);
    // A line of many is held to the same.
    let lines = format!("{{\"hook\":\"order-placed\",\"id\":\"1\",\"data\":{deep}}}\n");
    let report = post("/v1/events", "application/x-ndjson", lines).await;
    assert!(report.text.contains("too-deep") || report.text.contains("nested"), "{}", report.text);
    checkout(&world).await;
}
