//! The examinations, from the files to the tools. None changes anything that was there.

use std::path::Path;

use miette::Diagnostic as _;
use tokio::net::TcpListener;

use super::Finding;
use crate::cli::package;
use crate::cli::terminal::counted;
use crate::config::{
    self, Certificate, ConfigError, HostConfig, KeyKind, Mode, PluginEntry, SecretSource, ShopConfig,
};
use crate::messages::channels::smtp::Smtp;
use crate::plugins::registry::{Registry, Snapshot};
use crate::serve::{self, key};
use crate::store::{Store, StoreError};

/// When this version was made: a clock before it is wrong. UTC milliseconds, 1 November 2026.
const MADE: i64 = 1_793_491_200_000;

pub(super) async fn examine(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    match config::load_host(folder) {
        Err(error) => {
            findings.push(mistake("configuration", &error));
            findings.push(clock(None));
        }
        Ok(host) => {
            let place = folder.join(config::HOST_FILE);
            findings.push(Finding::good("configuration", format!("{} is right", config::shown(&place))));
            let (shops, errors) = config::load_shops(&host.shops_dir);
            findings.extend(errors.iter().map(|error| mistake("shop", error)));
            findings.extend(shops.iter().flat_map(|shop| shop_findings(&host, shop)));
            findings.extend(folders(&host));
            findings.push(port(&host).await);
            findings.push(database(&host).await);
            findings.extend(mail(&host).await);
            findings.extend(secret_key(&host));
            findings.push(clock(Some(&host)));
            findings.extend(certificate(&host));
            findings.extend(plugins(folder, &host).await);
        }
    }
    findings.push(match package::has_target() {
        Ok(()) => Finding::good("builders", "plugins can be built here"),
        Err(error) => Finding::doubtful(
            "builders",
            format!("plugins in Rust cannot be built here: {error:#}"),
            "only needed to build plugins; a host runs without",
        ),
    });
    findings
}

fn mistake(what: &'static str, error: &ConfigError) -> Finding {
    let place = match error.line() {
        Some(line) => format!("{}:{line}: {error}", config::shown(error.file())),
        None => error.to_string(),
    };
    let more = match error.count() {
        1 => place,
        count => format!("{place} (and {} more)", counted(count.saturating_sub(1), "mistake")),
    };
    let help =
        error.help().map_or_else(|| "`cartwright config check` shows it".to_owned(), |help| help.to_string());
    Finding::bad(what, more, help)
}

fn shop_findings(host: &HostConfig, shop: &ShopConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !shop.keys.iter().any(|key| key.kind == KeyKind::Secret) {
        findings.push(Finding::bad(
            "shop",
            format!("{} has no secret key, so its server cannot call this host", shop.id),
            format!("cartwright key create --shop {} --kind secret", shop.id),
        ));
    }
    for (purpose, secret) in [
        ("the secret of WooCommerce's webhook", shop.woocommerce.as_ref().map(|woo| &woo.secret)),
        ("the secret of customer tokens", shop.customer_tokens.as_ref().map(|tokens| &tokens.secret)),
        (
            "the secret of reports of mails",
            shop.mail_feedback.as_ref().and_then(|reports| reports.secret.as_ref()),
        ),
        (
            "the password of reports of mails",
            shop.mail_feedback
                .as_ref()
                .and_then(|reports| reports.basic.as_ref())
                .map(|basic| &basic.password),
        ),
    ] {
        if let Some(Err(error)) = secret.map(|secret| secret.read(&host.folder)) {
            findings.push(Finding::bad("shop", format!("{}: {purpose}: {error}", shop.id), remedy(secret)));
        }
    }
    for endpoint in shop.webhooks.iter().filter(|endpoint| endpoint.enabled) {
        if let Err(error) = endpoint.secrets(&host.folder) {
            let unread = endpoint.sources().find(|source| source.read(&host.folder).is_err());
            let remedy = match unread {
                Some(source) => remedy(Some(source)),
                None => "put `whsec_` and 24 to 64 random bytes in base64 there".to_owned(),
            };
            findings.push(Finding::bad(
                "shop",
                format!("{}: the webhook endpoint `{}`: {error}", shop.id, endpoint.name),
                remedy,
            ));
        }
    }
    for plugin in shop.plugins.iter().filter(|plugin| plugin.enabled) {
        findings.extend(hosts(shop, plugin));
    }
    if shop.mode == Mode::Test && shop.test_recipients.is_empty() {
        findings.push(Finding::doubtful(
            "shop",
            format!("{} is in test mode without test_recipients: no mail reaches anybody", shop.id),
            "list your own address in test_recipients, or set mode = \"live\"",
        ));
    }
    if shop.plugins.iter().all(|plugin| !plugin.enabled) {
        findings.push(Finding::doubtful(
            "shop",
            format!("{} enables no plugin: it gets its fallback options and nothing else", shop.id),
            "add a [[plugins]] entry to its file",
        ));
    }
    if findings.iter().all(Finding::is_good) {
        findings.push(Finding::good(
            "shop",
            format!(
                "{}: {}, {}, secrets readable",
                shop.id,
                counted(shop.plugins.len(), "plugin"),
                counted(shop.keys.len(), "key")
            ),
        ));
    }
    findings
}

