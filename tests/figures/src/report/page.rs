//! `target/figures.html`: one file that needs nothing else.

use std::fmt::Write as _;

use super::{charts, spread};
use crate::figure::Figure;
use crate::findings::Findings;
use crate::targets::{TARGETS, target};

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Cartwright: figures</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222 }
  table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
  td, th { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd }
  td:nth-child(2), td:nth-child(3) { font-variant-numeric: tabular-nums; white-space: nowrap }
  .missed { color: #a00 } .absent { color: #777 }
  svg { max-width: 100%; height: auto; display: block; margin: 1.5rem 0 }
</style>
<h1>Figures</h1>
<p>Medians, with the least and the most of the rounds. Only ratios hold on another machine.</p>
"#;

pub fn page(found: &Findings) -> anyhow::Result<String> {
    let mut page = HEAD.to_owned();
    page.push_str("<table><tr><th>Name<th>Median (least – most)<th>Target<th>What\n");
    for named in &TARGETS {
        let (class, value) = match found.of(named.name) {
            Some(Figure::Measured(measured)) => {
                (if named.target.is_met_by(measured.value) { "met" } else { "missed" }, spread(measured))
            }
            Some(Figure::Absent { absent }) => ("absent", format!("absent: {}", escaped(absent))),
            None => ("absent", "absent".to_owned()),
        };
        let (name, target, what) = (named.name, named.target, named.what);
        writeln!(page, "<tr class={class}><td>{name}<td>{value}<td>{target}<td>{what}")?;
    }
    page.push_str("</table>\n");
    for chart in &found.charts {
        page.push_str(&charts::draw(chart)?);
        page.push('\n');
    }
    page.push_str("<table><tr><th>Beside<th>Median (least – most)<th>Unit\n");
    for (name, figure) in found.figures.iter().filter(|(name, _)| target(name).is_none()) {
        if let Figure::Measured(measured) = figure {
            writeln!(page, "<tr><td>{name}<td>{}<td>{}", spread(measured), measured.unit)?;
        }
    }
    page.push_str("</table>\n");
    Ok(page)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
