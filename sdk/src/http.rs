//! Asking another server: GET only, and only hosts that the merchant granted. Changes to the outside
//! go through [`webhooks`](crate::webhooks).
//!
//! In the contract, and not yet in the host: version 0.1 refuses a plugin that uses it.

use crate::types::{HttpRequest, HttpResponse};

/// A request to `url`.
pub fn get(url: &str) -> HttpRequest {
    HttpRequest { url: url.to_owned(), headers: Vec::new() }
}

impl HttpRequest {
    /// A header to send.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it; `Err` says why there is no answer. An answer with an error status is `Ok`.
    pub fn send(&self) -> Result<HttpResponse, String> {
        crate::raw::http::get(self)
    }
}

impl HttpResponse {
    /// The body as text, when it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.body).ok()
    }
}
