//! One page of HTML that needs nothing else: cases by languages, and behind each cell the steps,
//! the frames that passed and what was written to stderr.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Report, escape};
use crate::case::Case;
use crate::run::{Result, Verdict};

/// Lines of a trace that the page shows.
const MAX_LINES: usize = 200;

/// Lines of a trace and steps of a case that passed: what did not pass is shown at length.
const MAX_PASSED: usize = 30;

const STYLE: &str = "\
:root{--ok:#1a7f4b;--bad:#c0322b;--mid:#9a6700;--line:#d8dee4;--soft:#f6f8fa;--text:#1f2328;--back:#fff}
@media(prefers-color-scheme:dark){:root{--ok:#4cc38a;--bad:#ff7b72;--mid:#e3b341;--line:#30363d;--soft:#161b22;--text:#e6edf3;--back:#0d1117}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:var(--text);background:var(--back)}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:var(--back);white-space:nowrap}
thead th.v,td.v{text-align:center;white-space:nowrap;width:5.2rem}summary{cursor:pointer}
table.pairs,table.sums{width:auto}table.pairs{margin:.3rem 0 .8rem;font-size:.9em}table.pairs thead th{position:static}
.pass,.flaky{color:var(--ok)}.FAIL,.STALE{color:var(--bad);font-weight:700}.known{color:var(--mid)}.unsupported{opacity:.5}
pre{background:var(--soft);padding:.6rem;overflow:auto;font-size:12px;max-height:30rem;white-space:pre-wrap;overflow-wrap:anywhere}
.why{opacity:.75;font-size:.9em}code{font-size:.9em}.rules{font-size:.8em;opacity:.7}
.detail{display:none}.detail:target{display:table-row}div.detail:target{display:block}a{color:inherit}
td.v a{display:block;text-decoration:none}td.v a:hover{background:var(--soft)}
h2+p::first-letter{text-transform:uppercase}h2 code{opacity:.5;font-weight:400;margin-left:.4rem}tr{scroll-margin-top:3rem}.only{margin:1.2rem 0 0}
body:has(#only:checked) tr.good{display:none}
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
        "<p>{} cases, {} in {:.0} s. Suite {}, server {}, {} UTC. Seed {}.</p>",
        report.cases.len(),
        totals.join(", "),
        report.took_ms as f64 / 1000.0,
        escape(report.suite_version),
        escape(&report.server),
        escape(&report.made.split('.').next().unwrap_or_default().replace('T', " ")),
        report.seed,
    );
    let mut by_case: BTreeMap<&str, Vec<&Result>> = BTreeMap::new();
    for result in report.results {
        by_case.entry(&result.case).or_default().push(result);
    }
    let mut groups: Vec<(&str, Vec<&Case>)> = Vec::new();
    for case in report.cases.iter().filter(|case| by_case.contains_key(case.id.as_str())) {
        let name = case.id.split('/').next().unwrap_or_default();
        match groups.last_mut() {
            Some((last, cases)) if *last == name => cases.push(case),
            _ => groups.push((name, vec![case])),
        }
    }
    sums(report, &groups, &mut out);
    parity(report, &mut out);
    out.push_str(
        "<p class=\"only\"><input type=\"checkbox\" id=\"only\"><label for=\"only\"> only what \
         did not pass everywhere</label></p>",
    );
    for (name, cases) in &groups {
        group(name, cases, &by_case, &mut out);
    }
    missing(report, &mut out);
    out.push_str("</html>\n");
    out
}

/// How many cases of each group each client passes, and how many there are of each verdict.
fn sums(report: &Report<'_>, groups: &[(&str, Vec<&Case>)], out: &mut String) {
    let words: Vec<&str> = report.totals.keys().copied().collect();
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut passed: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for result in report.results {
        let group = result.case.split('/').next().unwrap_or_default();
        // A pair counts for both of its languages.
        let mut names: Vec<&str> = result.column.split('→').collect();
        names.dedup();
        for name in names {
            *counts.entry(name).or_default().entry(result.verdict.word()).or_default() += 1;
            let (good, all) = passed.entry((group, name)).or_default();
            *good += usize::from(matches!(result.verdict, Verdict::Pass | Verdict::Flaky));
            *all += 1;
        }
    }
    out.push_str("<table class=\"sums\"><thead><tr><th>passed, of all played</th>");
    for name in counts.keys() {
        let _ = write!(out, "<th class=\"v\">{}</th>", escape(name));
    }
    out.push_str("</tr></thead><tbody>");
    for (name, cases) in groups {
        let (title, _) = title(cases);
        let _ = write!(out, "<tr><td><a href=\"#{}\">{}</a></td>", escape(name), escape(title));
        for sdk in counts.keys() {
            let Some((good, all)) = passed.get(&(*name, *sdk)) else {
                out.push_str("<td class=\"v\">·</td>");
                continue;
            };
            let class = if good == all { "pass" } else { "known" };
            let _ = write!(out, "<td class=\"v {class}\">{good}/{all}</td>");
        }
        out.push_str("</tr>");
    }
    for word in words {
        let _ = write!(out, "<tr><th>{word}</th>");
        for of in counts.values() {
            match of.get(word) {
                Some(count) => _ = write!(out, "<td class=\"v {word}\">{count}</td>"),
                None => out.push_str("<td class=\"v\">·</td>"),
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

/// What a group of cases is about: its title, and the rest of the sentence.
fn title<'a>(cases: &[&'a Case]) -> (&'a str, &'a str) {
    let about = cases.first().map_or("", |case| case.about.as_str());
    about.split_once(": ").unwrap_or((about.trim_end_matches('.'), ""))
}

fn group(
    name: &str,
    cases: &[&Case],
    by_case: &BTreeMap<&str, Vec<&Result>>,
    out: &mut String,
) {
    let (title, rest) = title(cases);
    let results = |case: &Case| by_case.get(case.id.as_str()).map_or(&[][..], Vec::as_slice);
    let alone = |result: &&&Result| !result.column.contains('→');
    let columns: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| results(case).iter().filter(alone).map(|r| r.column.as_str()))
        .collect();
    let _ = write!(
        out,
        "<h2 id=\"{0}\">{1}<code>{0}</code></h2><p>{2}</p><table><thead><tr><th>case</th>",
        escape(name),
        escape(title),
        escape(rest)
    );
    for column in &columns {
        let _ = write!(out, "<th class=\"v\">{}</th>", escape(column));
    }
    out.push_str("</tr></thead><tbody>");
    for case in cases {
        let results = results(case);
        let good = results.iter().all(|result| result.verdict == Verdict::Pass);
        let _ = write!(
            out,
            "<tr{0} id=\"{1}\"><td><code>{1}</code> <span class=\"rules\">{2}</span><div class=\"why\">{3}</div>",
            if good { " class=\"good\"" } else { "" },
            escape(&case.id),
            escape(&case.rules.join(" ")),
            escape(&case.why)
        );
        let mut details = String::new();
        if results.iter().any(|result| result.column.contains('→')) {
            pairs(results, out);
        }
        out.push_str("</td>");
        for column in &columns {
            match results.iter().find(|result| result.column == *column) {
                None => out.push_str("<td class=\"v\">·</td>"),
                Some(result) => cell(result, columns.len() + 1, out, &mut details),
            }
        }
        out.push_str("</tr>");
        out.push_str(&details);
    }
    out.push_str("</tbody></table>");
}

/// Who produced down, who consumed across.
fn pairs(results: &[&Result], out: &mut String) {
    let split = |result: &Result| {
        let (from, to) = result.column.split_once('→').unwrap_or_default();
        (from.to_owned(), to.to_owned())
    };
    let names: BTreeSet<String> = results.iter().map(|result| split(result).0).collect();
    out.push_str("<table class=\"pairs\"><thead><tr><th>produced ↓ consumed →</th>");
    for name in &names {
        let _ = write!(out, "<th class=\"v\">{}</th>", escape(name));
    }
    out.push_str("</tr></thead><tbody>");
    let mut details = String::new();
    for from in &names {
        let _ = write!(out, "<tr><th>{}</th>", escape(from));
        for to in &names {
            let wanted = (from.clone(), to.clone());
            match results.iter().find(|result| split(result) == wanted) {
                Some(result) => cell(result, names.len() + 1, out, &mut details),
                None => out.push_str("<td class=\"v\">·</td>"),
            }
        }
        out.push_str("</tr>");
    }
    out.push_str(&details);
    out.push_str("</tbody></table>");
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
        "<tr class=\"detail\" id=\"{}\"><td colspan=\"{span}\"><b>{word}</b> through {} in {} ms <a href=\"#{}\">close</a><p>{}</p>",
        escape(&id),
        escape(&result.column),
        result.took_ms,
        escape(&result.case),
        escape(&result.reason)
    );
    let most = if result.verdict == Verdict::Pass { MAX_PASSED } else { MAX_LINES };
    if !result.steps.is_empty() {
        details.push_str("<details open><summary>steps</summary><pre>");
        for step in result.steps.iter().take(most) {
            let answer: String = step.answer.chars().take(500).collect();
            let shown: String = step.step.chars().take(500).collect();
            let _ = writeln!(details, "→ {}\n← {}", escape(&shown), escape(&answer));
            if let Some(fault) = &step.fault {
                let _ = writeln!(details, "✗ {}", escape(fault));
            }
        }
        if result.steps.len() > most {
            let _ = writeln!(details, "… and {} more", result.steps.len() - most);
        }
        details.push_str("</pre></details>");
    }
    if !result.trace.is_empty() {
        details.push_str("<details><summary>frames</summary><pre>");
        for line in result.trace.iter().take(most) {
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
        if result.trace.len() > most {
            let _ = writeln!(details, "… and {} more", result.trace.len() - most);
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
    if lists.iter().all(|(_, list)| list.is_empty()) && report.missing.known.is_empty() {
        return;
    }
    out.push_str("<h2>Without a case</h2>");
    for (name, list) in lists {
        if !list.is_empty() {
            let _ = write!(out, "<p>{name}: <code>{}</code></p>", escape(&list.join(" ")));
        }
    }
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (what, reason) in &report.missing.known {
        reasons.entry(reason).or_default().push(what);
    }
    for (reason, what) in reasons {
        let what = escape(&what.join(" "));
        let _ = write!(out, "<p><code>{what}</code>: {}</p>", escape(reason));
    }
}
