//! JUnit's XML, as CI systems read it: one suite for each column.

use std::fmt::Write as _;

use super::{Report, escape};
use crate::run::Verdict;

pub fn render(report: &Report<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for column in report.columns() {
        let results: Vec<_> = report.results.iter().filter(|r| r.column == column).collect();
        let failed = results.iter().filter(|r| r.verdict.fails_the_run()).count();
        let skipped = results
            .iter()
            .filter(|r| matches!(r.verdict, Verdict::Unsupported | Verdict::Known))
            .count();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">",
            escape(column),
            results.len(),
        );
        for result in results {
            let (group, name) = result.case.split_once('/').unwrap_or(("", &result.case));
            let _ = write!(
                out,
                "<testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
                escape(column),
                escape(group),
                escape(name),
                result.took_ms as f64 / 1000.0,
            );
            let reason = escape(&result.reason);
            let _ = match result.verdict {
                Verdict::Pass => writeln!(out, "/>"),
                Verdict::Fail | Verdict::Stale => writeln!(
                    out,
                    "><failure message=\"{reason}\"/><system-err>{}</system-err></testcase>",
                    escape(&result.stderr)
                ),
                Verdict::Known | Verdict::Unsupported => {
                    writeln!(out, "><skipped message=\"{reason}\"/></testcase>")
                }
                Verdict::Flaky => {
                    writeln!(out, "><system-out>flaky: {reason}</system-out></testcase>")
                }
            };
        }
        out.push_str("</testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}
