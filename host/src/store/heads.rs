//! The heads of a queue: the first row of each lane, found by one step through an index for each lane, however many
//! rows stand behind it. (What databases offer for it, `DISTINCT` or `GROUP BY`, reads all of them.)

/// A table of which some rows are open, in lanes, each in the order of an instant. Has an index of its lane's columns,
/// the instant and `id`, of the open rows alone.
pub(super) struct Queue {
    pub table: &'static str,
    /// Which rows are open: the condition of the index, word for word, beginning with a column.
    pub open: &'static str,
    /// The columns that name a lane.
    pub lane: &'static [&'static str],
    /// The column of the instant.
    pub at: &'static str,
}

pub(super) const JOBS: Queue = Queue {
    table: "jobs",
    open: "state IN ('waiting', 'failed')",
    lane: &["shop", "plugin"],
    at: "run_after",
};

pub(super) const MESSAGES: Queue =
    Queue { table: "messages", open: "state IN ('waiting', 'handing')", lane: &["shop"], at: "due_at" };

pub(super) const DELIVERIES: Queue = Queue {
    table: "webhook_deliveries",
    open: "state IN ('waiting', 'sending')",
    lane: &["shop", "endpoint"],
    at: "due_at",
};

pub(super) const HELD: Queue =
    Queue { table: "events", open: "state = 'held'", lane: &["shop"], at: "hold_until" };

impl Queue {
    /// A query that begins by naming its rows `head`: the columns of the lane and the instant, in the order of the
    /// lanes, those behind the one that `$1` (and `$2`) name. Who takes only some of them asks for no more.
    pub(super) fn heads(&self, query: &str) -> String {
        let Self { table, lane, at, .. } = self;
        let columns = |row: &str| {
            let columns = ["id"].iter().chain(*lane).chain([at]).map(|column| format!("{row}.{column}"));
            columns.collect::<Vec<_>>().join(", ")
        };
        let given: Vec<_> = (1..=lane.len()).map(|place| format!("${place}")).collect();
        let last: Vec<_> = lane.iter().map(|column| format!("head.{column}")).collect();
        format!(
            "WITH RECURSIVE head AS ( \
               SELECT {} FROM {table} first WHERE first.id = {} \
               UNION ALL SELECT {} FROM head JOIN {table} next ON next.id = {}) {query}",
            columns("first"),
            self.behind(&given),
            columns("next"),
            self.behind(&last),
        )
    }

    /// The id of the first row behind a lane: in the next lane that shares all columns but the last, else in the next
    /// that shares one less. (SQLite seeks by the first column alone when columns are compared as one.)
    fn behind(&self, lane: &[String]) -> String {
        let Self { table, open, at, .. } = self;
        let steps = lane.iter().enumerate().rev().map(|(shared, value)| {
            let columns = self.lane.iter().zip(lane).take(shared);
            let same: String = columns.map(|(column, value)| format!("n.{column} = {value} AND ")).collect();
            let rest = self.lane.get(shared..).unwrap_or_default();
            let column = rest.first().unwrap_or(&"id");
            let order: String = rest.iter().map(|column| format!("n.{column}, ")).collect();
            format!(
                "(SELECT n.id FROM {table} n WHERE n.{open} AND {same}n.{column} > {value} \
                 ORDER BY {order}n.{at}, n.id LIMIT 1)"
            )
        });
        let steps: Vec<_> = steps.collect();
        match steps.as_slice() {
            [one] => one.clone(),
            steps => format!("COALESCE({})", steps.join(", ")),
        }
    }
}
