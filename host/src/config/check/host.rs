//! Mistakes of `cartwright.toml`.

use super::super::{ConfigError, HostConfig, Step};
use super::is_database;

/// Mistakes of `cartwright.toml`.
pub(in crate::config) fn host(config: &HostConfig) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    let mut wrong = |path: &[Step], message: String, help: &str| {
        mistakes.push(config.origin.mistake(path, message).with_help(help));
    };
    if let Some(database) = &config.database
        && !is_database(database)
    {
        wrong(
            &["database".into()],
            "this is not a database that this version can open".to_owned(),
            "write \"sqlite:\" and the path of a file, like \"sqlite:data/cartwright.db\", or a URL like \
             \"postgres://cartwright@db.example/cartwright\" (the password may be in PGPASSWORD or ~/.pgpass)",
        );
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
        wrong(
            &["log".into(), "filter".into()],
            format!("this is not a filter for logs: {error}"),
            "write a level like \"info\", or levels for rooms, like \"info,cartwright::decide=debug\"",
        );
    }
    let limits = &config.limits;
    for (table, key, value, least, most) in [
        ("limits", "memory_mib", u64::from(limits.memory_mib), 1, 4_096),
        ("limits", "stack_kib", u64::from(limits.stack_kib), 64, 16_384),
        ("limits", "decision_ms", u64::from(limits.decision_ms), 1, 60_000),
        ("limits", "event_ms", u64::from(limits.event_ms), 1, 600_000),
        ("limits", "host_calls", u64::from(limits.host_calls), 1, 10_000_000),
        ("limits", "effects", u64::from(limits.effects), 1, 1_000_000),
        ("limits", "output_bytes", u64::from(limits.output_bytes), 1_024, 1 << 30),
        ("limits", "log_bytes", u64::from(limits.log_bytes), 0, 1 << 30),
        ("limits", "concurrent_decisions", u64::from(limits.concurrent_decisions), 1, 10_000),
        ("limits", "concurrent_events", u64::from(limits.concurrent_events), 1, 10_000),
        ("budgets", "product-page", u64::from(config.budgets.product_page), 1, 60_000),
        ("budgets", "cart", u64::from(config.budgets.cart), 1, 60_000),
        ("budgets", "checkout", u64::from(config.budgets.checkout), 1, 60_000),
        ("budgets", "order-status", u64::from(config.budgets.order_status), 1, 60_000),
        ("http", "body_bytes", config.http.body_bytes as u64, 1_024, 1 << 30),
        ("http", "json_depth", config.http.json_depth as u64, 4, 127),
        ("http", "requests_per_second", u64::from(config.http.requests_per_second), 1, 1_000_000),
        ("http", "timeout_seconds", config.http.timeout_seconds, 1, 3_600),
    ] {
        if !(least..=most).contains(&value) {
            wrong(
                &[table.into(), key.into()],
                format!("{value} is out of range"),
                &format!("choose a number from {least} to {most}"),
            );
        }
    }
    mistakes
}
