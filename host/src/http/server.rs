//! Listening: hyper with a limit on how long a client may take over its headers, and an end that
//! finishes what it holds.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::config::HttpLimits;

/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers until `shutdown` resolves, then takes no new connection and finishes the requests it holds,
/// for as long as one request may take (`limits.timeout_seconds`).
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpLimits,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    serve_with(
        listener,
        router,
        HEADERS_WITHIN,
        Duration::from_secs(limits.timeout_seconds.max(1)),
        shutdown,
    )
    .await;
    Ok(())
}

async fn serve_with(
    listener: TcpListener,
    router: Router,
    headers_within: Duration,
    patience: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(headers_within);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            "some requests had not finished {} s after the stop; they were cut",
            patience.as_secs()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

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
        let server =
            tokio::spawn(serve_with(listener, router, LONG, LONG, async move { stopping.notified().await }));
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

    #[tokio::test]
    async fn a_client_that_drips_its_headers_is_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve_with(
            listener,
            Router::new(),
            Duration::from_millis(20),
            LONG,
            std::future::pending(),
        ));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:").await.unwrap();
        let answer = tokio::time::timeout(LONG, read_all(&mut client)).await.expect("the host closes");
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        server.abort();
    }
}
