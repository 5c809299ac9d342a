//! What was found: figures by their names, and charts.

use crate::figure::{Figure, RATIO, Rounds};

#[derive(Debug, Default)]
pub struct Findings {
    /// In the order of measuring.
    pub figures: Vec<(String, Figure)>,
    pub charts: Vec<Chart>,
}

#[derive(Debug, Clone)]
pub struct Chart {
    pub title: String,
    /// Of the values, with their unit.
    pub values: String,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    /// A bar for each, with the least and the most.
    Bars(Vec<(String, Figure)>),
    /// Points of each series, from left to right; the axis below is logarithmic.
    Lines { below: String, series: Vec<(String, Vec<(f64, f64)>)> },
}

impl Findings {
    pub fn tell(&mut self, name: impl Into<String>, rounds: &Rounds, unit: &str) {
        self.figures.push((name.into(), rounds.figure(unit)));
    }

    pub fn ratio(&mut self, name: impl Into<String>, over: &Rounds, under: &Rounds) {
        self.tell(name, &over.over(under), RATIO);
    }

    pub fn absent(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.figures.push((name.into(), Figure::Absent { absent: why.into() }));
    }

    pub fn chart(&mut self, title: &str, values: &str, kind: Kind) {
        self.charts.push(Chart { title: title.to_owned(), values: values.to_owned(), kind });
    }

    pub fn take(&mut self, other: Self) {
        self.figures.extend(other.figures);
        self.charts.extend(other.charts);
    }

    pub fn of(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|(known, _)| known == name).map(|(_, figure)| figure)
    }
}
