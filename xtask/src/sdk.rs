//! `cargo xtask sdk`: builds the server and everything that the conformance suite plays cases
//! through, as each `conformance/adapters/*/adapter.toml` says.

use std::path::Path;
use std::process::{Command, ExitCode};

use serde::Deserialize;

use crate::generate::root;
use crate::packages::build_programs;

/// The part of a manifest that says how its adapter is built.
#[derive(Deserialize)]
struct Manifest {
    name: String,
    build: Vec<Vec<String>>,
    /// Without one of them it is left out, as the suite itself says.
    #[serde(default)]
    programs: Vec<String>,
}

/// Builds what `names` names, or everything; 1 if something could not be built.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    match build(&root(), names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask sdk: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds everything, and plays the suite with these arguments.
pub(crate) fn conformance(arguments: &[&str]) -> ExitCode {
    let mut line = vec!["run".to_owned()];
    line.extend(arguments.iter().map(|&argument| argument.to_owned()));
    // It lies beside this program; `cargo run` cannot be told to take the workspace's features.
    let suite = std::env::current_exe().map(|own| own.with_file_name("tidewire-conformance"));
    let outcome = suite.map_err(|error| error.to_string()).and_then(|suite| {
        build(&root(), &[])?;
        command(&root(), &suite.to_string_lossy(), &line)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(root: &Path, names: &[&str]) -> Result<(), String> {
    build_programs(&["tidewire", "tidewire-conformance"])?;
    let manifests = manifests(&root.join("conformance/adapters"))?;
    for name in names {
        if !manifests.iter().any(|manifest| manifest.name == *name) {
            return Err(format!("there is no adapter {name}"));
        }
    }
    for manifest in manifests {
        if !names.is_empty() && !names.contains(&manifest.name.as_str()) {
            continue;
        }
        if let Some(program) = manifest.programs.iter().find(|program| !is_installed(program)) {
            eprintln!("{} is not built: there is no {program}", manifest.name);
            continue;
        }
        println!("=== {} ===", manifest.name);
        for line in &manifest.build {
            let Some((program, arguments)) = line.split_first() else { continue };
            let program = if program == "cargo" { cargo() } else { program.clone() };
            command(root, &program, arguments)
                .map_err(|error| format!("{}: {error}", manifest.name))?;
        }
    }
    Ok(())
}

/// Whether a program is in one of the directories of PATH.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

pub(crate) fn command(root: &Path, program: &str, arguments: &[String]) -> Result<(), String> {
    let shown = format!("{program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).current_dir(root).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

fn manifests(directory: &Path) -> Result<Vec<Manifest>, String> {
    let shown = directory.display();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))? {
        let path =
            entry.map_err(|error| format!("{shown}: {error}"))?.path().join("adapter.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let manifest =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        found.push(manifest);
    }
    found.sort_by(|a: &Manifest, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_says_how_its_adapter_is_built() {
        let manifests = manifests(&root().join("conformance/adapters")).expect("manifests");
        assert!(manifests.iter().any(|manifest| manifest.name == "rust"));
        assert!(manifests.iter().all(|manifest| !manifest.build.is_empty()));
    }
}
