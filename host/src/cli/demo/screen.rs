//! What the demo shows: steps, requests, answers, mails and checks.

use std::io::{Stdout, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::mails::Mail;
use crate::cli::terminal::{Paint, Table, wrapped};

/// Lines of a mail that are shown.
const MAIL_LINES: usize = 7;
const MARGIN: &str = "     ";

/// Standard output, coloured on a terminal and plain in a pipe.
pub(super) struct Screen {
    paint: Paint,
    out: Stdout,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { paint: Paint::for_output(), out: std::io::stdout() }
    }

    pub(super) fn line(&self, text: &str) {
        // Whoever closed the pipe has seen enough; the journey goes on and its ending counts.
        let _ = writeln!(self.out.lock(), "{text}");
    }

    pub(super) fn title(&self, text: &str) {
        self.line(&self.paint.title(text));
    }

    pub(super) fn block(&self, text: &str) {
        self.line("");
        self.line(text);
    }

    pub(super) fn success(&self, text: &str) {
        self.line(&format!("{} {}", self.paint.good("✓"), self.paint.title(text)));
    }

    pub(super) fn trouble(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint.bad("×")));
    }

    /// The beginning of a step, with what the clock shows.
    pub(super) fn step(&self, number: usize, title: &str, clock: &str) {
        let space = 78_usize.saturating_sub(title.chars().count()).saturating_sub(clock.chars().count());
        self.line("");
        self.line(&format!(
            "{} {}{}{}",
            self.paint.name(&format!("{number:>3}.")),
            self.paint.title(title),
            " ".repeat(space.max(2)),
            self.paint.quiet(clock)
        ));
    }

    pub(super) fn request(&self, request: &str, outcome: &str) {
        self.line(&format!("{MARGIN}{}", self.paint.quiet(&format!("{request}  →  {outcome}"))));
    }

    /// Rows of an answer: a label and columns.
    pub(super) fn rows(&self, table: &Table) {
        let text = table.lines(
            MARGIN,
            |column, cell| {
                if column == 0 { self.paint.name(cell) } else { cell.to_owned() }
            },
        );
        if !text.is_empty() {
            self.line(text.trim_end());
        }
    }

    pub(super) fn check(&self, holds: bool, what: &str) {
        let mark = if holds { self.paint.good("✓") } else { self.paint.bad("×") };
        self.line(&format!("{MARGIN}{mark} {what}"));
    }

    pub(super) fn mail(&self, mail: &Mail, file: &str) {
        self.line(&format!("{MARGIN}{} {}", self.paint.doubtful("✉"), self.paint.title(&mail.subject)));
        self.line(&format!("{MARGIN}  {}", self.paint.quiet(&format!("to {}   {file}", mail.to))));
        let text = excerpt(&mail.text, &mail.subject);
        for line in wrapped(&text, &format!("{MARGIN}  │ "), 76).lines() {
            self.line(line);
        }
    }
}

/// The first lines of a mail's text that say something.
fn excerpt(text: &str, subject: &str) -> String {
    let lines: Vec<&str> =
        text.lines().map(heading_or_line).filter(|line| !line.is_empty() && *line != subject).collect();
    let mut shown: Vec<&str> = lines.iter().take(MAIL_LINES).copied().collect();
    if lines.len() > MAIL_LINES {
        shown.push("…");
    }
    shown.join("\n")
}

/// A line without the marks that make it a heading of the plain text.
fn heading_or_line(line: &str) -> &str {
    line.trim().trim_start_matches('#').trim_start()
}

/// `Tue 1 December, 10:20`.
pub(super) fn moment(at_ms: i64, zone: &TimeZone) -> String {
    let instant = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone.clone()).strftime("%a %-d %B, %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_leaves_out_what_says_nothing() {
        assert_eq!(
            excerpt("Hello\n\n  Hello Ania,\n\nIt is on its way.\n", "Hello"),
            "Hello Ania,\nIt is on its way."
        );
        assert!(excerpt(&"line\n".repeat(20), "").ends_with("line\n…"));
    }

    #[test]
    fn a_moment_is_told_by_the_shops_clock() {
        let zone = TimeZone::get("Europe/Warsaw").unwrap();
        let at: Timestamp = "2026-12-01T09:20:00Z".parse().unwrap();
        assert_eq!(moment(at.as_millisecond(), &zone), "Tue 1 December, 10:20");
    }
}
