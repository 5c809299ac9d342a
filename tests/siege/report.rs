//! What a person reads, and `target/siege.json`.

use harness::project;
use serde_json::{Map, Value, json};

use crate::round::Siege;

pub fn begin(capacity: f64, rate: f64, rounds: u32, requests: u32) {
    println!(
        "A host answers {capacity:.0} checkouts a second here; the calm shop asks {rate:.0} a second: \
         {rounds} rounds of {requests} checkouts beside each plugin and {requests} alone; p99 of the median round.\n"
    );
    println!(
        "{:<34} {:>9} {:>9} {:>6}  {:>15}  outcome",
        "plugin", "alone p99", "beside", "ratio", "memory MiB"
    );
}

pub fn line(siege: &Siege) {
    let mark = if siege.contained() { "✓" } else { "×" };
    println!(
        "{mark} {:<32} {:>6.1} ms {:>6.1} ms {:>6.2}  {:>6.0} → {:>6.0}  {}",
        siege.name,
        siege.calm.p99().as_secs_f64() * 1_000.0,
        siege.disturbed.p99().as_secs_f64() * 1_000.0,
        siege.ratio(),
        siege.memory_before_kib as f64 / 1_024.0,
        siege.memory_after_kib as f64 / 1_024.0,
        outcome(siege)
    );
    for why in faults(siege) {
        println!("    {why}");
    }
    for (side, measured) in [("alone", &siege.calm), ("beside it", &siege.disturbed)] {
        if let Some(instead) = &measured.instead {
            let late: usize = measured.late.iter().sum();
            let rounds = measured.late.iter().filter(|late| **late > 0).count();
            println!(
                "    the calm shop's checkouts {side}: {} wrong; {late} put off or without what was late, in {rounds} of \
                 {} rounds; one was {instead}",
                measured.wrong, siege.rounds
            );
        }
    }
}

pub fn end(results: &[Siege]) {
    let contained = results.iter().filter(|siege| siege.contained()).count();
    println!("\n{contained} of {} are contained; the report is in target/siege.json.", results.len());
}

/// Why it is not contained.
fn faults(siege: &Siege) -> Vec<String> {
    let mut faults = Vec::new();
    if !siege.alive {
        faults.push("the host is gone".to_owned());
    }
    if !siege.is_whole() {
        faults.push("the calm shop's checkouts were not answered as they should be".to_owned());
    }
    if !siege.as_expected() {
        faults.push(format!("`{}` was expected", siege.expected.name()));
    }
    if siege.alive && !siege.gave_back() {
        faults.push("the host keeps memory".to_owned());
    }
    faults
}

/// How its calls ended, and what the host says of it.
fn outcome(siege: &Siege) -> String {
    if siege.refused {
        return format!("refused: {}", siege.sentence);
    }
    let ends: Vec<String> = siege.ends.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    let let_in = format!("{} of {} requests let in", siege.admitted, siege.pressure);
    format!("{} ({let_in}): {}", ends.join(", "), siege.sentence)
}

pub fn write(results: &[Siege]) -> anyhow::Result<()> {
    let report: Map<String, Value> = results
        .iter()
        .map(|siege| {
            let entry = json!({
                "contained": siege.contained(),
                "outcome": outcome(siege),
                "p99_ratio": siege.ratio(),
                "p99_alone_ms": siege.calm.p99().as_secs_f64() * 1_000.0,
                "p99_beside_ms": siege.disturbed.p99().as_secs_f64() * 1_000.0,
                "checkouts": siege.disturbed.answers,
                "late_alone": siege.calm.late,
                "late_beside": siege.disturbed.late,
                "rounds": siege.rounds,
                "memory_before_kib": siege.memory_before_kib,
                "memory_after_kib": siege.memory_after_kib,
            });
            (siege.name.clone(), entry)
        })
        .collect();
    let text = serde_json::to_string_pretty(&Value::Object(report))?;
    Ok(std::fs::write(project().join("target/siege.json"), text)?)
}
