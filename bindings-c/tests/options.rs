//! Every option of the protocol's table has its place in `tidewire.h`, `tidewire.hpp` and the Go
//! module, and reaches the library from there.

use std::fs;
use std::path::Path;

use tidewire_protocol::options::{OPTIONS, Scope};

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("it is there")
}

/// What stands between two texts, of which the second follows the first.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// Whether `linger_ms` is there as Go has it: `LingerMs`, and `TLSCAFile` with its abbreviations.
fn is_in_go(fields: &str, name: &str) -> bool {
    let name = name.replace('_', "");
    words(fields).iter().any(|word| word.eq_ignore_ascii_case(&name))
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Client => "client",
        Scope::Producer => "producer",
        Scope::Consumer => "consumer",
        Scope::Topic => "topic",
    }
}

#[test]
fn every_option_has_its_place_in_every_language() {
    let (c, cpp) = (file("include/tidewire.h"), file("include/tidewire.hpp"));
    let go: String = ["client", "producer", "consumer", "admin"]
        .iter()
        .map(|part| file(&format!("go/{part}.go")))
        .collect();
    let mut missing = Vec::new();
    for info in OPTIONS {
        let (scope, name) = (scope(info.scope), info.name);
        let (before, _) =
            c.split_once(&format!("}} tw_{scope}_options;")).expect("in the header");
        let (_, fields) = before.rsplit_once("typedef struct").expect("its beginning");
        let mut check = |what: &str, there: bool| {
            if !there {
                missing.push(format!("{scope}.{name} in {what}"));
            }
        };
        check("tidewire.h", words(fields).contains(&name));
        let fields = between(&cpp, &format!("struct {scope}_options {{"), "};");
        let handed_on = [format!("raw.{name} ="), format!("raw_options.{name} =")];
        check("tidewire.hpp", words(fields).contains(&name));
        check("what tidewire.hpp hands on", handed_on.iter().any(|line| cpp.contains(line)));
        let title = scope[..1].to_uppercase() + &scope[1..];
        let fields = between(&go, &format!("type {title}Options struct {{"), "\n}");
        let handed_on = [format!("{name}:"), format!(".{name} ="), format!(".{name},")];
        check("Go", is_in_go(fields, name));
        check("what Go hands on", handed_on.iter().any(|line| go.contains(line)));
    }
    assert!(missing.is_empty(), "missing: {missing:#?}");
}
