//! One `[[webhooks]]` entry of a shop: a system of its own that is told what happens.

use std::path::Path;

use serde::Deserialize;

use super::{SecretError, SecretSource};
use crate::domain::signature::{NotASecret, SigningSecret};
use crate::domain::topic;

/// An endpoint, as Standard Webhooks 1.0 has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    /// Unique in the shop; what is on its way belongs to the name, whatever the URL becomes.
    pub name: String,
    /// `https`; plain `http` only to this machine, or with `insecure`.
    pub url: String,
    /// `whsec_` and base64.
    pub secret: SecretSource,
    /// While a new secret is taken into use: signs too, so that either verifies.
    #[serde(default)]
    pub previous_secret: Option<SecretSource>,
    /// Exact (`message.sent`), all below a word (`message.*`), or all (`*`).
    pub topics: Vec<String>,
    /// How long an attempt may take. Default 15.
    #[serde(default = "fifteen")]
    pub timeout_seconds: u64,
    /// Plain `http` to another machine. Default false.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Why an endpoint's secret cannot sign. Never says what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointSecretError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the secret of the endpoint cannot sign: {0}")]
    Malformed(#[from] NotASecret),
}

impl WebhookEndpoint {
    #[must_use]
    pub fn subscribes(&self, topic: &str) -> bool {
        self.topics.iter().any(|pattern| topic::matches(pattern, topic))
    }

    /// What signs, the newest first.
    pub fn secrets(&self, folder: &Path) -> Result<Vec<SigningSecret>, EndpointSecretError> {
        self.sources()
            .map(|source| {
                use secrecy::ExposeSecret as _;
                Ok(SigningSecret::parse(source.read(folder)?.expose_secret())?)
            })
            .collect()
    }

    pub fn sources(&self) -> impl Iterator<Item = &SecretSource> {
        std::iter::once(&self.secret).chain(&self.previous_secret)
    }

    pub(super) fn sources_mut(&mut self) -> impl Iterator<Item = &mut SecretSource> {
        std::iter::once(&mut self.secret).chain(&mut self.previous_secret)
    }
}

fn fifteen() -> u64 {
    15
}

fn yes() -> bool {
    true
}
