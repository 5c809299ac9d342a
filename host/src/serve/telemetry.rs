//! What a process has once: its logs, its metrics, its cryptography.

use std::fs::File;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Bounds of histograms in seconds: from a warm plugin's call to a request that is given up.
const SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// What `/metrics` renders: one recorder for the process, however many hosts run in it.
#[must_use]
pub fn metrics() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let builder = builder
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
                .unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // Someone else's recorder may be there already (a test's own); then this one stays empty.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

/// TLS for outgoing requests; the first call of the process counts.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// `debug` and `trace` are of this host's own rooms: libraries tell there what passes through them, whole mails
/// with names and addresses. One that is named is heard.
fn own(filter: &str) -> String {
    let own = |directive: &str| match directive.trim() {
        level if ["debug", "trace"].contains(&level.to_ascii_lowercase().as_str()) => {
            format!("info,cartwright={level}")
        }
        other => other.to_owned(),
    };
    filter.split(',').map(own).collect::<Vec<_>>().join(",")
}

/// Logs to standard error, or to a file.
pub fn log(config: &LogConfig, to: Option<File>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(own(&config.filter))
        .with_context(|| format!("`{}` is not a filter for logs", config.filter))?
        // It calls a currency without a symbol of its own in a language an error.
        .add_directive("icu_provider=off".parse()?);
    let colours = to.is_none()
        && std::io::IsTerminal::is_terminal(&std::io::stderr())
        && std::env::var_os("NO_COLOR").is_none();
    // A line that cannot be written is lost, and only that: told on standard error, it would end the task
    // that wrote it when standard error is the one that is full or gone.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).log_internal_errors(false);
    match (config.format, to) {
        (LogFormat::Text, None) => builder.with_writer(std::io::stderr).try_init(),
        (LogFormat::Text, Some(file)) => builder.with_writer(Arc::new(file)).try_init(),
        (LogFormat::Json, None) => builder.json().flatten_event(true).with_writer(std::io::stderr).try_init(),
        (LogFormat::Json, Some(file)) => {
            builder.json().flatten_event(true).with_writer(Arc::new(file)).try_init()
        }
    }
    .map_err(|error| anyhow::anyhow!("logs could not be set up: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libraries_tell_of_a_mail_is_not_in_the_log_unless_they_are_named() {
        for (written, holds) in [
            ("info", "info"),
            ("debug", "info,cartwright=debug"),
            ("Trace,sqlx=warn", "info,cartwright=Trace,sqlx=warn"),
            ("info,selectors=debug", "info,selectors=debug"),
        ] {
            assert_eq!(own(written), holds);
        }
    }
}
