//! Reports of a run: the matrix in the terminal, JSON and JUnit for programs, one page of HTML.

mod html;
mod junit;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::case::Case;
use crate::coverage::{Missing, Parity};
use crate::run::{Result, Verdict};

/// Everything that a report shows.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Of the form of this report.
    pub format: u32,
    pub suite_version: &'static str,
    pub server: String,
    pub made: String,
    pub seed: u64,
    pub took_ms: u64,
    pub sdks: BTreeMap<String, String>,
    pub totals: BTreeMap<&'static str, usize>,
    pub missing: &'a Missing,
    pub parity: &'a [Parity],
    pub results: &'a [Result],
    #[serde(skip)]
    pub cases: &'a [Case],
}

impl Report<'_> {
    /// Writes `report.json`, `junit.xml` and `index.html`.
    pub fn write(&self, directory: &Path) -> std::result::Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
        std::fs::create_dir_all(directory).map_err(failed)?;
        let json = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        std::fs::write(directory.join("report.json"), json).map_err(failed)?;
        std::fs::write(directory.join("junit.xml"), junit::render(self)).map_err(failed)?;
        std::fs::write(directory.join("index.html"), html::render(self)).map_err(failed)
    }

    /// The columns, in order.
    fn columns(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.results.iter().map(|r| r.column.as_str()).collect();
        all.into_iter().collect()
    }

    /// The matrix: a row for each group of cases, a column for each SDK.
    pub fn print(&self) {
        let columns = self.columns();
        let mut rows: BTreeMap<&str, BTreeMap<&str, [usize; 6]>> = BTreeMap::new();
        for result in self.results {
            let group = result.case.split('/').next().unwrap_or_default();
            let cell = rows.entry(group).or_default().entry(&result.column).or_default();
            cell[result.verdict as usize] += 1;
        }
        let width = rows.keys().map(|group| group.len()).max().unwrap_or(0).max(5);
        print!("{:width$}", "");
        for column in &columns {
            print!("  {column:>12}");
        }
        println!();
        for (group, cells) in &rows {
            print!("{group:width$}");
            for column in &columns {
                let text = cells.get(column).map_or_else(
                    || "·".to_owned(),
                    |cell| {
                        let played: usize =
                            cell.iter().sum::<usize>() - cell[Verdict::Unsupported as usize];
                        let good = cell[Verdict::Pass as usize] + cell[Verdict::Flaky as usize];
                        format!("{good}/{played}")
                    },
                );
                print!("  {text:>12}");
            }
            println!();
        }
        println!();
        for result in self.results.iter().filter(|result| result.verdict.fails_the_run()) {
            println!(
                "{} {} ({}): {}",
                result.verdict.word(),
                result.case,
                result.column,
                result.reason
            );
            if !result.stderr.is_empty() {
                println!("  the adapter's stderr:");
                result.stderr.lines().take(20).for_each(|line| println!("    {line}"));
            }
        }
        let totals: Vec<String> =
            self.totals.iter().map(|(word, count)| format!("{count} {word}")).collect();
        println!("{} in {:.1} s", totals.join(", "), self.took_ms as f64 / 1000.0);
        let failed =
            self.results.iter().filter(|result| result.verdict.fails_the_run()).count();
        let skipped = self
            .results
            .iter()
            .filter(|result| matches!(result.verdict, Verdict::Unsupported | Verdict::Known))
            .count();
        let passed = self.results.len() - failed - skipped;
        println!("conformance result: {passed} passed; {failed} failed; {skipped} ignored");
    }
}

pub fn totals(results: &[Result]) -> BTreeMap<&'static str, usize> {
    let mut totals = BTreeMap::new();
    for result in results {
        *totals.entry(result.verdict.word()).or_default() += 1;
    }
    totals
}

/// Text for XML and HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML has no place for.
            control if control.is_control() && !matches!(control, '\n' | '\t') => {
                out.push('\u{FFFD}')
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_texts_is_text() {
        assert_eq!(escape("<a b=\"c\">&\u{0}"), "&lt;a b=&quot;c&quot;&gt;&amp;\u{FFFD}");
    }
}
