//! Standard output for data, standard error for the rest; styles where a person looks. Decides nothing about content.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::json;

use crate::arguments::General;
use crate::problem::{Problem, Problems};

/// Where a command speaks to.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) verbose: u8,
    /// Whether progress may be drawn: a person looks at standard error.
    pub(crate) live: bool,
    styles: Styles,
}

/// How things stand out. What they mean is always said in words too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Styles {
    pub(crate) error: Style,
    pub(crate) warning: Style,
    pub(crate) hint: Style,
}

impl Output {
    pub(crate) fn new(general: &General) -> Self {
        let person = io::stderr().is_terminal() && !is_set("CI");
        let colour =
            person && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            json: general.json,
            verbose: general.verbose,
            live: person && !general.json,
            styles: if colour { Styles::coloured() } else { Styles::default() },
        }
    }

    /// Text for a person who did not ask for JSON.
    pub(crate) fn text(&self, text: &str) -> Result<(), Problems> {
        written(write_whole(io::stdout().lock(), text))
    }

    /// The one document for machines.
    pub(crate) fn document(&self, document: &impl Serialize) -> Result<(), Problems> {
        let mut text =
            serde_json::to_string_pretty(document).map_err(|error| Problem::bug(error.to_string()))?;
        text.push('\n');
        written(write_whole(io::stdout().lock(), &text))
    }

    /// Data that comes in parts.
    pub(crate) fn bytes(&self, part: &[u8]) -> io::Result<()> {
        let mut stream = io::stdout().lock();
        stream.write_all(part)?;
        stream.flush()
    }

    /// What went wrong: in words on standard error, and for machines on standard output unless they have their document.
    pub(crate) fn problems(&self, problems: &Problems) {
        let text: String = problems.all().iter().map(|problem| problem.render(&self.styles)).collect();
        self.aside(&text);
        if self.json && !problems.in_document {
            // There is nobody left to tell of a failure here.
            let _ = self.document(&json!({ "errors": problems.all() }));
        }
    }

    /// Something that stops nothing.
    pub(crate) fn warning(&self, problem: &Problem) {
        self.aside(&problem.render_warning(&self.styles));
    }

    /// Words on standard error.
    pub(crate) fn aside(&self, text: &str) {
        // A broken pipe there is no error, and any other one has nowhere to be said.
        let _ = write_whole(io::stderr().lock(), text);
    }
}

impl Styles {
    fn coloured() -> Self {
        let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
        Self {
            error: colour(AnsiColor::Red),
            warning: colour(AnsiColor::Yellow),
            hint: colour(AnsiColor::Cyan),
        }
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn write_whole(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Whoever closed the pipe has seen enough.
fn written(result: io::Result<()>) -> Result<(), Problems> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::output(&error).into()),
        _ => Ok(()),
    }
}
