//! What must open and what must not, by the marks `record`, `doom` and `doomed` of the subject.

use std::collections::BTreeSet;

use crate::campaign::After;

/// Names of records after a word at the beginning of a line.
fn names<'a>(lines: &[&'a str], word: &str) -> BTreeSet<&'a str> {
    let of = |line: &&'a str| line.strip_prefix(word)?.strip_prefix(' ')?.split(' ').next();
    lines.iter().filter_map(of).collect()
}

pub(crate) fn judge(after: &After<'_>) -> Result<(), String> {
    let (said, opens) = (names(&after.marks, "record"), names(&after.found, "opens"));
    let earlier = names(&after.found, "earlier");
    let (dooms, doomed) = (names(&after.marks, "doom"), names(&after.marks, "doomed"));
    let is_of = |name: &&&str, parts: &BTreeSet<&str>| parts.iter().any(|part| name.contains(part));
    let lost: Vec<_> = said.iter().filter(|name| !is_of(name, &dooms) && !opens.contains(**name)).collect();
    if !lost.is_empty() {
        return Err(format!("keys were lost: {lost:?}"));
    }
    let back: Vec<_> = opens.union(&earlier).filter(|name| is_of(name, &doomed)).collect();
    if !back.is_empty() {
        return Err(format!("what was shredded opens: {back:?}"));
    }
    for part in dooms.difference(&doomed) {
        let of_part: Vec<_> = said.iter().filter(|name| name.contains(part)).collect();
        let open = of_part.iter().filter(|name| opens.contains(***name)).count();
        if open != 0 && open != of_part.len() {
            return Err(format!("{open} of {} keys were shredded", of_part.len()));
        }
        // What is gone by the keyring of now must be gone by every other.
        if open == 0 && of_part.iter().any(|name| earlier.contains(**name)) {
            return Err(format!("an unfinished shred of `{part}` can be turned back"));
        }
    }
    Ok(())
}
