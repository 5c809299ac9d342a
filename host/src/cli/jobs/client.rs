//! Asks the running host over HTTP, and says what is wrong when it does not answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::serve::telemetry;
use crate::store::{JobDetails, JobState, JobView};

const PATIENCE: Duration = Duration::from_secs(30);

/// The host's own longest page.
const PAGE: u32 = 500;

/// Jobs, and where the next page begins.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub jobs: Vec<JobView>,
    #[serde(default)]
    pub next: Option<String>,
}

/// What the host says when it does not do what it was asked.
#[derive(Debug, Deserialize)]
struct Refusal {
    title: String,
    detail: String,
}

pub(super) struct Client {
    client: reqwest::Client,
    base: Url,
    key: String,
}

impl Client {
    pub(super) fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        telemetry::install_crypto();
        let base = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .with_context(|| format!("`{url}` is no address of a host; one reads http://127.0.0.1:8080"))?;
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            // The key goes nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, base, key: key.to_owned() })
    }

    pub(super) async fn jobs(
        &self,
        state: Option<JobState>,
        plugin: Option<&str>,
        limit: u32,
        before: Option<&str>,
    ) -> anyhow::Result<Page> {
        let mut url = self.path(&["v1", "jobs"])?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", &limit.min(PAGE).to_string());
            for (name, value) in
                [("state", state.map(JobState::name)), ("plugin", plugin), ("before", before)]
            {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
        }
        self.answer(self.client.get(url)).await
    }

    pub(super) async fn job(&self, id: &str) -> anyhow::Result<JobDetails> {
        self.answer(self.client.get(self.path(&["v1", "jobs", id])?)).await
    }

    pub(super) async fn retry(&self, id: &str) -> anyhow::Result<JobDetails> {
        self.answer(self.client.post(self.path(&["v1", "jobs", id, "retry"])?)).await
    }

    pub(super) async fn drop(&self, id: &str, reason: Option<&str>) -> anyhow::Result<JobDetails> {
        let request = self.client.post(self.path(&["v1", "jobs", id, "drop"])?);
        self.answer(request.json(&json!({ "reason": reason }))).await
    }

    /// An id is one part of the path, whatever was typed.
    fn path(&self, parts: &[&str]) -> anyhow::Result<Url> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(parts),
            Err(()) => bail!("`{}` is no address of a host", self.base),
        };
        Ok(url)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let base = &self.base;
        let response = request.bearer_auth(&self.key).send().await.map_err(|error| {
            if error.is_timeout() {
                anyhow::anyhow!("the host at {base} does not answer in time; its log may say why")
            } else {
                anyhow::anyhow!(
                    "no host answers at {base}: start it with `cartwright serve`, or say with --url where it is"
                )
            }
        })?;
        let status = response.status();
        let bytes = response.bytes().await.with_context(|| format!("the answer of {base} broke off"))?;
        let stranger =
            || format!("what answers at {base} is no Cartwright that this command knows ({status})");
        if status.is_success() {
            return serde_json::from_slice(&bytes).with_context(stranger);
        }
        let Refusal { title, detail } = serde_json::from_slice(&bytes).with_context(stranger)?;
        bail!("{title}: {detail}")
    }
}

/// Where a host that listens there is reached from this machine.
pub(super) fn address(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    format!("http://{}", SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_listens_everywhere_is_reached_here() {
        let of = |listen: &str| address(listen.parse().unwrap());
        assert_eq!(of("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(of("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(of("[::]:8080"), "http://[::1]:8080");
        assert_eq!(of("192.168.1.4:8080"), "http://192.168.1.4:8080");
    }

    #[test]
    fn an_id_stays_one_part_of_the_path() {
        let client = Client::new("http://127.0.0.1:1/behind/", "k").unwrap();
        let url = client.path(&["v1", "jobs", "../x?y", "retry"]).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/behind/v1/jobs/..%2Fx%3Fy/retry");
        assert!(Client::new("127.0.0.1:8080", "k").is_err());
        assert!(Client::new("ftp://host", "k").is_err());
    }

    #[tokio::test]
    async fn who_asks_nobody_is_told_so() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::new(&address(free), "k").unwrap();
        let error = client.job("job_1").await.unwrap_err().to_string();
        assert!(error.contains("no host answers") && error.contains("cartwright serve"), "{error}");
    }
}
