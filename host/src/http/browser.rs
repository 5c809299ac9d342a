//! What a browser may do with an answer: less than it would. The one place for the headers that say so; each is
//! on every answer, and only what a page needs is opened for it.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What kind of page an answer is, where it is one that needs more than to be read. Travels with the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Loads scripts and styles of this host, and asks it.
    Application,
    /// Has a form, and [`FORM_STYLE`] inside.
    Form,
}

/// The style sheet of pages with a form: the policy names it by its hash, and lets no other in.
pub const FORM_STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}\
     button{font:inherit;padding:.6rem 1.2rem;cursor:pointer}";

/// Nothing is loaded, sent or framed: JSON, text, pages of text.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The page of the description sets styles on its elements, and has its icons as `data:`.
const APPLICATION: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
static FORM: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(FORM_STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(NOTHING)
});

/// A year, as browsers expect it; of this name alone.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

impl Page {
    /// The same answer, as this kind of page.
    pub fn of(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Sets the headers; `secure` when the answer goes out by TLS.
pub fn bound(response: &mut Response, secure: bool) {
    let policy = match response.extensions_mut().remove::<Page>() {
        Some(Page::Application) => APPLICATION,
        Some(Page::Form) => FORM.clone(),
        None => NOTHING,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // For browsers that do not know frame-ancestors.
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // A storefront asks by CORS, which this does not touch; nobody embeds an answer as an image or a script.
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ] {
        headers.insert(name, value);
    }
    // Most answers are of one customer, cart or shop; what may be kept says so itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(answer: Response) -> String {
        let mut answer = answer;
        bound(&mut answer, false);
        assert!(!answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_page_gets_what_it_needs_and_no_answer_can_loosen_its_own() {
        assert!(policy(Page::Application.of("x")).contains("script-src 'self';"));
        let form = policy(Page::Form.of("x"));
        assert!(form.contains("form-action 'self'") && form.contains("style-src 'sha256-"), "{form}");
        let loose = ([(header::CONTENT_SECURITY_POLICY, "default-src *")], "x").into_response();
        assert_eq!(policy(loose), NOTHING.to_str().unwrap());
        for policy in [policy(Page::Form.of("x")), policy("x".into_response())] {
            assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"), "{policy}");
        }
    }

    #[test]
    fn what_may_be_kept_is_kept_and_tls_is_for_good() {
        let mut answer = ([(header::CACHE_CONTROL, "private, max-age=60")], "x").into_response();
        bound(&mut answer, true);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=60");
        assert_eq!(answer.headers()[header::STRICT_TRANSPORT_SECURITY], ONLY_TLS);
    }
}
