//! `cargo xtask kotlin`: builds the module for Kotlin and Java in the checkout and tests it
//! against the real server.
//!
//! Owns what has to be there before (the server, the library), Maven's command lines, and the one
//! line that `cargo xtask test` counts. The one invariant: a machine without a JDK or without
//! Maven, or one that cannot reach Maven's packages, is told of in one line and is no failure.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::{failed, library, same_version, server, stripped, tests_of};
use crate::generate::root;
use crate::sdk::is_installed;

/// Oldest JDK that the module is for.
const OLDEST: u32 = 17;

/// `--build` only builds; `--release` builds what is measured.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let (build, release) = match words {
        [] => (false, false),
        ["--build"] => (true, false),
        ["--release"] => (true, true),
        _ => return failed("kotlin", "usage: cargo xtask kotlin [--build | --release]"),
    };
    if let Some(lack) = lack() {
        println!("SKIPPED: the module for Kotlin and Java: {lack}");
        return ExitCode::SUCCESS;
    }
    let root = root();
    let outcome = package(&root, release).and_then(|packed| match packed {
        None => {
            println!(
                "SKIPPED: the module for Kotlin and Java: Maven cannot get the packages that it \
                 is built with"
            );
            Ok(())
        }
        Some(_) if build => Ok(()),
        Some(module) => test(&root, &module),
    });
    outcome.map_or_else(|error| failed("kotlin", &error), |()| ExitCode::SUCCESS)
}

/// What this machine has not.
fn lack() -> Option<String> {
    for program in ["java", "javac", "mvn"] {
        if !is_installed(program) {
            return Some(format!("this machine has no {program}"));
        }
    }
    let told = Command::new("javac").arg("-version").output().ok()?;
    let told = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    match major(&told) {
        Some(major) if major >= OLDEST => None,
        _ => Some(format!("it has {told}, and {OLDEST} is the oldest that it is built with")),
    }
}

/// `javac 17.0.15` is 17.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix("javac ")?.split('.').next()?.parse().ok()
}

/// Where everything is.
struct Module {
    directory: PathBuf,
    /// What is built, outside of the sources.
    build: PathBuf,
    library: PathBuf,
}

impl Module {
    /// Maven in the module, quietly.
    fn maven(&self, goals: &[&str]) -> Command {
        let mut maven = Command::new("mvn");
        maven.current_dir(&self.directory).args(["-q", "-B", "-ntp"]);
        if let Some(path) = self.library.parent() {
            maven.arg(format!("-Dlibrary.path={}", path.display()));
        }
        // One Java machine compiles for a few seconds: the quick compiler and collector do.
        maven.env("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1g");
        maven.args(goals);
        maven
    }
}

