//! The names of files: those that people see, and our own hidden ones.

use crate::config::{Compression, DestinationConfig, Format};

/// Longer names are cut, for file systems end at 255 bytes and numbers and endings follow.
const NAME_BYTES_MAX: usize = 150;

/// Everything that is ours and not for others to see begins with this.
const HIDDEN: &str = ".cofferdam-";

/// What a stream's files are called, without number and ending.
pub(crate) fn base(template: &str, stream: &str) -> String {
    let name = template.replace("{stream}", &safe(stream, ".-_ "));
    match name.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => name,
    }
}

/// What stands after a name: `.jsonl`, `.csv.gz`.
pub(crate) fn ending(config: &DestinationConfig) -> &'static str {
    let packed = config.compression == Some(Compression::Gzip);
    match (config.format, packed) {
        (Format::Csv, false) => ".csv",
        (Format::Csv, true) => ".csv.gz",
        (Format::JsonLines, false) => ".jsonl",
        (Format::JsonLines, true) => ".jsonl.gz",
        (Format::Parquet, _) => ".parquet",
    }
}

/// The hidden files of one commit unit.
#[derive(Debug, Clone)]
pub(crate) struct Hidden {
    /// What all of them begin with. No unit's is the beginning of another's, for points do not stand in it.
    prefix: String,
}

impl Hidden {
    pub(crate) fn new(unit: &str) -> Self {
        Self { prefix: format!("{HIDDEN}{}.", safe(unit, "-_")) }
    }

    /// The state of the unit as the runs with this fence left it.
    pub(crate) fn state(&self, fence: u64) -> String {
        format!("{}{fence:020}.json", self.prefix)
    }

    /// A state that is being written.
    pub(crate) fn unfinished_state(&self, fence: u64) -> String {
        format!("{}{fence:020}.new", self.prefix)
    }

    /// A file that nobody shall see yet. With the fence in it no run ever touches a part of another one.
    pub(crate) fn part(&self, fence: u64, number: u64) -> String {
        format!("{}{fence:020}-{number:06}.part", self.prefix)
    }

    /// The fence of a state, if the name is that of one.
    pub(crate) fn fence_of(&self, name: &str) -> Option<u64> {
        name.strip_prefix(&self.prefix)?.strip_suffix(".json")?.parse().ok()
    }

    /// The fence and the number of a hidden part, if the name is that of one.
    pub(crate) fn part_of(&self, name: &str) -> Option<(u64, u64)> {
        let (fence, number) = name.strip_prefix(&self.prefix)?.strip_suffix(".part")?.split_once('-')?;
        Some((fence.parse().ok()?, number.parse().ok()?))
    }

    /// The fence of a state that was never finished, if the name is that of one.
    pub(crate) fn unfinished_fence_of(&self, name: &str) -> Option<u64> {
        name.strip_prefix(&self.prefix)?.strip_suffix(".new")?.parse().ok()
    }
}

/// The text as a part of a file name on any system: other signs than letters, digits and these are percent-encoded.
/// Different texts stay different: what is too long is cut and ends in a sum over the whole.
fn safe(text: &str, also: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign.is_alphanumeric() || also.contains(sign) {
            name.push(sign);
        } else {
            let mut bytes = [0; 4];
            sign.encode_utf8(&mut bytes).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
        }
    }
    if name.len() > NAME_BYTES_MAX {
        let end = (0..=NAME_BYTES_MAX).rev().find(|place| name.is_char_boundary(*place));
        name.truncate(end.unwrap_or_default());
        name.push_str(&format!("~{:08x}", crc32fast::hash(text.as_bytes())));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{Hidden, base, safe};

    #[test]
    fn names_lead_nowhere_else_and_hide_nothing() {
        assert_eq!(base("{stream}", "movies"), "movies");
        assert_eq!(base("x-{stream}", "a/../b"), "x-a%2F..%2Fb");
        assert_eq!(base("{stream}", "../b"), "%2E.%2Fb");
        assert_eq!(base("{stream}", ".cofferdam-x"), "%2Ecofferdam-x");
        assert_eq!(base("{stream}", "größe?"), "größe%3F");
        let long = "ü".repeat(1000);
        assert!(safe(&long, "").len() < 200 && safe(&long, "") != safe(&long[2..], ""));
    }

    #[test]
    fn hidden_names_tell_what_they_are_and_whose() {
        let unit = Hidden::new("sync/movies.v1");
        assert_eq!(unit.fence_of(&unit.state(7)), Some(7));
        assert_eq!(unit.part_of(&unit.part(7, 3)), Some((7, 3)));
        assert_eq!(unit.unfinished_fence_of(&unit.unfinished_state(7)), Some(7));
        let other = Hidden::new("sync/movies");
        assert_eq!((other.fence_of(&unit.state(7)), other.part_of(&unit.part(7, 3))), (None, None));
    }
}
