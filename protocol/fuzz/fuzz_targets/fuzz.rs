//! The libFuzzer end of every target: TIDEWIRE_FUZZ_TARGET names the one to run.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<tidewire_fuzz::Target> = LazyLock::new(|| {
    let name =
        std::env::var("TIDEWIRE_FUZZ_TARGET").expect("TIDEWIRE_FUZZ_TARGET names a target");
    tidewire_fuzz::find(&name).expect("TIDEWIRE_FUZZ_TARGET is one of tidewire_fuzz::TARGETS")
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
