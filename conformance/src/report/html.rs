//! One page of HTML that needs nothing else: cases by languages, and behind each cell the steps,
//! the frames that passed and what was written to stderr.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Report, escape};
use crate::run::{Result, Verdict};

/// Lines of a trace that the page shows.
const MAX_LINES: usize = 200;

const STYLE: &str = "\
:root{--ok:#1a7f4b;--bad:#c0322b;--mid:#9a6700;--line:#d8dee4;--soft:#f6f8fa;--text:#1f2328;--back:#fff}
@media(prefers-color-scheme:dark){:root{--ok:#4cc38a;--bad:#ff7b72;--mid:#e3b341;--line:#30363d;--soft:#161b22;--text:#e6edf3;--back:#0d1117}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:var(--text);background:var(--back)}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:var(--back)}
td.v{text-align:center;white-space:nowrap}summary{cursor:pointer}
.pass,.flaky{color:var(--ok)}.FAIL,.STALE{color:var(--bad);font-weight:700}.known{color:var(--mid)}.unsupported{opacity:.5}
pre{background:var(--soft);padding:.6rem;overflow:auto;font-size:12px;max-height:30rem}
.why{opacity:.75;font-size:.9em}code{font-size:.9em}.rules{font-size:.8em;opacity:.7}
.detail{display:none}.detail:target{display:table-row}a{color:inherit}
";

pub fn render(report: &Report<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>Tidewire: conformance</title>\
         <style>{STYLE}</style><h1>Tidewire: what every client does</h1>"
    );
    let totals: Vec<String> =
        report.totals.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let _ = write!(
        out,
        "<p>{} cases, {} in {:.0} s. Suite {}, server {}, {}. Seed {}.</p>",
        report.cases.len(),
        totals.join(", "),
        report.took_ms as f64 / 1000.0,
        escape(report.suite_version),
        escape(&report.server),
        escape(&report.made),
        report.seed,
    );
    parity(report, &mut out);
    let by_cell: BTreeMap<(&str, &str), &Result> =
        report.results.iter().map(|r| ((r.case.as_str(), r.column.as_str()), r)).collect();
    let mut group = "";
    let mut columns: Vec<&str> = Vec::new();
    for case in report.cases {
        let this = case.id.split('/').next().unwrap_or_default();
        let played = report.results.iter().any(|result| result.case == case.id);
        if !played {
            continue;
        }
        if this != group {
            if !group.is_empty() {
                out.push_str("</tbody></table>");
            }
            group = this;
            columns = report
                .columns()
                .into_iter()
                .filter(|column| {
                    report
                        .results
                        .iter()
                        .any(|r| r.column == *column && r.case.split('/').next() == Some(group))
                })
                .collect();
            let _ = write!(
                out,
                "<h2 id=\"{0}\">{0}</h2><p>{1}</p><table><thead><tr><th>case</th>",
                escape(group),
                escape(&case.about)
            );
            for column in &columns {
                let _ = write!(out, "<th>{}</th>", escape(column));
            }
            out.push_str("</tr></thead><tbody>");
        }
        let _ = write!(
            out,
            "<tr><td><code>{}</code> <span class=\"rules\">{}</span><div class=\"why\">{}</div></td>",
            escape(&case.id),
            escape(&case.rules.join(" ")),
            escape(&case.why)
        );
        let mut details = String::new();
        for column in &columns {
            match by_cell.get(&(case.id.as_str(), *column)) {
                None => out.push_str("<td class=\"v\">·</td>"),
                Some(result) => cell(result, columns.len() + 1, &mut out, &mut details),
            }
        }
        out.push_str("</tr>");
        out.push_str(&details);
    }
    if !group.is_empty() {
        out.push_str("</tbody></table>");
    }
    missing(report, &mut out);
    out.push_str("</html>\n");
    out
}

fn cell(result: &Result, span: usize, out: &mut String, details: &mut String) {
    let word = result.verdict.word();
    let sign = match result.verdict {
        Verdict::Pass => "✓",
        Verdict::Unsupported => "–",
        _ => word,
    };
    let id = format!("{}-{}", result.case, result.column).replace(['/', '→'], "-");
    let _ = write!(
        out,
        "<td class=\"v {word}\"><a href=\"#{0}\" title=\"{1}\">{sign}</a></td>",
        escape(&id),
        escape(&result.reason)
    );
    let _ = write!(
        details,
        "<tr class=\"detail\" id=\"{}\"><td colspan=\"{span}\"><b>{word}</b> through {} in {} ms <a href=\"#\">close</a><p>{}</p>",
        escape(&id),
        escape(&result.column),
        result.took_ms,
        escape(&result.reason)
    );
    if !result.steps.is_empty() {
        details.push_str("<details open><summary>steps</summary><pre>");
        for step in &result.steps {
            let answer: String = step.answer.chars().take(500).collect();
            let shown: String = step.step.chars().take(500).collect();
            let _ = writeln!(details, "→ {}\n← {}", escape(&shown), escape(&answer));
            if let Some(fault) = &step.fault {
                let _ = writeln!(details, "✗ {}", escape(fault));
            }
        }
        details.push_str("</pre></details>");
    }
    if !result.trace.is_empty() {
        details.push_str("<details><summary>frames</summary><pre>");
        for line in result.trace.iter().take(MAX_LINES) {
            let _ = writeln!(
                details,
                "{:>9} µs  #{} {} {:<18} corr {:<6} ch {:<4} {:>8} B  {} {}",
                line.at_us,
                line.connection,
                if line.from == "client" { "→" } else { "←" },
                escape(&line.kind),
                line.correlation,
                line.channel,
                line.size,
                escape(&line.status),
                escape(&line.fault),
            );
        }
        if result.trace.len() > MAX_LINES {
            let _ = writeln!(details, "… and {} more", result.trace.len() - MAX_LINES);
        }
        details.push_str("</pre></details>");
    }
    for (name, text) in [("stderr", &result.stderr), ("the server's log", &result.server_log)] {
        if !text.is_empty() && (name == "stderr" || result.verdict != Verdict::Pass) {
            let shown: String = text.chars().take(20_000).collect();
            let _ = write!(
                details,
                "<details><summary>{name}</summary><pre>{}</pre></details>",
                escape(&shown)
            );
        }
    }
    details.push_str("</td></tr>");
}

fn parity(report: &Report<'_>, out: &mut String) {
    if report.parity.is_empty() {
        return;
    }
    out.push_str("<h2>Completeness</h2><p>Kinds of requests, options and errors of the protocol's tables that the cases reached through each client.</p><table><thead><tr><th>client</th><th>reached</th><th>not yet</th></tr></thead><tbody>");
    for sdk in report.parity {
        let _ = write!(
            out,
            "<tr><td>{} {}</td><td>{} of {}</td><td>",
            escape(&sdk.sdk),
            escape(report.sdks.get(&sdk.sdk).map_or("", String::as_str)),
            sdk.reached,
            sdk.of
        );
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (what, reason) in &sdk.known {
            reasons.entry(reason).or_default().push(what);
        }
        for (reason, what) in reasons {
            let _ = write!(
                out,
                "<details><summary>{} ({})</summary><code>{}</code></details>",
                escape(reason),
                what.len(),
                escape(&what.join(", "))
            );
        }
        if !sdk.unknown.is_empty() {
            let _ =
                write!(out, "<span class=\"FAIL\">{}</span>", escape(&sdk.unknown.join(", ")));
        }
        out.push_str("</td></tr>");
    }
    out.push_str("</tbody></table>");
}

fn missing(report: &Report<'_>, out: &mut String) {
    let lists = [("rules", &report.missing.rules), ("errors", &report.missing.errors)];
    if lists.iter().all(|(_, list)| list.is_empty()) {
        return;
    }
    out.push_str("<h2>Without a case</h2>");
    for (name, list) in lists {
        if !list.is_empty() {
            let _ = write!(out, "<p>{name}: <code>{}</code></p>", escape(&list.join(" ")));
        }
    }
}
