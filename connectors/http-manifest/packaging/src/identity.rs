//! Names, versions and texts as a `connector.toml` takes them.

/// The longest name.
const NAME_BYTES_MAX: usize = 63;

/// Words that say nothing in a connector's name.
const EMPTY_WORDS: [&str; 4] = ["spec", "specification", "source", "configuration"];

/// A name out of a title: `Rick & Morty Spec` is `rick-morty`. None where no letter is left.
pub(crate) fn name_of(title: &str) -> Option<String> {
    let lower = title.to_lowercase();
    let words = lower.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty() && !EMPTY_WORDS.contains(word)).collect();
    let name = words.join("-");
    let name = name.trim_start_matches(|character: char| !character.is_ascii_lowercase());
    let name = name.get(..NAME_BYTES_MAX).unwrap_or(name).trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// A version of three numbers out of what a manifest says.
pub(crate) fn version_of(text: &str) -> String {
    let release = text.trim().trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let mut numbers: Vec<u64> = release.split('.').map_while(|number| number.parse().ok()).take(3).collect();
    if numbers.is_empty() {
        return "0.1.0".to_owned();
    }
    numbers.resize(3, 0);
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// A text on one line, without characters that hide or steer, at most 100 of them.
pub(crate) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    cut(&words.join(" "), 100)
}

/// A text without characters that hide or steer, and no longer than this.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    text.chars().filter(|character| !hidden(*character)).take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::{line, name_of, version_of};

    #[test]
    fn titles_become_names() {
        assert_eq!(name_of("Rick & Morty Spec").as_deref(), Some("rick-morty"));
        assert_eq!(name_of("7 Seas Source").as_deref(), Some("seas"));
        assert_eq!(name_of(&"long ".repeat(40)).map(|name| name.len()), Some(63));
        assert_eq!(name_of("Spec"), None);
        assert_eq!(name_of("日本"), None);
    }

    #[test]
    fn versions_have_three_numbers() {
        for (text, version) in [
            ("6.36.2", "6.36.2"),
            ("1.0", "1.0.0"),
            ("v2", "2.0.0"),
            ("1.2.3-rc.1", "1.2.3"),
            ("new", "0.1.0"),
        ] {
            assert_eq!(version_of(text), version, "{text}");
        }
    }

    #[test]
    fn texts_stand_on_one_line() {
        assert_eq!(line("a\n b\u{202e}\u{1b}c"), "a bc");
        assert_eq!(line(&"x".repeat(200)).len(), 100);
    }
}
