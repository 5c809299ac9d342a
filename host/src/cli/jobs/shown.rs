//! Jobs as a person reads them on a terminal.

use crate::cli::terminal::{Paint, Table, counted, wrapped};
use crate::domain::instant::to_rfc3339;
use crate::store::{JobDetails, JobState, JobView};

const COLUMNS: usize = 96;

/// A line for each job.
pub(super) fn table(jobs: &[JobView], more: bool, state: Option<JobState>, paint: Paint) -> String {
    if jobs.is_empty() {
        return match state {
            Some(state) => format!("No job is {}.", state.name()),
            None => "Nothing is open.".to_owned(),
        };
    }
    let mut table = Table::default();
    table.row(["JOB", "STATE", "PLUGIN", "HOOK", "ORDER", "FAILED", "NEXT TRY", "CAUSE"]);
    for job in jobs {
        table.cells(vec![
            job.id.clone(),
            job.state.clone(),
            plain(&job.plugin),
            job.hook.clone(),
            job.order_id.as_deref().map_or_else(|| "-".to_owned(), plain),
            job.attempts.to_string(),
            job.next_try_at.map_or_else(|| "-".to_owned(), to_rfc3339),
            job.fault.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    let mut text = table.lines("", |column, cell| painted(column, cell, paint));
    if more {
        text.push_str(&paint.quiet(&format!(
            "The newest {}; there are more: --limit shows them.",
            counted(jobs.len(), "job")
        )));
    }
    text
}

fn painted(column: usize, cell: &str, paint: Paint) -> String {
    match (column, cell) {
        (_, "JOB" | "STATE" | "PLUGIN" | "HOOK" | "ORDER" | "FAILED" | "NEXT TRY" | "CAUSE") => {
            paint.title(cell)
        }
        (1, state) => coloured(state, paint),
        (0, id) => paint.name(id),
        _ => cell.to_owned(),
    }
}

fn coloured(state: &str, paint: Paint) -> String {
    match JobState::from_name(state) {
        Some(JobState::Dead) => paint.bad(state),
        Some(JobState::Failed) => paint.doubtful(state),
        Some(JobState::Done) => paint.good(state),
        _ => state.to_owned(),
    }
}

/// All that is known of one.
pub(super) fn job(details: &JobDetails, paint: Paint) -> String {
    let JobDetails { job, failures } = details;
    let mut facts = Table::default();
    facts.row(["state", &job.state]);
    facts.row(["plugin", &plain(&job.plugin)]);
    facts.row(["hook", &job.hook]);
    facts.row(["event", &job.event_id]);
    if let Some(order) = &job.order_id {
        facts.row(["order", &plain(order)]);
    }
    facts.row(["made", &to_rfc3339(job.created_at)]);
    if let Some(at) = job.next_try_at {
        facts.row(["next try", &to_rfc3339(at)]);
    }
    if let Some(at) = job.finished_at {
        facts.row(["finished", &to_rfc3339(at)]);
    }
    let mut text = format!("{}\n", paint.title(&job.id));
    text.push_str(&facts.lines("  ", |column, cell| match column {
        0 => paint.quiet(cell),
        _ => coloured(cell, paint),
    }));
    if let Some(reason) = &job.reason {
        text.push_str(&format!("\n{}", wrapped(&plain(reason), "  ", COLUMNS)));
    }
    if failures.is_empty() {
        return text;
    }
    let mut attempts = Table::default();
    for attempt in failures {
        attempts.cells(vec![
            attempt.number.to_string(),
            to_rfc3339(attempt.at),
            attempt.kind.clone(),
            format!("{} ms", attempt.took_ms),
            plain(&attempt.fault),
        ]);
    }
    text.push_str(&format!("\n{}\n", paint.title("Failed attempts")));
    text.push_str(&attempts.lines("  ", |_, cell| cell.to_owned()));
    text
}

/// A plugin's words must not steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Attempt;

    fn a_job() -> JobView {
        JobView {
            id: "job_1".to_owned(),
            plugin: "loyalty-messages".to_owned(),
            hook: "order-placed".to_owned(),
            event_id: "evt_1".to_owned(),
            order_id: Some("1001".to_owned()),
            state: "failed".to_owned(),
            attempts: 2,
            fault: Some("no tiers\u{1b}[2J".to_owned()),
            reason: None,
            created_at: 1_795_000_000_000,
            next_try_at: Some(1_795_000_040_000),
            finished_at: None,
        }
    }

    #[test]
    fn a_table_lines_up_and_no_plugin_steers_the_terminal() {
        let text = table(&[a_job()], true, None, Paint::plain());
        assert_eq!(
            text,
            "JOB    STATE   PLUGIN            HOOK          ORDER  FAILED  NEXT TRY              CAUSE\n\
             job_1  failed  loyalty-messages  order-placed  1001   2       2026-11-18T11:07:20Z  no tiers [2J\n\
             The newest 1 job; there are more: --limit shows them."
        );
        assert_eq!(table(&[], false, Some(JobState::Dead), Paint::plain()), "No job is dead.");
        assert_eq!(table(&[], false, None, Paint::plain()), "Nothing is open.");
    }

    #[test]
    fn one_job_is_told_with_its_attempts() {
        let failure = Attempt {
            number: 1,
            kind: "err".to_owned(),
            fault: "no tiers".to_owned(),
            at: 1_795_000_000_000,
            took_ms: 12,
        };
        let details = JobDetails {
            job: JobView { state: "dead".to_owned(), reason: Some("It failed.".to_owned()), ..a_job() },
            failures: vec![failure],
        };
        let text = job(&details, Paint::plain());
        for expected in
            ["job_1\n", "  state     dead\n", "  order     1001\n", "  It failed.\n", "Failed attempts"]
        {
            assert!(text.contains(expected), "no `{expected}` in: {text}");
        }
        assert!(text.contains("  1  2026-11-18T11:06:40Z  err  12 ms  no tiers\n"), "{text}");
    }
}
