//! The figures of a measurement.
//!
//! Owns their names in JSON and their form for people. The one invariant: rates are of the
//! measured time alone, and bytes are those of values, as an application would count them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tidewire::{Acks, Codec};

use super::meter::Counts;
use super::target::Bench;
use crate::args::values::Sizes;
use crate::failure::Failure;
use crate::output::table::{Side, Table};
use crate::output::{self, Style, number};

/// The quantiles of latencies: name in JSON, in the table, and the share below.
const QUANTILES: [(&str, &str, f64); 5] = [
    ("p50", "p50", 0.5),
    ("p90", "p90", 0.9),
    ("p99", "p99", 0.99),
    ("p999", "p99.9", 0.999),
    ("p9999", "p99.99", 0.9999),
];

/// What was measured.
pub struct Figures {
    /// Which measurement.
    pub what: &'static str,
    topic: Option<(String, u32)>,
    sizes: Sizes,
    keys: u64,
    acks: Acks,
    codec: Option<Codec>,
    /// Who did it.
    pub rows: Vec<Row>,
    /// Bytes of values a second that the machine gives at most, if that was measured.
    pub ceiling: Option<f64>,
}

/// What producers or consumers did together.
pub struct Row {
    /// What they did.
    pub name: &'static str,
    /// How many they were.
    pub clients: u32,
    /// What was counted.
    pub counts: Counts,
    /// What the latency is of.
    pub latency_of: &'static str,
}

impl Row {
    fn seconds(&self) -> f64 {
        // Nothing counted took no time.
        self.counts.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
    }

    /// Records a second.
    pub fn records_rate(&self) -> f64 {
        self.counts.records as f64 / self.seconds()
    }

    /// Bytes of values a second.
    pub fn bytes_rate(&self) -> f64 {
        self.counts.bytes as f64 / self.seconds()
    }

    fn to_json(&self) -> Value {
        let mut latency = json!({ "samples": self.counts.latency_us.len() });
        for (name, _, quantile) in QUANTILES {
            latency[name] = self.counts.latency_us.value_at_quantile(quantile).into();
        }
        latency["max"] = self.counts.latency_us.max().into();
        json!({
            "name": self.name,
            "clients": self.clients,
            "records": self.counts.records,
            "bytes": self.counts.bytes,
            "seconds": self.seconds(),
            "records_per_second": self.records_rate(),
            "bytes_per_second": self.bytes_rate(),
            "latency_of": self.latency_of,
            "latency_us": latency,
            "over_time": self.over_time(),
        })
    }

    fn over_time(&self) -> Value {
        let slot = self.counts.slot.as_secs_f64();
        let slots = self.counts.slots.iter().enumerate().map(|(at, counted)| {
            json!({
                "from_s": at as f64 * slot,
                "records_per_second": counted.records as f64 / slot,
                "bytes_per_second": counted.bytes as f64 / slot,
                "p50_us": quantile(&counted.latency_us, 0.5),
                "p99_us": quantile(&counted.latency_us, 0.99),
            })
        });
        slots.collect()
    }
}

/// The latency below which so many are; none if there are none.
pub fn quantile(latency_us: &Histogram<u64>, share: f64) -> Option<u64> {
    (!latency_us.is_empty()).then(|| latency_us.value_at_quantile(share))
}

impl Figures {
    /// Of a measurement against a server.
    pub fn new(what: &'static str, bench: &Bench, rows: Vec<Row>) -> Self {
        let common = &bench.common;
        Self {
            what,
            topic: Some((bench.topic.clone(), bench.partitions)),
            sizes: common.size,
            keys: common.keys,
            acks: common.acks,
            codec: common.codec,
            rows,
            ceiling: None,
        }
    }

    /// Of the machine alone.
    pub fn bare(what: &'static str, sizes: Sizes, acks: Acks, rows: Vec<Row>) -> Self {
        Self { what, topic: None, sizes, keys: 0, acks, codec: None, rows, ceiling: None }
    }

