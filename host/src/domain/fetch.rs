//! Questions to servers outside: what the sandbox asks of the room that goes there, and of the memory of those
//! that were answered.

use std::time::Instant;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{HostPattern, HttpRequest, HttpResponse, ReadError};

/// A host that the merchant lets a plugin ask.
#[derive(Debug, Clone)]
pub struct GrantedHost {
    pub host: HostPattern,
    /// Private addresses of its name are not refused.
    pub allow_private: bool,
    /// Headers that the host adds; the plugin never has them.
    pub secrets: Vec<(String, SecretString)>,
}

/// A question of a plugin, with what its shop grants.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    pub shop: &'a str,
    pub plugin: &'a str,
    pub request: &'a HttpRequest,
    pub hosts: &'a [GrantedHost],
    /// All waiting ends then.
    pub until: Instant,
}

/// Why there is no answer: one word, the same whatever lies behind it, so that it tells a plugin nothing about
/// the network that the host is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unanswered {
    /// Not a URL that this plugin may ask, or not with these headers.
    #[error("denied")]
    Denied,
    /// The URL, the headers or the answer.
    #[error("too-large")]
    TooLarge,
    /// More questions than a call may ask.
    #[error("too-many")]
    TooMany,
    #[error("timeout")]
    Timeout,
    /// No such name, no connection, no valid certificate, an address that is out of bounds.
    #[error("unreachable")]
    Unreachable,
    /// It broke off, or is no HTTP.
    #[error("bad-answer")]
    BadAnswer,
}

/// Goes there. A status of any kind is an answer.
#[async_trait]
pub trait Fetch: Send + Sync {
    async fn get(&self, errand: Errand<'_>) -> Result<HttpResponse, Unanswered>;
}

/// What a job's earlier attempts were answered, so that another one hears the same.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The answer to a question, by its fingerprint.
    async fn recall(&self, question: &str) -> Result<Option<HttpResponse>, ReadError>;
    /// `false`: there is no room for more.
    async fn keep(&self, question: &str, answer: &HttpResponse) -> Result<bool, ReadError>;
}
