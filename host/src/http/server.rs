//! Listening: hyper with a bound on everything that a client can hold: connections, headers, streams, time
//! without a question and time to take an answer. And an end that finishes what it holds.

mod activity;
mod connections;
mod refusal;
mod watched;

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use self::activity::{Activity, Ending, Patience};
use self::refusal::Refusals;
use self::watched::Watched;
use crate::config::{Certificate, HttpLimits};

pub use connections::{Connections, counted};

/// How long to wait after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What an idle client has to hear that its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes of a request's headers in HTTP/2; more are refused with 431.
const HEADER_BYTES: u32 = 32 << 10;
/// Bytes that hyper reads ahead and holds back for one HTTP/1 connection: headers must fit (100 lines of them, its
/// own limit; else 431), and pipelined requests wait in them.
const BUFFER_BYTES: usize = 64 << 10;
/// Requests at once on one HTTP/2 connection. A storefront needs a few; each may hold a body.
const STREAMS: u32 = 64;
/// Bytes that one stream, and one connection, may send before the host has read them: what a client can make
/// the host keep, whatever it leaves unfinished.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 512 << 10;
/// Bytes of an answer that wait in one stream.
const SEND_BYTES: usize = 64 << 10;
/// Streams that a client resets before they were looked at (CVE-2023-44487, "rapid reset"): then it is shut out.
const RESET_BY_CLIENT: usize = 20;
/// Streams that the host had to reset for a client's mistakes ("made you reset", CVE-2025-8671).
const RESET_BY_HOST: usize = 128;
/// An HTTP/2 client that does not answer a ping is gone.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WITHIN: Duration = Duration::from_secs(10);

/// How a request came in; beside it only what it says itself is known.
#[derive(Debug, Clone, Copy)]
pub struct Entrance {
    /// By TLS.
    pub secure: bool,
    /// The client's address, or its proxy's.
    pub from: IpAddr,
}

/// What holds for a connection, from its beginning to its end.
#[derive(Clone)]
pub struct Rules {
    pub limits: HttpLimits,
    /// Without one the connection is plain.
    pub certificate: Option<Arc<Certificate>>,
}

/// Answers until `shutdown` resolves, then takes no new connection and finishes the requests it holds,
/// for as long as one request may take (`limits.timeout_seconds`). `rules` are asked at each new connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    rules: impl Fn() -> Rules,
    connections: Connections,
    shutdown: impl Future<Output = ()>,
) {
    let (closing, cut, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let refusals = Refusals::default();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let rules = rules();
        let place = match connections.enter(from.ip(), &rules.limits) {
            Ok(place) => place,
            Err(why) => {
                refusals.refuse(stream, why, &rules.limits, rules.certificate.is_some());
                continue;
            }
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let attended = receive(stream, from.ip(), router.clone(), rules, closing.clone());
        let cut = cut.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = attended => {}
                () = cut.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    closing.cancel();
    tasks.close();
    let patience = Duration::from_secs(rules().limits.timeout_seconds.max(1));
    if tokio::time::timeout(patience, tasks.wait()).await.is_err() {
        tracing::warn!(
            "some requests had not finished {} s after the stop; they were cut",
            patience.as_secs()
        );
        cut.cancel();
    }
}

/// Plain, or by TLS when there is a certificate; who does not finish its handshake as soon as its headers, is
/// closed, and so is who speaks plain HTTP where TLS is spoken.
async fn receive(stream: TcpStream, from: IpAddr, router: Router, rules: Rules, closing: CancellationToken) {
    let Rules { limits, certificate } = rules;
    let Some(certificate) = certificate else {
        return attend(stream, router, limits, Entrance { secure: false, from }, closing).await;
    };
    let within = Duration::from_secs(limits.idle_seconds.max(1));
    let handshake = TlsAcceptor::from(Arc::clone(&certificate.server)).accept(stream);
    drop(certificate);
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(within, handshake) => shaken,
        () = closing.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => attend(stream, router, limits, Entrance { secure: true, from }, closing).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// One connection, from its first byte to its last.
async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    limits: HttpLimits,
    entrance: Entrance,
    closing: CancellationToken,
) {
    let idle = Duration::from_secs(limits.idle_seconds.max(1));
    let taking = Duration::from_secs(limits.timeout_seconds.max(1));
    let activity = Activity::new(Patience { idle, taking });
    let asked = activity.clone();
    let service = tower::service_fn(move |mut request: Request<Incoming>| {
        let under_way = asked.begin();
        request.extensions_mut().insert(entrance);
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(|response| under_way.answered(response)) }
    });
    let builder = builder(idle);
    let stream = Watched { stream, activity: activity.clone() };
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    let mut told = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = closing.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            ending = activity.ended() => {
                tracing::debug!(?ending, "a connection is ended");
                if ending == Ending::Idle {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(FAREWELL, connection).await;
                }
                return;
            }
        }
    }
}

fn builder(idle: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(idle).max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BYTES)
        .max_pending_accept_reset_streams(RESET_BY_CLIENT)
        .max_local_error_reset_streams(RESET_BY_HOST)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN);
    builder
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    fn patient() -> Rules {
        let limits = HttpLimits { idle_seconds: 30, ..HttpLimits::default() };
        Rules { limits, certificate: None }
    }

    async fn read_all(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        // A connection that is reset has said all it had to say.
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn a_stop_finishes_the_request_that_is_under_way_and_takes_no_new_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (started, finish, stop) =
            (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begun, end) = (Arc::clone(&started), Arc::clone(&finish));
        let slow = get(move || async move {
            begun.notify_one();
            end.notified().await;
            "finished"
        });
        let router = Router::new().route("/", slow);
        let stopping = Arc::clone(&stop);
        let server = tokio::spawn(serve(listener, router, patient, Connections::default(), async move {
            stopping.notified().await;
        }));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        started.notified().await;
        stop.notify_one();
        // The listener is dropped before the waiting begins.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        finish.notify_one();
        let answer = read_all(&mut client).await;
        assert!(answer.ends_with("finished"), "{answer}");
        server.await.unwrap();
    }
}
