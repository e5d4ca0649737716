//! The figures of a measurement.
//!
//! Owns their names in JSON and their form for people. The one invariant: rates are of the
//! measured time alone, and bytes are those of values, as an application would count them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tidewire::Acks;

use crate::failure::Failure;
use crate::output::table::{Side, pad};
use crate::output::{self, Style, number};

/// Width of what stands before a figure.
const LABEL_WIDTH: usize = 12;

/// What was measured.
pub struct Figures {
    /// `produce` or `consume`.
    pub what: &'static str,
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: u32,
    /// Producers or consumers.
    pub clients: u32,
    /// Bytes in a value.
    pub size: u32,
    /// The promise of acknowledgements.
    pub acks: Acks,
    /// Records within the measured time.
    pub records: u64,
    /// The measured time.
    pub elapsed: Duration,
    /// Latencies, in microseconds.
    pub latency_us: Histogram<u64>,
    /// What the latency is of.
    pub latency_of: &'static str,
}

impl Figures {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let seconds = self.elapsed.as_secs_f64();
        let latency = |quantile| self.latency_us.value_at_quantile(quantile);
        json!({
            "bench": self.what,
            "topic": self.topic,
            "partitions": self.partitions,
            "clients": self.clients,
            "size": self.size,
            "acks": acks_name(self.acks),
            "records": self.records,
            "seconds": seconds,
            "records_per_second": self.records as f64 / seconds,
            "bytes_per_second": self.bytes() as f64 / seconds,
            "latency_of": self.latency_of,
            "latency_us": {
                "samples": self.latency_us.len(),
                "p50": latency(0.5),
                "p99": latency(0.99),
                "p999": latency(0.999),
                "max": self.latency_us.max(),
            },
        })
    }

    /// For people.
    pub fn print(&self) -> Result<(), Failure> {
        let style = Style::stdout();
        let seconds = self.elapsed.as_secs_f64();
        let time = |us| number::time(Duration::from_micros(us));
        let latency = |quantile| time(self.latency_us.value_at_quantile(quantile));
        let clients = match self.what {
            "produce" => number::counted(self.clients.into(), "producer", "producers"),
            _ => number::counted(self.clients.into(), "consumer", "consumers"),
        };
        let title = format!(
            "{}: {} of {}, {}, {}, acks {}",
            self.what,
            number::counted(self.records, "record", "records"),
            number::size(self.size.into()),
            number::counted(self.partitions.into(), "partition", "partitions"),
            clients,
            acks_name(self.acks)
        );
        let line = |label: &str, value: &str| {
            format!("  {}{value}\n", style.dim(&pad(label, LABEL_WIDTH, Side::Left)))
        };
        let latencies = format!(
            "p50 {}, p99 {}, max {}  {}",
            latency(0.5),
            latency(0.99),
            time(self.latency_us.max()),
            style.dim(self.latency_of)
        );
        let rate = format!("{} records/s", number::rate(self.records as f64 / seconds));
        let bytes = format!("{:.1} MB/s", self.bytes() as f64 / seconds / 1e6);
        output::write(
            [
                format!("{}\n\n", style.bold(&title)),
                line("throughput", &format!("{rate}, {bytes}")),
                line("latency", &latencies),
                line("time", &number::time(self.elapsed)),
            ]
            .concat()
            .as_bytes(),
        )
    }

    fn bytes(&self) -> u64 {
        self.records * u64::from(self.size)
    }
}

/// From a microsecond to ten minutes, in three digits.
pub fn histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, 600_000_000, 3)
        .map_err(|error| Failure::new(format!("a histogram could not be made: {error}")))
}

/// Takes note of a latency.
pub fn record(latency_us: &mut Histogram<u64>, latency: Duration) {
    latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
}

fn acks_name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "none",
        Acks::Written => "written",
        _ => "synced",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_measured_time() {
        let mut latency_us = histogram().unwrap();
        record(&mut latency_us, Duration::from_micros(500));
        let figures = Figures {
            what: "produce",
            topic: "bench/x".to_owned(),
            partitions: 4,
            clients: 1,
            size: 100,
            acks: Acks::Synced,
            records: 1000,
            elapsed: Duration::from_millis(500),
            latency_us,
            latency_of: "x",
        };
        let json = figures.to_json();
        assert_eq!(json["records_per_second"], 2000.0);
        assert_eq!(json["bytes_per_second"], 200_000.0);
        assert_eq!(json["latency_us"]["p99"], 500);
    }
}
