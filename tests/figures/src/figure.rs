//! A figure: the median of rounds with the least and the most, or why there is none.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    Measured(Measured),
    Absent {
        /// Why it could not be measured.
        absent: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The median.
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub unit: String,
}

/// How two sides compare: independent of the machine's speed, so it may be guarded.
pub const RATIO: &str = "ratio";

/// One value for each round.
#[derive(Debug, Clone, Default)]
pub struct Rounds(Vec<f64>);

impl Rounds {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn median(&self) -> f64 {
        median(&self.0)
    }

    pub fn figure(&self, unit: &str) -> Figure {
        let finite = self.0.iter().copied().filter(|value| value.is_finite());
        match (finite.clone().reduce(f64::min), finite.reduce(f64::max)) {
            (Some(min), Some(max)) => {
                Figure::Measured(Measured { value: self.median(), min, max, unit: unit.to_owned() })
            }
            _ => Figure::Absent { absent: "no round gave a number".to_owned() },
        }
    }

    /// Round by round: what moves the machine moves both sides of a round.
    pub fn over(&self, other: &Self) -> Self {
        self.with(other, |own, others| own / others)
    }

    pub fn less(&self, other: &Self) -> Self {
        self.with(other, |own, others| own - others)
    }

    /// Each of them divided.
    pub fn by(&self, divisor: f64) -> Self {
        Self(self.0.iter().map(|value| value / divisor).collect())
    }

    fn with(&self, other: &Self, combine: fn(f64, f64) -> f64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, others)| combine(*own, *others)).collect())
    }
}

impl FromIterator<f64> for Rounds {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one_or_between_the_two_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        let own: Rounds = [1.0, 20.0, 3.0].into_iter().collect();
        let others: Rounds = [2.0, 40.0, 3.0].into_iter().collect();
        let Figure::Measured(ratio) = own.over(&others).figure(RATIO) else { panic!() };
        assert_eq!((ratio.value, ratio.min, ratio.max), (0.5, 0.5, 1.0));
        assert!(matches!(Rounds::default().figure(RATIO), Figure::Absent { .. }));
    }

    #[test]
    fn an_absent_figure_is_its_reason() {
        let absent: Figure = serde_json::from_str(r#"{ "absent": "no Node" }"#).unwrap();
        assert_eq!(absent, Figure::Absent { absent: "no Node".to_owned() });
    }
}
