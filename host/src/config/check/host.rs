//! Mistakes of `cartwright.toml`.

use super::super::{ConfigError, HostConfig, SmtpTls, Step};
use super::{is_database, is_web_address};

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
    if let Some(url) = &config.public_url
        && (!is_web_address(url) || url.contains(['?', '#']))
    {
        wrong(
            &["public_url".into()],
            "this is not the web address of a host".to_owned(),
            "write the address under which this host is reached from outside, like \"https://hooks.shop.example\"",
        );
    }
    let limits = &config.limits;
    for (table, key, value, least, most) in [
        ("limits", "stack_kib", u64::from(limits.stack_kib), 64, 16_384),
        ("limits", "shop_share_percent", u64::from(limits.shop_share_percent), 1, 100),
        ("limits", "concurrent_decisions", u64::from(limits.concurrent_decisions), 1, 10_000),
        ("limits", "concurrent_events", u64::from(limits.concurrent_events), 1, 10_000),
        ("limits", "concurrent_messages", u64::from(limits.concurrent_messages), 1, 1_000),
        ("limits", "open_jobs_per_shop", u64::from(limits.open_jobs_per_shop), 1, 1_000_000_000),
        ("limits", "open_jobs", u64::from(limits.open_jobs), 1, 1_000_000_000),
        ("limits", "lease_seconds", u64::from(limits.lease_seconds), 2, 3_600),
        ("retention", "history_days", u64::from(config.retention.history_days), 1, 36_500),
        ("retention", "messages_days", u64::from(config.retention.messages_days), 1, 36_500),
        ("breaker", "failure_percent", u64::from(config.breaker.failure_percent), 1, 100),
        ("breaker", "calls", u64::from(config.breaker.calls), 1, 1_000_000),
        ("breaker", "window_seconds", u64::from(config.breaker.window_seconds), 1, 86_400),
        ("breaker", "pause_seconds", u64::from(config.breaker.pause_seconds), 1, 86_400),
        ("breaker", "probes", u64::from(config.breaker.probes), 1, 1_000),
        ("budgets", "product-page", u64::from(config.budgets.product_page), 1, 60_000),
        ("budgets", "cart", u64::from(config.budgets.cart), 1, 60_000),
        ("budgets", "checkout", u64::from(config.budgets.checkout), 1, 60_000),
        ("budgets", "order-status", u64::from(config.budgets.order_status), 1, 60_000),
        ("fetch", "response_bytes", config.fetch.response_bytes as u64, 1_024, 16 << 20),
        ("fetch", "timeout_ms", u64::from(config.fetch.timeout_ms), 10, 60_000),
        ("fetch", "concurrent", u64::from(config.fetch.concurrent), 1, 10_000),
        ("fetch", "concurrent_per_shop", u64::from(config.fetch.concurrent_per_shop), 1, 10_000),
        ("fetch", "concurrent_per_plugin", u64::from(config.fetch.concurrent_per_plugin), 1, 10_000),
        ("http", "body_bytes", config.http.body_bytes as u64, 1_024, 1 << 30),
        ("http", "bodies_mib", u64::from(config.http.bodies_mib), 1, 1 << 20),
        ("http", "json_depth", config.http.json_depth as u64, 4, 127),
        ("http", "requests_per_second", u64::from(config.http.requests_per_second), 1, 1_000_000),
        ("http", "timeout_seconds", config.http.timeout_seconds, 1, 3_600),
        ("http", "idle_seconds", config.http.idle_seconds, 1, 3_600),
        ("http", "connections", u64::from(config.http.connections), 1, 1_000_000),
        ("http", "connections_per_address", u64::from(config.http.connections_per_address), 1, 1_000_000),
    ] {
        if !(least..=most).contains(&value) {
            wrong(
                &[table.into(), key.into()],
                format!("{value} is out of range"),
                &format!("choose a number from {least} to {most}"),
            );
        }
    }
    let of_plugins = limits.set().map(|(key, value, range)| (vec!["limits", key], value, range));
    let maximum =
        limits.maximum.set().map(|(key, value, range)| (vec!["limits", "maximum", key], value, range));
    for (path, value, (least, most)) in of_plugins.chain(maximum) {
        let path: Vec<Step> = path.into_iter().map(Step::from).collect();
        if !(least..=most).contains(&value) {
            wrong(
                &path,
                format!("{value} is out of range"),
                &format!("choose a number from {least} to {most}"),
            );
        }
    }
    mistakes.extend(smtp(config));
    mistakes.extend(security(config));
    mistakes
}