    /// The share of the ceiling that the first row reached.
    fn of_ceiling(&self) -> Option<f64> {
        Some(self.rows.first()?.bytes_rate() / self.ceiling?)
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "bench": self.what,
            "size": { "min": self.sizes.min, "max": self.sizes.max },
            "keys": self.keys,
            "acks": acks_name(self.acks),
            "rows": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        });
        if let Some((topic, partitions)) = &self.topic {
            json["topic"] = topic.as_str().into();
            json["partitions"] = (*partitions).into();
        }
        if let Some(codec) = self.codec {
            json["codec"] = codec_name(codec).into();
        }
        if let (Some(ceiling), Some(share)) = (self.ceiling, self.of_ceiling()) {
            json["ceiling_bytes_per_second"] = ceiling.into();
            json["of_ceiling"] = share.into();
        }
        json
    }

    /// What was measured, in a line.
    pub fn title(&self) -> String {
        let size = match self.sizes {
            Sizes { min, max } if min == max => number::size(min.into()),
            Sizes { min, max } => {
                format!("{} to {}", number::size(min.into()), number::size(max.into()))
            }
        };
        let mut title =
            format!("{}: records of {size}, acks {}", self.what, acks_name(self.acks));
        if let Some((_, partitions)) = self.topic {
            title += ", ";
            title += &number::counted(partitions.into(), "partition", "partitions");
        }
        if self.keys > 0 {
            title += ", ";
            title += &number::counted(self.keys, "key", "keys");
        }
        if let Some(codec) = self.codec {
            title += ", codec ";
            title += codec_name(codec);
        }
        title
    }

    /// For people.
    pub fn print(&self) -> Result<(), Failure> {
        let style = Style::stdout();
        let columns = [("", Side::Left), ("by", Side::Right), ("records", Side::Right)];
        let rates = [("records/s", Side::Right), ("MB/s", Side::Right)];
        let latencies = QUANTILES.iter().map(|(_, name, _)| (*name, Side::Right));
        let mut table = Table::new(
            columns.into_iter().chain(rates).chain(latencies).chain([("max", Side::Right)]),
        )
        .indented("  ");
        let time = |us| number::time(Duration::from_micros(us));
        for row in &self.rows {
            let latency_us = &row.counts.latency_us;
            let mut cells = vec![
                row.name.to_owned(),
                number::count(row.clients.into()),
                number::count(row.counts.records),
                number::rate(row.records_rate()),
                format!("{:.1}", row.bytes_rate() / 1e6),
            ];
            let found = QUANTILES.iter().map(|(_, _, share)| quantile(latency_us, *share));
            cells.extend(found.map(|us| us.map_or_else(|| "–".to_owned(), time)));
            cells.push(match latency_us.is_empty() {
                true => "–".to_owned(),
                false => time(latency_us.max()),
            });
            table.row(cells);
        }
        let mut text = format!("{}\n\n{}\n", style.bold(&self.title()), table.render(style));
        for row in &self.rows {
            let line = format!("  {}: latency is {}", row.name, row.latency_of);
            text += &style.dim(&line);
            text.push('\n');
        }
        if let (Some(ceiling), Some(share)) = (self.ceiling, self.of_ceiling()) {
            text += &format!(
                "  {} of the ceiling, {:.1} MB/s by the barest program in the same run\n",
                style.bold(&format!("{:.0} %", share * 100.0)),
                ceiling / 1e6
            );
        }
        output::write(text.as_bytes())
    }
}

fn acks_name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "none",
        Acks::Written => "written",
        _ => "synced",
    }
}

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::Meter;
    use super::*;

    #[test]
    fn rates_are_of_the_measured_time() {
        let meter = Meter::new();
        let end = meter.begun() + Duration::from_millis(500);
        meter.count(end, 1000, 100_000);
        meter.latencies(end, [Duration::from_micros(500)]);
        let row = Row { name: "sent", clients: 1, counts: meter.counts(), latency_of: "x" };
        let sizes = Sizes { min: 100, max: 100 };
        let mut figures = Figures::bare("produce", sizes, Acks::Synced, vec![row]);
        figures.ceiling = Some(400_000.0);
        let json = figures.to_json();
        let row = &json["rows"][0];
        assert_eq!(row["records_per_second"], 2000.0);
        assert_eq!(row["bytes_per_second"], 200_000.0);
        assert_eq!(row["latency_us"]["p99"], 500);
        assert_eq!(json["of_ceiling"], 0.5);
        // The half second is in its last slot.
        let slots = row["over_time"].as_array().unwrap();
        assert_eq!(slots.len(), 11);
        assert_eq!(slots[10]["p99_us"], 501);
        assert_eq!(slots[0]["p99_us"], Value::Null);
    }
}
