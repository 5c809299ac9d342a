//! The same over HTTP/2, frame by frame (RFC 9113).

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET /healthz` and `POST /v1/unsubscribe/x`, as HPACK (RFC 7541) without a table.
const GET: &[u8] = b"\x82\x86\x04\x08/healthz\x01\x01x";
const POST: &[u8] = b"\x83\x86\x04\x11/v1/unsubscribe/x\x01\x01x";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client begins with.
fn preface(settings: &[u8]) -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, settings)].concat()
}

/// The frames in what was heard: kind, flags, stream, payload.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        found.push((head[3], head[4], stream, payload.to_vec()));
        bytes = rest;
    }
    found
}

async fn listen(stream: &mut TcpStream) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(FAR, stream.read_to_end(&mut bytes)).await.expect("the host closes");
    frames(&bytes)
}

/// Reads on until a frame of this kind has come.
async fn until(stream: &mut TcpStream, heard: &mut Vec<u8>, kind: u8) {
    let before = frames(heard).iter().filter(|frame| frame.0 == kind).count();
    while frames(heard).iter().filter(|frame| frame.0 == kind).count() == before {
        let mut some = [0; 16_384];
        let read = tokio::time::timeout(FAR, stream.read(&mut some)).await.expect("an answer").unwrap_or(0);
        if read == 0 {
            return;
        }
        heard.extend_from_slice(&some[..read]);
    }
}

/// Why the host said good-bye, where it did.
fn reason(frames: &[(u8, u8, u32, Vec<u8>)]) -> Option<u32> {
    let (.., payload) = frames.iter().rfind(|frame| frame.0 == GOAWAY)?;
    Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()))
}

const ENHANCE_YOUR_CALM: u32 = 11;

/// Writes the same without end; how much the host took before it ended the connection.
async fn flood(world: &World, beginning: &[u8], again: &[u8]) -> usize {
    let mut stream = connect(world).await;
    stream.write_all(beginning).await.unwrap();
    let block = again.repeat(16_384_usize.div_ceil(again.len()));
    let mut written = 0;
    while written < FLOOD {
        match tokio::time::timeout(FAR, stream.write(&block)).await.expect("the host ends it") {
            Ok(bytes) => written += bytes,
            Err(_) => break,
        }
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_reset_at_once_end_the_connection() {
    let (world, open) = quiet().await;
    let mut attack = preface(&[]);
    for number in 0..5_000_u32 {
        let stream = number * 2 + 1;
        attack.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, GET));
        attack.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut stream = connect(&world).await;
    let _ = stream.write_all(&attack).await;
    checkout(&world).await;
    let heard = listen(&mut stream).await;
    assert!(matches!(reason(&heard), None | Some(ENHANCE_YOUR_CALM)), "{heard:?}");
    let answered = heard.iter().filter(|frame| frame.0 == HEADERS).count();
    assert!(answered < 1_000, "{answered} were answered");
    left(&world, open).await;
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_taken_back_when_they_are_under_way_end_it_too() {
    let (world, open) = quiet().await;
    let mut stream = connect(&world).await;
    stream.write_all(&preface(&[])).await.unwrap();
    let mut heard = Vec::new();
    for number in 0..400_u32 {
        let id = number * 2 + 1;
        // The host waits for the body; the ping's answer comes when it does.
        let begun = [frame(HEADERS, END_HEADERS, id, POST), frame(PING, 0, 0, &[7; 8])].concat();
        if stream.write_all(&begun).await.is_err() {
            break;
        }
        until(&mut stream, &mut heard, PING).await;
        if stream.write_all(&frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())).await.is_err() {
            break;
        }
        if number % 50 == 0 {
            checkout(&world).await;
        }
    }
    left(&world, open).await;
    assert!(!frames(&heard).iter().any(|frame| frame.0 == HEADERS), "none was answered");
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_are_refused() {
    let (world, open) = quiet().await;
    let begun = [preface(&[]), frame(HEADERS, END_STREAM, 1, GET)].concat();
    let more = [b"\x00\x03x-a\x7f\x80\x01".as_slice(), &[b'a'; 255]].concat();
    for again in [frame(CONTINUATION, 0, 1, &more), frame(CONTINUATION, 0, 1, &[])] {
        let taken = flood(&world, &begun, &again).await;
        assert!(taken < FLOOD, "{taken} bytes were taken");
        checkout(&world).await;
    }
    left(&world, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_small_talk_end_when_they_are_not_listened_to() {
    let (world, open) = quiet().await;
    for again in [
        frame(PING, 0, 0, &[1; 8]),
        frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]),
        frame(0x63, 0, 0, &[0; 64]),
        frame(DATA, 0, 1, &[]),
        // Priorities of streams that are not there.
        frame(2, 0, 3, &[0, 0, 0, 0, 16]),
        frame(8, 0, 0, &[0, 0, 0, 1]),
    ] {
        let mut beginning = preface(&[]);
        beginning.extend(frame(HEADERS, END_HEADERS, 1, POST));
        let mut stream = connect(&world).await;
        stream.write_all(&beginning).await.unwrap();
        let block = again.repeat(1_000);
        let began = Instant::now();
        // Not for its size but for its time: a request does not keep such a connection open.
        while began.elapsed() < FAR {
            match tokio::time::timeout(FAR, stream.write(&block)).await.expect("the host ends it") {
                Ok(_) => {}
                Err(_) => break,
            }
        }
        assert!(began.elapsed() < FAR, "a connection lives on {:?}", &again[..9]);
        checkout(&world).await;
    }
    left(&world, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_at_once_are_few() {
    let (world, open) = quiet().await;
    let mut stream = connect(&world).await;
    let mut attack = preface(&[]);
    for number in 0..100_u32 {
        attack.extend(frame(HEADERS, END_HEADERS, number * 2 + 1, POST));
    }
    stream.write_all(&attack).await.unwrap();
    checkout(&world).await;
    let heard = listen(&mut stream).await;
    let settings = heard.iter().find(|frame| frame.0 == SETTINGS && frame.1 == 0).expect("settings");
    let at_once = settings.3.chunks(6).find(|setting| setting[..2] == [0, 3]).expect("a limit");
    assert_eq!(at_once[2..], 64_u32.to_be_bytes());
    // Refused at once (7), or at the end of the host's patience answered 408.
    let refused =
        heard.iter().filter(|frame| frame.0 == RST_STREAM && frame.3 == 7_u32.to_be_bytes()).count();
    assert_eq!(refused, 100 - 64);
    left(&world, open).await;
    checkout(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_let_through_is_not_kept() {
    let (world, open) = quiet().await;
    let mut stream = connect(&world).await;
    // A window of nothing (4), so that answers can begin and not end.
    let mut attack = preface(&[0, 4, 0, 0, 0, 0]);
    for number in 0..60_u32 {
        attack.extend(frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, GET));
    }
    stream.write_all(&attack).await.unwrap();
    checkout(&world).await;
    let heard = listen(&mut stream).await;
    assert!(heard.iter().any(|frame| frame.0 == HEADERS), "the answers began");
    assert!(!heard.iter().any(|frame| frame.0 == DATA && !frame.3.is_empty()), "and did not end");
    left(&world, open).await;
    checkout(&world).await;
}
