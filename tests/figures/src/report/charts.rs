//! Charts as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::figure::{Figure, Measured};
use crate::findings::{Chart, Kind};

const WIDTH: u32 = 900;
const HEIGHT: u32 = 380;
/// Of a bar, and of what is around the bars.
const BAR: u32 = 34;
const AROUND: u32 = 100;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

pub fn draw(chart: &Chart) -> anyhow::Result<String> {
    let mut svg = String::new();
    let drawn = match &chart.kind {
        Kind::Bars(bars) => {
            let measured = bars.iter().rev().filter_map(|(name, figure)| match figure {
                Figure::Measured(measured) => Some((name.as_str(), measured)),
                Figure::Absent { .. } => None,
            });
            let measured: Vec<(&str, &Measured)> = measured.collect();
            let height = AROUND + BAR * measured.len() as u32;
            bars_on(&SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area(), chart, &measured)
        }
        Kind::Lines { below, series } => {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
            lines_on(&area, chart, below, series)
        }
    };
    drawn.map_err(|error| anyhow::anyhow!("{}: {error}", chart.title))?;
    Ok(svg)
}

fn bars_on(area: &Area<'_>, chart: &Chart, bars: &[(&str, &Measured)]) -> Drawn {
    area.fill(&WHITE)?;
    let most = bars.iter().map(|(_, measured)| measured.max).fold(f64::MIN_POSITIVE, f64::max);
    let mut drawn = ChartBuilder::on(area)
        .caption(&chart.title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(230)
        .build_cartesian_2d(0.0..most * 1.05, (0..bars.len()).into_segmented())?;
    let name = |place: &SegmentValue<usize>| match place {
        SegmentValue::CenterOf(place) => {
            bars.get(*place).map(|(name, _)| (*name).to_owned()).unwrap_or_default()
        }
        SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
    };
    drawn
        .configure_mesh()
        .disable_y_mesh()
        .x_desc(&chart.values)
        .y_labels(bars.len())
        .y_label_formatter(&name)
        .draw()?;
    drawn.draw_series(bars.iter().enumerate().map(|(place, (_, measured))| {
        let corners = [(0.0, SegmentValue::Exact(place)), (measured.value, SegmentValue::Exact(place + 1))];
        let mut bar = Rectangle::new(corners, Palette99::pick(1).filled());
        bar.set_margin(6, 6, 0, 0);
        bar
    }))?;
    // From the least to the most.
    drawn.draw_series(bars.iter().enumerate().map(|(place, (_, measured))| {
        let ends = [measured.min, measured.max].map(|end| (end, SegmentValue::CenterOf(place)));
        PathElement::new(ends.to_vec(), BLACK.stroke_width(2))
    }))?;
    area.present()?;
    Ok(())
}

fn lines_on(area: &Area<'_>, chart: &Chart, below: &str, series: &[(String, Vec<(f64, f64)>)]) -> Drawn {
    area.fill(&WHITE)?;
    let points = || series.iter().flat_map(|(_, points)| points.iter().copied());
    let least = points().map(|(x, _)| x).fold(f64::INFINITY, f64::min).max(f64::MIN_POSITIVE);
    let most = points().map(|(x, _)| x).fold(least * 2.0, f64::max);
    let top = points().map(|(_, y)| y).fold(f64::MIN_POSITIVE, f64::max);
    let mut drawn = ChartBuilder::on(area)
        .caption(&chart.title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(70)
        .build_cartesian_2d((least..most * 1.1).log_scale(), 0.0..top * 1.1)?;
    let whole = |x: &f64| format!("{x:.0}");
    drawn.configure_mesh().x_desc(below).y_desc(&chart.values).x_label_formatter(&whole).draw()?;
    for (number, (name, points)) in series.iter().enumerate() {
        let colour = Palette99::pick(number).to_rgba();
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(4);
        drawn
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    drawn
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
