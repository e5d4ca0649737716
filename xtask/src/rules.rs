//! `cargo xtask rules`: which rules of `protocol/SPEC.md` no test names.
//!
//! A rule is a paragraph that begins with its number in bold (`**W-3.**`). A test names it in a
//! comment (`SPEC W-3`, `SPEC B-8, B-9`), a golden vector in its `rule` field. The numbers named
//! are looked up in turn: a test cannot name a rule that does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use crate::generate::root;

/// Where tests are looked for.
const PLACES: [&str; 6] =
    ["protocol", "storage", "server", "core-client", "cli/tests", "conformance"];

/// Lists the rules that no test names, and the names that no rule has; 1 if there are any.
pub(crate) fn run() -> ExitCode {
    match check(&root()) {
        Ok(problems) if problems.is_empty() => {
            println!("every rule of protocol/SPEC.md is named by a test");
            ExitCode::SUCCESS
        }
        Ok(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cargo xtask rules: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(root: &Path) -> Result<Vec<String>, String> {
    let path = root.join("protocol/SPEC.md");
    let text =
        std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut problems = Vec::new();
    let mut rules: BTreeMap<String, String> = BTreeMap::new();
    for (rule, start) in rules_of(&text) {
        if rules.insert(rule.clone(), start).is_some() {
            problems.push(format!("{rule} stands twice in SPEC.md"));
        }
    }
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for place in PLACES {
        collect(&root.join(place), &mut named)?;
    }
    for (rule, start) in &rules {
        if !named.contains_key(rule) {
            problems.push(format!("{rule} is named by no test: {start}…"));
        }
    }
    for (name, file) in &named {
        if !rules.contains_key(name) {
            problems.push(format!("{file} names {name}, which is no rule"));
        }
    }
    Ok(problems)
}

/// The rules of a text, each with how it starts.
fn rules_of(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let (rule, rest) = line.strip_prefix("**")?.split_once(".**")?;
            is_rule(rule).then(|| (rule.to_owned(), rest.trim().chars().take(60).collect()))
        })
        .collect()
}

/// `W-3`: a capital, a dash, a number.
fn is_rule(word: &str) -> bool {
    let Some((section, number)) = word.split_once('-') else {
        return false;
    };
    section.len() == 1
        && section.bytes().all(|byte| byte.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Adds the rules that tests below `dir` name. A file names rules by tests if it holds any.
fn collect(dir: &Path, named: &mut BTreeMap<String, String>) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", dir.display()))?.path();
        if path.is_dir() {
            collect(&path, named)?;
            continue;
        }
        let rules = match path.extension().and_then(|end| end.to_str()) {
            Some("rs") => named_in_code(&read(&path)?),
            Some("json") => named_in_vectors(&read(&path)?),
            _ => continue,
        };
        for rule in rules {
            named.entry(rule).or_insert_with(|| path.display().to_string());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The rules that the doc comments of tests name: those between `SPEC` and the item's `#[test]`.
fn named_in_code(text: &str) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    let mut pending = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
            pending.extend(numbers_in(comment));
        } else if line == "#[test]" || line.starts_with("#[tokio::test") {
            rules.append(&mut pending);
        } else if !line.starts_with("#[") {
            pending.clear();
        }
    }
    rules
}

/// The numbers that follow `SPEC ` in a comment: `SPEC W-1, W-2: …`.
fn numbers_in(comment: &str) -> Vec<String> {
    let Some((_, list)) = comment.split_once("SPEC ") else {
        return Vec::new();
    };
    list.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| word.trim_end_matches([':', '.', ';']))
        .take_while(|word| is_rule(word))
        .map(str::to_owned)
        .collect()
}

fn named_in_vectors(text: &str) -> BTreeSet<String> {
    text.split("\"rule\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .filter(|word| is_rule(word))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_named_by_a_test() {
        assert_eq!(check(&root()), Ok(Vec::new()));
    }

    #[test]
    fn rules_are_found_where_they_begin_a_paragraph() {
        let text = "**W-1.** One.\ntext (**W-9.**)\n**bold.** no\n**AB-1.** no\n**K-22.** Two.";
        let rules: Vec<String> = rules_of(text).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, ["W-1", "K-22"]);
    }

    #[test]
    fn only_tests_name_rules() {
        let code = "// SPEC A-1\nfn code() {}\n/// SPEC B-1, B-2: why\n#[test]\nfn a() {}\n\
                    /// SPEC C-1\nfn helper() {}\n    /// Long text. SPEC D-1.\n    #[test]\n";
        let named: Vec<String> = named_in_code(code).into_iter().collect();
        assert_eq!(named, ["B-1", "B-2", "D-1"]);
    }

    #[test]
    fn vectors_name_their_rule() {
        let json = r#"{"name": "x", "rule": "B-9", "kind": 1}, {"rule":"W-3"}"#;
        let named: Vec<String> = named_in_vectors(json).into_iter().collect();
        assert_eq!(named, ["B-9", "W-3"]);
    }
}
