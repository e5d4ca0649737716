//! The conformance adapters in C, C++ and Go: how each is built.
//!
//! Owns the command lines; they end as `tidewire-adapter-NAME` beside the other programs of the
//! build, where the suite looks for them.

use std::process::Command;

use super::{compiler, run as finish, staged, target};
use crate::generate::root;

pub(super) fn run(arguments: &[&str]) -> Result<(), String> {
    let [name] = arguments else {
        return Err("usage: cargo xtask c-adapter c|cpp|go".to_owned());
    };
    let stage = staged()?;
    let source = root().join("conformance/adapters");
    let program = target()?.join("debug").join(format!("tidewire-adapter-{name}"));
    let (include, lib) = (stage.join("include"), stage.join("lib"));
    let mut command = match *name {
        "c" | "cpp" => {
            let plus = *name == "cpp";
            let file = if plus { "cpp/adapter.cpp" } else { "c/adapter.c" };
            let mut command = Command::new(compiler(plus));
            command.args(["-g", "-O1", "-Wall", "-Wextra", "-Werror"]);
            command.arg(if plus { "-std=c++17" } else { "-std=c11" });
            command.arg("-I").arg(&include).arg("-I").arg(source.join("c"));
            command.arg(source.join(file)).arg("-L").arg(&lib);
            // Found where it was staged, wherever the suite runs it from.
            command.arg(format!("-Wl,-rpath,{}", lib.display()));
            command.args(["-ltidewire", "-lpthread", "-o"]).arg(&program);
            command
        }
        "go" => {
            let mut command = super::check::go(&stage);
            command.current_dir(source.join("go")).args(["build", "-o"]).arg(&program).arg(".");
            command
        }
        other => return Err(format!("there is no adapter {other}")),
    };
    finish(&mut command)
}