fn security(config: &HostConfig) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    let mut wrong = |path: &[Step], message: &str, help: &str| {
        let path: Vec<Step> = std::iter::once("security".into()).chain(path.iter().cloned()).collect();
        mistakes.push(config.origin.mistake(&path, message).with_help(help));
    };
    let keys = &config.security.trusted_keys;
    for (index, key) in keys.iter().enumerate() {
        let place = ["trusted_keys".into(), index.into()];
        if key.is_secret() {
            wrong(
                &place,
                "this is a secret key of minisign, which signs: nobody but its owner may have it",
                "take it out, make a new pair, and write the public key, the second line of minisign.pub",
            );
        } else if key.parsed().is_none() || key.id().is_none() {
            wrong(
                &place,
                "this is not a public key of minisign",
                "write the second line of the author's minisign.pub, 56 letters that begin with RW",
            );
        } else if keys.iter().take(index).any(|other| other.key == key.key) {
            wrong(&place, "this key is there twice", "keep one");
        }
    }
    if config.security.require_signed && keys.is_empty() {
        wrong(
            &["require_signed".into()],
            "no plugin could be loaded: there are no `trusted_keys` whose signatures would count",
            "add `trusted_keys = [\"RW…\"]` with the public keys of those whose plugins you take",
        );
    }
    mistakes
}

/// Longer would outlast the time that a message belongs to its courier.
const LONGEST_MAIL: u64 = 200;

fn smtp(config: &HostConfig) -> Vec<ConfigError> {
    let Some(smtp) = &config.smtp else { return Vec::new() };
    let mut mistakes = Vec::new();
    let mut wrong = |key: &str, message: &str, help: &str| {
        mistakes.push(config.origin.mistake(&["smtp".into(), key.into()], message).with_help(help));
    };
    if smtp.host.is_empty() || smtp.host.contains(|letter: char| letter.is_whitespace() || letter == '/') {
        wrong("host", "this is not the name of a mail server", "write a name like \"smtp.shop.example\"");
    }
    if smtp.port == Some(0) {
        wrong("port", "there is no port 0", "587 is usual, 465 with `tls = \"wrapper\"`");
    }
    let open = !smtp.insecure && !smtp.is_loopback();
    if smtp.tls == SmtpTls::None && open {
        wrong(
            "tls",
            "mails would cross the network for anybody to read",
            "use \"required\"; when the way to the server is safe by other means, add `insecure = true`",
        );
    }
    if smtp.tls == SmtpTls::Opportunistic && smtp.password.is_some() && open {
        wrong(
            "tls",
            "whoever stands between can have the password sent unencrypted",
            "use \"required\"; when the way to the server is safe by other means, add `insecure = true`",
        );
    }
    if smtp.username.is_some() != smtp.password.is_some() {
        let missing = if smtp.username.is_some() { "username" } else { "password" };
        wrong(missing, "a name and a password belong together", "give both, or neither");
    }
    if smtp.helo.as_deref().is_some_and(|name| {
        name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte))
    }) {
        wrong("helo", "this is not the name of a machine", "write a name like \"hooks.shop.example\"");
    }
    if !(1..=LONGEST_MAIL).contains(&smtp.timeout_seconds) {
        wrong("timeout_seconds", "this is out of range", "choose a number from 1 to 200");
    }
    mistakes
}
