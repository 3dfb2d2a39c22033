//! Words from outside made safe to show: quoted, cut, without characters that steer a terminal; and near misses.

/// How much of a foreign word a message repeats.
const QUOTED_CHARS_MAX: usize = 80;

/// Longer words are not compared: no key that we know is near to them.
const COMPARED_BYTES_MAX: usize = 64;

/// Whether a character can be shown as it is. Control characters steer terminals; bidirectional and invisible ones
/// make a text read as something that it is not.
pub(crate) fn is_plain(character: char) -> bool {
    let invisible = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !character.is_control() && !invisible
}

/// The word in backticks, safe to print.
pub(crate) fn quoted(word: &str) -> String {
    let mut shown = String::from("`");
    for (index, character) in word.chars().enumerate() {
        if index == QUOTED_CHARS_MAX {
            shown.push('…');
            break;
        }
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown.push('`');
    shown
}

/// The words as a list for people: `a`, `b` or `c`.
pub(crate) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The known word that was probably meant.
pub(crate) fn closest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let folded = word.to_lowercase().replace('-', "_");
    let tolerated = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace('-', "_")), candidate)
        })
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean …?", where something is near.
#[must_use]
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    closest(word, known).map(|candidate| format!("did you mean {}?", quoted(candidate)))
}

#[cfg(test)]
mod tests {
    use super::{alternatives, closest, quoted};

    #[test]
    fn a_quoted_word_cannot_steer_a_terminal() {
        assert_eq!(quoted("plain"), "`plain`");
        assert_eq!(quoted("a\u{1b}[2Jb"), "`a\\u{1b}[2Jb`");
        assert_eq!(quoted("a\u{202e}b"), "`a\\u{202e}b`");
        assert_eq!(quoted(&"x".repeat(200)).chars().count(), 83);
    }

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        assert_eq!(closest("nmae", ["name", "roles"]), Some("name"));
        assert_eq!(closest("path-prefix", ["path_prefix", "url"]), Some("path_prefix"));
        assert_eq!(closest("URL", ["path_prefix", "url"]), Some("url"));
        assert_eq!(closest("wholly_different", ["name", "roles"]), None);
        assert_eq!(closest(&"n".repeat(10_000), ["name"]), None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(&["a"]), "`a`");
        assert_eq!(alternatives(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
