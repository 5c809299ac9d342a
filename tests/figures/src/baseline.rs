//! The guard: a ratio may not get worse by more than a third than it is in `tests/figures/baseline.json`, in every round
//! of a run: what one round still reaches, the machine was in the way of in the others. Times are not compared: another
//! machine has others.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use harness::project;

use crate::figure::{Figure, RATIO};
use crate::findings::Findings;
use crate::targets::target;

fn file() -> PathBuf {
    project().join("tests/figures/baseline.json")
}

/// Those need Node or PostgreSQL, which a machine may lack.
const MAY_BE_ABSENT: [&str; 3] =
    ["checkout4_over_webhooks_node", "checkout4_over_merging_node", "intake_over_raw_postgres"];

/// A sentence for each ratio that fell, and, where all was asked for, for each that could not be measured: what does
/// not work at all has no figures.
pub fn check(found: &Findings, all: bool) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file()).context("there is no baseline; `--baseline` writes one")?;
    let before: BTreeMap<String, Figure> = serde_json::from_str(&text)?;
    let before = before.iter();
    Ok(before
        .filter_map(|(name, before)| match found.of(name) {
            Some(now @ Figure::Measured(_)) => fallen(name, before, now),
            now => missing(name, now).filter(|_| all),
        })
        .collect())
}

fn missing(name: &str, now: Option<&Figure>) -> Option<String> {
    let why = match now {
        Some(Figure::Absent { absent }) => absent.as_str(),
        _ => "nothing was told of it",
    };
    let needed = !MAY_BE_ABSENT.contains(&name);
    needed.then(|| format!("{name} could not be measured: {why}"))
}

fn fallen(name: &str, before: &Figure, now: &Figure) -> Option<String> {
    let (Figure::Measured(before), Figure::Measured(now)) = (before, now) else { return None };
    let target = target(name).filter(|_| before.unit == RATIO && now.unit == RATIO)?;
    let fell = target.fell(before.value, target.best(now));
    fell.then(|| {
        format!("{name} is {:.2}, worse by more than a third: it was {:.2}", now.value, before.value)
    })
}

/// The ratios that were measured become what the next are compared with.
pub fn write(found: &Findings) -> anyhow::Result<()> {
    let ratios: BTreeMap<_, _> = found
        .figures
        .iter()
        .filter(|(_, figure)| matches!(figure, Figure::Measured(measured) if measured.unit == RATIO))
        .map(|(name, figure)| (name, figure))
        .collect();
    Ok(std::fs::write(file(), serde_json::to_string_pretty(&ratios)? + "\n")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Measured;

    fn figure(value: f64, unit: &str) -> Figure {
        Figure::Measured(Measured { value, min: value, max: value, unit: unit.to_owned() })
    }

    fn spread(value: f64, min: f64, max: f64) -> Figure {
        Figure::Measured(Measured { value, min, max, unit: RATIO.to_owned() })
    }

    #[test]
    fn a_ratio_that_is_worse_by_more_than_a_third_fell_whichever_way_is_better() {
        let fell =
            |name: &str, before, now| fallen(name, &figure(before, RATIO), &figure(now, RATIO)).is_some();
        assert!(fell("checkout4_over_native", 0.6, 0.39));
        assert!(!fell("checkout4_over_native", 0.6, 0.41));
        assert!(fell("fresh_call_over_native", 4.0, 6.1));
        assert!(!fell("fresh_call_over_native", 4.0, 5.9));
        assert!(!fell("fresh_call_over_native", 4.0, 1.0));
    }

    #[test]
    fn one_round_that_is_as_good_as_before_shows_that_nothing_fell() {
        let fell = |name: &str, before, now| fallen(name, &figure(before, RATIO), &now).is_some();
        assert!(!fell("checkout4_over_native", 0.6, spread(0.3, 0.2, 0.5)));
        assert!(fell("checkout4_over_native", 0.6, spread(0.3, 0.2, 0.39)));
        assert!(!fell("fresh_call_over_native", 4.0, spread(9.0, 5.0, 20.0)));
        assert!(fell("fresh_call_over_native", 4.0, spread(9.0, 6.1, 20.0)));
    }

    #[test]
    fn what_could_not_be_measured_is_told_but_where_a_machine_lacks_what_it_needs() {
        let absent = Figure::Absent { absent: "orders are not worked off".to_owned() };
        let told = missing("lifecycle_over_native", Some(&absent)).unwrap_or_default();
        assert!(told.ends_with("orders are not worked off"), "{told}");
        assert!(missing("lifecycle_over_native", None).is_some());
        assert!(missing("intake_over_raw_postgres", Some(&absent)).is_none());
    }

    #[test]
    fn times_and_what_is_absent_are_not_compared() {
        assert!(fallen("reload_ms", &figure(100.0, "ms"), &figure(900.0, "ms")).is_none());
        let absent = Figure::Absent { absent: "no Node".to_owned() };
        assert!(fallen("checkout4_over_webhooks_node", &figure(9.0, RATIO), &absent).is_none());
    }
}
