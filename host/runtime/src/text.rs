//! Text that a guest wrote, made safe to show: no control characters, no more than is allowed.

/// Cut to `bytes_max` at a character's boundary, with control characters written out, so that a terminal or a log file shows
/// what is there and does nothing.
pub fn clean(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, cut) = text.split_at(end);
    let mut clean = String::with_capacity(kept.len());
    for character in kept.chars() {
        match character {
            '\n' | '\t' => clean.push(character),
            // Also those that turn the direction of writing, by which a text shows as another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => clean.extend(character.escape_unicode()),
            _ if character.is_control() => clean.extend(character.escape_unicode()),
            _ => clean.push(character),
        }
    }
    if !cut.is_empty() {
        clean.push_str(&format!(" … ({} bytes more)", cut.len()));
    }
    clean
}

/// As [`clean`], on one line.
pub fn clean_line(text: &str, bytes_max: usize) -> String {
    clean(text, bytes_max).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_length_are_tamed() {
        assert_eq!(clean("a\u{1b}[2Jb", 100), "a\\u{1b}[2Jb");
        assert_eq!(clean("\u{202e}txt", 100), "\\u{202e}txt");
        assert_eq!(clean("äöü", 3), "ä … (4 bytes more)");
        assert_eq!(clean_line("a\nINFO forged", 100), "a\\nINFO forged");
    }
}
