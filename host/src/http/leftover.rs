//! What is left of a body when its request is answered early. A client that is still sending reads no answer,
//! and a connection that is closed on unread bytes is reset, answer and all: so the rest is read and thrown
//! away, within bounds, before the answer goes out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::sync::oneshot;

/// Bytes that are thrown away at most; who sends more than this is cut off.
const MOST: usize = 16 << 20;

/// For so long at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the body comes back to when its handler has let go of it.
pub struct Leftover(oneshot::Receiver<BodyDataStream>);

/// A request whose body comes back. `None` for a client that waits to be asked for its body (`Expect:
/// 100-continue`) and for one that has none: there is nothing to throw away.
pub fn lend(request: Request) -> (Request, Option<Leftover>) {
    if request.headers().contains_key(header::EXPECT) || axum::body::HttpBody::is_end_stream(request.body()) {
        return (request, None);
    }
    let (back, receiver) = oneshot::channel();
    let request = request.map(|body| {
        Body::from_stream(Lent { body: Some(body.into_data_stream()), back: Some(back), ended: false })
    });
    (request, Some(Leftover(receiver)))
}

impl Leftover {
    /// Of a request that was given up: whether its body had not come whole.
    #[must_use]
    pub fn was_awaited(mut self) -> bool {
        self.0.try_recv().is_ok()
    }

    /// Reads what the handler left, and throws it away.
    pub async fn drain(mut self) {
        let Ok(mut body) = self.0.try_recv() else { return };
        let rest = async {
            let mut seen = 0_usize;
            while let Some(Ok(chunk)) = body.next().await {
                seen = seen.saturating_add(chunk.len());
                if seen > MOST {
                    return;
                }
            }
        };
        // Whoever takes longer is cut off.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
    }
}

struct Lent {
    body: Option<BodyDataStream>,
    back: Option<oneshot::Sender<BodyDataStream>>,
    ended: bool,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.ended = true;
        }
        next
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for it any more when the request itself was given up.
            let _ = back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(chunks: &[&'static str]) -> Request {
        let chunks: Vec<Result<Bytes, std::io::Error>> =
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        Request::new(Body::from_stream(futures::stream::iter(chunks)))
    }

    #[tokio::test]
    async fn what_the_handler_leaves_is_read_to_its_end() {
        let (lent, leftover) = lend(request(&["one", "two", "three"]));
        let mut stream = lent.into_body().into_data_stream();
        assert_eq!(stream.next().await.unwrap().unwrap(), "one");
        drop(stream);
        let mut leftover = leftover.unwrap();
        let rest: Vec<_> = leftover.0.try_recv().unwrap().collect().await;
        assert_eq!(rest.into_iter().map(Result::unwrap).collect::<Vec<_>>(), ["two", "three"]);
    }

    #[tokio::test]
    async fn a_body_that_was_read_leaves_nothing_and_one_that_is_waited_for_is_not_asked_for() {
        let (lent, leftover) = lend(request(&["one"]));
        let all: Vec<_> = lent.into_body().into_data_stream().collect().await;
        assert_eq!(all.len(), 1);
        assert!(leftover.unwrap().0.try_recv().is_err());
        let mut waiting = request(&["one"]);
        waiting.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
        assert!(lend(waiting).1.is_none());
        assert!(lend(Request::new(Body::empty())).1.is_none());
    }
}
