//! What the demo prints.
//!
//! Owns every word and column of it. The one invariant: it says nothing that the run has not
//! shown.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::quakes::{Quake, Quakes};
use super::traffic::Outcome;
use crate::failure::Failure;
use crate::output::table::{Side, Table, pad};
use crate::output::{self, Style, number};

/// Width of the longest bar.
const BAR_WIDTH: usize = 32;

/// How many quakes are shown.
const STRONGEST: usize = 5;

/// Width of what stands before a value.
const LABEL_WIDTH: usize = 12;

/// Width of a value that is followed by what it means.
const VALUE_WIDTH: usize = 32;

/// The demo's output.
pub struct Report {
    style: Style,
}

impl Report {
    /// For stdout.
    pub fn new() -> Self {
        Self { style: Style::stdout() }
    }

    /// What is about to happen.
    pub fn opening(
        &self,
        url: &str,
        topic: &str,
        partitions: u32,
        quakes: &Quakes,
    ) -> Result<(), Failure> {
        let title = format!("Tidewire {}", env!("CARGO_PKG_VERSION"));
        let records = format!("{}, keyed by the network that reported them", records(quakes));
        output::line(&format!(
            "{}{}\n\n{}{}{}",
            self.style.bold(&title),
            self.style.dim("  one week of earthquakes, through a server of your own"),
            self.labelled("server", url, ""),
            self.labelled("topic", &format!("{topic}, {partitions} partitions"), ""),
            self.labelled("records", &records, "")
        ))
    }

    /// The strongest quakes of those read.
    pub fn strongest(&self, quakes: &[Quake]) -> Result<(), Failure> {
        let mut table = Table::new([
            ("magnitude", Side::Right),
            ("place", Side::Left),
            ("time (UTC)", Side::Left),
            ("depth", Side::Right),
        ])
        .indented("  ");
        for quake in strongest(quakes, STRONGEST) {
            table.row([
                quake.mag.map_or_else(|| "–".to_owned(), |mag| format!("{mag:.1}")),
                quake.place.clone().unwrap_or_else(|| "–".to_owned()),
                number::date(quake.time.saturating_mul(1000)),
                quake.depth_km.map_or_else(|| "–".to_owned(), |depth| format!("{depth:.0} km")),
            ]);
        }
        self.section("The strongest", &table.render(self.style))
    }

    /// Records by partition.
    pub fn partitions(&self, per_partition: &BTreeMap<u32, u64>) -> Result<(), Failure> {
        let max = per_partition.values().copied().max().unwrap_or(0);
        let count_width = number::count(max).len();
        let mut body = String::new();
        for (partition, records) in per_partition {
            let count = pad(&number::count(*records), count_width, Side::Right);
            let bar = number::bar(*records, max, BAR_WIDTH);
            let line = format!("  {partition:>3}  {count}  {}", self.style.cyan(&bar));
            body += line.trim_end();
            body.push('\n');
        }
        self.section("Records per partition", &body)
    }

    /// How fast it went.
    pub fn speed(&self, outcome: &Outcome, quakes: &Quakes) -> Result<(), Failure> {
        let seconds = outcome.elapsed.as_secs_f64();
        let bytes: u64 = (0..quakes.week()).map(|index| quakes.get(index).1.len() as u64).sum();
        let per_record = bytes as f64 / quakes.week().max(1) as f64;
        let per_second = quakes.records() as f64 / seconds;
        let throughput = format!(
            "{} records/s, {}/s",
            number::rate(per_second),
            number::size((per_second * per_record) as u64)
        );
        self.section(
            "Speed",
            &[
                self.labelled("throughput", &throughput, "sent, synced to the disk, and read"),
                self.labelled(
                    "end to end",
                    &percentiles(&outcome.end_to_end_us),
                    "from sending to a consumer",
                ),
                self.labelled(
                    "acks",
                    &percentiles(&outcome.acks_us),
                    "from sending to synced to the disk",
                ),
            ]
            .concat(),
        )
    }

    /// A promise that held.
    pub fn held(&self, what: &str) -> Result<(), Failure> {
        output::line(&format!("{} {what}", self.style.green("✓")))
    }

    /// Where to go from here.
    pub fn closing(&self, kept: Option<&Path>) -> Result<(), Failure> {
        let next = match kept {
            Some(path) => format!(
                "\nThe data is in {path}\n  tidewire serve --dev --data {path}",
                path = path.display()
            ),
            None => {
                "\nNext: 'tidewire serve --dev' runs a server, 'tidewire help' shows what to \
                     do with it."
                    .to_owned()
            }
        };
        output::line(&self.style.dim(&next))
    }

    fn section(&self, title: &str, body: &str) -> Result<(), Failure> {
        output::line(&format!("{}\n{body}", self.style.bold(title)))
    }

    fn labelled(&self, label: &str, value: &str, meaning: &str) -> String {
        let label = self.style.dim(&pad(label, LABEL_WIDTH, Side::Left));
        if meaning.is_empty() {
            return format!("  {label}{value}\n");
        }
        let value = pad(value, VALUE_WIDTH, Side::Left);
        format!("  {label}{value}  {}\n", self.style.dim(meaning))
    }
}

/// `1,707 earthquake reports`.
pub fn records(quakes: &Quakes) -> String {
    number::counted(quakes.records(), "earthquake report", "earthquake reports")
}

fn percentiles(histogram_us: &Histogram<u64>) -> String {
    let at = |quantile| {
        number::time(Duration::from_micros(histogram_us.value_at_quantile(quantile)))
    };
    format!("p50 {}, p99 {}", at(0.5), at(0.99))
}

/// The `count` strongest; those without a magnitude last.
fn strongest(quakes: &[Quake], count: usize) -> Vec<&Quake> {
    let mut sorted: Vec<&Quake> = quakes.iter().collect();
    let magnitude = |quake: &Quake| quake.mag.unwrap_or(f64::NEG_INFINITY);
    // Of equals the earlier one first, whichever partition was read first.
    sorted.sort_by(|a, b| {
        magnitude(b).total_cmp(&magnitude(a)).then_with(|| a.time.cmp(&b.time))
    });
    sorted.truncate(count);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_come_first_and_unknown_magnitudes_last() {
        let quake =
            |mag, time| Quake { net: "uw".to_owned(), mag, place: None, time, depth_km: None };
        let quakes =
            [quake(None, 1), quake(Some(-0.5), 2), quake(Some(6.1), 4), quake(Some(6.1), 3)];
        let times: Vec<i64> = strongest(&quakes, 3).iter().map(|quake| quake.time).collect();
        assert_eq!(times, [3, 4, 2]);
        assert_eq!(strongest(&quakes, 9).len(), 4);
    }

    #[test]
    fn percentiles_are_times() {
        let mut histogram = Histogram::new(3).unwrap();
        histogram.record(412).unwrap();
        assert_eq!(percentiles(&histogram), "p50 412 µs, p99 412 µs");
    }
}
