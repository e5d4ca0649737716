//! `--plot`: throughput and latency over time, as an SVG file.

use std::path::Path;
use std::time::Duration;

use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::PathElement;
use plotters::prelude::SVGBackend;
use plotters::series::LineSeries;
use plotters::style::{Color, RGBColor, WHITE};

use super::report::{Figures, Row, quantile};
use crate::failure::Failure;
use crate::output::number;

/// Of the picture, in pixels.
const SIZE: (u32, u32) = (960, 640);

/// One for each row.
const COLOURS: [RGBColor; 3] =
    [RGBColor(0x0b, 0x6e, 0x99), RGBColor(0xd9, 0x73, 0x0d), RGBColor(0x4d, 0x64, 0x61)];

const FONT: &str = "sans-serif";

/// A line of a plot: its name, how strong its colour is, and its points.
type Line = (String, RGBColor, f64, Vec<(f64, f64)>);

/// Writes the plot.
pub fn write(figures: &Figures, path: &Path) -> Result<(), Failure> {
    let mut svg = String::new();
    let drawn = draw(figures, &mut svg);
    drawn.map_err(|error| Failure::new(format!("the plot could not be drawn: {error}")))?;
    std::fs::write(path, svg)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
}

fn draw(
    figures: &Figures,
    svg: &mut String,
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let area = area.titled(&figures.title(), (FONT, 18))?;
    let (above, below) = area.split_vertically(SIZE.1 / 2);
    let rows = || figures.rows.iter().zip(COLOURS.iter().cycle());

    let throughput = rows().map(|(row, colour)| {
        let slot = row.counts.slot.as_secs_f64();
        let points = points(row, |counted| Some(counted.bytes as f64 / slot / 1e6));
        (row.name.to_owned(), *colour, 1.0, points)
    });
    panel(&above, "MB/s", throughput.collect(), |rate| format!("{rate:.0}"))?;

    let latency = rows().flat_map(|(row, colour)| {
        [(0.5, "p50", 1.0), (0.99, "p99", 0.4)].map(|(share, name, strength)| {
            let points =
                points(row, |counted| quantile(&counted.latency_us, share).map(|us| us as f64));
            (format!("{}, {name}", row.name), *colour, strength, points)
        })
    });
    let time = |us: f64| number::time(Duration::from_nanos((us.max(0.0) * 1e3) as u64));
    panel(&below, "latency", latency.collect(), time)?;
    area.present()
}

/// The middle of each slot, and what `of` says about it.
fn points(row: &Row, of: impl Fn(&super::meter::Slot) -> Option<f64>) -> Vec<(f64, f64)> {
    let slot = row.counts.slot.as_secs_f64();
    let middle = |at: usize| (at as f64 + 0.5) * slot;
    // The last slot was not there for its whole width.
    let whole = row.counts.slots.len().saturating_sub(1).max(1);
    let slots = row.counts.slots.iter().take(whole).enumerate();
    slots.filter_map(|(at, counted)| Some((middle(at), of(counted)?))).collect()
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    what: &str,
    lines: Vec<Line>,
    label: impl Fn(f64) -> String,
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let all = || lines.iter().flat_map(|(.., points)| points);
    let last = all().map(|(at, _)| *at).fold(0.1, f64::max);
    let most = all().map(|(_, value)| *value).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..last, 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_desc("seconds")
        .y_desc(what)
        .y_label_formatter(&|value| label(*value))
        .label_style((FONT, 12))
        .draw()?;
    for (name, colour, strength, points) in lines {
        let style = colour.mix(strength).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 12))
        .draw()?;
    Ok(())
}
