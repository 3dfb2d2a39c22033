mod cuts;
mod encodings;
mod leads;
mod memory;
mod pieces;
mod readings;
mod reference;
mod repeating;
mod short;
mod spell;
mod streams;

use static_assertions::assert_not_impl_any;

use crate::{Scrubber, Stream, Watch};

// What holds secrets is not shown; `Watch` says its name.
assert_not_impl_any!(Scrubber: std::fmt::Debug, std::fmt::Display);
assert_not_impl_any!(Stream: Clone, std::fmt::Debug, std::fmt::Display);

/// A value of every kind of byte that encodings treat in a way of their own.
const AWKWARD: &[u8] = "sk/live+7=&\"\\%é~ Zq9".as_bytes();
const TOKEN: &[u8] = b"tok_4eC39HqLyjWDarjtT1zdp7dc";

fn watch(values: &[&[u8]]) -> Watch {
    let watch = Watch::new();
    for (number, value) in values.iter().enumerate() {
        watch.add(&format!("c{number}"), value);
    }
    watch
}

/// Rounds of a property: many more with `COFFERDAM_TEST_LONG`.
fn rounds(few: u32) -> proptest::test_runner::Config {
    let long = std::env::var_os("COFFERDAM_TEST_LONG").is_some();
    proptest::test_runner::Config {
        cases: if long { few * 20 } else { few },
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
