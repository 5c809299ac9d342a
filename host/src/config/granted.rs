//! The `hosts` of a `[[plugins]]` entry: where its links may lead, and whom its `http` may ask.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use reqwest::header::HeaderName;
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::{SecretError, SecretSource};
use crate::domain::{GrantedHost, HostPattern};

/// A name, or a table with a name and what else holds for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGrant {
    pub host: HostPattern,
    /// Private addresses and this machine may be asked. Default false.
    pub allow_private: bool,
    /// Header → its value, which the host adds to what `http` asks of this host.
    pub secrets: BTreeMap<String, SecretSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    host: String,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    secrets: BTreeMap<String, SecretSource>,
}

impl HostGrant {
    /// With its secrets, as they are now. Their files are absolute since the shop was loaded.
    pub fn granted(&self) -> Result<GrantedHost, SecretError> {
        let read = |source: &SecretSource| source.read(Path::new("/"));
        let secrets = self.secrets.iter().map(|(name, source)| Ok((name.clone(), read(source)?)));
        Ok(GrantedHost {
            host: self.host.clone(),
            allow_private: self.allow_private,
            secrets: secrets.collect::<Result<_, _>>()?,
        })
    }
}

/// They say what is asked, and how; not who asks.
const NO_SECRETS: [&str; 6] = ["connection", "content-length", "host", "te", "transfer-encoding", "upgrade"];

impl HostGrant {
    /// Names of secrets that are no headers for one.
    pub(super) fn no_headers(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str).filter(|name| {
            HeaderName::try_from(*name).map_or(true, |name| NO_SECRETS.contains(&name.as_str()))
        })
    }

    pub(super) fn sources_mut(&mut self) -> impl Iterator<Item = &mut SecretSource> {
        self.secrets.values_mut()
    }
}

impl From<HostPattern> for HostGrant {
    fn from(host: HostPattern) -> Self {
        Self { host, allow_private: false, secrets: BTreeMap::new() }
    }
}

/// Its name, and what is unusual about it; never a secret.
impl fmt::Display for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if self.allow_private {
            f.write_str(" (also private addresses)")?;
        }
        if !self.secrets.is_empty() {
            let names: Vec<&str> = self.secrets.keys().map(String::as_str).collect();
            write!(f, " (with {})", names.join(", "))?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for HostGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = HostGrant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a host, or a table like { host = \"rates.internal\", allow_private = true }",
                )
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<HostGrant, E> {
                Ok(pattern(name)?.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HostGrant, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(HostGrant {
                    host: pattern(&table.host)?,
                    allow_private: table.allow_private,
                    secrets: table.secrets,
                })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn pattern<E: Error>(name: &str) -> Result<HostPattern, E> {
    name.parse().map_err(|error| {
        E::custom(format_args!(
            "{error}; write a name without a path, like \"api.carrier.example\", \"rates.example:8443\" or \
             \"*.carrier.example\", and \"http://…\" only for what has no TLS"
        ))
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Entry {
        hosts: Vec<HostGrant>,
    }

    #[test]
    fn a_host_is_a_name_or_a_table() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rates.secret"), "Bearer 1\n").unwrap();
        let file = folder.path().join("rates.secret");
        let entry: Entry = toml::from_str(&format!(
            "hosts = [\"api.example\", {{ host = \"rates.internal:8443\", allow_private = true, secrets = {{ \
             Authorization = {{ file = '{}' }} }} }}]",
            file.display()
        ))
        .unwrap();
        let shown: Vec<String> = entry.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["api.example", "rates.internal:8443 (also private addresses) (with Authorization)"]
        );
        let granted = entry.hosts[1].granted().unwrap();
        assert!(granted.allow_private);
        assert_eq!(granted.secrets[0].1.expose_secret(), "Bearer 1");
        assert!(!format!("{granted:?} {entry:?}").contains("Bearer 1"));
        std::fs::remove_file(folder.path().join("rates.secret")).unwrap();
        assert!(entry.hosts[1].granted().unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_wrong_host_is_told() {
        let wrong = |text: &str| toml::from_str::<Entry>(text).unwrap_err().to_string();
        assert!(
            wrong("hosts = [\"https://x.example/\"]")
                .contains("`https://x.example/` is not the name of a host")
        );
        assert!(wrong("hosts = [{ host = \"a b\" }]").contains("`a b` is not the name of a host"));
        assert!(wrong("hosts = [{ host = \"a.example\", secret = {} }]").contains("unknown field `secret`"));
        assert!(wrong("hosts = [1]").contains("the name of a host, or a table"));
    }
}