/// Whom a plugin may ask, and what is missing for it.
fn hosts(shop: &ShopConfig, plugin: &PluginEntry) -> Vec<Finding> {
    if plugin.hosts.is_empty() || !plugin.grants.iter().any(|grant| grant == "http") {
        return Vec::new();
    }
    let names: Vec<String> = plugin.hosts.iter().map(ToString::to_string).collect();
    let told = format!("{}: `{}` may ask {}", shop.id, plugin.name, names.join(", "));
    let missing = plugin.hosts.iter().filter_map(|grant| {
        let error = grant.granted().err()?;
        let unread = grant.secrets.values().find(|source| source.read(Path::new("/")).is_err());
        let what = format!("{}: `{}` cannot ask {}: {error}", shop.id, plugin.name, grant.host);
        Some(Finding::bad("shop", what, remedy(unread)))
    });
    std::iter::once(Finding::good("shop", told)).chain(missing).collect()
}

fn remedy(source: Option<&SecretSource>) -> String {
    match source {
        Some(SecretSource::Env(name)) => format!("set {name} where the host is started"),
        Some(SecretSource::File(file)) => {
            format!("write the secret to {}, readable by the host's user only", config::shown(file))
        }
        None => String::new(),
    }
}

fn folders(host: &HostConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let outbox = host.outbox();
    for (name, folder) in [("data_dir", &host.data_dir), ("outbox_dir", &outbox)] {
        if let Err(error) = writable(folder) {
            findings.push(Finding::bad(
                "folders",
                format!("{name}: {} cannot be written: {error}", config::shown(folder)),
                format!("make it writable for this user, or change {name} in cartwright.toml"),
            ));
        }
    }
    for (name, folder) in [("plugins_dir", &host.plugins_dir), ("templates_dir", &host.templates_dir)] {
        if let Err(error) = std::fs::read_dir(folder) {
            findings.push(Finding::doubtful(
                "folders",
                format!("{name}: {} cannot be read: {error}", config::shown(folder)),
                format!("make the folder, or change {name} in cartwright.toml"),
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good("folders", format!("{} can be written", config::shown(&host.data_dir))));
    }
    findings
}

/// Tries a file in the folder, or in the closest folder above that exists.
fn writable(folder: &Path) -> std::io::Result<()> {
    let absolute = std::path::absolute(folder)?;
    let existing = absolute.ancestors().find(|folder| folder.exists()).unwrap_or(&absolute);
    let probe = existing.join(format!(".cartwright-doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

async fn port(host: &HostConfig) -> Finding {
    match TcpListener::bind(host.listen).await {
        Ok(_) => Finding::good("port", format!("{} is free", host.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::doubtful(
            "port",
            format!("something listens on {}", host.listen),
            "fine when it is this host; otherwise stop it, or change `listen`",
        ),
        Err(error) => Finding::bad(
            "port",
            format!("cannot listen on {}: {error}", host.listen),
            "change `listen` in cartwright.toml",
        ),
    }
}

async fn database(host: &HostConfig) -> Finding {
    let database = host.database();
    let shown = match database.strip_prefix("sqlite:").map(Path::new) {
        Some(file) if !file.exists() => {
            let shown = config::shown(file);
            return Finding::good("database", format!("{shown} will be made at the first start"));
        }
        Some(file) => config::shown(file),
        None => "PostgreSQL".to_owned(),
    };
    match Store::pending_migrations(&database, &host.data_dir).await {
        Ok(0) => Finding::good("database", format!("{shown} answers")),
        Ok(pending) => Finding::good(
            "database",
            format!("{shown} answers; the next start applies {}", counted(pending, "migration")),
        ),
        Err(StoreError::Locked(_)) => Finding::good("database", "a host has it open"),
        Err(error @ StoreError::Away(_)) => Finding::bad(
            "database",
            error.to_string(),
            "start PostgreSQL, and compare `database` in cartwright.toml (and PGPASSWORD) with its settings",
        ),
        Err(error) => broken(&error),
    }
}

/// Tries the mail server as for a mail: connects, encrypts, signs in.
async fn mail(host: &HostConfig) -> Option<Finding> {
    let config = host.smtp.as_ref()?;
    let place = format!("{}:{}", config.host, config.port());
    serve::telemetry::install_crypto();
    let smtp = match Smtp::open(config, &host.folder) {
        Ok(smtp) => smtp,
        Err(error) => {
            return Some(Finding::bad("mail", format!("{error:#}"), remedy(config.password.as_ref())));
        }
    };
    Some(match smtp.greet().await {
        Ok(()) if config.username.is_some() => Finding::good("mail", format!("{place} lets this host in")),
        Ok(()) => Finding::good("mail", format!("{place} answers")),
        Err(error) => Finding::bad(
            "mail",
            format!("{place}: {error}"),
            "check `host`, `port`, `tls`, `username` and `password` under [smtp] in cartwright.toml",
        ),
    })
}

fn broken(error: &StoreError) -> Finding {
    Finding::bad(
        "database",
        error.to_string(),
        "check the disk; if the file is damaged, put back its last copy",
    )
}

fn secret_key(host: &HostConfig) -> Option<Finding> {
    let file = &host.data_dir.join(key::FILE);
    let known = std::fs::metadata(file).ok()?;
    if let Err(error) = key::examine(file) {
        return Some(Finding::bad("secret", format!("{error:#}"), "put back the file that this host had"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = known.permissions().mode();
        if mode & 0o077 != 0 {
            return Some(Finding::doubtful(
                "secret",
                format!("{} can be read by others (mode {:o})", config::shown(file), mode & 0o777),
                format!("chmod 600 {}", config::shown(file)),
            ));
        }
        Some(Finding::good("secret", format!("{} is for its owner only", config::shown(file))))
    }
    #[cfg(not(unix))]
    {
        let _ = known;
        Some(Finding::good("secret", format!("{} is there", config::shown(file))))
    }
}

fn clock(host: Option<&HostConfig>) -> Finding {
    let now = jiff::Timestamp::now().as_millisecond();
    let shown = crate::domain::instant::to_rfc3339(now);
    let synchronise = "set the clock by NTP: cut-offs, quotes and coupons go by it";
    if now < MADE {
        return Finding::bad("clock", format!("it shows {shown}, before this version was made"), synchronise);
    }
    let newest = host.and_then(|host| newest_file(&host.data_dir));
    if newest.is_some_and(|newest| newest > now.saturating_add(60_000)) {
        return Finding::bad(
            "clock",
            format!("it shows {shown}, and the data was last written after that"),
            synchronise,
        );
    }
    Finding::good("clock", shown)
}

/// The certificate, where the host speaks TLS.
fn certificate(host: &HostConfig) -> Option<Finding> {
    let certificate = match Certificate::read(host, None) {
        Ok(certificate) => certificate?,
        Err(error) => return Some(mistake("certificate", &error)),
    };
    let now = jiff::Timestamp::now().as_millisecond();
    let renew = "a renewed pair of files is live as soon as both are there";
    Some(match certificate.ends_soon(now) {
        Some(told) if certificate.has_ended(now) => Finding::bad("certificate", told, renew),
        Some(told) => Finding::doubtful("certificate", told, renew),
        None => {
            let until = crate::domain::instant::to_rfc3339(certificate.ends_ms);
            Finding::good("certificate", format!("holds until {until}"))
        }
    })
}

/// When the newest file of a folder was written, UTC milliseconds.
fn newest_file(folder: &Path) -> Option<i64> {
    std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok())
        .filter_map(|written| jiff::Timestamp::try_from(written).ok())
        .map(jiff::Timestamp::as_millisecond)
        .max()
}

async fn plugins(folder: &Path, host: &HostConfig) -> Vec<Finding> {
    let registry = match Registry::open(folder).await {
        Ok(registry) => registry,
        Err(error) => {
            return vec![Finding::bad(
                "plugins",
                format!("{error:#}"),
                "`cartwright config check` shows more",
            )];
        }
    };
    let snapshot = registry.current();
    let mut findings: Vec<Finding> = snapshot
        .problems
        .iter()
        .filter(|problem| problem.kind != "shop")
        .map(|problem| {
            Finding::bad("plugins", problem.message.clone(), format!("the file is {}", problem.file))
        })
        .collect();
    if findings.is_empty() {
        let live: usize = snapshot.shops.values().map(|shop| shop.plugins.len()).sum();
        findings
            .push(Finding::good("plugins", format!("{live} load from {}", config::shown(&host.plugins_dir))));
    }
    findings.extend(signatures(host, &snapshot));
    findings
}

/// Who answers for what is live, where that is looked at.
fn signatures(host: &HostConfig, snapshot: &Snapshot) -> Option<Finding> {
    let keys = &host.security.trusted_keys;
    if keys.is_empty() {
        return None;
    }
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let trusted = format!("plugins signed with {} are trusted", names.join(", "));
    let unsigned: Vec<String> = snapshot
        .plugins()
        .filter(|live| live.signed_with().is_none())
        .map(|live| format!("{}: `{}`", live.shop, live.entry.name))
        .collect();
    Some(if unsigned.is_empty() {
        Finding::good("signatures", trusted)
    } else {
        Finding::doubtful(
            "signatures",
            format!("{trusted}; not signed: {}", unsigned.join(", ")),
            "ask their authors for `<file>.minisig`; `require_signed = true` under [security] refuses them",
        )
    })
}
