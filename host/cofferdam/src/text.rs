//! Words from outside made safe for a terminal: control characters steer it, invisible ones make a text read as another.

/// One line: what would steer a terminal is spelled out.
pub(crate) fn plain_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(' '),
            plain if is_plain(plain) => shown.push(plain),
            other => shown.extend(other.escape_unicode()),
        }
    }
    shown
}

/// The lines of a text, each safe, without empty ones.
pub(crate) fn plain_lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(plain_line).collect()
}

/// At most so many characters, with a sign where some are missing.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    let mut kept: String = text.chars().take(characters).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

fn is_plain(character: char) -> bool {
    let invisible = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !character.is_control() && !invisible
}

/// The known word that was probably meant.
pub(crate) fn closest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const TOLERATED: usize = 1;
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= TOLERATED)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{closest, cut, plain_line, plain_lines};

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(plain_line("a\u{1b}[2J\tb\u{9b}1m\u{202e}c\n"), "a\\u{1b}[2J b\\u{9b}1m\\u{202e}c\\u{a}");
        assert_eq!(plain_lines("a\n\nb\r\n\n"), ["a", "b"]);
    }

    #[test]
    fn a_long_text_says_that_it_was_cut() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
    }

    #[test]
    fn a_near_miss_is_found() {
        assert_eq!(closest("CD0220", ["CD0202", "CD0301"]), Some("CD0202"));
        assert_eq!(closest("nothing", ["CD0202"]), None);
    }
}
