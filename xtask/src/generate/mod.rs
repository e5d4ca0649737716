//! `cargo xtask gen`: writes the files that other languages and crates read, from
//! `protocol/spec/*.toml`, the one source of kinds, errors, limits and options.
//!
//! `tidewire.h` is made from the source of `bindings-c`.
//!
//! Generated files are committed, so that no build needs this; `--check` finds those that differ.

mod constants;
mod docs;
mod fuzz;
mod header;
mod json;
mod model;
mod node;
mod python;
mod rust;
mod uniffi;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::Spec;

/// Writes or checks all generated files.
pub(crate) fn run(check: bool) -> ExitCode {
    match generate(check) {
        Ok(differing) if differing.is_empty() => {
            println!("generated files agree with protocol/spec");
            ExitCode::SUCCESS
        }
        Ok(differing) if check => {
            for path in differing {
                eprintln!("{path} differs from protocol/spec: run `cargo xtask gen`");
            }
            ExitCode::FAILURE
        }
        Ok(written) => {
            for path in written {
                println!("wrote {path}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cargo xtask gen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the repository").to_path_buf()
}

/// Returns the files whose content differs, having written them unless only checking.
fn generate(check: bool) -> Result<Vec<String>, String> {
    let root = root();
    let spec = Spec::load(&root.join("protocol/spec"))?;
    let files = [
        ("protocol/src/generated/limits.rs", rust::limits(&spec)),
        ("protocol/src/generated/server_limits.rs", rust::server_limits(&spec)),
        ("protocol/src/generated/codes.rs", rust::codes(&spec)),
        ("protocol/src/generated/options.rs", rust::options(&spec)),
        ("protocol/src/generated/messages.rs", rust::messages(&spec)),
        ("protocol/tests/vectors/messages_json.rs", json::messages(&spec)),
        ("protocol/fuzz/src/families.rs", fuzz::families(&spec)?),
        ("bindings-c/include/tidewire_constants.h", constants::c(&spec)),
        ("bindings-c/include/tidewire.h", header::c(&root.join("bindings-c"))?),
        ("bindings-c/go/errors_gen.go", constants::go(&spec)),
        ("bindings-c/symbols.txt", header::symbols(&root.join("bindings-c"))?),
        ("bindings-python/python/tidewire/_constants.py", constants::python(&spec)),
        ("bindings-python/python/tidewire/errors.py", python::errors(&spec)?),
        ("bindings-node/ts/constants.ts", node::constants(&spec)),
        ("bindings-node/ts/options.ts", node::options(&spec)),
        (
            "bindings-uniffi/kotlin/src/main/kotlin/io/tidewire/ErrorCode.kt",
            uniffi::kotlin(&spec),
        ),
        ("bindings-uniffi/ruby/lib/tidewire/codes.rb", uniffi::ruby(&spec)),
        ("bindings-uniffi/swift/Sources/Tidewire/ErrorCode.swift", uniffi::swift(&spec)),
        ("docs/reference/errors.md", docs::errors(&spec)),
        ("docs/reference/options.md", docs::options(&spec)),
        ("docs/reference/limits.md", docs::limits(&spec)),
        ("docs/reference/kinds.md", docs::kinds(&spec)),
    ];
    let mut differing = Vec::new();
    for (name, mut content) in files {
        if name.ends_with(".rs") {
            content = rust::format(&content, &root)?;
        }
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == content) {
            continue;
        }
        if !check {
            std::fs::write(&path, content).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        differing.push(name.to_owned());
    }
    Ok(differing)
}
