//! One target under libFuzzer, which looks at what code an input reaches. `cargo xtask fuzz` builds and starts it; the target is
//! the value of `COFFERDAM_FUZZ_TARGET`.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fuzz::Target> = LazyLock::new(fuzz::named_by_environment);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (TARGET.run)(input);
});
