//! Words from a manifest made safe to show, and near misses.

/// How much of a foreign word a message repeats.
const QUOTED_CHARS_MAX: usize = 80;

/// Longer words are not compared: no name that we know is near to them.
const COMPARED_BYTES_MAX: usize = 64;

/// The word in backticks, cut, without characters that steer a terminal.
pub(crate) fn quoted(word: &str) -> String {
    let mut shown = String::from("`");
    for (index, character) in word.chars().enumerate() {
        if index == QUOTED_CHARS_MAX {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}

/// The words as a list for people: `a`, `b` or `c`.
pub(crate) fn alternatives(words: &[&str]) -> String {
    let shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// "did you mean …?", where a known word is near.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    if word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let folded = word.to_lowercase();
    let tolerated = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| format!("did you mean {}?", quoted(candidate)))
}

#[cfg(test)]
mod tests {
    use super::{alternatives, did_you_mean, quoted};

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let known = ["DefaultPaginator", "NoPagination"];
        assert_eq!(
            did_you_mean("DefaultPaginatr", known).as_deref(),
            Some("did you mean `DefaultPaginator`?")
        );
        assert_eq!(did_you_mean("Selector", known), None);
        assert_eq!(did_you_mean(&"n".repeat(1000), known), None);
    }

    #[test]
    fn words_are_safe_to_show() {
        assert_eq!(quoted("a\u{1b}b"), "`a\\u{1b}b`");
        assert_eq!(quoted(&"x".repeat(200)).chars().count(), 83);
        assert_eq!(alternatives(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
