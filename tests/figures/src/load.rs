//! Load: a client that costs little beside what it measures. Its connections are kept alive, its requests are bytes that
//! are made once, of an answer only what frames it is read, and it has a thread and a runtime of its own.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request(Bytes);

/// Connections of a load at a fixed rate; who finds none free waits.
const CONNECTIONS: usize = 64;

/// Where a load goes, and what a good answer is.
#[derive(Clone)]
pub struct Aim {
    pub address: SocketAddr,
    /// Makes the request of a number; each number comes once.
    make: Arc<dyn Fn(u64) -> Request + Send + Sync>,
    next: Arc<AtomicU64>,
    status: u16,
    /// Bytes of an answer that is whole, at least: nothing is left out of one that is as long as the first.
    whole: usize,
}

/// When there was enough of it.
#[derive(Debug, Clone)]
pub enum Enough {
    After(Duration),
    Requests(u64),
    WhenTold(Arc<AtomicBool>),
}

#[derive(Debug, Default)]
pub struct Load {
    pub per_second: f64,
    /// Sorted.
    pub latencies: Vec<Duration>,
    pub failed: u64,
    /// What was wrong first.
    pub first_wrong: Option<String>,
}

impl Aim {
    /// Answers have this status.
    pub fn new(
        address: SocketAddr,
        status: u16,
        make: impl Fn(u64) -> Request + Send + Sync + 'static,
    ) -> Self {
        Self { address, make: Arc::new(make), next: Arc::default(), status, whole: 0 }
    }

    /// From now on answers must be as long as this one, but for a tenth (amounts and times are of different lengths).
    pub fn whole_as(mut self, answer: &Bytes) -> Self {
        self.whole = answer.len() * 9 / 10;
        self
    }

    /// One answer, which must be good.
    pub async fn once(&self) -> anyhow::Result<Bytes> {
        self.ask(&mut Connection::open(self.address).await?).await
    }

    pub async fn ask(&self, connection: &mut Connection) -> anyhow::Result<Bytes> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (status, body) = connection.ask((self.make)(number)).await?;
        ensure!(
            status == self.status && body.len() >= self.whole,
            "an answer is wrong: {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

impl Enough {
    fn is_reached(&self, sent: u64, since: Instant) -> bool {
        match self {
            Self::After(time) => since.elapsed() >= *time,
            Self::Requests(count) => sent >= *count,
            Self::WhenTold(told) => told.load(Ordering::Relaxed),
        }
    }
}

/// One in so many may be wrong: a plugin has 200 ms, and a machine may stand still for longer.
const BORNE: u64 = 1_000;

impl Load {
    fn take(&mut self, latency: Duration, answered: anyhow::Result<()>) {
        self.latencies.push(latency);
        if let Err(wrong) = answered {
            self.failed += 1;
            self.first_wrong.get_or_insert_with(|| wrong.to_string());
        }
    }

    /// What is wrong is not counted as done.
    fn end(&mut self, took: Duration) {
        self.per_second = (self.latencies.len() as f64 - self.failed as f64) / took.as_secs_f64();
        self.latencies.sort_unstable();
    }

    /// An error: too many of the answers were wrong.
    pub fn bear(&self) -> anyhow::Result<()> {
        let answers = self.latencies.len() as u64;
        let first = self.first_wrong.as_deref().unwrap_or_default();
        ensure!(self.failed * BORNE <= answers, "{} of {answers} answers are wrong; {first}", self.failed);
        Ok(())
    }

    pub fn percentile_ms(&self, percent: usize) -> f64 {
        percentile(&self.latencies, percent).as_secs_f64() * 1_000.0
    }
}

impl Request {
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self([head.as_bytes(), body].concat().into())
    }
}

/// A connection that is kept alive.
pub struct Connection {
    stream: TcpStream,
    /// What was read and is not an answer yet.
    read: BytesMut,
    /// Nothing more can be asked.
    closed: bool,
}

/// What frames an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Bytes of itself, and of the body behind it.
    length: usize,
    body: usize,
    last: bool,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: BytesMut::with_capacity(16 << 10), closed: false })
    }

    /// The server may close one that was idle for long.
    pub fn is_closed(&self) -> bool {
        self.closed
            || !matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    pub async fn ask(&mut self, request: Request) -> anyhow::Result<(u16, Bytes)> {
        // Until the answer is whole, nothing else fits.
        self.closed = true;
        self.stream.write_all(&request.0).await?;
        loop {
            if let Some(head) = head(&self.read)?
                && self.read.len() >= head.length + head.body
            {
                self.closed = head.last;
                self.read.advance(head.length);
                return Ok((head.status, self.read.split_to(head.body).freeze()));
            }
            self.read.reserve(4 << 10);
            ensure!(
                self.stream.read_buf(&mut self.read).await? > 0,
                "the connection ended before the answer"
            );
        }
    }
}

