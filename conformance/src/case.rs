//! Cases: what they say, read from YAML.
//!
//! Owns the form of a case and its steps; what a step does is `play`'s, what an attack sends
//! `attack`'s. The one invariant: an unknown key is an error that names the file and the case.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The cases that came with this program, by file.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// How much a client must have to be certified.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Connecting, streams and topics, producing, consuming, errors.
    #[default]
    Core,
    /// Everything.
    Full,
}

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    about: String,
    #[serde(default)]
    level: Option<Level>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    attack: bool,
    /// What its cases have, unless they say otherwise.
    #[serde(default)]
    server: Option<ServerSpec>,
    cases: Vec<Written>,
}

/// A case as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    why: String,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    level: Option<Level>,
    #[serde(default)]
    server: Option<ServerSpec>,
    #[serde(default)]
    fake: Option<Vec<Value>>,
    #[serde(default)]
    pair: bool,
    #[serde(default)]
    steps: Vec<Map<String, Value>>,
    #[serde(default)]
    send: Vec<Value>,
    #[serde(default)]
    answer: Option<Value>,
}

/// The server that a case wants.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Further arguments of `tidewire serve`.
    #[serde(default)]
    pub args: Vec<String>,
    /// It asks for credentials.
    #[serde(default)]
    pub secured: bool,
}

/// What a case does.
#[derive(Debug)]
pub enum Body {
    /// Steps of an adapter, or of two.
    Steps {
        steps: Vec<Step>,
        /// Two adapters: `on: a` and `on: b`.
        pair: bool,
        /// What a scripted server does; without it the case plays against the real one.
        fake: Option<Vec<Value>>,
    },
    /// Bytes sent to the server by nobody's library.
    Attack { send: Vec<Value>, answer: Value },
}

/// A case.
#[derive(Debug)]
pub struct Case {
    /// `file/name`.
    pub id: String,
    /// The file's sentence.
    pub about: String,
    /// One sentence.
    pub why: String,
    /// Rules of SPEC.md that it shows.
    pub rules: Vec<String>,
    /// Features that the client must have.
    pub needs: Vec<String>,
    pub level: Level,
    pub server: ServerSpec,
    pub body: Body,
    /// As it is written, to be shown.
    pub source: Value,
}

/// One thing that is done, and what is expected of it.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// An operation of the adapter, or one of the runner's own.
    pub op: String,
    pub args: Value,
    /// What the answer must have.
    pub expect: Option<Value>,
    /// The error that it must be.
    pub error: Option<Value>,
    /// Variables to set: name to path in the answer.
    pub save: Map<String, Value>,
    /// Do not wait for the answer: `await` names it.
    pub start: Option<String>,
    /// Which of two adapters.
    pub on: Option<String>,
    /// How often, with `${i}`.
    pub repeat: u64,
    /// Repeat until it is as expected, or patience ends.
    pub until: bool,
    /// Remember the records that are sent, under this name.
    pub keep: Option<String>,
}

impl Step {
    fn read(mut map: Map<String, Value>) -> Result<Self, String> {
        let mut step = Self { repeat: 1, ..Self::default() };
        step.expect = map.remove("expect");
        step.error = map.remove("error");
        if let Some(Value::Object(save)) = map.remove("save") {
            step.save = save;
        }
        let mut text =
            |name: &str| map.remove(name).and_then(|value| Some(value.as_str()?.to_owned()));
        step.start = text("start");
        step.on = text("on");
        step.keep = text("keep");
        if let Some(repeat) = map.remove("repeat") {
            step.repeat = repeat.as_u64().ok_or("repeat is no number")?;
        }
        step.until = map.remove("until").is_some_and(|value| value == true);
        if map.len() != 1 {
            let keys: Vec<&String> = map.keys().collect();
            return Err(format!("a step has one operation, this one has {keys:?}"));
        }
        let Some((op, args)) = map.into_iter().next() else {
            return Err("an empty step".into());
        };
        step.op = op;
        step.args = args;
        Ok(step)
    }
}

