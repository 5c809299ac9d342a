//! The way outside: what plugins ask of other servers. The one room besides the webhooks' that speaks HTTP to
//! others, and the only one that goes where a plugin says.
//!
//! A plugin asks only granted hosts (`policy`), at addresses that were looked at (`resolve`, `address`),
//! few at once (`lanes`), and is told little of an answer (`answer`) and next to nothing of a failure.

mod address;
mod answer;
mod lanes;
mod policy;
mod resolve;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use reqwest::header::{HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Response, redirect};

pub use resolve::{Lookup, System};

use crate::config::FetchLimits;
use crate::domain::scrub::scrub;
use crate::domain::{Errand, Fetch, GrantedHost, HttpResponse, Unanswered};
use lanes::Lanes;
use resolve::{Guarded, OutOfBounds, within};

/// Redirects that are followed.
const REDIRECTS: u32 = 3;
/// Of an answer.
const HEADERS: usize = 64;
const HEADER_LIST_BYTES: u32 = 16 << 10;
/// Idle connections are kept so long.
const IDLE: Duration = Duration::from_secs(30);
/// Lines about one plugin's failures in a minute.
const LINES: std::num::NonZeroU32 = std::num::NonZeroU32::MIN.saturating_add(19);

/// Asks other servers for plugins.
pub struct Fetcher {
    /// Their connections are apart: one to a private address serves only those who may go there.
    public: Client,
    private: Client,
    limits: FetchLimits,
    lanes: Lanes,
    lines: DefaultKeyedRateLimiter<(String, String)>,
}

/// Why there is no answer, for the merchant.
#[derive(Debug)]
struct Refusal {
    word: Unanswered,
    why: String,
}

impl Refusal {
    fn new(word: Unanswered, why: String) -> Self {
        Self { word, why }
    }

    fn denied(why: String) -> Self {
        Self::new(Unanswered::Denied, why)
    }

    /// Addresses that are out of bounds are not told from those where nobody is.
    fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut cause: &(dyn std::error::Error + 'static) = &error;
        while let Some(source) = cause.source() {
            if let Some(bounds) = source.downcast_ref::<OutOfBounds>() {
                return Self::new(Unanswered::Unreachable, bounds.to_string());
            }
            cause = source;
        }
        let word = if error.is_timeout() {
            Unanswered::Timeout
        } else if error.is_connect() {
            Unanswered::Unreachable
        } else {
            Unanswered::BadAnswer
        };
        Self::new(word, cause.to_string())
    }
}

