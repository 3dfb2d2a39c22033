//! Small files of the system, such as those below `/proc`.

use std::fs;
use std::path::Path;

/// The text of a file without blanks around it; none: it cannot be read.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The number that a file has; none: it has another word, such as `max`, or cannot be read.
pub(super) fn number(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.parse().ok()
}

/// What stands behind `name:` in a file of such lines.
pub(super) fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "MemTotalOther: 1 kB\nMemTotal:  20 kB\nCapEff:\t0400";
        assert_eq!(field(text, "MemTotal"), Some("20 kB"));
        assert_eq!(field(text, "CapEff"), Some("0400"));
        assert_eq!(field(text, "Mem"), None);
    }
}
