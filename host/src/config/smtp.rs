//! `[smtp]` of `cartwright.toml`: the mail server that mails go out through.

use std::path::PathBuf;

use serde::Deserialize;

use super::SecretSource;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Name of the mail server; its certificate must be made out to it.
    pub host: String,
    /// Default 587; 465 with `tls = "wrapper"`, 25 with `tls = "none"`.
    #[serde(default)]
    pub port: Option<u16>,
    /// Default `required`.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Passwords and mails may cross a network that anybody can read. Default `false`.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// A file of certificates (PEM) that are trusted beside the system's own.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What the host calls itself. Default: the machine's name.
    #[serde(default)]
    pub helo: Option<String>,
    /// Seconds that one mail may take. A message belongs to the host that hands it over five times as long. Default 60.
    #[serde(default = "a_minute")]
    pub timeout_seconds: u64,
}

/// When the connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// By STARTTLS, or not at all.
    #[default]
    Required,
    /// From its first byte (RFC 8314).
    Wrapper,
    /// By STARTTLS when the server offers it: whoever stands between can take the offer away.
    Opportunistic,
    /// Never.
    None,
}

impl SmtpConfig {
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::Required | SmtpTls::Opportunistic => 587,
            SmtpTls::Wrapper => 465,
            SmtpTls::None => 25,
        })
    }

    /// Whether the server is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn a_minute() -> u64 {
    60
}
