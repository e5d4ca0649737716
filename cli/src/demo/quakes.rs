//! The demo's records: one week of earthquake reports.
//!
//! Owns the data set (from the U.S. Geological Survey's public feed, in the public domain) and
//! what the demo reads out of a report. The one invariant: record `index` is the same bytes each
//! time it is asked for, so that whoever checks need not keep what was sent.

use serde::Deserialize;

use crate::failure::Failure;

/// One report a line, in JSON.
const REPORTS: &str = include_str!("../../../examples/data/earthquakes.ndjson");

/// What the demo reads out of a report.
#[derive(Clone, Debug, Deserialize)]
pub struct Quake {
    /// The network that reported it: the record's key.
    pub net: String,
    /// Magnitude, if it could be determined.
    pub mag: Option<f64>,
    /// Where, in words.
    pub place: Option<String>,
    /// When, in milliseconds since the Unix epoch.
    pub time: i64,
    /// How deep, in kilometres.
    pub depth_km: Option<f64>,
}

impl Quake {
    /// Reads a report.
    pub fn parse(report: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(report).map_err(|error| error.to_string())
    }
}

/// The records to send: the reports, again and again up to a number.
#[derive(Debug)]
pub struct Quakes {
    reports: Vec<(String, &'static str)>,
    records: u64,
}

impl Quakes {
    /// `records` records; the week once if not said.
    pub fn new(records: Option<u64>) -> Result<Self, Failure> {
        let reports = REPORTS
            .lines()
            .map(|line| Ok((Quake::parse(line.as_bytes())?.net, line)))
            .collect::<Result<Vec<_>, String>>()
            .map_err(|why| {
                Failure::new(format!("a report of the data set is broken: {why}"))
            })?;
        let records = records.unwrap_or(reports.len() as u64);
        Ok(Self { reports, records })
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many of them are not repeated.
    pub fn week(&self) -> u64 {
        (self.reports.len() as u64).min(self.records)
    }

    /// The key and value of record `index`.
    pub fn get(&self, index: u64) -> (&[u8], &'static [u8]) {
        let (net, report) = &self.reports[(index % self.reports.len() as u64) as usize];
        (net.as_bytes(), report.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_has_1707_reports_and_repeats() {
        let quakes = Quakes::new(None).unwrap();
        assert_eq!((quakes.records(), quakes.week()), (1707, 1707));
        let quakes = Quakes::new(Some(5000)).unwrap();
        assert_eq!((quakes.records(), quakes.week()), (5000, 1707));
        assert_eq!(quakes.get(3), quakes.get(3 + 1707));
        assert_eq!(quakes.get(0).0, b"uw");
        let joined: Vec<&[u8]> = (0..1707).map(|index| quakes.get(index).1).collect();
        assert_eq!(joined.join(&b'\n'), REPORTS.trim_end().as_bytes());
    }
}
