//! A problem as a person reads it.

use std::fmt::Write as _;

use anstyle::Style;

use super::{Problem, REVEALED};
use crate::output::Styles;
use crate::text::{plain_line, plain_lines};

impl Problem {
    pub(crate) fn render(&self, styles: &Styles) -> String {
        self.rendered("error", styles.error, styles)
    }

    pub(crate) fn render_warning(&self, styles: &Styles) -> String {
        let style = if self.code == REVEALED { styles.error } else { styles.warning };
        self.rendered("warning", style, styles)
    }

    fn rendered(&self, word: &str, style: Style, styles: &Styles) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{style}{word}[{}]{style:#}: {}", self.code, plain_line(&self.message));
        for line in &self.details {
            let _ = writeln!(text, "  {}", plain_line(line));
        }
        for cause in &self.causes {
            let _ = writeln!(text, "  caused by: {}", plain_line(cause));
        }
        if !self.log_tail.is_empty() {
            let _ = writeln!(text, "  last words of the connector:");
            for line in &self.log_tail {
                let _ = writeln!(text, "    | {}", plain_line(line));
            }
        }
        let hint = styles.hint;
        for one in &self.hints {
            let _ = writeln!(text, "  {hint}hint{hint:#}: {}", plain_line(&one.text));
            for line in one.lines.iter().flat_map(|lines| plain_lines(lines)) {
                let _ = writeln!(text, "    {line}");
            }
        }
        let _ = writeln!(text, "  more: cofferdam explain {}", self.code);
        text
    }
}
