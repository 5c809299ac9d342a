//! Mistakes of a shop's file: who the shop is, its times and its money.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use unic_langid::LanguageIdentifier;

use super::super::country::is_country;
use super::super::suggest::closest;
use super::super::{ConfigError, ShopConfig, Step};
use super::is_web_address;
use crate::domain::money;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DELIVERY_KINDS: [&str; 7] = ["home", "work", "locker", "pickup-point", "post", "store", "digital"];
/// All of something, in basis points.
const WHOLE: u32 = 10_000;
/// A week.
const LONGEST_QUOTE: u32 = 7 * 24 * 60;

/// Mistakes of a shop's file.
pub(in crate::config) fn shop(config: &ShopConfig) -> Vec<ConfigError> {
    let mut checked = Checked { config, mistakes: Vec::new() };
    checked.identity();
    checked.times();
    checked.money();
    checked.keys();
    checked.webhooks();
    checked.mail();
    checked.plugins();
    checked.mistakes
}

pub(super) struct Checked<'a> {
    pub(super) config: &'a ShopConfig,
    mistakes: Vec<ConfigError>,
}

impl Checked<'_> {
    pub(super) fn wrong(&mut self, path: &[Step], message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(self.config.origin.mistake(path, message).with_help(help));
    }

    /// A second entry of a list with the same name.
    pub(super) fn twice<'n>(
        &mut self,
        list: &str,
        key: Option<&str>,
        names: impl Iterator<Item = &'n str>,
        what: &str,
    ) {
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

    fn mail(&mut self) {
        if let Some(feedback) = &self.config.mail_feedback
            && feedback.secret.is_none()
            && feedback.basic.is_none()
        {
            self.wrong(
                &["mail_feedback".into()],
                "anybody could report what became of mails",
                "give a `secret`, or `basic` with a name and a password",
            );
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
}
