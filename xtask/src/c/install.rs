//! `cargo xtask c-install`: the header, the libraries and what finds them, under a prefix.
//!
//! Owns the layout: `include`, `lib` (or what `--libdir` says) with soname and links, in it `pkgconfig`
//! and `cmake/Tidewire`, and `share/doc/tidewire`. The one invariant: nothing in it names where it was
//! built, so that a prefix can be moved or packed (`DESTDIR` counts, as everywhere).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::{Profile, bindings, build, reference, target};

/// The number behind `.so`, as `bindings-c/build.rs` has it.
const INTERFACE: u32 = 0;
const VERSION: &str = env!("CARGO_PKG_VERSION");

const USAGE: &str = "\
usage: cargo xtask c-install --prefix DIR [--libdir DIR] [--profile release|dev]
  --libdir is below the prefix, such as lib64 or lib/x86_64-linux-gnu; lib if it is not given";

pub(super) fn run(arguments: &[&str]) -> Result<(), String> {
    let (mut prefix, mut libdir, mut profile) = (None, PathBuf::from("lib"), Profile::Release);
    let mut words = arguments.iter();
    while let Some(&word) = words.next() {
        match (word, words.next()) {
            ("--prefix", Some(&directory)) => prefix = Some(PathBuf::from(directory)),
            ("--libdir", Some(&directory)) => libdir = PathBuf::from(directory),
            ("--profile", Some(&"release")) => profile = Profile::Release,
            ("--profile", Some(&"dev")) => profile = Profile::Dev,
            _ => return Err(USAGE.to_owned()),
        }
    }
    if !libdir.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!(
            "--libdir is {}, but should be below the prefix",
            libdir.display()
        ));
    }
    let mut prefix = prefix.ok_or(USAGE)?;
    if prefix.is_relative() {
        prefix = std::env::current_dir().map_err(|error| error.to_string())?.join(prefix);
    }
    if let Some(staging) = std::env::var_os("DESTDIR").filter(|staging| !staging.is_empty()) {
        let below = prefix.strip_prefix("/").map_err(|error| error.to_string())?;
        prefix = PathBuf::from(staging).join(below);
    }
    build(profile)?;
    install(&prefix, &libdir, profile)?;
    println!("installed libtidewire {VERSION} into {}", prefix.display());
    Ok(())
}

/// Lays everything out under `prefix`, the libraries in `libdir` of it.
pub(super) fn install(prefix: &Path, libdir: &Path, profile: Profile) -> Result<(), String> {
    let built = target()?.join(profile.directory());
    let (source, lib) = (bindings(), prefix.join(libdir));
    // From a directory of the library's to the prefix.
    let up = "../".repeat(libdir.components().count());
    let up = up.trim_end_matches('/');
    let include = prefix.join("include");
    for header in ["tidewire.h", "tidewire_constants.h", "tidewire.hpp"] {
        copy(&source.join("include").join(header), &include.join(header))?;
    }
    let real = format!("libtidewire.so.{VERSION}");
    let soname = format!("libtidewire.so.{INTERFACE}");
    copy(&built.join("libtidewire_c.so"), &lib.join(&real))?;
    // As linkers leave it.
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(lib.join(&real), executable)
        .map_err(|error| format!("{real}: {error}"))?;
    copy(&built.join("libtidewire_c.a"), &lib.join("libtidewire.a"))?;
    link(&real, &lib.join(&soname))?;
    link(&soname, &lib.join("libtidewire.so"))?;
    let system = system_libraries()?;
    for (template, place) in [
        ("cmake/tidewire.pc.in", "pkgconfig/tidewire.pc"),
        ("cmake/tidewire-static.pc.in", "pkgconfig/tidewire-static.pc"),
        ("cmake/TidewireConfig.cmake.in", "cmake/Tidewire/TidewireConfig.cmake"),
        ("cmake/TidewireConfigVersion.cmake.in", "cmake/Tidewire/TidewireConfigVersion.cmake"),
    ] {
        let text = fs::read_to_string(source.join(template))
            .map_err(|error| format!("{template}: {error}"))?;
        let text = text
            .replace("@VERSION@", VERSION)
            .replace("@SONAME@", &soname)
            .replace("@REAL@", &real)
            .replace("@LIBDIR@", &libdir.to_string_lossy())
            .replace("@UP@", up)
            .replace("@SYSTEM@", &system);
        write(&lib.join(place), &text)?;
    }
    let doc = prefix.join("share/doc/tidewire");
    copy(&source.join("../LICENSE"), &doc.join("LICENSE"))?;
    let header = fs::read_to_string(include.join("tidewire.h"))
        .map_err(|error| format!("tidewire.h: {error}"))?;
    write(&doc.join("tidewire.html"), &reference::html(&header, VERSION))
}

/// What a program that links the static library needs besides, as `-l` words.
fn system_libraries() -> Result<String, String> {
    // As rustc tells it for the platform, without what the C compiler adds by itself.
    let mut command = Command::new("rustc");
    command.args(["--crate-type", "staticlib", "--print", "native-static-libs", "-o"]);
    let scratch = target()?.join("native-static-libs.a");
    let output = command.arg(&scratch).arg("-").stdin(std::process::Stdio::null()).output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    let _ = fs::remove_file(scratch);
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.split_once("native-static-libs: "));
    let (_, words) = line.ok_or("rustc does not tell the native libraries")?;
    let mut kept: Vec<&str> = Vec::new();
    for word in words.split_whitespace() {
        if word != "-lc" && !kept.contains(&word) {
            kept.push(word);
        }
    }
    // The core computes logarithms.
    if !kept.contains(&"-lm") {
        kept.push("-lm");
    }
    Ok(kept.join(" "))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    // What is the same stays, so that nobody builds anew because of it.
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    make_room(to)?;
    fs::write(to, bytes).map_err(|error| format!("{}: {error}", to.display()))
}

fn write(to: &Path, text: &str) -> Result<(), String> {
    make_room(to)?;
    fs::write(to, text).map_err(|error| format!("{}: {error}", to.display()))
}

fn link(target: &str, at: &Path) -> Result<(), String> {
    make_room(at)?;
    symlink(target, at).map_err(|error| format!("{}: {error}", at.display()))
}

/// A program that has the old file open keeps it.
fn make_room(for_file: &Path) -> Result<(), String> {
    let shown = for_file.display();
    if let Some(directory) = for_file.parent() {
        fs::create_dir_all(directory).map_err(|error| format!("{shown}: {error}"))?;
    }
    match fs::remove_file(for_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{shown}: {error}"))
        }
        _ => Ok(()),
    }
}
