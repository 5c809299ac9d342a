//! What types cannot check: names, currencies, zones, countries, and numbers that fit together.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use jiff::tz::TimeZone;
use unic_langid::LanguageIdentifier;

use super::country::is_country;
use super::suggest::closest;
use super::{ConfigError, HostConfig, KeyKind, PluginEntry, ShopConfig, Step};
use crate::domain::money;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DELIVERY_KINDS: [&str; 7] = ["home", "work", "locker", "pickup-point", "post", "store", "digital"];
/// All of something, in basis points.
const WHOLE: u32 = 10_000;
/// A week.
const LONGEST_QUOTE: u32 = 7 * 24 * 60;

/// Whether a name may be the id of a shop, and so of its file, its folders and its addresses.
#[must_use]
pub fn is_shop_id(id: &str) -> bool {
    is_name(id)
}

/// Small letters, digits and hyphens, beginning with a letter or digit, 63 at most.
fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(super) fn is_web_address(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

pub(super) fn is_database(database: &str) -> bool {
    database.strip_prefix("sqlite:").is_some_and(|path| !path.trim_start_matches('/').is_empty())
}

/// Mistakes of `cartwright.toml`.
pub(super) fn host(config: &HostConfig) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    let mut wrong = |path: &[Step], message: String, help: &str| {
        mistakes.push(config.origin.mistake(path, message).with_help(help));
    };
    if let Some(url) = &config.public_url
        && !is_web_address(url)
    {
        wrong(
            &["public_url".into()],
            format!("`{url}` is not a web address"),
            "write the address by which shops reach this host, like \"https://plugins.example\"",
        );
    }
    if let Some(database) = &config.database
        && !is_database(database)
    {
        wrong(
            &["database".into()],
            "this is not a database that this version can open".to_owned(),
            "write \"sqlite:\" and the path of a file, like \"sqlite:data/cartwright.db\"",
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

/// Mistakes of a shop's file.
pub(super) fn shop(config: &ShopConfig) -> Vec<ConfigError> {
    let mut checked = Checked { config, mistakes: Vec::new() };
    checked.identity();
    checked.times();
    checked.money();
    checked.keys();
    checked.plugins();
    checked.mistakes
}

struct Checked<'a> {
    config: &'a ShopConfig,
    mistakes: Vec<ConfigError>,
}

impl Checked<'_> {
    fn wrong(&mut self, path: &[Step], message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(self.config.origin.mistake(path, message).with_help(help));
    }

    /// A second entry of a list with the same name.
    fn twice<'n>(&mut self, list: &str, key: Option<&str>, names: impl Iterator<Item = &'n str>, what: &str) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.enumerate() {
            if !seen.insert(name) {
                let mut path = vec![Step::from(list), index.into()];
                path.extend(key.map(Step::from));
                self.wrong(&path, format!("{what} `{name}` is there twice"), "keep one, or name them apart");
            }
        }
    }

    fn identity(&mut self) {
        let config = self.config;
        if config.name.trim().is_empty() {
            self.wrong(
                &["name".into()],
                "the shop has no name",
                "write the name that customers read in their mails",
            );
        }
        if !is_web_address(&config.url) {
            self.wrong(
                &["url".into()],
                format!("`{}` is not a web address", config.url),
                "write the address of the shop, like \"https://shop.example\"",
            );
        }
        if !is_country(&config.country) {
            let capitals = config.country.to_uppercase();
            let help = match capitals.as_str() {
                "UK" => "did you mean `GB`?".to_owned(),
                _ if is_country(&capitals) => format!("did you mean `{capitals}`?"),
                _ => "write the two letters of ISO 3166, like \"PL\"".to_owned(),
            };
            self.wrong(&["country".into()], format!("there is no country `{}`", config.country), help);
        }
        if config.locales.is_empty() {
            self.wrong(
                &["locales".into()],
                "the shop has no language",
                "name at least one, like [\"en\"]; the first is the default",
            );
        }
        for (index, locale) in config.locales.iter().enumerate() {
            if locale.parse::<LanguageIdentifier>().is_err() || locale.contains('_') {
                let help = match locale.replace('_', "-") {
                    right if right.parse::<LanguageIdentifier>().is_ok() => {
                        format!("did you mean `{right}`?")
                    }
                    _ => "write a BCP 47 tag like \"en\", \"pl\" or \"pt-BR\"".to_owned(),
                };
                self.wrong(&["locales".into(), index.into()], format!("`{locale}` is not a language"), help);
            }
        }
        self.twice("locales", None, config.locales.iter().map(String::as_str), "the language");
        for (index, address) in config.test_recipients.iter().enumerate() {
            if !address.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.len() > 2) {
                self.wrong(
                    &["test_recipients".into(), index.into()],
                    "this is not an e-mail address",
                    "write addresses like \"me@shop.example\"",
                );
            }
        }
    }

    fn times(&mut self) {
        let config = self.config;
        if TimeZone::get(&config.zone).is_err() {
            let zones: Vec<String> =
                jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
            let help = match closest(&config.zone, zones.iter().map(String::as_str)) {
                Some(right) => format!("did you mean `{right}`?"),
                None => "write an IANA name like \"Europe/Warsaw\"".to_owned(),
            };
            self.wrong(&["zone".into()], format!("there is no time zone `{}`", config.zone), help);
        }
        for (index, day) in config.working_days.iter().enumerate() {
            if !WEEKDAYS.contains(&day.as_str()) {
                let help = match closest(day, WEEKDAYS) {
                    Some(right) => format!("did you mean `{right}`?"),
                    None => format!("the days are {}", WEEKDAYS.join(", ")),
                };
                self.wrong(
                    &["working_days".into(), index.into()],
                    format!("`{day}` is not a day of the week"),
                    help,
                );
            }
        }
        self.twice("working_days", None, config.working_days.iter().map(String::as_str), "the day");
        if let Some(quiet) = &config.quiet_hours
            && quiet.from == quiet.to
        {
            self.wrong(
                &["quiet_hours".into(), "to".into()],
                "quiet hours that begin and end at the same time",
                "take `quiet_hours` out to have none",
            );
        }
        if !(1..=LONGEST_QUOTE).contains(&config.quote_minutes) {
            self.wrong(
                &["quote_minutes".into()],
                format!("a quote cannot hold for {} minutes", config.quote_minutes),
                format!("choose from 1 to {LONGEST_QUOTE} (a week)"),
            );
        }
    }

    fn money(&mut self) {
        let config = self.config;
        if money::exponent(&config.currency).is_none() {
            let capitals = config.currency.to_uppercase();
            let help = if money::exponent(&capitals).is_some() {
                format!("did you mean `{capitals}`?")
            } else {
                "write the three letters of ISO 4217, like \"EUR\"".to_owned()
            };
            self.wrong(&["currency".into()], format!("there is no currency `{}`", config.currency), help);
        }
        if config.discounts.max_basis_points.is_some_and(|cap| cap > WHOLE) {
            self.wrong(
                &["discounts".into(), "max_basis_points".into()],
                "discounts cannot be more than the whole",
                "10000 basis points are 100 %",
            );
        }
        for (class, cap) in &config.discounts.class_caps {
            if *cap > WHOLE {
                self.wrong(
                    &["discounts".into(), "class_caps".into(), class.as_str().into()],
                    "discounts cannot be more than the whole",
                    "10000 basis points are 100 %",
                );
            }
        }
        for (index, option) in config.fallback.iter().enumerate() {
            let at = |key: &str| [Step::from("fallback"), index.into(), key.into()];
            if option.price < 0 || !money::is_amount(option.price) {
                self.wrong(
                    &at("price"),
                    format!("{} is not a price", option.price),
                    format!("write minor units of {}, 0 or more: 499 is 4.99", config.currency),
                );
            }
            if option.working_days.is_some_and(|(least, most)| least > most) {
                self.wrong(
                    &at("working_days"),
                    "at least more days than at most",
                    "write the smaller number first, like [2, 4]",
                );
            }
            if !DELIVERY_KINDS.contains(&option.kind.as_str()) {
                let help = match closest(&option.kind, DELIVERY_KINDS) {
                    Some(right) => format!("did you mean `{right}`?"),
                    None => format!("the kinds are {}", DELIVERY_KINDS.join(", ")),
                };
                self.wrong(&at("kind"), format!("`{}` is not a kind of delivery", option.kind), help);
            }
        }
        self.twice(
            "fallback",
            Some("id"),
            config.fallback.iter().map(|option| option.id.as_str()),
            "the option",
        );
    }

    fn keys(&mut self) {
        let config = self.config;
        let again = format!("make one with `cartwright key create --shop {}`", config.id);
        for (index, key) in config.keys.iter().enumerate() {
            let at = |part: &str| [Step::from("keys"), index.into(), part.into()];
            if !is_sha256(&key.sha256) {
                self.wrong(
                    &at("sha256"),
                    "this is not a SHA-256 in 64 small hexadecimal digits; a key itself does not belong here",
                    again.clone(),
                );
            }
            match key.kind {
                KeyKind::Secret if !key.origins.is_empty() => self.wrong(
                    &at("origins"),
                    "a secret key must not be in a browser, so it has no origins",
                    "take `origins` out, or make this key `publishable`",
                ),
                KeyKind::Secret => {}
                KeyKind::Publishable => {
                    for (position, origin) in key.origins.iter().enumerate() {
                        if !is_origin(origin) {
                            let mut path = at("origins").to_vec();
                            path.push(position.into());
                            self.wrong(
                                &path,
                                format!("`{origin}` is not an origin"),
                                "write what a browser sends, without a path: \"https://shop.example\"",
                            );
                        }
                    }
                }
            }
        }
        self.twice("keys", Some("name"), config.keys.iter().map(|key| key.name.as_str()), "the key");
        self.twice("keys", Some("sha256"), config.keys.iter().map(|key| key.sha256.as_str()), "the hash");
    }

    fn plugins(&mut self) {
        let config = self.config;
        for (index, plugin) in config.plugins.iter().enumerate() {
            self.plugin(index, plugin);
        }
        self.twice(
            "plugins",
            Some("name"),
            config.plugins.iter().map(|plugin| plugin.name.as_str()),
            "the plugin",
        );
    }

    fn plugin(&mut self, index: usize, plugin: &PluginEntry) {
        let at = |part: &str| [Step::from("plugins"), index.into(), part.into()];
        if !is_name(&plugin.name) {
            self.wrong(
                &at("name"),
                format!("`{}` cannot be the name of a plugin", plugin.name),
                "small letters, digits and hyphens, beginning with a letter or digit",
            );
        } else if plugin.name == "shop" {
            self.wrong(
                &at("name"),
                "the name `shop` is taken: it stands for the shop's own texts and templates",
                "choose another name",
            );
        }
        let file = Path::new(&plugin.source);
        let plain = file.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || file.extension().is_none_or(|extension| extension != "wasm") {
            self.wrong(
                &at("source"),
                format!("`{}` is not the name of a plugin's file", plugin.source),
                "write the name of a `.wasm` file in the folder of plugins",
            );
        }
        if plugin.sha256.as_deref().is_some_and(|sha256| !is_sha256(sha256)) {
            self.wrong(
                &at("sha256"),
                "this is not a SHA-256 in 64 small hexadecimal digits",
                format!("`cartwright plugin inspect {}` shows the right one", plugin.source),
            );
        }
        if !plugin.settings.is_table() {
            self.wrong(
                &at("settings"),
                "settings are a table",
                "write `settings = { key = value }` or a table `[plugins.settings]`",
            );
        }
        for (position, host) in plugin.hosts.iter().enumerate() {
            if !is_host(host) {
                let mut path = at("hosts").to_vec();
                path.push(position.into());
                self.wrong(
                    &path,
                    format!("`{host}` is not the name of a host"),
                    "write a name without a scheme or a path, like \"api.carrier.example\"",
                );
            }
        }
        let mut seen = BTreeSet::new();
        for (position, grant) in plugin.grants.iter().enumerate() {
            if !seen.insert(grant) {
                let mut path = at("grants").to_vec();
                path.push(position.into());
                self.wrong(&path, format!("`{grant}` is granted twice"), "keep one");
            }
        }
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What a browser sends as `Origin`.
pub(crate) fn is_origin(origin: &str) -> bool {
    reqwest::Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == origin
    })
}

fn is_host(host: &str) -> bool {
    reqwest::Url::parse(&format!("https://{host}/")).is_ok_and(|url| url.host_str() == Some(host))
}
