//! The store and the worker under a simulated scheduler and clock: the real code on a real database, but who goes on
//! at each point (before each statement, after each commit, around each call of a plugin, each hand-over of a mail
//! and each report), when the clock moves, and where the process ends, is decided here.

mod outside;
mod world;

use crate::store::testing;
use world::{Breaks, Decider, End, World};

/// Repeats one seed and prints its schedule.
const SEED: &str = "CARTWRIGHT_SIMULATION_SEED";
/// How many seeds, for a long run.
const SEEDS: &str = "CARTWRIGHT_SIMULATION_SEEDS";

/// A broken rule is found by then.
const SOON: u64 = 40;

fn seeded(seed: u64, breaks: &Breaks) -> End {
    World::new(Decider::seeded(seed), breaks.clone()).run()
}

fn in_order(end_at: Option<usize>) -> World {
    World::new(Decider::InOrder { end_at }, Breaks::new())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn assert_right(end: &End, how: &str) {
    assert!(
        end.faults.is_empty(),
        "{how}:\n{}\nThe schedule so far:\n{}",
        end.faults.join("\n"),
        end.schedule.join("\n")
    );
}

#[test]
fn sqlite_at_whatever_point_the_process_ends_nothing_is_lost_and_nothing_is_twice() {
    let (whole, moments) = in_order(None).run_and_remember();
    assert_right(&whole, "nothing ends");
    assert!(whole.decisions > 200, "{}", whole.decisions);
    if testing::is_shared() {
        // The files are not ours to copy: the whole way again, and not from each point.
        for decision in (1..whole.decisions).step_by(20) {
            assert_right(&in_order(Some(decision)).run(), &format!("a process ended at decision {decision}"));
        }
        return;
    }
    println!("{} points, which leave {} different things", whole.decisions, moments.len());
    assert!(moments.len() > 20, "{}", moments.len());
    for moment in moments {
        let decision = moment.decision;
        assert_right(&World::after(moment).run(), &format!("the process ended at decision {decision}"));
    }
}

#[test]
fn sqlite_of_many_schedules_none_loses_an_event_or_does_one_twice() {
    if let Some(seed) = number(SEED) {
        let end = seeded(seed, &Breaks::new());
        println!("{}", end.schedule.join("\n"));
        return assert_right(&end, &format!("{SEED}={seed}"));
    }
    let seeds = number(SEEDS).unwrap_or(if testing::is_shared() { 10 } else { 30 });
    let mut ends = 0;
    for seed in 0..seeds {
        let end = seeded(seed, &Breaks::new());
        assert_right(&end, &format!("{SEED}={seed} repeats this"));
        ends += end.ends as u64;
    }
    assert!(ends > seeds / 2, "too few processes ended: {ends}");
}

/// On PostgreSQL the server has a part in it.
#[test]
fn sqlite_the_same_seed_makes_the_same_schedule() {
    if testing::is_shared() {
        return;
    }
    let [one, other] = [7, 7].map(|seed| seeded(seed, &Breaks::new()).schedule);
    for (place, (one, other)) in one.iter().zip(&other).enumerate() {
        assert_eq!(one, other, "line {place}");
    }
    assert_eq!(one.len(), other.len());
    assert_ne!(one, seeded(8, &Breaks::new()).schedule);
}

/// Rules broken where their statements pass: what is found then proves that it is looked for.
#[test]
fn sqlite_a_broken_rule_is_found() {
    if testing::is_shared() {
        return;
    }
    let fence = (
        "UPDATE jobs SET state = 'done', lease_until = 0, updated_at = $3 WHERE id = $1 AND lease_token = $2",
        "UPDATE installation_keys SET name = name WHERE name = 'guest' AND $1 <> '' AND $2 > 0 AND $3 > 0",
    );
    let effects = ("INSERT INTO effects", "INSERT OR IGNORE INTO effects");
    let broken: [(&str, Breaks, &str); 5] = [
        // Either of the two alone holds: a job that is done has no row any more.
        ("no fence, and effects without their key", vec![fence, effects], "calls counted"),
        ("no order", vec![("elder.seq < j.seq", "elder.seq < 0")], "came before"),
        ("no version", vec![("version = excluded.version", "version = state.version")], "weights summed up"),
        (
            "no name",
            vec![(
                "INSERT INTO intake_keys (shop, source, id, fingerprint, event_id, at) VALUES ($1, $2, $3,",
                "INSERT INTO intake_keys (shop, source, id, fingerprint, event_id, at) VALUES ($1, $2, \
                 $3 || hex(randomblob(8)),",
            )],
            "accepted as two events",
        ),
        (
            "no release",
            vec![("state = 'held' ORDER BY received_at", "state = 'none' ORDER BY received_at")],
            "was called late",
        ),
    ];
    for (rule, breaks, says) in broken {
        let found = (0..SOON).find_map(|seed| {
            let end = seeded(seed, &breaks);
            assert!(end.broken > 0, "{rule}: no statement was broken");
            (end.faults.iter().any(|fault| fault.contains(says))).then_some((seed, end.faults))
        });
        let (seed, faults) = found.unwrap_or_else(|| panic!("{rule}: not found"));
        println!("{rule}: found by seed {seed}: {}", faults.join("; "));
    }
}