/// Builds the jar, with the library in it, and the tests; `None` where Maven lacks packages.
fn package(root: &Path, release: bool) -> Result<Option<Module>, String> {
    let directory = root.join("bindings-uniffi/kotlin");
    let version = format!("<version>{}</version>", env!("CARGO_PKG_VERSION"));
    same_version(&directory.join("pom.xml"), &version)?;
    let module =
        Module { build: directory.join("target"), library: library(root, release)?, directory };
    let system = format!("linux-{}", std::env::consts::ARCH.replace('_', "-"));
    let packed = module.build.join("native").join(system).join(super::LIBRARY);
    if newer(&module.library, &packed) {
        stripped(&module.library, &packed)?;
    }
    if !is_stale(&module)? {
        return Ok(Some(module));
    }
    let told = module.maven(&["package", "-DskipTests"]).output();
    let told = told.map_err(|error| format!("mvn package: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout);
    if told.status.success() {
        adapter(&module)?;
        Ok(Some(module))
    } else if text.contains("Could not transfer") || text.contains("Could not find artifact") {
        println!("{text}");
        Ok(None)
    } else {
        Err(format!("mvn package:\n{text}{}", String::from_utf8_lossy(&told.stderr)))
    }
}

/// Puts together what the conformance suite's adapter runs from, with an archive of the classes that
/// it loads, which makes its start several times as quick.
fn adapter(module: &Module) -> Result<(), String> {
    let directory = module.build.join("adapter");
    let shown = directory.display();
    let failed = |error: std::io::Error| format!("{shown}: {error}");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).map_err(failed)?;
    for entry in std::fs::read_dir(module.build.join("dependency")).map_err(failed)? {
        let from = entry.map_err(failed)?.path();
        // Those of the tests alone are not needed, and make it slower.
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["kotlin", "annotations", "jna", "gson"].iter().any(|kind| name.starts_with(kind)) {
            std::fs::copy(&from, directory.join(name)).map_err(failed)?;
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    for kind in ["", "-tests"] {
        let from = module.build.join(format!("tidewire-{version}{kind}.jar"));
        std::fs::copy(&from, directory.join(format!("tidewire{kind}.jar"))).map_err(failed)?;
    }
    let library = module.library.parent().ok_or("a library without a directory")?;
    let mut java = Command::new("java");
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djna.nosys=true"])
        .arg(format!("-XX:ArchiveClassesAtExit={}", directory.join("classes.jsa").display()))
        .arg(format!("-Djna.library.path={}", library.display()))
        .args(["-cp", &directory.join("*").to_string_lossy()])
        .args(["io.tidewire.conformance.AdapterKt", "archive"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Without one it starts more slowly, and that is all.
    let _ = java.status();
    Ok(())
}

fn newer(path: &Path, than: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    changed(path) > changed(than)
}

/// Whether anything changed since all was made, the adapter last.
fn is_stale(module: &Module) -> Result<bool, String> {
    let last = module.build.join("adapter/tidewire-tests.jar");
    let mut rest = vec![
        module.directory.join("pom.xml"),
        module.directory.join("src"),
        module.directory.join("examples"),
        module.directory.join("conformance"),
        module.directory.join("../../bench/jvm"),
        module.build.join("native"),
    ];
    while let Some(path) = rest.pop() {
        if path.is_dir() {
            let shown = path.display();
            let entries =
                std::fs::read_dir(&path).map_err(|error| format!("{shown}: {error}"))?;
            rest.extend(entries.flatten().map(|entry| entry.path()));
        } else if newer(&path, &last) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs the tests, and tells their number as Rust's own tests do.
fn test(root: &Path, module: &Module) -> Result<(), String> {
    // Everything is compiled; what is left is to run it. `-q` leaves their lines out.
    let mut maven = Command::new("mvn");
    let prepared = module.maven(&[]);
    maven
        .current_dir(&module.directory)
        .args(prepared.get_args().filter(|argument| *argument != "-q"))
        .args(["surefire:test"])
        .env("TIDEWIRE_TEST_SERVER", server(root)?)
        .stdin(Stdio::null());
    tests_of(&mut maven, counted)
}

/// The sum of Maven's own lines; those of a class are counted in it again.
fn counted(line: &str) -> Option<[u64; 3]> {
    let (_, rest) = line.split_once("Tests run: ")?;
    if rest.contains("Time elapsed") {
        return None;
    }
    let numbers: Vec<u64> = rest
        .split(',')
        .filter_map(|part| part.rsplit(' ').next()?.trim().parse().ok())
        .collect();
    let [run, failures, errors, skipped] = numbers[..] else { return None };
    let failed = failures + errors;
    Some([run - failed - skipped, failed, skipped])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_mavens_tests_is_counted() {
        let sum = "[INFO] Tests run: 12, Failures: 1, Errors: 2, Skipped: 3";
        assert_eq!(counted(sum), Some([6, 3, 3]));
        let class =
            "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s";
        assert_eq!(counted(class), None);
        assert_eq!((major("javac 17.0.15"), major("1.8")), (Some(17), None));
    }
}
