//! Writes the languages' sources from the library: `cargo xtask uniffi --generate` runs it.

fn main() {
    uniffi::uniffi_bindgen_main()
}