/// All cases of the program, or of a directory.
pub fn load(directory: Option<&std::path::Path>) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let files: Vec<(String, String)> = match directory {
        None => EMBEDDED.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect(),
        Some(directory) => {
            let mut files = Vec::new();
            read_directory(directory, &mut files)?;
            files.sort();
            files
        }
    };
    for (name, text) in &files {
        cases.extend(parse(name, text)?);
    }
    let mut seen = std::collections::BTreeSet::new();
    for case in &cases {
        if !seen.insert(&case.id) {
            return Err(format!("{} stands twice", case.id));
        }
    }
    Ok(cases)
}

fn read_directory(
    directory: &std::path::Path,
    files: &mut Vec<(String, String)>,
) -> Result<(), String> {
    let shown = directory.display();
    for entry in std::fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))? {
        let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
        if path.is_dir() {
            read_directory(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    Ok(())
}

/// The files of the program, as values: for the schema.
#[cfg(test)]
fn embedded_values() -> Result<Vec<(&'static str, Value)>, String> {
    EMBEDDED
        .iter()
        .map(|(name, text)| {
            let value =
                serde_saphyr::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            Ok((*name, value))
        })
        .collect()
}

fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let raw: Value =
        serde_saphyr::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    let suite: Suite =
        serde_json::from_value(raw.clone()).map_err(|error| format!("{file}: {error}"))?;
    let stem =
        std::path::Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    let mut cases = Vec::new();
    for (at, written) in suite.cases.into_iter().enumerate() {
        let id = format!("{stem}/{}", written.name);
        let bad = |what: String| format!("{file}: {id}: {what}");
        let body = if suite.attack {
            let answer = written.answer.ok_or_else(|| bad("an attack has an answer".into()))?;
            Body::Attack { send: written.send, answer }
        } else {
            let steps: Result<Vec<Step>, String> =
                written.steps.into_iter().map(Step::read).collect();
            let steps = steps.map_err(&bad)?;
            if steps.is_empty() {
                return Err(bad("a case has steps".into()));
            }
            Body::Steps { steps, pair: written.pair, fake: written.fake }
        };
        let mut needs = suite.needs.clone();
        needs.extend(written.needs);
        cases.push(Case {
            about: suite.about.clone(),
            why: written.why,
            rules: written.rules,
            needs,
            level: written.level.or(suite.level).unwrap_or_default(),
            server: written.server.or_else(|| suite.server.clone()).unwrap_or_default(),
            body,
            source: raw["cases"][at].clone(),
            id,
        });
    }
    Ok(cases)
}

/// Whether a name fits a pattern: `*` is anything but `/`, `**` anything.
pub fn fits(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=name.len()).any(|at| go(rest, &name[at..])),
            [b'*', rest @ ..] => (0..=name.len())
                .take_while(|&at| at == 0 || name[at - 1] != b'/')
                .any(|at| go(rest, &name[at..])),
            [first, rest @ ..] => name.first() == Some(first) && go(rest, &name[1..]),
        }
    }
    go(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_part_and_two_do_not() {
        assert!(fits("cons/**", "cons/first"));
        assert!(fits("cons/*", "cons/first"));
        assert!(!fits("*", "cons/first"));
        assert!(fits("**", "cons/first"));
        assert!(fits("**/null-*", "prod/null-key"));
        assert!(!fits("cons/first", "cons/first-two"));
    }

    #[test]
    fn every_case_is_read_and_keeps_the_schema() {
        let cases = load(None).expect("the cases can be read");
        assert!(cases.len() >= 150, "{} cases", cases.len());
        let schema: Value = serde_json::from_str(include_str!("../schema/case.schema.json"))
            .expect("the schema is JSON");
        let schema = jsonschema::validator_for(&schema).expect("the schema is one");
        for (name, value) in embedded_values().expect("YAML") {
            let faults: Vec<String> = schema
                .iter_errors(&value)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
        for case in &cases {
            assert!(case.why.ends_with('.'), "{}: why is a sentence", case.id);
            assert!(case.why.len() > 10, "{}: why says why", case.id);
        }
    }

    #[test]
    fn a_step_with_two_operations_or_none_is_refused() {
        let read = |text: &str| {
            Step::read(serde_json::from_str(text).expect("JSON")).map(|step| step.op)
        };
        assert_eq!(read(r#"{"ping": null, "expect": {}}"#), Ok("ping".to_owned()));
        assert!(read(r#"{"ping": null, "connect": {}}"#).is_err());
        assert!(read(r#"{"expect": {}}"#).is_err());
    }
}
