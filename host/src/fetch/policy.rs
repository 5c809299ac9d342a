//! Which URLs a plugin may ask and follow, and with which headers. Pure.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use url::Url;

use super::Refusal;
use crate::domain::{GrantedHost, HttpRequest, Unanswered};

/// Bytes of a URL.
const URL: usize = 2_048;
/// Headers of a plugin, and bytes of their names and values in sum.
const HEADERS: usize = 16;
const HEADER_BYTES: usize = 8 << 10;

/// What a plugin may not say: who it is to the connection, to proxies, to clouds; what the host negotiates.
const RESERVED: [&str; 21] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "metadata",
    "metadata-flavor",
    "origin",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-real-ip",
];
const RESERVED_BEGINNINGS: [&str; 5] = ["proxy-", "sec-", "x-aws-", "x-forwarded-", "x-google-metadata-"];

/// What still goes along when another host is asked than the plugin named.
const HARMLESS: [&str; 2] = ["accept", "accept-language"];

/// What an answer tells.
const TOLD: [&str; 9] = [
    "age",
    "cache-control",
    "content-language",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "retry-after",
];
/// Bytes of a header's value that is told.
const TOLD_BYTES: usize = 1_024;

/// A request that may be made.
#[derive(Debug)]
pub(super) struct Errand<'a> {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) granted: &'a GrantedHost,
}

/// What the plugin asks for, when it may, with the secrets of the host.
pub(super) fn admit<'a>(request: &HttpRequest, hosts: &'a [GrantedHost]) -> Result<Errand<'a>, Refusal> {
    if request.url.len() > URL {
        let why = format!("its URL has {} bytes; {URL} is the most", request.url.len());
        return Err(Refusal::new(Unanswered::TooLarge, why));
    }
    let url = as_written(&request.url)?;
    let granted = grant(&url, hosts)?;
    let mut headers = said(&request.headers)?;
    for (name, secret) in &granted.secrets {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::try_from(secret.expose_secret());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(Refusal::denied(format!(
                "a secret for {} is not the value of a header",
                granted.host
            )));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(Errand { url, headers, granted })
}

/// A redirect, when it leads where the plugin may ask itself. What was for one host goes to no other.
pub(super) fn follow<'a>(
    from: &Errand<'a>,
    location: &HeaderValue,
    hosts: &'a [GrantedHost],
) -> Result<Errand<'a>, Refusal> {
    let location = location.to_str().ok().filter(|location| location.len() <= URL);
    let url = location.and_then(|location| from.url.join(location).ok());
    let mut url =
        url.ok_or_else(|| Refusal::new(Unanswered::BadAnswer, "its redirect leads to no URL".to_owned()))?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::denied("a redirect leads to a URL with a user name or password".to_owned()));
    }
    if from.url.scheme() == "https" && url.scheme() != "https" {
        return Err(Refusal::denied("a redirect leads from https to http".to_owned()));
    }
    let granted = grant(&url, hosts)?;
    let mut headers = from.headers.clone();
    if url.origin() != from.url.origin() {
        headers = HARMLESS
            .into_iter()
            .filter_map(|name| Some((HeaderName::from_static(name), from.headers.get(name)?.clone())))
            .filter(|(_, value)| !value.is_sensitive())
            .collect();
    }
    Ok(Errand { url, headers, granted })
}

/// The headers that the plugin is told.
pub(super) fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    TOLD.into_iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            (value.len() <= TOLD_BYTES).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The URL, when it is written as it will be understood: no user, no fragment, no other way to write an address.
fn as_written(text: &str) -> Result<Url, Refusal> {
    let wrong = |what: &str| Refusal::denied(format!("its URL {what}"));
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(wrong("holds white space, a control character or a backslash"));
    }
    let url = Url::parse(text).map_err(|error| wrong(&format!("is none: {error}")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong("is neither https nor http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(wrong("has a fragment"));
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    if host.is_empty() || (authority != host && authority != format!("{host}:{port}")) {
        return Err(wrong("writes its host in another form than servers are named in"));
    }
    Ok(url)
}

fn grant<'a>(url: &Url, hosts: &'a [GrantedHost]) -> Result<&'a GrantedHost, Refusal> {
    hosts.iter().find(|granted| granted.host.holds(url)).ok_or_else(|| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let plain = if url.scheme() == "http" { "http://" } else { "" };
        let host = format!("{plain}{}{port}", url.host_str().unwrap_or_default());
        Refusal::denied(format!("`{host}` is not among its `hosts`; if it may, write `hosts = [\"{host}\"]`"))
    })
}

