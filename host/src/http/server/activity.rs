//! What one connection is doing, and when to end it: it asks nothing, does not take its answers, or asks only to
//! take its questions back. What a question itself may take is the business of `request`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

/// It is looked at so often at least.
const LOOK: Duration = Duration::from_secs(1);

/// Requests that a client may take back unanswered, when these are more than those it let be answered: reset
/// streams of HTTP/2 begin work that nobody waits for.
const TAKEN_BACK: u32 = 100;

/// How long a client may make the host wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a request under way.
    pub idle: Duration,
    /// To take an answer.
    pub taking: Duration,
}

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No request was under way.
    Idle,
    /// An answer was not taken.
    NotTaken,
    /// Requests were only begun.
    TakenBack,
}

#[derive(Debug)]
pub struct Activity {
    state: Mutex<State>,
    patience: Patience,
    taken_back: Notify,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Under way; until when the answer must be taken, where there is one.
    requests: BTreeMap<u64, Option<Instant>>,
    quiet_since: Instant,
    /// Since when bytes wait that the client does not take.
    stuck_since: Option<Instant>,
    answered: u32,
    taken_back: u32,
}

impl Activity {
    #[must_use]
    pub fn new(patience: Patience) -> Arc<Self> {
        let state = State {
            next: 0,
            requests: BTreeMap::new(),
            quiet_since: Instant::now(),
            stuck_since: None,
            answered: 0,
            taken_back: 0,
        };
        Arc::new(Self { state: Mutex::new(state), patience, taken_back: Notify::new() })
    }

    /// A request came.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        let mut state = self.state();
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        state.requests.insert(number, None);
        UnderWay { activity: Arc::clone(self), number, answered: false }
    }

    /// The client takes no bytes.
    pub fn stuck(&self) {
        self.state().stuck_since.get_or_insert_with(Instant::now);
    }

    /// The client took all there was.
    pub fn taken(&self) {
        self.state().stuck_since = None;
    }

    /// Waits until the connection should be ended.
    pub async fn ended(&self) -> Ending {
        loop {
            let next = match self.look(Instant::now()) {
                Ok(next) => next,
                Err(ending) => return ending,
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.taken_back.notified() => {}
            }
        }
    }

    /// When to look again.
    fn look(&self, now: Instant) -> Result<Instant, Ending> {
        let state = self.state();
        if state.taken_back > TAKEN_BACK && state.taken_back > state.answered {
            return Err(Ending::TakenBack);
        }
        let stuck = state.stuck_since.map(|since| since + self.patience.taking);
        let taking = state.requests.values().flatten().copied().chain(stuck).min();
        if taking.is_some_and(|until| until <= now) {
            return Err(Ending::NotTaken);
        }
        let idle = state.requests.is_empty().then(|| state.quiet_since + self.patience.idle);
        if idle.is_some_and(|until| until <= now) {
            return Err(Ending::Idle);
        }
        Ok([taking, idle].into_iter().flatten().fold(now + LOOK, Instant::min))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request, until its answer is handed over whole.
#[derive(Debug)]
pub struct UnderWay {
    activity: Arc<Activity>,
    number: u64,
    answered: bool,
}

impl UnderWay {
    /// There is an answer; it carries this until it is taken.
    pub fn answered(mut self, response: Response) -> Response {
        self.answered = true;
        let mut state = self.activity.state();
        let until = Instant::now() + self.activity.patience.taking;
        state.requests.insert(self.number, Some(until));
        state.answered = state.answered.saturating_add(1);
        drop(state);
        response.map(|body| Body::new(Held { body, under_way: self }))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.requests.remove(&self.number);
        state.quiet_since = Instant::now();
        if !self.answered {
            state.taken_back = state.taken_back.saturating_add(1);
            drop(state);
            self.activity.taken_back.notify_one();
        }
    }
}

/// The body of an answer.
struct Held {
    body: Body,
    #[expect(dead_code, reason = "dropped with the body: then the answer is handed over")]
    under_way: UnderWay,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);
    const TAKING: Duration = Duration::from_secs(30);

    fn activity() -> Arc<Activity> {
        Activity::new(Patience { idle: IDLE, taking: TAKING })
    }

    async fn lasted(activity: &Activity) -> (Ending, Duration) {
        let began = Instant::now();
        (activity.ended().await, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_nothing_is_let_go() {
        assert_eq!(lasted(&activity()).await, (Ending::Idle, IDLE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_keeps_its_connection_and_its_answer_must_be_taken() {
        let activity = activity();
        let under_way = activity.begin();
        assert!(tokio::time::timeout(Duration::from_secs(3_600), activity.ended()).await.is_err());
        let answer = under_way.answered(Response::new(Body::from("x")));
        assert_eq!(lasted(&activity).await, (Ending::NotTaken, TAKING));
        drop(answer);
        assert_eq!(lasted(&activity).await, (Ending::Idle, IDLE));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_are_not_taken_end_it_and_those_that_are_do_not() {
        let activity = activity();
        let _under_way = activity.begin();
        activity.stuck();
        tokio::time::advance(TAKING / 2).await;
        activity.taken();
        activity.stuck();
        tokio::time::advance(TAKING / 2).await;
        activity.stuck();
        assert_eq!(lasted(&activity).await, (Ending::NotTaken, TAKING / 2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_begins_requests_is_ended_at_once_and_who_also_listens_is_not() {
        let nobody = activity();
        let both = activity();
        for _ in 0..=TAKEN_BACK {
            drop(nobody.begin());
            drop(both.begin());
            drop(both.begin().answered(Response::new(Body::empty())));
        }
        assert_eq!(lasted(&nobody).await, (Ending::TakenBack, Duration::ZERO));
        assert_eq!(lasted(&both).await, (Ending::Idle, IDLE));
    }
}
