//! What a connection is told for which there is no place.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::connections::Full;
use crate::config::HttpLimits;
use crate::http::problem::{Kind, Problem};

/// Refused connections that are told why at once; further ones are closed without a word.
const AT_ONCE: usize = 32;
/// To hear it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a refused client that are read, so that the answer is not lost to a reset.
const MOST: u64 = 64 << 10;

/// Tells refused clients why.
#[derive(Clone)]
pub struct Refusals(Arc<Semaphore>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Refusals {
    /// Without waiting; over TLS there is nothing to say before the handshake.
    pub fn refuse(&self, stream: TcpStream, why: Full, limits: &HttpLimits, tls: bool) {
        let label = if why == Full::All { "all" } else { "address" };
        metrics::counter!("cartwright_http_connections_refused_total", "limit" => label).increment(1);
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { return };
        if tls {
            return;
        }
        let answer = answer(why, limits);
        tokio::spawn(async move {
            let told = async {
                let (mut reader, mut writer) = stream.into_split();
                writer.write_all(&answer).await?;
                writer.shutdown().await?;
                tokio::io::copy(&mut (&mut reader).take(MOST), &mut tokio::io::sink()).await
            };
            // Who does not listen is closed all the same.
            let _ = tokio::time::timeout(PATIENCE, told).await;
            drop(permit);
        });
    }
}

fn answer(why: Full, limits: &HttpLimits) -> Vec<u8> {
    let detail = match why {
        Full::All => format!(
            "There are {} connections to this host already (http.connections of cartwright.toml); come again.",
            limits.connections
        ),
        Full::Address => format!(
            "There are {} connections from this address already (http.connections_per_address of \
             cartwright.toml); close some, or send requests over one.",
            limits.connections_per_address
        ),
    };
    let body = serde_json::to_vec(&Problem::new(Kind::TooManyConnections, detail)).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
         Retry-After: 1\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
