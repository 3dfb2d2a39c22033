//! Where in a document something stands, and the line around it as it can be shown.

use std::ops::Range;

use serde::Serialize;

use crate::text::is_plain;

/// How much of a long line is shown.
const EXCERPT_CHARS_MAX: usize = 120;

/// How much of a long line is shown before the fault.
const EXCERPT_CHARS_BEFORE: usize = 40;

/// The part of a line that holds a fault, safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The line, or the part of it around the fault.
    pub text: String,
    /// At which character of `text` the fault starts, from 0.
    pub start: usize,
    /// How many characters it covers, at least 1.
    pub length: usize,
}

/// A document with the starts of its lines.
pub(crate) struct Source<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self { text, line_starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of a byte, both from 1, columns in characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_start(line);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The line at which the span starts, with the span's place in it.
    pub(crate) fn excerpt(&self, span: &Range<usize>) -> Excerpt {
        let (line, column) = self.position(span.start);
        let text = self.line(line);
        let column = column - 1;
        let covered = self.text.get(span.clone()).unwrap_or_default();
        let covered = covered.lines().next().unwrap_or_default().chars().count();

        let cut = if text.chars().count() > EXCERPT_CHARS_MAX {
            column.saturating_sub(EXCERPT_CHARS_BEFORE)
        } else {
            0
        };
        let shown: String = text.chars().skip(cut).take(EXCERPT_CHARS_MAX).map(shown).collect();
        let start = column - cut;
        let length = covered.clamp(1, shown.chars().count().saturating_sub(start).max(1));
        Excerpt { text: shown, start, length }
    }

    fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line - 1).copied().unwrap_or_default()
    }

    fn line(&self, line: usize) -> &'t str {
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text.get(self.line_start(line)..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }
}

fn shown(character: char) -> char {
    match character {
        '\t' => ' ',
        plain if is_plain(plain) => plain,
        _ => '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("a = 1\nbü = 2\r\n\nd");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(6), (2, 1));
        assert_eq!(source.position(10), (2, 4));
        assert_eq!(source.position(17), (4, 2));
        assert_eq!(source.position(999), (4, 1));
    }

    #[test]
    fn an_excerpt_shows_one_line_and_where_the_fault_is() {
        let source = Source::new("a = 1\nname = \"x\u{1b}\"\t# c\r\nlast");
        let excerpt = source.excerpt(&(13..17));
        assert_eq!(excerpt.text, "name = \"x\u{fffd}\" # c");
        assert_eq!((excerpt.start, excerpt.length), (7, 4));
    }

    #[test]
    fn a_long_line_is_cut_around_the_fault() {
        let text = format!("{}X{}", "a".repeat(1000), "b".repeat(1000));
        let excerpt = Source::new(&text).excerpt(&(1000..1001));
        assert_eq!(excerpt.text.chars().count(), 120);
        assert_eq!(excerpt.text.chars().nth(excerpt.start), Some('X'));
    }

    #[test]
    fn a_fault_at_the_end_of_the_document_still_has_a_caret() {
        let excerpt = Source::new("a = ").excerpt(&(4..4));
        assert_eq!((excerpt.text.as_str(), excerpt.start, excerpt.length), ("a = ", 4, 1));
    }
}
