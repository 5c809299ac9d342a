//! Files that were offered and not taken: looking at one again costs what it cost before, and a hostile one is made
//! to cost much.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::config::Limits;

/// Then it is looked at again: a busy machine may have been too slow for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// By the hash of the file.
#[derive(Debug, Default)]
pub(super) struct Refusals(HashMap<String, Refused>);

#[derive(Debug)]
struct Refused {
    at: Instant,
    /// Those that it was tried under.
    limits: Limits,
    sentence: String,
}

impl Refusals {
    /// Why it was not taken, a short time ago and under the same limits.
    pub(super) fn of(&self, sha256: &str, limits: &Limits) -> Option<String> {
        let refused = self.0.get(sha256)?;
        let holds = refused.limits == *limits && refused.at.elapsed() < PATIENCE;
        holds.then(|| refused.sentence.clone())
    }

    pub(super) fn keep(&mut self, sha256: &str, limits: &Limits, sentence: &str) {
        let refused = Refused { at: Instant::now(), limits: limits.clone(), sentence: sentence.to_owned() };
        self.0.insert(sha256.to_owned(), refused);
    }

    /// Forgets those that are no longer offered.
    pub(super) fn only(&mut self, offered: &HashSet<String>) {
        self.0.retain(|sha256, _| offered.contains(sha256));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_holds_under_the_same_limits_while_the_file_is_offered() {
        let (limits, mut refusals) = (Limits::default(), Refusals::default());
        refusals.keep("a", &limits, "is too large");
        assert_eq!(refusals.of("a", &limits).as_deref(), Some("is too large"));
        assert_eq!(refusals.of("a", &Limits { memory_mib: 64, ..limits.clone() }), None);
        refusals.only(&HashSet::from(["b".to_owned()]));
        assert_eq!(refusals.of("a", &limits), None);
    }
}
