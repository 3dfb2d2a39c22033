//! What was said before the power went. A real host remembers nothing of it; only the tests do.

use anyhow::{Context, Result};

/// The marks, oldest first.
pub(crate) fn read() -> Result<Vec<String>> {
    let path = std::env::var_os("POWER_FACTS").context("no POWER_FACTS")?;
    Ok(std::fs::read_to_string(path)?.lines().map(str::to_owned).collect())
}

/// The values of the marks `name value`.
pub(crate) fn all(marks: &[String], name: &str) -> Vec<String> {
    let of = |mark: &String| mark.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
    marks.iter().filter_map(of).collect()
}
