//! Gives the shared library its soname, which changes only when its interface breaks.

/// The number behind `.so`; see `docs/adr/0121-what-of-the-c-interface-may-change.md`.
const INTERFACE: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtidewire.so.{INTERFACE}");
        // Once loaded it stays: its threads run code of it until the process ends.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
