//! The last words of a connector, which are told with its failure.

use crate::text::clean;
use std::collections::VecDeque;

/// So many lines.
const LINES: usize = 20;
/// Of each line so much, so that all of them can be read however much a connector says, and a failure is soon told.
const LINE_BYTES_MAX: usize = 2 << 10;

/// The last log lines, oldest first.
#[derive(Debug, Default)]
pub struct LogTail(VecDeque<String>);

impl LogTail {
    /// Another line, without control characters; what is beyond 2 KiB of it is counted and not kept.
    pub fn push(&mut self, line: &str) {
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        self.0.push_back(clean(line, LINE_BYTES_MAX));
    }

    /// At most 20 lines.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_the_beginning_of_each() {
        let mut tail = LogTail::default();
        (0..=LINES).for_each(|line| tail.push(&line.to_string()));
        tail.push(&"x".repeat(LINE_BYTES_MAX + 7));
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "2"));
        assert_eq!(lines[LINES - 1], "x".repeat(LINE_BYTES_MAX) + " … (7 bytes more)");
    }
}
