//! What arrived at a destination of files: every row of every published file, sorted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The rows of each stream, as a multiset: sorted lines.
pub(crate) fn rows(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What begins with a point is not published.
        let Some(stem) = name.strip_suffix(".jsonl").filter(|stem| !stem.starts_with('.')) else { continue };
        let stream = stem.rsplit_once('-').unwrap().0.to_owned();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "`{name}` has half a row");
        streams.entry(stream).or_default().extend(text.lines().map(ToOwned::to_owned));
    }
    streams.values_mut().for_each(|rows| rows.sort());
    streams
}

/// How many rows each stream has.
pub(crate) fn counts(rows: &BTreeMap<String, Vec<String>>) -> BTreeMap<&str, usize> {
    rows.iter().map(|(stream, rows)| (stream.as_str(), rows.len())).collect()
}
