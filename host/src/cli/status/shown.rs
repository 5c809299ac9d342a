//! A survey of a database as a person reads it on a terminal.

use crate::cli::terminal::{Paint, Table};
use crate::domain::instant::to_rfc3339;
use crate::domain::plain::harmless;
use crate::store::{Backlog, HostState, HostView, LeaseFigures, QueuedJobs, Survey};

/// Characters of a name.
const LONGEST: usize = 60;

pub(super) fn survey(survey: &Survey, paint: Paint) -> String {
    let mut text = format!("{}\n\n", paint.title(&harmless(&survey.database, 400)));
    text.push_str(&hosts(survey, paint));
    let mut work = Table::default();
    work.row(["jobs", &jobs(&survey.jobs)]);
    work.row(["leases", &leases(&survey.leases, survey.at)]);
    work.row(["messages", &backlog(&survey.messages, "due", "nothing is due")]);
    work.row(["events", &backlog(&survey.events_held, "held until their elders come", "none is held")]);
    text.push_str(&format!("\n{}\n", paint.title("Work")));
    text.push_str(
        &work.lines("  ", |column, cell| if column == 0 { paint.quiet(cell) } else { cell.to_owned() }),
    );
    if !survey.without_host.is_empty() {
        let mut table = Table::default();
        for job in &survey.without_host {
            table.row([
                &harmless(&job.shop, LONGEST),
                &harmless(&job.plugin, LONGEST),
                &format!("{} open, the oldest for {}", job.jobs, time(job.lag_ms)),
            ]);
        }
        text.push_str(&format!(
            "\n{}\n",
            paint.doubtful("These jobs wait: no running host has their plugin live")
        ));
        text.push_str(&table.lines("  ", |_, cell| cell.to_owned()));
    }
    text
}

const TITLES: [&str; 8] = ["HOST", "STATE", "VERSION", "SINCE", "SEEN", "JOBS", "MESSAGES", "ADDRESS"];

fn hosts(survey: &Survey, paint: Paint) -> String {
    if survey.hosts.iter().all(|host| matches!(host.state, HostState::Stopped | HostState::Gone)) {
        let none = paint.bad("No host runs: what is open waits until one does.");
        return if survey.hosts.is_empty() {
            format!("{none}\n")
        } else {
            format!("{none}\n\n{}", table(survey, paint))
        };
    }
    table(survey, paint)
}

fn table(survey: &Survey, paint: Paint) -> String {
    let mut table = Table::default();
    table.row(TITLES);
    for host in &survey.hosts {
        let HostView { name, state, version, started_at, seen_at, jobs, messages, address, pid, .. } = host;
        table.cells(vec![
            harmless(name, LONGEST),
            state.name().to_owned(),
            harmless(version, LONGEST),
            to_rfc3339(started_at / 1_000 * 1_000),
            format!("{} ago", time(survey.at.saturating_sub(*seen_at))),
            jobs.to_string(),
            messages.to_string(),
            format!("{} (process {pid})", harmless(address, LONGEST)),
        ]);
    }
    table.lines("", |column, cell| match (column, cell) {
        (_, title) if TITLES.contains(&title) => paint.title(cell),
        (0, name) => paint.name(name),
        (1, "running") => paint.good(cell),
        (1, "stopping") => paint.doubtful(cell),
        (1, "gone") => paint.bad(cell),
        _ => cell.to_owned(),
    })
}

fn jobs(jobs: &QueuedJobs) -> String {
    let mut text = if jobs.open == 0 { "nothing is open".to_owned() } else { format!("{} open", jobs.open) };
    if jobs.due > 0 {
        text.push_str(&format!(", {} due, the oldest for {}", jobs.due, time(jobs.lag_ms)));
    }
    if jobs.dead > 0 {
        text.push_str(&format!("; {} dead (`cartwright jobs list --state dead`)", jobs.dead));
    }
    text
}

fn leases(leases: &LeaseFigures, now_ms: i64) -> String {
    let mut text = if leases.held == 0 { "none".to_owned() } else { leases.held.to_string() };
    if let Some(end) = leases.next_end {
        text.push_str(&format!(
            ", the next ends in {} unless it is renewed",
            time(end.saturating_sub(now_ms))
        ));
    }
    if leases.over > 0 {
        text.push_str(&format!(", {} over: another host takes them", leases.over));
    }
    text
}

fn backlog(backlog: &Backlog, what: &str, none: &str) -> String {
    if backlog.count == 0 {
        return none.to_owned();
    }
    format!("{} {what}, the oldest for {}", backlog.count, time(backlog.lag_ms))
}

/// In the largest unit that says enough.
fn time(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LivePlugins, WithoutHost};

    const NOW: i64 = 1_795_000_000_000;

    fn host(name: &str, state: HostState, seen_ms: i64) -> HostView {
        HostView {
            id: "host_1".to_owned(),
            name: name.to_owned(),
            pid: 7,
            address: "127.0.0.1:8080".to_owned(),
            version: "0.1.0".to_owned(),
            contract: "0.1".to_owned(),
            state,
            generation: 1,
            plugins: LivePlugins::new(),
            started_at: NOW - 60_000,
            seen_at: NOW - seen_ms,
            jobs: 3,
            messages: 0,
        }
    }

    fn a_survey(hosts: Vec<HostView>) -> Survey {
        Survey {
            database: "SQLite data/cartwright.db".to_owned(),
            at: NOW,
            hosts,
            jobs: QueuedJobs { open: 9, due: 4, lag_ms: 130_000, dead: 1 },
            messages: Backlog::default(),
            events_held: Backlog { count: 1, lag_ms: 8_000 },
            leases: LeaseFigures { held: 3, over: 1, next_end: Some(NOW + 21_500) },
            without_host: Vec::new(),
        }
    }

    #[test]
    fn a_survey_lines_up() {
        let hosts = vec![
            host("front-1", HostState::Running, 2_000),
            host("front-\u{1b}[2J", HostState::Gone, 3_600_000),
        ];
        let mut survey = a_survey(hosts);
        survey.without_host.push(WithoutHost {
            shop: "demo".to_owned(),
            plugin: "counter".to_owned(),
            jobs: 2,
            lag_ms: 5_000,
        });
        let shown = super::survey(&survey, Paint::plain());
        assert!(!shown.contains('\u{1b}'), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "SQLite data/cartwright.db");
        assert!(lines[2].starts_with("HOST"), "{shown}");
        assert!(lines[3].contains("running  0.1.0    2026-11-18T11:05:40Z  2 s ago     3"), "{shown}");
        assert!(lines[4].contains("gone     0.1.0    2026-11-18T11:05:40Z  60 min ago"), "{shown}");
        for expected in [
            "  jobs      9 open, 4 due, the oldest for 2 min; 1 dead (`cartwright jobs list --state dead`)",
            "  leases    3, the next ends in 21 s unless it is renewed, 1 over: another host takes them",
            "  messages  nothing is due",
            "  events    1 held until their elders come, the oldest for 8 s",
            "  demo  counter  2 open, the oldest for 5 s",
        ] {
            assert!(lines.contains(&expected), "no `{expected}` in: {shown}");
        }
    }

    #[test]
    fn that_no_host_runs_is_said_first() {
        let shown = super::survey(&a_survey(vec![host("a", HostState::Stopped, 1)]), Paint::plain());
        assert!(shown.contains("No host runs") && shown.contains("stopped"), "{shown}");
        assert!(super::survey(&a_survey(Vec::new()), Paint::plain()).contains("No host runs"));
    }
}