/// None: not all of it was read.
fn head(read: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = answer.parse(read)? else { return Ok(None) };
    let status = answer.code.context("an answer has a status")?;
    let value = |wanted: &str| {
        answer
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(wanted))
            .map(|header| header.value)
    };
    let body = value("content-length").context("an answer does not say its length")?;
    let body = std::str::from_utf8(body)?.parse()?;
    let last = value("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
    Ok(Some(Head { status, length, body, last }))
}

/// Each client asks again as soon as it is answered (closed loop). Wrong answers do not count, and are an error when they
/// are more than [`Load::bear`] does.
pub async fn saturate(aim: &Aim, clients: usize, enough: Enough) -> anyhow::Result<Load> {
    let aim = aim.clone();
    apart(async move {
        let sent = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                let (aim, sent, enough) = (aim.clone(), Arc::clone(&sent), enough.clone());
                tokio::spawn(async move {
                    let mut connection = Connection::open(aim.address).await?;
                    let mut own = Load::default();
                    while !enough.is_reached(sent.fetch_add(1, Ordering::Relaxed), began) {
                        let asked = Instant::now();
                        let answered = aim.ask(&mut connection).await;
                        if connection.is_closed() {
                            return Err(answered.err().context("a connection was closed")?);
                        }
                        own.take(asked.elapsed(), answered.map(|_| ()));
                    }
                    anyhow::Ok(own)
                })
            })
            .collect();
        let mut load = Load::default();
        for client in clients {
            let own = client.await??;
            load.latencies.extend(own.latencies);
            load.failed += own.failed;
            load.first_wrong = load.first_wrong.or(own.first_wrong);
        }
        load.end(began.elapsed());
        load.bear()?;
        Ok(load)
    })
    .await
}

/// So many requests a second, whatever becomes of those before (open loop). A latency begins when its request was due,
/// so that what waits behind a slow one counts.
pub async fn offer(aim: &Aim, per_second: f64, enough: Enough) -> anyhow::Result<Load> {
    let aim = aim.clone();
    apart(async move {
        let mut free = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            free.push(Connection::open(aim.address).await?);
        }
        let pool = Arc::new((Mutex::new(free), Semaphore::new(CONNECTIONS)));
        let (told, mut answers) = mpsc::unbounded_channel();
        let (runtime, began) = (Handle::current(), Instant::now());
        std::thread::spawn(move || {
            for number in 0_u64.. {
                if enough.is_reached(number, began) {
                    break;
                }
                let due = began + Duration::from_secs_f64(number as f64 / per_second);
                // To a tenth of a millisecond; the runtime's own timer steps by one.
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let (aim, pool, told) = (aim.clone(), Arc::clone(&pool), told.clone());
                runtime.spawn(async move {
                    let answered = from(&pool, &aim).await;
                    let _ = told.send((due.elapsed(), answered));
                });
            }
        });
        let mut load = Load::default();
        while let Some((latency, answered)) = answers.recv().await {
            load.take(latency, answered);
        }
        load.end(began.elapsed());
        Ok(load)
    })
    .await
}

async fn from(pool: &(Mutex<Vec<Connection>>, Semaphore), aim: &Aim) -> anyhow::Result<()> {
    let _turn = pool.1.acquire().await?;
    let free = || pool.0.lock().unwrap_or_else(PoisonError::into_inner);
    // The server closes those that were idle for long.
    let kept = std::iter::from_fn(|| free().pop()).find(|kept| !kept.is_closed());
    let mut connection = match kept {
        Some(connection) => connection,
        // One that broke was not given back.
        None => Connection::open(aim.address).await?,
    };
    let answered = aim.ask(&mut connection).await;
    if !connection.is_closed() {
        free().push(connection);
    }
    answered.map(|_| ())
}

/// On a thread and a runtime of its own.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    })
    .await
    .context("the load broke off")?
}

/// Nearest rank.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_framed_by_what_it_says_of_its_length() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nconnection: close\r\n\r\n{}";
        let length = answer.len() - 2;
        assert_eq!(head(answer).unwrap(), Some(Head { status: 202, length, body: 2, last: true }));
        assert_eq!(head(&answer[..length - 1]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_percentile_is_a_value_that_was_there() {
        let hundred: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&hundred, 99), Duration::from_millis(99));
        assert_eq!(percentile(&hundred, 50), Duration::from_millis(50));
        assert_eq!(percentile(&hundred[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
