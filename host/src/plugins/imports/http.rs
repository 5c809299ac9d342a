//! What a plugin asks of other servers: bounded here, gone for by the host's [`Fetch`], and for a job remembered,
//! so that another attempt hears what the first one heard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::reads::unreadable;
use super::{CallState, contract};
use crate::domain::{Errand, Fetch, GrantedHost, HttpRequest, HttpResponse, Journal, Unanswered};
use crate::plugins::call::Fault;

/// Questions of one call, so that what a job remembers is bounded too.
const QUESTIONS: u32 = 16;

/// The way outside, of one call.
pub(in crate::plugins) struct Outside {
    fetch: Arc<dyn Fetch>,
    journal: Option<Arc<dyn Journal>>,
    /// All waiting of the call ends then.
    until: Instant,
    asked: u32,
    /// How often each question was asked so far.
    occurrences: BTreeMap<[u8; 32], u32>,
}

impl Outside {
    pub(in crate::plugins) fn new(
        fetch: Arc<dyn Fetch>,
        journal: Option<Arc<dyn Journal>>,
        until: Instant,
    ) -> Self {
        Self { fetch, journal, until, asked: 0, occurrences: BTreeMap::new() }
    }

    /// The name under which the answer to a question is remembered: what is asked, and for which time.
    fn fingerprint(&mut self, request: &HttpRequest) -> String {
        let mut hash = Sha256::new();
        let headers = request.headers.iter().flat_map(|(name, value)| [name, value]);
        for part in
            ["http.get"].into_iter().chain(std::iter::once(&*request.url)).chain(headers.map(|s| &**s))
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let occurrence = self.occurrences.entry(digest).or_insert(0);
        *occurrence += 1;
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.{occurrence}")
    }
}

/// An answer that another attempt is to hear too. "Not now" is none: the next attempt asks again.
fn lasts(answer: &HttpResponse) -> bool {
    !matches!(answer.status, 408 | 425 | 429 | 500..)
}

impl CallState {
    async fn ask(&mut self, request: &HttpRequest) -> Result<Result<HttpResponse, Unanswered>, Fault> {
        let (Some(outside), Some(plugin)) = (&mut self.outside, &self.plugin) else {
            // While it starts, a plugin has no shop that grants anything.
            return Ok(Err(Unanswered::Denied));
        };
        outside.asked += 1;
        if outside.asked > QUESTIONS {
            return Ok(Err(Unanswered::TooMany));
        }
        let question = outside.fingerprint(request);
        if let Some(journal) = &outside.journal
            && let Some(answer) = journal.recall(&question).await.map_err(unreadable)?
        {
            return Ok(Ok(answer));
        }
        let mut hosts: Vec<GrantedHost> = Vec::with_capacity(plugin.entry.hosts.len());
        for grant in &plugin.entry.hosts {
            match grant.granted() {
                Ok(granted) => hosts.push(granted),
                Err(error) => {
                    let (shop, plugin) = (&self.around.shop.id, &plugin.entry.name);
                    tracing::error!(shop, plugin, host = %grant.host, %error, "a host cannot be asked without its secret");
                }
            }
        }
        let errand = Errand {
            shop: &self.around.shop.id,
            plugin: &plugin.entry.name,
            request,
            hosts: &hosts,
            until: outside.until,
        };
        let answer = match outside.fetch.get(errand).await {
            Ok(answer) => answer,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(journal) = &outside.journal
            && lasts(&answer)
            && !journal.keep(&question, &answer).await.map_err(unreadable)?
        {
            return Ok(Err(Unanswered::TooMany));
        }
        Ok(Ok(answer))
    }
}

impl contract::http::Host for CallState {
    async fn get(&mut self, request: HttpRequest) -> wasmtime::Result<Result<HttpResponse, String>> {
        self.enter("http", "get")?;
        let headers = request.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        self.meter.output(headers.sum::<usize>().saturating_add(request.url.len()))?;
        Ok(self.ask(&request).await?.map_err(|why| why.to_string()))
    }
}

#[cfg(test)]
mod tests;
