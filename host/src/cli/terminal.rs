//! How commands look: colours on a terminal, none in a pipe or with `NO_COLOR`; aligned columns.

use std::io::IsTerminal;

use owo_colors::OwoColorize as _;

/// Paints, or leaves plain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn for_output() -> Self {
        Self::for_stream(&std::io::stdout())
    }

    pub(super) fn for_errors() -> Self {
        Self::for_stream(&std::io::stderr())
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { on: false }
    }

    /// <https://no-color.org>: set and not empty means no colours.
    fn for_stream(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { on: stream.is_terminal() && !unwanted }
    }

    pub(super) fn colours(self) -> bool {
        self.on
    }

    pub(super) fn title(self, text: &str) -> String {
        if self.on { text.bold().to_string() } else { text.to_owned() }
    }

    pub(super) fn quiet(self, text: &str) -> String {
        if self.on { text.dimmed().to_string() } else { text.to_owned() }
    }

    pub(super) fn good(self, text: &str) -> String {
        if self.on { text.green().to_string() } else { text.to_owned() }
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        if self.on { text.yellow().to_string() } else { text.to_owned() }
    }

    pub(super) fn bad(self, text: &str) -> String {
        if self.on { text.red().bold().to_string() } else { text.to_owned() }
    }

    pub(super) fn name(self, text: &str) -> String {
        if self.on { text.cyan().to_string() } else { text.to_owned() }
    }
}

/// Columns that line up; the last one is as long as it is.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Rows may be of different lengths: a row's last cell claims no column for itself.
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(str::to_owned).to_vec());
    }

    pub(super) fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Lines of cells, each beginning with `margin`; `paint` colours a padded cell by its column.
    pub(super) fn lines(&self, margin: &str, paint: impl Fn(usize, &str) -> String) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate().take(row.len().saturating_sub(1)) {
                match widths.get_mut(column) {
                    Some(widest) => *widest = width(cell).max(*widest),
                    None => widths.push(width(cell)),
                }
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = margin.to_owned();
            for (column, cell) in row.iter().enumerate() {
                let last = column.saturating_add(1) == row.len();
                line.push_str(&paint(column, cell));
                if !last {
                    let padding = widths.get(column).copied().unwrap_or(0).saturating_sub(width(cell));
                    line.push_str(&" ".repeat(padding.saturating_add(2)));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// `1 key`, `2 keys`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Columns that a text takes; good enough for the languages that commands speak.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Breaks a text into lines of at most `columns`, each beginning with `margin`.
pub(super) fn wrapped(text: &str, margin: &str, columns: usize) -> String {
    let mut result = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && width(&line).saturating_add(width(word)).saturating_add(1) > columns {
                result.push_str(&format!("{margin}{line}\n"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        result.push_str(format!("{margin}{line}").trim_end());
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_letters() {
        let mut table = Table::default();
        table.row(["Paczkomat", "9,99 zł", "wtorek"]);
        table.row(["Żółw", "0 zł", "piątek"]);
        assert_eq!(
            table.lines("  ", |_, cell| cell.to_owned()),
            "  Paczkomat  9,99 zł  wtorek\n  Żółw       0 zł     piątek\n"
        );
    }

    #[test]
    fn a_long_last_cell_pushes_no_column_away() {
        let mut table = Table::default();
        table.row(["Delivery", "Locker", "9.99"]);
        table.row(["Notices", "Something that is said at length"]);
        assert_eq!(
            table.lines("", |_, cell| cell.to_owned()),
            "Delivery  Locker  9.99\nNotices   Something that is said at length\n"
        );
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three\n\nfour", "> ", 8), "> one two\n> three\n>\n> four\n");
    }
}
