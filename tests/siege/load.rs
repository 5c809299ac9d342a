//! Load: requests at a fixed rate, whatever becomes of those before (open loop).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

/// What was answered: status and body; none where there was no answer.
#[derive(Debug)]
pub struct Answer {
    /// From when it was due to be sent, so that what waits behind a slow one counts.
    pub latency: Duration,
    pub status: Option<u16>,
    pub body: String,
}

/// Makes the request of a number.
pub type Make = Arc<dyn Fn(u64) -> reqwest::RequestBuilder + Send + Sync>;

/// Sends `count` requests, `rate` a second, and waits for all answers.
pub async fn measure(make: &Make, rate: f64, first: u64, count: u32) -> Vec<Answer> {
    let (told, mut answers) = mpsc::unbounded_channel();
    let (make, runtime) = (Arc::clone(make), Handle::current());
    std::thread::spawn(move || {
        let begin = Instant::now();
        for number in 0..count {
            let due = begin + Duration::from_secs_f64(f64::from(number) / rate);
            // To a tenth of a millisecond; the runtime's own timer steps by one.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (request, told) = (make(first + u64::from(number)), told.clone());
            runtime.spawn(async move {
                let _ = told.send(answered(request, due).await);
            });
        }
    });
    let mut all = Vec::with_capacity(count as usize);
    while let Some(answer) = answers.recv().await {
        all.push(answer);
    }
    all
}

/// As many a second as `clients` can have answered, over a time: (requests a second, answers).
pub async fn saturate(make: &Make, clients: u32, time: Duration) -> anyhow::Result<f64> {
    let until = Instant::now() + time;
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let make = Arc::clone(make);
            tokio::spawn(async move {
                let mut done = 0_u32;
                while Instant::now() < until {
                    let number = (u64::from(client) << 32) + u64::from(done);
                    let answer = answered(make(number), Instant::now()).await;
                    anyhow::ensure!(answer.status == Some(200), "{:?}: {}", answer.status, answer.body);
                    done += 1;
                }
                Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

/// A load that goes on until it is ended.
#[derive(Debug)]
pub struct Pressure {
    ended: Arc<AtomicBool>,
    answers: mpsc::UnboundedReceiver<Answer>,
    thread: std::thread::JoinHandle<u64>,
}

/// Requests of the load that may be without an answer at once: more are not sent, a client has no more sockets.
const OPEN: usize = 256;

impl Pressure {
    pub fn begin(make: Make, rate: f64, first: u64) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (told, answers) = mpsc::unbounded_channel();
        let (end, runtime) = (Arc::clone(&ended), Handle::current());
        let open = Arc::new(Semaphore::new(OPEN));
        let thread = std::thread::spawn(move || {
            let begin = Instant::now();
            let (mut number, mut sent) = (0_u32, first);
            while !end.load(Ordering::Relaxed) {
                let due = begin + Duration::from_secs_f64(f64::from(number) / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                number += 1;
                let Ok(place) = Arc::clone(&open).try_acquire_owned() else { continue };
                let (request, told) = (make(sent), told.clone());
                sent += 1;
                runtime.spawn(async move {
                    let answer = answered(request, due).await;
                    drop(place);
                    let _ = told.send(answer);
                });
            }
            sent
        });
        Self { ended, answers, thread }
    }

    /// The answers, and the number of the next request.
    pub async fn end(mut self) -> (Vec<Answer>, u64) {
        self.ended.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        while let Some(answer) = self.answers.recv().await {
            all.push(answer);
        }
        let sent = tokio::task::spawn_blocking(move || self.thread.join()).await;
        (all, sent.ok().and_then(Result::ok).unwrap_or_default())
    }
}

async fn answered(request: reqwest::RequestBuilder, due: Instant) -> Answer {
    let (status, body) = match request.send().await {
        Ok(answer) => (Some(answer.status().as_u16()), answer.text().await.unwrap_or_default()),
        Err(error) => (None, error.to_string()),
    };
    Answer { latency: due.elapsed(), status, body }
}

/// The 99th percentile, nearest rank.
pub fn p99(answers: &[Answer]) -> Duration {
    let mut latencies: Vec<Duration> = answers.iter().map(|answer| answer.latency).collect();
    latencies.sort_unstable();
    let rank = (latencies.len() * 99).div_ceil(100).saturating_sub(1);
    latencies.get(rank).copied().unwrap_or_default()
}
