//! The oracle can fail: of each fault that is put into the host on purpose (host/src/sabotage.rs) a small run reports
//! what it must, and of none without. Run by `tests/chaos/run`, which builds it with the feature `sabotage`.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Another seed each time, and fewer kills than would be needed to be sure: it may take some.
const RUNS: u64 = 5;

/// What a small run reports, and whether it found a fault.
fn chaos(sabotage: &str, arguments: &[&str], seed: u64) -> (Value, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_chaos"))
        .args(arguments)
        .args(["--seed", &seed.to_string()])
        .env("CARTWRIGHT_SABOTAGE", sabotage)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{sabotage}: {code:?}: {said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    eprintln!("{sabotage}: {report}");
    // What is told is told in words, and with the way to see it again.
    assert_eq!(said.contains("To repeat it: cargo chaos"), code == Some(1), "{said}");
    (report, code == Some(1))
}

const SQLITE: &[&str] = &["--database", "sqlite", "--events", "150", "--kills", "6"];
const POSTGRES: &[&str] = &["--database", "postgres", "--hosts", "2", "--events", "150", "--kills", "8"];

#[track_caller]
fn finds(sabotage: &str, arguments: &[&str], kinds: &[&str]) {
    for seed in 1..=RUNS {
        let (report, found) = chaos(sabotage, arguments, seed);
        if found && kinds.iter().any(|kind| report[kind].as_i64().is_some_and(|count| count > 0)) {
            return;
        }
    }
    panic!("{sabotage}: {RUNS} runs found no {kinds:?}");
}

#[test]
fn without_a_sabotage_there_is_nothing_to_find() {
    let (report, found) = chaos("", SQLITE, 1);
    assert!(!found, "{report}");
    assert_eq!(report["accepted"], 150);
    assert!(report["kills_mid_work"].as_i64().unwrap() > 0, "{report}");
}

#[test]
fn without_names_the_same_event_twice_is_found() {
    finds("no-dedup", SQLITE, &["effects_duplicated"]);
}

#[test]
fn effects_that_are_there_before_their_job_is_done_are_found() {
    finds("effects-before-commit", SQLITE, &["effects_duplicated"]);
}

#[test]
fn an_answer_before_the_commit_is_found() {
    finds("ack-before-commit", SQLITE, &["lost"]);
}

#[test]
fn a_commit_that_compares_nothing_is_found() {
    finds("no-compare", SQLITE, &["lost"]);
}

#[test]
fn a_commit_under_an_older_lease_is_found() {
    finds("no-fence", POSTGRES, &["effects_duplicated"]);
}
