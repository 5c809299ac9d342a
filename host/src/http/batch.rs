//! Many events in one request: each is taken in or refused for itself, and answered in its place.

pub(super) mod forms;

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use self::forms::{CloudEvent, EventLine, Sent};
use super::Wire;
use super::events::{self, Receipt};
use super::json;
use super::keys::Caller;
use super::problem::{Kind, Problem};

/// Events of one request; each may bring a problem as an answer.
const LONGEST: usize = 10_000;

/// Orders whose events are taken in side by side.
const LANES: usize = 64;

/// What became of each event.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Results {
    /// New ones: they are stored and their effects will happen once.
    pub accepted: usize,
    /// Those that came before: nothing happens twice.
    pub duplicates: usize,
    /// Those of which nothing was stored; each has its problem.
    pub refused: usize,
    /// In the order in which they were sent.
    pub results: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResult {
    /// The number of its line, empty ones counted, or its place in the list; from 1.
    pub line: usize,
    /// As it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it would have been answered alone: 202 (accepted), 200 (it came before), 409 (another event has this
    /// identity), 503 (send it again later), another 4xx (it cannot be).
    pub status: u16,
    /// The host's id of the event; with 409 that of the one that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the two answers, which are made apart")]
enum Answer {
    /// Of many.
    Many(Results),
    /// Of a single CloudEvent.
    One(Receipt),
}

/// Reports many events
///
/// NDJSON, an event on each line, or CloudEvents 1.0 in structured mode, one or a batch. Each event is taken in
/// or refused for itself: a bad line does not lose the others, and all may be sent again, for what was accepted
/// is known. Events of one order are taken in in their order. The identity of a line is its `id`, that of a
/// CloudEvent its `source` and `id`; a CloudEvent's `type` is the hook's name, after dots as you like
/// (`example.shop.order-placed`). At most 10,000 events, in a body of `http.body_bytes`. A single CloudEvent is
/// answered as its hook would answer it, also with `Prefer: wait`.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "post_events",
    tag = "events",
    params(
        ("Prefer" = Option<String>, Header, description = "For a single CloudEvent: `wait=N` (RFC 7240)"),
    ),
    request_body(
        description = "An event on each line, a CloudEvent, or a list of CloudEvents",
        content(
            (EventLine = "application/x-ndjson"),
            (CloudEvent = "application/cloudevents+json"),
            (Vec<CloudEvent> = "application/cloudevents-batch+json"),
        ),
    ),
    responses(
        (status = 200, description = "What became of each event; of a single CloudEvent: it came before", body = Answer),
        (status = 202, description = "A single CloudEvent is accepted", body = Receipt),
        (status = 409, description = "Another event has the identity of this single CloudEvent", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "There is too much to do: send it again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn post_events(
    State(wire): State<Wire>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let kind = json::media_type(&parts.headers).unwrap_or_default();
    let limits = &caller.snapshot.host.http;
    let read = json::read(&parts.headers, body, limits.body_bytes);
    match kind.as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
            let sent = forms::lines(&read.await?, limits.json_depth, LONGEST).ok_or_else(too_many)?;
            Ok(respond(take_all(&wire, &caller, sent).await))
        }
        "application/cloudevents-batch+json" => {
            let sent = forms::cloud_events(&read.await?, limits.json_depth)?;
            if sent.len() > LONGEST {
                return Err(too_many());
            }
            Ok(respond(take_all(&wire, &caller, sent).await))
        }
        "application/cloudevents+json" => {
            let sent = forms::cloud_event(&read.await?, limits.json_depth);
            one(&wire, &caller, &parts.headers, sent).await
        }
        _ => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Send an event on each line (Content-Type: application/x-ndjson), a CloudEvent \
             (application/cloudevents+json) or a list of them (application/cloudevents-batch+json).",
        )),
    }
}

fn too_many() -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("These are more than {LONGEST} events; nothing was accepted. Send them in parts."),
    )
}

async fn one(wire: &Wire, caller: &Caller, headers: &HeaderMap, sent: Sent) -> Result<Response, Problem> {
    let (identity, event) = sent.event?;
    let receipt = events::accept(wire, caller, identity, event).await?;
    events::answer(wire, caller, headers, receipt).await
}

/// Events of one order one after the other, those without an order too; orders side by side. What is sent under one
/// identity goes the way of the first, which is the one that is kept.
async fn take_all(wire: &Wire, caller: &Caller, sent: Vec<Sent>) -> Results {
    let mut results = Vec::with_capacity(sent.len());
    let mut lanes: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut firsts: HashMap<(String, String), String> = HashMap::new();
    for Sent { line, id, event } in sent {
        match event {
            Ok((identity, event)) => {
                let order = event.order_id().unwrap_or_default().to_owned();
                let name = (identity.source.clone(), identity.id.clone());
                let lane = firsts.entry(name).or_insert(order).clone();
                lanes.entry(lane).or_default().push((line, id, identity, event));
            }
            Err(problem) => results.push(EventResult::of(line, id, Err(problem))),
        }
    }
    let taken = stream::iter(lanes.into_values())
        .map(|lane| async move {
            let mut taken = Vec::with_capacity(lane.len());
            for (line, id, identity, event) in lane {
                let receipt = events::accept(wire, caller, identity, event).await;
                taken.push(EventResult::of(line, id, receipt));
            }
            taken
        })
        .buffer_unordered(LANES)
        .collect::<Vec<_>>()
        .await;
    results.extend(taken.into_iter().flatten());
    results.sort_unstable_by_key(|result| result.line);
    let with = |status: u16| results.iter().filter(|result| result.status == status).count();
    let (accepted, duplicates) = (with(202), with(200));
    let refused = results.len().saturating_sub(accepted).saturating_sub(duplicates);
    Results { accepted, duplicates, refused, results }
}

impl EventResult {
    fn of(line: usize, id: Option<String>, receipt: Result<Receipt, Problem>) -> Self {
        match receipt {
            Ok(receipt) => Self {
                line,
                id,
                status: receipt.status().as_u16(),
                event_id: Some(receipt.event_id),
                problem: None,
            },
            Err(problem) => Self {
                line,
                id,
                status: problem.status(),
                event_id: problem.event_id().map(str::to_owned),
                problem: Some(problem),
            },
        }
    }
}

/// When one has to come again, the answer says when.
fn respond(results: Results) -> Response {
    let problems = results.results.iter().filter_map(|result| result.problem.as_ref());
    let wait = problems.filter_map(Problem::seconds).max();
    let mut response = axum::Json(results).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
