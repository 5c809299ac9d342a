//! Hosts as a merchant writes them: `api.carrier.example`, `rates.example:8443`, `*.carrier.example`,
//! `http://rates.internal:8080`. Pure.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A host, or all below one, on one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    written: String,
    /// Plain HTTP, which is said by `http://` before the name.
    plain: bool,
    name: Name,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// As a normalised URL has it.
    Exactly(String),
    /// With the full stop: `.carrier.example`.
    Below(String),
}

/// What is written is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a host")]
pub struct NotAHost(pub String);

impl HostPattern {
    /// A question to `url` goes there, by scheme, name and port.
    #[must_use]
    pub fn holds(&self, url: &Url) -> bool {
        let scheme = if self.plain { "http" } else { "https" };
        url.scheme() == scheme
            && url.port_or_known_default() == Some(self.port)
            && url.host_str().is_some_and(|host| self.names(host))
    }

    /// `*.…`
    #[must_use]
    pub fn is_many(&self) -> bool {
        matches!(self.name, Name::Below(_))
    }

    /// For links, which may name another port. Never more than the name says: `*.a.example` does not name
    /// `a.example`.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        match &self.name {
            Name::Exactly(name) => name.eq_ignore_ascii_case(host),
            Name::Below(suffix) => {
                let host = host.to_ascii_lowercase();
                host.strip_suffix(suffix.as_str()).is_some_and(|rest| !rest.is_empty())
            }
        }
    }
}

impl FromStr for HostPattern {
    type Err = NotAHost;

    fn from_str(written: &str) -> Result<Self, NotAHost> {
        let wrong = || NotAHost(written.to_owned());
        let (plain, authority) = match written.strip_prefix("http://") {
            Some(authority) => (true, authority),
            None => (false, written),
        };
        let (below, authority) = match authority.strip_prefix("*.") {
            Some(authority) => (true, authority),
            None => (false, authority),
        };
        let scheme = if plain { "http" } else { "https" };
        let url = Url::parse(&format!("{scheme}://{authority}/")).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?;
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(wrong)?;
        let letters =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if url.domain().is_some_and(|name| !letters(name)) {
            return Err(wrong());
        }
        // Nothing but a name in the form that a browser makes of it, and a port: no path, no user, no `0x7f.1`.
        if authority != host && authority != format!("{host}:{port}") {
            return Err(wrong());
        }
        let name = match (below, url.host()) {
            (false, _) => Name::Exactly(host.to_owned()),
            // `*.com` would be everybody.
            (true, Some(Host::Domain(domain))) if domain.contains('.') => Name::Below(format!(".{domain}")),
            (true, _) => return Err(wrong()),
        };
        Ok(Self { written: written.to_owned(), plain, name, port })
    }
}

/// As it was written.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, url: &str) -> bool {
        pattern.parse::<HostPattern>().unwrap().holds(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_is_a_name_a_port_and_a_scheme() {
        for (pattern, url) in [
            ("api.example", "https://api.example/v1?x=1"),
            ("api.example", "https://API.example:443/"),
            ("api.example:443", "https://api.example/"),
            ("api.example:8443", "https://api.example:8443/"),
            ("*.api.example", "https://eu.api.example/"),
            ("*.api.example:8443", "https://a.b.api.example:8443/"),
            ("http://api.example:8080", "http://api.example:8080/"),
            ("http://api.example", "http://api.example/"),
            ("10.0.0.7", "https://10.0.0.7/"),
            ("[fd00::7]:8443", "https://[fd00::7]:8443/"),
        ] {
            assert!(holds(pattern, url), "{pattern} {url}");
        }
        for (pattern, url) in [
            ("api.example", "http://api.example/"),
            ("api.example", "http://api.example:443/"),
            ("api.example", "https://api.example:8443/"),
            ("api.example", "https://api.example./"),
            ("api.example", "https://eu.api.example/"),
            ("api.example", "https://notapi.example/"),
            ("api.example", "https://api.example.evil.example/"),
            ("*.api.example", "https://api.example/"),
            ("*.api.example", "https://evilapi.example/"),
            ("http://api.example:8080", "https://api.example:8080/"),
            ("http://api.example:8080", "http://api.example/"),
        ] {
            assert!(!holds(pattern, url), "{pattern} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for written in [
            "",
            "*",
            "*.",
            "*.com",
            "*.10.0.0.7",
            "a.*.example",
            "https://api.example",
            "ftp://api.example",
            "api.example/v1",
            "api.example?x",
            "api.example#x",
            "me@api.example",
            "API.example",
            "bücher.example",
            "api.example:",
            "api.example:0",
            "api.example:99999",
            "2130706433",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "api example",
            "[::ffff:10.0.0.7]",
            " api.example",
        ] {
            assert!(written.parse::<HostPattern>().is_err(), "{written}");
        }
        assert_eq!(
            "*.com".parse::<HostPattern>().unwrap_err().to_string(),
            "`*.com` is not the name of a host"
        );
    }
}
