//! Where the links of plugins may lead.

use reqwest::Url;

use crate::config::HostGrant;
use crate::domain::plain;

/// To the shop's own host and to granted ones, over HTTPS (HTTP where the shop's own is HTTP); a path is
/// the shop's own.
#[must_use]
pub fn may_lead_to(link: &str, shop_url: &str, hosts: &[HostGrant]) -> bool {
    // Browsers leave out some of them: what is left may lead elsewhere.
    if link.chars().any(plain::is_hidden) || link.trim() != link {
        return false;
    }
    let shop = Url::parse(shop_url).ok();
    if link.starts_with('/') {
        // Browsers read `//host` and `/\host` as another host.
        return !link.starts_with("//") && !link.contains('\\');
    }
    let Ok(url) = Url::parse(link) else { return false };
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let Some(host) = url.host_str() else { return false };
    let own = shop.as_ref().is_some_and(|shop| shop.host_str() == Some(host) && shop.port() == url.port());
    let granted = hosts.iter().any(|granted| granted.host.names(host));
    match url.scheme() {
        "https" => own || granted,
        "http" => own && shop.is_some_and(|shop| shop.scheme() == "http"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HostPattern;

    #[test]
    fn only_to_the_shop_and_granted_hosts() {
        let hosts = ["help.example.org"].map(|host| HostGrant::from(host.parse::<HostPattern>().unwrap()));
        let table = [
            ("https://shop.example/sale", true),
            ("https://SHOP.example/sale", true),
            ("/sale?x=1", true),
            ("https://help.example.org/", true),
            ("//evil.example/", false),
            ("/\\evil.example/", false),
            ("http://shop.example/", false),
            ("https://shop.example:8443/", false),
            ("https://shop.example.evil.example/", false),
            ("https://shop.example@evil.example/", false),
            ("https://user@shop.example/", false),
            ("https://evil.example/?shop.example", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("sale", false),
            ("ht\ttps://shop.example/", false),
            (" https://shop.example/", false),
            ("/a\u{9}/evil.example", false),
            ("https://shop.example/\u{202e}gpj", false),
            ("", false),
        ];
        for (link, allowed) in table {
            assert_eq!(may_lead_to(link, "https://shop.example", &hosts), allowed, "{link}");
        }
        assert!(may_lead_to("http://127.0.0.1:3000/a", "http://127.0.0.1:3000", &[]));
    }
}
