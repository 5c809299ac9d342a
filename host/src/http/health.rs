//! For whoever runs the host: is it there, can it work, how does it do. These need no key: bind the host to
//! loopback or keep these paths from the outside at the proxy.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Wire;
use crate::config::calendar::Calendar;
use crate::store::{QueueDepth, StoreError};

/// The process is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    pub version: String,
}

/// Is the process there?
///
/// Asks nothing else, so that a restart is not the answer to a database that is away.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "operations",
    responses((status = 200, description = "It is", body = Health)),
)]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Whether the host can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    pub ready: bool,
    /// The database takes writes.
    pub database: bool,
    /// What is wrong with the database, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Shops that are live.
    pub shops: usize,
    /// Plugins that are live, over all shops.
    pub plugins: usize,
    /// Files that are wrong; `GET /v1/plugins` says which.
    pub problems: usize,
    pub generation: u64,
}

/// Can the host do its work?
///
/// The database takes writes (looked at once a second at most) and at least one shop is live.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "operations",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot", body = Readiness),
    ),
)]
pub async fn readiness(State(wire): State<Wire>) -> Response {
    let snapshot = wire.registry.current();
    let database = wire.store.ready().await;
    let readiness = Readiness {
        ready: database.is_ok() && !snapshot.shops.is_empty(),
        database: database.is_ok(),
        problem: database.err().map(|error| error.to_string()),
        shops: snapshot.shops.len(),
        plugins: snapshot.shops.values().map(|shop| shop.plugins.len()).sum(),
        problems: snapshot.problems.len(),
        generation: snapshot.generation,
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// How the host does
///
/// Prometheus text: calls, latencies and faults by plugin and hook, requests, and the queue as it is now.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operations",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
)]
pub async fn metrics(State(wire): State<Wire>) -> Response {
    let mut text = wire.metrics.render();
    // The queue is read when asked: a gauge that is set elsewhere would tell of the past.
    match wire.store.queue_depth(wire.clock.now_ms()).await {
        Ok(depth) => text.push_str(&queue(&depth)),
        Err(error) => tracing::warn!(%error, "the queue could not be measured"),
    }
    match mail_today(&wire).await {
        Ok(today) => text.push_str(&today),
        Err(error) => tracing::warn!(%error, "today's messages could not be counted"),
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Each shop's messages of the day beside what it may send, in Prometheus text.
async fn mail_today(wire: &Wire) -> Result<String, StoreError> {
    let now_ms = wire.clock.now_ms();
    let mut rows = Vec::new();
    for shop in wire.registry.current().shops.values() {
        let day = Calendar::local(now_ms, &shop.calendar.zone).date().to_string();
        let (handed, _) = wire.store.handed_on(&shop.config.id, &day).await?;
        rows.push((shop.config.id.clone(), handed, i64::from(shop.config.daily_messages)));
    }
    let mut text = String::new();
    for (name, help) in [
        ("cartwright_messages_today", "Messages handed over on this day of the shop."),
        ("cartwright_messages_daily_limit", "At most so many a day; 0: no limit."),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (shop, handed, limit) in &rows {
            let value = if name == "cartwright_messages_today" { handed } else { limit };
            let _ = writeln!(text, "{name}{{shop=\"{}\"}} {value}", escaped(shop));
        }
    }
    Ok(text)
}

/// The queue in Prometheus text.
fn queue(depth: &QueueDepth) -> String {
    let mut text = String::new();
    for (name, help) in [
        ("cartwright_queue_jobs", "Open jobs."),
        ("cartwright_queue_oldest_seconds", "Age of the oldest open job."),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (plugin, hook, jobs, age_ms) in &depth.jobs {
            let labels = format!("plugin=\"{}\",hook=\"{}\"", escaped(plugin), escaped(hook));
            let _ = if name == "cartwright_queue_jobs" {
                writeln!(text, "{name}{{{labels}}} {jobs}")
            } else {
                writeln!(text, "{name}{{{labels}}} {}", seconds(*age_ms))
            };
        }
    }
    for (name, help, value) in [
        ("cartwright_messages_due", "Messages whose time has come.", depth.messages_due.to_string()),
        (
            "cartwright_messages_oldest_seconds",
            "How long the oldest of them waits.",
            seconds(depth.messages_lag_ms),
        ),
        ("cartwright_jobs_dead", "Jobs that are not tried again.", depth.jobs_dead.to_string()),
        ("cartwright_events_held", "Events that wait for their elders.", depth.events_held.to_string()),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    text
}

fn seconds(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_reads_as_prometheus_wants_it() {
        let depth = QueueDepth {
            jobs: vec![("say \"hi\"".to_owned(), "order-placed".to_owned(), 3, 1_500)],
            messages_due: 2,
            messages_lag_ms: 61_020,
            jobs_dead: 1,
            events_held: 0,
        };
        assert_eq!(
            queue(&depth),
            "# HELP cartwright_queue_jobs Open jobs.\n\
             # TYPE cartwright_queue_jobs gauge\n\
             cartwright_queue_jobs{plugin=\"say \\\"hi\\\"\",hook=\"order-placed\"} 3\n\
             # HELP cartwright_queue_oldest_seconds Age of the oldest open job.\n\
             # TYPE cartwright_queue_oldest_seconds gauge\n\
             cartwright_queue_oldest_seconds{plugin=\"say \\\"hi\\\"\",hook=\"order-placed\"} 1.500\n\
             # HELP cartwright_messages_due Messages whose time has come.\n\
             # TYPE cartwright_messages_due gauge\n\
             cartwright_messages_due 2\n\
             # HELP cartwright_messages_oldest_seconds How long the oldest of them waits.\n\
             # TYPE cartwright_messages_oldest_seconds gauge\n\
             cartwright_messages_oldest_seconds 61.020\n\
             # HELP cartwright_jobs_dead Jobs that are not tried again.\n\
             # TYPE cartwright_jobs_dead gauge\n\
             cartwright_jobs_dead 1\n\
             # HELP cartwright_events_held Events that wait for their elders.\n\
             # TYPE cartwright_events_held gauge\n\
             cartwright_events_held 0\n"
        );
    }
}
