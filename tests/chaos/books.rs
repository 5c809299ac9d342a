//! What must be there in the end: a pure function of the accepted events, which knows nothing of the host's code. The
//! rules are the contract's: an order's events are worked on in the order in which they came; one that comes before
//! its order or shipment waits for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::life::{Fact, Kind};

/// All that is kept: a line says what, and how often (a counter: how much).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    pub lines: BTreeMap<String, i64>,
    /// Order → marks, in order.
    pub logs: BTreeMap<String, Vec<String>>,
}

impl Books {
    pub fn add(&mut self, line: String, amount: i64) {
        *self.lines.entry(line).or_default() += amount;
    }
}

/// How two books differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    pub lost: i64,
    pub duplicated: i64,
    pub out_of_order: i64,
    /// In words.
    pub words: Vec<String>,
}

/// `accepted`: in the order of the answers, which for the events of one order is the order of sending.
pub fn expected(accepted: &[Fact]) -> Books {
    let mut books = Books::default();
    let mut orders: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in accepted {
        books.add(format!("event {}", fact.id()), 1);
        orders.entry(&fact.order).or_default().push(fact);
    }
    for (order, facts) in orders {
        one_order(&mut books, order, &worked_on(&facts));
    }
    books
}

/// In the order of work; what waits for ever is left out.
fn worked_on<'a>(came: &[&'a Fact]) -> Vec<&'a Fact> {
    let (mut worked, mut held): (Vec<&Fact>, Vec<&Fact>) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    let mut ready = |fact: &Fact| {
        let placed = fact.kind == Kind::Placed || known.contains("");
        let shipped = !matches!(fact.kind, Kind::Updated | Kind::Delivered) || known.contains(&fact.shipment);
        if placed && shipped && matches!(fact.kind, Kind::Placed | Kind::Shipped) {
            known.insert(fact.shipment.clone());
        }
        placed && shipped
    };
    for fact in came {
        if !ready(fact) {
            held.push(fact);
            continue;
        }
        worked.push(fact);
        if !matches!(fact.kind, Kind::Placed | Kind::Shipped) {
            continue;
        }
        loop {
            let (now, later): (Vec<_>, Vec<_>) = held.drain(..).partition(|fact| ready(fact));
            held = later;
            if now.is_empty() {
                break;
            }
            worked.extend(now);
        }
    }
    worked
}

fn one_order(books: &mut Books, order: &str, facts: &[&Fact]) {
    let (mut total, mut refunded, mut cancelled) = (0, 0, false);
    let (mut points, mut revision) = (0, 0);
    let mut timers = 0;
    let mut far = false;
    for fact in facts {
        books.add(format!("counter {}", fact.kind.name()), 1);
        books.add(format!("seen by {}", fact.customer), 1);
        match fact.kind {
            Kind::Placed => {
                total = fact.amount;
                far = true;
                // The second plugin's two ways of counting.
                books.add("counter added".to_owned(), 1);
                books.add("counter put".to_owned(), 1);
                fires(books, order, "ping");
                timers += 1;
            }
            Kind::Delivered => {
                far = false;
                books.add(format!("coupon {}", fact.id()), 1);
                fires(books, order, &format!("check:{}", fact.shipment));
                timers += 1;
            }
            Kind::Cancelled => (cancelled, far) = (true, false),
            Kind::Returned => refunded += fact.amount,
            Kind::Shipped | Kind::Updated => {}
        }
        if matches!(fact.kind, Kind::Placed | Kind::Delivered | Kind::Returned) {
            told(books, &fact.id());
        }
        if matches!(fact.kind, Kind::Placed | Kind::Cancelled | Kind::Returned) {
            let now = if cancelled { 0 } else { (total - refunded).max(0) / 100 };
            if now != points {
                revision += 1;
                books.add(format!("points {order} {revision}: {now}"), 1);
                points = now;
            }
        }
    }
    let placed = facts.iter().any(|fact| fact.kind == Kind::Placed);
    if placed {
        let state = if cancelled { "dropped" } else { "waiting" };
        books.add(format!("message {order}/far {state}"), 1);
    }
    if far {
        books.add(format!("timer {order}/far"), 1);
    }
    if let Some(last) = facts.last() {
        books.add(format!("label {order}: {}", last.mark), 1);
        let sequence = facts.len() + timers;
        books.add(format!("sequence {order}"), i64::try_from(sequence).unwrap_or_default());
    }
    books.logs.insert(order.to_owned(), facts.iter().map(|fact| fact.mark.clone()).collect());
}

fn fires(books: &mut Books, order: &str, timer: &str) {
    books.add(format!("fired {order}/{timer}"), 1);
    told(books, &format!("{order}/{timer}"));
}

fn told(books: &mut Books, mark: &str) {
    books.add(format!("message {mark} sent"), 1);
    books.add(format!("mail {mark}"), 1);
}

/// What is missing in `found`, and what is too much.
pub fn compare(expected: &Books, found: &Books) -> Difference {
    let mut difference = Difference::default();
    let lines: BTreeSet<&String> = expected.lines.keys().chain(found.lines.keys()).collect();
    for line in lines {
        let want = expected.lines.get(line).copied().unwrap_or_default();
        let have = found.lines.get(line).copied().unwrap_or_default();
        difference.count(line, want, have);
    }
    let orders: BTreeSet<&String> = expected.logs.keys().chain(found.logs.keys()).collect();
    for order in orders {
        let want = expected.logs.get(order).map(Vec::as_slice).unwrap_or_default();
        let have = found.logs.get(order).map(Vec::as_slice).unwrap_or_default();
        difference.log(order, want, have);
    }
    difference
}

impl Difference {
    fn count(&mut self, line: &str, want: i64, have: i64) {
        if have < want {
            self.lost += want - have;
            self.words.push(format!("lost: {line}: {have} instead of {want}"));
        } else if have > want {
            self.duplicated += have - want;
            self.words.push(format!("too much: {line}: {have} instead of {want}"));
        }
    }

    fn log(&mut self, order: &str, want: &[String], have: &[String]) {
        let marks: BTreeSet<&String> = want.iter().chain(have).collect();
        let before = (self.lost, self.duplicated);
        for mark in marks {
            let times = |log: &[String]| i64::try_from(log.iter().filter(|entry| *entry == mark).count());
            let (want, have) = (times(want).unwrap_or_default(), times(have).unwrap_or_default());
            self.count(&format!("in the log of {order}: {mark}"), want, have);
        }
        if before == (self.lost, self.duplicated) && want != have {
            self.out_of_order += 1;
            self.words.push(format!(
                "out of order: {order}: {} instead of {}",
                have.join(" "),
                want.join(" ")
            ));
        }
    }
}
