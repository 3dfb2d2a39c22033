//! Nothing is left over for later: no marks for unfinished work, no tests that are switched off.

use super::sources::Sources;

/// Spelled in two halves, so that this file does not find itself.
const MARKS: [(&str, &str); 6] =
    [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("todo", "!("), ("unimplemented", "!("), ("#[ign", "ore")];

/// One line for each mark.
pub(super) fn faults(sources: &Sources) -> Vec<String> {
    let marks = MARKS.map(|(start, end)| format!("{start}{end}"));
    let mut faults = Vec::new();
    for source in sources.iter() {
        for (line, number) in source.text.lines().zip(1_usize..) {
            for mark in marks.iter().filter(|mark| contains_word(line, mark)) {
                faults.push(format!("leftovers: `{}` line {number} has `{mark}`", source.path.display()));
            }
        }
    }
    faults
}

/// A mark within a longer word is something else.
fn contains_word(line: &str, mark: &str) -> bool {
    let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mark_ends_in_letter = is_letter(mark.chars().next_back());
    line.match_indices(mark).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + mark.len()..).and_then(|text| text.chars().next());
        let is_part = is_letter(before) || (mark_ends_in_letter && is_letter(after));
        !is_part
    })
}

#[cfg(test)]
mod tests {
    use super::{MARKS, Sources, faults};

    #[test]
    fn every_mark_is_found_and_its_place_told() {
        for (start, end) in MARKS {
            let text = format!("fn main() {{\n    {start}{end} later\n}}\n");
            let found = faults(&Sources::made_up(&[("main.rs", &text)]));
            assert_eq!(found, [format!("leftovers: `main.rs` line 2 has `{start}{end}`")]);
        }
    }

    #[test]
    fn longer_words_are_something_else() {
        let text = "const MASTODON: u8 = 0xTODOS; // a method in XXXL\n";
        assert_eq!(faults(&Sources::made_up(&[("main.rs", text)])), Vec::<String>::new());
    }
}
