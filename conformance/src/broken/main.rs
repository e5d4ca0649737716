//! An adapter that is wrong on purpose: it hands lines to a real adapter and spoils the answers.
//!
//! `tidewire-broken-adapter MODE COMMAND…`. Each mode is a mistake that a client library could
//! make. That the suite finds every one of them out is a test of the suite.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};

/// The mistakes there are.
const MODES: [&str; 19] = [
    "none",
    "offset-off-by-one",
    "loses-a-record",
    "doubles-a-record",
    "reverses-records",
    "drops-headers",
    "empty-key-is-null",
    "null-value-is-empty",
    "double-precision",
    "wrong-error-code",
    "wrong-disposition",
    "says-yes-to-everything",
    "milliseconds-for-microseconds",
    "latin1",
    "hangs",
    "dies",
    "talks-nonsense",
    "answers-twice",
    "fails-once",
];

/// Names a file for `fails-once`: while it is missing, there is a mistake, and then it is made.
const MARK: &str = "BROKEN_ADAPTER_MARK";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, command @ ..] = arguments.as_slice() else {
        eprintln!("usage: tidewire-broken-adapter MODE COMMAND…\nmodes: {MODES:?}");
        return ExitCode::from(2);
    };
    if !MODES.contains(&mode.as_str()) {
        eprintln!("no mode {mode}; there are {MODES:?}");
        return ExitCode::from(2);
    }
    match pass_on(mode, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("broken on purpose ({mode}), but not like this: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pass_on(mode: &str, command: &[String]) -> std::io::Result<()> {
    let Some((program, rest)) = command.split_first() else { return Ok(()) };
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Ok(());
    };
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if writeln!(to, "{line}").and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    });
    let mut stdout = std::io::stdout().lock();
    let mark = std::env::var_os(MARK).map(std::path::PathBuf::from);
    let first_time = mode == "fails-once" && mark.as_ref().is_some_and(|mark| !mark.exists());
    let mode = if first_time { "wrong-error-code" } else { mode };
    for (at, line) in BufReader::new(from).lines().map_while(Result::ok).enumerate() {
        let mut answer: Value = serde_json::from_str(&line)?;
        // The answer to hello is always right: who lies there is not even tried.
        if at > 0 {
            match mode {
                "hangs" if at == 3 => std::thread::sleep(std::time::Duration::from_secs(3600)),
                "dies" if at == 3 => {
                    eprintln!("broken on purpose: dying now");
                    std::process::exit(3);
                }
                "talks-nonsense" if at == 3 => writeln!(stdout, "DEBUG got {line}")?,
                "answers-twice" if at == 3 => writeln!(stdout, "{line}")?,
                _ => {
                    if first_time
                        && answer.get("err").is_some()
                        && let Some(mark) = &mark
                    {
                        std::fs::write(mark, "")?;
                    }
                    spoil(mode, &mut answer);
                }
            }
        }
        writeln!(stdout, "{answer}")?;
        stdout.flush()?;
    }
    child.wait()?;
    Ok(())
}

fn spoil(mode: &str, answer: &mut Value) {
    match mode {
        "wrong-error-code" => {
            if let Some(code) = answer.pointer_mut("/err/code") {
                *code = json!(900);
            }
        }
        "wrong-disposition" => {
            if let Some(disposition) = answer.pointer_mut("/err/disposition") {
                *disposition = json!(1);
            }
        }
        "says-yes-to-everything" => {
            if answer.get("err").is_some() {
                *answer = json!({"id": answer["id"], "ok": {}});
            }
        }
        _ => {
            if let Some(ok) = answer.get_mut("ok") {
                spoil_value(mode, ok);
            }
        }
    }
}

fn spoil_value(mode: &str, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| spoil_value(mode, item)),
        Value::Object(map) => {
            if let Some(Value::Array(records)) = map.get_mut("records") {
                match mode {
                    "loses-a-record" => {
                        records.pop();
                    }
                    "doubles-a-record" => {
                        if let Some(last) = records.last().cloned() {
                            records.push(last);
                        }
                    }
                    "reverses-records" => records.reverse(),
                    _ => {}
                }
            }
            let is_record = map.contains_key("timestamp_us");
            for (name, item) in map.iter_mut() {
                match (mode, name.as_str()) {
                    ("offset-off-by-one", "offset") => change(item, |offset| offset + 1),
                    ("double-precision", _) if item.is_string() => {
                        change(item, |number| number as f64 as i128);
                    }
                    ("milliseconds-for-microseconds", "timestamp_us" | "append_time_us") => {
                        change(item, |time| time / 1000);
                    }
                    ("drops-headers", "headers") if is_record => *item = json!([]),
                    ("empty-key-is-null", "key") if item["base64"] == "" => *item = Value::Null,
                    ("null-value-is-empty", "value") if is_record && item.is_null() => {
                        *item = json!({"base64": ""});
                    }
                    ("latin1", "name" | "stream") => {
                        if let Some(text) = item.as_str() {
                            *item = json!(text.bytes().map(char::from).collect::<String>());
                        }
                    }
                    _ => spoil_value(mode, item),
                }
            }
        }
        _ => {}
    }
}

/// Changes a number that is written as a string.
fn change(value: &mut Value, f: impl Fn(i128) -> i128) {
    if let Some(number) = value.as_str().and_then(|text| text.parse::<i128>().ok()) {
        *value = json!(f(number).to_string());
    }
}
