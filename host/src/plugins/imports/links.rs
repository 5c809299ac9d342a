//! Where a plugin may send shoppers: the shop's own hosts, those that the merchant granted, and what
//! the shop itself reported (tracking links). Pure.

use url::Url;

use crate::config::HostGrant;
use crate::domain::Shipment;
use crate::plugins::call::Fault;

/// What links of one call may point at.
pub(super) struct Links<'a> {
    /// Links without a host are on it.
    pub(super) shop: &'a str,
    pub(super) contact: Option<&'a str>,
    /// The plugin's `hosts`.
    pub(super) granted: &'a [HostGrant],
    /// Their tracking links are allowed as they are.
    pub(super) shipments: &'a [Shipment],
    pub(super) shipment: Option<&'a Shipment>,
}

impl Links<'_> {
    /// The link in full, when it leads somewhere allowed; else a sentence.
    pub(super) fn resolve(&self, import: &str, link: &str) -> Result<String, Fault> {
        let mut reported = self.shipments.iter().chain(self.shipment);
        if reported.any(|shipment| shipment.tracking_url.as_deref() == Some(link)) {
            return Ok(link.to_owned());
        }
        let base = Url::parse(self.shop).ok();
        let url = base
            .as_ref()
            .map_or_else(|| Url::parse(link), |base| base.join(link))
            .map_err(|error| trapped(import, link, &format!("is not a link: {error}")))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(trapped(import, link, "is neither https nor http"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(trapped(import, link, "holds a user name or password"));
        }
        let host = url.host_str().unwrap_or_default();
        let own =
            [Some(self.shop), self.contact].into_iter().flatten().filter_map(|own| Url::parse(own).ok());
        let allowed = self.granted.iter().any(|granted| granted.host.names(host))
            || own.into_iter().any(|own| own.host_str() == Some(host));
        if allowed {
            Ok(url.into())
        } else {
            let what = format!(
                "leads to `{host}`, which is not the shop's; if it may, the merchant writes `hosts = [\"{host}\"]`"
            );
            Err(trapped(import, link, &what))
        }
    }
}

fn trapped(import: &str, link: &str, what: &str) -> Fault {
    let shown: String = link.chars().take(100).collect();
    Fault::Trapped(format!("called `{import}` with the link `{}`, which {what}", shown.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HostPattern;

    #[test]
    fn links_lead_only_where_the_merchant_allows() {
        let granted =
            ["partner.example:8443"].map(|host| HostGrant::from(host.parse::<HostPattern>().unwrap()));
        let shipment = Shipment {
            id: "s1".to_owned(),
            carrier: None,
            tracking_number: None,
            tracking_url: Some("https://track.example/t?id=9".to_owned()),
            lines: Vec::new(),
            shipped_at: 0,
            promised: None,
            estimated: None,
            destination: None,
        };
        let links = Links {
            shop: "https://shop.example/en/",
            contact: Some("https://help.shop.example/contact"),
            granted: &granted,
            shipments: &[],
            shipment: Some(&shipment),
        };
        for (link, full) in [
            ("https://shop.example/cart", "https://shop.example/cart"),
            ("/gifts", "https://shop.example/gifts"),
            ("gifts", "https://shop.example/en/gifts"),
            ("https://PARTNER.example/x", "https://partner.example/x"),
            ("https://help.shop.example/", "https://help.shop.example/"),
            ("https://track.example/t?id=9", "https://track.example/t?id=9"),
        ] {
            assert_eq!(links.resolve("blocks.block", link).unwrap(), full);
        }
        for link in [
            "https://evil.example/",
            "//evil.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://me@shop.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://track.example/t?id=8",
            "\\\\evil.example/",
            "https://",
        ] {
            assert!(links.resolve("blocks.block", link).is_err(), "{link}");
        }
        assert_eq!(
            links.resolve("blocks.block", "https://evil.example/").unwrap_err().to_string(),
            "called `blocks.block` with the link `https://evil.example/`, which leads to `evil.example`, which is \
             not the shop's; if it may, the merchant writes `hosts = [\"evil.example\"]`"
        );
    }
}
