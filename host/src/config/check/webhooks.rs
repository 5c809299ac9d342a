//! Mistakes in whom a shop tells: its webhooks out.

use reqwest::Url;

use super::super::suggest::closest;
use super::super::{Step, WebhookEndpoint};
use super::is_name;
use super::shop::Checked;
use crate::domain::topic::{HOST_TOPICS, is_pattern, is_the_hosts, matches};

impl Checked<'_> {
    pub(super) fn webhooks(&mut self) {
        let config = self.config;
        for (index, endpoint) in config.webhooks.iter().enumerate() {
            self.webhook(index, endpoint);
        }
        let names = config.webhooks.iter().map(|endpoint| endpoint.name.as_str());
        self.twice("webhooks", Some("name"), names, "the endpoint");
    }

    fn webhook(&mut self, index: usize, endpoint: &WebhookEndpoint) {
        let at = |part: &str| [Step::from("webhooks"), index.into(), part.into()];
        if !is_name(&endpoint.name) {
            self.wrong(
                &at("name"),
                format!("`{}` cannot be the name of an endpoint", endpoint.name),
                "small letters, digits and hyphens, beginning with a letter or digit",
            );
        }
        if let Err((message, help)) = address(endpoint) {
            self.wrong(&at("url"), message, help);
        }
        if endpoint.topics.is_empty() {
            self.wrong(
                &at("topics"),
                "the endpoint has no topics, so it is never told anything",
                format!("name some, like [\"message.*\"]; the host's own are {}", HOST_TOPICS.join(", ")),
            );
        }
        for (position, pattern) in endpoint.topics.iter().enumerate() {
            if let Some((message, help)) = wrong_topic(pattern) {
                let mut path = at("topics").to_vec();
                path.push(position.into());
                self.wrong(&path, message, help);
            }
        }
        if !(1..=60).contains(&endpoint.timeout_seconds) {
            self.wrong(
                &at("timeout_seconds"),
                format!("{} is out of range", endpoint.timeout_seconds),
                "choose a number from 1 to 60",
            );
        }
    }
}

fn address(endpoint: &WebhookEndpoint) -> Result<(), (String, &'static str)> {
    let here = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let Ok(url) = Url::parse(&endpoint.url) else {
        return Err((
            format!("`{}` is not a web address", endpoint.url),
            "write one like \"https://erp.shop.example/webhooks\"",
        ));
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Not shown: it is a secret.
        return Err((
            "the address has a user or a password in it".to_owned(),
            "take them out; the signature is what proves who is calling",
        ));
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if here(&url) || endpoint.insecure => Ok(()),
        "http" => Err((
            "plain http would show what is sent to everybody on the way".to_owned(),
            "write https, or `insecure = true` when the way is your own network",
        )),
        _ => Err((
            format!("`{}` is not an address that a webhook can be sent to", endpoint.url),
            "write one that begins with https://",
        )),
    }
}

fn wrong_topic(pattern: &str) -> Option<(String, String)> {
    if !is_pattern(pattern) {
        return Some((
            format!("`{pattern}` is not a topic"),
            "write one like \"message.sent\", all below a word like \"message.*\", or \"*\" for all"
                .to_owned(),
        ));
    }
    // A plugin's topic may be anything; one of the host's is known.
    let known = HOST_TOPICS.iter().any(|topic| matches(pattern, topic));
    if pattern == "*" || known || !is_the_hosts(pattern) {
        return None;
    }
    let help = match closest(pattern, HOST_TOPICS) {
        Some(right) => format!("did you mean `{right}`?"),
        None => format!("the host's own are {}", HOST_TOPICS.join(", ")),
    };
    Some((format!("the host never tells of `{pattern}`"), help))
}
