//! Asking another server: GET only, and only hosts that the merchant granted. Changes to the outside
//! go through [`webhooks`](crate::webhooks).
//!
//! ```
//! use cartwright_sdk::prelude::*;
//! use cartwright_sdk::mock::*;
//!
//! struct Rates;
//!
//! impl Delivery for Rates {
//!     fn offer(_: Cart) -> Outcome {
//!         let price = match http::get("https://api.carrier.example/price?to=PL").send() {
//!             Ok(answer) if answer.status == 200 => answer.text().and_then(|text| text.parse().ok()),
//!             // A decision is better without a price of the carrier than late.
//!             _ => None,
//!         };
//!         DeliveryOption::new("courier", literal("Courier")).price(price.unwrap_or(1_500)).add();
//!         Ok(())
//!     }
//! }
//!
//! let mut host = MockHost::new().page("https://api.carrier.example/price?to=PL", 200, "990");
//! let effects = host.offer::<Rates>(cart().line("mug", 1, 1500)).unwrap();
//! assert_eq!(effects.delivery_option("courier").unwrap().price, 990);
//! let mut host = MockHost::new().unanswered("https://api.carrier.example/price?to=PL", http::TIMEOUT);
//! let effects = host.offer::<Rates>(cart().line("mug", 1, 1500)).unwrap();
//! assert_eq!(effects.delivery_option("courier").unwrap().price, 1_500);
//! ```
//!
//! A call asks at most 16 times. Waiting counts against its deadline; the host gives up while a tenth of it is
//! left. What an event's or a timer's handler was answered is remembered: when the handler runs again, it hears the
//! same, and the server is not asked again.
//!
//! The merchant may have the host add headers with secrets for a host, like `Authorization`; a plugin never
//! holds them.

use crate::types::{HttpRequest, HttpResponse};

/// Not a URL that the merchant granted, or not written plainly, or a header that is the host's to send.
pub const DENIED: &str = "denied";
/// The URL, the headers, or the answer.
pub const TOO_LARGE: &str = "too-large";
/// More questions than a call may ask.
pub const TOO_MANY: &str = "too-many";
/// Nothing came in time.
pub const TIMEOUT: &str = "timeout";
/// There is no such server, it lets nobody in, its certificate is not valid, or it is where plugins may not go.
pub const UNREACHABLE: &str = "unreachable";
/// It broke off, is no HTTP, or sent from one address to the next too often.
pub const BAD_ANSWER: &str = "bad-answer";

/// A request to `url`, written in full: `https://api.carrier.example/prices?to=PL`.
pub fn get(url: &str) -> HttpRequest {
    HttpRequest { url: url.to_owned(), headers: Vec::new() }
}

impl HttpRequest {
    /// A header to send.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it. `Err` is one of the words of [this module](self); more of what went wrong is in the host's log, for
    /// the merchant. An answer with an error status is `Ok`.
    pub fn send(&self) -> Result<HttpResponse, String> {
        crate::raw::http::get(self)
    }
}

impl HttpResponse {
    /// The body as text, when it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.body).ok()
    }

    /// A header. Only these are told: `age`, `cache-control`, `content-language`, `content-type`, `date`, `etag`,
    /// `expires`, `last-modified`, `retry-after`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
