//! Fuzz targets: each takes any bytes, has one of our readers read them, and holds what it says against a second reading by
//! other code. A target panics where the two differ; that nothing else panics goes without saying.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "an oracle speaks by panicking"
)]

mod allow_list;
mod columns;
mod host_pattern;
mod manifest_text;
mod request;
mod scrubber;

/// One thing that is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder of kept inputs.
    pub name: &'static str,
    /// Judges one input.
    pub run: fn(&[u8]),
    /// Texts of which inputs are likely to be made.
    pub words: &'static [&'static str],
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "host-pattern", run: host_pattern::run, words: host_pattern::WORDS },
    Target { name: "allow-list", run: allow_list::run, words: &[] },
    Target { name: "manifest", run: manifest_text::run, words: manifest_text::WORDS },
    Target { name: "request", run: request::run, words: request::WORDS },
    Target { name: "scrubber", run: scrubber::run, words: scrubber::WORDS },
    Target { name: "columns", run: columns::run, words: &[] },
];

/// The target that `COFFERDAM_FUZZ_TARGET` names.
///
/// # Panics
/// When it names none.
#[must_use]
pub fn named_by_environment() -> Target {
    let name = std::env::var("COFFERDAM_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("`COFFERDAM_FUZZ_TARGET` names no target: `{name}`"))
}
