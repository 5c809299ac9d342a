//! What a person reads, `target/figures.json` and `target/figures.html`.

mod charts;
mod page;

use std::collections::BTreeMap;

use harness::project;

use crate::figure::{Figure, Measured};
use crate::findings::Findings;
use crate::targets::{TARGETS, target};

pub fn print(found: &Findings) {
    println!("\n{:<30} {:>24}  {:>8}     what", "", "median (least – most)", "target");
    for named in &TARGETS {
        let (mark, value) = match found.of(named.name) {
            Some(Figure::Measured(measured)) => {
                let met = named.target.is_met_by(measured.value);
                (if met { "✓" } else { "×" }, spread(measured))
            }
            Some(Figure::Absent { .. }) | None => ("–", "absent".to_owned()),
        };
        println!("{:<30} {value:>24}  {:>8}  {mark}  {}", named.name, named.target.to_string(), named.what);
    }
    println!("\nBeside:");
    for (name, figure) in found.figures.iter().filter(|(name, _)| target(name).is_none()) {
        match figure {
            Figure::Measured(measured) => println!("{name:<36} {:>28} {}", spread(measured), measured.unit),
            Figure::Absent { absent } => println!("{name:<36} absent: {absent}"),
        }
    }
    for (name, figure) in &found.figures {
        if let (Figure::Absent { absent }, true) = (figure, target(name).is_some()) {
            println!("{name} is absent: {absent}");
        }
    }
}

/// Both files.
pub fn write(found: &Findings) -> anyhow::Result<()> {
    let all: BTreeMap<_, _> = found.figures.iter().map(|(name, figure)| (name, figure)).collect();
    let target = project().join("target");
    std::fs::write(target.join("figures.json"), serde_json::to_string_pretty(&all)? + "\n")?;
    std::fs::write(target.join("figures.html"), page::page(found)?)?;
    println!("\nThe same is in target/figures.json; target/figures.html has the plots.");
    Ok(())
}

fn spread(measured: &Measured) -> String {
    let Measured { value, min, max, .. } = measured;
    format!("{} ({} – {})", short(*value), short(*min), short(*max))
}

/// Three digits that count, or all before the point.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        least if least >= 100.0 || value == 0.0 => 0,
        least if least >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}
