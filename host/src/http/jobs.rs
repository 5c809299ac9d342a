//! Jobs for a person's eyes and hands: what is open, what failed and why, and what becomes of it.

use axum::Json as Reply;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Wire;
use super::decisions::bad_query;
use super::json::Json;
use super::keys::Caller;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use crate::store::{JobDetails, JobFilter, JobState, JobView, Verdict};

/// Jobs of one page, when nobody says how many.
const PAGE: u32 = 100;
const LONGEST_PAGE: u32 = 500;

/// Characters of a reason.
const LONGEST_REASON: usize = 400;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// `waiting`, `running`, `failed`, `dead`, `done` or `dropped`; without it all that are not done and not
    /// dropped.
    state: Option<String>,
    /// Only jobs of this plugin.
    plugin: Option<String>,
    /// `next` of the page before.
    before: Option<String>,
    /// 1 to 500; default 100.
    limit: Option<u32>,
}

/// The jobs of a shop, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    pub jobs: Vec<JobView>,
    /// There may be more: ask again with `before` set to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Lists jobs
///
/// One job is one plugin's work on one event. A dead one is tried no more until you say so; its `reason` says
/// what failed, how often, since when, and what to do.
#[utoipa::path(
    get,
    path = "/v1/jobs",
    operation_id = "list_jobs",
    tag = "operations",
    params(JobQuery),
    responses(
        (status = 200, description = "The jobs", body = JobList),
        (status = 400, description = "There is no such state, or another parameter is not valid", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn list_jobs(
    State(wire): State<Wire>,
    caller: Caller,
    query: Result<Query<JobQuery>, QueryRejection>,
) -> Result<Reply<JobList>, Problem> {
    let Query(JobQuery { state, plugin, before, limit }) = query.map_err(|error| bad_query(&error))?;
    let state = state.as_deref().map(known_state).transpose()?;
    let limit = limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    // One more than the page: whether there is a next one.
    let filter = JobFilter { state, plugin, before, limit: limit.saturating_add(1) };
    let mut jobs = wire.store.jobs(caller.shop_id(), &filter).await?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|job| job.id.clone());
    Ok(Reply(JobList { jobs, next }))
}

fn known_state(name: &str) -> Result<JobState, Problem> {
    JobState::from_name(name).ok_or_else(|| {
        let states = JobState::ALL.map(JobState::name).join(", ");
        Problem::new(
            Kind::InvalidRequest,
            format!("There is no such `state` of a job; the states are {states}."),
        )
    })
}

/// Shows a job
///
/// With each of its failed attempts and its cause.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    operation_id = "get_job",
    tag = "operations",
    params(("id" = String, Path, description = "The job's id, as `GET /v1/jobs` lists it")),
    responses(
        (status = 200, description = "The job", body = JobDetails),
        (status = 404, description = "This shop has no such job", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn get_job(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Reply<JobDetails>, Problem> {
    shown(&wire, &caller, &id).await
}

/// Tries a job again
///
/// A failed or dead job is tried at once and its attempts are counted from anew; its event is open again.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/retry",
    operation_id = "retry_job",
    tag = "operations",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job, which waits for its turn now", body = JobDetails),
        (status = 404, description = "This shop has no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It waits or runs already, is done, or was dropped", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn retry_job(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Reply<JobDetails>, Problem> {
    match wire.lifecycle.retry(caller.shop_id(), &id).await? {
        Verdict::Obeyed => shown(&wire, &caller, &id).await,
        Verdict::NoSuchJob => Err(no_such_job()),
        Verdict::Refused(state) => Err(Problem::new(Kind::JobState, why_not_tried(state))),
    }
}

/// Why a job is dropped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// For whoever looks at the job later; at most 400 characters.
    #[serde(default)]
    reason: Option<String>,
}

/// Drops a job
///
/// It is never done. It stays in history as `dropped`, with the key's name and the reason, and the order's next
/// jobs do not wait for it.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/drop",
    operation_id = "drop_job",
    tag = "operations",
    params(("id" = String, Path, description = "The job's id")),
    request_body(content = Drop, example = json!({ "reason": "the customer was called" })),
    responses(
        (status = 200, description = "The job, dropped", body = JobDetails),
        (status = 404, description = "This shop has no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is running, done, or dropped already", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn drop_job(
    State(wire): State<Wire>,
    caller: Caller,
    Path(id): Path<String>,
    Json { value: Drop { reason }, .. }: Json<Drop>,
) -> Result<Reply<JobDetails>, Problem> {
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let error = FieldError::at("reason", format!("must have at most {LONGEST_REASON} characters"));
        return Err(Problem::of_fields(Kind::Invalid, vec![error]));
    }
    match wire.lifecycle.drop_job(caller.shop_id(), &id, &caller.key, reason.as_deref()).await? {
        Verdict::Obeyed => shown(&wire, &caller, &id).await,
        Verdict::NoSuchJob => Err(no_such_job()),
        Verdict::Refused(state) => Err(Problem::new(Kind::JobState, why_not_dropped(state))),
    }
}

async fn shown(wire: &Wire, caller: &Caller, id: &str) -> Result<Reply<JobDetails>, Problem> {
    let details = wire.store.job(caller.shop_id(), id).await?;
    details.map(Reply).ok_or_else(no_such_job)
}

fn no_such_job() -> Problem {
    Problem::new(
        Kind::NotFound,
        "This shop has no such job; GET /v1/jobs lists those that are open, with `state=done` those that are \
         done. Old ones are deleted after `retention.history_days`.",
    )
}

fn why_not_tried(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "The job waits for its turn already.",
        JobState::Running => "The job is running now; look again when it has ended.",
        JobState::Done => "The job is done: its effects happened, and will not happen twice.",
        JobState::Dropped => "The job was dropped, and its order went on without it.",
        JobState::Failed | JobState::Dead => "The job has just moved on; look at it again.",
    }
}

fn why_not_dropped(state: JobState) -> &'static str {
    match state {
        JobState::Running => "The job is running now; when its attempt has failed, it can be dropped.",
        JobState::Done => "The job is done: its effects happened.",
        JobState::Dropped => "The job was dropped already.",
        JobState::Waiting | JobState::Failed | JobState::Dead => {
            "The job has just moved on; look at it again."
        }
    }
}