impl Fetcher {
    /// Fails when TLS cannot be set up or the file of further certificates cannot be read.
    pub fn new(limits: &FetchLimits, lookup: Arc<dyn Lookup>) -> anyhow::Result<Self> {
        let client = |allow_private| {
            let mut client = Client::builder()
                .user_agent(concat!("Cartwright/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                // What the environment says of proxies is not about plugins.
                .no_proxy()
                .referer(false)
                .pool_idle_timeout(IDLE)
                .http1_max_headers(HEADERS)
                .http2_max_header_list_size(HEADER_LIST_BYTES)
                .dns_resolver(Guarded { lookup: Arc::clone(&lookup), allow_private });
            if let Some(file) = &limits.ca_file {
                client = client.tls_certs_merge(certificates(file)?);
            }
            client.build().context("TLS for what plugins ask cannot be set up")
        };
        Ok(Self {
            public: client(false)?,
            private: client(true)?,
            limits: limits.clone(),
            lanes: Lanes::new(limits),
            lines: RateLimiter::keyed(Quota::per_minute(LINES)),
        })
    }

    /// Within the time that is left; what the merchant should know of it is in the log.
    async fn ask(&self, asked: Errand<'_>) -> Result<HttpResponse, Refusal> {
        let errand = policy::admit(asked.request, asked.hosts)?;
        match self.lanes.enter(asked.shop, asked.plugin).await {
            Some(place) => place.hold(self.go(errand, asked.hosts)).await,
            None => Err(Refusal::new(Unanswered::Unreachable, "the host is stopping".to_owned())),
        }
    }

    async fn go<'a>(
        &self,
        mut errand: policy::Errand<'a>,
        hosts: &'a [GrantedHost],
    ) -> Result<HttpResponse, Refusal> {
        let secrets = &errand.granted.secrets;
        for _ in 0..=REDIRECTS {
            let response = self.send(&errand).await?;
            match elsewhere(&response) {
                Some(location) => errand = policy::follow(&errand, location, hosts)?,
                None => return answer::read(response, self.limits.response_bytes, secrets).await,
            }
        }
        Err(Refusal::new(Unanswered::BadAnswer, format!("it was sent on more than {REDIRECTS} times")))
    }

    async fn send(&self, errand: &policy::Errand<'_>) -> Result<Response, Refusal> {
        let allow_private = errand.granted.allow_private;
        // An address is not resolved, so it is looked at here.
        let address = match errand.url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) | None => None,
        };
        if let Some(address) = address {
            within(address, allow_private)
                .map_err(|bounds| Refusal::new(Unanswered::Unreachable, bounds.to_string()))?;
        }
        let client = if allow_private { &self.private } else { &self.public };
        let request = client.get(errand.url.clone()).headers(errand.headers.clone());
        request.send().await.map_err(Refusal::of)
    }

    fn report(&self, asked: &Errand<'_>, answered: &Result<HttpResponse, Refusal>, took: Duration) {
        let outcome = match answered {
            Ok(answer) => match answer.status {
                100..=199 => "1xx",
                200..=299 => "2xx",
                300..=399 => "3xx",
                400..=499 => "4xx",
                _ => "5xx",
            }
            .to_owned(),
            Err(refusal) => refusal.word.to_string(),
        };
        let (shop, plugin) = (asked.shop, asked.plugin);
        let labels = [("shop", shop.to_owned()), ("plugin", plugin.to_owned())];
        metrics::histogram!("cartwright_plugin_fetch_seconds", &labels).record(took.as_secs_f64());
        let [of_shop, of_plugin] = labels;
        metrics::counter!(
            "cartwright_plugin_fetches_total",
            &[of_shop, of_plugin, ("outcome", outcome.clone())]
        )
        .increment(1);
        let ms = took.as_millis();
        let host = host(asked);
        match answered {
            Ok(_) => tracing::debug!(shop, plugin, host, outcome, ms, "a plugin asked another server"),
            Err(refusal) => {
                if self.lines.check_key(&(shop.to_owned(), plugin.to_owned())).is_ok() {
                    let why = scrub(&refusal.why);
                    tracing::warn!(shop, plugin, host, outcome, ms, why, "a plugin's question has no answer");
                }
            }
        }
    }
}

#[async_trait]
impl Fetch for Fetcher {
    async fn get(&self, errand: Errand<'_>) -> Result<HttpResponse, Unanswered> {
        let began = Instant::now();
        let left = errand.until.saturating_duration_since(began);
        // A tenth stays for the plugin to do without the answer.
        let patience = left.mul_f64(0.9).min(Duration::from_millis(u64::from(self.limits.timeout_ms)));
        let answered = match tokio::time::timeout(patience, self.ask(errand)).await {
            Ok(answered) => answered,
            Err(_) => {
                let why = format!("no answer within {} ms", patience.as_millis());
                Err(Refusal::new(Unanswered::Timeout, why))
            }
        };
        self.report(&errand, &answered, began.elapsed());
        answered.map_err(|refusal| refusal.word)
    }
}

/// As the merchant wrote it; what a plugin makes up is not for the log.
fn host(asked: &Errand<'_>) -> String {
    let url = url::Url::parse(&asked.request.url).ok();
    let granted = url.and_then(|url| asked.hosts.iter().find(|granted| granted.host.holds(&url)));
    granted.map_or_else(|| "-".to_owned(), |granted| granted.host.to_string())
}

/// Where a redirect leads.
fn elsewhere(response: &Response) -> Option<&HeaderValue> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    response.headers().get(LOCATION).filter(|_| redirects)
}

fn certificates(file: &std::path::Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = std::fs::read(file)
        .with_context(|| format!("the file of certificates {} cannot be read", file.display()))?;
    let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    anyhow::ensure!(
        !certificates.is_empty(),
        "{} holds no certificate; `fetch.ca_file` is a file of certificates in PEM",
        file.display()
    );
    Ok(certificates)
}

#[cfg(test)]
mod tests;
