//! The jobs that this host has in hand: leased anew while they run, however long a call or a commit takes, and given
//! back when they are cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Lifecycle;
use crate::store::{Claimed, Result};

/// Job and token.
type Key = (String, i64);

/// Jobs in hand, and until when they are leased.
#[derive(Default)]
pub(super) struct Leases(Mutex<BTreeMap<Key, (Claimed, i64)>>);

/// A job in hand; it is not any more when this is dropped.
pub(super) struct InHand {
    leases: Arc<Leases>,
    key: Key,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.leases.jobs().remove(&self.key);
    }
}

impl Leases {
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<Key, (Claimed, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(self: &Arc<Self>, job: &Claimed, until: i64) -> InHand {
        let key = (job.id.clone(), job.lease_token);
        self.jobs().insert(key.clone(), (job.clone(), until));
        InHand { leases: Arc::clone(self), key }
    }

    /// Those whose lease ends by then.
    fn ending(&self, by: i64) -> Vec<Claimed> {
        self.jobs().values().filter(|(_, until)| *until <= by).map(|(job, _)| job.clone()).collect()
    }

    /// Those whose lease ends after then.
    fn beyond(&self, then: i64) -> Vec<Claimed> {
        self.jobs().values().filter(|(_, until)| *until > then).map(|(job, _)| job.clone()).collect()
    }

    fn renewed(&self, ids: &[String], until: i64) {
        for (job, lease) in self.jobs().values_mut() {
            if ids.contains(&job.id) {
                *lease = until;
            }
        }
    }
}

/// How long a job that is begun now belongs to its host, ms.
pub(super) fn lease_ms(seconds: u32) -> i64 {
    i64::from(seconds.max(1)).saturating_mul(1_000)
}

/// Leases are looked at so often: several times before one that was renewed could end.
pub(super) fn beat(lease_ms: i64) -> Duration {
    Duration::from_millis((lease_ms / 6).clamp(50, 1_000).unsigned_abs())
}

impl Lifecycle {
    /// Jobs in hand whose lease is a third over belong to this host for another whole one. What has been another's
    /// since then stays so: the attempt finds that at its commit.
    pub(super) async fn renew_leases(&self) {
        let lease = lease_ms(self.plugins.current().host.limits.lease_seconds);
        let now_ms = self.clock.now_ms();
        let mut ending = self.desk.leases.ending(now_ms.saturating_add(lease / 3 * 2));
        // What ends later than a whole lease was leased by a clock that was set back since.
        ending.extend(self.desk.leases.beyond(now_ms.saturating_add(lease)));
        if ending.is_empty() {
            return;
        }
        let until = now_ms.saturating_add(lease);
        match self.store.renew(ending, until).await {
            Ok(ids) => self.desk.leases.renewed(&ids, until),
            // A database in trouble is told of once, by the store.
            Err(error) if error.is_trouble() => {}
            Err(error) => {
                tracing::warn!(%error, "leases of jobs in hand could not be renewed; it is tried again");
            }
        }
    }

    /// Jobs in hand.
    #[must_use]
    pub fn in_hand(&self) -> Vec<Claimed> {
        self.desk.leases.ending(i64::MAX)
    }

    /// Jobs that were cut: free at once for whoever is there, and no attempt is charged. What was committed after
    /// all stays done.
    pub async fn let_go(&self, jobs: &[Claimed]) -> Result<()> {
        for job in jobs {
            self.store.give_back(job, job.created_at).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_looked_at_often_enough_to_be_renewed_in_time() {
        for seconds in [2, 3, 10, 30, 3_600] {
            let lease = lease_ms(seconds);
            let beat = i64::try_from(beat(lease).as_millis()).unwrap();
            // Renewed at the first beat after a third: even one that is missed leaves time.
            assert!(lease / 3 + 2 * beat < lease, "{seconds}");
        }
    }
}
