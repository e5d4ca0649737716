//! What the cases reach: rules and errors by what they name, kinds and options by what really
//! passed. The check that nothing of `protocol/spec` is left out of an SDK without a reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use tidewire_protocol::error::CODES;
use tidewire_protocol::message::KINDS;
use tidewire_protocol::options::OPTIONS;

use crate::case::{Body, Case};
use crate::frames;
use crate::known::Known;
use crate::play::Reached;
use crate::run::{Result, Verdict};

/// The text whose rules are counted.
const SPEC: &str = include_str!("../../protocol/SPEC.md");
/// Which kinds nobody carries out yet.
const KINDS_TABLE: &str = include_str!("../../protocol/spec/kinds.toml");

/// The rules of SPEC.md.
pub fn rules() -> Vec<&'static str> {
    SPEC.lines()
        .filter_map(|line| Some(line.strip_prefix("**")?.split_once(".**")?.0))
        .filter(|rule| {
            rule.split_once('-').is_some_and(|(section, number)| {
                section.len() == 1
                    && !number.is_empty()
                    && number.bytes().all(|b| b.is_ascii_digit())
            })
        })
        .collect()
}

/// Kinds that servers carry out, by name.
pub fn kinds() -> Vec<&'static str> {
    #[derive(serde::Deserialize)]
    struct Table {
        kind: Vec<Row>,
    }
    #[derive(serde::Deserialize)]
    struct Row {
        name: String,
        #[serde(default)]
        planned: bool,
    }
    let planned: BTreeSet<String> = toml::from_str::<Table>(KINDS_TABLE)
        .map(|table| {
            table.kind.into_iter().filter(|row| row.planned).map(|row| row.name).collect()
        })
        .unwrap_or_default();
    KINDS.iter().map(|info| info.name).filter(|name| !planned.contains(*name)).collect()
}

/// What is named by no case.
#[derive(Debug, Default, Serialize)]
pub struct Missing {
    pub rules: Vec<String>,
    pub errors: Vec<String>,
    /// With the reason why there is none.
    pub known: BTreeMap<String, String>,
}

/// Errors that a case expects, wherever it says so.
fn expected_errors(case: &Case) -> BTreeSet<String> {
    fn walk(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if frames::code(value).is_ok() => {
                names.insert(text.clone());
            }
            Value::Number(_) => {}
            Value::Array(items) => items.iter().for_each(|item| walk(item, names)),
            Value::Object(map) => map.values().for_each(|item| walk(item, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    match &case.body {
        Body::Attack { answer, .. } => walk(answer, &mut names),
        Body::Steps { steps, .. } => {
            for step in steps {
                step.error.iter().chain(&step.expect).for_each(|value| walk(value, &mut names));
            }
        }
    }
    // Numbers stand for errors where an answer's code is compared.
    let text = case.source.to_string();
    for info in CODES {
        if text.contains(&format!("\"code\":{}", info.code.0)) {
            names.insert(info.name.to_owned());
        }
    }
    names
}

/// Rules and errors that no case shows; `known` says of some why.
pub fn missing(cases: &[Case], known: &Known) -> Missing {
    let named: BTreeSet<&str> =
        cases.iter().flat_map(|case| case.rules.iter().map(String::as_str)).collect();
    let errors: BTreeSet<String> = cases.iter().flat_map(expected_errors).collect();
    let mut missing = Missing::default();
    let unnamed_rules = rules().into_iter().filter(|rule| !named.contains(rule));
    let unnamed_errors = CODES
        .iter()
        .map(|info| info.name)
        .filter(|name| *name != "OK" && !errors.contains(*name));
    let all = unnamed_rules
        .map(|rule| ("rule", rule))
        .chain(unnamed_errors.map(|error| ("error", error)));
    for (kind, name) in all {
        if let Some(gap) = known.gap(&format!("{kind}:{name}")) {
            missing.known.insert(name.to_owned(), gap.reason.clone());
        } else if kind == "rule" {
            missing.rules.push(name.to_owned());
        } else {
            missing.errors.push(name.to_owned());
        }
    }
    missing
}

/// What an SDK does not reach.
#[derive(Debug, Default, Serialize)]
pub struct Parity {
    pub sdk: String,
    pub reached: usize,
    pub of: usize,
    /// With the reason that is known.
    pub known: BTreeMap<String, String>,
    /// Without one: these fail the run.
    pub unknown: Vec<String>,
    /// Reached, though said to be a gap: these fail the run, too.
    pub stale: Vec<String>,
}

/// Compares what passed through an SDK with the tables.
pub fn parity(sdk: &str, results: &[Result], known: &Known) -> Parity {
    let mut reached = Reached::default();
    for result in results {
        let column = result.column.split('→').any(|name| name == sdk);
        if column && !matches!(result.verdict, Verdict::Unsupported) {
            reached.kinds.extend(&result.reached.kinds);
            reached.options.extend(result.reached.options.iter().cloned());
            reached.errors.extend(&result.reached.errors);
        }
    }
    let live: BTreeSet<&str> = kinds().into_iter().collect();
    let mut all: Vec<(String, bool)> = KINDS
        .iter()
        .filter(|info| live.contains(info.name))
        .map(|info| (format!("kind:{}", info.name), reached.kinds.contains(&info.kind.0)))
        .collect();
    for info in OPTIONS {
        let scope = format!("{:?}", info.scope).to_lowercase();
        let name = format!("{scope}.{}", info.name);
        all.push((format!("option:{name}"), reached.options.contains(&name)));
    }
    for info in CODES.iter().filter(|info| info.code.0 != 0) {
        all.push((format!("error:{}", info.name), reached.errors.contains(&info.code.0)));
    }
    let mut parity = Parity { sdk: sdk.to_owned(), of: all.len(), ..Parity::default() };
    for (what, is_reached) in all {
        match (is_reached, known.gap(&what)) {
            (true, None) => parity.reached += 1,
            (true, Some(_)) => parity.stale.push(what),
            (false, Some(gap)) => {
                parity.known.insert(what, gap.reason.clone());
            }
            (false, None) => parity.unknown.push(what),
        }
    }
    parity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_text_are_found() {
        let rules = rules();
        assert!(rules.len() > 80, "{}", rules.len());
        assert!(rules.contains(&"W-3") && rules.contains(&"H-11"));
    }

    #[test]
    fn no_case_names_a_rule_that_does_not_exist() {
        let rules: BTreeSet<&str> = rules().into_iter().collect();
        for case in crate::case::load(None).expect("the cases can be read") {
            for rule in &case.rules {
                assert!(rules.contains(rule.as_str()), "{} names {rule}", case.id);
            }
        }
    }

    /// Every rule of the text and every error has a case, or a reason why not.
    #[test]
    fn nothing_lacks_a_case_without_a_reason() {
        let cases = crate::case::load(None).expect("the cases can be read");
        let directory = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/known"));
        let known = Known::read(directory, "suite").expect("a list");
        let missing = missing(&cases, &known);
        assert!(missing.rules.is_empty(), "{:?}", missing.rules);
        assert!(missing.errors.is_empty(), "{:?}", missing.errors);
        assert!(missing.known.is_empty(), "{:?}", missing.known);
    }

    #[test]
    fn planned_kinds_are_not_asked_for() {
        assert!(kinds().contains(&"APPEND"));
        assert!(!kinds().contains(&"STATS"));
    }
}
