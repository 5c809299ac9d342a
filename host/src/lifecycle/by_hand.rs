//! What a person decides about a job.

use super::{IntakeError, Lifecycle};
use crate::domain::scrub::scrub;
use crate::store::Verdict;

/// Characters of a person's reason that are kept.
const REASON: usize = 500;

impl Lifecycle {
    /// A failed or dead job is tried at once, its attempts counted from anew.
    pub async fn retry(&self, shop: &str, job_id: &str) -> Result<Verdict, IntakeError> {
        let verdict = self.store.retry_job(shop, job_id, self.clock.now_ms()).await?;
        if verdict == Verdict::Obeyed {
            tracing::info!(shop, job = job_id, "a job is tried again, because a person said so");
        }
        Ok(verdict)
    }

    /// A job that is not running is never done; the order's next jobs do not wait for it. `by` names who says
    /// so: a key.
    pub async fn drop_job(
        &self,
        shop: &str,
        job_id: &str,
        by: &str,
        reason: Option<&str>,
    ) -> Result<Verdict, IntakeError> {
        let reason = dropped(by, reason);
        let verdict = self.store.drop_job(shop, job_id, &reason, self.clock.now_ms()).await?;
        if verdict == Verdict::Obeyed {
            tracing::info!(shop, job = job_id, by, "a job was dropped, because a person said so");
        }
        Ok(verdict)
    }
}

fn dropped(by: &str, reason: Option<&str>) -> String {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let whole = match reason {
        Some(reason) => format!("dropped with the key `{by}`: {}", scrub(reason)),
        None => format!("dropped with the key `{by}`"),
    };
    whole.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_why_is_kept_and_no_contact_detail() {
        assert_eq!(dropped("backend", None), "dropped with the key `backend`");
        assert_eq!(dropped("backend", Some("  ")), "dropped with the key `backend`");
        assert_eq!(
            dropped("backend", Some("ada@shop.example called")),
            "dropped with the key `backend`: [e-mail] called"
        );
        assert_eq!(dropped("backend", Some(&"x".repeat(9_000))).chars().count(), REASON);
    }
}