fn said(headers: &[(String, String)]) -> Result<HeaderMap, Refusal> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    if headers.len() > HEADERS || bytes > HEADER_BYTES {
        let why = format!(
            "it sends {} headers of {bytes} bytes; {HEADERS} of {HEADER_BYTES} bytes in sum are the most",
            headers.len()
        );
        return Err(Refusal::new(Unanswered::TooLarge, why));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value))
        else {
            return Err(Refusal::denied("it sends what is no header".to_owned()));
        };
        if is_reserved(name.as_str()) {
            return Err(Refusal::denied(format!("it sends `{name}`, which is the host's to send")));
        }
        map.append(name, value);
    }
    Ok(map)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || RESERVED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(hosts: &[&str]) -> Vec<GrantedHost> {
        let granted = |host: &&str| GrantedHost {
            host: host.parse().unwrap(),
            allow_private: false,
            secrets: vec![("x-api-key".to_owned(), format!("secret of {host}").into())],
        };
        hosts.iter().map(granted).collect()
    }

    fn request(url: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpRequest { url: url.to_owned(), headers }
    }

    #[test]
    fn only_granted_urls_written_plainly_are_asked() {
        let hosts = granted(&["api.example", "rates.example:8443", "http://old.example:8080", "10.0.0.7"]);
        for url in [
            "https://api.example/",
            "https://API.example/a/../b?x=%20y",
            "https://api.example:443/",
            "https://rates.example:8443/",
            "http://old.example:8080/x",
            "https://10.0.0.7/",
            "https://api.example?x",
        ] {
            assert!(admit(&request(url, &[]), &hosts).is_ok(), "{url}");
        }
        for url in [
            "",
            "/path",
            "//api.example/",
            "http://api.example/",
            "https://api.example:8443/",
            "https://rates.example/",
            "https://old.example:8080/",
            "https://evil.example/",
            "https://api.example.evil.example/",
            "https://api.example./",
            "https://api.example@evil.example/",
            "https://me@api.example/",
            "https://me:pw@api.example/",
            "https://@api.example/",
            "https://api.example/#part",
            "https://api.example\\@evil.example/",
            "https:\\\\api.example/",
            "https:/api.example/",
            "https:api.example/",
            "https:///api.example/",
            "https://api%2eexample/",
            "https://ａpi.example/",
            "https://api.example:/",
            "https://api.example:0443/",
            " https://api.example/",
            "https://api.exa\nmple/",
            "https://api.example/\r\nHost: evil",
            "ftp://api.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
            // The granted address, and this machine, in other forms.
            "https://167772167/",
            "https://0xa000007/",
            "https://0x0a.0.0.7/",
            "https://012.0.0.7/",
            "https://10.7/",
            "https://10.0.7/",
            "https://[::ffff:10.0.0.7]/",
            "https://[::ffff:a00:7]/",
            "https://2130706433/",
            "https://127.1/",
            "https://localhost/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            let refusal = admit(&request(url, &[]), &hosts).unwrap_err();
            assert_eq!(refusal.word, Unanswered::Denied, "{url}");
            // For the log: not with what may be secret or somebody's name.
            let told = ["pw", "part", "latest", "passwd"].iter().any(|piece| refusal.why.contains(piece));
            assert!(!told, "{url}: {}", refusal.why);
        }
        let long = format!("https://api.example/{}", "x".repeat(URL));
        assert_eq!(admit(&request(&long, &[]), &hosts).unwrap_err().word, Unanswered::TooLarge);
    }

    #[test]
    fn the_plugin_says_little_and_the_secret_is_the_hosts() {
        let hosts = granted(&["api.example"]);
        let ask = |headers: &[(&str, &str)]| admit(&request("https://api.example/", headers), &hosts);
        let errand = ask(&[("Accept", "application/json"), ("X-Api-Key", "mine")]).unwrap();
        assert_eq!(errand.headers.get("accept").unwrap(), "application/json");
        let secrets: Vec<_> = errand.headers.get_all("x-api-key").iter().collect();
        assert_eq!(secrets, ["secret of api.example"]);
        assert!(!format!("{errand:?}").contains("secret of"));
        for (name, value) in [
            ("Host", "evil.example"),
            ("Cookie", "a=b"),
            ("Connection", "close"),
            ("Metadata-Flavor", "Google"),
            ("X-aws-ec2-metadata-token", "x"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("Proxy-Authorization", "x"),
            ("Accept-Encoding", "br"),
            ("bad name", "x"),
            ("x", "a\r\nhost: evil"),
            ("", "x"),
        ] {
            assert_eq!(ask(&[(name, value)]).unwrap_err().word, Unanswered::Denied, "{name}");
        }
        assert_eq!(ask(&[("x", &"y".repeat(HEADER_BYTES))]).unwrap_err().word, Unanswered::TooLarge);
        assert_eq!(ask(&[("x", "y"); HEADERS + 1]).unwrap_err().word, Unanswered::TooLarge);
    }

    #[test]
    fn a_redirect_is_checked_like_a_question_and_takes_no_secret_elsewhere() {
        let hosts =
            granted(&["api.example", "cdn.example", "http://api.example:80", "http://old.example:80"]);
        let headers = [("Accept", "text/plain"), ("Authorization", "mine")];
        let first = admit(&request("https://api.example/a/b", &headers), &hosts).unwrap();
        let to = |location: &str| follow(&first, &HeaderValue::from_str(location).unwrap(), &hosts);
        let same = to("../c#part").unwrap();
        assert_eq!(same.url.as_str(), "https://api.example/c");
        assert_eq!(same.headers, first.headers);
        let other = to("https://cdn.example/c").unwrap();
        assert_eq!(other.headers.len(), 1);
        assert_eq!(other.headers.get("accept").unwrap(), "text/plain");
        // What was dropped does not come back.
        let back = follow(&other, &HeaderValue::from_static("https://api.example/"), &hosts).unwrap();
        assert!(!back.headers.contains_key("x-api-key"));
        for location in [
            "http://api.example/",
            "http://old.example/",
            "https://evil.example/",
            "//169.254.169.254/",
            "https://api.example:8443/",
            "https://me@cdn.example/",
            "file:///etc/passwd",
        ] {
            assert_eq!(to(location).unwrap_err().word, Unanswered::Denied, "{location}");
        }
        assert_eq!(to("https://").unwrap_err().word, Unanswered::BadAnswer);
    }

    #[test]
    fn an_answer_tells_only_what_is_listed() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/plain"),
            ("set-cookie", "a=b"),
            ("location", "/x"),
            ("server", "x"),
            ("etag", "\"1\""),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("expires", HeaderValue::from_str(&"x".repeat(TOLD_BYTES + 1)).unwrap());
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(told(&headers), [own("content-type", "text/plain"), own("etag", "\"1\"")]);
    }

    proptest::proptest! {
        /// However a URL is put together, what is admitted goes where it was granted.
        #[test]
        fn no_spelling_leads_elsewhere(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "https", "http", ":", "/", "//", "\\", "@", "?", "#", ".", "%2e", "%40", "[", "]", "::1", "127.1",
                    "0x7f000001", "api.example", "API.EXAMPLE", "evil.example", "443", "80", ":443", "\t", " ", "\0",
                    "。", "a", "-",
                ]),
                0..12,
            ),
            begins in proptest::bool::ANY,
        ) {
            let hosts = granted(&["api.example"]);
            let url = format!("{}{}", if begins { "https://api.example" } else { "" }, pieces.concat());
            if let Ok(errand) = admit(&request(&url, &[]), &hosts) {
                proptest::prop_assert_eq!(errand.url.scheme(), "https");
                proptest::prop_assert_eq!(errand.url.host_str(), Some("api.example"));
                proptest::prop_assert_eq!(errand.url.port_or_known_default(), Some(443));
                proptest::prop_assert!(errand.url.username().is_empty() && errand.url.password().is_none());
            }
        }
    }
}
